import numpy as np
import pytest

from calibration.decoding.metrics import best_of_category, cosine, reliability, softmax


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
