from itertools import combinations

import numpy as np
import pytest

from calibration.decoding.metrics import best_of_category, cosine, reliability, softmax, top_k_credit
from engines.errors import InputError, WorkError


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


def test_cosine_knows_no_length_and_nothing_is_like_nothing():
    found = cosine(np.array([[2.0, 0.0], [0.0, 0.0]]), np.array([[5.0, 0.0], [1.0, 1.0]]))
    assert found == pytest.approx(np.array([[1.0, 2**-0.5], [0.0, 0.0]]))


def test_a_category_is_as_near_as_its_nearest_picture():
    similarity = np.array([[0.1, 0.9, 0.3, 0.2]])
    assert best_of_category(similarity, np.array([5, 2, 5, 2])).tolist() == [[0.9, 0.3]]


def test_softmax_is_flatter_when_hotter():
    logits = np.array([[1000.0, 1001.0]], dtype=np.float32)
    assert softmax(logits)[0, 1] == pytest.approx(1 / (1 + np.exp(-1)))
    assert softmax(logits, 10)[0, 1] == pytest.approx(1 / (1 + np.exp(-0.1)))


def test_confidence_that_keeps_its_word_has_no_calibration_error():
    rng = np.random.default_rng(0)
    said = rng.uniform(0.5, 1.0, 20_000)
    right = rng.random(20_000) < said
    found = reliability(np.stack([said, 1 - said], axis=1), np.where(right, 0, 1))
    assert found.ece < 0.015
    assert sum(found.count) == 20_000 and len(found.count) == 10
    assert np.all(np.diff(found.confidence) > 0)


def test_confidence_without_reason_is_all_error():
    probabilities = np.tile([0.95, 0.05], (100, 1))
    assert reliability(probabilities, np.tile([0, 1], 50)).ece == pytest.approx(0.45)
