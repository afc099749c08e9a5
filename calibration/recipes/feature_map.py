"""How the map from embeddings to a captioner's own features is fitted: on pictures alone, in closed form.

Reduced-rank ridge regression (Mukherjee & Zhu 2011, Stat. Anal. Data Min. 4): ridge regression of the features on the
embeddings, then the best approximation of its predictions that needs `rank` numbers a picture. All of it is done in
the space of pictures, since there are far fewer of them than numbers in an embedding or in the features. The penalty is
the one that predicts each picture best from all others, which needs no second fit (Allen 1974, Technometrics 16).
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import numpy as np

from engines.errors import InputError
from engines.generators.feature_map import FeatureMap, MapOrigin
from engines.vision.base import Embeddings, Floats, Pictures
from pipeline.types import Array

RANK = 64
# Penalties tried, as shares of the mean of the embeddings' squared lengths about their centre.
PENALTIES: tuple[float, ...] = tuple(10.0**power for power in range(-6, 3))
_FEWEST = 3
_ROUNDING = 1e-12
_BATCH = 16


class HasFeatures(Protocol):
    """A captioner with a picture tower."""

    @property
    def name(self) -> str:
        """What the map is of."""
        ...

    def features(self, pictures: Pictures) -> Floats:
        """(n, height, width, 3) to (n, tokens, width)."""
        ...


def feature_map(
    captioner: HasFeatures,
    embeddings: Embeddings,
    pictures: Pictures,
    rank: int = RANK,
    seen: Callable[[int], None] = lambda n: None,
) -> FeatureMap:
    """The map from `embeddings` of `pictures` (n, height, width, 3) to what `captioner` sees in them.

    `seen` is told of every few pictures that it has looked at, by how many.
    """
    return fit(embeddings, np.concatenate(list(_features(captioner, pictures, seen))), captioner.name, rank)


def unexplained(
    fitted: FeatureMap,
    captioner: HasFeatures,
    embeddings: Embeddings,
    pictures: Pictures,
    seen: Callable[[int], None] = lambda n: None,
) -> float:
    """The map's squared error on other pictures, as a share of that of the mean features that it was fitted with."""
    wrong = spread = 0.0
    first = 0
    for features in _features(captioner, pictures, seen):
        given = embeddings.raw[first : first + len(features)]
        wrong += float(np.square(fitted.features(given) - features).sum(dtype=np.float64))
        spread += float(np.square(fitted.mean - features).sum(dtype=np.float64))
        first += len(features)
    return wrong / spread


def fit(embeddings: Embeddings, features: Floats, captioner: str, rank: int = RANK) -> FeatureMap:
    """The map from `embeddings` (n, dim) to `features` (n, tokens, width) of the same pictures.

    Raises:
        InputError: fewer than three pictures, or not one embedding for each.
    """
    n, *shape = features.shape
    if n < _FEWEST or len(embeddings.raw) != n or len(shape) != 2:
        raise InputError(
            f"expected at least {_FEWEST} embeddings and as many features (n, tokens, width), "
            f"got {embeddings.raw.shape} and {features.shape}"
        )
    centre, mean = embeddings.raw.mean(axis=0), features.mean(axis=0)
    given = (embeddings.raw - centre).astype(np.float64)
    wanted = (features - mean).reshape(n, -1)
    alike, kernel = (wanted @ wanted.T).astype(np.float64), given @ given.T
    if not np.trace(alike) * np.trace(kernel) > 0:
        raise InputError("expected pictures that differ, got the same embedding or the same features for all of them")
    penalty, error = _penalty(kernel, alike)
    solved = np.linalg.inv(kernel + penalty * np.eye(n))
    hat = kernel @ solved  # (n, n): predictions are hat @ wanted
    scores, squares = _leading(hat @ alike @ hat.T, rank)
    components = (scores.T @ hat) @ wanted  # each as long as it matters
    weights = given.T @ (solved @ alike @ hat.T @ scores / squares)
    origin = MapOrigin(embeddings.encoder, captioner, n, error, hashlib.sha256(embeddings.raw.tobytes()).hexdigest())
    return FeatureMap(
        origin, centre, weights.astype(np.float32), components.reshape(-1, *shape).astype(np.float32), mean
    )


def _features(captioner: HasFeatures, pictures: Pictures, seen: Callable[[int], None]) -> Iterator[Floats]:
    for start in range(0, len(pictures), _BATCH):
        batch = pictures[start : start + _BATCH]
        yield captioner.features(batch)
        seen(len(batch))


def _penalty(kernel: Array, alike: Array, tried: Sequence[float] = PENALTIES) -> tuple[float, float]:
    """The penalty with the smallest error on pictures left out in turn, and that error as a share of the variance."""
    scale = float(np.trace(kernel)) / len(kernel)
    errors = [_left_out(kernel, alike, share * scale) / float(np.trace(alike)) for share in tried]
    best = int(np.argmin(errors))
    return tried[best] * scale, errors[best]


def _left_out(kernel: Array, alike: Array, penalty: float) -> float:
    """Squared error of all pictures, each predicted from the others, the mean with it (1 / n in the leverage)."""
    n = len(kernel)
    hat = kernel @ np.linalg.inv(kernel + penalty * np.eye(n))
    residual = np.eye(n) - hat
    squared = np.einsum("ij,jk,ik->i", residual, alike, residual)
    return float(np.sum(squared / (1 - np.diag(hat) - 1 / n) ** 2))


def _leading(spread: Array, rank: int) -> tuple[Array, Array]:
    """(n, at most rank) orthonormal directions in which predictions of pictures vary most, and by how much, squared."""
    values, vectors = np.linalg.eigh(spread)
    kept = np.flatnonzero(values > values.max() * _ROUNDING)[::-1][:rank]
    return vectors[:, kept], values[kept]
