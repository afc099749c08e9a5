import subprocess
import sys
from itertools import combinations

import numpy as np
import pytest
import trimesh
from scipy.spatial import cKDTree

from calibration.objects.build import build, makers
from calibration.objects.catalogue import CATEGORIES, N_OBJECTS
from calibration.objects.draw import Draw
from calibration.objects.solid import N_POINTS
from engines.errors import InputError

EVERY = [(category, number) for category in CATEGORIES for number in range(N_OBJECTS)]


def chamfer(a, b):
    return (cKDTree(a).query(b)[0].mean() + cKDTree(b).query(a)[0].mean()) / 2


def test_every_category_has_a_maker_and_there_are_no_others():
    assert set(makers()) == set(CATEGORIES)
    assert len(set(CATEGORIES)) == 72


@pytest.mark.parametrize(
    ("category", "number", "message"),
    [("unicorn", 0, "got 'unicorn'"), ("chair", 10, "got 10"), ("chair", -1, "got -1")],
)
def test_what_there_is_not_is_refused(category, number, message):
    with pytest.raises(InputError, match=message):
        build(category, number)


def sound(solid):
    assert np.isfinite(solid.vertices).all()
    assert np.linalg.norm(solid.vertices, axis=1).max() == pytest.approx(1)
    np.testing.assert_allclose(solid.vertices.min(axis=0), -solid.vertices.max(axis=0), atol=1e-9)
    assert len(solid.parts) >= 2 and all(part.name and len(part.faces) for part in solid.parts)
    assert solid.faces.min() >= 0 and solid.faces.max() < len(solid.vertices)
    assert (solid.face_colours >= 0).all() and (solid.face_colours <= 1).all()
    for part in solid.parts:
        mesh = trimesh.Trimesh(part.vertices, part.faces, process=True)
        assert mesh.is_winding_consistent, f"{solid.category} {solid.name}: {part.name}"
        assert mesh.volume > 0, f"{solid.category} {solid.name}: {part.name} is inside out"


@pytest.mark.parametrize("category", ["chair", "apple", "spider"])
def test_an_object_is_sound(category):
    sound(build(category, 0))


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("category", CATEGORIES)
def test_every_object_is_sound(category):
    for number in range(N_OBJECTS):
        sound(build(category, number))


@pytest.mark.slow
def test_most_objects_have_three_parts_or_more():
    counts = [len(build(*which).parts) for which in EVERY]
    assert np.mean(np.array(counts) >= 3) > 0.9


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("category", CATEGORIES)
def test_objects_of_a_category_differ_in_shape(category):
    solids = [build(category, number) for number in range(N_OBJECTS)]
    assert len({solid.digest for solid in solids}) == N_OBJECTS
    clouds = [solid.point_cloud(4096)[:, :3] for solid in solids]
    same = chamfer(clouds[0], solids[0].point_cloud(4096, seed=1)[:, :3])
    # Two samples of one shape already lie apart, by the distance between neighbours: different objects lie farther.
    distances = [chamfer(a, b) for a, b in combinations(clouds, 2)]
    assert np.median(distances) > 1.3 * same and min(distances) > same


def test_a_point_cloud_is_eight_thousand_coloured_points_on_the_surface():
    solid = build("table", 0)
    cloud = solid.point_cloud()
    assert cloud.shape == (N_POINTS, 6) == (8192, 6)
    assert np.linalg.norm(cloud[:, :3], axis=1).max() <= 1
    assert {tuple(c) for c in cloud[:, 3:]} == {tuple(part.colour) for part in solid.parts}
    np.testing.assert_array_equal(cloud, solid.point_cloud())
    assert not np.array_equal(cloud, solid.point_cloud(seed=1))


def test_another_process_builds_the_same_objects():
    which = [("chair", 1), ("tree", 4), ("dog", 9)]
    code = f"from calibration.objects.build import build\nfor w in {which}: print(build(*w).digest)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=100)
    assert answer.stdout.split() == [build(*w).digest for w in which]


def test_draws_for_one_purpose_do_not_touch_those_for_another():
    first = Draw("shape", "chair", 0)
    assert first.between(0, 1) == Draw("shape", "chair", 0).between(0, 1)
    others = [Draw("colour", "chair", 0), Draw("shape", "chair", 1), Draw("shape", "table", 0)]
    assert len({draw.between(0, 1) for draw in others} | {Draw("shape", "chair", 0).between(0, 1)}) == 4


def test_draws_stay_within_what_was_asked():
    draw = Draw("test", "chair", 0)
    assert {draw.whole(1, 3) for _ in range(60)} == {1, 2, 3}
    assert {draw.one_of("a", "b") for _ in range(40)} == {"a", "b"}
    assert 0.1 < np.mean([draw.yes(0.25) for _ in range(200)]) < 0.4
    values = [draw.between(2, 5) for _ in range(100)]
    assert min(values) >= 2 and max(values) <= 5
