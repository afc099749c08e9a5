"""Surfaces are seen as solids are: from the same side, in their own colours."""

import numpy as np
import trimesh

from calibration.objects.render import BACKGROUND
from calibration.surface_view import SurfaceRenderer, surface_of


def two_coloured_box() -> trimesh.Trimesh:
    """Red at the left of the front, blue elsewhere; twice as high as wide."""
    mesh = trimesh.creation.box(extents=(1, 1, 2))
    colours = np.tile(np.array([0, 0, 200, 255], np.uint8), (len(mesh.faces), 1))
    colours[mesh.face_normals[:, 1] < -0.5] = (200, 0, 0, 255)
    return trimesh.Trimesh(mesh.vertices, mesh.faces, face_colors=colours, process=False)


def test_a_mesh_becomes_a_surface_within_the_unit_sphere_with_its_colours() -> None:
    moved = two_coloured_box()
    moved.apply_translation((5, 0, 0))
    surface = surface_of(moved)
    lengths = np.linalg.norm(surface.vertices, axis=1)
    assert np.isclose(lengths.max(), 1)
    corners = surface.colours[surface.faces]
    assert (corners == corners[:, :1]).all()
    front = np.isclose(surface.vertices[surface.faces][:, :, 1], surface.vertices[:, 1].min()).all(axis=1)
    assert (corners[front, 0] == (200, 0, 0)).all()
    assert (corners[~front, 0] == (0, 0, 200)).all()


def test_the_front_is_seen_and_turning_by_half_shows_the_back() -> None:
    surface = surface_of(two_coloured_box())
    with SurfaceRenderer(40) as renderer:
        front, back = renderer.picture(surface), renderer.picture(surface, turn_deg=180.0)
    red = [int(((one[..., 0] > 80) & (one[..., 2] < 60)).sum()) for one in (front, back)]
    assert red[0] > 100
    assert red[1] == 0
    assert (front[0, 0] == BACKGROUND).all()


def test_another_surface_takes_the_place_of_the_first() -> None:
    tall, ball = surface_of(two_coloured_box()), surface_of(trimesh.creation.icosphere(2))
    with SurfaceRenderer(40) as renderer:
        first = renderer.picture(tall)
        renderer.picture(ball)
        assert (renderer.picture(tall) == first).all()
