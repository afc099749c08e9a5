"""Plain figures in the square from -1 to 1: fixation cross, tangrams. Triangles, y upward."""

import numpy as np
from numpy.typing import NDArray

from calibration.protocols.tangrams import Figure

Triangles = NDArray[np.float32]

CROSS = 0.06
LINE = 0.008
FIGURE = 0.75
GAP = 0.985  # a hair between the pieces, so that the seams can be seen


def rectangle(left: float, bottom: float, right: float, top: float) -> Triangles:
    """(6, 2)."""
    return fan(np.array([[left, bottom], [right, bottom], [right, top], [left, top]]))


def cross() -> Triangles:
    """(12, 2) a cross to fixate."""
    return np.concatenate([rectangle(-CROSS, -LINE, CROSS, LINE), rectangle(-LINE, -CROSS, LINE, CROSS)])


def tangram(figure: Figure) -> Triangles:
    """(n, 2) all pieces."""
    return np.concatenate([fan(FIGURE * _shrunk(piece)) for piece in figure.polygons()])


def fan(polygon: NDArray[np.float64]) -> Triangles:
    """(3 * (n - 2), 2) triangles of a convex polygon (n, 2)."""
    n = len(polygon)
    return np.concatenate([polygon[[0, k, k + 1]] for k in range(1, n - 1)]).astype(np.float32)


def _shrunk(piece: NDArray[np.float64]) -> NDArray[np.float64]:
    middle = piece.mean(axis=0)
    return np.asarray(middle + GAP * (piece - middle))
