"""The coupling panel: which bands, how strong it is now and where, or in the last trial; or why there is nothing."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QStackedLayout,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app import theme
from app.panels.band_choice import BandChoice
from app.panels.coupling_live import N_SMOOTHED, LivePage
from app.panels.coupling_trial import TrialPage
from app.panels.frame import Coupling, Frame, Stream
from pipeline.coupling import CAVEAT
from pipeline.session import COUPLING
from pipeline.worker import State

NOT_ASKED = "The configuration says run = false under [coupling]."
DIED = "The coupling worker died. The notice above tells why, and can restart it."
SILENT = "No samples are coming."
SHORT_CAVEAT = "Muscle and eyes do this too: no proof of cortical coupling."


class CouplingPanel(QFrame):
    """`bands_chosen` carries the `CouplingBands` that the user wants.

    Thread: main only.
    """

    bands_chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.bands = BandChoice()
        self.bands.chosen.connect(self.bands_chosen)
        self.live, self.trial, self.last_trial = LivePage(), TrialPage(), QToolButton()
        self.veil, self.made, self.caveat = QLabel(), QLabel(), QLabel(SHORT_CAVEAT)
        self.caveat.setToolTip(f"<p>{CAVEAT}</p>")
        self._stream: Stream | None = None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 6, 12, 6)
        layout.setSpacing(4)
        layout.addLayout(self._strip())
        layout.addWidget(self._body(), 1)
        for label in (self.made, self.caveat):
            label.setFont(theme.tabular(8.5))
            theme.set_role(label, "muted")
        foot = QVBoxLayout()
        foot.setSpacing(1)
        foot.addWidget(self.made)
        foot.addWidget(self.caveat)
        layout.addLayout(foot)

    def _strip(self) -> QHBoxLayout:
        line = QHBoxLayout()
        line.setSpacing(4)
        line.addWidget(self.bands)
        line.addStretch(1)
        self.last_trial.setText("Trial")
        self.last_trial.setToolTip("The last trial instead of the newest seconds")
        self.last_trial.setCheckable(True)
        self.last_trial.toggled.connect(lambda on: self._pages.setCurrentIndex(int(on)))
        theme.keep_off_keyboard(self.last_trial)
        line.addWidget(self.last_trial)
        return line

    def _body(self) -> QWidget:
        pages = QWidget()
        self._pages = QStackedLayout(pages)
        self._pages.addWidget(self.live)
        self._pages.addWidget(self.trial)
        body = QWidget()
        self._layers = QStackedLayout(body)
        self._layers.setStackingMode(QStackedLayout.StackingMode.StackAll)
        self.veil.setWordWrap(True)
        self.veil.setAlignment(Qt.AlignmentFlag.AlignCenter)
        ground = theme.colour(theme.SURFACE, 0.8).name(QColor.NameFormat.HexArgb)
        self.veil.setStyleSheet(f"background: {ground}; color: {theme.TEXT}; padding: 24px;")
        self._layers.addWidget(pages)
        self._layers.addWidget(self.veil)
        self._layers.setCurrentWidget(self.veil)
        return body

    def set_stream(self, stream: Stream | None) -> None:
        """Start anew."""
        self._stream = stream
        self.bands.clear()
        self.live.set_electrodes(stream)
        self.trial.set_electrodes(stream)
        self.made.setText("")
        self._say("")

    def set_frame(self, frame: Frame) -> None:
        """What there is at this tick; only what is new is drawn."""
        found = frame.coupling
        if found is None:
            self._say(NOT_ASKED)
            return
        self.bands.set_bands(found.config.bands, frame.stream.info.sfreq_hz)
        self.live.set_coupling(found)
        self.trial.set_coupling(found)
        live = not self.last_trial.isChecked()
        self.made.setText(self.live.how(found) if live else self.trial.how(found))
        if found.map is not None:
            self.made.setToolTip(f"<p>{found.map.estimator}; z is the mean of the last {N_SMOOTHED} updates.</p>")
        self._say(self._why_not(frame, found, live))

    def _why_not(self, frame: Frame, found: Coupling, live: bool) -> str:
        """Why what is drawn does not hold now; "" when it does."""
        if found.off:
            return found.off.capitalize()[:1] + found.off[1:] + "."
        if any(w.name == COUPLING and w.state is State.FAILED for w in frame.view.workers):
            return DIED
        if not live:
            wanted = " or ".join(found.config.static)
            return (
                "" if found.trial else f"Waiting for the first whole trial: a marker {wanted} and the seconds after it."
            )
        if frame.view.state in ("stalled", "lost"):
            return SILENT
        if found.waiting:
            return f"{found.waiting}.".capitalize() if found.waiting[0].isalpha() else f"{found.waiting}."
        if found.map is None:
            whole_s = found.config.window_s + 2 * found.config.margin_s
            return f"Waiting for the first {whole_s:g} s."
        return ""

    def _say(self, text: str) -> None:
        if text != self.veil.text() or self.veil.isHidden() == bool(text):
            self.veil.setText(text)
            self.veil.setVisible(bool(text))
