"""How good a decoder is, how sure that is, and whether it could be luck.

A trial counts once, however many windows it has. Balanced accuracy is the mean of the classes' recalls, so that a
decoder that always names the commonest class stands at chance, 1 / n_classes.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from engines.errors import InputError, WorkError

Array = NDArray[np.float64]
Labels = NDArray[np.int64]

# Draws for the interval of a mean of Beta distributions: its quantiles are then good to about 0.001.
N_DRAWS = 50_000


def recalls(truth: Labels, answers: Labels, n_classes: int) -> Array:
    """Share of each class's trials answered rightly, (n_classes,); NaN for a class without trials."""
    hits = np.bincount(truth[truth == answers], minlength=n_classes)
    totals = np.bincount(truth, minlength=n_classes)
    shares: Array = np.divide(hits, totals, out=np.full(n_classes, np.nan), where=totals > 0)
    return shares


def balanced_accuracy(truth: Labels, answers: Labels, n_classes: int) -> float:
    """Mean recall over the classes that have trials."""
    return float(np.nanmean(recalls(truth, answers, n_classes)))


def confusion(truth: Labels, answers: Labels, n_classes: int) -> Labels:
    """Counts (n_classes, n_classes): row true, column answered."""
    return np.bincount(truth * n_classes + answers, minlength=n_classes**2).reshape(n_classes, n_classes)


def balanced_interval(
    truth: Labels, answers: Labels, n_classes: int, level: float = 0.95, n_draws: int = N_DRAWS
) -> tuple[float, float]:
    """Equal-tailed interval of the balanced accuracy over trials.

    The posterior of a mean of recalls (Brodersen et al. 2010, ICPR, equation 7), with Jeffreys' prior for each recall,
    whose intervals keep their frequentist coverage at small counts (Brown, Cai & DasGupta 2001, Statist. Sci. 16). It
    takes trials as independent; that folds share training trials is not in it. The draws are seeded: equal input, equal
    interval.
    """
    rng = np.random.default_rng(20_100_823)
    totals = np.bincount(truth, minlength=n_classes)
    hits = np.bincount(truth[truth == answers], minlength=n_classes)
    seen = totals > 0
    draws = rng.beta(hits[seen] + 0.5, (totals - hits)[seen] + 0.5, size=(n_draws, int(seen.sum()))).mean(axis=1)
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(draws, [tail, 1.0 - tail])
    # Jeffreys' interval excludes 0 and 1 themselves; as Brown et al. do, it is widened to hold the estimate.
    mean = balanced_accuracy(truth, answers, n_classes)
    return min(float(low), mean), max(float(high), mean)


def pooled_interval(truth: Labels, answers: Labels, n_classes: int, level: float = 0.95) -> tuple[float, float]:
    """Equal-tailed interval of the balanced accuracy over trials, for many classes with few trials each.

    There `balanced_interval` is ruled by its prior, half a trial right and half a trial wrong in every class: with one
    trial of each of 72 classes and 71 right it says 68 to 99 %, and holds the truth half of the time. This is Jeffreys'
    interval of one proportion (Brown, Cai & DasGupta 2001) in as many trials as would give the mean of recalls its
    variance were all recalls equal, K^2 / sum(1 / n_k); where they are not, that variance is smaller (p (1 - p) is
    concave) and the interval a little wide.
    """
    totals = np.bincount(truth, minlength=n_classes)
    totals = totals[totals > 0]
    n = totals.size**2 / float((1.0 / totals).sum())
    mean = balanced_accuracy(truth, answers, n_classes)
    tail = (1.0 - level) / 2.0
    low, high = stats.beta.ppf([tail, 1.0 - tail], mean * n + 0.5, (1.0 - mean) * n + 0.5)
    return min(float(low), mean), max(float(high), mean)


def permuted(labels: Labels, blocks: Labels, n_permutations: int, seed: int) -> Labels:
    """Labels shuffled within blocks, (n_permutations, n_trials); whole trials, so windows go along with theirs."""
    rng = np.random.default_rng(seed)
    shuffled = np.tile(labels, (n_permutations, 1))
    for block in np.unique(blocks):
        members = np.flatnonzero(blocks == block)
        shuffled[:, members] = rng.permuted(shuffled[:, members], axis=1)
    return shuffled


def permutation_p(observed: float, null: Array) -> float:
    """(1 + b) / (1 + m), b of m permutations at least as good (Phipson & Smyth 2010): never 0, valid at any m."""
    # Accuracies are sums of fractions: equal ones may differ in the last digit.
    return float((1 + np.sum(null >= observed - 1e-12)) / (1 + len(null)))


def top_k_credit(scores: NDArray[np.floating], k: int, n_way: int | None = None) -> Array:
    """Probability (n, K) that each of K answers is among the best `k` of itself and `n_way` - 1 others of the K.

    `scores` (n, K), higher is better; `n_way` None takes all K. Exact, not drawn: with r of the K - 1 others above,
    N - 1 of them drawn as distractors leave an answer among the first k with the probability of a hypergeometric draw
    (the mean over all draws). Equal scores share their places evenly, so that a constant answer stands at chance.

    Raises:
        InputError: fewer answers than `n_way`, or `k` outside 1 to `n_way`.
        WorkError: a score is no number.
    """
    n_answers = scores.shape[1]
    n_way = n_answers if n_way is None else n_way
    if not 1 <= k <= n_way <= n_answers:
        raise InputError(f"expected 1 <= k <= N <= {n_answers} answers; got top-{k} of {n_way}")
    if not np.isfinite(scores).all():
        raise WorkError(f"expected finite scores; {np.count_nonzero(~np.isfinite(scores))} of {scores.size} are not")
    # Place r (0 best) to the probability that fewer than k of the r above are drawn.
    by_place = stats.hypergeom.cdf(k - 1, n_answers - 1, np.arange(n_answers), n_way - 1)
    summed = np.concatenate([[0.0], np.cumsum(by_place)])
    first = stats.rankdata(-scores, "min", axis=1).astype(np.int64) - 1
    last = stats.rankdata(-scores, "max", axis=1).astype(np.int64)
    credit: Array = (summed[last] - summed[first]) / (last - first)
    return credit


def temperature_of(scores: Array, labels: Labels) -> float:
    """The softmax temperature that fits held-out scores (n, n_classes) best (Guo et al. 2017, ICML).

    Targets are smoothed to (n + 1) / (n + n_classes) (Platt 1999), so that a few perfect answers give no certainty.

    Raises:
        InputError: no scores.
    """
    if len(scores) == 0:
        raise InputError("expected held-out scores to calibrate probabilities on; got none; give more trials")
    n, n_classes = scores.shape
    spread = float(np.std(scores - scores.mean(axis=1, keepdims=True)))
    if spread == 0.0:
        return 1.0
    targets = np.full_like(scores, 1.0 / (n + n_classes))
    targets[np.arange(n), labels] = (n + 1.0) / (n + n_classes)
    candidates = spread * np.geomspace(1e-2, 1e3, 201)
    logits = scores[None] / candidates[:, None, None]
    log_p = logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)
    return float(candidates[np.argmin(-np.sum(targets * log_p, axis=(1, 2)))])


def runs_p(labels: Labels, seed: int = 0, n_permutations: int = 2_000) -> float:
    """How likely so few runs of equal labels are in a shuffled order (after Wald & Wolfowitz 1940), by permutation."""
    changes = int(np.count_nonzero(np.diff(labels)))
    shuffled = permuted(labels, np.zeros(len(labels), dtype=np.int64), n_permutations, seed)
    null = np.count_nonzero(np.diff(shuffled, axis=1), axis=1)
    return float((1 + np.sum(null <= changes)) / (1 + n_permutations))


def order_p(labels: Labels) -> float:
    """How likely the classes' positions in time differ so much by chance (Kruskal & Wallis 1952); 1 for one class."""
    positions = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    if len(positions) < 2:
        return 1.0
    return float(stats.kruskal(*positions).pvalue)
