"""The head from above: an outline, and where the electrodes sit on it."""

import math
from collections.abc import Mapping

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QWidget

from app import theme
from pipeline.montage import Position

# Middle of the template's cap, metres, head frame: Fpz, T7 and T8 lie about 90 degrees from the vertex around it.
CENTRE_M = (0.0, 0.018, 0.03)
RIM_ANGLE = math.radians(94)
# What lies below the rim of the head is drawn nearer to it than it is, so that ears and neck cost little room.
SQUEEZE = 0.85
RIM = 1.22
# From here on the electrodes are many, and drawn smaller.
MANY = 40


def projected(position: Position) -> tuple[float, float]:
    """Azimuthal equidistant projection from above: (x right, y front), 1 at the rim of the head."""
    x, y, z = np.subtract(position, CENTRE_M)
    azimuth = math.atan2(y, x)
    radius = math.atan2(math.hypot(x, y), z) / RIM_ANGLE
    if radius > 1:
        radius = 1 + (radius - 1) * SQUEEZE
    return radius * math.cos(azimuth), radius * math.sin(azimuth)


class Head(QWidget):
    """Outline and places; what is drawn at an electrode is the business of those derived from it.

    Thread: main only.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setMouseTracking(True)
        self._places: dict[str, tuple[float, float]] = {}

    def set_places(self, positions: Mapping[str, Position]) -> None:
        """Where the electrodes sit, metres in the head frame."""
        self._places = {name: projected(position) for name, position in positions.items()}
        self.update()

    def electrode_at(self, point: QPointF) -> str | None:
        """The electrode under a point of the widget."""
        near = 1.4 * self._radius_px
        found = ((_distance(self._to_px(*place), point), name) for name, place in self._places.items())
        distance, name = min(found, default=(math.inf, ""))
        return name if distance <= near else None

    @property
    def _unit_px(self) -> float:
        """Pixels from the vertex to the rim of the head."""
        return min(self.width(), self.height() - 14) / (2 * RIM + 0.06)

    @property
    def _radius_px(self) -> float:
        """Of an electrode."""
        return self._unit_px * (0.078 if len(self._places) > MANY else 0.095)

    def _to_px(self, x: float, y: float) -> QPointF:
        return QPointF(self.width() / 2 + x * self._unit_px, self.height() / 2 + 7 - y * self._unit_px)

    def _paint_head(self, painter: QPainter) -> None:
        painter.setPen(QPen(theme.colour(theme.LINE), 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        nose = [self._to_px(x, y) for x, y in ((-0.1, 0.995), (0.0, 1.11), (0.1, 0.995))]
        painter.drawPolyline(nose)
        for side in (-1, 1):
            centre = self._to_px(side * 1.03, 0.0)
            painter.drawEllipse(centre, 0.045 * self._unit_px, 0.15 * self._unit_px)
        painter.setBrush(theme.colour(theme.SURFACE))
        painter.drawEllipse(self._to_px(0, 0), self._unit_px, self._unit_px)


def _distance(a: QPointF, b: QPointF) -> float:
    return math.hypot(a.x() - b.x(), a.y() - b.y())
