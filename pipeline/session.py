"""One run over one source, live or replayed: samples in, decisions out, everything counted.

A live session runs its two loops in threads of their own; a replay cranks the very same loops by hand. Controls come
down as queued calls and are applied between steps.
"""

import json
import logging
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pipeline.acquire import Acquisition
from pipeline.anytime import AnytimeDecoder, TrialWindows, Windows
from pipeline.channels import Lossless
from pipeline.clock import Clock, LslClock
from pipeline.coupling.values import CouplingConfig
from pipeline.decode import DecodeLoop, Decoder
from pipeline.epochs import EpochBuilder, EpochConfig
from pipeline.errors import StreamMismatch
from pipeline.evoked import Evoked, EvokedMeans
from pipeline.live_coupling import CouplingLoop
from pipeline.lived import LivedWriter
from pipeline.preprocess import Chain, ChainConfig
from pipeline.quality import ChannelQuality
from pipeline.scoring import ColourOf, Events, Scorer
from pipeline.sources.base import Source
from pipeline.timing import Ledger
from pipeline.types import Array, Decision, Epoch, Item, Kind, Marker, SourceEvent
from pipeline.watchdog import StreamWatch
from pipeline.worker import Health, State, Worker

log = logging.getLogger(__name__)

MAX_EVENTS = 10_000
MAX_RECENT_MARKERS = 512
# Shows what it can and holds nothing up: it is stopped, never waited for.
COUPLING = "coupling"
# A worker that dies again and again is left dead.
MAX_RESTARTS = 10
# What the decoder may need at the end for what still waits in the ring.
DRAIN_S = 20.0


@dataclass(frozen=True)
class Setup:
    """What a session does with the samples.

    `chain` None: nothing is filtered or cut, and `off` says why (no microvolts, no regular rate). `epoch` None: no
    epochs. `patterns` maps classes to globs on marker labels; empty: every label is its own class. `trial_start` is
    a glob on the markers that begin a trial of several windows. `colour_of` says which colour an onset's label names.

    A decoder of two streams brings its own windows; `epoch` is the static one then.
    """

    chain: ChainConfig | None
    epoch: EpochConfig | None = None
    patterns: Mapping[str, Sequence[str]] = field(default_factory=dict)
    trial_start: str | None = None
    off: str = ""
    colour_of: ColourOf | None = None


@dataclass(frozen=True)
class View:
    """What the window shows, taken at one moment."""

    state: str
    n_received: int
    n_lost: int
    n_gaps: int
    sfreq_effective_hz: float
    settling_left_s: float
    bads: tuple[str, ...]
    quality: tuple[ChannelQuality, ...]
    notes: tuple[str, ...]
    n_markers: int
    n_accepted: int
    n_rejected: int
    decision: Decision | None
    n_decisions: int
    workers: tuple[Health, ...]
    events: tuple[SourceEvent, ...]


class Session:
    """Composes source, ring, chain, epochs and decoder, and keeps the books.

    Thread: `open`, `crank`, `start`, `stop` from one; `view`, `annotate` and the public lists from any, read only.
    """

    def __init__(
        self,
        source: Source,
        setup: Callable[[Acquisition], Setup],
        decoder: Decoder | AnytimeDecoder | None = None,
        frozen: Mapping[str, Array] | None = None,
        unit: str | None = None,
        clock: Clock | None = None,
        on_log_line: Callable[[str], None] | None = None,
        on_decision: Callable[[Decision], None] | None = None,
        on_item: Callable[[Item], None] | None = None,
        on_trial: Callable[[str, float], None] | None = None,
        coupling: CouplingConfig | None = None,
    ) -> None:
        self.clock = clock or LslClock()
        self.ledger = Ledger()
        self.decoder = decoder
        self.acquisition = Acquisition(source, self.clock, self.ledger, unit)
        self.live = False
        self._source = source
        self._make_setup = setup
        self._frozen = dict(frozen or {})
        self._on_log_line = on_log_line
        self._on_decision = on_decision
        self._on_item = on_item
        self._on_trial = on_trial
        self._controls: Lossless[Callable[[], None]] = Lossless()
        self._coupling_config = coupling
        self.loop: DecodeLoop | None = None
        self.coupling: CouplingLoop | None = None
        self.events: deque[SourceEvent] = deque(maxlen=MAX_EVENTS)
        self.event_counts: Counter[str] = Counter()
        self.recent_markers: deque[Marker] = deque(maxlen=MAX_RECENT_MARKERS)
        self.decisions: list[Decision] = []
        self._newest: Decision | None = None
        self.n_accepted = 0
        self.rejected: Counter[str] = Counter()
        self.n_turns = 0
        self.turns_lost: Counter[str] = Counter()
        self._evoked = EvokedMeans()
        self.workers: tuple[Worker, ...] = ()

    def open(self) -> None:
        """Open the source and build the stages for what it turned out to be.

        Raises:
            StreamMissing, FileUnreadable: from the source.
            UnitUnknown: a decoder is there and the stream declares no known unit.
            StreamMismatch: the chain does not fit the stream, or its rate not the decoder.
        """
        acquisition = self.acquisition
        acquisition.open()
        self.live = self._source.live
        self.setup = self._make_setup(acquisition)
        setup, windows = self.setup, self.windows
        turn = windows.turn if windows else None
        self.scorer = Scorer(Events(setup.patterns, setup.trial_start, turn, setup.colour_of))
        self._lived = LivedWriter(dict(acquisition.marker_streams)) if self.live else None
        acquisition.keeps_items = self.live or self._on_item is not None
        self.watch = StreamWatch(self.clock, acquisition.info.name)
        if self.decoder is not None:
            acquisition.require_microvolts()
        if self.setup.chain is not None:
            chain = Chain(self.setup.chain, acquisition.info, self._frozen)
            cutter = self._cutter(chain)
            self.loop = DecodeLoop(acquisition, chain, cutter, self.decoder, self.clock, self.ledger, self.live)
        if self._coupling_config is not None:
            self.coupling = self._coupled(self._coupling_config)

    def _cutter(self, chain: Chain) -> EpochBuilder | TrialWindows | None:
        n_channels, rate_hz = len(chain.channels), chain.sfreq_hz
        if isinstance(self.decoder, AnytimeDecoder):
            if rate_hz != self.decoder.sfreq_hz:
                raise StreamMismatch(
                    f"the decoder takes {self.decoder.sfreq_hz:g} Hz and its chain gives {rate_hz:g} Hz; refit it"
                )
            return TrialWindows(self.decoder.windows, n_channels, rate_hz, chain.config.high_hz)
        return EpochBuilder(self.setup.epoch, n_channels, rate_hz) if self.setup.epoch is not None else None

    def _coupled(self, config: CouplingConfig) -> CouplingLoop:
        return CouplingLoop(self.acquisition, config, self.clock, self.ledger, self._bads)

    def _bads(self) -> tuple[str, ...]:
        """Channels that are bad now, by the labels of the stream; the chain has names of its own for them."""
        if self.loop is None:
            return ()
        chain = self.loop.chain
        labels = [c.name for c in self.acquisition.info.channels if c.kind is Kind.EEG]
        bads = frozenset(chain.bads)
        return tuple(label for label, name in zip(labels, chain.eeg_names, strict=True) if name in bads)

    # By hand: a replay, or a test.

    def crank(self) -> bool:
        """One step of every loop; False when everything has been handled. Then comes `finish`."""
        more = self.acquire_step(0.0)
        if self.coupling is not None:
            self.coupling.step(0.0)
        return (self.decode_step(0.0) or more) if self.loop is not None else more

    def finish(self) -> None:
        """Settle what still waits."""
        if self.loop is not None:
            self.loop.finish()
            self._collect(self.loop)

    def _close_log(self) -> None:
        self._apply_controls()
        if self._lived is not None:
            self._log(self._lived.last_lines())
        self._lived = None

    # In threads: a live run.

    def start(self) -> None:
        """Start the workers."""
        self.workers = (Worker("acquire", lambda: self.acquire_step(0.05)),)
        if self.loop is not None:
            self.workers += (Worker("decode", lambda: self.decode_step(0.1)),)
        for worker in self.workers:
            worker.start()
        self._start_coupling()

    def _start_coupling(self) -> None:
        """Its worker, made when first there is something to do, and started when it has nothing left of before."""
        if self.coupling is None or self.coupling.off:
            return
        if COUPLING not in (w.name for w in self.workers):
            self.workers += (Worker(COUPLING, self.coupling_step),)
        worker = next(w for w in self.workers if w.name == COUPLING)
        if worker.health.state is not State.FAILED:
            worker.start()

    def stop(self) -> None:
        """Stop the workers in the order of the data, let the decoder answer what waits, close the source and the log.

        A worker that does not stop in time is left behind, and what it holds stays out of the books; its name is in
        the program's log.
        """
        if all(worker.stop() for worker in self.workers[:1]):
            self._apply_controls()
            self.acquisition.finish()
            self._route()
        self.acquisition.end()
        for worker in (w for w in self.workers if w.name == COUPLING):
            worker.stop()
        if all(self._drained(worker) for worker in self.workers[1:] if worker.name != COUPLING):
            self.finish()
        self._close_log()
        self.acquisition.close()

    def _drained(self, worker: Worker) -> bool:
        """Let a worker that reads come to the end of the data by itself; False when it cannot."""
        while worker.join(DRAIN_S):
            if worker.health.state is not State.FAILED:
                return True
            if not self.restart_worker(worker.name):
                return False
        worker.stop()
        return False

    def close(self) -> None:
        """Close the source of a replay."""
        self.acquisition.close()

    def restart_worker(self, name: str) -> bool:
        """Start a worker that died again, and note why it had; the others went on meanwhile.

        False when it is alive, or has been restarted `MAX_RESTARTS` times already.
        """
        (worker,) = (w for w in self.workers if w.name == name)
        health = worker.health
        if health.state is not State.FAILED or health.n_restarts >= MAX_RESTARTS:
            return False
        self._controls.put(lambda: self._note(SourceEvent("worker_failed", f"worker {name} died: {health.reason}")))
        worker.start()
        return True

    def annotate(self, text: str) -> None:
        """Write a remark into the recording, at the sample that is newest when it is applied."""
        self._controls.put(lambda: self._control("annotation", text))

    def set_coupling(self, config: CouplingConfig) -> None:
        """Measure the coupling otherwise from now on; what was seen before is gone. Nothing in a session without."""
        self._controls.put(lambda: self._renew_coupling(config))

    def _renew_coupling(self, config: CouplingConfig) -> None:
        if self.coupling is None:
            return
        self.coupling = self._coupled(config)
        bands = config.bands
        (slow_low, slow_high), (fast_low, fast_high) = bands.phase_hz, bands.amplitude_hz
        self._control("coupling", f"phase {slow_low:g}-{slow_high:g} Hz, amplitude {fast_low:g}-{fast_high:g} Hz")
        if self.workers and not self.acquisition.ended:
            self._start_coupling()

    # The steps.

    def acquire_step(self, timeout_s: float) -> bool:
        """Read, hand on, route the markers, watch the stream."""
        self._apply_controls()
        more = self.acquisition.step(timeout_s)
        self._route()
        if not more:
            self.acquisition.end()  # only now, so that the decoder has the last onsets before it sees the end
        return more

    def decode_step(self, timeout_s: float) -> bool:
        """Filter, cut, decode, publish."""
        assert self.loop is not None
        more = self.loop.step(timeout_s)
        if not more:
            self.loop.finish()
        self._collect(self.loop)
        return more

    def coupling_step(self) -> bool:
        """Make the maps that are due."""
        assert self.coupling is not None
        return self.coupling.step()

    def _apply_controls(self) -> None:
        for control in self._controls.take_all():
            control()

    def _route(self) -> None:
        for item in self.acquisition.take_items():
            if self._lived is not None:
                self._log(self._lived.lines(item))
            if self._on_item is not None:
                self._on_item(item)
        for marker in self.acquisition.markers.take_all():
            self.recent_markers.append(marker)
            if self.coupling is not None:
                self.coupling.offer(marker)
            onset = self.scorer.take(marker)
            if onset is not None and self.loop is not None:
                self.loop.onsets.put(onset)
            if onset is not None and onset.part != "dynamic" and self._on_trial is not None:
                self._on_trial(self.scorer.truth[onset.trial], onset.time_s)
        if self.loop is None:
            self.acquisition.boundaries.take_all()
        for event in self.acquisition.events.take_all():
            if self.live and event.kind == "changed" and not event.stream:
                self.watch.changed(self.clock.now_s(), event.text)  # it says so below, and nothing of silence after
            else:
                self._note(event)
        if self.live:
            self._watch()

    def _watch(self) -> None:
        for at_s, n in self.acquisition.take_arrivals():
            self.watch.saw(n, at_s)
        for change in self.watch.poll(self.clock.now_s()):
            self._note(SourceEvent(change.state.value, change.text, at_s=change.at_s))

    def _note(self, event: SourceEvent) -> None:
        self.events.append(event)
        self.event_counts[event.kind] += 1
        log.info("%s: %s", event.kind, event.text)
        self._log([json.dumps({"kind": event.kind, "text": event.text, "stream": event.stream, "n": event.n})])

    def _control(self, kind: str, text: str) -> None:
        self._log([json.dumps({"kind": kind, "text": text, "sample": self.acquisition.ring.written})])

    def _log(self, lines: Sequence[str]) -> None:
        if self._on_log_line is not None:
            for line in lines:
                self._on_log_line(line)

    def _collect(self, loop: DecodeLoop) -> None:
        epochs, decisions = loop.take()
        for decision in decisions:
            self._newest = decision
            # The embeddings of a whole day would fill the memory: whoever wants them all listens.
            self.decisions.append(replace(decision, embedding=None))
            if self._on_decision is not None:
                self._on_decision(decision)
        for epoch in epochs:
            self._count(epoch)

    def _count(self, epoch: Epoch) -> None:
        is_turn = epoch.part == "dynamic"
        if epoch.rejected is not None:
            (self.turns_lost if is_turn else self.rejected)[epoch.rejected] += 1
            return
        if is_turn:
            self.n_turns += 1
            return
        self.n_accepted += 1
        self._evoked.add(self.scorer.truth[epoch.trial], epoch.data)

    # What there is to see.

    @property
    def windows(self) -> Windows | None:
        """The two windows of a trial; None for decoders of one window, and without a decoder."""
        return self.decoder.windows if isinstance(self.decoder, AnytimeDecoder) else None

    @property
    def evoked(self) -> tuple[Evoked, ...]:
        """Mean responses so far."""
        return self._evoked.means

    @property
    def state(self) -> str:
        """The watchdog's word on the stream."""
        return self.watch.state.value

    def view(self) -> View:
        """A consistent enough picture for the window; never blocks a worker."""
        aligner = self.acquisition.aligner
        chain = self.loop.chain if self.loop else None
        return View(
            state=self.state,
            n_received=self.acquisition.n_received,
            n_lost=aligner.n_lost,
            n_gaps=sum(b.n_lost > 0 for b in aligner.boundaries),
            sfreq_effective_hz=aligner.sfreq_effective_hz,
            settling_left_s=chain.settling_left_s if chain else 0.0,
            bads=chain.bads if chain else (),
            quality=chain.monitor.channels if chain else (),
            notes=chain.notes if chain else (),
            n_markers=sum(self.scorer.marker_counts.values()),
            n_accepted=self.n_accepted,
            n_rejected=sum(self.rejected.values()),
            decision=self._newest,
            n_decisions=len(self.decisions),
            workers=tuple(w.health for w in self.workers),
            events=tuple(self.events)[-50:],
        )
