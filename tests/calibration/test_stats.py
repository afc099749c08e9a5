import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import balanced_accuracy_score, confusion_matrix

from calibration.stats import (
    balanced_accuracy,
    balanced_accuracy_ci,
    balanced_interval,
    confusion,
    order_p,
    permutation_p,
    permuted,
    runs_p,
    temperature_of,
)
from engines.errors import InputError


def test_balanced_accuracy_and_confusion_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    truth, answers = rng.choice(3, 90, p=[0.6, 0.3, 0.1]), rng.integers(0, 3, 90)
    assert balanced_accuracy(truth, answers, 3) == pytest.approx(balanced_accuracy_score(truth, answers))
    assert np.array_equal(confusion(truth, answers, 3), confusion_matrix(truth, answers))


def test_always_naming_the_common_class_is_chance():
    truth = np.array([0] * 90 + [1] * 10)
    assert balanced_accuracy(truth, np.zeros(100, dtype=int), 2) == 0.5


@pytest.mark.parametrize(("n", "p"), [((12, 18), (0.6, 0.75)), ((40, 40), (0.5, 0.5)), ((8, 30), (0.95, 0.7))])
def test_the_interval_covers_the_true_balanced_accuracy_as_often_as_it_says(n, p):
    rng = np.random.default_rng(1)
    truth = np.repeat([0, 1], n)
    covered = 0
    for _ in range(200):
        right = rng.random(len(truth)) < np.repeat(p, n)
        low, high = balanced_interval(truth, np.where(right, truth, 1 - truth), 2)
        covered += low <= np.mean(p) <= high
    assert 0.92 <= covered / 200 <= 0.99


def test_the_interval_holds_a_perfect_score_and_still_has_a_width():
    truth = np.array([0, 1] * 5)
    low, high = balanced_interval(truth, truth, 2)
    assert high == 1.0 and 0.6 < low < 0.95


def test_named_answers_are_scored_like_numbers():
    mean, low, high = balanced_accuracy_ci(np.array(["a", "a", "b", "b"]), np.array(["a", "b", "b", "b"]))
    assert mean == 0.75 and low < 0.75 < high
    with pytest.raises(InputError, match="at least one answer"):
        balanced_accuracy_ci(np.array([], dtype=str), np.array([], dtype=str))


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
