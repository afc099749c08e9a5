"""The strip at the top: what is connected, what is being recorded, and the two buttons that matter."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app import theme
from app.panels.frame import Phase, Stream
from pipeline.recorder.messages import RecorderState, RecorderStatus

SIMULATED = "SIMULATED — nothing here was measured on a person"


class Header(QFrame):
    """`connect_clicked` and `record_clicked`; the window decides what they mean now.

    Thread: main only.
    """

    connect_clicked = Signal()
    record_clicked = Signal()

    def __init__(self) -> None:
        super().__init__()
        theme.set_role(self, "strip")
        self.setFixedHeight(60)
        self.title, self.detail = QLabel(), QLabel()
        self.title.setFont(theme.font(13, bold=True))
        theme.set_role(self.detail, "muted")
        self.recording, self.file = QLabel(), QLabel()
        self.recording.setFont(theme.tabular(12))
        theme.set_role(self.file, "muted")
        self.record, self.connect_ = QPushButton("●  Record"), QPushButton("Connect…")
        for button, signal in ((self.record, self.record_clicked), (self.connect_, self.connect_clicked)):
            button.setMinimumSize(118, 36)
            button.clicked.connect(signal)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 0, 16, 0)
        layout.setSpacing(12)
        layout.addLayout(_pair(self.title, self.detail))
        layout.addStretch(1)
        layout.addLayout(_pair(self.recording, self.file, Qt.AlignmentFlag.AlignRight))
        layout.addSpacing(4)
        layout.addWidget(self.record)
        layout.addWidget(self.connect_)
        self.set_phase(Phase.IDLE)

    def set_phase(self, phase: Phase) -> None:
        """What the connect button does now."""
        self.connect_.setText("Connect…" if phase is Phase.IDLE else "Disconnect")
        self.connect_.setVisible(phase is not Phase.CONNECTING)
        self.connect_.setEnabled(phase is not Phase.CLOSING)
        self.record.setVisible(phase in (Phase.RUNNING, Phase.CLOSING))
        if phase in (Phase.IDLE, Phase.CONNECTING):
            self.title.setText("Afterimage")
            self.detail.setText("Decode what a person sees, while they see it")
            self.set_recording(None, 0.0, "")

    def set_stream(self, stream: Stream) -> None:
        """Name and shape of the source."""
        self.title.setText(stream.title)
        info = stream.info
        rate = f"{info.sfreq_hz:g} Hz" if info.sfreq_hz else "irregular"
        kind = "live" if stream.live else "replay"
        parts = [info.name if info.name != stream.title else "", info.manufacturer, info.hostname]
        parts += [f"{info.n_channels} channels", rate, kind]
        self.detail.setText("  ·  ".join(part for part in parts if part))

    def set_can_record(self, can: bool, why_not: str) -> None:
        """Whether the record button works, else why not."""
        self.record.setEnabled(can)
        self.record.setToolTip("" if can else why_not)

    def set_recording(self, status: RecorderStatus | None, elapsed_s: float, pending: str) -> None:
        """Elapsed time, bytes, free disk and file name while recording; `pending` while it starts or ends."""
        running = status is not None and not status.final
        self.record.setText("■  Stop Recording" if running else "●  Record")
        theme.set_role(self.record, "recording" if running else "")
        if status is None or not running:
            failed = status is not None and status.state is RecorderState.FAILED
            self.recording.setText("recording failed" if failed else pending)
            theme.set_role(self.recording, "error" if failed else "muted")
            self.file.setText(str(status.path.name) if status else "")
            return
        theme.set_role(self.recording, "error")
        self.recording.setText(f"●  {_clock(elapsed_s)}  ·  {_size(status.bytes_written)}")
        left = "" if status.disk_left_s == float("inf") else f"  ·  room for {_hours(status.disk_left_s)}"
        self.file.setText(f"{status.path.name}{left}")
        self.file.setToolTip(str(status.path))
        theme.set_role(self.file, "warn" if status.disk_low else "muted")


class SimulatedBanner(QLabel):
    """Says it wherever a simulated source is shown."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(SIMULATED, parent)
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setFixedHeight(22)
        self.setFont(theme.font(9, bold=True))
        self.setStyleSheet(f"background: #2b2440; color: {theme.SIMULATED}; letter-spacing: 1px;")
        self.hide()


def _pair(top: QLabel, bottom: QLabel, align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft) -> QVBoxLayout:
    column = QVBoxLayout()
    column.setSpacing(1)
    column.addStretch(1)
    for label in (top, bottom):
        label.setAlignment(align)
        column.addWidget(label)
    column.addStretch(1)
    return column


def _clock(seconds: float) -> str:
    whole = int(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def _size(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:.1f} MB" if n_bytes < 1e9 else f"{n_bytes / 1e9:.2f} GB"


def _hours(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{min(seconds / 3600, 999):.0f} h"
