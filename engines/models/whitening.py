"""Spatial whitening, fitted on training trials and kept with the network: channels that share most of what they carry
are told apart, and strong background counts no more than weak (Guggenmos et al. 2018, NeuroImage 173:434).

A network starts with the identity; whoever trains it sets the matrix, which is no learned number. Thread: any.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from engines.errors import InputError

SHRINKAGE = 0.1


class Whitening(nn.Module):
    """A fixed symmetric map over channels."""

    matrix: Tensor

    def __init__(self, n_channels: int) -> None:
        super().__init__()
        self.register_buffer("matrix", torch.eye(n_channels))

    def set(self, matrix: NDArray[np.float64]) -> None:
        """Take a (channel, channel) matrix.

        Raises:
            InputError: another shape.
        """
        if matrix.shape != tuple(self.matrix.shape):
            raise InputError(f"expected a matrix {tuple(self.matrix.shape)}, channels by channels; got {matrix.shape}")
        self.matrix.copy_(torch.from_numpy(matrix))

    def forward(self, eeg: Tensor) -> Tensor:
        """(batch, channel, time) to the same."""
        return self.matrix @ eeg

    def folded(self, weight: Tensor) -> Tensor:
        """The weight (out, channel) of a linear layer that whitens first: one small product instead of one a sample."""
        return weight @ self.matrix


def whitening_of(trials: NDArray[np.float32], shrinkage: float = SHRINKAGE) -> NDArray[np.float64]:
    """(n, channel, time) to the inverse square root of their mean covariance over time, (channel, channel).

    The covariance is pulled towards a multiple of the identity by `shrinkage`, so that what is nearly absent, as an
    interpolated channel's own part, is not blown up.
    """
    total = np.zeros((trials.shape[1], trials.shape[1]))
    for trial in trials:
        centred = trial.astype(np.float64) - trial.mean(axis=1, keepdims=True)
        total += centred @ centred.T / trial.shape[1]
    covariance = total / len(trials)
    covariance = (1 - shrinkage) * covariance + shrinkage * np.trace(covariance) / len(covariance) * np.eye(len(total))
    values, vectors = np.linalg.eigh(covariance)
    matrix: NDArray[np.float64] = (vectors / np.sqrt(values)) @ vectors.T
    return matrix
