"""Neuro-3D's encoder, which BrainSSD builds upon and is compared with (Guo et al. 2025, CVPR).

    each stream: one Transformer level on time points of 64 channels -> time to 250 points
    cross level (static asks, dynamic answers)
    -> three convolutions over time, 64 -> 250 -> 250 -> 250, and one of 1 x 1 past them
    -> time to 1024 -> 250 features to one -> two heads of 1024: geometry (-> category), appearance (-> colour)

Read in public code: every width. The published network counts 4,269,614 parameters, of which each stream registers one
level it never uses; without them and without the temperature, which belongs to the loss, it is 3,707,309, as here. The
bias of the layer to one feature is part of it and moot: the norms of both heads take it away. Our reconstruction: ReLU
within the levels, the convolutions' padding, dropout in the levels as in the heads.

Thread: any, one at a time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from engines.models.base import Network
from engines.models.layers import Level, sinusoids
from engines.models.whitening import Whitening
from engines.spec import Spec, TensorSpec, batch_of


@dataclass(frozen=True)
class Neuro3dConfig:
    """Sizes; the defaults are the published ones."""

    n_channels: int = 64
    static_samples: int = 250
    dynamic_samples: int = 600
    feed_forward: int = 2048
    cross_feed_forward: int = 256
    points: int = 250
    features: int = 250
    dim: int = 1024
    categories: int = 72
    colours: int = 6
    dropout: float = 0.25


class Neuro3dOut(NamedTuple):
    """`geometry` and `appearance` (batch, dim) raw; `category` and `colour` as logits."""

    geometry: Tensor
    appearance: Tensor
    category: Tensor
    colour: Tensor


class Neuro3d(Network):
    """The network of a `Neuro3dConfig`."""

    config: Neuro3dConfig

    def __init__(self, config: Neuro3dConfig | None = None) -> None:
        super().__init__()
        self.config = c = config or Neuro3dConfig()
        self.static = TimeStream(c, c.static_samples)
        self.dynamic = TimeStream(c, c.dynamic_samples)
        self.cross = Level(c.n_channels, 1, c.cross_feed_forward, c.dropout)
        self.convolutions = nn.ModuleList(
            Convolution(before, c.features) for before in (c.n_channels, c.features, c.features)
        )
        self.past = nn.Conv1d(c.n_channels, c.features, 1)
        self.time = nn.Linear(c.points, c.dim)
        self.feature = nn.Linear(c.features, 1)
        self.geometry = _head(c)
        self.appearance = _head(c)
        self.category = nn.Linear(c.dim, c.categories)
        self.colour = nn.Linear(c.dim, c.colours)

    def spec(self) -> Spec:
        """Both whole streams in; two embeddings and two classifications out."""
        c = self.config
        eeg = "EEG, standardised per trial"
        return Spec(
            inputs=(
                TensorSpec("static", batch_of(("channel", c.n_channels), ("time", c.static_samples)), "float32", eeg),
                TensorSpec("dynamic", batch_of(("channel", c.n_channels), ("time", c.dynamic_samples)), "float32", eeg),
            ),
            outputs=(
                TensorSpec("geometry", batch_of(("feature", c.dim)), "float32", "raw embedding of the shape"),
                TensorSpec("appearance", batch_of(("feature", c.dim)), "float32", "raw embedding of the colours"),
                TensorSpec("category", batch_of(("class", c.categories)), "float32", "logits of the category"),
                TensorSpec("colour", batch_of(("class", c.colours)), "float32", "logits of the main colour"),
            ),
        )

    @property
    def tokens(self) -> int:
        """Time points of both streams."""
        return self.config.static_samples + self.config.dynamic_samples

    @property
    def whitenings(self) -> Mapping[str, Whitening]:
        """Of both streams; ours, the identity unless set."""
        return {"static": self.static.whitening, "dynamic": self.dynamic.whitening}

    def forward(self, static: Tensor, dynamic: Tensor) -> Neuro3dOut:
        """One step on (batch, channel, time) of both streams."""
        fused = self.cross(self.static(static), self.dynamic(dynamic)).transpose(1, 2)  # (batch, channel, point)
        x = fused
        for convolution in self.convolutions:
            x = convolution(x)
        x = self.time(x + self.past(fused))  # (batch, feature, dim)
        common = self.feature(x.transpose(1, 2))[..., 0]  # (batch, dim)
        geometry, appearance = self.geometry(common), self.appearance(common)
        return Neuro3dOut(geometry, appearance, self.category(geometry), self.colour(appearance))


class TimeStream(nn.Module):
    """(batch, channel, time) to (batch, point, channel)."""

    positions: Tensor

    def __init__(self, config: Neuro3dConfig, n_samples: int) -> None:
        super().__init__()
        self.register_buffer("positions", sinusoids(n_samples, config.n_channels), persistent=False)
        self.whitening = Whitening(config.n_channels)
        self.level = Level(config.n_channels, 1, config.feed_forward, config.dropout)
        self.resample = nn.Linear(n_samples, config.points)

    def forward(self, eeg: Tensor) -> Tensor:
        """One step."""
        tokens = self.level(self.whitening(eeg).transpose(1, 2) + self.positions)
        points: Tensor = self.resample(tokens.transpose(1, 2)).transpose(1, 2)
        return points


class Convolution(nn.Module):
    """(batch, feature, point), three points at a time, normed over features."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.mix = nn.Conv1d(before, after, 3, padding=1)
        self.norm = nn.LayerNorm(after)

    def forward(self, x: Tensor) -> Tensor:
        """One step."""
        mixed = torch.nn.functional.gelu(self.mix(x))
        normed: Tensor = self.norm(mixed.transpose(1, 2)).transpose(1, 2)
        return normed


def _head(config: Neuro3dConfig) -> nn.Sequential:
    return nn.Sequential(
        nn.LayerNorm(config.dim), nn.Linear(config.dim, config.dim), nn.GELU(), nn.Dropout(config.dropout)
    )
