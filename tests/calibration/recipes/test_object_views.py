import hashlib

import numpy as np
import pytest
import torch

from calibration.objects.catalogue import SELECTION
from calibration.objects.colours import LABELS, colour_label
from calibration.objects.render import BACKGROUND, Renderer
from calibration.recipes.augment import repainted
from calibration.recipes.object_views import N_ANGLES, N_PAINTS, digest_of, solids_of, views_of


@pytest.fixture(scope="module")
def solids():
    return solids_of(["cup", "ladder"], range(2))


@pytest.fixture(scope="module")
def views(solids, tmp_path_factory):
    return views_of(solids, 32, tmp_path_factory.mktemp("views"))


def test_each_object_is_seen_from_all_sides_first_as_in_its_picture(solids, views):
    assert views.pictures.shape == (4, N_ANGLES, 32, 32, 3)
    assert views.categories.tolist() == [0, 0, 1, 1]
    with Renderer(32) as renderer:
        assert np.array_equal(views.fronts[2], renderer.picture(solids[2]))
        assert np.array_equal(views.pictures[2, N_ANGLES // 4], renderer.picture(solids[2], 90.0))


def test_parts_are_where_the_object_is(solids, views):
    for solid, pictures, parts in zip(solids, views.pictures, views.parts, strict=True):
        assert parts.max() <= len(solid.parts)
        inside = np.abs(pictures.astype(int) - BACKGROUND).max(axis=-1) > 40
        assert parts[inside].astype(bool).mean() > 0.8  # the rest is half the object's, at its rim


def test_the_first_paint_is_the_objects_own_and_others_change_its_colour(solids, views):
    assert views.gains.shape[1] == N_PAINTS and (views.gains[:, 0] == 1).all() and (views.gains[:, :, 0] == 1).all()
    assert views.colours[:, 0].tolist() == [colour_label(s.category, s.number) for s in solids]
    assert {len(set(row)) > 1 for row in views.colours.tolist()} == {True}


def test_a_painted_object_has_the_colour_that_its_label_says(views):
    green = np.argwhere(views.colours == LABELS.index("green"))
    blue = np.argwhere(views.colours == LABELS.index("blue"))
    for found, channel in ((green, 1), (blue, 2)):
        assert len(found)
        for i, k in found:
            layers = repainted(*(torch.from_numpy(v[[i], 0]) for v in (views.pictures, views.parts)),
                               torch.from_numpy(views.gains[[i], k]))[0]  # fmt: skip
            pixels = layers[:3, layers[3] > 0]
            assert float((pixels.argmax(dim=0) == channel).float().mean()) > 0.4


def test_views_are_rendered_once(solids, tmp_path, monkeypatch):
    first = views_of(solids[:1], 16, tmp_path)
    monkeypatch.setattr("calibration.recipes.object_views._render", None)
    assert np.array_equal(views_of(solids[:1], 16, tmp_path).pictures, first.pictures)


def test_the_digest_is_that_of_the_objects_in_their_order(solids):
    wanted = hashlib.sha256(bytes.fromhex(solids[0].digest) + bytes.fromhex(solids[1].digest)).hexdigest()
    assert digest_of(solids[:2]) == wanted != digest_of(solids[1::-1])
    assert [s.number for s in solids_of(["cup"], SELECTION)] == [7]
