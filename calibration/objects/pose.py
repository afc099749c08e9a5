"""How each object stands in its picture: seen a little from the side, and large or small by chance alone."""

from functools import lru_cache

import numpy as np

from calibration.objects.draw import Draw
from calibration.objects.solid import Solid, scatter
from calibration.objects.view import Pose, look, project
from pipeline.types import Array

SIZES = (0.42, 0.66)
_YAW_DEG = 25.0
_SLENDER = 0.42
_LEAN_DEG = 45.0
_MARGIN = 0.96
_N_POINTS = 20_000


@lru_cache(maxsize=1024)
def pose_of(solid: Solid) -> Pose:
    """The pose of `solid`: its yaw and its apparent size are drawn alike for all categories.

    A size is the geometric mean of two: the side of a square as large as the silhouette, and the diagonal of its
    bounding box, both in units of the picture's. Thin things, which would otherwise run out of the picture, lean to
    stand along its diagonal.

    Thread: any.
    """
    draw = Draw("pose", solid.category, solid.number)
    yaw_deg, size = draw.between(-_YAW_DEG, _YAW_DEG), float(np.exp(draw.between(*np.log(SIZES))))
    points = scatter(solid.vertices, solid.faces, _N_POINTS, np.random.default_rng(0))[0]
    girth = np.hypot(points[:, 0], points[:, 1]).max() / np.abs(points[:, 2]).max()
    whole = Pose(yaw_deg, _LEAN_DEG if girth < _SLENDER else 0.0, half_width=1.1)
    half_width = max(whole.half_width * apparent_size(points, whole) / size, _widest(solid, whole) / _MARGIN)
    return Pose(whole.yaw_deg, whole.roll_deg, half_width)


def apparent_size(points: Array, pose: Pose) -> float:
    """How large a surface of `points` looks, as a share of the picture's side."""
    seen = look(points, np.zeros(len(points), dtype=np.int64), pose) >= 0
    height, width = (np.ptp(np.flatnonzero(seen.any(axis=axis))) + 1 for axis in (1, 0))
    return float(np.sqrt(np.sqrt(seen.mean()) * np.hypot(height, width) / np.hypot(*seen.shape)))


def _widest(solid: Solid, pose: Pose) -> float:
    """The half width of a picture that `solid` just fills at some angle of its turn."""
    reach = max(np.abs(project(solid.vertices, pose, deg)[:, :2]).max() for deg in range(0, 360, 15))
    return float(pose.half_width * reach)
