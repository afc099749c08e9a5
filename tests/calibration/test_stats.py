import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import balanced_accuracy_score, confusion_matrix

from calibration.stats import (
    balanced_accuracy,
    balanced_interval,
    confusion,
    order_p,
    permutation_p,
    permuted,
    pooled_interval,
    runs_p,
    temperature_of,
)


def test_balanced_accuracy_and_confusion_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    truth, answers = rng.choice(3, 90, p=[0.6, 0.3, 0.1]), rng.integers(0, 3, 90)
    assert balanced_accuracy(truth, answers, 3) == pytest.approx(balanced_accuracy_score(truth, answers))
    assert np.array_equal(confusion(truth, answers, 3), confusion_matrix(truth, answers))


def test_always_naming_the_common_class_is_chance():
    truth = np.array([0] * 90 + [1] * 10)
    assert balanced_accuracy(truth, np.zeros(100, dtype=int), 2) == 0.5


@pytest.mark.parametrize(("n", "p"), [((12, 18), (0.6, 0.75)), ((20, 20), (0.5, 0.5)), ((8, 30), (0.95, 0.7))])
def test_the_interval_covers_the_true_balanced_accuracy_as_often_as_it_says(n, p):
    """Exact: every outcome that matters, weighted with its probability."""
    truth = np.repeat([0, 1], n)
    coverage = total = 0.0
    for hits in np.ndindex(n[0] + 1, n[1] + 1):
        weight = float(np.prod(stats.binom.pmf(hits, n, p)))
        if weight < 2e-4:
            continue
        answers = np.where(np.r_[np.arange(n[0]) < hits[0], np.arange(n[1]) < hits[1]], truth, 1 - truth)
        low, high = balanced_interval(truth, answers, 2)
        coverage += weight * (low <= np.mean(p) <= high)
        total += weight
    assert total > 0.98
    assert 0.925 <= coverage / total <= 0.98


def test_the_interval_holds_a_perfect_score_and_still_has_a_width():
    truth = np.array([0, 1] * 5)
    low, high = balanced_interval(truth, truth, 2)
    assert high == 1.0 and 0.6 < low < 0.95


@pytest.mark.parametrize(("n_classes", "n_each"), [(72, 1), (72, 3), (12, 4), (4, 20)])
@pytest.mark.parametrize("recalls", [(0.6, 2.0), (3.0, 1.0)])
def test_the_interval_of_many_classes_covers_at_least_as_often_as_it_says(n_classes, n_each, recalls):
    rng = np.random.default_rng(7)
    truth = np.repeat(np.arange(n_classes), n_each)
    inside = 0
    for _ in range(400):
        p = rng.beta(*recalls, n_classes)
        answers = np.where(rng.random(truth.size) < p[truth], truth, (truth + 1) % n_classes)
        low, high = pooled_interval(truth, answers, n_classes)
        inside += low <= p.mean() <= high
    assert inside / 400 >= 0.93


def test_with_equally_many_trials_the_interval_is_that_of_one_proportion():
    truth, answers = np.repeat([0, 1], 10), np.repeat([0, 1, 0], (8, 10, 2))
    right = int(np.sum(truth == answers))
    low, high = pooled_interval(truth, answers, 2)
    assert (low, high) == pytest.approx(stats.beta.ppf([0.025, 0.975], right + 0.5, 20 - right + 0.5))


def test_permutations_keep_the_classes_of_every_block():
    labels, blocks = np.array([0, 0, 1, 1, 1, 0]), np.array([0, 0, 0, 1, 1, 1])
    shuffled = permuted(labels, blocks, 50, seed=3)
    assert (shuffled[:, :3].sum(axis=1) == 1).all() and (shuffled[:, 3:].sum(axis=1) == 2).all()
    assert len(np.unique(shuffled, axis=0)) == 9


def test_the_permutation_p_is_never_zero_and_counts_ties():
    assert permutation_p(0.9, np.zeros(99)) == 0.01
    assert permutation_p(0.5, np.array([0.5, 0.4, 0.6])) == 0.75


def test_the_temperature_makes_confidence_true():
    rng = np.random.default_rng(2)
    logits = rng.standard_normal((4000, 3)) * 2
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = np.array([rng.choice(3, p=row) for row in p])
    assert temperature_of(logits * 5.0, labels) == pytest.approx(5.0, rel=0.15)


def test_a_few_perfect_answers_give_no_certainty():
    scores = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    temperature = temperature_of(scores, np.array([0, 1, 0]))
    assert 1 / (1 + np.exp(-1 / temperature)) < 0.9


def test_runs_tell_stretches_from_random_order():
    rng = np.random.default_rng(4)
    assert runs_p(np.repeat([0, 1, 0, 1], 10)) < 0.01
    random = [runs_p(rng.permutation(np.arange(40) % 2)) for _ in range(40)]
    assert stats.kstest(random, "uniform").pvalue > 1e-3 or np.mean(random) > 0.4


def test_order_tells_early_classes_from_late_ones():
    assert order_p(np.repeat([0, 1], 20)) < 1e-6
    assert order_p(np.tile([0, 1], 20)) > 0.5
