"""Networks that name the class of a single window of EEG, small enough to be trained on a few hundred trials.

Real recordings of picture viewing come without embeddings of their pictures, so nothing but the class is learned: no
retrieval, no alignment, no second stream and no coupling between streams. What is left of BrainSSD is its static path,
narrower than published; of ENIGMA its encoder with one map over time for everybody, under a linear classifier.

One budget for every system and every recording (docs/decisions/0156-one-window-on-real-recordings.md). The last step is
kept: nothing is selected on any trial.

Thread: one at a time.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from engines.models.brainssd import BrainSsd, BrainSsdConfig
from engines.models.enigma import Enigma, EnigmaConfig

Array = NDArray[np.float64]
Labels = NDArray[np.int64]

# As in the project's small BrainSSD (docs/decisions/0149-pocket-sizes.md): 10 samples at 250 Hz, twice the published.
TOKEN_S = 0.04
_DIM = 64
# How many windows are answered in one call.
_AT_ONCE = 256


@dataclass(frozen=True)
class Window:
    """What a network is made for: windows (n_channels, n_samples) at `sfreq_hz`, told apart into `n_classes`."""

    n_channels: int
    n_samples: int
    sfreq_hz: float
    n_classes: int


class StaticPath(nn.Module):
    """BrainSSD without the turn. Samples that fill no whole token are left out at the beginning of the window."""

    def __init__(self, window: Window) -> None:
        super().__init__()
        per_token = max(1, round(TOKEN_S * window.sfreq_hz))
        tokens = window.n_samples // per_token
        self.n_samples = tokens * per_token
        self.network = BrainSsd(
            BrainSsdConfig(
                n_channels=window.n_channels,
                static_sfreq_hz=window.sfreq_hz,
                static_samples=self.n_samples,
                dynamic_samples=self.n_samples,
                streams="static",
                pac=False,
                pyramid=False,
                width=32,
                feed_forward=128,
                tokens=tokens,
                token_width=8,
                dim=_DIM,
                categories=window.n_classes,
                colours=1,
            )
        )

    def forward(self, eeg: Tensor) -> Tensor:
        """(batch, channel, time) to logits (batch, class)."""
        category: Tensor = self.network(static=eeg[..., -self.n_samples :]).category
        return category


class EnigmaPath(nn.Module):
    """ENIGMA's encoder; a map over time of their own cannot be had for a participant who taught nothing."""

    def __init__(self, window: Window) -> None:
        super().__init__()
        self.encoder = Enigma(EnigmaConfig(window.n_channels, window.n_samples, subjects=1, dim=_DIM))
        self.head = nn.Linear(_DIM, window.n_classes)

    def forward(self, eeg: Tensor) -> Tensor:
        """(batch, channel, time) to logits (batch, class)."""
        logits: Tensor = self.head(self.encoder(eeg, eeg.new_zeros(len(eeg)).long()).embedding)
        return logits


Make = Callable[[Window], nn.Module]
NETWORKS: Mapping[str, Make] = MappingProxyType({"brainssd/static only": StaticPath, "enigma": EnigmaPath})


@dataclass(frozen=True)
class Budget:
    """How long, how hard, and what a training window goes through.

    `shift_s`: moved by up to so much, either way. `left_out`: share of channels set to zero. `noise_sd`: of added
    noise, in deviations of a channel.
    """

    epochs: int = 20
    batch: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    warm_up: float = 0.15
    clip: float = 1.0
    shift_s: float = 0.02
    left_out: float = 0.1
    noise_sd: float = 0.2


@dataclass(frozen=True, eq=False)
class Classifier:
    """A trained network with the scaling of its channels: `mean` and `deviation` (n_channels, 1), microvolts."""

    network: nn.Module
    mean: Array
    deviation: Array

    def __call__(self, epochs_uv: Array) -> Array:
        """Log probabilities (n, n_classes) of windows (n, n_channels, n_samples)."""
        eeg = _scaled(epochs_uv, self.mean, self.deviation)
        self.network.eval()
        with torch.inference_mode():
            parts = [self.network(eeg[at : at + _AT_ONCE]).log_softmax(dim=1) for at in range(0, len(eeg), _AT_ONCE)]
        return torch.cat(parts).numpy().astype(np.float64)


def trained(
    make: Make, epochs_uv: Array, labels: Labels, n_classes: int, sfreq_hz: float, budget: Budget, seed: int
) -> Classifier:
    """Fit on windows (n, n_channels, n_samples) with `labels` (n,).

    Channels are scaled by what these windows say. Cross-entropy weighs classes by the inverse of their share. The same
    seed, data and number of threads give the same weights.
    """
    mean = epochs_uv.mean(axis=(0, 2))[:, None]
    deviation = np.maximum(epochs_uv.std(axis=(0, 2)), 1e-9)[:, None]
    eeg, truth = _scaled(epochs_uv, mean, deviation), torch.from_numpy(labels)
    window = Window(eeg.shape[1], eeg.shape[2], sfreq_hz, n_classes)
    counts = torch.bincount(truth, minlength=n_classes).clamp_min(1)
    weights = len(truth) / (n_classes * counts)
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        network = make(window).train()
        optimiser = torch.optim.AdamW(network.parameters(), lr=budget.learning_rate, weight_decay=budget.weight_decay)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser,
            budget.learning_rate,
            total_steps=budget.epochs * -(-len(eeg) // budget.batch),
            pct_start=budget.warm_up,
        )
        for rows in _batches(len(eeg), budget):
            logits = network(varied(eeg[rows], round(budget.shift_s * sfreq_hz), budget))
            loss = functional.cross_entropy(logits, truth[rows], weights)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(network.parameters(), budget.clip)
            optimiser.step()
            schedule.step()
    return Classifier(network, mean, deviation)


def varied(eeg: Tensor, most: int, budget: Budget) -> Tensor:
    """Windows (batch, channel, time) moved by up to `most` samples (ends repeat), without some channels, with noise."""
    n, n_channels, n_samples = eeg.shape
    shift = torch.randint(-most, most + 1, (n, 1))
    at = (torch.arange(n_samples) + shift).clamp(0, n_samples - 1)
    moved = eeg.gather(2, at[:, None].expand(-1, n_channels, -1))
    kept = torch.rand(n, n_channels, 1) >= budget.left_out
    return (moved + budget.noise_sd * torch.randn(eeg.shape)) * kept


def _scaled(epochs_uv: Array, mean: Array, deviation: Array) -> Tensor:
    return torch.from_numpy(((epochs_uv - mean) / deviation).astype(np.float32))


def _batches(n: int, budget: Budget) -> Iterator[Tensor]:
    """Every window once an epoch, in batches of nearly equal size, so that none is left with a single one."""
    for _ in range(budget.epochs):
        yield from torch.randperm(n).tensor_split(-(-n // budget.batch))
