"""The main window: lays the panels out and passes on what happens. It knows its controller, no session."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QCloseEvent, QKeySequence
from PySide6.QtWidgets import (
    QApplication,
    QInputDialog,
    QMainWindow,
    QMenu,
    QMessageBox,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app import theme
from app.bridge import Bridge
from app.panels.body import Body
from app.panels.connect_dialog import UNITS, ConnectDialog
from app.panels.coupling import CouplingPanel
from app.panels.decision import DecisionPanel
from app.panels.decision_history import HistoryPanel
from app.panels.event_log import EventLog
from app.panels.frame import Frame, Phase, Request, Stream
from app.panels.head_map import QualityPanel
from app.panels.header import Header, SimulatedBanner
from app.panels.latency import LatencyPanel
from app.panels.notices import NoticeStack, notices
from app.panels.scope_panel import ScopePanel
from app.panels.start import ConnectingPage, StartPage
from app.panels.status_line import StatusLine
from app.panels.tabs import Tabs
from app.seeing import Seeing
from app.showing import Showing

LOG_PX = 150
NOT_JUDGED = "Contacts are not judged while the signal chain is off."
KEYS = (
    ("Up, Down", "larger, smaller amplitude"),
    ("Right, Left", "longer, shorter time"),
    ("F", "fit the amplitude"),
    ("Page Up, Page Down", "other channels"),
    ("H, L, N", "high-pass, low-pass, notch of the display"),
    ("Ctrl+P", "electrodes, coupling, latency or dependency"),
    ("Ctrl+K", "connect"),
    ("Ctrl+R", "start or stop recording"),
    ("Ctrl+E", "event log"),
    ("Ctrl+G", "reconstruct: pictures and meshes, or none"),
    ("Ctrl+T", "traces or reconstruction, in a narrow window"),
)


class MainWindow(QMainWindow):
    """One window for one session; `seeing` is what it shows of it as pictures and meshes.

    Thread: main only.
    """

    def __init__(self, controller: Bridge, seeing: Seeing, subject: Path | None = None) -> None:
        super().__init__()
        self.controller = controller
        self.seeing = seeing
        self._subject = subject
        self._newest: Frame | None = None
        self._asks = True
        self._make_parts()
        self._lay_out()
        self._wire()
        self._make_menus()
        self.setWindowTitle("Afterimage")
        self.resize(1440, 900)
        self._on_phase(controller.phase)

    def _make_parts(self) -> None:
        self.header, self.banner, self.notices = Header(), SimulatedBanner(), NoticeStack()
        self.start, self.connecting = StartPage(), ConnectingPage()
        self.scope, self.quality, self.decision = ScopePanel(), QualityPanel(), DecisionPanel()
        self.coupling, self.latency, self.history = CouplingPanel(), LatencyPanel(), HistoryPanel()
        self.decision.set_pictures(self.controller.pictures)
        self.showing = Showing(self.seeing, self.controller.pictures, self)
        self.tabs = Tabs(
            ("Electrodes", self.quality),
            ("Coupling", self.coupling),
            ("Latency", self.latency),
            ("Dependency", self.showing.dependency),
        )
        self.status, self.log = StatusLine(), EventLog(self)
        self.pages = QStackedWidget()

    def _lay_out(self) -> None:
        self.body = Body(self.scope, self.showing.panels, self.history, self.tabs, self.decision)
        self.body.set_reconstructing(self.seeing.on)
        running = QWidget()
        layout = QVBoxLayout(running)
        layout.setContentsMargins(10, 8, 10, 8)
        layout.setSpacing(8)
        layout.addWidget(self.notices)
        layout.addWidget(self.body, 1)
        for page in (self.start, self.connecting, running):
            self.pages.addWidget(page)
        whole = QWidget()
        outer = QVBoxLayout(whole)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(self.header)
        outer.addWidget(self.banner)
        outer.addWidget(self.pages, 1)
        outer.addWidget(self.status)
        self.setCentralWidget(whole)
        self.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, self.log)
        self.log.hide()

    def _wire(self) -> None:
        controller = self.controller
        controller.phase_changed.connect(self._on_phase)
        controller.connected.connect(self._on_connected)
        controller.failed.connect(self._on_failed)
        controller.waiting.connect(self._on_waiting)
        controller.ticked.connect(self._on_tick)
        controller.recording_failed.connect(self._on_recording_failed)
        controller.recording_changed.connect(self._on_recording_changed)
        self.start.chosen.connect(self.choose_source)
        self.connecting.cancelled.connect(controller.disconnect_now)
        self.header.connect_clicked.connect(self._connect_clicked)
        self.header.record_clicked.connect(self.toggle_recording)
        self.scope.scope.wants_history.connect(self._on_history_wanted)
        self.coupling.bands_chosen.connect(controller.set_coupling_bands)
        self.notices.acted.connect(self._on_notice)
        self.status.events_wanted.connect(self.show_log)

    def _make_menus(self) -> None:
        session = self.menuBar().addMenu("Session")
        for text, key, call in (
            ("Connect…", "Ctrl+K", self.choose_source),
            ("Disconnect", "Ctrl+D", self.controller.disconnect_now),
            ("Start or Stop Recording", "Ctrl+R", self.toggle_recording),
            ("Quit", "Ctrl+Q", self.close),
        ):
            self._add_action(session, text, key, call)
        self.reconstruct = QAction("Reconstruct", self, checkable=True, checked=self.seeing.on)
        self.reconstruct.setShortcut(QKeySequence("Ctrl+G"))
        self.reconstruct.toggled.connect(self._on_reconstruct)
        session.insertAction(session.actions()[-1], self.reconstruct)
        view = self.menuBar().addMenu("View")
        view.addActions(self.scope.actions_list)
        view.addSeparator()
        self._add_action(view, "Next Tab", "Ctrl+P", self.tabs.show_next)
        self._add_action(view, "Traces or Reconstruction", "Ctrl+T", self.body.swap)
        log = self.log.toggleViewAction()
        log.setShortcut(QKeySequence("Ctrl+E"))
        view.addAction(log)
        helps = self.menuBar().addMenu("Help")
        self._add_action(helps, "Keyboard Shortcuts", "F1", self._show_keys)

    def _add_action(self, menu: QMenu, text: str, key: str, call: Callable[[], object]) -> None:
        action = QAction(text, self)
        action.setShortcut(QKeySequence(key))
        action.triggered.connect(lambda _checked=False: call())
        menu.addAction(action)

    # What the user does.

    def choose_source(self, page: str = "lsl") -> None:
        """Ask for a source, and connect to it."""
        dialog = ConnectDialog(self, page, self._subject)
        if dialog.exec() and (request := dialog.request()) is not None:
            self._subject = request.subject
            self.connect_to(request)
        dialog.deleteLater()

    def connect_to(self, request: Request) -> None:
        """Connect, after asking when that would end a recording."""
        if self._may_stop("Stop Recording and Connect"):
            self.controller.connect_to(request)

    def toggle_recording(self) -> None:
        """Start a recording, or stop the one that runs."""
        if self.controller.recording:
            self.controller.stop_recording()
        elif self.controller.can_record:
            self.controller.start_recording()
            self.header.set_recording(None, 0.0, "starting to record…")

    def show_log(self) -> None:
        """Open the event log, a few lines high."""
        self.log.show()
        self.resizeDocks([self.log], [LOG_PX], Qt.Orientation.Vertical)

    def end(self) -> None:
        """Close without asking; a recording is finished properly."""
        self._asks = False
        self.close()

    def grab_to(self, path: Path) -> None:
        """Save a picture of the window as it is now."""
        self.grab().save(str(path))

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """Ask while recording; then end everything."""
        if not self._may_stop("Stop Recording and Quit"):
            event.ignore()
            return
        self.hide()
        QApplication.processEvents()
        self.controller.close()
        self.showing.close()
        event.accept()

    def _connect_clicked(self) -> None:
        if self.controller.phase is Phase.IDLE:
            self.choose_source()
        elif self._may_stop("Stop Recording and Disconnect"):
            self.controller.disconnect_now()

    def _may_stop(self, text: str) -> bool:
        """True when nothing is recorded, or the user wants the recording to end."""
        if not (self.controller.recording and self._asks):
            return True
        box = QMessageBox(self)
        box.setWindowTitle("A Recording Is Running")
        box.setText("A recording is running. It is finished properly before anything else happens.")
        stop = box.addButton(text, QMessageBox.ButtonRole.DestructiveRole)
        box.setDefaultButton(box.addButton("Keep Recording", QMessageBox.ButtonRole.RejectRole))
        box.exec()
        return box.clickedButton() is stop

    def _show_keys(self) -> None:
        rows = "".join(f"<tr><td><b>{keys}</b>&nbsp;&nbsp;&nbsp;</td><td>{text}</td></tr>" for keys, text in KEYS)
        QMessageBox.information(self, "Keyboard Shortcuts", f"<table cellpadding='4'>{rows}</table>")

    # What the controller tells.

    def _on_phase(self, phase: Phase) -> None:
        self.header.set_phase(phase)
        pages = {Phase.IDLE: 0, Phase.CONNECTING: 1}
        self.pages.setCurrentIndex(pages.get(phase, 2))
        if phase is Phase.CONNECTING:
            self.start.show_problem("")
            self.log.clear()
            self._on_waiting("")
        if phase in (Phase.IDLE, Phase.CONNECTING):
            self.banner.hide()
            self.status.clear(connecting=phase is Phase.CONNECTING)
            self.scope.set_stream(None)
            self._newest = None

    def _on_waiting(self, text: str) -> None:
        request = self.controller.request
        if request is not None:
            self.connecting.show_progress(request.title, request.source, text, self.controller.connecting_s)

    def _on_connected(self, stream: Stream) -> None:
        self.header.set_stream(stream)
        self.banner.setVisible(stream.info.simulated)
        self.scope.set_stream(stream)
        self.quality.set_electrodes(
            stream.eeg_names, stream.positions, stream.no_positions, NOT_JUDGED if stream.off else ""
        )
        self.decision.set_stream(stream)
        self.history.set_stream(stream)
        self.latency.set_stream(stream)
        self.coupling.set_stream(stream)
        why_not = "" if stream.live else "What is replayed is on the disk already"
        self.header.set_can_record(stream.live, why_not)

    def _on_failed(self, text: str) -> None:
        self.start.show_problem(text)

    def _on_tick(self, frame: Frame) -> None:
        self._newest = frame
        view = frame.view
        scope = self.scope.scope
        scope.set_bads(view.bads)
        scope.set_markers(frame.markers)
        scope.push(frame.fresh, frame.boundaries)
        scope.redraw()
        self.quality.set_quality(view.quality)
        self.quality.set_bads(view.bads)
        self.coupling.set_frame(frame)
        self.decision.set_frame(frame)
        self.history.set_frame(frame)
        self.latency.set_frame(frame)
        self.showing.set_frame(frame)
        self.notices.set_notices(notices(frame))
        self.status.set_frame(frame)
        self.log.set_events(view.events)
        if frame.recording is not None:
            self.header.set_recording(frame.recording, frame.recording_s, "")

    def _on_reconstruct(self, on: bool) -> None:
        self.seeing.switch(on)
        self.body.set_reconstructing(on)

    def _on_history_wanted(self, span_s: float) -> None:
        history = self.controller.history(span_s)
        if history is not None:
            self.scope.scope.show_history(history, self.controller.boundaries)

    def _on_recording_changed(self, on: bool) -> None:
        self.log.add("recording", "started" if on else "finished")
        if not on:
            self.header.set_recording(None, 0.0, "")

    def _on_recording_failed(self, text: str) -> None:
        self.header.set_recording(None, 0.0, "")
        self.log.add("failed", text)
        QMessageBox.critical(self, "Recording Could Not Start", text)

    def _on_notice(self, key: str) -> None:
        if key.startswith("worker:"):
            self._show_worker(key.removeprefix("worker:"))
        elif key == "off":
            self._declare_unit()
        elif key == "changed" and self.controller.request is not None:
            self.connect_to(self.controller.request)
        elif key == "stream" and self._newest is not None and self._newest.view.state == "ended":
            self.controller.disconnect_now()
        else:
            self.show_log()

    def _declare_unit(self) -> None:
        request = self.controller.request
        names = [text for text, value in UNITS if value]
        text, ok = QInputDialog.getItem(self, "Declare Unit", "The samples are in", names, 0, False)
        if ok and request is not None:
            self.connect_to(replace(request, unit=dict(UNITS)[text]))

    def _show_worker(self, name: str) -> None:
        found = [w for w in self._newest.view.workers if w.name == name] if self._newest else []
        if not found:
            return
        box = QMessageBox(self)
        box.setWindowTitle(f"Worker “{name}” Died")
        box.setText("The other workers go on; what is recorded goes on being recorded.")
        box.setDetailedText(found[0].traceback)
        restart = box.addButton("Restart", QMessageBox.ButtonRole.AcceptRole)
        box.addButton("Close", QMessageBox.ButtonRole.RejectRole)
        box.exec()
        if box.clickedButton() is restart:
            self.controller.restart_worker(name)


def dressed_application() -> QApplication:
    """The application with the theme on; made when there is none yet."""
    application = QApplication.instance() or QApplication([])
    assert isinstance(application, QApplication)
    theme.apply(application)
    return application
