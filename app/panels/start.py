"""Before there is a signal: the start page, and the page that says what is being looked for."""

import math

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPolygon
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from app import theme

CHOICES = (
    ("simulated", "Simulated Participant", "64 electrodes and a picture protocol, computed. Nothing to set up."),
    ("lsl", "LSL Stream", "A headset or amplifier that streams over LabStreamingLayer, with its markers."),
    ("board", "BrainFlow Board", "OpenBCI, Muse, g.tec and many more, connected directly."),
    ("file", "Recording", "An .xdf file, or anything MNE reads, played at its original speed."),
)


class Glyph(QWidget):
    """A small drawing of a kind of source."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self._key = key
        self.setFixedSize(44, 44)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Lines only."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.colour(theme.ACCENT), 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        getattr(self, f"_paint_{self._key}")(painter)
        painter.end()

    def _paint_simulated(self, painter: QPainter) -> None:
        painter.drawEllipse(6, 8, 30, 32)
        painter.drawPolyline(QPolygon([QPoint(17, 8), QPoint(21, 3), QPoint(25, 8)]))
        for x, y in ((14, 18), (28, 18), (21, 26), (14, 32), (28, 32)):
            painter.drawPoint(x, y)

    def _paint_lsl(self, painter: QPainter) -> None:
        wave = [QPoint(4 + 2 * i, round(22 - 11 * math.sin(i / 2) * math.exp(-abs(i - 9) / 6))) for i in range(19)]
        painter.drawPolyline(QPolygon(wave))

    def _paint_board(self, painter: QPainter) -> None:
        painter.drawRoundedRect(10, 10, 24, 24, 4, 4)
        for k in (16, 22, 28):
            for line in ((k, 4, k, 9), (k, 35, k, 40), (4, k, 9, k), (35, k, 40, k)):
                painter.drawLine(*line)

    def _paint_file(self, painter: QPainter) -> None:
        corners = ((10, 5), (26, 5), (34, 13), (34, 39), (10, 39), (10, 5))
        painter.drawPolyline(QPolygon([QPoint(x, y) for x, y in corners]))
        painter.drawPolyline(QPolygon([QPoint(x, y) for x, y in ((15, 26), (19, 20), (23, 31), (29, 23))]))


class Card(QPushButton):
    """A large button with a title and a line of explanation."""

    def __init__(self, key: str, title: str, text: str) -> None:
        super().__init__()
        self.key = key
        self.setAccessibleName(title)
        theme.set_role(self, "card")
        self.setMinimumSize(300, 100)
        heading, line = QLabel(title), QLabel(text)
        heading.setFont(theme.font(13, bold=True))
        theme.set_role(line, "muted")
        line.setWordWrap(True)
        glyph, words = Glyph(key), QVBoxLayout()
        words.setSpacing(4)
        words.addStretch(1)
        words.addWidget(heading)
        words.addWidget(line)
        words.addStretch(1)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(18, 10, 18, 10)
        layout.setSpacing(16)
        layout.addWidget(glyph)
        layout.addLayout(words, 1)
        for label in (glyph, heading, line):
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
