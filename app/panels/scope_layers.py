"""Around and over the traces of the scope: channel names, cursor, marker lines, gaps, scale bar.

Objects are made once and used again.
"""

from collections.abc import Sequence

import pyqtgraph as pg
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from app import theme

AXIS_PX = 26
LABELS_PX = 74
# Space above the first channel, where marker labels stand on two levels.
HEAD_PX, LEVEL_PX = 34, 15
MAX_LABEL = 18
# Room at both sides of a label.
MARGIN_PX = 8


class RowLabels(QWidget):
    """Channel names beside their rows: two staggered columns where rows are low, bad ones red and marked."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedWidth(LABELS_PX)
        self._names: tuple[str, ...] = ()
        self._bads: frozenset[str] = frozenset()
        self._head = 1.0

    def set_rows(self, names: Sequence[str], bads: frozenset[str]) -> None:
        """Names from top to bottom."""
        self._names, self._bads = tuple(names), bads
        self.update()

    def set_geometry(self, head: float) -> None:
        """Rows of free space above the first one."""
        self._head = head

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw the names."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        row_px = (self.height() - AXIS_PX) / (max(1, len(self._names)) + self._head)
        staggered = row_px < 15
        painter.setFont(theme.font(min(10.0, max(7.5, row_px * (0.72 if staggered else 0.6)))))
        metrics = QFontMetricsF(painter.font())
        for number, name in enumerate(self._names):
            y = (number + 0.5 + self._head) * row_px
            right = LABELS_PX - 8 - (32 if staggered and number % 2 == 0 else 0)
            painter.setPen(theme.colour(theme.BAD if name in self._bads else theme.MUTED))
            text = ("× " if name in self._bads and not staggered else "") + name
            room = right if not staggered or number % 2 == 0 else 32
            shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room)
            box = QRectF(right - room, y - metrics.height() / 2, room, metrics.height())
            painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, shown)
        painter.end()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """As wide as two columns of names."""
        return QSize(LABELS_PX, 200)


class Layers:
    """What lies over the traces: cursor, marker lines, gaps, scale bar."""

    def __init__(self, plot: pg.PlotWidget) -> None:
        self._plot = plot
        self._span_s, self._head = 10.0, 1.0
        self._cursor = pg.InfiniteLine(angle=90, pen=pg.mkPen(theme.colour(theme.ACCENT, 0.8), width=1))
        self._cursor.hide()
        plot.addItem(self._cursor)
        self._lines: list[pg.InfiniteLine] = []
        self._texts: list[pg.TextItem] = []
        self._metrics = QFontMetricsF(theme.font(8.5))
        self._gaps: list[pg.LinearRegionItem] = []
        self._bar = pg.PlotCurveItem(pen=pg.mkPen(theme.TEXT, width=2))
        self._bar_text = pg.TextItem(color=theme.TEXT, anchor=(1, 0.5), fill=theme.colour(theme.GROUND, 0.8))
        self._bar_text.setFont(theme.font(9))
        for item in (self._bar, self._bar_text):
            item.setZValue(50)
            plot.addItem(item)

    def set_geometry(self, span_s: float, head: float) -> None:
        """The coordinates of the plot."""
        self._span_s, self._head = span_s, head

    def show_cursor(self, x_s: float | None) -> None:
        """Where the newest sample stands."""
        self._cursor.setVisible(x_s is not None)
        if x_s is not None:
            self._cursor.setValue(x_s)

    def show_markers(self, places: Sequence[tuple[float, str, int]]) -> None:
        """Lines at x with a label on level 0 or 1, oldest first; a label that would cover a newer one is left out."""
        while len(self._lines) < len(places):
            self._add_marker()
        free = uncovered([(*self._extent(x_s, label), level) for x_s, label, level in places])
        for number, (line, text) in enumerate(zip(self._lines, self._texts, strict=True)):
            seen = number < len(places)
            line.setVisible(seen)
            text.setVisible(seen and free[number])
            if seen:
                x_s, label, level = places[number]
                line.setValue(x_s)
                if text.toPlainText() != (short := _short(label)):
                    text.setText(short)
                text.setAnchor((1 if self._near_edge(x_s) else 0, 0))
                text.setPos(x_s, self._head * (1 - level * LEVEL_PX / HEAD_PX))

    def _near_edge(self, x_s: float) -> bool:
        return x_s > 0.9 * self._span_s

    def _extent(self, x_s: float, label: str) -> tuple[float, float]:
        """From where to where a label stands: to the right of its line, near the right edge to its left."""
        width_px = self._metrics.horizontalAdvance(_short(label)) + MARGIN_PX
        width_s = width_px * self._span_s / max(1.0, self._plot.getViewBox().width())
        return (x_s - width_s, x_s) if self._near_edge(x_s) else (x_s, x_s + width_s)

    def show_gaps(self, places: Sequence[tuple[float, float]]) -> None:
        """Hatched regions from start to stop."""
        while len(self._gaps) < len(places):
            brush = pg.mkBrush(theme.colour(theme.WARN, 0.35))
            brush.setStyle(Qt.BrushStyle.BDiagPattern)
            region = pg.LinearRegionItem(movable=False, brush=brush, pen=pg.mkPen(theme.colour(theme.WARN, 0.5)))
            region.setZValue(-10)
            self._plot.addItem(region)
            self._gaps.append(region)
        for number, region in enumerate(self._gaps):
            region.setVisible(number < len(places))
            if number < len(places):
                region.setRegion(places[number])

    def show_scale(self, scale_uv: float, unit: str, n_rows: int) -> None:
        """A bar of a round height, in the lower right corner."""
        rows = max(1, round(n_rows / 16))
        x_s, bottom = self._span_s * 0.993, -max(1, n_rows) + 0.4 * rows
        self._bar.setData([x_s, x_s], [bottom, bottom + rows])
        self._bar_text.setText(f"{scale_uv * rows:,.0f} {unit}".replace(",", "\u2009"))
        self._bar_text.setPos(x_s - 0.006 * self._span_s, bottom + rows / 2)

    def _add_marker(self) -> None:
        line = pg.InfiniteLine(angle=90, pen=pg.mkPen(theme.colour(theme.SIMULATED, 0.55), width=1))
        text = pg.TextItem(color=theme.SIMULATED, anchor=(0, 0))
        text.setFont(theme.font(8.5))
        for item in (line, text):
            self._plot.addItem(item)
        self._lines.append(line)
        self._texts.append(text)


def uncovered(extents: Sequence[tuple[float, float, int]]) -> list[bool]:
    """Which of (start, stop, level), oldest first, overlap no newer one that is shown on their level."""
    shown: list[tuple[float, float, int]] = []
    free = []
    for start, stop, level in reversed(extents):
        free.append(all(level != other or stop <= left or right <= start for left, right, other in shown))
        if free[-1]:
            shown.append((start, stop, level))
    return free[::-1]


def _short(label: str) -> str:
    return label if len(label) <= MAX_LABEL else label[: MAX_LABEL - 1] + "…"
