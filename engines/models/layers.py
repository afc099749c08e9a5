"""Parts that several networks are made of.

Attention is written out, so that scores and weights can be gated and so that the graph exports as plain products: no
fused kernel hides them. Masks are told as which keys count; a query without any key gets nothing (zeros), never NaN.

Transformer level: Vaswani et al. 2017, arXiv:1706.03762; norm in front: Xiong et al. 2020, arXiv:2002.04745.
Shapes are batch first. Thread: any.
"""

import math
from typing import Literal

import torch
from torch import Tensor, nn

from engines.errors import InputError

Norm = Literal["post", "pre"]
Gated = Literal["scores", "weights"]

# Far below any score, and finite: a row in which no key counts stays a number.
_NEVER = -1e9


class Attention(nn.Module):
    """Multi-head attention of queries (batch, query, width) over a memory (batch, key, width)."""

    def __init__(self, width: int, heads: int, gated: Gated = "scores") -> None:
        super().__init__()
        if width % heads:
            raise InputError(f"expected a width that {heads} heads share evenly; got {width}")
        self.heads = heads
        self.gated = gated
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, memory: Tensor, counts: Tensor | None = None, gate: Tensor | None = None) -> Tensor:
        """(batch, query, width); `counts` (batch, key) bool, `gate` (batch, head) between 0 and 1.

        Gated "scores" multiplies scores before the softmax, which flattens the attention of a closed head;
        gated "weights" multiplies what comes out of the softmax, which silences it.
        """
        weights = self.weights(x, memory, counts, gate)
        mixed = weights @ self._split(self.value(memory))  # (batch, head, query, width of a head)
        if counts is not None:  # where nothing counts, the weights mean nothing
            mixed = mixed * counts.any(dim=1)[:, None, None, None].to(mixed.dtype)
        attended: Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return attended

    def weights(self, x: Tensor, memory: Tensor, counts: Tensor | None = None, gate: Tensor | None = None) -> Tensor:
        """(batch, head, query, key): how much each query takes from each key; without a gate rows sum to 1.

        Keys that do not count weigh exactly 0, unless no key of the trial counts: then the weights mean nothing.
        """
        scores = self.scores(x, memory)
        if gate is not None and self.gated == "scores":
            scores = scores * gate[:, :, None, None]
        if counts is not None:
            scores = scores + torch.where(counts, 0.0, _NEVER)[:, None, None, :]
        weights = scores.softmax(dim=-1)
        if gate is not None and self.gated == "weights":
            weights = weights * gate[:, :, None, None]
        return weights

    def scores(self, x: Tensor, memory: Tensor) -> Tensor:
        """(batch, head, query, key): scaled products of queries and keys."""
        queries, keys = self._split(self.query(x)), self._split(self.key(memory))
        return queries / math.sqrt(queries.shape[-1]) @ keys.transpose(-1, -2)

    def _split(self, x: Tensor) -> Tensor:
        """(batch, token, width) to (batch, head, token, width of a head)."""
        return x.reshape(x.shape[0], x.shape[1], self.heads, -1).transpose(1, 2)


class FeedForward(nn.Sequential):
    """Every token by itself through a wider layer, rectified as in the original; GELU costs a quarter of the time."""

    def __init__(self, width: int, inner: int, dropout: float) -> None:
        super().__init__(nn.Linear(width, inner), nn.ReLU(), nn.Dropout(dropout), nn.Linear(inner, width))


class Level(nn.Module):
    """One Transformer level on (batch, token, width): self-attention, or attention over another stream's tokens."""

    def __init__(
        self,
        width: int,
        heads: int,
        feed_forward: int,
        dropout: float = 0.0,
        norm: Norm = "post",
        gated: Gated = "scores",
    ) -> None:
        super().__init__()
        self.norm = norm
        self.attention = Attention(width, heads, gated)
        self.attention_norm = nn.LayerNorm(width)
        self.feed_forward = FeedForward(width, feed_forward, dropout)
        self.feed_forward_norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, x: Tensor, memory: Tensor | None = None, counts: Tensor | None = None, gate: Tensor | None = None
    ) -> Tensor:
        """(batch, token, width); without a `memory` the tokens attend to themselves. Masks as in `Attention`."""
        if self.norm == "post":
            x = self.attention_norm(x + self._attended(x, memory, counts, gate))
            return self.feed_forward_norm(x + self.dropout(self.feed_forward(x)))  # type: ignore[no-any-return]
        x = x + self._attended(self.attention_norm(x), memory, counts, gate)
        return x + self.dropout(self.feed_forward(self.feed_forward_norm(x)))  # type: ignore[no-any-return]

    def _attended(self, x: Tensor, memory: Tensor | None, counts: Tensor | None, gate: Tensor | None) -> Tensor:
        attended = self.attention(x, x if memory is None else memory, counts, gate)
        return self.dropout(attended)  # type: ignore[no-any-return]


def sinusoids(n: int, width: int) -> Tensor:
    """(n, width) positions: sines in even places, cosines in odd ones, wavelengths from 2 pi to 20000 pi (float32)."""
    place = torch.arange(n, dtype=torch.float64)[:, None]
    rate = torch.exp(-math.log(10_000) * torch.arange(0, width, 2, dtype=torch.float64) / width)
    waves = torch.stack([(place * rate).sin(), (place * rate).cos()], dim=-1)
    return waves.flatten(1)[:, :width].float()
