"""Places for the shapes of an object: on a surface, along a line, in a row.

Thread: any.
"""

from collections.abc import Iterable

import numpy as np
import trimesh
from numpy.typing import ArrayLike

from calibration.objects.categories.forms import placed
from calibration.objects.shapes import Pair, Triple, ball, joined, tube

_ORIGIN = (0.0, 0.0, 0.0)


def on(radii: Triple, azimuth_deg: float, height_deg: float, *, at: Triple = _ORIGIN) -> Triple:
    """The point of the ellipsoid of `radii` about `at` that lies in this direction: 0, 0 the front, 90, 0 the right."""
    azimuth, height = np.radians([azimuth_deg, height_deg])
    x, y, z = np.cos(height) * np.sin(azimuth), -np.cos(height) * np.cos(azimuth), np.sin(height)
    return float(at[0] + radii[0] * x), float(at[1] + radii[1] * y), float(at[2] + radii[2] * z)


def balls(radii: float | Triple, places: Iterable[Triple]) -> trimesh.Trimesh:
    """Equal balls at `places`."""
    return joined(*(ball(radii, at=place) for place in places))


def patch(
    radii: Triple, azimuth_deg: float, height_deg: float, size_deg: float, *, at: Triple = _ORIGIN, corners: int = 6
) -> trimesh.Trimesh:
    """A plate with `corners` on that ellipsoid, `size_deg` from its middle to each; it stands out a little."""
    middle = np.array(on((1, 1, 1), azimuth_deg, height_deg))
    first = np.cross(middle, np.eye(3)[np.argmin(np.abs(middle))])
    first /= np.linalg.norm(first)
    angles = np.linspace(0, 2 * np.pi, corners, endpoint=False)[:, None]
    rim = np.cos(angles) * first + np.sin(angles) * np.cross(middle, first)
    size = np.radians(size_deg)
    top = np.vstack(
        [middle, np.cos(size) * middle + np.sin(size) * rim, np.cos(size / 2) * middle + np.sin(size / 2) * rim]
    )
    return wrapped(np.vstack([1.05 * top, 0.9 * top[1 : corners + 1]]) * radii + at)


def bar(start: Triple, stop: Triple, radius: float) -> trimesh.Trimesh:
    """A straight round bar."""
    return tube([start, stop], radius)


def in_row(mesh: trimesh.Trimesh, n: int, step: Triple) -> trimesh.Trimesh:
    """`n` copies of `mesh`, each `step` from the one before; the row is centred where `mesh` is."""
    offsets = (np.arange(n) - (n - 1) / 2)[:, None] * np.asarray(step)
    return joined(*(placed(mesh, at=(float(x), float(y), float(z))) for x, y, z in offsets))


def wrapped(points: ArrayLike) -> trimesh.Trimesh:
    """The convex hull of `points` (n, 3)."""
    return trimesh.convex.convex_hull(np.asarray(points, dtype=float))


def leaf(length: float, width: float, *, widest: float = 0.5) -> list[Pair]:
    """The outline of a leaf from the origin along x, `widest` at that share of its length."""
    along = np.linspace(0, 1, 13)
    half = width / 2 * np.sin(np.pi * along ** (np.log(0.5) / np.log(widest))).clip(0) ** 0.75
    there = [(float(length * a), float(h)) for a, h in zip(along, half, strict=True)]
    return there + [(x, -y) for x, y in there[-2:0:-1]]
