import numpy as np
import pytest

from calibration.objects.categories.forms import arched, around, both, oval, placed, smooth, symmetric
from calibration.objects.shapes import box, slab


def test_a_placed_shape_is_turned_about_x_then_y_then_z_and_then_moved():
    corner = placed(box((2.0, 4.0, 6.0)), at=(10, 0, 0), turned=(90, 0, 90)).vertices.max(axis=0)
    assert corner == pytest.approx([13, 1, 2])


def test_copies_around_z_are_even_and_whole():
    ring = around(box((0.2, 0.2, 0.2), at=(1, 0, 0)), 5)
    assert ring.vertices.mean(axis=0) == pytest.approx([0, 0, 0], abs=1e-12)
    assert ring.volume == pytest.approx(5 * 0.2**3)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_mirrored_pair_faces_outwards_on_both_sides(axis):
    pair = both(box((1.0, 1.0, 1.0), at=(3, 3, 3)), axis)
    assert pair.volume == pytest.approx(2.0)
    assert pair.vertices.mean(axis=0)[axis] == pytest.approx(0)


@pytest.mark.parametrize("rise", [0.0, 0.5])
def test_a_doorway_has_the_area_of_its_posts_and_its_half_ellipse(rise):
    assert slab(arched(2.0, 3.0, rise), 1.0).volume == pytest.approx(6.0 + np.pi / 2 * rise, rel=0.02)


def test_a_smooth_curve_starts_and_ends_where_its_points_do():
    curve = smooth([(0.0, 0.0), (1.0, 2.0), (3.0, 1.0)], n=9)
    assert len(curve) == 9
    assert [curve[0], curve[-1]] == [pytest.approx((0, 0)), pytest.approx((3, 1))]


def test_a_symmetric_outline_mirrors_its_right_side_and_keeps_points_on_the_axis_single():
    assert symmetric([(0.0, 0.0), (1.0, 1.0), (0.0, 2.0)]) == [(0.0, 0.0), (1.0, 1.0), (0.0, 2.0), (-1.0, 1.0)]


def test_an_oval_has_the_area_of_an_ellipse():
    assert slab(oval(2.0, 1.0, n=96), 1.0).volume == pytest.approx(2 * np.pi, rel=0.01)
