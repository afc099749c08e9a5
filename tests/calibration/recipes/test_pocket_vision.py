import numpy as np
import pytest
import torch

from calibration.objects import build as building
from calibration.objects.catalogue import SELECTION, TRAINING
from calibration.recipes import pocket_vision
from calibration.recipes.object_views import digest_of, solids_of, views_of
from calibration.recipes.pocket_vision import Recipe, class_means, fitted, retrieval, togetherness
from engines.vision.base import Normalised, normalised
from engines.vision.pocket import PocketConfig

SMALL = PocketConfig(size_px=32, channels=(8, 16, 16), cell_channels=4, dim=32)


@pytest.fixture(scope="module")
def views(tmp_path_factory):
    return views_of(solids_of(["cup", "ladder", "donut"], range(3)), 32, tmp_path_factory.mktemp("views"))


def test_training_learns_to_tell_categories(views):
    recipe = Recipe(n_steps=100, n_categories=3, n_checks=2)
    torch.set_num_threads(1)
    _, scores = fitted(SMALL, views, views, recipe, seed=0)
    assert scores["front"] > 0.7 and scores["turned"] > 0.5  # by chance 1/3


def test_the_same_seed_gives_the_same_network(views):
    recipe = Recipe(n_steps=3, n_categories=3, n_checks=1)
    first, again, other = (fitted(SMALL, views, views, recipe, seed)[0].state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["head.weight"], other["head.weight"])


@pytest.mark.slow
def test_training_opens_neither_held_out_object(tmp_path, monkeypatch):
    opened = set()

    def noting(category, number):
        opened.add(number)
        return building.build(category, number)

    monkeypatch.setattr("calibration.recipes.object_views.build", noting)
    monkeypatch.setattr(pocket_vision, "PocketConfig", lambda: SMALL)
    encoder = pocket_vision.train(0, tmp_path, Recipe(n_steps=1, n_categories=2, n_checks=1), ("cup", "donut"))
    assert opened == {*TRAINING, *SELECTION}
    assert encoder.origin.trained_on == digest_of(solids_of(("cup", "donut"), TRAINING))


def unit(*rows):
    return Normalised("some", normalised(np.array(rows, dtype=np.float32)))


def test_retrieval_counts_what_is_nearest_to_the_mean_of_its_own():
    means = class_means(unit([1, 0], [1, 1], [-1, 0], [-1, -1]), np.array([0, 0, 1, 1]))
    assert retrieval(means, unit([1, 0.2], [-1, 0.2], [1, 0.1], [1, 0.3]), np.array([0, 1, 1, 0])) == 0.75


def test_togetherness_compares_pairs_of_views():
    objects = np.array([0, 0, 1, 1])
    assert togetherness(unit([1, 0], [1, 0.1], [0, 1], [0.1, 1]), objects) == 1
    assert togetherness(unit([1, 0], [0, 1], [1, 0], [0, 1]), objects) == 0


def test_with_rivals_only_they_can_come_between():
    right, up = unit([1, 0], [1, 0.5], [0, 1], [0.1, 1]).unit, unit([1, 0.2], [1, 0.3], [0.2, 1], [0.3, 1]).unit
    views, objects = Normalised("some", np.concatenate([right, up])), np.arange(8) // 2
    assert togetherness(views, objects) < 1
    assert togetherness(views, objects, rivals=np.arange(8) // 4) == 1
