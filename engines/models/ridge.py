"""Linear regression from features to embeddings: the floor under every network.

The strength alpha is chosen by leaving out without refitting. With centred features X, hat matrix
H = X (X'X + alpha I)^-1 X' + 1/n and residuals R = Y - H Y, the residuals of a group g of rows predicted from all
others are (I - H_gg)^-1 R_g; for groups of one that is R_i / (1 - H_ii) (Allen 1974, Technometrics 16:125). Trials of
the same picture share their target: left out one by one they would predict each other; name them as one group.

Numpy, float64, frozen. Thread: any.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engines.errors import InputError

Array = NDArray[np.float64]

ALPHAS = tuple(10.0**power for power in range(-2, 8))


@dataclass(frozen=True, eq=False)
class Ridge:
    """A fitted regression: `weight` (feature, dim), `bias` (dim,); `errors` of each of `alphas`, left out."""

    weight: Array
    bias: Array
    alpha: float
    alphas: tuple[float, ...]
    errors: tuple[float, ...]

    def __call__(self, features: Array) -> Array:
        """(n, feature) to (n, dim), raw.

        Raises:
            InputError: another number of features than it was fitted for.
        """
        if features.ndim != 2 or features.shape[1] != len(self.weight):
            raise InputError(
                f"expected (n, {len(self.weight)}) features, those the regression was fitted for; got {features.shape}"
            )
        predicted: Array = features @ self.weight + self.bias
        return predicted


def fit_ridge(
    features: Array, targets: Array, groups: NDArray[np.int64] | None = None, alphas: Sequence[float] = ALPHAS
) -> Ridge:
    """Fit (n, feature) to (n, dim), with the strength of the least squared error when groups are left out.

    `groups` (n,) names rows that leave together; None leaves out one by one. Strengths are in units of the features'
    own squares: standardise them first.

    Raises:
        InputError: shapes that do not belong together, fewer than two groups, or a strength that is not positive.
    """
    groups = np.arange(len(features)) if groups is None else groups
    _check(features, targets, groups, alphas)
    feature_mean, target_mean = features.mean(axis=0), targets.mean(axis=0)
    centred = targets - target_mean
    left, singular, right = np.linalg.svd(features - feature_mean, full_matrices=False)
    errors = tuple(left_out_error(left, singular, centred, groups, alpha) for alpha in alphas)
    alpha = alphas[int(np.argmin(errors))]
    shrunk = singular / (singular**2 + alpha)
    weight = right.T @ (shrunk[:, None] * (left.T @ centred))
    return Ridge(weight, target_mean - feature_mean @ weight, alpha, tuple(alphas), errors)


def left_out_error(left: Array, singular: Array, centred: Array, groups: NDArray[np.int64], alpha: float) -> float:
    """Mean squared error over all entries, each group predicted from the others.

    `left` (n, rank) and `singular` (rank,) decompose the centred features; `centred` (n, dim) are the targets.
    """
    kept = singular**2 / (singular**2 + alpha)
    residuals = centred - left @ (kept[:, None] * (left.T @ centred))
    total = 0.0
    for group in np.unique(groups):
        rows = groups == group
        own = (left[rows] * kept) @ left[rows].T + 1 / len(left)
        total += float(np.sum(np.linalg.solve(np.eye(len(own)) - own, residuals[rows]) ** 2))
    return total / centred.size


def _check(features: Array, targets: Array, groups: NDArray[np.int64], alphas: Sequence[float]) -> None:
    if features.ndim != 2 or targets.ndim != 2 or not len(features) == len(targets) == len(groups):
        raise InputError(
            f"expected (n, feature) features, (n, dim) targets and (n,) groups; "
            f"got {features.shape}, {targets.shape} and {groups.shape}"
        )
    if len(np.unique(groups)) < 2:
        raise InputError("expected two groups or more, so that one can be left out; got one")
    if not alphas or min(alphas) <= 0:
        raise InputError(f"expected one strength or more, all above zero; got {list(alphas)}")
