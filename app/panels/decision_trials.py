"""The last trials in a row, and the marks of right, wrong and unknown."""

from collections.abc import Sequence

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from app import theme
from app.panels.frame import Scored

MAX_TRIALS = 24


class Trials(QWidget):
    """The last trials: a tick where the answer was right, a cross where it was wrong, a dot where nobody knows.

    Thread: main only.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(18)
        self._scored: tuple[Scored, ...] = ()

    def set_scored(self, scored: Sequence[Scored]) -> None:
        """Decisions, oldest first; the newest that fit are drawn."""
        self._scored = tuple(scored)[-MAX_TRIALS:]
        lines = [f"trial {s.decision.trial + 1}: {s.decision.top}  {truth(s)}" for s in reversed(self._scored)]
        self.setToolTip("\n".join(lines))
        self.update()

    def marks(self) -> str:
        """The row as text."""
        return "".join({True: "✓", False: "×", None: "·"}[s.right] for s in self._scored)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """One mark a trial, the newest at the right."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        step = self.width() / MAX_TRIALS
        first = self.width() - step * len(self._scored)
        for number, scored in enumerate(self._scored):
            centre = QPointF(first + (number + 0.5) * step, self.height() / 2)
            paint_mark(painter, centre, min(5.0, step * 0.36), scored.right)
        painter.end()


def truth(scored: Scored) -> str:
    """What was true, as a mark and a word; "" where nobody knows."""
    return {True: "✓ right", False: f"× was {scored.true}", None: ""}[scored.right]


def paint_mark(painter: QPainter, centre: QPointF, size: float, right: bool | None) -> None:
    """A tick, a cross or a dot of `size` pixels each way."""
    x, y = centre.x(), centre.y()
    if right is None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour(theme.FAINT))
        painter.drawEllipse(centre, size * 0.5, size * 0.5)
        return
    painter.setPen(
        QPen(theme.colour(theme.GOOD if right else theme.BAD), 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap)
    )
    if right:
        painter.drawPolyline(
            [QPointF(x - size, y), QPointF(x - size * 0.2, y + size * 0.8), QPointF(x + size, y - size)]
        )
    else:
        painter.drawLine(QPointF(x - size * 0.8, y - size * 0.8), QPointF(x + size * 0.8, y + size * 0.8))
        painter.drawLine(QPointF(x - size * 0.8, y + size * 0.8), QPointF(x + size * 0.8, y - size * 0.8))
