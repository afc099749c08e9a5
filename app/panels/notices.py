"""What the user must know now, and what can be done about it: one line each, the worst first."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app import theme
from app.panels.frame import Frame
from pipeline.recorder.messages import RecorderState, RecorderStatus, StreamState
from pipeline.worker import Health, State

MAX_SHOWN = 4
# How long "recovered" stays on the screen.
RECOVERED_S = 10.0


class Level(IntEnum):
    """How bad it is."""

    INFO = 0
    WARNING = 1
    ERROR = 2


@dataclass(frozen=True)
class Notice:
    """`key` tells notices apart over time; `action` is the text of a button, "" for none."""

    key: str
    level: Level
    title: str
    text: str = ""
    action: str = ""


def notices(frame: Frame) -> list[Notice]:
    """All that holds at this tick, the worst first."""
    found = [_stream(frame), _settling(frame), _changed(frame), _off(frame)]
    found += [_worker(health) for health in frame.view.workers]
    if frame.recording is not None:
        found += _recording(frame.recording)
    found += [Notice(f"note:{note[:40]}", Level.WARNING, "Not Everything Is Done", note) for note in frame.view.notes]
    return sorted((n for n in found if n is not None), key=lambda n: -n.level)


def _stream(frame: Frame) -> Notice | None:
    if any(w.name == "acquire" and w.state is State.FAILED for w in frame.view.workers):
        return None  # nobody watches the stream any more: the dead worker is what there is to say
    since = f"{frame.silent_s:.1f} s"
    match frame.view.state:
        case "stalled":
            return Notice(
                "stream", Level.WARNING, "Stalled", f"No samples for {since}. Nothing is decoded across the gap."
            )
        case "lost":
            text = f"No samples for {since}. As soon as {frame.stream.info.name!r} is back it is taken up again."
            return Notice("stream", Level.ERROR, "Stream Lost", text, "Show Events")
        case "ended":
            return Notice(
                "stream", Level.INFO, "The Recording Has Ended", "Everything in it has been played.", "Disconnect"
            )
    returned = [e for e in frame.view.events if e.kind == "recovered" and frame.now_s - e.at_s < RECOVERED_S]
    if returned:
        lost = frame.view.n_lost
        return Notice("stream", Level.INFO, "Recovered", f"Samples come again. {lost:,} samples are missing so far.")
    return None


def _settling(frame: Frame) -> Notice | None:
    left_s = frame.view.settling_left_s
    if left_s <= 0 or frame.view.state in ("stalled", "lost", "ended"):
        return None
    text = f"{left_s:.1f} s left. Nothing is decoded until the filters have settled."
    return Notice("settling", Level.INFO, "Settling", text)


def _changed(frame: Frame) -> Notice | None:
    changes = [e for e in frame.view.events if e.kind == "changed"]
    if not changes:
        return None
    text = f"It came back as something else ({changes[-1].text}). Connect again to use it as it is now."
    return Notice("changed", Level.ERROR, "The Stream Has Changed", text, "Connect Again")


def _off(frame: Frame) -> Notice | None:
    if not frame.stream.off:
        return None
    if not frame.stream.unit_known:
        text = (
            f"The stream declares {repr(frame.stream.info.unit) if frame.stream.info.unit else 'no unit'}. "
            "Filters, quality, epochs and decoding are off; samples, gaps and markers are counted."
        )
        return Notice("off", Level.WARNING, "Microvolts Unknown", text, "Declare Unit…")
    return Notice("off", Level.WARNING, "Signal Chain Off", frame.stream.off)


def _worker(health: Health) -> Notice | None:
    if health.state is not State.FAILED:
        return None
    again = f" It has been restarted {health.n_restarts} times." if health.n_restarts else ""
    return Notice(
        f"worker:{health.name}",
        Level.ERROR,
        f"Worker “{health.name}” Died",
        f"{cause(health.traceback)}.{again}",
        "Details…",
    )


def cause(traceback: str) -> str:
    """The exception at the end of a traceback in one line, without its module."""
    lines = traceback.strip().splitlines()
    frames = [number for number, line in enumerate(lines) if line.startswith((" ", "Traceback"))]
    message = " ".join(lines[frames[-1] + 1 :] if frames else lines)
    name, _, text = message.partition(": ")
    return f"{name.rpartition('.')[2]}: {text}".strip(": ").rstrip(".")


def _recording(status: RecorderStatus) -> list[Notice | None]:
    if status.state is RecorderState.FAILED:
        return [Notice("recording", Level.ERROR, "Recording Failed", status.text)]
    found: list[Notice | None] = []
    if status.disk_low:
        left = f"{status.disk_free_bytes / 2**30:.1f} GiB are free, enough for {status.disk_left_s / 60:.0f} minutes."
        found.append(Notice("disk", Level.WARNING, "Disk Nearly Full", left))
    missing = [s.name for s in status.streams if s.state is StreamState.LOST] + list(status.waiting_for)
    if missing:
        text = f"{', '.join(missing)}: nothing of it reaches the file now."
        found.append(Notice("missing", Level.ERROR, "A Stream Is Not Being Recorded", text))
    return found


class Dot(QWidget):
    """The level as a shape: circle, triangle, square."""

    def __init__(self, level: Level) -> None:
        super().__init__()
        self._level = level
        self.setFixedSize(14, 14)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw the shape."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour(COLOURS[self._level]))
        if self._level is Level.ERROR:
            painter.drawRoundedRect(1, 1, 12, 12, 3, 3)
        elif self._level is Level.WARNING:
            painter.drawPolygon([QPoint(7, 1), QPoint(13, 13), QPoint(1, 13)])
        else:
            painter.drawEllipse(1, 1, 12, 12)
        painter.end()


COLOURS = {Level.INFO: theme.ACCENT, Level.WARNING: theme.WARN, Level.ERROR: theme.BAD}


class Row(QFrame):
    """One notice on the screen."""

    acted = Signal(str)

    def __init__(self, notice: Notice) -> None:
        super().__init__()
        self.notice = notice
        name = COLOURS[notice.level]
        self.setStyleSheet(
            f"Row {{ background: {theme.RAISED}; border: none; border-left: 3px solid {name}; border-radius: 4px; }}"
        )
        self._text = QLabel()
        self._text.setTextFormat(Qt.TextFormat.RichText)
        self._text.setWordWrap(True)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 5, 8, 5)
        layout.setSpacing(10)
        layout.addWidget(Dot(notice.level))
        layout.addWidget(self._text, 1)
        if notice.action:
            button = QPushButton(notice.action)
            button.clicked.connect(self._act)
            layout.addWidget(button)
        self.show_notice(notice)

    def show_notice(self, notice: Notice) -> None:
        """The same notice with newer words."""
        self.notice = notice
        self._text.setText(f"<b>{notice.title}</b> &nbsp; <span style='color:{theme.MUTED}'>{notice.text}</span>")

    def _act(self) -> None:
        self.acted.emit(self.notice.key)


class NoticeStack(QWidget):
    """The notices of now, above the scope. `acted` tells the key of the notice whose button was pressed.

    Thread: main only.
    """

    acted = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[Row] = []
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(4)
        self.hide()

    @property
    def shown(self) -> list[Notice]:
        """What is on the screen."""
        return [row.notice for row in self._rows]

    def set_notices(self, found: Sequence[Notice]) -> None:
        """Show these; rows that stay are kept, so that a button under the mouse does not jump."""
        found = list(found)[:MAX_SHOWN]
        if [_shape(n) for n in found] != [_shape(r.notice) for r in self._rows]:
            self._make_rows(found)
        for row, notice in zip(self._rows, found, strict=True):
            if row.notice != notice:
                row.show_notice(notice)

    def _make_rows(self, found: Sequence[Notice]) -> None:
        for row in self._rows:
            self._layout.removeWidget(row)
            row.deleteLater()
        self._rows = [Row(notice) for notice in found]
        for row in self._rows:
            row.acted.connect(self.acted)
            self._layout.addWidget(row)
        self.setVisible(bool(self._rows))

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """As high as its rows."""
        return self._layout.sizeHint()


def _shape(notice: Notice) -> tuple[str, Level, str]:
    return notice.key, notice.level, notice.action
