import numpy as np
import pytest
import trimesh

from calibration.sets.meshes import read_mesh
from engines.errors import InputError
from engines.generators.base import Surface
from engines.generators.meshes import N_POINTS, SUFFIXES, point_cloud, read_surface, write_mesh


def tetrahedron() -> Surface:
    vertices = np.array([[0, -1, 0], [0.8, 0.3, -0.2], [-0.8, 0.3, -0.2], [0, 0, 0.9]], dtype=np.float32)
    faces = np.array([[0, 1, 3], [1, 2, 3], [2, 0, 3], [0, 2, 1]], dtype=np.int32)
    return Surface(vertices, faces, np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [17, 99, 201]], dtype=np.uint8))


def read_back(path):
    mesh = trimesh.load(path, process=False, force="mesh", maintain_order=True)
    return np.asarray(mesh.vertices), np.asarray(mesh.faces), np.asarray(mesh.visual.vertex_colors)[:, :3]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_is_written_is_read_back_equal(tmp_path, suffix):
    surface, path = tetrahedron(), tmp_path / f"mesh{suffix}"
    write_mesh(surface, path)
    vertices, faces, colours = read_back(path)
    if suffix != ".ply":  # back from y up: x, -z, y
        vertices = np.column_stack([vertices[:, 0], -vertices[:, 2], vertices[:, 1]])
    np.testing.assert_allclose(vertices, surface.vertices, atol=1e-6)
    np.testing.assert_array_equal(faces, surface.faces)
    np.testing.assert_array_equal(colours, surface.colours)
    again = read_surface(path)
    np.testing.assert_allclose(again.vertices, surface.vertices, atol=1e-6)
    np.testing.assert_array_equal(again.faces, surface.faces)
    np.testing.assert_array_equal(again.colours, surface.colours)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_format_stands_upright_where_sets_of_stimuli_are_read(tmp_path, suffix):
    surface, path = tetrahedron(), tmp_path / f"mesh{suffix}"
    write_mesh(surface, path)
    read = read_mesh(path)  # centred by its box, farthest vertex at 1
    centred = surface.vertices - (surface.vertices.min(axis=0) + surface.vertices.max(axis=0)) / 2
    np.testing.assert_allclose(read.vertices, centred / np.linalg.norm(centred, axis=1).max(), atol=1e-5)


def test_another_suffix_or_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"ends in \.glb"):
        write_mesh(tetrahedron(), tmp_path / "mesh.fbx")
    with pytest.raises(InputError, match="no folder"):
        write_mesh(tetrahedron(), tmp_path / "none" / "mesh.glb")


def test_a_cloud_is_centred_within_the_unit_sphere_and_lies_on_the_surface():
    surface = tetrahedron()
    cloud = point_cloud(surface)
    assert cloud.shape == (N_POINTS, 6) and cloud.dtype == np.float32
    np.testing.assert_allclose(cloud[:, :3].mean(axis=0), 0, atol=1e-5)
    assert np.linalg.norm(cloud[:, :3], axis=1).max() == pytest.approx(1, abs=1e-5)
    assert cloud[:, 3:].min() >= 0 and cloud[:, 3:].max() <= 1
    np.testing.assert_array_equal(cloud, point_cloud(surface))


def test_a_point_next_to_a_corner_has_that_corners_colour():
    surface = tetrahedron()
    cloud = point_cloud(surface)
    lowest = cloud[cloud[:, 1].argmin()]  # the corner at -y is the red one
    np.testing.assert_allclose(lowest[3:], [1, 0, 0], atol=0.05)


def test_points_are_even_over_the_surface():
    square = Surface(
        np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], dtype=np.float32),
        np.array([[0, 1, 2], [0, 2, 3]], dtype=np.int32),
        np.zeros((4, 3), dtype=np.uint8),
    )
    x = point_cloud(square)[:, 0]
    quarters = np.histogram(x, bins=4, range=(x.min(), x.max()))[0]
    assert quarters.min() > 0.9 * N_POINTS / 4


def test_a_surface_without_area_is_refused():
    flat = Surface(np.zeros((3, 3), np.float32), np.array([[0, 1, 2]], np.int32), np.zeros((3, 3), np.uint8))
    with pytest.raises(InputError, match="without area"):
        point_cloud(flat)
