"""The decision: what the decoder says now, how the last trials went, and how good that is against chance."""

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QStackedLayout, QVBoxLayout, QWidget

from app import theme
from app.panels.frame import Score, Scored, Stream

MAX_BARS = 8
MAX_TRIALS = 24
BAR_PX = 21
FIRST_TRIAL = ("Waiting for the First Trial", "A decision appears here as soon as a trial's window is complete.")
NO_UNIT = "It needs microvolts, and the stream declares no unit."
SETTLING = ("Waiting for the Filters", "Trials are decoded as soon as the filters have settled.")


class Bars(QWidget):
    """Class probabilities of one decision; chance as a thin line."""

    def __init__(self) -> None:
        super().__init__()
        self._scored: Scored | None = None
        self._n_bars = 2
        self.setFixedHeight(self._n_bars * BAR_PX)

    def set_classes(self, n_classes: int) -> None:
        """Make room."""
        self._n_bars = min(MAX_BARS, max(1, n_classes))
        self.setFixedHeight(self._n_bars * BAR_PX)
        self.set_scored(None)

    def set_scored(self, scored: Scored | None) -> None:
        """The decision to show."""
        self._scored = scored
        self.update()

    def rows(self) -> list[tuple[str, float]]:
        """What is drawn: classes in their order, or the most probable first where they are many."""
        if self._scored is None:
            return []
        decision = self._scored.decision
        rows = list(zip(decision.classes, decision.probabilities, strict=True))
        return rows if len(rows) <= MAX_BARS else sorted(rows, key=lambda r: -r[1])[:MAX_BARS]

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """One bar a class."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.tabular(9.5))
        metrics = painter.fontMetrics()
        rows = self.rows()
        name_px = min(130, max((metrics.horizontalAdvance(name) for name, _ in rows), default=0) + 12)
        left, width = name_px, self.width() - name_px - 44
        for number, (name, probability) in enumerate(rows):
            self._paint_row(painter, QRectF(left, number * BAR_PX + 4, width, BAR_PX - 8), name, probability)
        if self._scored is not None:
            x = left + width / len(self._scored.decision.classes)
            painter.setPen(QPen(theme.colour(theme.MUTED, 0.7), 1, Qt.PenStyle.DashLine))
            painter.drawLine(QPointF(x, 0), QPointF(x, self.height()))
        painter.end()

    def _paint_row(self, painter: QPainter, box: QRectF, name: str, probability: float) -> None:
        assert self._scored is not None
        top = name == self._scored.decision.top
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour(theme.RAISED))
        painter.drawRoundedRect(box, 3, 3)
        painter.setBrush(theme.colour(theme.ACCENT, 1.0 if top else 0.45))
        painter.drawRoundedRect(QRectF(box.left(), box.top(), max(2.0, box.width() * probability), box.height()), 3, 3)
        painter.setPen(theme.colour(theme.TEXT if top else theme.MUTED))
        names = QRectF(0, box.top() - 4, box.left() - 8, BAR_PX)
        text = painter.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, int(names.width()))
        painter.drawText(names, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)
        numbers = QRectF(box.right() + 4, box.top() - 4, 40, BAR_PX)
        painter.drawText(numbers, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, f"{probability:.0%}")


class Trials(QWidget):
    """The last trials: a tick where the answer was right, a cross where it was wrong, a dot where nobody knows."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(18)
        self._scored: tuple[Scored, ...] = ()

    def set_scored(self, scored: Sequence[Scored]) -> None:
        """Decisions, oldest first; the newest that fit are drawn."""
        self._scored = tuple(scored)[-MAX_TRIALS:]
        lines = [f"trial {s.decision.trial + 1}: {s.decision.top}{_truth(s)}" for s in reversed(self._scored)]
        self.setToolTip("\n".join(lines))
        self.update()

    def marks(self) -> str:
        """The row as text."""
        return "".join({True: "✓", False: "×", None: "·"}[s.right] for s in self._scored)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """One mark a trial, the newest at the right."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        step = self.width() / MAX_TRIALS
        first = self.width() - step * len(self._scored)
        for number, scored in enumerate(self._scored):
            centre = QPointF(first + (number + 0.5) * step, self.height() / 2)
            _paint_mark(painter, centre, min(5.0, step * 0.36), scored.right)
        painter.end()


class Curve(QWidget):
    """Running balanced accuracy with its interval now, and chance."""

    def __init__(self) -> None:
        super().__init__()
        self.setMinimumHeight(38)
        self._points: list[tuple[int, float]] = []
        self._score: Score | None = None

    def clear(self) -> None:
        """Start anew."""
        self._points, self._score = [], None
        self.update()

    def set_score(self, score: Score | None) -> None:
        """Add the newest value."""
        if score is None or (self._points and self._points[-1][0] == score.n):
            return
        self._points.append((score.n, score.mean))
        if len(self._points) > 2000:
            self._points = self._points[::2]
        self._score = score
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Accuracy over trials from 0 to 100 %, chance dashed."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.font(8.5))
        box = QRectF(0, 4, self.width() - 82, self.height() - 8)
        painter.setPen(QPen(theme.colour(theme.LINE), 1))
        painter.drawLine(box.bottomLeft(), box.bottomRight())
        painter.drawLine(box.topLeft(), box.topRight())
        if self._score is not None:
            self._paint(painter, box, self._score)
        painter.end()

    def _paint(self, painter: QPainter, box: QRectF, score: Score) -> None:
        def y(share: float) -> float:
            return box.bottom() - share * box.height()

        n = max(2, score.n)
        interval = QRectF(box.right() - 3, y(score.high), 6, y(score.low) - y(score.high))
        painter.fillRect(interval, theme.colour(theme.ACCENT, 0.35))
        painter.setPen(QPen(theme.colour(theme.MUTED), 1, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(box.left(), y(score.chance)), QPointF(box.right(), y(score.chance)))
        painter.drawText(QPointF(box.right() + 10, y(score.chance) + 4), f"chance {score.chance:.0%}")
        painter.setPen(QPen(theme.colour(theme.ACCENT), 1.8))
        points = [QPointF(box.left() + (k - 1) / (n - 1) * box.width(), y(mean)) for k, mean in self._points]
        painter.drawPolyline(QPolygonF(points))


class DecisionPanel(QFrame):
    """Answer, bars, trials, accuracy; or why there is none.

    Thread: main only.
    """

    def __init__(self) -> None:
        super().__init__()
        theme.set_role(self, "panel")
        self.answer, self.beside = QLabel(), QLabel()
        self.figures, self.empty = QLabel(), QLabel()
        self.bars, self.trials, self.curve = Bars(), Trials(), Curve()
        self.tag = QLabel("simulated")
        self.tag.setStyleSheet(
            f"color: {theme.SIMULATED}; border: 1px solid {theme.SIMULATED}; border-radius: 4px; padding: 1px 6px;"
        )
        title = QLabel("Decision")
        theme.set_role(title, "heading")
        self.subject = QLabel()
        theme.set_role(self.subject, "faint")
        head = QHBoxLayout()
        head.addWidget(title)
        head.addWidget(self.subject, 1)
        head.addWidget(self.tag)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 12, 14, 12)
        layout.addLayout(head)
        self._pages = QStackedLayout()
        self._pages.addWidget(self._nothing_page())
        self._pages.addWidget(self._answer_page())
        layout.addLayout(self._pages)
        self.set_stream(None)

    def _nothing_page(self) -> QWidget:
        page = QWidget()
        self.empty.setWordWrap(True)
        theme.set_role(self.empty, "muted")
        layout = QVBoxLayout(page)
        layout.setContentsMargins(0, 6, 0, 0)
        layout.addWidget(self.empty)
        layout.addStretch(1)
        return page

    def _answer_page(self) -> QWidget:
        page = QWidget()
        self.answer.setFont(theme.font(17, bold=True))
        self.figures.setTextFormat(Qt.TextFormat.RichText)
        theme.set_role(self.figures, "muted")
        line = QHBoxLayout()
        line.addWidget(self.answer)
        line.addWidget(self.beside, 1, Qt.AlignmentFlag.AlignRight)
        layout = QVBoxLayout(page)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addLayout(line)
        layout.addWidget(self.bars)
        layout.addSpacing(2)
        layout.addWidget(self.trials)
        layout.addWidget(self.figures)
        layout.addWidget(self.curve, 1)
        return page

    def set_stream(self, stream: Stream | None) -> None:
        """Start anew."""
        self._stream = stream
        self._said_settling = False
        self._shown: tuple[Scored, Score | None] | None = None
        self.curve.clear()
        self.trials.set_scored(())
        self.tag.setVisible(stream is not None and stream.info.simulated)
        self.subject.setText(f"  {stream.subject}" if stream and stream.subject else "")
        if stream is not None:
            self.bars.set_classes(len(stream.classes))
        if stream is not None and stream.classes:
            self._say(*FIRST_TRIAL)
        elif stream is not None and stream.off:
            self._say("Decoding Is Off", stream.off if stream.unit_known else NO_UNIT)
        else:
            self._say(
                "No Subject Loaded",
                "Nothing is decoded. Choose a calibrated subject's folder when connecting, "
                "or make one with <code>afterimage calibrate</code>.",
            )

    def set_decisions(self, decisions: Sequence[Scored], score: Score | None, settling: bool) -> None:
        """The newest decisions, oldest first, and how good they have been."""
        if self._stream is None or not self._stream.classes:
            return
        if not decisions:
            if settling != self._said_settling:
                self._said_settling = settling
                self._say(*(SETTLING if settling else FIRST_TRIAL))
            return
        newest = decisions[-1]
        if (newest, score) == self._shown:
            return
        self._shown = (newest, score)
        self._pages.setCurrentIndex(1)
        self.answer.setText(newest.decision.top)
        self.beside.setText(f"trial {newest.decision.trial + 1}{_truth(newest)}")
        theme.set_role(self.beside, {True: "good", False: "error", None: "muted"}[newest.right])
        self.bars.set_scored(newest)
        self.trials.set_scored(decisions)
        self.curve.set_score(score)
        self.figures.setText(_figures(score))

    def _say(self, title: str, text: str) -> None:
        self._pages.setCurrentIndex(0)
        self.empty.setText(f'<p style="font-size:13pt; color:{theme.TEXT}">{title}</p><p>{text}</p>')


def _figures(score: Score | None) -> str:
    if score is None:
        return "The markers carry no labels of these classes: right and wrong are not known."
    return (
        f'Balanced accuracy <b style="color:{theme.TEXT}">{score.mean:.0%}</b>'
        f"&nbsp; (95&nbsp;%: {score.low:.0%} to {score.high:.0%}) &nbsp;·&nbsp; n&nbsp;{score.n}"
    )


def _truth(scored: Scored) -> str:
    match scored.right:
        case True:
            return "  ✓ right"
        case False:
            return f"  × was {scored.true}"
        case _:
            return ""


def _paint_mark(painter: QPainter, centre: QPointF, size: float, right: bool | None) -> None:
    x, y = centre.x(), centre.y()
    if right is None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour(theme.FAINT))
        painter.drawEllipse(centre, size * 0.5, size * 0.5)
        return
    painter.setPen(
        QPen(theme.colour(theme.GOOD if right else theme.BAD), 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap)
    )
    if right:
        painter.drawPolyline(
            [QPointF(x - size, y), QPointF(x - size * 0.2, y + size * 0.8), QPointF(x + size, y - size)]
        )
    else:
        painter.drawLine(QPointF(x - size * 0.8, y - size * 0.8), QPointF(x + size * 0.8, y + size * 0.8))
        painter.drawLine(QPointF(x - size * 0.8, y + size * 0.8), QPointF(x + size * 0.8, y - size * 0.8))
