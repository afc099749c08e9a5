"""Whether a reconstruction is more like what was seen than like something else that could have been.

    two_way            share of the other truths that a reconstruction is less like than its own; chance 0.5
    n_way_credit       the same among N, first k: what calibration/decoding/scores.py takes

Likeness is Pearson's correlation of features: r_ij of truth i and reconstruction j, score_j = #{i != j: r_ij < r_jj} /
(N - 1) (Scotti et al. 2023, arXiv:2305.18274). Equal correlations count one half, so that features without spread
stand at chance, and N-way shares are the mean over all draws of distractors (docs/decisions/0175-ties-and-draws.md).

Numpy, float64. Thread: any.
"""

import numpy as np
from numpy.typing import NDArray

from calibration.metrics.pictures import standardised
from calibration.stats import top_k_credit
from engines.errors import InputError

Array = NDArray[np.float64]

# Sums of products round differently from place to place; equal correlations must stay equal.
_DECIMALS = 12


def likeness(truth: NDArray[np.floating], made: NDArray[np.floating]) -> Array:
    """(n_made, n_truth) Pearson's correlation of features (n_truth, d) and (n_made, d); 0 where one has no spread.

    Raises:
        InputError: features of different lengths.
    """
    a, b = standardised(made), standardised(truth)
    if a.shape[1] != b.shape[1]:
        raise InputError(
            f"expected features of one length, got {b.shape[1]} of truths and {a.shape[1]} of reconstructions; "
            "take both from one extractor"
        )
    return np.round(a @ b.T, _DECIMALS)


def two_way(truth_features: NDArray[np.floating], made_features: NDArray[np.floating]) -> Array:
    """(n,) score of each reconstruction; row j of both (n, d) belong together.

    Raises:
        InputError: fewer than two items, or not as many reconstructions as truths.
    """
    if len(truth_features) != len(made_features):
        raise InputError(
            f"expected a reconstruction of each truth, got {len(made_features)} for {len(truth_features)}; "
            "take `n_way_credit` where one truth has several"
        )
    return np.diagonal(n_way_credit(truth_features, made_features)).copy()


def n_way_credit(
    truth_features: NDArray[np.floating], made_features: NDArray[np.floating], n_way: int = 2, k: int = 1
) -> Array:
    """(n_made, n_truth): the probability that a truth is among the first `k` of itself and `n_way` - 1 random others.

    The score of a reconstruction is its entry at its own truth. A permutation of pairings asks for other entries of the
    same matrix: `scores.score(Measure(name, credit, truth, k / n_way), shuffles(item, block))` gives mean, interval and
    p, with `truth` the column of each item.

    Raises:
        InputError: fewer truths than `n_way`, or features of different lengths.
    """
    return top_k_credit(likeness(truth_features, made_features), k, n_way)
