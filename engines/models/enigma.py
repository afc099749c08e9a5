"""ENIGMA's compact encoder for several subjects at once: all of it is shared but one linear map over time a subject.

    each channel over time through the subject's own 250 x 250 map
    -> convolution over time (5) -> mean over 17 points, every 5th -> convolution over channels -> few features a point
    -> 1024 -> residual (GELU, linear) -> norm

Read in public code (third-party summary): the maps, the convolution of 5, pooling 17 / 5, 184 features before the last
layers, batch norms and ELU as in ShallowNet. Our reconstruction: 40 filters and the residual projector, both as in
ATM, whose spatial design it shares. 1.97 M parameters at the published 63 channels and ten subjects; published about
2.4 M: what the rest is made of, we have not found. Every training here is of one subject (1.41 M parameters): that
several subjects share the network is built and tested as a graph, and was never trained.

Training targets raw embeddings (mean squared error) and their directions (contrastive) at once, without a prior.
Batch norm: in training one trial's output depends on the others, in evaluation it does not.
Thread: any, one at a time.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from engines.errors import InputError
from engines.models.base import Network
from engines.models.whitening import Whitening
from engines.spec import Spec, TensorSpec, batch_of

_TAPS = 5
_POOL, _STRIDE = 17, 5


@dataclass(frozen=True)
class EnigmaConfig:
    """Sizes; `features` of each of the pooled points go to the embedding.

    Raises:
        InputError: an epoch too short to pool.
    """

    n_channels: int = 64
    n_samples: int = 250
    subjects: int = 10
    filters: int = 40
    features: int = 4
    dim: int = 1024
    dropout: float = 0.5

    def __post_init__(self) -> None:
        """Refuse what leaves nothing to pool."""
        if self.points < 1:
            raise InputError(f"expected epochs of {_TAPS + _POOL - 1} samples or more; got {self.n_samples}")

    @property
    def points(self) -> int:
        """Time points after pooling."""
        return (self.n_samples - _TAPS + 1 - _POOL) // _STRIDE + 1


class EnigmaOut(NamedTuple):
    """`embedding` (batch, dim), raw."""

    embedding: Tensor


class Enigma(Network):
    """The network of an `EnigmaConfig`."""

    config: EnigmaConfig

    def __init__(self, config: EnigmaConfig | None = None) -> None:
        super().__init__()
        self.config = c = config or EnigmaConfig()
        self.whitening = Whitening(c.n_channels)
        self.subjects = SubjectMaps(c.subjects, c.n_samples)
        self.trunk = nn.Sequential(
            PooledConvolution(c.filters),
            nn.BatchNorm2d(c.filters),
            nn.ELU(),
            nn.Conv2d(c.filters, c.filters, (c.n_channels, 1)),
            nn.BatchNorm2d(c.filters),
            nn.ELU(),
            nn.Dropout(c.dropout),
            nn.Conv2d(c.filters, c.features, 1),
        )
        self.project = nn.Linear(c.features * c.points, c.dim)
        self.refine = nn.Sequential(nn.GELU(), nn.Linear(c.dim, c.dim), nn.Dropout(c.dropout))
        self.norm = nn.LayerNorm(c.dim)

    def spec(self) -> Spec:
        """One epoch and whose it is."""
        c = self.config
        axes = batch_of(("channel", c.n_channels), ("time", c.n_samples))
        return Spec(
            inputs=(
                TensorSpec("eeg", axes, "float32", "EEG, standardised per channel or whitened"),
                TensorSpec("subject", batch_of(), "int64", f"whose it is, 0 to {c.subjects - 1}"),
            ),
            outputs=(TensorSpec("embedding", batch_of(("feature", c.dim)), "float32", "raw embedding of the picture"),),
        )

    @property
    def tokens(self) -> int:
        """Time points of an epoch."""
        return self.config.n_samples

    @property
    def whitenings(self) -> Mapping[str, Whitening]:
        """Of the epoch; ours, the identity unless set, and one for all subjects."""
        return {"static": self.whitening}

    def forward(self, eeg: Tensor, subject: Tensor) -> EnigmaOut:
        """One step on (batch, channel, time) and (batch,)."""
        seen = self.trunk(self.subjects(self.whitening(eeg), subject)[:, None])  # (batch, feature, 1, point)
        embedding = self.project(seen.flatten(1))
        return EnigmaOut(self.norm(embedding + self.refine(embedding)))


class PooledConvolution(nn.Module):
    """A convolution over time and the mean over its outputs in steps: both are linear, and done as one."""

    def __init__(self, filters: int) -> None:
        super().__init__()
        self.filters = nn.Conv1d(1, filters, _TAPS)

    def forward(self, eeg: Tensor) -> Tensor:
        """(batch, 1, channel, time) to (batch, filter, channel, point)."""
        box = self.filters.weight.new_full((1, 1, _POOL), 1 / _POOL)
        taps = functional.conv1d(self.filters.weight, box, padding=_POOL - 1)  # (filter, 1, taps of both)
        return functional.conv2d(eeg, taps[:, :, None], self.filters.bias, stride=(1, _STRIDE))


class SubjectMaps(nn.Module):
    """A linear map over time for each subject, started as `nn.Linear` starts its own."""

    def __init__(self, subjects: int, n_samples: int) -> None:
        super().__init__()
        bound = 1 / math.sqrt(n_samples)
        self.weight = nn.Parameter(torch.empty(subjects, n_samples, n_samples).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(subjects, n_samples).uniform_(-bound, bound))

    def forward(self, eeg: Tensor, subject: Tensor) -> Tensor:
        """(batch, channel, time) and (batch,) to (batch, channel, time)."""
        return eeg @ self.weight[subject].transpose(1, 2) + self.bias[subject][:, None]
