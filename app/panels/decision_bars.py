"""Probabilities as bars: those of the newest answer, and as outlines what the picture alone had said."""

from typing import NamedTuple

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from app import theme
from pipeline.types import Decision

BAR_PX = 21
LEGEND_PX = 14
NAME_PX, SHARE_PX = 130, 44


class Row(NamedTuple):
    """A class, its probability now, and before; None where there was no answer before."""

    name: str
    now: float
    before: float | None


class Bars(QWidget):
    """Class probabilities of one decision; chance as a thin line.

    All classes in their order where there is room for them, else the most probable first. `compares` keeps room for
    a line that says what the outlines are.

    Thread: main only.
    """

    def __init__(self) -> None:
        super().__init__()
        self.set_classes(2, 2)

    def set_classes(self, n_classes: int, n_bars: int, compares: bool = False) -> None:
        """Make room for `n_bars` of `n_classes`."""
        self._n_bars = max(1, min(n_bars, n_classes))
        self.setFixedHeight(self._n_bars * BAR_PX + (LEGEND_PX if compares else 0))
        self.set_decision(None)

    def set_decision(self, decision: Decision | None, before: Decision | None = None) -> None:
        """The decision to show, and the one of the same trial it is to be compared with."""
        self._decision = decision
        self._rows = self._made_rows(decision, before) if decision is not None else []
        self.setToolTip("\n".join(f"{row.name}  {row.now:.1%}" for row in self._rows))
        self.update()

    def rows(self) -> list[Row]:
        """What is drawn."""
        return self._rows

    def _made_rows(self, decision: Decision, before: Decision | None) -> list[Row]:
        earlier = before.probabilities if before is not None else (None,) * len(decision.classes)
        rows = [Row(*row) for row in zip(decision.classes, decision.probabilities, earlier, strict=True)]
        return rows if len(rows) <= self._n_bars else sorted(rows, key=lambda r: -r.now)[: self._n_bars]

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """One bar a class."""
        if self._decision is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.tabular(9.5))
        metrics = painter.fontMetrics()
        left = min(NAME_PX, max(metrics.horizontalAdvance(row.name) for row in self._rows) + 12)
        width = self.width() - left - SHARE_PX
        for number, row in enumerate(self._rows):
            box = QRectF(left, number * BAR_PX + 4, width, BAR_PX - 8)
            self._paint_row(painter, box, row, row.name == self._decision.top)
        x = left + width / len(self._decision.classes)
        painter.setPen(QPen(theme.colour(theme.MUTED, 0.7), 1, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(x, 0), QPointF(x, self._n_bars * BAR_PX))
        if any(row.before is not None for row in self._rows):
            self._paint_legend(painter, left)
        painter.end()

    def _paint_legend(self, painter: QPainter, left: float) -> None:
        y = self._n_bars * BAR_PX
        painter.setPen(QPen(theme.colour(theme.TEXT, 0.75), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(QRectF(left + 0.5, y + 3.5, 13, 7), 2, 2)
        painter.setFont(theme.font(8))
        painter.setPen(theme.colour(theme.MUTED))
        painter.drawText(QPointF(left + 20, y + 10.5), "from the picture alone")

    def _paint_row(self, painter: QPainter, box: QRectF, row: Row, top: bool) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour(theme.RAISED))
        painter.drawRoundedRect(box, 3, 3)
        painter.setBrush(theme.colour(theme.ACCENT, 1.0 if top else 0.45))
        painter.drawRoundedRect(_filled(box, row.now), 3, 3)
        if row.before is not None:
            painter.setPen(QPen(theme.colour(theme.TEXT, 0.75), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(_filled(box, row.before).adjusted(0.5, -1.5, -0.5, 1.5), 3, 3)
        painter.setPen(theme.colour(theme.TEXT if top else theme.MUTED))
        names = QRectF(0, box.top() - 4, box.left() - 8, BAR_PX)
        text = painter.fontMetrics().elidedText(row.name, Qt.TextElideMode.ElideRight, int(names.width()))
        painter.drawText(names, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)
        numbers = QRectF(box.right() + 4, box.top() - 4, SHARE_PX - 4, BAR_PX)
        painter.drawText(numbers, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, f"{row.now:.0%}")


def _filled(box: QRectF, share: float) -> QRectF:
    return QRectF(box.left(), box.top(), max(2.0, box.width() * share), box.height())
