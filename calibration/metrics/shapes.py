"""Shapes against shapes: clouds of points even over both surfaces, centred, the farthest point at distance 1.

    chamfer     mean over a of the squared distance to the nearest of b, plus the same from b (Fan et al. 2017, CVPR)
    chamfer_l1  half the sum of both mean distances (Mescheder et al. 2019, CVPR)
    f_score     harmonic mean of precision and recall at a distance (Tatarchenko et al. 2019, CVPR)

Chamfer distances of different papers are on different scales; compare within one table. Numpy, float64. Thread: any.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from trimesh.registration import icp

from calibration.objects.solid import scatter
from engines.errors import InputError

Array = NDArray[np.float64]

N_POINTS = 8192
THRESHOLDS = (0.02, 0.05, 0.1)
STARTS = 4
"""Turns about the vertical that an alignment is begun from."""

_ALIGNED_BY = 512
_FIRST, _THEN = 10, 40


class Meshed(Protocol):
    """Any surface of triangles: a `Surface`, a `Solid`, a mesh of trimesh."""

    @property
    def vertices(self) -> NDArray[np.floating]:
        """(n, 3), z up."""
        ...

    @property
    def faces(self) -> NDArray[np.integer]:
        """(m, 3) rows of `vertices`."""
        ...


@dataclass(frozen=True)
class ShapeScores:
    """One shape against the truth: Chamfer distances, and F-scores at each of `THRESHOLDS`."""

    chamfer: float
    chamfer_l1: float
    f_scores: tuple[float, ...]


def sampled(surface: Meshed, n: int = N_POINTS, seed: int = 0) -> Array:
    """(n, 3) points even over the surface, centred, within the unit sphere. The same seed gives the same points.

    Raises:
        InputError: the surface has no area.
    """
    vertices, faces = np.asarray(surface.vertices, dtype=np.float64), np.asarray(surface.faces, dtype=np.int64)
    if len(faces) == 0 or not np.ptp(vertices[faces.reshape(-1)], axis=0).any():
        raise InputError(f"expected a surface to put points on, got {len(faces)} faces without area")
    return in_unit_sphere(scatter(vertices, faces, n, np.random.default_rng(seed))[0])


def in_unit_sphere(points: Array) -> Array:
    """(n, 3) moved so that their mean is 0, scaled so that the farthest is at distance 1."""
    centred = points - points.mean(axis=0)
    return np.asarray(centred / np.linalg.norm(centred, axis=1).max())


def chamfer(points_a: Array, points_b: Array) -> float:
    """Squared Chamfer distance of (n, 3) and (m, 3): the sum of both directions."""
    there, back = _nearest(points_a, points_b)
    return _chamfer(there, back)


def chamfer_l1(points_a: Array, points_b: Array) -> float:
    """Chamfer distance of (n, 3) and (m, 3), not squared: the mean of both directions."""
    there, back = _nearest(points_a, points_b)
    return _chamfer_l1(there, back)


def f_score(points_a: Array, points_b: Array, threshold: float) -> float:
    """2 P R / (P + R), P and R the shares of each cloud that have the other within `threshold`; 0 where none has."""
    there, back = _nearest(points_a, points_b)
    return _f_score(there, back, threshold)


def compared(truth: Array, made: Array) -> ShapeScores:
    """All measures of two clouds of points at once."""
    there, back = _nearest(made, truth)
    scores = tuple(_f_score(there, back, threshold) for threshold in THRESHOLDS)
    return ShapeScores(_chamfer(there, back), _chamfer_l1(there, back), scores)


def aligned(made: Array, truth: Array, starts: int = STARTS) -> Array:
    """`made` (n, 3) turned and moved onto `truth` (m, 3), or left where it is when nothing found is nearer.

    Iterative closest points (Besl & McKay 1992, IEEE PAMI 14) on some of the points, without mirroring or scaling, from
    `starts` turns about the vertical, evenly apart, because from one alone it ends in the nearest minimum. The nearest
    by the Chamfer distance of both directions counts: closest points alone are content with a part of the truth.
    """
    few, few_true = _some(made), _some(truth)
    begun = [_closest(few, few_true, _turn(2 * np.pi * i / starts), _FIRST) for i in range(starts)]
    best = min(begun, key=lambda matrix: chamfer(_moved(few, matrix), few_true))
    refined = _closest(few, truth, best, _THEN)
    return min(made, _moved(made, refined), key=lambda points: chamfer(_some(points), truth))


def _some(points: Array) -> Array:
    return points[:: max(1, len(points) // _ALIGNED_BY)]


def _closest(made: Array, truth: Array, start: Array, iterations: int) -> Array:
    matrix: Array = icp(made, truth, start, max_iterations=iterations, reflection=False, scale=False)[0]
    return matrix


def _moved(points: Array, matrix: Array) -> Array:
    return np.asarray(points @ matrix[:3, :3].T + matrix[:3, 3])


def _nearest(points_a: Array, points_b: Array) -> tuple[Array, Array]:
    """Distance from each of a to the nearest of b (n,), and from each of b to the nearest of a (m,)."""
    return cKDTree(points_b).query(points_a)[0], cKDTree(points_a).query(points_b)[0]


def _chamfer(there: Array, back: Array) -> float:
    return float(np.mean(there**2) + np.mean(back**2))


def _chamfer_l1(there: Array, back: Array) -> float:
    return float(there.mean() + back.mean()) / 2


def _f_score(there: Array, back: Array, threshold: float) -> float:
    precision, recall = float(np.mean(there < threshold)), float(np.mean(back < threshold))
    both = precision + recall
    return 2 * precision * recall / both if both > 0 else 0.0


def _turn(angle: float) -> Array:
    """(4, 4) about the vertical."""
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return turn
