"""Running balanced accuracy: a line a stage, the interval now, and chance."""

from collections.abc import Mapping

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from app import theme
from app.panels.frame import Score

MAX_POINTS = 2000
TOPS = (0.25, 0.5, 1.0)
# The line of each stage: the last answer stands out, the first is told from it by its dots too.
LINES = {
    "single": (theme.ACCENT, 1.8, Qt.PenStyle.SolidLine),
    "static": (theme.TRACE, 1.4, Qt.PenStyle.DotLine),
    "fused": (theme.ACCENT, 1.8, Qt.PenStyle.SolidLine),
}
LABEL_PX = 90


class Curve(QWidget):
    """Accuracy over trials by stage, chance dashed.

    Thread: main only.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setMinimumHeight(38)
        self.clear()

    def clear(self) -> None:
        """Start anew."""
        self._points: dict[str, list[tuple[int, float]]] = {}
        self._scores: Mapping[str, Score] = {}
        self.update()

    def set_scores(self, scores: Mapping[str, Score]) -> None:
        """Add the newest values."""
        if scores == self._scores:
            return
        self._scores = scores
        for stage, score in scores.items():
            points = self._points.setdefault(stage, [])
            if not points or points[-1][0] != score.n:
                points.append((score.n, score.mean))
            if len(points) > MAX_POINTS:
                self._points[stage] = points[::2]
        self.update()

    @property
    def top(self) -> float:
        """Where the axis ends: no higher than what is drawn needs, so that many classes have room too."""
        highest = max((score.high for score in self._scores.values()), default=1.0)
        highest = max([highest, *(mean for points in self._points.values() for _, mean in points)])
        return next(top for top in TOPS if highest <= top or top == TOPS[-1])

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Lines between the axis' ends, both marked where the axis does not go to 100 %."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.font(8.5))
        box = QRectF(0, 4, self.width() - LABEL_PX, self.height() - 8)
        painter.setPen(QPen(theme.colour(theme.LINE), 1))
        painter.drawLine(box.bottomLeft(), box.bottomRight())
        painter.drawLine(box.topLeft(), box.topRight())
        if self._scores:
            top = self.top
            painter.setPen(theme.colour(theme.FAINT))
            painter.drawText(QPointF(box.right() + 10, box.top() + 6), f"{top:.0%}")
            self._paint_chance(painter, box, next(iter(self._scores.values())).chance, top)
            n_most = max(2, *(score.n for score in self._scores.values()), 2)
            for stage, score in self._scores.items():
                self._paint_line(painter, box, stage, score, n_most, top)
        painter.end()

    def _paint_chance(self, painter: QPainter, box: QRectF, chance: float, top: float) -> None:
        y = _y(box, chance / top)
        painter.setPen(QPen(theme.colour(theme.MUTED), 1, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(box.left(), y), QPointF(box.right(), y))
        at = QPointF(box.right() + 10, min(y + 4, box.bottom() + 3))
        painter.drawText(at, f"chance {100 * chance:.3g}%")

    def _paint_line(self, painter: QPainter, box: QRectF, stage: str, score: Score, n_most: int, top: float) -> None:
        colour, width, style = LINES[stage]
        high, low = _y(box, score.high / top), _y(box, score.low / top)
        x = box.left() + (score.n - 1) / (n_most - 1) * box.width()
        painter.fillRect(QRectF(x - 3, high, 6, low - high), theme.colour(colour, 0.35))
        painter.setPen(QPen(theme.colour(colour), width, style))
        points = [
            QPointF(box.left() + (n - 1) / (n_most - 1) * box.width(), _y(box, mean / top))
            for n, mean in self._points[stage]
        ]
        painter.drawPolyline(QPolygonF(points))


def _y(box: QRectF, share: float) -> float:
    return box.bottom() - share * box.height()
