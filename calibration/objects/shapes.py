"""The shapes that objects are put together from.

Each is closed, its faces anticlockwise from outside, centred on `at` after being `turned` by degrees about x, then y,
then z. Lengths have no unit: `build` scales the whole object.

Thread: any.
"""

from collections.abc import Sequence

import numpy as np
import trimesh
from numpy.typing import ArrayLike
from scipy.interpolate import CubicSpline
from shapely.geometry import Polygon

from pipeline.types import Array

_SIDES = 24
_TUBE_SIDES = 12
_TUBE_STEPS = 6
_ORIGIN = (0.0, 0.0, 0.0)

Triple = tuple[float, float, float]
Pair = tuple[float, float]


def box(size: Triple, *, at: Triple = _ORIGIN, turned: Triple = _ORIGIN) -> trimesh.Trimesh:
    """A box of edges `size` along x, y and z."""
    return _placed(trimesh.creation.box(extents=size), at, turned)


def ball(radii: float | Triple, *, at: Triple = _ORIGIN, turned: Triple = _ORIGIN) -> trimesh.Trimesh:
    """A ball, or with three radii an ellipsoid."""
    mesh = trimesh.creation.icosphere(subdivisions=2)
    mesh.apply_scale(np.broadcast_to(radii, 3))
    return _placed(mesh, at, turned)


def rod(
    radius: float, length: float, *, at: Triple = _ORIGIN, turned: Triple = _ORIGIN, top: float | None = None
) -> trimesh.Trimesh:
    """A round rod along z that narrows (or widens) to the radius `top` at its upper end; 0 gives a cone."""
    upper = radius if top is None else top
    return lathe([(radius, -length / 2), (upper, length / 2)], at=at, turned=turned)


def hoop(radius: float, thickness: float, *, at: Triple = _ORIGIN, turned: Triple = _ORIGIN) -> trimesh.Trimesh:
    """A ring in the xy plane: `radius` to the middle of a round wire of radius `thickness`."""
    return _placed(trimesh.creation.torus(radius, thickness, _SIDES + 8, _TUBE_SIDES), at, turned)


def lathe(profile: Sequence[Pair], *, at: Triple = _ORIGIN, turned: Triple = _ORIGIN) -> trimesh.Trimesh:
    """The `profile` of (radius, z) turned about z.

    An end away from the axis is closed by a disc; a profile that ends where it began is a ring.
    """
    line = [(float(r), float(z)) for r, z in profile]
    if line[0] != line[-1]:
        line = [(0.0, line[0][1]), *line, (0.0, line[-1][1])]
    line = [point for i, point in enumerate(line) if i == 0 or point != line[i - 1]]
    return _placed(_outward(trimesh.creation.revolve(line, sections=_SIDES)), at, turned)


def slab(
    outline: Sequence[Pair], thickness: float, *, at: Triple = _ORIGIN, turned: Triple = _ORIGIN
) -> trimesh.Trimesh:
    """The polygon `outline` of (x, y), made `thickness` thick along z."""
    return _placed(trimesh.creation.extrude_polygon(Polygon(outline), thickness, mid_plane=True), at, turned)


def tube(points: ArrayLike, radius: ArrayLike, *, closed: bool = False) -> trimesh.Trimesh:
    """A round tube along the smooth curve through `points` (n, 3); `radius` is one number or one for each point."""
    knots = np.asarray(points, dtype=float)
    radii = np.broadcast_to(np.asarray(radius, dtype=float), len(knots))
    if closed:
        knots, radii = np.vstack([knots, knots[:1]]), np.append(radii, radii[0])
    lengths = np.linalg.norm(np.diff(knots, axis=0), axis=1)
    along = np.concatenate([[0.0], np.cumsum(lengths)])
    steps = np.interp(np.linspace(0, len(knots) - 1, _TUBE_STEPS * (len(knots) - 1) + 1), range(len(knots)), along)
    curve = CubicSpline(along, knots, bc_type="periodic" if closed else "natural")
    across, up = _frames(curve(steps, 1), closed=closed)
    angle = np.linspace(0, 2 * np.pi, _TUBE_SIDES, endpoint=False)[:, None, None]
    width = np.interp(steps, along, radii)[:, None]
    rings = (curve(steps) + width * (np.cos(angle) * across + np.sin(angle) * up)).transpose(1, 0, 2)
    return _outward(_sleeve(rings[:-1] if closed else rings, closed=closed))


def joined(*meshes: trimesh.Trimesh) -> trimesh.Trimesh:
    """Several shapes as one."""
    return trimesh.util.concatenate(meshes)


def mirrored(mesh: trimesh.Trimesh, axis: int = 0) -> trimesh.Trimesh:
    """`mesh` as a mirror shows it that stands across `axis` at the origin."""
    flip = np.ones(3)
    flip[axis] = -1
    return trimesh.Trimesh(mesh.vertices * flip, mesh.faces[:, ::-1], process=False)


def _placed(mesh: trimesh.Trimesh, at: Triple, turned: Triple) -> trimesh.Trimesh:
    matrix = trimesh.transformations.euler_matrix(*np.radians(turned), axes="sxyz")
    matrix[:3, 3] = at
    vertices = mesh.vertices @ matrix[:3, :3].T + matrix[:3, 3]
    return trimesh.Trimesh(vertices, mesh.faces, process=False)


def _outward(mesh: trimesh.Trimesh) -> trimesh.Trimesh:
    """`mesh` with its faces reversed if they face inwards."""
    return mesh if mesh.volume > 0 else trimesh.Trimesh(mesh.vertices, mesh.faces[:, ::-1], process=False)


def _frames(tangents: Array, *, closed: bool) -> tuple[Array, Array]:
    """Two directions across each tangent that do not spin about it. Bishop 1975, Am Math Monthly 82:246."""
    tangents = tangents / np.linalg.norm(tangents, axis=1, keepdims=True)
    across = np.empty_like(tangents)
    side = np.eye(3)[np.argmin(np.abs(tangents[0]))]
    for i, tangent in enumerate(tangents):
        side = side - (side @ tangent) * tangent
        side = side / np.linalg.norm(side)
        across[i] = side
    up = np.cross(tangents, across)
    if closed:
        # Carried once round a loop the frame comes back turned: spread that turn over the loop so that its ends meet.
        twist = np.arctan2(across[-1] @ up[0], across[-1] @ across[0])
        back = -twist * np.linspace(0, 1, len(tangents))[:, None]
        across, up = np.cos(back) * across + np.sin(back) * up, np.cos(back) * up - np.sin(back) * across
    return across, up


def _sleeve(rings: Array, *, closed: bool) -> trimesh.Trimesh:
    """Triangles between neighbouring `rings` (n, sides, 3), with a lid on each end of an open one."""
    n, sides = rings.shape[:2]
    i, j = np.meshgrid(np.arange(n if closed else n - 1), np.arange(sides), indexing="ij")
    here, there = i * sides, (i + 1) % n * sides
    a, b, c, d = (x.ravel() for x in (here + j, here + (j + 1) % sides, there + (j + 1) % sides, there + j))
    faces = [np.column_stack([a, b, c]), np.column_stack([a, c, d])]
    vertices = rings.reshape(-1, 3)
    if not closed:
        first, last = n * sides, n * sides + 1
        vertices = np.vstack([vertices, rings[0].mean(axis=0), rings[-1].mean(axis=0)])
        around, onward = np.arange(sides), (np.arange(sides) + 1) % sides
        end = (n - 1) * sides
        faces.append(np.column_stack([onward, around, np.full(sides, first)]))
        faces.append(np.column_stack([end + around, end + onward, np.full(sides, last)]))
    return trimesh.Trimesh(vertices, np.vstack(faces), process=False)
