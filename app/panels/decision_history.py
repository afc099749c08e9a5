"""The strip of trials: how each answer grew, and whether seeing the turn helps, against chance."""

from collections.abc import Mapping

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout

from app import theme
from app.panels.decision_curve import Curve
from app.panels.decision_timeline import Timeline
from app.panels.decision_words import Elided, Tag
from app.panels.frame import Frame, Score, Stream

HEIGHT_PX = 132
CURVE_PX = 270
NO_TRIALS = "no answer yet"
HOW = "picture below, whole turn above"
NO_LABELS = "The markers carry no labels of these classes: right and wrong are not known."


class HistoryPanel(QFrame):
    """Shown for decoders that answer as the object turns.

    Thread: main only.
    """

    def __init__(self) -> None:
        super().__init__()
        theme.set_role(self, "panel")
        self.setFixedHeight(HEIGHT_PX)
        self.timeline, self.curve, self.tag = Timeline(), Curve(), Tag()
        self.figures, self.beside = QLabel(), Elided()
        self.figures.setWordWrap(True)
        self.figures.setTextFormat(Qt.TextFormat.RichText)
        self.figures.setFont(theme.tabular(9))
        theme.set_role(self.figures, "muted")
        theme.set_role(self.beside, "faint")
        title = QLabel("Trials")
        theme.set_role(title, "heading")
        head = QHBoxLayout()
        head.setSpacing(12)
        head.addWidget(title)
        head.addWidget(self.beside, 1)
        head.addWidget(self.tag)
        left, right = QVBoxLayout(), QVBoxLayout()
        left.addLayout(head)
        left.addWidget(self.timeline, 1)
        right.addWidget(self.figures)
        right.addWidget(self.curve, 1)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(14, 8, 14, 8)
        layout.setSpacing(22)
        layout.addLayout(left, 1)
        layout.addLayout(right)
        self.curve.setFixedWidth(CURVE_PX)
        self.figures.setFixedWidth(CURVE_PX)
        self.set_stream(None)

    def set_stream(self, stream: Stream | None) -> None:
        """Start anew; hidden where there are no trials of two windows."""
        self._shown: object = None
        self.setVisible(stream is not None and stream.windows is not None)
        self.tag.set_text(stream.caution if stream else "")
        self.timeline.set_windows(stream.windows if stream else None)
        self.curve.clear()
        self.figures.setText("")
        self.beside.set_line(NO_TRIALS)

    def set_frame(self, frame: Frame) -> None:
        """What there is at this tick; only what is new is drawn."""
        if frame.stream.windows is None or not frame.decisions:
            return
        state = (frame.decisions[-1], frame.scores)
        if state == self._shown:
            return
        self._shown = state
        self.beside.set_line(HOW)
        self.timeline.set_scored(frame.decisions)
        self.curve.set_scores(frame.scores)
        self.figures.setText(_figures(frame.scores))


def _figures(scores: Mapping[str, Score]) -> str:
    if not scores:
        return NO_LABELS
    colours = {"fused": theme.ACCENT, "static": theme.TRACE}
    lines = [
        f'<span style="color:{colours[stage]}">{"━" if stage == "fused" else "┅"}</span>&nbsp;{stage} '
        f'<b style="color:{theme.TEXT}">{score.mean:.0%}</b> ({score.low:.0%} to {score.high:.0%}) · n&nbsp;{score.n}'
        for stage in ("fused", "static")
        if (score := scores.get(stage)) is not None
    ]
    return "<br>".join(lines)
