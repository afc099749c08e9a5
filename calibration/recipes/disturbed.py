"""Embeddings as a decoder would give them, of any certainty: what generators are trained on beside true ones.

Thread: any.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

_N_AXES = 256
_LEAST, _HALVINGS = 1e-9, 30


@dataclass(frozen=True, eq=False)
class Pool:
    """Embeddings (m, dim) that others are disturbed with, their mean and their deviation (dim,).

    They lie in a plane of `axes` (dim, k), with `variances` (k,) along them, the largest first.
    """

    raw: Tensor
    centre: Tensor
    spread: Tensor
    axes: Tensor
    variances: Tensor

    @classmethod
    def of(cls, raw: Tensor) -> "Pool":
        """All of `raw` (m, dim)."""
        centre = raw.mean(dim=0)
        away = raw - centre
        variances, axes = torch.linalg.eigh(away.T @ away / len(raw))
        variances, axes = variances.flip(0)[:_N_AXES].clamp(min=0), axes.flip(1)[:, :_N_AXES]
        return cls(raw, centre, raw.std(dim=0), axes.contiguous(), variances)


def disturbed(embeddings: Tensor, pool: Pool, certainty: Tensor, random: torch.Generator) -> Tensor:
    """`embeddings` (n, dim) as a regression would decode them and `restore` lengthen them, `certainty` (n, 1) above 0.

    Of every axis a regression answers with the share of its variance that it knows, and misses the rest (the
    posterior mean of a normal distribution). Errors are partly the difference to another object of `pool`, partly
    normal with the covariance of all; on some they weigh on all axes alike, on others the more the less an axis varies.
    The deviation stays; the correlation becomes `certainty`.
    """
    n = len(embeddings)
    evenness, of_other = torch.rand(n, 1, generator=random), torch.rand(n, 1, generator=random)
    other = pool.raw[torch.randint(len(pool.raw), (n,), generator=random)]
    true, error = ((raw - pool.centre) @ pool.axes for raw in (embeddings, other))
    noise = torch.randn(true.shape, generator=random) * pool.variances.sqrt()
    error = of_other.sqrt() * error + (1 - of_other).sqrt() * noise
    known = _known(pool.variances, certainty, evenness)
    decoded = known * true + (known * (1 - known)).sqrt() * error
    return pool.centre + decoded @ pool.axes.T / certainty


def _known(variances: Tensor, certainty: Tensor, evenness: Tensor) -> Tensor:
    """(n, k) shares of `variances` (k,) that are known where noise leaves a correlation of `certainty` over all.

    With `evenness` (n, 1) 0 the noise is in proportion to variances, with 1 the same along all axes. By halving.
    """
    relative = (variances / variances[0]).clamp(min=_LEAST) ** evenness
    low, high = torch.full_like(certainty, -30.0), torch.full_like(certainty, 30.0)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        known = relative / (relative + middle.exp())
        louder = (known * variances).sum(dim=1, keepdim=True) > certainty.square() * variances.sum()
        low, high = torch.where(louder, middle, low), torch.where(louder, high, middle)
    return known
