import numpy as np
import pytest

from calibration.objects import audit
from calibration.objects.builtin import BuiltIn


@pytest.fixture(scope="module")
def pictures():
    stimuli = BuiltIn()
    return [stimuli.picture(item) for item in stimuli.items]


def asked(pictures, what):
    return audit.accuracies(np.stack([what(picture) for picture in pictures]))


@pytest.mark.slow
def test_neither_colour_nor_size_tells_the_category(pictures):
    found = {what.__name__: asked(pictures, what) for what in (audit.colour, audit.area, audit.diagonal)}
    hits = [accuracy for answers in found.values() for accuracy in answers.values()]
    assert max(hits) <= audit.chance_bound(len(hits)), found
    assert np.mean(hits) <= audit.chance_bound(), found


@pytest.mark.slow
def test_shape_tells_the_category(pictures):
    assert min(asked(pictures, audit.silhouette).values()) > 5 * audit.chance_bound()


def test_a_colour_that_belongs_to_the_category_would_be_found():
    labels = np.repeat(np.arange(72), 10)[:, None]
    noise = np.random.default_rng(0).normal(size=(720, 1))
    assert min(audit.accuracies(labels + 0.1 * noise).values()) > 0.9
    assert max(audit.accuracies(noise).values()) <= audit.chance_bound()


def test_guessing_stays_at_or_below_the_bound_as_often_as_promised():
    assert audit.chance_bound() == pytest.approx(5 / 144)
    assert audit.chance_bound(9) == pytest.approx(6 / 144)
    guesses = np.random.default_rng(0).integers(0, 72, (4000, 9, 144)) == 0
    assert 0.95 <= (guesses.mean(axis=2).max(axis=1) <= audit.chance_bound(9)).mean() < 0.999


def test_area_and_diagonal_of_a_square_are_known():
    picture = np.full((64, 64, 3), 118, dtype=np.uint8)
    picture[16:48, 16:48] = (200, 40, 40)
    assert np.exp(audit.area(picture)[0]) == pytest.approx(0.25)
    assert np.exp(audit.diagonal(picture)[0]) == pytest.approx(0.5)
    assert audit.colour(picture).max() == pytest.approx(1)
    assert audit.silhouette(picture).reshape(16, 16)[4:12, 4:12].all() and audit.silhouette(picture).sum() == 64
