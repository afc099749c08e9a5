import numpy as np
import pytest
import trimesh

from calibration.metrics.generation import Centres
from calibration.metrics.looks import Namer, credit_of, views_of
from calibration.objects.build import build
from calibration.objects.catalogue import CATEGORIES
from calibration.surface_view import surface_of
from engines.errors import InputError
from engines.vision.pocket import PocketVision

SHOWN = ("car", "cup", "guitar")


class Brightest:
    """An encoder that sees the brightest place of a picture."""

    name, dim = "brightest", 3

    def embed(self, pictures):
        return pictures.reshape(len(pictures), -1, 3).max(axis=1).astype(np.float32)


def box(colour, back=None):
    """One whose side of positive y has another colour."""
    mesh = trimesh.creation.box((1, 1, 1))
    mesh.visual.face_colors = [*colour, 255]
    if back is not None:
        mesh.visual.face_colors[mesh.face_normals[:, 1] > 0.5] = [*back, 255]
    return surface_of(mesh)


def plain(*colours):
    return np.stack([np.full((4, 4, 3), colour, np.uint8) for colour in colours])


@pytest.fixture(scope="module")
def namer():
    return Namer.of("brightest", Brightest(), plain((200, 9, 9), (99, 0, 0), (0, 200, 0)), ["red", "red", "green"], 32)


def test_true_shapes_are_named_from_four_sides_and_those_of_others_are_not():
    surfaces = [surface_of(build(name, 7).mesh()) for name in SHOWN]
    views = views_of(surfaces)
    assert len(views) == 4 and all(side.shape == (len(SHOWN), 96, 96, 3) for side in views)
    assert not np.array_equal(views[0], views[1])
    namer = Namer("pocket", Centres.builtin(PocketVision.load()), CATEGORIES)
    credit, own = credit_of(namer.values(surfaces), 10, 3), [CATEGORIES.index(name) for name in SHOWN]
    assert credit[range(3), own].min() > 0.9
    assert credit[range(3), np.roll(own, 1)].mean() < 0.9


def test_a_shape_is_named_as_the_category_whose_training_pictures_it_is_like(namer):
    assert namer.categories == ("green", "red")
    values = namer.values([box((220, 20, 20)), box((20, 220, 20))])
    assert credit_of(values).tolist() == [[0.0, 1.0], [1.0, 0.0]]


def test_a_side_that_looks_otherwise_counts_as_one_of_four(namer):
    (red,), (mixed,) = namer.values([box((220, 20, 20))]), namer.values([box((220, 20, 20), (20, 220, 20))])
    assert red[1] - red[0] > mixed[1] - mixed[0] > 0


def test_what_is_no_surface_is_named_as_nothing_and_the_same_surface_is_looked_at_once(namer, monkeypatch):
    seen = []
    logits = Centres.logits
    monkeypatch.setattr(Centres, "logits", lambda self, pictures: seen.append(len(pictures)) or logits(self, pictures))
    one = box((220, 20, 20))
    values = namer.values([one, None, one])
    assert seen == [1] * 4
    assert np.isnan(values[1]).all() and np.array_equal(values[0], values[2])
    assert credit_of(values).tolist() == [[0.0, 1.0], [0.0, 0.0], [0.0, 1.0]]
    assert np.isnan(namer.values([None])).all()


def test_more_ways_than_categories_are_refused(namer):
    with pytest.raises(InputError):
        credit_of(np.zeros((1, 2)), 10, 3)
