import numpy as np
import pytest

from calibration.objects.build import build
from calibration.objects.pose import pose_of
from calibration.objects.render import BACKGROUND, Renderer
from calibration.objects.solid import scatter
from calibration.objects.turn import TURN_S, turn_deg
from calibration.objects.view import Pose, look


@pytest.fixture(scope="module")
def renderer():
    with Renderer(96) as renderer:
        yield renderer


@pytest.fixture(scope="module")
def solid():
    return build("chair", 0)


def test_a_view_has_a_picture_a_mask_and_a_parts_map_that_agree(renderer, solid):
    view = renderer.view(solid)
    assert view.picture.shape == (96, 96, 3) and view.picture.dtype == np.uint8
    assert set(np.unique(view.parts)) == {-1, *range(len(solid.parts))}
    np.testing.assert_array_equal(view.mask, view.parts >= 0)
    inked = np.abs(view.picture.astype(int) - BACKGROUND).max(axis=2) > 40
    assert (inked & view.mask).sum() > 0.95 * inked.sum()


def test_the_same_view_is_the_same_picture(renderer, solid):
    first = renderer.view(solid, 40)
    renderer.view(build("chair", 1), 70)
    np.testing.assert_array_equal(renderer.view(solid, 40).picture, first.picture)


def test_a_picture_ends_before_its_edges_at_every_angle(renderer, solid):
    for deg in range(0, 360, 45):
        mask = renderer.view(solid, deg).mask
        assert not (mask[0].any() or mask[-1].any() or mask[:, 0].any() or mask[:, -1].any())


@pytest.mark.parametrize("pose", [Pose(20, 0, 1.2), Pose(-30, 45, 1.1), Pose(0, 0, 1.5)])
def test_the_camera_sees_what_the_geometry_says(renderer, pose):
    solid = build("house", 3)
    points, face = scatter(solid.vertices, solid.faces, 200_000, np.random.default_rng(0))
    for deg in (0, 80):
        seen = renderer.view(solid, deg, pose).parts
        # A cell of the coarse look is filled by one point at its edge, so that thin parts look a little thicker.
        agreement = [(seen == look(points, solid.face_parts[face], pose, d, size=96)).mean() for d in (deg, deg + 10)]
        assert agreement[0] > 0.96 and agreement[0] > agreement[1] + 0.01


def test_the_largest_part_has_its_colour_in_the_picture(renderer, solid):
    view = renderer.view(solid)
    largest = np.bincount(view.parts[view.mask]).argmax()
    shown = view.picture[view.parts == largest].mean(axis=0)
    meant = solid.parts[largest].colour
    np.testing.assert_allclose(shown / shown.max(), meant / meant.max(), atol=0.06)


def test_an_object_turns_once_in_six_seconds(renderer, solid):
    assert turn_deg(TURN_S) == 360
    np.testing.assert_array_equal(renderer.view(solid, turn_deg(0)).parts, renderer.view(solid, turn_deg(TURN_S)).parts)


def test_poses_are_drawn_alike_and_stay(solid):
    assert pose_of(solid) == pose_of(build("chair", 0))
    yaws = [pose_of(build("chair", n)).yaw_deg for n in range(10)]
    assert min(yaws) < -5 and max(yaws) > 5 and np.abs(yaws).max() <= 25
