"""The decision: what the decoder says now, how sure it is, how far the trial has come; or why there is nothing."""

from collections.abc import Sequence
from fnmatch import fnmatchcase

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QStackedLayout, QVBoxLayout, QWidget

from app import theme
from app.panels.decision_bars import Bars
from app.panels.decision_curve import Curve
from app.panels.decision_nearest import ColourAnswer, NearestRow
from app.panels.decision_stage import StageTrack, words
from app.panels.decision_trials import Trials, truth
from app.panels.decision_words import Elided, Tag
from app.panels.frame import Frame, Score, Scored, Stream
from app.pictures import Pictures
from pipeline.anytime import Windows
from pipeline.scoring import TURN_WITHIN_S
from pipeline.types import Decision, Marker

MAX_BARS = 8
# With the colour and the pictures below there is room for fewer.
MAX_BARS_ANYTIME = 5
FIRST_TRIAL = ("Waiting for the First Trial", "A decision appears here as soon as a trial's window is complete.")
NO_UNIT = "It needs microvolts, and the stream declares no unit."
SETTLING = ("Waiting for the Filters", "Trials are decoded as soon as the filters have settled.")
NO_LABELS = "The markers carry no labels of these classes: right and wrong are not known."
SURE = "How sure the decoder is, with its temperature fitted on trials that it had not been trained on."


class DecisionPanel(QFrame):
    """Answer and bars of the newest decision.

    Of a single window below them the last trials and the accuracy; of an anytime decoder how far the turn has come, the
    colour and the nearest known pictures (`HistoryPanel` has the trials).

    Thread: main only.
    """

    def __init__(self) -> None:
        super().__init__()
        theme.set_role(self, "panel")
        self.answer, self.sure, self.stage = Elided(), QLabel(), Elided()
        self.beside = Elided(Qt.AlignmentFlag.AlignRight)
        self.figures, self.empty, self.tag = QLabel(), QLabel(), Tag()
        self.bars, self.trials, self.curve = Bars(), Trials(), Curve()
        self.track, self.colour, self.nearest = StageTrack(), ColourAnswer(), NearestRow()
        title = QLabel("Decision")
        theme.set_role(title, "heading")
        self.subject = Elided()
        theme.set_role(self.subject, "faint")
        head = QHBoxLayout()
        head.addWidget(title)
        head.addWidget(self.subject, 1)
        head.addWidget(self.tag)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 9, 14, 9)
        layout.setSpacing(4)
        layout.addLayout(head)
        self._pages = QStackedLayout()
        self._pages.addWidget(self._nothing_page())
        self._pages.addWidget(self._answer_page())
        layout.addLayout(self._pages)
        self.set_stream(None)

    def set_pictures(self, pictures: Pictures) -> None:
        """Where the nearest pictures come from."""
        self.nearest.set_pictures(pictures)

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
        self.sure.setFont(theme.tabular(15))
        self.sure.setToolTip(SURE)
        self.figures.setTextFormat(Qt.TextFormat.RichText)
        self.figures.setWordWrap(True)
        for label in (self.sure, self.stage, self.figures):
            theme.set_role(label, "muted")
        layout = QVBoxLayout(page)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        self._first, self._second = QHBoxLayout(), QHBoxLayout()
        self._first.addWidget(self.answer, 5)
        self._first.addWidget(self.sure)
        self._second.addWidget(self.stage, 6)
        layout.addLayout(self._first)
        layout.addLayout(self._second)
        layout.addWidget(self.track)
        layout.addWidget(self.bars)
        layout.addWidget(self._known_row())
        layout.addWidget(self.trials)
        layout.addWidget(self.figures)
        layout.addWidget(self.curve, 1)
        layout.addStretch(0)
        return page

    def _known_row(self) -> QWidget:
        self._known = QWidget()
        row = QHBoxLayout(self._known)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        row.addWidget(self.colour)
        row.addWidget(self.nearest, 1)
        return self._known

    def set_stream(self, stream: Stream | None) -> None:
        """Start anew."""
        self._stream = stream
        self._said_settling = False
        self._shown: tuple[Scored, Score | None] | None = None
        self._newest_s = float("-inf")
        anytime = stream is not None and stream.windows is not None
        # With the stage it stands in the second line, else there is none.
        (self._second if anytime else self._first).addWidget(self.beside, 5)
        for widget in (self.sure, self.stage, self.track, self._known):
            widget.setVisible(anytime)
        for widget in (self.trials, self.figures, self.curve):
            widget.setVisible(not anytime)
        self.curve.clear()
        self.trials.set_scored(())
        self.tag.set_text(stream.caution if stream else "")
        self.subject.set_line(f"  {stream.subject}" if stream else "")
        if stream is not None:
            self.bars.set_classes(len(stream.classes), MAX_BARS_ANYTIME if anytime else MAX_BARS, anytime)
        self._say(*_why_nothing(stream))

    def set_frame(self, frame: Frame) -> None:
        """What there is at this tick; only what is new is drawn."""
        if self._stream is None or not self._stream.classes:
            return
        if frame.fresh.times_s.size:
            self._newest_s = float(frame.fresh.times_s[-1])
        if not frame.decisions:
            settling = frame.view.settling_left_s > 0
            if settling != self._said_settling:
                self._said_settling = settling
                self._say(*(SETTLING if settling else _why_nothing(self._stream)))
            return
        newest, score = frame.decisions[-1], frame.scores.get("single")
        if (newest, score) != self._shown:
            self._shown = (newest, score)
            self._show(frame.decisions, score)
        if self._stream.windows is not None:
            self._show_turn(self._stream.windows, newest.decision, frame.markers)

    def _show(self, decisions: Sequence[Scored], score: Score | None) -> None:
        newest = decisions[-1]
        decision = newest.decision
        self._pages.setCurrentIndex(1)
        self.answer.set_line(decision.top)
        self.sure.setText(f"{max(decision.probabilities):.0%}")
        self.beside.set_line(f"trial {decision.trial + 1}  {truth(newest)}".rstrip())
        theme.set_role(self.beside, {True: "good", False: "error", None: "muted"}[newest.right])
        self.bars.set_decision(decision, _from_picture(decisions))
        if self._stream is not None and self._stream.windows is not None:
            self.colour.set_scored(newest)
            self.nearest.set_decision(decision)
            return
        self.trials.set_scored(decisions)
        self.curve.set_scores({} if score is None else {"single": score})
        self.figures.setText(_figures(score))

    def _show_turn(self, windows: Windows, decision: Decision, markers: Sequence[Marker]) -> None:
        """How far it has come; after the picture also whether a turn has begun."""
        begun_s = _turn_of(decision, windows, markers)
        turned_s = max(0.0, self._newest_s - begun_s) if begun_s is not None else 0.0
        self.track.set_state(windows, decision, turned_s)
        text = words(decision, windows)
        if decision.stage == "static" and begun_s is None:
            over = self._newest_s > decision.onset_s + TURN_WITHIN_S
            text = f"static · {'it did not turn' if over else 'no turn yet'}"
        self.stage.set_line(text)

    def _say(self, title: str, text: str) -> None:
        self._pages.setCurrentIndex(0)
        self.empty.setText(f'<p style="font-size:13pt; color:{theme.TEXT}">{title}</p><p>{text}</p>')


def _why_nothing(stream: Stream | None) -> tuple[str, str]:
    """What to say before the first decision: a title and a sentence."""
    if stream is not None and stream.classes and stream.windows is not None:
        windows = stream.windows
        first_s, last_s = windows.static.tmax_s, windows.seen_s(windows.n_dynamic)
        return FIRST_TRIAL[0], (
            f"A first answer comes {first_s:g} s after a picture, a better one every {windows.every_s:g} s as the "
            f"object turns, the last when it has turned {last_s:g} s."
        )
    if stream is not None and stream.classes:
        return FIRST_TRIAL
    if stream is not None and stream.off:
        return "Decoding Is Off", stream.off if stream.unit_known else NO_UNIT
    return (
        "No Subject Loaded",
        "Nothing is decoded. Choose a calibrated subject's folder when connecting, "
        "or make one with <code>afterimage calibrate</code>.",
    )


def _from_picture(decisions: Sequence[Scored]) -> Decision | None:
    """What the picture alone had said in the newest decision's trial; None when that is the newest."""
    newest = decisions[-1].decision
    found = (s.decision for s in decisions if s.decision.trial == newest.trial and s.decision.stage == "static")
    return None if newest.stage in ("single", "static") else next(found, None)


def _turn_of(decision: Decision, windows: Windows, markers: Sequence[Marker]) -> float | None:
    """When the object of this trial began to turn."""
    turns = (m.time_s for m in markers if fnmatchcase(m.label, windows.turn))
    return next((t for t in turns if 0 <= t - decision.onset_s <= TURN_WITHIN_S), None)


def _figures(score: Score | None) -> str:
    if score is None:
        return NO_LABELS
    return (
        f'Balanced accuracy <b style="color:{theme.TEXT}">{score.mean:.0%}</b>'
        f"&nbsp; (95&nbsp;%: {score.low:.0%} to {score.high:.0%}) &nbsp;·&nbsp; n&nbsp;{score.n}"
    )
