"""What the shipped encoder can do, on objects that neither its training nor its selection has opened."""

import numpy as np
import pytest

from calibration.objects.builtin import BuiltIn
from calibration.objects.catalogue import CATEGORIES, HELD_OUT, SELECTION, TRAINING
from calibration.objects.embeddings import builtin_embeddings
from calibration.objects.render import Renderer
from calibration.recipes.object_views import digest_of, solids_of
from calibration.recipes.pocket_vision import class_means, retrieval, togetherness
from calibration.stimuli import Item
from engines.vision.base import Embeddings, Normalised
from engines.vision.pocket import SHIPPED, PocketVision


@pytest.fixture(scope="module")
def shipped():
    return PocketVision.load()


@pytest.mark.slow
def test_the_shipped_weights_were_trained_on_the_objects_that_there_are(shipped):
    assert shipped.origin.trained_on == digest_of(solids_of(CATEGORIES, TRAINING))
    assert shipped.origin.selected_on == digest_of(solids_of(CATEGORIES, SELECTION))


@pytest.mark.slow
def test_unseen_objects_are_found_among_72_categories(shipped):
    shown, numbers = BuiltIn(), (*TRAINING, *HELD_OUT)
    pictures = [shown.picture(Item(category, f"{number:02d}")) for number in numbers for category in CATEGORIES]
    directions = Embeddings.of(shipped, np.stack(pictures)).normalised().unit.reshape(len(numbers), len(CATEGORIES), -1)
    names = np.tile(np.arange(len(CATEGORIES)), len(TRAINING))
    known = Normalised(shipped.name, np.concatenate(directions[: len(TRAINING)]))
    asked = Normalised(shipped.name, np.concatenate(directions[len(TRAINING) :]))
    found = retrieval(class_means(known, names), asked, names[: len(asked.unit)])
    assert found >= 0.9


@pytest.mark.slow
def test_shipped_embeddings_are_those_of_the_shipped_pictures(shipped):
    stored, shown = builtin_embeddings(), BuiltIn()
    some = range(0, len(shown.items), 40)
    again = shipped.embed(np.stack([shown.picture(shown.items[i]) for i in some]))
    assert (stored.encoder, stored.raw.shape) == (shipped.name, (720, 1024))
    np.testing.assert_allclose(stored.raw[some], again, rtol=2e-3, atol=2e-3 * np.abs(again).max())


@pytest.mark.slow
def test_views_of_an_unseen_object_are_closer_than_views_of_others(shipped):
    angles = (0.0, 90.0, 180.0, 270.0)
    solids = solids_of(CATEGORIES, HELD_OUT)
    with Renderer(shipped.config.size_px) as renderer:
        pictures = np.stack([renderer.picture(solid, angle) for solid in solids for angle in angles])
    views = Embeddings.of(shipped, pictures).normalised()
    objects = np.repeat(np.arange(len(solids)), len(angles))
    assert togetherness(views, objects) > 0.95
    assert togetherness(views, objects, rivals=objects // 2) > 0.8  # among the two of its own category


def test_the_shipped_file_is_small():
    assert SHIPPED.stat().st_size <= 4_000_000
