"""What a prediction earns for each truth that could have been: top-k among N, retrieval, and how honest confidence is.

Every measure is a matrix of credit (n, truth): what prediction i would earn, 0 to 1, if that truth were the right one.
The accuracy is the mean credit of what was shown, and permuting what was shown asks for other entries of the same
matrix (calibration/decoding/scores.py). N-way top-k is `calibration.stats.top_k_credit`.

Numpy, float64. Thread: any.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]

N_BINS = 10


def cosine(predicted: NDArray[np.floating], gallery: NDArray[np.floating]) -> Array:
    """Similarity (n, G) of embeddings (n, dim) and (G, dim), -1 to 1; 0 for an embedding that is zero."""
    return _directions(predicted) @ _directions(gallery).T


def best_of_category(similarity: Array, category: Numbers) -> Array:
    """(n, G) to (n, categories in order of number): each category as near as the nearest of its pictures."""
    return np.stack([similarity[:, category == one].max(axis=1) for one in np.unique(category)], axis=1)


def softmax(logits: NDArray[np.floating], temperature: float = 1.0) -> Array:
    """(n, K) to probabilities."""
    scaled = logits.astype(np.float64) / temperature
    weights = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    shares: Array = weights / weights.sum(axis=1, keepdims=True)
    return shares


@dataclass(frozen=True)
class Reliability:
    """Confidence against accuracy, bin by bin: (n_bins,) each; `ece` the mean distance, weighted by `count`."""

    confidence: tuple[float, ...]
    accuracy: tuple[float, ...]
    count: tuple[int, ...]
    ece: float


def reliability(probabilities: Array, truth: Numbers, n_bins: int = N_BINS) -> Reliability:
    """Expected calibration error of the first answer (Guo et al. 2017, ICML), in bins of equal counts.

    Equal counts (Nguyen & O'Connor 2015, EMNLP), because the confidences of a 72-way decoder all lie in the first one
    or two bins of equal width. `probabilities` (n, K), `truth` (n,).
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == truth
    bins = [rows for rows in np.array_split(np.argsort(confidence, kind="stable"), n_bins) if len(rows)]
    said = [float(confidence[rows].mean()) for rows in bins]
    was = [float(right[rows].mean()) for rows in bins]
    count = [len(rows) for rows in bins]
    apart = np.abs(np.subtract(said, was))
    return Reliability(tuple(said), tuple(was), tuple(count), float(np.average(apart, weights=count)))


def _directions(embeddings: NDArray[np.floating]) -> Array:
    wide = embeddings.astype(np.float64)
    length = np.linalg.norm(wide, axis=1, keepdims=True)
    directions: Array = wide / np.where(length > 0, length, 1.0)
    return directions
