"""Before there is a signal: the start page, and the page that says what is being looked for."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from app import theme

CHOICES = (
    ("simulated", "Simulated Participant", "64 electrodes and a picture protocol, computed. Nothing to set up."),
    ("lsl", "LSL Stream", "A headset or amplifier that streams over LabStreamingLayer, with its markers."),
    ("board", "BrainFlow Board", "OpenBCI, Muse, g.tec and many more, connected directly."),
    ("file", "Recording", "An .xdf file, or anything MNE reads, played at its original speed."),
)


class Card(QPushButton):
    """A large button with a title and a line of explanation."""

    def __init__(self, key: str, title: str, text: str) -> None:
        super().__init__()
        self.key = key
        self.setAccessibleName(title)
        theme.set_role(self, "card")
        self.setMinimumSize(300, 112)
        heading, line = QLabel(title), QLabel(text)
        heading.setFont(theme.font(13, bold=True))
        theme.set_role(line, "muted")
        line.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 16, 20, 16)
        layout.addWidget(heading)
        layout.addWidget(line)
        layout.addStretch(1)
        for label in (heading, line):
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            label.setStyleSheet("background: transparent;")


class StartPage(QWidget):
    """`chosen` tells which kind of source was clicked."""

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        title, line = QLabel("Where does the EEG come from?"), QLabel()
        title.setFont(theme.font(22, bold=True))
        line.setText("Choose a source. Signal quality, markers and decisions appear as soon as samples come.")
        line.setFont(theme.font(11))
        theme.set_role(line, "muted")
        self.problem = QLabel()
        self.problem.setWordWrap(True)
        self.problem.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.problem.setStyleSheet(
            f"background: {theme.RAISED}; border-left: 3px solid {theme.BAD}; border-radius: 4px; padding: 10px 14px;"
        )
        self.problem.hide()
        self.cards = [Card(*choice) for choice in CHOICES]
        grid = QGridLayout()
        grid.setSpacing(14)
        for number, card in enumerate(self.cards):
            card.clicked.connect(self._clicked)
            grid.addWidget(card, number // 2, number % 2)
        column = QVBoxLayout()
        column.setSpacing(10)
        column.addStretch(2)
        for widget in (title, line):
            column.addWidget(widget)
        column.addSpacing(12)
        column.addLayout(grid)
        column.addSpacing(6)
        column.addWidget(self.problem)
        column.addStretch(3)
        layout = QHBoxLayout(self)
        layout.addStretch(1)
        layout.addLayout(column, 3)
        layout.addStretch(1)

    def show_problem(self, text: str) -> None:
        """Why the last attempt failed; "" clears it."""
        self.problem.setText(f"<b>Could Not Connect</b><br>{_html(text)}" if text else "")
        self.problem.setVisible(bool(text))

    def _clicked(self) -> None:
        card = self.sender()
        assert isinstance(card, Card)
        self.chosen.emit(card.key)


class ConnectingPage(QWidget):
    """What is looked for, and a way out."""

    cancelled = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.title, self.text = QLabel(), QLabel()
        self.title.setFont(theme.font(18, bold=True))
        self.text.setWordWrap(True)
        theme.set_role(self.text, "muted")
        bar = QProgressBar()
        bar.setRange(0, 0)
        bar.setTextVisible(False)
        bar.setFixedWidth(420)
        cancel = QPushButton("Cancel")
        cancel.setFixedWidth(120)
        cancel.clicked.connect(self.cancelled)
        column = QVBoxLayout()
        column.setSpacing(14)
        column.addStretch(2)
        for widget in (self.title, self.text, bar, cancel):
            column.addWidget(widget)
        column.addStretch(3)
        layout = QHBoxLayout(self)
        layout.addStretch(1)
        layout.addLayout(column, 1)
        layout.addStretch(1)

    def show_progress(self, title: str, source: str, told: str, elapsed_s: float) -> None:
        """What is going on; `told` is the source's own word on it."""
        self.title.setText(f"Connecting to {title}")
        waiting = told or _first_words(source)
        self.text.setText(f"{_html(waiting)}<br><br>{elapsed_s:.0f} s")


def _first_words(source: str) -> str:
    kind, _, rest = source.partition(":")
    if source == "sim":
        return "Starting the participant, then looking for its two streams."
    if kind == "lsl":
        return "Looking for a stream with " + rest.replace(",", ", ").replace("=", " ")
    if kind == "brainflow":
        return f"Opening the board {rest}."
    return f"Opening {source}."


def _html(text: str) -> str:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;")
    return escaped.replace("\n", "<br>")
