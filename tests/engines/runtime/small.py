"""A small network with what real ones have: attention, norms, a mask from an integer input, several outputs."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from engines.models.base import Network
from engines.spec import Spec, TensorSpec, batch_of

RANGES = {"n": (0, 20)}


@dataclass(frozen=True)
class SmallConfig:
    channels: int = 4
    time: int = 20
    width: int = 8


class SmallOut(NamedTuple):
    embedding: Tensor
    category: Tensor


class Small(Network):
    """The first `n` samples count."""

    def __init__(self, config: SmallConfig | None = None, seed: int = 0) -> None:
        super().__init__()
        self.config = c = config or SmallConfig()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.embed = nn.Linear(c.channels, c.width)
            self.query, self.key = nn.Linear(c.width, c.width), nn.Linear(c.width, c.width)
            self.norm = nn.LayerNorm(c.width)
            self.drop = nn.Dropout(0.5)
            self.category = nn.Linear(c.width, 3)

    def spec(self) -> Spec:
        c = self.config
        eeg = TensorSpec("eeg", batch_of(("channel", c.channels), ("time", c.time)), "float32", "EEG")
        n = TensorSpec("n", batch_of(), "int64", "samples that count")
        embedding = TensorSpec("embedding", batch_of(("feature", c.width)), "float32", "embedding")
        return Spec((eeg, n), (embedding, TensorSpec("category", batch_of(("class", 3)), "float32", "logits")))

    @property
    def tokens(self) -> int:
        return self.config.time

    def forward(self, eeg: Tensor, n: Tensor) -> SmallOut:
        there = torch.arange(self.config.time) < n[:, None]
        x = self.embed(eeg.transpose(1, 2))
        scores = (self.query(x) @ self.key(x).transpose(1, 2)).masked_fill(~there[:, None], -1e9)
        x = self.norm(x + scores.softmax(dim=-1) @ x)
        embedding = self.drop((x * there[..., None]).mean(dim=1))
        return SmallOut(embedding, self.category(embedding))
