import numpy as np
import pytest
from shapely.geometry import Polygon

from calibration.objects.categories.arranged import in_row, leaf, on, patch
from calibration.objects.shapes import box

RADII = (0.5, 1.0, 2.0)


@pytest.mark.parametrize(
    ("azimuth", "height", "point"),
    [(0, 0, (0, -1, 0)), (90, 0, (0.5, 0, 0)), (180, 0, (0, 1, 0)), (0, 90, (0, 0, 2))],
)
def test_directions_on_an_ellipsoid_count_from_the_front_to_the_right_and_up(azimuth, height, point):
    np.testing.assert_allclose(on(RADII, azimuth, height), point, atol=1e-12)


def test_a_patch_is_closed_and_breaks_the_surface_where_it_was_asked_for():
    plate = patch(RADII, 40, 30, 15, at=(1, 2, 3))
    beyond = np.linalg.norm((plate.vertices - (1, 2, 3)) / RADII, axis=1)
    assert plate.is_watertight
    assert beyond.min() == pytest.approx(0.9)
    assert beyond.max() == pytest.approx(1.05)
    middle = np.asarray(on(RADII, 40, 30, at=(1, 2, 3)))
    # Inside of a convex body is behind all of its faces.
    assert np.all(np.sum((middle - plate.triangles_center) * plate.face_normals, axis=1) < 0)


def test_a_row_is_centred_where_its_first_shape_was():
    row = in_row(box((0.1, 0.1, 0.1), at=(1, 2, 3)), 4, (0.5, 0, 0))
    np.testing.assert_allclose(row.bounds, [[0.2, 1.95, 2.95], [1.8, 2.05, 3.05]])


@pytest.mark.parametrize("widest", [0.3, 0.5, 0.75])
def test_a_leaf_is_as_long_and_wide_as_asked_and_widest_where_asked(widest):
    outline = leaf(2.0, 0.6, widest=widest)
    x, y = np.array(outline).T
    assert Polygon(outline).is_valid
    assert np.ptp(x) == pytest.approx(2.0)
    assert np.ptp(y) == pytest.approx(0.6, rel=0.02)
    assert x[np.argmax(y)] / 2 == pytest.approx(widest, abs=0.06)
