from itertools import combinations

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
    top_k_credit,
)
from engines.errors import InputError, WorkError


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


def drawn_by_hand(scores, truth, k, n_way):
    """Share of all sets of distractors, and of all orders among equals, that leave the truth among the first k."""
    others = [i for i in range(len(scores)) if i != truth]
    hits = []
    for distractors in combinations(others, n_way - 1):
        above = sum(scores[i] > scores[truth] for i in distractors)
        equal = sum(scores[i] == scores[truth] for i in distractors)
        hits.append(np.mean([above + place < k for place in range(equal + 1)]))
    return np.mean(hits)


@pytest.mark.parametrize(("k", "n_way"), [(1, 2), (1, 7), (5, 7), (2, 4), (3, 5)])
def test_n_way_accuracy_is_the_mean_over_all_draws_of_distractors(k, n_way):
    rng = np.random.default_rng(k)
    scores = np.vstack([rng.standard_normal((3, 7)), rng.integers(0, 3, (3, 7))])
    expected = [[drawn_by_hand(row, truth, k, n_way) for truth in range(7)] for row in scores]
    assert top_k_credit(scores, k, n_way) == pytest.approx(np.array(expected), abs=1e-12)


def test_n_way_accuracy_is_what_many_random_draws_come_to():
    rng = np.random.default_rng(0)
    scores = rng.standard_normal(72)
    draws = [rng.choice(71, 9, replace=False) + 1 for _ in range(20_000)]
    hits = np.mean([np.sum(scores[d] > scores[0]) < 3 for d in draws])
    assert top_k_credit(scores[None], 3, 10)[0, 0] == pytest.approx(hits, abs=0.01)


def test_a_constant_answer_stands_at_chance():
    assert top_k_credit(np.zeros((2, 72)), 5) == pytest.approx(np.full((2, 72), 5 / 72))
    assert top_k_credit(np.zeros((1, 6)), 1, 2) == pytest.approx(np.full((1, 6), 0.5))


def test_credit_over_all_truths_sums_to_k_of_n():
    scores = np.random.default_rng(1).standard_normal((4, 9))
    assert top_k_credit(scores, 2, 5).mean(axis=1) == pytest.approx(np.full(4, 2 / 5))


def test_more_ways_than_answers_are_refused():
    with pytest.raises(InputError, match="top-1 of 8"):
        top_k_credit(np.zeros((1, 7)), 1, 8)


def test_scores_that_are_no_numbers_are_a_fault_and_no_answer():
    with pytest.raises(WorkError, match="1 of 3"):
        top_k_credit(np.array([[0.0, np.nan, 1.0]]), 1)
