"""Trained decoders: trials in, answers out.

Thread: one at a time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch

from calibration.decoding.steps import Step
from calibration.decoding.trials import Floats, TrialSet
from calibration.decoding.vary import Varied, shortened
from calibration.decoding.wiring import Wiring
from calibration.losses import Answers
from engines.errors import InputError
from engines.models.base import Network
from engines.models.ridge import Ridge
from pipeline.types import Array

# How many trials are predicted in one call.
_AT_ONCE = 64
COSINE_SCALE = 10.0  # of cosines to prototypes, where a system has no classifier of its own
# Over how many samples the features of the linear floor are means.
_STATIC_SAMPLES, _DYNAMIC_SAMPLES = 5, 10


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a decoder says of n trials: `embedding` (n, dim) raw, logits of `category` (n, K) and `colour` (n, 6).

    `centre` (dim,) is the mean embedding of the training pictures: directions are compared from there.
    """

    embedding: Floats
    category: Floats
    colour: Floats
    centre: Floats


def joined(parts: Sequence[Predictions]) -> Predictions:
    """Answers of one decoder, one part after the other."""
    first = parts[0]
    embedding, category, colour = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("embedding", "category", "colour")
    )
    return Predictions(embedding, category, colour, first.centre)


class Fitted(Protocol):
    """A trained decoder. Thread: one at a time."""

    def predict(self, trials: TrialSet, n_dynamic: int | None = None) -> Predictions:
        """Answers to whole trials; to their first `n_dynamic` samples of the turn (0: the picture alone).

        Raises:
            InputError: other channels than it was trained on.
        """
        ...


@dataclass(frozen=True, eq=False)
class Scaling:
    """Between raw embeddings and what a network is trained towards: `centre` (dim,), one `scale` for all features."""

    centre: Floats
    scale: float

    @classmethod
    def of(cls, targets: Floats) -> "Scaling":
        """From the embeddings of the items that were shown in training, (n_items, dim), each once."""
        centre = targets.mean(axis=0)
        return cls(centre.astype(np.float32), float((targets - centre).std()) or 1.0)

    def forward(self, raw: Floats) -> Floats:
        """Raw to centred, of deviation 1."""
        return np.asarray((raw - self.centre) / self.scale, dtype=np.float32)

    def back(self, scaled: Floats) -> Floats:
        """The inverse."""
        return np.asarray(scaled * self.scale + self.centre, dtype=np.float32)


@dataclass(eq=False)
class FittedNetwork:
    """A trained network with what its numbers mean.

    `prototypes` (K, dim) and `colour_prototypes` (6, dim) are mean scaled embeddings of the training items, for
    networks that give embeddings alone.
    """

    network: Network
    wiring: Wiring
    scaling: Scaling
    prototypes: Floats
    colour_prototypes: Floats
    channels: tuple[str, ...]
    score: float = float("nan")
    history: tuple[Step, ...] = ()

    def predict(self, trials: TrialSet, n_dynamic: int | None = None) -> Predictions:
        """See `Fitted`."""
        _require_channels(self.channels, trials)
        self.network.eval()
        n_samples = trials.dynamic.shape[2] if n_dynamic is None else n_dynamic
        parts: list[Answers] = []
        device = next(self.network.parameters()).device
        with torch.inference_mode():
            for start in range(0, len(trials), _AT_ONCE):
                rows = slice(start, start + _AT_ONCE)
                dynamic, counts = shortened(trials.dynamic[rows], n_samples)
                batch = Varied(*(torch.from_numpy(a).to(device) for a in (trials.static[rows], dynamic, counts)))
                parts.append(self.wiring.outputs(self.network, batch))
        embedding, category, colour = (torch.cat(some).float().cpu().numpy() for some in zip(*parts, strict=True))
        if not category.shape[1]:
            category = towards(embedding, self.prototypes)
        if not colour.shape[1]:
            colour = towards(embedding, self.colour_prototypes)
        return Predictions(self.scaling.back(embedding), category, colour, self.scaling.centre)


@dataclass(frozen=True, eq=False)
class FittedRidge:
    """The linear floor; `mean` and `deviation` (feature,) are of the training trials. Without `turns`, the picture."""

    ridge: Ridge
    mean: Array
    deviation: Array
    turns: bool
    scaling: Scaling
    prototypes: Floats
    colour_prototypes: Floats
    channels: tuple[str, ...]
    score: float = float("nan")
    history: tuple[Step, ...] = ()

    def predict(self, trials: TrialSet, n_dynamic: int | None = None) -> Predictions:
        """See `Fitted`. What has not come of the turn counts as zero."""
        _require_channels(self.channels, trials)
        n_samples = trials.dynamic.shape[2] if n_dynamic is None else n_dynamic
        features = features_of(trials, n_samples, self.turns)
        embedding = self.ridge((features - self.mean) / self.deviation).astype(np.float32)
        return Predictions(
            self.scaling.back(embedding),
            towards(embedding, self.prototypes),
            towards(embedding, self.colour_prototypes),
            self.scaling.centre,
        )


def features_of(trials: TrialSet, n_samples: int, turns: bool) -> Array:
    """(n, feature) float64: means over few samples of each channel, of the turn only its first `n_samples`."""
    parts = [_means(trials.static, _STATIC_SAMPLES)]
    if turns:
        parts.append(_means(shortened(trials.dynamic, n_samples)[0], _DYNAMIC_SAMPLES))
    return np.concatenate(parts, axis=1).astype(np.float64)


def prototypes_of(scaled: Floats, trials: TrialSet) -> tuple[Floats, Floats]:
    """Mean scaled embedding of the items shown in `trials`, by category (K, dim) and by colour (6, dim)."""
    item, first = np.unique(trials.item, return_index=True)
    by_category, by_colour = (
        np.stack([_mean(scaled[item[labels[first] == k]]) for k in range(n)])
        for labels, n in ((trials.category, len(trials.categories)), (trials.colour, 6))
    )
    return by_category, by_colour


def towards(embedding: Floats, prototypes: Floats) -> Floats:
    """Scaled cosines, (n, K)."""
    length = np.linalg.norm(prototypes, axis=1) * np.linalg.norm(embedding, axis=1)[:, None]
    return np.asarray(COSINE_SCALE * embedding @ prototypes.T / np.maximum(length, 1e-9), dtype=np.float32)


def _mean(rows: Floats) -> Floats:
    """Of no rows: zero, which is like nothing."""
    return np.asarray(rows.mean(axis=0) if len(rows) else np.zeros(rows.shape[1]), dtype=np.float32)


def _means(stream: Floats, samples: int) -> Floats:
    n, channels, time = stream.shape
    whole = time // samples * samples
    means: Floats = stream[:, :, :whole].reshape(n, channels, -1, samples).mean(axis=3).reshape(n, -1)
    return means


def _require_channels(expected: tuple[str, ...], trials: TrialSet) -> None:
    if trials.channels != expected:
        raise InputError(f"expected the channels {', '.join(expected)}; got {', '.join(trials.channels)}")
