"""The line at the foot: state, rate, samples, latency, workers; and what happened last."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy

from app import theme
from app.panels.frame import Frame
from pipeline.worker import State

STATES = {
    "connected": ("● Streaming", "good"),
    "recovered": ("● Recovered", "good"),
    "changed": ("■ Changed", "error"),
    "waiting": ("○ Waiting for Samples", "muted"),
    "stalled": ("▲ Stalled", "warn"),
    "lost": ("■ Lost", "error"),
    "ended": ("○ Ended", "muted"),
}


class Newest(QPushButton):
    """The newest event at the right end, as much of it as fits."""

    def __init__(self) -> None:
        super().__init__()
        self._whole = ""
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.setStyleSheet(
            f"border: none; background: transparent; color: {theme.MUTED}; text-align: right; padding: 0;"
        )

    def set_event(self, text: str) -> None:
        """Its text; the whole of it in the tool tip."""
        if text != self._whole:
            self._whole = text
            self.setToolTip(text)
            self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Show more, or less."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        self.setText(self.fontMetrics().elidedText(self._whole, Qt.TextElideMode.ElideRight, self.width()))


class StatusLine(QFrame):
    """`events_wanted` when the newest event is clicked.

    Thread: main only.
    """

    events_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        theme.set_role(self, "foot")
        self.setFixedHeight(34)
        self.state, self.rate, self.samples = QLabel(), QLabel(), QLabel()
        self.markers, self.latency, self.workers = QLabel(), QLabel(), QLabel()
        self.newest = Newest()
        self.newest.clicked.connect(self.events_wanted)
        theme.keep_off_keyboard(self.newest)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 0, 16, 0)
        layout.setSpacing(26)
        for label in (self.state, self.rate, self.samples, self.markers, self.latency, self.workers):
            label.setFont(theme.tabular(9.5))
            theme.set_role(label, "muted")
            layout.addWidget(label)
        layout.addWidget(self.newest, 1)
        self.clear()

    def clear(self, connecting: bool = False) -> None:
        """Nothing is connected yet."""
        for label in (self.rate, self.samples, self.markers, self.latency, self.workers):
            label.clear()
        self.newest.set_event("")
        self.state.setText("○ Connecting…" if connecting else "○ Not Connected")
        theme.set_role(self.state, "faint")

    def set_frame(self, frame: Frame) -> None:
        """The numbers of this tick."""
        view = frame.view
        failed = [w.name for w in view.workers if w.state is State.FAILED]
        text, role = STATES.get(view.state, (view.state.capitalize(), "muted"))
        if "acquire" in failed:
            text, role = "■ Not Receiving", "error"
        self.state.setText(text)
        theme.set_role(self.state, role)
        nominal = frame.stream.info.sfreq_hz
        measured = f"{view.sfreq_effective_hz:.2f} Hz" if view.sfreq_effective_hz > 0 else "… Hz"
        self.rate.setText(f"{len(frame.stream.rows)} channels · {measured}")
        self.rate.setToolTip(f"effective rate; the stream declares {nominal:g} Hz")
        self.samples.setText(f"{_grouped(view.n_received)} samples · {_grouped(view.n_lost)} lost")
        theme.set_role(self.samples, "warn" if view.n_lost else "muted")
        self.samples.setToolTip(f"{view.n_gaps} gaps")
        self.markers.setText(
            f"{_grouped(view.n_markers)} markers · {view.n_accepted} epochs · {view.n_rejected} rejected"
        )
        self._show_latency(frame.latency_ms)
        self._show_workers(frame, failed)
        event = view.events[-1] if view.events else None
        self.newest.set_event(event.text if event else "")

    def _show_latency(self, latency_ms: tuple[float, float] | None) -> None:
        self.latency.setVisible(latency_ms is not None)
        if latency_ms is not None:
            self.latency.setText(f"answer after {latency_ms[0]:.0f} ms · p95 {latency_ms[1]:.0f} ms")
            self.latency.setToolTip("from the last sample of the window in the ring to the decision")

    def _show_workers(self, frame: Frame, failed: list[str]) -> None:
        names = ", ".join(f"{w.name} {w.state.value}" for w in frame.view.workers)
        self.workers.setText(f"{', '.join(failed)} died" if failed else "workers well")
        self.workers.setToolTip(names)
        theme.set_role(self.workers, "error" if failed else "muted")


def _grouped(n: int) -> str:
    """Thousands apart, by thin spaces."""
    return f"{n:,}".replace(",", "\u2009")
