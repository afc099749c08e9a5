import numpy as np
import pytest
import torch

from calibration.objects import build as building
from calibration.objects.catalogue import SELECTION, TRAINING
from calibration.recipes import pocket_shape
from calibration.recipes.object_views import digest_of, solids_of
from calibration.recipes.pocket_shape import (
    ANGLES,
    N_ASKED,
    Fitting,
    Recipe,
    _seldom,
    drawn,
    shapes_of,
)
from engines.generators.shape import PocketShape, ShapeConfig, ShapeOrigin

SMALL = ShapeConfig(dim=12, hidden=16, side=3, channels=(8, 8), features=16, colours=8, grid=24)
RECIPE = Recipe(n_steps=120, n_objects=4, n_points=256, n_checks=2)


class Encoder:
    """The mean colours of a picture's quarters."""

    name, dim = "quarters", 12

    def embed(self, pictures):
        n, size = len(pictures), pictures.shape[1]
        quarters = pictures.reshape(n, 2, size // 2, 2, size // 2, 3).mean(axis=(2, 4))
        return quarters.reshape(n, 12).astype(np.float32)


@pytest.fixture(scope="module")
def solids():
    return solids_of(["donut", "apple"], range(1))


@pytest.fixture(scope="module")
def shapes(solids, tmp_path_factory):
    return shapes_of(solids, Encoder(), tmp_path_factory.mktemp("views"))


def test_what_is_learned_from_belongs_together(shapes):
    assert shapes.embeddings.shape == (2, len(ANGLES), 8, 12)
    assert shapes.points.shape == (2, N_ASKED, 3) and shapes.distances.shape == (2, N_ASKED)
    inside = (shapes.distances < 0).mean(axis=1)
    assert (inside > 0.1).all() and (inside < 0.6).all()
    # In its own paint an object's parts have their own colours.
    assert np.ptp(shapes.paints[:, 0], axis=0).any()


def test_training_lowers_the_loss_and_finds_a_surface(shapes, solids):
    torch.set_num_threads(1)
    fitting = Fitting(SMALL, shapes, RECIPE, seed=0)
    before, kept = fitting.loss_on(shapes), []
    net = fitting.run(shapes, snapshot=kept.append)
    assert fitting.loss_on(shapes) < 0.8 * before
    assert kept
    shape = drawn(net, shapes, solids, ShapeOrigin("a", "b", 0, {}))
    assert shape.origin.scores["found"] == 1
    assert shape.origin.scores["f_score"] > 0
    assert 0 < shape.origin.scores["f_score_of_a_guess"] < 1


def test_the_same_seed_gives_the_same_network(shapes):
    recipe = Recipe(n_steps=2, n_objects=2, n_points=64, n_checks=1)
    first, again, other = (Fitting(SMALL, shapes, recipe, seed).run(shapes).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["start.weight"], other["start.weight"])


def test_points_count_as_seldom_as_they_are_asked_for(solids, shapes):
    """Together they then fill the cube they are asked in evenly, whatever the object."""
    weights = _seldom(torch.from_numpy(shapes.distances.astype(np.float32))).numpy()
    near = np.abs(shapes.distances) < 0.1
    assert (near.mean(axis=1) > 0.6).all()
    share = (weights * near).sum(axis=1) / weights.sum(axis=1)
    assert (share < 0.25).all()


@pytest.mark.slow
def test_training_opens_neither_held_out_object(tmp_path, monkeypatch):
    opened = set()

    def noting(category, number):
        opened.add(number)
        return building.build(category, number)

    monkeypatch.setattr("calibration.recipes.object_views.build", noting)
    monkeypatch.setattr(pocket_shape, "PocketVision", type("Loaded", (), {"load": Encoder}))
    monkeypatch.setattr(pocket_shape, "ShapeConfig", lambda: SMALL)
    monkeypatch.setattr(pocket_shape, "N_ASKED", 256)
    recipe, path = Recipe(n_steps=1, n_objects=2, n_points=16, n_checks=1), tmp_path / "shape.safetensors"
    shape = pocket_shape.train(0, tmp_path, recipe, ("donut",), snapshot=path)
    assert opened == {*TRAINING, *SELECTION}
    assert shape.origin.trained_on == digest_of(solids_of(("donut",), TRAINING))
    assert PocketShape.load(path).origin.selected_on == digest_of(solids_of(("donut",), SELECTION))
