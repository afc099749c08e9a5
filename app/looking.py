"""Looking at a running session: new samples, markers, verdicts and answers as one frozen `Frame`. No Qt."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from app.panels.frame import Coupling, Delay, Frame, Known, Latency, Request, Samples, Score, Scored, Stream
from calibration.stats import balanced_accuracy, pooled_interval
from pipeline import montage
from pipeline.errors import Overrun
from pipeline.preprocess import DELAY_STATED_AT_HZ
from pipeline.session import Session, View
from pipeline.timing import Ledger
from pipeline.types import Boundary, Decision, Kind, StreamInfo

FIGURES_EVERY_S = 1.0
TRIALS_SHOWN = 48
# Stages whose accuracy is told: the answer of a single window, and of two the first and the last.
SCORED = ("single", "static", "fused")
MARKERS_SHOWN = 64
BOUNDARIES_SHOWN = 100
# What the window's own ledger holds.
TO_WINDOW, DRAWING = "answer to window", "drawing"
TO_ANSWER = "window to answer"
WINDOW = "The decoder waits for the whole window before it answers."
INSIDE = "What shows in a window happened this much earlier. Nothing waits for it: a window ends when it ends."
WITHHELD = "Samples wait this long in the chain for others that they are handled with."
# Shown before the oldest second that is drawn again, so that its filters have settled.
LEAD_IN_S = 2.0


class Look:
    """One reader of one session, which remembers how far it has read.

    `scores` and `latency` take a while: `figure` makes them, in any thread, when they are `due`. `ledger` holds what
    the window itself takes. Thread: main only, else.
    """

    def __init__(self, session: Session, stream: Stream) -> None:
        self.session = session
        self.stream = stream
        self.ledger = Ledger()
        self.scores: Mapping[str, Score] = {}
        self.latency: Latency | None = None
        self._figured_at_s = float("-inf")
        self._n_figured = 0
        self._figuring = False
        self._cursor = session.acquisition.ring.oldest
        self._newest_s = session.clock.now_s()
        self._decisions: tuple[Scored, ...] = ()
        self._n_decisions = 0

    @property
    def boundaries(self) -> tuple[Boundary, ...]:
        """The newest starts of segments."""
        return tuple(self.session.acquisition.aligner.boundaries[-BOUNDARIES_SHOWN:])

    def frame(self) -> Frame:
        """What there is to see now; its `fresh` samples are those since the last call."""
        session, now_s = self.session, self.session.clock.now_s()
        fresh = self._fresh()
        if fresh.times_s.size:
            self._newest_s = now_s
        self._look_at_decisions(now_s)
        answer = self.latency.steps.get(TO_ANSWER) if self.latency else None
        return Frame(
            stream=self.stream,
            view=self._view(),
            now_s=now_s,
            fresh=fresh,
            silent_s=now_s - self._newest_s,
            boundaries=self.boundaries,
            markers=tuple(session.recent_markers)[-MARKERS_SHOWN:],
            decisions=self._decisions,
            scores=self.scores,
            latency_ms=(answer["median"], answer["p95"]) if answer else None,
            latency=self.latency,
            coupling=self._coupling(),
        )

    def history(self, span_s: float) -> Samples | None:
        """The newest `span_s` seconds among what was read already, and a lead-in; None when they were overwritten."""
        acquisition = self.session.acquisition
        n = int((span_s + LEAD_IN_S) * (acquisition.info.sfreq_hz or 100.0))
        return self._copied(max(acquisition.ring.oldest, self._cursor - n), self._cursor)

    def _view(self) -> View:
        view = self.session.view()
        if self.session.live:
            return view
        return replace(view, state="ended" if self.session.acquisition.ended else "connected")

    def _coupling(self) -> Coupling | None:
        loop = self.session.coupling
        if loop is None:
            return None
        return Coupling(
            config=loop.config,
            off=loop.off,
            waiting=loop.waiting,
            n_missed=loop.n_missed,
            map=loop.newest_map,
            comodulogram=loop.newest_comodulogram,
            trial=loop.newest_trial,
        )

    def _fresh(self) -> Samples:
        ring = self.session.acquisition.ring
        written = ring.written
        # Too far behind to catch up within a tick: the older ones are only history.
        start = max(self._cursor, written - ring.capacity * 3 // 4)
        fresh = self._copied(start, written)
        self._cursor = written
        return fresh or Samples(written, np.empty((ring.n_channels, 0)), np.empty(0))

    def _copied(self, start: int, stop: int) -> Samples | None:
        if start >= stop:
            return None
        try:
            return Samples(start, *self.session.acquisition.ring.copy(start, stop))
        except Overrun:
            return None

    def _look_at_decisions(self, now_s: float) -> None:
        """Enter how long new answers took to come here, and keep those of the newest trials."""
        decisions = self.session.decisions
        new = decisions[self._n_decisions :]
        if not new:
            return
        self._n_decisions += len(new)
        for decision in new:
            self.ledger.add(TO_WINDOW, now_s - decision.decided_s)
        scored = (*self._decisions, *(self._scored(d) for d in new))
        trials = sorted({s.decision.trial for s in scored})[-TRIALS_SHOWN:]
        self._decisions = tuple(s for s in scored if s.decision.trial >= trials[0])

    def _scored(self, decision: Decision) -> Scored:
        scorer = self.session.scorer
        colour = scorer.colour_truth.get(decision.trial) if decision.colours else None
        return Scored(
            decision,
            scorer.truth.get(decision.trial),
            decision.colours[colour] if colour is not None else None,
            # Of "stim/chair/08", what stimulus sets call it.
            scorer.labels.get(decision.trial, "").partition("/")[2] or None,
        )

    def due(self) -> bool:
        """True when `figure` is to be called, at most once a second and never while it is at it."""
        if self._figuring or time.monotonic() - self._figured_at_s < FIGURES_EVERY_S:
            return False
        self._figuring = True
        return True

    def figure(self) -> None:
        """Make scores and latencies of now. Thread: any, after `due`."""
        decisions = list(self.session.decisions)
        if len(decisions) != self._n_figured:
            self.scores = scores_of(decisions, self.session.scorer.truth)
            self._n_figured = len(decisions)
        n_skipped = self.session.loop.n_skipped if self.session.loop else 0
        self.latency = Latency(self.session.ledger.summary_ms(), self.ledger.summary_ms(), n_skipped)
        self._figured_at_s = time.monotonic()
        self._figuring = False


def delays_of(session: Session) -> tuple[Delay, ...]:
    """What is always the same: how long the windows last, and what the filters add."""
    if session.loop is None:
        return ()
    chain, windows, added_s = session.loop.chain, session.windows, session.loop.group_delays_s
    delays = []
    if windows is not None:
        turn_s = windows.seen_s(windows.n_dynamic)
        delays.append(Delay("picture to the end of its window", 1e3 * windows.static.tmax_s, WINDOW))
        delays.append(Delay("turn to the end of its window", 1e3 * turn_s, WINDOW))
    elif session.setup.epoch is not None:
        delays.append(Delay("onset to the end of the window", 1e3 * session.setup.epoch.tmax_s, WINDOW))
    delays.append(Delay(f"filters, at {DELAY_STATED_AT_HZ:g} Hz", 1e3 * added_s["chain"], INSIDE))
    if windows is not None:
        name = f"and to {windows.dynamic_hz:g} Hz for the turn"
        delays.append(Delay(name, 1e3 * added_s["second rate"], INSIDE))
    if chain.withheld_s:
        delays.append(Delay("held back by the chain", 1e3 * chain.withheld_s, WITHHELD))
    return tuple(delays)


def stream_of(session: Session, request: Request, known: Known) -> Stream:
    """What the window must know of an opened session. Slow the first time: positions load MNE."""
    info = session.acquisition.info
    names, rows = drawn(info)
    eeg = [c for c in info.channels if c.kind is Kind.EEG]
    eeg_names = [name for name, row in zip(names, rows, strict=True) if info.channels[row].kind is Kind.EEG]
    declared = {n: c.position_m for n, c in zip(eeg_names, eeg, strict=True) if c.position_m is not None}
    positions = declared if len(declared) == len(eeg) else dict(montage.positions(eeg_names))
    return Stream(
        info=info,
        title=request.title,
        live=session.live,
        unit_known=session.acquisition.unit_known,
        off=session.setup.off,
        rows=rows,
        names=names,
        positions=positions,
        no_positions=montage.why_no_positions(eeg_names, positions),
        classes=session.decoder.classes if session.decoder else (),
        subject=request.subject.name if request.subject else "",
        windows=session.windows,
        known=known,
        delays=delays_of(session),
    )


def drawn(info: StreamInfo) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Names and rows of the channels to draw: potentials first of all, everything where there are none."""
    potentials = (Kind.EEG, Kind.EOG, Kind.EMG, Kind.ECG)
    rows = [i for i, c in enumerate(info.channels) if c.kind in potentials] or list(range(info.n_channels))
    labels = [info.channels[row].name if info.channels else f"channel {row + 1}" for row in rows]
    eeg = [row for row in rows if info.channels and info.channels[row].kind is Kind.EEG]
    called = dict(zip(eeg, montage.canonical_names([info.channels[row].name for row in eeg]), strict=True))
    return tuple(called.get(row) or label for row, label in zip(rows, labels, strict=True)), tuple(rows)


def scores_of(decisions: Sequence[Decision], truth: Mapping[int, str]) -> dict[str, Score]:
    """Balanced accuracy of all decisions with a known label by stage; a stage without any is left out."""
    known = [d for d in decisions if truth.get(d.trial) in d.classes]
    return {stage: _score(of, truth) for stage in SCORED if (of := [d for d in known if d.stage == stage])}


def _score(known: Sequence[Decision], truth: Mapping[int, str]) -> Score:
    classes = known[0].classes
    true = np.array([classes.index(truth[d.trial]) for d in known])
    answered = np.array([classes.index(d.top) for d in known])
    low, high = pooled_interval(true, answered, len(classes))
    return Score(len(known), balanced_accuracy(true, answered, len(classes)), low, high, 1.0 / len(classes))
