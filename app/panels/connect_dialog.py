"""Choosing where the EEG comes from, which markers go with it, and whose decoder to use."""

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from app import theme
from app.panels.choice import Choice
from app.panels.frame import Request
from app.panels.stream_finder import Listing, StreamFinder

UNITS = (("As declared by the stream", None), ("Microvolts (µV)", "uV"), ("Millivolts (mV)", "mV"), ("Volts (V)", "V"))
RECORDINGS = "Recordings (*.xdf *.xdfz *.edf *.bdf *.gdf *.vhdr *.set *.fif *.fif.gz *.cnt *.mff);;All Files (*)"
BOARD_FIELDS = {
    "serial_port": "Serial port",
    "mac_address": "MAC address",
    "ip_address": "IP address",
    "ip_port": "IP port",
    "other_info": "Other",
}
COLUMNS = ("Name", "Type", "Channels", "Rate", "Host")


class LslPage(QWidget):
    """Streams found on the network, and the marker streams to take along.

    Thread: main only; the search runs beside it while the page is shown.
    """

    def __init__(self) -> None:
        super().__init__()
        self.finder = StreamFinder()
        self.finder.found.connect(self.show_found)
        self.signals = QTableWidget(0, len(COLUMNS))
        self.markers = QListWidget()
        self.status = QLabel()
        theme.set_role(self.status, "muted")
        self._listings: tuple[Listing, ...] = ()
        _prepare(self.signals)
        self.markers.setMaximumHeight(110)
        again = QPushButton("Refresh")
        again.setAutoDefault(False)
        again.clicked.connect(self.refresh)
        line = QHBoxLayout()
        line.setSpacing(8)
        line.addWidget(self.status, 1)
        line.addWidget(again)
        layout = QVBoxLayout(self)
        layout.addLayout(line)
        layout.addWidget(self.signals, 1)
        layout.addWidget(_muted("Marker streams to take along"))
        layout.addWidget(self.markers)

    def refresh(self) -> None:
        """Look again."""
        self.show_found(())
        self.status.setText("Looking for streams on the network…")
        self.finder.start()

    def show_found(self, listings: tuple[Listing, ...]) -> None:
        """The streams there are; what was chosen stays chosen."""
        chosen = self._chosen()
        unticked = {label.data(Qt.ItemDataRole.UserRole).uid for label in self._items() if not _ticked(label)}
        self._listings = listings
        signals = [one for one in listings if not one.marker]
        self.signals.setRowCount(len(signals))
        for row, one in enumerate(signals):
            texts = (one.name, one.type, str(one.n_channels), f"{one.sfreq_hz:g} Hz", one.host)
            for column, text in enumerate(texts):
                item = QTableWidgetItem(text)
                item.setData(Qt.ItemDataRole.UserRole, one)
                item.setToolTip(f"source_id {one.source_id or '(none: it cannot be found again after a restart)'}")
                self.signals.setItem(row, column, item)
            if one == chosen or (chosen is None and row == _likely(signals)):
                self.signals.selectRow(row)
        self.markers.clear()
        for one in (one for one in listings if one.marker):
            line = QListWidgetItem(f"{one.name}   {one.type} on {one.host}")
            line.setData(Qt.ItemDataRole.UserRole, one)
            line.setCheckState(Qt.CheckState.Unchecked if one.uid in unticked else Qt.CheckState.Checked)
            self.markers.addItem(line)
        n = len(signals)
        self.status.setText(f"Signals: {n}. Marker streams: {self.markers.count()}. Still looking.")

    def request(self) -> tuple[str, str, tuple[str, ...]] | None:
        """Source, title and markers; None while nothing is chosen."""
        chosen = self._chosen()
        if chosen is None:
            return None
        ticked = [label.data(Qt.ItemDataRole.UserRole) for label in self._items() if _ticked(label)]
        markers = tuple(one.selector(self._listings) for one in ticked)
        return chosen.selector(self._listings), chosen.name, markers

    def _chosen(self) -> Listing | None:
        items = self.signals.selectedItems()
        return items[0].data(Qt.ItemDataRole.UserRole) if items else None

    def _items(self) -> list[QListWidgetItem]:
        return [self.markers.item(row) for row in range(self.markers.count())]


class BoardPage(QWidget):
    """A BrainFlow board by name, with the parameters it needs."""

    def __init__(self) -> None:
        super().__init__()
        self.board = Choice()
        self.board.setEditable(True)
        self.fields = {name: QLineEdit() for name in BOARD_FIELDS}
        form = QFormLayout(self)
        form.setVerticalSpacing(10)
        form.addRow(_muted("BrainFlow's name of the board, and only the parameters this board needs."))
        form.addRow("Board", self.board)
        self.fields["serial_port"].setPlaceholderText("/dev/ttyUSB0, COM3")
        for name, line in self.fields.items():
            form.addRow(BOARD_FIELDS[name], line)
        self._filled = False

    def fill(self) -> None:
        """List the boards; BrainFlow is loaded only now."""
        if self._filled:
            return
        from pipeline.sources.brainflow_package import (
            BoardIds,  # loads a native library: only who opens this page pays for it
        )

        hidden = {"NO_BOARD", "PLAYBACK_FILE_BOARD", "STREAMING_BOARD"}
        self.board.addItems(sorted(board.name for board in BoardIds if board.name not in hidden))
        self.board.setCurrentText("CYTON_BOARD")
        self._filled = True

    def request(self) -> tuple[str, str, tuple[str, ...]] | None:
        """Source, title and no markers: the board brings its own."""
        board = self.board.currentText().strip()
        given = [f"{name}={line.text().strip()}" for name, line in self.fields.items() if line.text().strip()]
        return (f"brainflow:{board}" + ("?" + "&".join(given) if given else ""), board, ()) if board else None


class FilePage(QWidget):
    """A recording, played at its original speed."""

    def __init__(self) -> None:
        super().__init__()
        self.path = QLineEdit()
        self.path.setPlaceholderText("Recording (.xdf, .edf, .bdf, .vhdr, .set, .fif …)")
        browse = QPushButton("Browse…")
        browse.setAutoDefault(False)
        browse.clicked.connect(self._browse)
        line = QHBoxLayout()
        line.setSpacing(8)
        line.addWidget(self.path, 1)
        line.addWidget(browse)
        layout = QVBoxLayout(self)
        layout.setSpacing(12)
        layout.addWidget(
            _muted("The recording runs through the live pipeline at its original speed, markers included.")
        )
        layout.addLayout(line)
        layout.addStretch(1)

    def request(self) -> tuple[str, str, tuple[str, ...]] | None:
        """Source, title and no choice of markers: all that the file holds."""
        text = self.path.text().strip()
        return (text, Path(text).name, ()) if text else None

    def _browse(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(self, "Choose a Recording", self.path.text(), RECORDINGS)
        if chosen:
            self.path.setText(chosen)


class SimulatedPage(QWidget):
    """The simulated participant: nothing to choose."""

    def __init__(self) -> None:
        super().__init__()
        layout = QVBoxLayout(self)
        text = QLabel(
            "A participant computed from a model of the head: 64 electrodes, visual responses, alpha, blinks, drift, "
            "mains and bad contacts. It looks at the built-in pictures and sends EEG and markers over LSL from a "
            "process of its own.<br><br>Whatever comes from it says <b>simulated</b> wherever it is shown."
        )
        text.setWordWrap(True)
        theme.set_role(text, "muted")
        layout.addWidget(text)
        layout.addStretch(1)

    def request(self) -> tuple[str, str, tuple[str, ...]]:
        """The source has no parameters."""
        return "sim", "Simulated Participant", ()


class ConnectDialog(QDialog):
    """Answers a `Request`.

    Thread: main only.
    """

    PAGES = ("simulated", "lsl", "board", "file")

    def __init__(self, parent: QWidget | None = None, page: str = "lsl", subject: Path | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Connect to a Source")
        self.resize(760, 560)
        self.lsl, self.board, self.file, self.simulated = LslPage(), BoardPage(), FilePage(), SimulatedPage()
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setDrawBase(False)
        self.tabs.addTab(self.simulated, "Simulated Participant")
        self.tabs.addTab(self.lsl, "LSL Stream")
        self.tabs.addTab(self.board, "BrainFlow Board")
        self.tabs.addTab(self.file, "Recording")
        self.subject = QLineEdit(str(subject) if subject else "")
        self.subject.setPlaceholderText("None: signals and markers only, nothing is decoded")
        self.unit = Choice()
        for text, value in UNITS:
            self.unit.addItem(text, value)
        self.problem = QLabel()
        self.problem.setWordWrap(True)
        theme.set_role(self.problem, "error")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 12, 18, 16)
        layout.setSpacing(12)
        layout.addWidget(self.tabs, 1)
        layout.addLayout(self._common())
        layout.addWidget(self.problem)
        layout.addWidget(self._buttons())
        self.tabs.currentChanged.connect(self._turned)
        self.finished.connect(self._finished)
        self.tabs.setCurrentIndex(self.PAGES.index(page))
        self._turned()

    def request(self) -> Request | None:
        """What was chosen; None while the page is not filled in."""
        page = (self.simulated, self.lsl, self.board, self.file)[self.tabs.currentIndex()]
        answer = page.request()
        if answer is None:
            return None
        source, title, markers = answer
        subject = self.subject.text().strip()
        return Request(source, title, markers, Path(subject) if subject else None, self.unit.currentData())

    def accept(self) -> None:
        """Only with a request."""
        if self.request() is None:
            self.problem.setText("Choose a stream, a board or a file first.")
            return
        super().accept()

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """Closing ends the search."""
        self.lsl.finder.stop()
        super().closeEvent(event)

    def _common(self) -> QFormLayout:
        browse = QPushButton("Browse…")
        browse.setAutoDefault(False)
        browse.clicked.connect(self._browse)
        line = QHBoxLayout()
        line.setSpacing(8)
        line.addWidget(self.subject, 1)
        line.addWidget(browse)
        form = QFormLayout()
        form.setVerticalSpacing(10)
        form.addRow("Subject", line)
        form.addRow("Unit", self.unit)
        return form

    def _buttons(self) -> QDialogButtonBox:
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        connect = buttons.addButton("Connect", QDialogButtonBox.ButtonRole.AcceptRole)
        connect.setDefault(True)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        return buttons

    def _turned(self) -> None:
        self.problem.clear()
        page = self.PAGES[self.tabs.currentIndex()]
        if page == "lsl":
            self.lsl.refresh()
        else:
            self.lsl.finder.stop()
        if page == "board":
            self.board.fill()

    def _finished(self, _result: int) -> None:
        self.lsl.finder.stop()

    def _browse(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "Choose a Subject's Folder", self.subject.text())
        if chosen:
            self.subject.setText(chosen)


def _prepare(table: QTableWidget) -> None:
    table.setHorizontalHeaderLabels(COLUMNS)
    table.verticalHeader().hide()
    table.setShowGrid(False)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    table.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
    table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)


def _likely(signals: list[Listing]) -> int:
    """The row to propose: the first EEG stream, else the first of all."""
    return next((row for row, one in enumerate(signals) if one.type.upper() == "EEG"), 0)


def _ticked(item: QListWidgetItem) -> bool:
    return item.checkState() is Qt.CheckState.Checked


def _muted(text: str) -> QLabel:
    label = QLabel(text)
    label.setWordWrap(True)
    theme.set_role(label, "muted")
    return label
