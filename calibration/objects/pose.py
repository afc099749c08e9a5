"""How each object stands in its picture: seen a little from the side, and large or small by chance alone."""

from dataclasses import replace
from functools import lru_cache

import numpy as np

from calibration.objects.draw import Draw
from calibration.objects.solid import Solid, scatter
from calibration.objects.view import Pose, look, project
from pipeline.types import Array

SIZES = (0.31, 0.62)
"""Apparent sizes of pictures; few things are too thin for the largest."""
_AREA_WEIGHT = 0.58
_YAW_DEG = 25.0
_FACING_DEG = {"boat": 50.0, "elephant": 45.0, "giraffe": 50.0, "helicopter": 50.0, "train": 35.0}
"""What is long from front to back is seen half from the side."""
_LEAN_DEG = 45.0
_NEARLY = 0.93
_SLENDER = 0.45
_MARGIN = 0.96
_N_POINTS = 20_000


@lru_cache(maxsize=1024)
def pose_of(solid: Solid) -> Pose:
    """The pose of `solid`: its yaw and its apparent size are drawn alike for all categories.

    A thin thing that would run out of the picture at its size leans, to stand along the diagonal, and is made smaller
    only if that is not enough. Every angle of the turn fits.

    Thread: any.
    """
    draw = Draw("pose", solid.category, solid.number)
    yaw_deg = _FACING_DEG.get(solid.category, 0.0) + draw.between(-_YAW_DEG, _YAW_DEG)
    size = float(np.exp(draw.between(*np.log(SIZES))))
    points = scatter(solid.vertices, solid.faces, _N_POINTS, np.random.default_rng(0))[0]
    upright = _sized(solid, points, Pose(yaw_deg, 0.0, half_width=1.1), size)
    girth = np.hypot(points[:, 0], points[:, 1]).max() / np.abs(points[:, 2]).max()
    if girth > _SLENDER or apparent_size(points, upright) > _NEARLY * size:
        return upright
    return _sized(solid, points, replace(upright, roll_deg=_LEAN_DEG), size)


def apparent_size(points: Array, pose: Pose) -> float:
    """How large a surface of `points` looks, as a share of the picture's side.

    A mean of two sizes, so that neither tells a category: the side of a square as large as the silhouette, and the
    diagonal of its bounding box in diagonals of the picture. Categories differ more in the first, which weighs more.
    """
    seen = look(points, np.zeros(len(points), dtype=np.int64), pose) >= 0
    height, width = (np.ptp(np.flatnonzero(seen.any(axis=axis))) + 1 for axis in (1, 0))
    diagonal = np.hypot(height, width) / np.hypot(*seen.shape)
    return float(np.sqrt(seen.mean()) ** _AREA_WEIGHT * diagonal ** (1 - _AREA_WEIGHT))


def _sized(solid: Solid, points: Array, pose: Pose, size: float) -> Pose:
    """`pose` at the distance where `solid` looks as large as `size`, or as large as the picture can hold."""
    wanted = pose.half_width * apparent_size(points, pose) / size
    reach = max(np.abs(project(solid.vertices, pose, deg)[:, :2]).max() for deg in range(0, 360, 15))
    return replace(pose, half_width=max(wanted, float(pose.half_width * reach) / _MARGIN))
