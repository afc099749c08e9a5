"""Looking at a running session: new samples, markers, verdicts and answers as one frozen `Frame`. No Qt."""

import time
from dataclasses import replace

import numpy as np

from app.panels.frame import Coupling, Frame, Request, Samples, Score, Scored, Stream
from calibration.stats import balanced_accuracy, balanced_interval
from pipeline import montage
from pipeline.errors import Overrun
from pipeline.session import Session, View
from pipeline.types import Boundary, Kind, StreamInfo

LATENCY_EVERY_S = 1.0
DECISIONS_SHOWN = 24
MARKERS_SHOWN = 64
BOUNDARIES_SHOWN = 100
# Shown before the oldest second that is drawn again, so that its filters have settled.
LEAD_IN_S = 2.0


class Look:
    """One reader of one session, which remembers how far it has read.

    `score` may be set from another thread when `score_is_old`. Thread: main only, else.
    """

    def __init__(self, session: Session, stream: Stream) -> None:
        self.session = session
        self.stream = stream
        self.score: Score | None = None
        self.score_is_old = False
        self._cursor = session.acquisition.ring.oldest
        self._newest_s = session.clock.now_s()
        self._n_decisions = 0
        self._latency_ms: tuple[float, float] | None = None
        self._latency_at_s = float("-inf")

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
        view, truth = self._view(), session.scorer.truth
        if view.n_decisions != self._n_decisions:
            self._n_decisions, self.score_is_old = view.n_decisions, True
        return Frame(
            stream=self.stream,
            view=view,
            now_s=now_s,
            fresh=fresh,
            silent_s=now_s - self._newest_s,
            boundaries=self.boundaries,
            markers=tuple(session.recent_markers)[-MARKERS_SHOWN:],
            decisions=tuple(Scored(d, truth.get(d.trial)) for d in session.decisions[-DECISIONS_SHOWN:]),
            score=self.score,
            latency_ms=self._latency(),
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

    def _latency(self) -> tuple[float, float] | None:
        """Median and 95th percentile from the last sample of a window to its answer, looked up once a second."""
        if time.monotonic() - self._latency_at_s >= LATENCY_EVERY_S:
            self._latency_at_s = time.monotonic()
            answer = self.session.ledger.summary_ms().get("window to answer")
            self._latency_ms = (answer["median"], answer["p95"]) if answer else None
        return self._latency_ms


def stream_of(session: Session, request: Request) -> Stream:
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
    )


def drawn(info: StreamInfo) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Names and rows of the channels to draw: potentials first of all, everything where there are none."""
    potentials = (Kind.EEG, Kind.EOG, Kind.EMG, Kind.ECG)
    rows = [i for i, c in enumerate(info.channels) if c.kind in potentials] or list(range(info.n_channels))
    labels = [info.channels[row].name if info.channels else f"channel {row + 1}" for row in rows]
    eeg = [row for row in rows if info.channels and info.channels[row].kind is Kind.EEG]
    called = dict(zip(eeg, montage.canonical_names([info.channels[row].name for row in eeg]), strict=True))
    return tuple(called.get(row) or label for row, label in zip(rows, labels, strict=True)), tuple(rows)


def score_of(session: Session) -> Score | None:
    """Balanced accuracy of all decisions with a known label; None before the first. Thread: any."""
    decisions = list(session.decisions)
    truth = session.scorer.truth
    known = [d for d in decisions if truth.get(d.trial) in d.classes]
    if not known:
        return None
    classes = known[0].classes
    true = np.array([classes.index(truth[d.trial]) for d in known])
    answered = np.array([classes.index(d.top) for d in known])
    low, high = balanced_interval(true, answered, len(classes))
    return Score(len(known), balanced_accuracy(true, answered, len(classes)), low, high, 1.0 / len(classes))
