"""Outlines and moves that the categories share.

Thread: any.
"""

from collections.abc import Sequence

import numpy as np
import trimesh
from scipy.interpolate import CubicSpline

from calibration.objects.shapes import Pair, Triple, joined, mirrored

_ORIGIN = (0.0, 0.0, 0.0)


def placed(mesh: trimesh.Trimesh, *, at: Triple = _ORIGIN, turned: Triple = _ORIGIN) -> trimesh.Trimesh:
    """`mesh` turned by degrees about x, then y, then z, and moved by `at`."""
    matrix = trimesh.transformations.euler_matrix(*np.radians(turned), axes="sxyz")
    matrix[:3, 3] = at
    return trimesh.Trimesh(mesh.vertices @ matrix[:3, :3].T + matrix[:3, 3], mesh.faces, process=False)


def posed(
    parts: dict[str, trimesh.Trimesh], *, at: Triple = _ORIGIN, turned: Triple = _ORIGIN
) -> dict[str, trimesh.Trimesh]:
    """All of `parts` `placed` alike."""
    return {name: placed(mesh, at=at, turned=turned) for name, mesh in parts.items()}


def stretched(mesh: trimesh.Trimesh, factors: Triple) -> trimesh.Trimesh:
    """`mesh` drawn out from the origin along x, y and z."""
    return trimesh.Trimesh(mesh.vertices * np.asarray(factors), mesh.faces, process=False)


def around(mesh: trimesh.Trimesh, n: int) -> trimesh.Trimesh:
    """`n` copies of `mesh` evenly about the z axis."""
    return joined(*(placed(mesh, turned=(0, 0, 360 * i / n)) for i in range(n)))


def both(mesh: trimesh.Trimesh, axis: int = 0) -> trimesh.Trimesh:
    """`mesh` and what a mirror across `axis` at the origin shows of it."""
    return joined(mesh, mirrored(mesh, axis))


def oval(across: float, up: float, *, n: int = 24) -> list[Pair]:
    """An ellipse about the origin with these radii."""
    angles = np.linspace(0, 2 * np.pi, n, endpoint=False)
    return [(float(across * np.cos(a)), float(up * np.sin(a))) for a in angles]


def arched(wide: float, high: float, rise: float) -> list[Pair]:
    """A doorway on the x axis from its left foot to its right: upright to `high`, then an arch of height `rise`."""
    angles = np.linspace(np.pi, 0, 13)
    return [
        (-wide / 2, 0.0),
        *((float(wide / 2 * np.cos(a)), float(high + rise * np.sin(a))) for a in angles),
        (wide / 2, 0.0),
    ]


def smooth(points: Sequence[Pair], *, n: int = 24) -> list[Pair]:
    """`n` points on a smooth curve through `points`."""
    knots = np.asarray(points, dtype=float)
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(knots, axis=0), axis=1))])
    return [(float(x), float(y)) for x, y in CubicSpline(along, knots)(np.linspace(0, along[-1], n))]


def symmetric(half: Sequence[Pair]) -> list[Pair]:
    """The outline whose right side is `half`, from below upwards, and whose left side mirrors it."""
    return [*half, *((-x, y) for x, y in reversed(half) if x > 0)]
