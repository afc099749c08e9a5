"""How the camera sees an object: the same geometry for planning a picture and for rendering it.

Thread: any.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.types import Array

ELEVATION_DEG = 25.0
DISTANCE = 6.0
"""From the camera to the object's centre, in object radii: far enough for mild perspective."""

LIGHTS = (((-0.5, 0.4, 1.0), 0.7), ((0.8, -0.2, 1.0), 0.25))
"""Where the light comes from (to the right, up, towards the camera) and how much of it; it stays with the camera."""
AMBIENT, DIFFUSE = 0.52, 0.56
"""How much of a part's colour is seen without light, and how much more in full light from straight ahead."""

_NOWHERE = -1


@dataclass(frozen=True)
class Pose:
    """How an object stands in its picture.

    `yaw_deg` turns it about its own vertical, `roll_deg` leans the picture (clockwise), and `half_width` is how many
    object radii lie between the middle of the picture and its edge.
    """

    yaw_deg: float = 0.0
    roll_deg: float = 0.0
    half_width: float = 1.25


def project(points: Array, pose: Pose, turn_deg: float = 0.0) -> Array:
    """`points` (n, 3) as seen: x to the right and y up from -1 to 1 in the picture, and the depth from the camera."""
    yaw, roll, rise = np.radians([pose.yaw_deg + turn_deg, pose.roll_deg, ELEVATION_DEG])
    x = np.cos(yaw) * points[:, 0] - np.sin(yaw) * points[:, 1]
    away = np.sin(yaw) * points[:, 0] + np.cos(yaw) * points[:, 1]
    up = np.cos(rise) * points[:, 2] + np.sin(rise) * away
    depth = DISTANCE + np.cos(rise) * away - np.sin(rise) * points[:, 2]
    right, top = np.cos(roll) * x + np.sin(roll) * up, np.cos(roll) * up - np.sin(roll) * x
    near = DISTANCE / (pose.half_width * depth)
    return np.column_stack([near * right, near * top, depth])


def look(
    points: Array, marks: NDArray[np.int64], pose: Pose, turn_deg: float = 0.0, size: int = 48
) -> NDArray[np.int64]:
    """A coarse picture (size, size), top row first: the mark of the nearest of the points in each cell, -1 in none.

    `points` (n, 3) must lie densely on a surface.
    """
    seen = project(points, pose, turn_deg)
    column, row = np.floor((seen[:, :2] + 1) / 2 * size).astype(int).T
    inside = (column >= 0) & (column < size) & (row >= 0) & (row < size)
    nearest_last = np.flatnonzero(inside)[np.argsort(-seen[inside, 2], kind="stable")]
    picture = np.full((size, size), _NOWHERE)
    # Of several values for one cell, numpy keeps the last.
    picture[size - 1 - row[nearest_last], column[nearest_last]] = marks[nearest_last]
    return picture
