"""How far a trial has come: the picture, the turn second by second, the whole turn."""

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from app import theme
from pipeline.anytime import Windows
from pipeline.types import Decision

KNOB_PX = 5.0


def words(decision: Decision, windows: Windows) -> str:
    """The stage of an answer and what it has seen."""
    seen_s, whole_s = windows.seen_s(decision.n_dynamic), windows.seen_s(windows.n_dynamic)
    return {
        "static": "static · the picture alone",
        "refined": f"refined · {seen_s:.1f} of {whole_s:.1f} s of turn",
        "fused": f"fused · all {whole_s:.1f} s of turn",
    }[decision.stage]


class StageTrack(QWidget):
    """A knob for the picture, a line for the turn with a notch at each answer, a knob for its end.

    Bright is what the newest answer has seen, dim how far the object has turned since.

    Thread: main only.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(12)
        self.setToolTip("Left: the answer to the picture. Notches: answers as the object turns. Right: the whole turn.")
        self._state: tuple[Windows, Decision, float] | None = None

    def set_state(self, windows: Windows | None, decision: Decision | None, turned_s: float) -> None:
        """The newest answer, and the seconds the object has turned by now; 0 before."""
        state = (windows, decision, round(turned_s, 1)) if windows and decision else None
        if state != self._state:
            self._state = state
            self.update()

    @property
    def shares(self) -> tuple[float, float]:
        """How much of the turn the newest answer has seen, and how much of it there was; 0 to 1."""
        if self._state is None:
            return 0.0, 0.0
        windows, decision, turned_s = self._state
        whole_s = windows.seen_s(windows.n_dynamic)
        seen = windows.seen_s(decision.n_dynamic) / whole_s
        return seen, min(1.0, max(seen, turned_s / whole_s))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """The track."""
        if self._state is None:
            return
        windows, decision, _ = self._state
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        y, left, right = self.height() / 2, KNOB_PX + 1, self.width() - KNOB_PX - 1
        line = QRectF(left + 2 * KNOB_PX, y - 1.5, right - left - 4 * KNOB_PX, 3)
        seen, turned = self.shares
        painter.setPen(Qt.PenStyle.NoPen)
        for share, colour in ((1.0, theme.colour(theme.LINE)), (turned, theme.colour(theme.ACCENT, 0.35))):
            painter.fillRect(QRectF(line.left(), line.top(), line.width() * share, 3), colour)
        painter.fillRect(QRectF(line.left(), line.top(), line.width() * seen, 3), theme.colour(theme.ACCENT))
        for n in windows.steps[:-1]:
            share = windows.seen_s(n) / windows.seen_s(windows.n_dynamic)
            painter.setPen(QPen(theme.colour(theme.ACCENT if share <= seen + 1e-9 else theme.FAINT), 1.4))
            x = line.left() + line.width() * share
            painter.drawLine(QPointF(x, y - 4), QPointF(x, y + 4))
        _paint_knob(painter, QPointF(left, y), True)
        _paint_knob(painter, QPointF(right, y), decision.stage == "fused")
        painter.end()


def _paint_knob(painter: QPainter, centre: QPointF, filled: bool) -> None:
    painter.setPen(QPen(theme.colour(theme.ACCENT if filled else theme.FAINT), 1.6))
    painter.setBrush(theme.colour(theme.ACCENT if filled else theme.SURFACE))
    painter.drawEllipse(centre, KNOB_PX - 1, KNOB_PX - 1)
