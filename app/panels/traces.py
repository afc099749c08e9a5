"""All channels of the scope as one item: polylines in pixel columns, without a path object for each.

One `PlotCurveItem` a channel costs three times as much at 64 channels (docs/decisions/0081-traces-as-polylines.md).
"""

from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from app.panels.sweep import Trace
from pipeline.types import Array


class Traces(pg.GraphicsObject):
    """Rows of a plot whose y axis counts rows downwards from 0.

    Thread: main only.
    """

    def __init__(self) -> None:
        super().__init__()
        self._box = QRectF(0, 0, 1, 1)
        self._pens: list[QPen] = []
        self._polygons: list[list[QPolygonF]] = []

    def set_geometry(self, span_s: float, n_rows: int) -> None:
        """The coordinates of the plot."""
        self.prepareGeometryChange()
        self._box = QRectF(0, -n_rows - 1, span_s, n_rows + 2)
        self._polygons = []

    def set_colours(self, colours: Sequence[QColor]) -> None:
        """One colour a row."""
        self._pens = [QPen(colour, 0) for colour in colours]
        self.update()

    def set_trace(self, trace: Trace, rows: Array) -> None:
        """Draw `rows` (n_rows, n), in plot coordinates, at the places of `trace`."""
        segments = _segments(trace.connect)
        self._polygons = [[_polygon(trace.x_s[cut], row[cut]) for cut in segments] for row in rows]
        self.update()

    def boundingRect(self) -> QRectF:  # noqa: N802 - Qt's name
        """The whole plot: nothing is asked of the data."""
        return self._box

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """Draw every row."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        for pen, polygons in zip(self._pens, self._polygons, strict=False):
            painter.setPen(pen)
            for polygon in polygons:
                painter.drawPolyline(polygon)


def _segments(connect: NDArray[np.bool_]) -> list[slice]:
    """Stretches of points that are joined."""
    stops = np.flatnonzero(~connect) + 1
    starts = np.concatenate(([0], stops[:-1]))
    return [slice(int(a), int(b)) for a, b in zip(starts, stops, strict=True)]


def _polygon(x: Array, y: Array) -> QPolygonF:
    polygon: QPolygonF = pg.functions.create_qpolygonf(x.size)
    points = pg.functions.ndarray_from_qpolygonf(polygon)
    points[:, 0], points[:, 1] = x, y
    return polygon
