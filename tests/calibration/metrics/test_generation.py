from dataclasses import dataclass

import numpy as np
import pytest

from calibration.metrics.generation import Centres, drawn_accuracies, generation_credit
from calibration.objects.catalogue import CATEGORIES, N_OBJECTS
from calibration.objects.embeddings import builtin_embeddings
from engines.errors import InputError
from engines.vision.base import normalised


@dataclass
class Pixel:
    """An encoder that sees the upper left pixel alone."""

    name: str = "pixel"
    dim: int = 3

    def embed(self, pictures):
        return pictures[:, 0, 0].astype(np.float32)


def logits(n=30, n_classes=60, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.standard_normal((n, n_classes)).astype(np.float32)
    return truth, truth + 1.5 * rng.standard_normal((n, n_classes)).astype(np.float32)


def test_what_is_classified_as_the_truth_is_always_right():
    truth, _ = logits()
    assert generation_credit(truth, truth).tolist() == [1.0] * 30
    assert drawn_accuracies(truth, truth).tolist() == [1.0] * 50


def test_drawn_accuracies_scatter_around_the_mean_over_all_draws():
    truth, made = logits()
    drawn = drawn_accuracies(truth, made, n_way=10, n_repeats=400)
    assert drawn.mean() == pytest.approx(generation_credit(truth, made, n_way=10).mean(), abs=0.01)
    assert 0 < drawn.std() < 0.2 and len(drawn_accuracies(truth, made)) == 50


def test_one_item_is_counted_by_hand():
    truth, made = np.array([[9.0, 0, 0, 0]]), np.array([[2.0, 3, 1, 0]])
    # Class 0 loses to class 1 alone, which two of three others are without in a third of draws.
    assert generation_credit(truth, made, n_way=3) == pytest.approx([1 / 3])
    assert drawn_accuracies(truth, made, n_way=3, n_repeats=3000).mean() == pytest.approx(1 / 3, abs=0.03)


def test_unrelated_pictures_stand_at_one_in_n():
    truth, made = logits(3000)[0], logits(3000, seed=1)[0]
    assert generation_credit(truth, made).mean() == pytest.approx(1 / 50, abs=0.01)


def test_more_ways_than_classes_are_refused():
    truth, made = logits(n_classes=40)
    for measure in (generation_credit, drawn_accuracies):
        with pytest.raises(InputError):
            measure(truth, made)


def test_centres_answer_with_the_nearest_category():
    raw = np.array([[200, 10, 0], [100, 0, 5], [0, 90, 0], [3, 180, 3]], dtype=np.float32)
    centres = Centres.of(Pixel(), raw, np.array([0, 0, 1, 1]))
    shown = np.zeros((2, 4, 4, 3), dtype=np.uint8)
    shown[:, 0, 0] = [[10, 250, 20], [90, 10, 10]]
    assert centres.logits(shown).argmax(axis=1).tolist() == [1, 0]


def test_built_in_centres_are_of_objects_00_to_06_and_sure_as_object_07_allows():
    shipped = builtin_embeddings()
    centres = Centres.builtin(Pixel(name=shipped.encoder))
    of_each = normalised(shipped.raw).reshape(len(CATEGORIES), N_OBJECTS, -1)
    assert np.allclose(centres.directions, normalised(of_each[:, :7].mean(axis=1)), atol=1e-6)
    cosines = of_each[:, 7] @ centres.directions.T
    weights = np.exp(cosines / centres.temperature)
    sure = (weights.max(axis=1) / weights.sum(axis=1)).mean()
    right = np.mean(cosines.argmax(axis=1) == np.arange(len(CATEGORIES)))
    assert centres.pocket and sure == pytest.approx(right, abs=0.1)


def test_built_in_centres_refuse_another_encoder():
    with pytest.raises(InputError, match="pixel"):
        Centres.builtin(Pixel())
