"""Reconstructed shapes as pictures: vertex-coloured surfaces under the light and from the side of the built-in set.

with SurfaceRenderer(160) as renderer:
renderer.picture(surface)                    # a Surface of engines.generators, a Mesh of pipeline
renderer.picture(surface_of(stimuli.mesh(item)))   # the truth beside it
"""

from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np
import pyvista as pv
import trimesh
from numpy.typing import NDArray

from calibration.objects.render import CREASE_DEG, aim, lit_plotter, shot, smooth
from calibration.objects.view import AMBIENT, DIFFUSE, Pose
from calibration.stimuli import Picture
from engines.generators.base import Surface

STANDING = Pose(yaw_deg=25.0, half_width=1.12)
"""How surfaces stand: seen a little from the side, so that depth shows; all alike, so that shapes can be compared."""


_GREY = 200
# The corners are the tips along x, y, z, then those against them.
_OCTAHEDRON = np.array(
    [(0, 1, 2), (1, 3, 2), (3, 4, 2), (4, 0, 2), (1, 0, 5), (3, 1, 5), (4, 3, 5), (0, 4, 5)], dtype=np.int32
)


class Coloured(Protocol):
    """What a `Surface` and a `Mesh` have in common."""

    @property
    def vertices(self) -> NDArray[np.float32]:
        """(n, 3) within the unit sphere, z up."""
        ...

    @property
    def faces(self) -> NDArray[np.int32]:
        """(m, 3) rows of `vertices`."""
        ...

    @property
    def colours(self) -> Picture:
        """(n, 3) red, green, blue."""
        ...


class SurfaceRenderer:
    """Renders square pictures of `size_px`. Use it in a `with` block: it holds a graphics context.

    Thread: the one that made it.
    """

    def __init__(self, size_px: int) -> None:
        self._plotter = lit_plotter(size_px)
        self._shown: Coloured | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._plotter.close()

    def picture(self, surface: Coloured, turn_deg: float = 0.0, pose: Pose = STANDING) -> Picture:
        """(size_px, size_px, 3): `surface` in `pose`, turned by `turn_deg` (anticlockwise)."""
        if surface is not self._shown:
            self._plotter.clear_actors()
            mesh = _smooth_mesh(surface)
            actor = self._plotter.add_mesh(mesh, scalars="colour", rgb=True, ambient=AMBIENT, diffuse=DIFFUSE)
            actor.prop.interpolation = "phong"
            self._shown = surface
        aim(self._plotter, pose, turn_deg)
        return smooth(shot(self._plotter))

    def ground(self) -> Picture:
        """(size_px, size_px, 3) with nothing on it."""
        self._plotter.clear_actors()
        self._shown = None
        return smooth(shot(self._plotter))


def surface_of(mesh: trimesh.Trimesh) -> Surface:
    """A mesh as a surface, centred and within the unit sphere; corners of faces of different colours are kept apart."""
    faces = np.asarray(mesh.faces)
    if mesh.visual.kind == "face":
        colour_of_corners = np.repeat(np.asarray(mesh.visual.face_colors)[:, :3], 3, axis=0)
    else:
        visual = mesh.visual.to_color() if mesh.visual.kind == "texture" else mesh.visual
        colour_of_corners = np.asarray(visual.vertex_colors)[faces.reshape(-1), :3]
    corners = np.column_stack([faces.reshape(-1), colour_of_corners])
    distinct, place = np.unique(corners, axis=0, return_inverse=True)
    vertices = within_unit_sphere(np.asarray(mesh.vertices))[distinct[:, 0]]
    return Surface(vertices.astype(np.float32), place.reshape(-1, 3).astype(np.int32), distinct[:, 1:].astype(np.uint8))


def surface_of_points(points: NDArray[np.floating[Any]], most: int = 2048, size: float = 0.02) -> Surface:
    """A cloud (n, 3), or (n, 6) with colours from 0 to 1, as a little octahedron for each of at most `most` points."""
    some = points[:: max(1, -(-len(points) // most))]
    tips = size * np.concatenate([np.eye(3), -np.eye(3)])
    vertices = (some[:, None, :3] + tips).reshape(-1, 3)
    faces = (6 * np.arange(len(some))[:, None, None] + _OCTAHEDRON).reshape(-1, 3)
    colours = np.round(255 * some[:, 3:]) if points.shape[1] > 3 else np.full((len(some), 3), _GREY)
    return Surface(vertices.astype(np.float32), faces.astype(np.int32), np.repeat(colours, 6, axis=0).astype(np.uint8))


def within_unit_sphere(vertices: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """`vertices` (n, 3) moved so that the middle of their box is 0, the farthest at distance 1."""
    centred = vertices - (vertices.min(axis=0) + vertices.max(axis=0)) / 2
    return np.asarray(centred / max(float(np.linalg.norm(centred, axis=1).max()), 1e-12), dtype=np.float64)


def _smooth_mesh(surface: Coloured) -> pv.PolyData:
    mesh = pv.PolyData(
        np.asarray(surface.vertices, dtype=np.float64),
        np.column_stack([np.full(len(surface.faces), 3), surface.faces]).ravel(),
    )
    mesh.point_data["colour"] = surface.colours
    return mesh.compute_normals(
        cell_normals=False,
        split_vertices=True,
        feature_angle=CREASE_DEG,
        consistent_normals=False,
        auto_orient_normals=False,
    )
