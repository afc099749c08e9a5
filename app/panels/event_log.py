"""Everything that happened to the stream, the recording and the workers, with times."""

import time
from collections.abc import Sequence

from PySide6.QtGui import QFontMetricsF, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QDockWidget, QFrame, QHBoxLayout, QLabel, QPlainTextEdit, QToolButton, QWidget

from app import theme
from pipeline.types import SourceEvent

MAX_LINES = 2000
TAB_PX = 80
ALARMING = {"lost", "stream_lost", "changed", "overrun", "ambiguous", "failed"}
DOUBTFUL = {"stalled", "marker_stream_lost", "package_loss", "duplicate_identity", "no_clock_offset", "unverified"}


class EventLog(QDockWidget):
    """Time of day, kind, words.

    Thread: main only.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Event Log", parent)
        self.setObjectName("event_log")
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setMaximumBlockCount(MAX_LINES)
        self.text.setFont(theme.tabular(9.5))
        self.text.setStyleSheet("border: none; border-radius: 0;")
        self.text.setTabStopDistance(TAB_PX)
        self.setWidget(self.text)
        self.setTitleBarWidget(self._title())
        self.setMinimumHeight(110)
        self._seen: tuple[SourceEvent, ...] = ()

    def _title(self) -> QWidget:
        bar, name, hide = QFrame(), QLabel("Event Log"), QToolButton()
        theme.set_role(bar, "foot")
        theme.set_role(name, "muted")
        hide.setText("Hide")
        hide.clicked.connect(self.hide)
        theme.keep_off_keyboard(hide)
        layout = QHBoxLayout(bar)
        layout.setContentsMargins(16, 4, 16, 4)
        layout.addWidget(name, 1)
        layout.addWidget(hide)
        return bar

    def clear(self) -> None:
        """A new session."""
        self.text.clear()
        self._seen = ()

    def set_events(self, events: Sequence[SourceEvent]) -> None:
        """The newest events, oldest first; those not yet shown are added."""
        events = tuple(events)
        if events == self._seen:
            return
        for event in _new(events, self._seen):
            self.add(event.kind, event.text, event.n)
        self._seen = events

    def add(self, kind: str, text: str, n: int = 0) -> None:
        """One line, at the time it was seen here."""
        style = QTextCharFormat()
        name = theme.BAD if kind in ALARMING else theme.WARN if kind in DOUBTFUL else theme.TEXT
        style.setForeground(theme.colour(name))
        lost = f" ({n} samples)" if n else ""
        cursor = self.text.textCursor()
        cursor.movePosition(QTextCursor.MoveOperation.End)
        if not self.text.document().isEmpty():
            cursor.insertBlock()
        # Short kinds reach the second tab stop only, and the words shall stand in one column.
        words = kind.replace("_", " ")
        tabs = "\t" if QFontMetricsF(self.text.font()).horizontalAdvance(words) >= TAB_PX else "\t\t"
        cursor.insertText(f"{time.strftime('%H:%M:%S')}\t{words}{tabs}{text}{lost}", style)
        self.text.ensureCursorVisible()

    def lines(self) -> list[str]:
        """What is shown."""
        text = self.text.toPlainText()
        return text.splitlines()


def _new(events: tuple[SourceEvent, ...], seen: tuple[SourceEvent, ...]) -> tuple[SourceEvent, ...]:
    """What follows the last event seen; both are tails of one growing list."""
    for start in range(len(events), -1, -1):
        head = events[:start]
        if not head or (seen and head[-1] is seen[-1]):
            return events[start:]
    return events
