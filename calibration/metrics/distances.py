"""How far pictures are apart in a network's features: pair by pair, and as two crowds.

    feature_distance   1 - Pearson's correlation of a pair (SwAV and EfficientNet-B1 in Scotti et al. 2023)
    frechet_distance   |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^1/2), mean and covariance of each (Heusel et al. 2017)
    inception_score    exp of the mean divergence of p(y | picture) from p(y) (Salimans et al. 2016)

The last two are published on features and class probabilities of one particular Inception network (pytorch-fid,
torch-fidelity). Taken through another network they are compared with nothing but themselves.

Numpy, float64. Thread: any.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.metrics.pictures import paired_correlation
from engines.errors import InputError

Array = NDArray[np.float64]

N_SPLITS = 10


@dataclass(frozen=True)
class FrechetDistance:
    """`value` of `n` pictures, of the smaller crowd, in `dims` dimensions."""

    value: float
    n: int
    dims: int

    @property
    def caution(self) -> str:
        """What to say beside the value; "" when there are more pictures than dimensions."""
        if self.n > self.dims:
            return ""
        return (
            f"{self.n} pictures in {self.dims} dimensions: the covariance has no full rank and the distance is biased "
            "upwards; compare it only with distances of as many pictures"
        )


def feature_distance(truth_features: NDArray[np.floating], made_features: NDArray[np.floating]) -> Array:
    """(n,) distance, 0 to 2, of each row (n, d) from the same row; 1 where one has no spread.

    Raises:
        InputError: shapes differ.
    """
    if truth_features.shape != made_features.shape:
        raise InputError(f"expected pairs of features, got {truth_features.shape} and {made_features.shape}")
    return 1 - paired_correlation(truth_features, made_features)


def frechet_distance(truth_features: NDArray[np.floating], made_features: NDArray[np.floating]) -> FrechetDistance:
    """Of two crowds (n, d) and (m, d), in no order.

    Raises:
        InputError: fewer than two of either, or features of different lengths.
    """
    a, b = (np.asarray(each, dtype=np.float64) for each in (truth_features, made_features))
    if min(len(a), len(b)) < 2 or a.shape[1] != b.shape[1]:
        raise InputError(f"expected two pictures or more on both sides, as (n, d), got {a.shape} and {b.shape}")
    means = float(np.sum((a.mean(axis=0) - b.mean(axis=0)) ** 2))
    spread = float(a.var(axis=0, ddof=1).sum() + b.var(axis=0, ddof=1).sum())
    return FrechetDistance(means + spread - 2 * _root_trace(a, b), min(len(a), len(b)), a.shape[1])


def inception_score(
    probabilities: NDArray[np.floating], n_splits: int = N_SPLITS, seed: int = 0
) -> tuple[float, float]:
    """Mean and standard deviation over splits of class probabilities (n, classes), shuffled first; 1 is the least.

    Raises:
        InputError: fewer pictures than splits, or rows that do not sum to 1.
    """
    p = np.asarray(probabilities, dtype=np.float64)
    if len(p) < n_splits or not np.allclose(p.sum(axis=1), 1, atol=1e-4):
        raise InputError(f"expected at least {n_splits} rows of probabilities that sum to 1, got {p.shape}")
    shuffled = np.random.default_rng(seed).permutation(p)
    scores = [np.exp(_divergence(part).mean()) for part in np.array_split(shuffled, n_splits)]
    return float(np.mean(scores)), float(np.std(scores))


def _root_trace(a: Array, b: Array) -> float:
    """Trace of (Ca Cb)^1/2 of the covariances: the singular values of A B^T, centred, over n - 1.

    Ca = A^T A / (n - 1), and the eigenvalues of Ca Cb are the squares of those singular values: no square root of a
    matrix is needed, and none of its trouble where the covariance has no full rank. R of A = Q R has them too, and is
    small where there are many pictures.
    """
    left, right = (np.asarray(np.linalg.qr(each - each.mean(axis=0), mode="r")) for each in (a, b))
    singular = np.linalg.svd(left @ right.T, compute_uv=False)
    return float(singular.sum() / np.sqrt((len(a) - 1) * (len(b) - 1)))


def _divergence(p: Array) -> Array:
    """(n,) Kullback and Leibler's, of each row from the mean of rows."""
    mean = p.mean(axis=0, keepdims=True)
    ratio = np.divide(p, mean, out=np.ones_like(p), where=p > 0)
    return np.asarray(np.sum(p * np.log(ratio), axis=1))
