import numpy as np
import pytest
import trimesh

from app.stimulus.meshes import camera, of_mesh, of_solid, of_surface
from calibration.objects.build import build
from calibration.objects.view import DISTANCE, Pose, project
from pipeline.reconstruction import Mesh


@pytest.mark.parametrize("pose", [Pose(), Pose(20.0, 45.0, 1.4), Pose(-13.0, -30.0, 1.1)])
@pytest.mark.parametrize("turn_deg", [0.0, 75.0, 200.0])
def test_the_camera_is_that_of_the_rendered_pictures(pose, turn_deg):
    points = np.random.default_rng(0).uniform(-0.6, 0.6, (50, 3))
    clip, _ = camera(pose, turn_deg)
    seen = np.column_stack([points, np.ones(50)]) @ clip.T
    expected = project(points, pose, turn_deg)
    np.testing.assert_allclose(seen[:, :2] / seen[:, 3:], expected[:, :2], atol=1e-12)
    np.testing.assert_allclose(seen[:, 3], expected[:, 2], atol=1e-12)


def test_depth_runs_from_minus_one_to_one_around_the_object():
    clip, view = camera(Pose(), 0.0)
    for towards, expected in ((1.1, -1.0), (-1.1, 1.0)):
        z, w = (clip @ [*(towards * view[2]), 1.0])[2:]
        assert z / w == pytest.approx(expected) and w == pytest.approx(DISTANCE - towards)


def test_a_round_thing_is_shaded_smoothly_and_a_box_has_edges():
    ball, box = trimesh.creation.icosphere(3), trimesh.creation.box()
    corners = of_mesh(ball).corners
    np.testing.assert_allclose(corners[:, 3:6], corners[:, :3], atol=0.02)
    corners = of_mesh(box).corners
    np.testing.assert_allclose(corners[:, 3:6], np.repeat(box.face_normals, 3, axis=0), atol=1e-6)


def test_normals_are_those_of_trimesh_where_nothing_is_sharp():
    torus = trimesh.creation.torus(0.7, 0.2)
    corners = of_mesh(torus).corners
    cosines = np.sum(corners[:, 3:6] * torus.vertex_normals[torus.faces.ravel()], axis=1)
    assert cosines.min() > 0.999


def test_an_object_keeps_its_faces_colours_and_pose():
    solid = build("cup", 4)
    corners = of_solid(solid).corners
    assert corners.shape == (3 * len(solid.faces), 9) and corners.dtype == np.float32
    np.testing.assert_allclose(corners[::3, 6:], solid.face_colours, atol=1e-6)
    np.testing.assert_allclose(corners[:, :3], solid.vertices[solid.faces.ravel()], atol=1e-6)


def test_a_surface_keeps_its_corners_and_their_colours_and_is_smooth_all_over():
    ball = trimesh.creation.icosphere(3)
    colours = np.random.default_rng(0).integers(0, 255, (len(ball.vertices), 3), np.uint8)
    mesh = Mesh(ball.vertices.astype(np.float32), ball.faces.astype(np.int32), colours)
    corners = of_surface(mesh).corners
    assert np.array_equal(corners[:, :3], mesh.vertices[mesh.faces.ravel()])
    np.testing.assert_allclose(255 * corners[:, 6:], colours[ball.faces.ravel()], atol=1e-4)
    np.testing.assert_allclose(corners[:, 3:6], corners[:, :3], atol=0.02)


def test_the_camera_can_stand_higher():
    _, view = camera(Pose(), 0.0, 90.0)
    np.testing.assert_allclose(view[2], [0, 0, 1], atol=1e-12)  # towards the camera is up
