"""How far points are from an object's surface, and which of its parts is next to them: what shape decoders learn.

Thread: any.
"""

import numpy as np
import pyvista as pv
import trimesh
from numpy.typing import NDArray
from scipy.spatial import KDTree

from calibration.objects.solid import Solid, scatter
from pipeline.types import Array

_N_POINTS = 20_000


def signed_distance(solid: Solid, points: Array) -> Array:
    """(n,) distances of `points` (n, 3) from the surface of `solid`, below 0 inside.

    Parts are closed pieces that overlap. Outside, the nearest of all surfaces counts; inside, the distance to the piece
    around the point that reaches deepest, as for any union of solids (a bound where two pieces overlap).
    """
    distances = np.abs(_distance(_surface(solid.vertices, solid.faces), points))
    for piece in _pieces(solid):
        low, high = piece.bounds
        near = np.flatnonzero(((points > low) & (points < high)).all(axis=1))
        if len(near):
            own = _distance(_surface(piece.vertices, piece.faces), points[near])
            within = near[own < 0]
            distances[within] = np.minimum(own[own < 0], np.where(distances[within] < 0, distances[within], 0))
    return distances


def nearest_part(solid: Solid, points: Array) -> NDArray[np.int64]:
    """(n,) number of the part whose surface is next to each of `points` (n, 3), to about a hundredth."""
    on_surface, face = scatter(solid.vertices, solid.faces, _N_POINTS, np.random.default_rng(0))
    return np.asarray(solid.face_parts[face[KDTree(on_surface).query(points)[1]]])


def _pieces(solid: Solid) -> list[trimesh.Trimesh]:
    mesh = trimesh.Trimesh(solid.vertices, solid.faces, process=False)
    mesh.merge_vertices()
    return list(mesh.split(only_watertight=False))


def _surface(vertices: Array, faces: NDArray[np.int64]) -> pv.PolyData:
    return pv.PolyData(np.asarray(vertices), np.column_stack([np.full(len(faces), 3), faces]).ravel())


def _distance(surface: pv.PolyData, points: Array) -> Array:
    # Signs by the nearest face's normal, at edges and corners by the mean one (vtkImplicitPolyDataDistance).
    return np.asarray(pv.PolyData(points).compute_implicit_distance(surface)["implicit_distance"])
