"""Where the time goes between a picture and its answer on the screen."""

from collections.abc import Mapping
from typing import NamedTuple

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from app import theme
from app.looking import DRAWING, TO_ANSWER, TO_WINDOW
from app.panels.frame import Frame, Latency, Stream

ROW_PX = 18
NUMBER_PX = 46
COLUMNS = ("median", "p95", "p99", "max")
# What the ledger calls the time from the arrival of a window's last sample to its answer: of all, and by stage.
ANY_ANSWER = {TO_ANSWER: "the window"}
ANSWERS = {
    "static answer": "static, the picture",
    "refined answer": "refined, as it turns",
    "fused answer": "fused, the whole turn",
}
STEPS = {"filter": "filtering a piece", "epoch": "cutting a window", "decode": "decoding it"}
# The steps of one stage's answers, from the first to the last; they add up to its time.
OWN = {"wait": " waiting", **{step: f" {text}" for step, text in STEPS.items()}}
SEEN = {TO_WINDOW: "answer to this window", DRAWING: "drawing this window"}
MEANINGS = {
    "filter": "One piece of new samples through the decoding chain.",
    "epoch": "A window cut out of filtered samples, its baseline taken away.",
    "decode": "The decoder's own time for one answer.",
    "wait": "For the piece of samples to be taken up, and for answers before this one.",
    TO_WINDOW: "From the decision until the window looked, 30 times a second.",
    DRAWING: "From that look until everything in the window was drawn.",
    **dict.fromkeys((TO_ANSWER, *ANSWERS), "From the arrival of the window's last sample to the decision."),
}
NOT_HELD = "Amplifier, radio, driver and network come before all this and are not in it."
WAITING = "Waiting for the first second of samples."


class Line(NamedTuple):
    """A row of the table; a heading has no numbers. `meaning` is for its tool tip."""

    text: str
    numbers: tuple[float, ...] = ()
    meaning: str = ""


class Table(QWidget):
    """Headings and rows of milliseconds.

    Thread: main only.
    """

    def __init__(self) -> None:
        super().__init__()
        self._lines: tuple[Line, ...] = ()

    def set_lines(self, lines: tuple[Line, ...]) -> None:
        """What to show."""
        if lines == self._lines:
            return
        self._lines = lines
        self.setFixedHeight(ROW_PX * len(lines))
        told = [f"<b>{line.text}</b>: {line.meaning}" for line in lines if line.meaning]
        self.setToolTip("<br>".join(dict.fromkeys(told)))
        self.update()

    def lines(self) -> tuple[Line, ...]:
        """What is shown."""
        return self._lines

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Line by line, numbers at the right, what they are above them."""
        painter = QPainter(self)
        painter.setFont(theme.tabular(9))
        for number, line in enumerate(self._lines):
            box = QRectF(0, number * ROW_PX, self.width(), ROW_PX)
            heading = not line.numbers
            painter.setPen(theme.colour(theme.FAINT if heading else theme.TEXT))
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, line.text)
            texts = COLUMNS if number == 0 else tuple(in_ms(value) for value in line.numbers)
            self._paint_numbers(painter, box, texts)
        painter.end()

    def _paint_numbers(self, painter: QPainter, box: QRectF, texts: tuple[str, ...]) -> None:
        """A single number, one that never changes, stands under the median."""
        align = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        for column, text in enumerate(texts):
            right = box.right() - (len(COLUMNS) - 1 - column) * NUMBER_PX
            painter.drawText(QRectF(right - NUMBER_PX, box.top(), NUMBER_PX, ROW_PX), align, text)


class Way(QWidget):
    """The medians of what follows one another, from the last sample of a window to the screen, as one bar.

    Thread: main only.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(34)
        self._parts: tuple[tuple[str, float, str], ...] = ()

    def set_parts(self, parts: tuple[tuple[str, float, str], ...]) -> None:
        """(name, ms, colour) in their order."""
        if parts != self._parts:
            self._parts = parts
            self.update()

    def parts(self) -> dict[str, float]:
        """{name: ms}."""
        return {name: ms for name, ms, _ in self._parts}

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """The bar, and below it what its colours mean."""
        whole = sum(ms for _, ms, _ in self._parts)
        if whole <= 0:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.tabular(8.5))
        x, text_x = 0.0, 0.0
        for name, ms, colour in self._parts:
            width = self.width() * ms / whole
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour(colour))
            painter.drawRect(QRectF(x, 2, max(1.0, width - 1), 9))
            painter.drawRect(QRectF(text_x, 20, 8, 8))
            painter.setPen(theme.colour(theme.MUTED))
            text = f"{name} {in_ms(ms)}"
            painter.drawText(QRectF(text_x + 12, 14, self.width(), 20), Qt.AlignmentFlag.AlignVCenter, text)
            x += width
            text_x += 12 + painter.fontMetrics().horizontalAdvance(text) + 12
        painter.end()


class LatencyPanel(QFrame):
    """The bar, the table and what is not in them; or what is waited for.

    Thread: main only.
    """

    def __init__(self) -> None:
        super().__init__()
        self.title, self.table, self.way = QLabel(), Table(), Way()
        self.note, self.skipped = QLabel(NOT_HELD), QLabel()
        self.title.setTextFormat(Qt.TextFormat.RichText)
        self.title.setWordWrap(True)
        self.note.setWordWrap(True)
        self.note.setFont(theme.font(8.5))
        for label, role in ((self.title, "muted"), (self.note, "muted"), (self.skipped, "warn")):
            theme.set_role(label, role)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setStyleSheet("background: transparent;")
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 12, 0)
        column.setSpacing(5)
        for widget in (self.title, self.way, self.skipped, self.table, self.note):
            column.addWidget(widget)
        column.addStretch(1)
        scroll.setWidget(inside)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 6, 4, 6)
        layout.addWidget(scroll)
        self.set_stream(None)

    def set_stream(self, stream: Stream | None) -> None:
        """Start anew."""
        self._stream = stream
        self._shown: Latency | None = None
        self.way.set_parts(())
        self.table.set_lines(())
        self.title.setText(WAITING if stream else "")
        for widget in (self.way, self.note, self.skipped):
            widget.setVisible(False)

    def set_frame(self, frame: Frame) -> None:
        """What there is at this tick; drawn anew only when there are new figures."""
        latency = frame.latency
        if latency is None or latency is self._shown:
            return
        self._shown = latency
        self.note.setVisible(True)
        last = next((key for key in reversed(_answers(latency)) if key in latency.steps), None)
        self.way.setVisible(last is not None)
        self.way.set_parts(_parts(latency, last) if last else ())
        self.title.setText(_title(frame.stream, latency, last))
        self.table.set_lines(_lines(frame.stream, latency))
        self.skipped.setVisible(latency.n_skipped > 0)
        self.skipped.setText(f"{latency.n_skipped} refined answers left out: decoding is too slow here.")


def in_ms(value: float) -> str:
    """Milliseconds with as many digits as say something."""
    return f"{value:.2f}" if value < 1 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def _title(stream: Stream, latency: Latency, last: str | None) -> str:
    if last is None:
        return "Milliseconds. No answer yet." if stream.classes else "Milliseconds. Nothing is decoded."
    whole = sum(ms for _, ms, _ in _parts(latency, last))
    return f'Last sample of a window to the screen: <b style="color:{theme.TEXT}">{in_ms(whole)} ms</b>'


def _parts(latency: Latency, last: str) -> tuple[tuple[str, float, str], ...]:
    """The way of an answer: waiting and filtering, decoding, until the window looks, drawing."""
    answer = latency.steps[last]["median"]
    own = _own(last, "decode")
    decode = min(answer, _median(latency.steps, own if own in latency.steps else "decode"))
    return (
        ("filter", answer - decode, theme.SIMULATED),
        ("decode", decode, theme.ACCENT),
        ("look", _median(latency.seen, TO_WINDOW), theme.FAINT),
        ("draw", _median(latency.seen, DRAWING), theme.GOOD),
    )


def _answers(latency: Latency) -> dict[str, str]:
    """The answers there are: by stage where there are stages."""
    return ANSWERS if any(key in latency.steps for key in ANSWERS) else ANY_ANSWER


def _own(answer: str, step: str) -> str:
    """What the ledger calls a step of these answers: "fused decode", of "fused answer"."""
    return f"{answer.removesuffix('answer')}{step}"


def _median(of: Mapping[str, Mapping[str, float]], key: str) -> float:
    return of[key]["median"] if key in of else 0.0


def _lines(stream: Stream, latency: Latency) -> tuple[Line, ...]:
    steps, seen = latency.steps, latency.seen
    answers = _answers(latency)
    by_stage = [{key: text, **{_own(key, step): of for step, of in OWN.items()}} for key, text in answers.items()]
    others = {key: key for key in steps if key not in {*ANSWERS, *STEPS, TO_ANSWER}.union(*by_stage)}
    lines = [Line("Last sample to answer, ms")] if any(key in steps for key in answers) else []
    for names in by_stage:
        lines += _rows(names, steps)
    if any(_own(key, "decode") in steps for key in answers):  # told by stage, so not of all stages in one
        lines += [Line("And on to the screen"), *_rows(SEEN, seen)]
    else:
        lines += [Line("Its steps" if lines else "Steps, ms"), *_rows(STEPS, steps), *_rows(SEEN, seen)]
    if any(key in steps for key in others):
        lines += [Line("Beside it"), *_rows(others, steps)]
    if stream.delays:
        lines.append(Line("Always the same"))
        lines += [Line(delay.name, (delay.ms,), delay.meaning) for delay in stream.delays]
    return tuple(lines)


def _rows(names: Mapping[str, str], of: Mapping[str, Mapping[str, float]]) -> list[Line]:
    return [
        Line(text, tuple(of[key][column] for column in COLUMNS), MEANINGS.get(key) or MEANINGS.get(key.split()[-1], ""))
        for key, text in names.items()
        if key in of
    ]
