import numpy as np
import pytest

from calibration.objects.build import build
from calibration.objects.distance import nearest_part, signed_distance
from calibration.objects.shapes import ball, box, joined
from calibration.objects.solid import Part, Solid

GREY = np.full(3, 0.5)


def solid(**parts):
    made = (Part(name, np.array(m.vertices), np.array(m.faces, dtype=np.int64), GREY) for name, m in parts.items())
    return Solid("cup", 0, tuple(made), 0)


def anywhere(n=2000, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (n, 3))


def to_box(points, half):
    """The exact distance of an axis-parallel box."""
    beyond = np.abs(points) - half
    return np.linalg.norm(np.maximum(beyond, 0), axis=1) + np.minimum(beyond.max(axis=1), 0)


def test_the_distance_of_a_box_is_exact():
    points, one = anywhere(), solid(box=box((0.8, 0.4, 1.0)))
    np.testing.assert_allclose(signed_distance(one, points), to_box(points, (0.4, 0.2, 0.5)), atol=1e-6)


def test_pieces_that_overlap_are_one_thing():
    apart, height = 0.3, 0.5
    both = [box((1.0, 0.4, height), at=(x, 0, 0)) for x in (-apart, apart)]
    points = anywhere()
    single = [to_box(points - (x, 0, 0), (0.5, 0.2, height / 2)) for x in (-apart, apart)]
    for made in (solid(one=both[0], other=both[1]), solid(together=joined(*both))):
        np.testing.assert_allclose(signed_distance(made, points), np.minimum(*single), atol=1e-6)


def test_what_lies_inside_another_piece_changes_nothing():
    points, plain, cored = anywhere(), solid(outer=ball(0.8)), solid(outer=ball(0.8), core=ball(0.2))
    np.testing.assert_allclose(signed_distance(cored, points), signed_distance(plain, points), atol=1e-6)


@pytest.mark.parametrize("category", ["cup", "bicycle"])
def test_points_on_the_surface_of_an_object_are_next_to_nothing_and_its_far_corners_are_outside(category):
    thing = build(category, 0)
    distances = signed_distance(thing, thing.vertices)
    assert distances.max() < 1e-6  # some vertices lie within other parts
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], dtype=float)
    assert signed_distance(thing, corners).min() > 0.3


def test_the_nearest_part_is_named():
    two = solid(left=ball(0.2, at=(-0.5, 0, 0)), right=ball(0.2, at=(0.5, 0, 0)))
    points = anywhere()
    points = points[np.abs(points[:, 0]) > 0.05]
    np.testing.assert_array_equal(nearest_part(two, points), (points[:, 0] > 0).astype(int))
