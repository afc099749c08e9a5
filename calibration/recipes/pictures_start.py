"""Where the pocket IP-Adapter begins: with what a linear map already finds of the picture in its embedding.

Ridge regression from embeddings to latents; the principal components of what it answers, each of the same variance,
times the square root of its share, become the numbers that the tokens hold, dealt out one by one. Each token has a
random constant beside them, by which attention tells it from the others.

Thread: any.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from engines.generators.ip_adapter import N_TOKENS

_RIDGE = 0.003
"""Of the mean variance of an embedding's features."""


class Tokens(NamedTuple):
    """`weight` (tokens x width, dim) and `bias` (tokens x width,) of an adapter's projection."""

    weight: Tensor
    bias: Tensor


class Ridge(NamedTuple):
    """latents = latents_mean + (embedding - mean) weight; `covariance` (dim, dim) of embeddings."""

    mean: Tensor
    covariance: Tensor
    latents_mean: Tensor
    weight: Tensor

    def __call__(self, embeddings: Tensor) -> Tensor:
        """(n, dim) to (n, numbers of a latent)."""
        return self.latents_mean + (embeddings.double() - self.mean) @ self.weight


def ridge(embeddings: Tensor, latents: Tensor) -> Ridge:
    """From `embeddings` (n, dim) to `latents` (n, ...)."""
    given, wanted = embeddings.double(), latents.flatten(1).double()
    mean, wanted_mean = given.mean(dim=0), wanted.mean(dim=0)
    given = given - mean
    covariance = given.T @ given / len(given)
    penalty = _RIDGE * covariance.diagonal().mean() * torch.eye(len(covariance), dtype=torch.float64)
    weight = torch.linalg.solve(covariance + penalty, given.T @ (wanted - wanted_mean) / len(given))
    return Ridge(mean, covariance, wanted_mean, weight)


def tokens_of(found: Ridge, width: int, seed: int) -> Tokens:
    """What the module's heading says, for tokens of `width`; rows without a component hold their constant only."""
    n, dim = N_TOKENS * width, len(found.mean)
    values, vectors = torch.linalg.eigh(found.weight.T @ found.covariance @ found.weight)
    n_kept = min(n, dim, len(values))
    variances, vectors = values.flip(0)[:n_kept].clamp(min=1e-9), vectors.flip(1)[:, :n_kept]
    importance = variances**0.25
    importance = importance / importance.square().mean().sqrt()
    directions = found.weight @ vectors / variances.sqrt() * importance  # (dim, component)
    rows = torch.arange(n).reshape(N_TOKENS, width).T.flatten()[:n_kept]
    weight = torch.zeros(n, dim, dtype=torch.float64)
    weight[rows] = directions.T
    constant = torch.randn(n, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return Tokens(weight.float(), (constant - weight @ found.mean).float())
