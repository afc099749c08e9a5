"""Trials side by side, each from its first answer at the bottom to its last at the top."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QHelpEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QToolTip, QWidget

from app import theme
from app.panels.decision_trials import paint_mark
from app.panels.frame import Scored
from pipeline.anytime import Windows

STEP_PX = 20
MARK_PX = 16
LEFT_PX = 52
LINE_PX = STEP_PX - 8
# Where the line of a refined answer begins and how long it is, as shares of LINE_PX.
LINES = {True: (0.0, 1.0, theme.GOOD), False: (0.0, 0.4, theme.BAD), None: (0.35, 0.3, theme.FAINT)}


@dataclass(frozen=True, eq=False)
class Column:
    """The answers of one trial, oldest first.

    `marks` {stage: right} of the first and the last answer, `lines` (share of the turn seen, right) of those between.
    """

    trial: int
    answers: tuple[Scored, ...]
    marks: Mapping[str, bool | None]
    lines: tuple[tuple[float, bool | None], ...]

    @classmethod
    def of(cls, trial: int, answers: Sequence[Scored], windows: Windows) -> "Column":
        """What is drawn of these answers."""
        whole_s = windows.seen_s(windows.n_dynamic)
        marks = {s.decision.stage: s.right for s in answers if s.decision.stage != "refined"}
        refined = (s for s in answers if s.decision.stage == "refined")
        lines = tuple((windows.seen_s(s.decision.n_dynamic) / whole_s, s.right) for s in refined)
        return cls(trial, tuple(answers), marks, lines)


class Timeline(QWidget):
    """One column a trial: a mark for the picture alone, a line for each refined answer, a mark for the whole turn.

    Right: a tick, lines as wide as the column. Wrong: a cross, short lines at the left. Unknown: a dot, short lines in
    the middle. The newest trial is at the right.

    Thread: main only.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setMinimumHeight(64)
        self.setMouseTracking(True)
        self._windows: Windows | None = None
        self._columns: tuple[Column, ...] = ()

    def set_windows(self, windows: Windows | None) -> None:
        """Start anew."""
        self._windows = windows
        self._columns = ()
        self.update()

    def set_scored(self, scored: Sequence[Scored]) -> None:
        """Decisions, oldest first; the newest trials that fit are drawn."""
        if self._windows is None:
            return
        of: dict[int, list[Scored]] = {}
        for one in scored:
            of.setdefault(one.decision.trial, []).append(one)
        before = {column.trial: column for column in self._columns}
        made = []
        for trial, answers in sorted(of.items()):
            known = before.get(trial)
            same = known is not None and len(known.answers) == len(answers)
            made.append(known if known and same else Column.of(trial, answers, self._windows))
        # As long as a trial goes on, its column alone has to be painted.
        goes_on = list(before) == [column.trial for column in made] and made[:-1] == list(self._columns[:-1])
        self._columns = tuple(made)
        self.update(QRect(self.width() - STEP_PX, 0, STEP_PX, self.height()) if goes_on else self.rect())

    def columns(self) -> tuple[Column, ...]:
        """What is drawn, oldest first."""
        n = max(1, int((self.width() - LEFT_PX) / STEP_PX))
        return self._columns[-n:]

    def column_at(self, x: float) -> Column | None:
        """The trial drawn there."""
        columns = self.columns()
        number = int((x - self._left(len(columns))) // STEP_PX)
        return columns[number] if 0 <= number < len(columns) and x >= LEFT_PX else None

    def told(self, column: Column) -> str:
        """A trial in words, its last answer first."""
        lines = [self._line(s) for s in reversed(column.answers)]
        true = column.answers[-1].true
        head = f"<b>Trial {column.trial + 1}</b>" + (f" · was {true}" if column.answers[-1].right is not None else "")
        return "<br>".join([head, *lines])

    def _line(self, scored: Scored) -> str:
        decision = scored.decision
        mark = {True: "✓", False: "×", None: "·"}[scored.right]
        seen = self._windows.seen_s(decision.n_dynamic) if self._windows else 0.0
        when = f" {seen:.1f} s" if decision.stage == "refined" else ""
        colour = f", {decision.top_colour}" if decision.top_colour else ""
        return f"{mark} {decision.stage}{when}: {decision.top} {max(decision.probabilities):.0%}{colour}"

    def event(self, event: QEvent) -> bool:
        """Tell the trial under the mouse."""
        if isinstance(event, QHelpEvent):
            column = self.column_at(event.pos().x())
            QToolTip.showText(event.globalPos(), self.told(column) if column else "", self)
            return True
        return super().event(event)

    def _left(self, n_columns: int) -> float:
        return self.width() - n_columns * STEP_PX

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """The axis, and a column a trial."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.font(8.5))
        painter.setPen(theme.colour(theme.FAINT))
        right = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        middle = QRectF(0, MARK_PX, LEFT_PX, self.height() - 2 * MARK_PX)
        painter.drawText(QRectF(0, 0, LEFT_PX, MARK_PX), right, "fused")
        painter.drawText(middle, right, "refined")
        painter.drawText(QRectF(0, self.height() - MARK_PX, LEFT_PX, MARK_PX), right, "static")
        columns = self.columns()
        left = self._left(len(columns))
        for number, column in enumerate(columns):
            x = left + number * STEP_PX
            if x + STEP_PX > event.rect().left():
                self._paint_column(painter, x, column, last=number == len(columns) - 1)
        painter.end()

    def _paint_column(self, painter: QPainter, x: float, column: Column, last: bool) -> None:
        if last:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour(theme.RAISED))
            painter.drawRoundedRect(QRectF(x, 0, STEP_PX, self.height()), 4, 4)
        for stage, y in (("static", self.height() - MARK_PX / 2), ("fused", MARK_PX / 2)):
            if stage in column.marks:
                paint_mark(painter, QPointF(x + STEP_PX / 2, y), 4.2, column.marks[stage])
        room = self.height() - 2 * MARK_PX - 4
        thick = max(1.2, min(3.0, room / 22))
        for share, right in column.lines:
            y = self.height() - MARK_PX - 2 - share * room
            start, length, colour = LINES[right]
            painter.setPen(QPen(theme.colour(colour), thick, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap))
            left = x + 4 + start * LINE_PX
            painter.drawLine(QPointF(left, y), QPointF(left + length * LINE_PX, y))
