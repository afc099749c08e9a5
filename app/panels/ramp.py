"""Values as colours: a sequential ramp for what begins at 0, a diverging one for what goes both ways."""

import math

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QColor, QImage, QLinearGradient

from app import theme

N_COLOURS = 256
Pixels = NDArray[np.uint8]


class Ramp:
    """Colours evenly spread from `low` to `high` of a scale, as a share from 0 to 1."""

    def __init__(self, *colours: str) -> None:
        stops = np.array([[QColor(c).red(), QColor(c).green(), QColor(c).blue()] for c in colours], np.float64)
        share, at = np.linspace(0, 1, N_COLOURS), np.linspace(0, 1, len(stops))
        self._rgb = np.stack([np.interp(share, at, stops[:, i]) for i in range(3)], axis=1).round().astype(np.uint8)

    def rgb(self, shares: NDArray[np.floating]) -> Pixels:
        """(..., 3) colours of shares; those beyond the ends get the colours of the ends."""
        numbers = np.clip(np.nan_to_num(shares) * (N_COLOURS - 1), 0, N_COLOURS - 1)
        found: Pixels = self._rgb[numbers.astype(np.intp)]
        return found

    def colour(self, share: float) -> QColor:
        """One colour."""
        return QColor(*self.rgb(np.array(share)).tolist())

    def gradient(self, left: float, right: float) -> QLinearGradient:
        """For painting the ramp itself between two x."""
        made = QLinearGradient(left, 0, right, 0)
        for share in np.linspace(0, 1, 17).tolist():
            made.setColorAt(share, self.colour(share))
        return made


# Dark to light, so that what is strong stands out of the window; their luminance rises evenly.
SEQUENTIAL = Ramp("#232b38", "#26507e", "#2088a5", "#6cc3a0", "#f4e78e")
DIVERGING = Ramp("#7cc4f5", "#2f6ca3", "#232b38", "#b0513f", "#f6b277")
LEFT_OUT = theme.FAINT


def image_of(rgb: Pixels) -> QImage:
    """(height, width, 3) as an image that owns its pixels."""
    height, width, _ = rgb.shape
    held = np.ascontiguousarray(rgb)
    return QImage(held.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()


def round_above(value: float) -> float:
    """The next of ... 1, 2, 5, 10, 20 ... that is not below a positive value."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value * (1 - 1e-9))
