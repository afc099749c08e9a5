"""From the ring to decisions: what the decode worker does at every step.

It sees onsets and trial numbers, never labels; labels go to the scorer (`pipeline/session.py`).
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from pipeline.acquire import Acquisition
from pipeline.anytime import AnytimeDecoder, TrialWindows, answered
from pipeline.channels import Lossless
from pipeline.clock import Clock
from pipeline.epochs import EpochBuilder, EpochConfig
from pipeline.errors import Overrun
from pipeline.preprocess import DELAY_STATED_AT_HZ, Chain, ChainConfig
from pipeline.timing import Ledger
from pipeline.types import NOT_YET_S, Array, Boundary, BoundaryKind, Decision, Epoch, Onset

# A sender of single samples would wake the decoding a thousand times a second: it waits for this much (decision 0090).
GATHER_S = 0.005
# An epoch, and what its samples and itself took so far: {"filter": s, "epoch": s}.
Waiting = tuple[Epoch, Mapping[str, float]]
# A refined answer this late gives way to a newer one of its trial that waits already (decision 0140).
LATE_S = 0.5


class Decoder(Protocol):
    """A fitted decoder with everything that must be the same live as it was in calibration."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names, in the order of the probabilities."""
        ...

    @property
    def channels(self) -> tuple[str, ...]:
        """Channels of an epoch, in order."""
        ...

    @property
    def sfreq_hz(self) -> float:
        """Rate of an epoch."""
        ...

    @property
    def chain(self) -> ChainConfig:
        """The frozen decoding chain."""
        ...

    @property
    def epoch(self) -> EpochConfig:
        """The window."""
        ...

    @property
    def stage(self) -> str:
        """What a decision of this decoder is called: static, refined, fused or single."""
        ...

    def probabilities(self, epoch_uv: Array) -> Array:
        """(n_channels, n_samples) in microvolts to (n_classes,), summing to 1."""
        ...


class DecodeLoop:
    """Reads the ring, filters, cuts epochs, decodes. `step` is one crank.

    Onsets come in through `onsets`; whoever cranks takes the results away with `take`. With `may_skip` a decoder that
    is too slow leaves refined answers out, never the first or the last of a trial; `n_skipped` counts them.

    Thread: decode only; `onsets` may be written by any.
    """

    def __init__(
        self,
        acquisition: Acquisition,
        chain: Chain,
        builder: EpochBuilder | TrialWindows | None,
        decoder: Decoder | AnytimeDecoder | None,
        clock: Clock,
        ledger: Ledger,
        may_skip: bool = False,
    ) -> None:
        self._acquisition = acquisition
        self.chain = chain
        self._builder = builder
        self._clock = clock
        self._ledger = ledger
        self._may_skip = may_skip
        # A stream may send the decoder's channels in another order.
        pick = [chain.channels.index(name) for name in decoder.channels] if decoder else []
        self._answer = _answering(decoder, pick) if decoder else None
        self._cursor = 0
        self._gathered = max(1, round(GATHER_S * acquisition.info.sfreq_hz))
        self._boundaries: deque[Boundary] = deque()
        self.onsets: Lossless[Onset] = Lossless()
        self._undecided: deque[Waiting] = deque()
        self._epochs: list[Epoch] = []
        self._decisions: list[Decision] = []
        self.n_overrun = 0
        self.n_skipped = 0

    @property
    def group_delays_s(self) -> dict[str, float]:
        """Delay of the filters at `DELAY_STATED_AT_HZ`: of the chain, and of the second rate that turns pass too."""
        delays = {"chain": self.chain.group_delay_s}
        if isinstance(self._builder, TrialWindows):
            at_hz = np.array([DELAY_STATED_AT_HZ])
            delays["second rate"] = float(self._builder.second_rate.group_delay_s(at_hz)[0])
        return delays

    def step(self, timeout_s: float = 0.1) -> bool:
        """Handle what is there; wait up to `timeout_s` for more. False when the source has ended and all is read."""
        acquisition = self._acquisition
        ended = acquisition.ended
        self._settle([], {})
        acquisition.wait_for(self._cursor + self._gathered - 1, timeout_s)
        # A boundary is announced before its samples are written: read the counter first and none is missed.
        written = acquisition.ring.written
        self._boundaries.extend(acquisition.boundaries.take_all())
        self._take_onsets()
        self._read_to(written)
        return not ended or self._cursor < acquisition.ring.written

    def finish(self) -> None:
        """No more data will come: settle what waits."""
        self._take_onsets()
        if self._builder is not None:
            self._settle(self._builder.finish(), {})

    def take(self) -> tuple[list[Epoch], list[Decision]]:
        """What was finished since the last call."""
        epochs, self._epochs = self._epochs, []
        decisions, self._decisions = self._decisions, []
        return epochs, decisions

    def _take_onsets(self) -> None:
        for onset in self.onsets.take_all():
            if self._builder is not None:
                self._builder.onset(onset)

    def _read_to(self, written: int) -> None:
        while self._cursor < written:
            boundary = None
            while self._at_boundary():
                boundary = self._boundaries.popleft()
            stop = min(written, self._boundaries[0].at) if self._boundaries else written
            try:
                self._run(self._cursor, stop, boundary)
            except Overrun as overrun:
                self._skip(overrun)

    def _at_boundary(self) -> bool:
        return bool(self._boundaries) and self._boundaries[0].at <= self._cursor

    def _skip(self, overrun: Overrun) -> None:
        """Too slow: go on with what is left, as after a gap, and say how much was lost."""
        self.n_overrun += overrun.n_lost
        ring = self._acquisition.ring
        before = self._cursor
        # A quarter of the ring ahead of the writer's edge, so that the same does not happen again at once.
        self._cursor = max(before + overrun.n_lost, ring.written - ring.capacity * 3 // 4)
        while self._at_boundary():
            self._boundaries.popleft()
        now_s = self._clock.now_s()
        self._boundaries.appendleft(
            Boundary(self._cursor, BoundaryKind.GAP, now_s, now_s, n_lost=self._cursor - before)
        )

    def _run(self, start: int, stop: int, boundary: Boundary | None) -> None:
        began_s = self._clock.now_s()
        data, times = self._acquisition.ring.view(start, stop)
        block = self.chain.process(data, times, boundary)
        self._acquisition.ring.check(start)
        self._cursor = stop
        filtered_s = self._clock.now_s()
        took_s = {"filter": filtered_s - began_s}
        self._ledger.add("filter", took_s["filter"])
        if self._builder is not None:
            epochs = self._builder.push(block)
            if epochs:
                took_s["epoch"] = self._clock.now_s() - filtered_s
                self._ledger.add("epoch", took_s["epoch"])
            self._settle(epochs, took_s)

    def _settle(self, epochs: Sequence[Epoch], took_s: Mapping[str, float]) -> None:
        """Decide one after another. A decoder that fails loses the trial it failed on, and no other."""
        self._undecided.extend((epoch, took_s) for epoch in epochs)
        while self._undecided:
            epoch, took_s = self._undecided.popleft()
            if self._is_overtaken(epoch):
                self.n_skipped += 1
            elif epoch.rejected is None and self._answer is not None:
                self._decide(self._answer, epoch, took_s)
            if not epoch.beginning:
                self._epochs.append(epoch)

    def _decide(self, answer: Callable[[Epoch], Decision], epoch: Epoch, took_s: Mapping[str, float]) -> None:
        began_s = self._clock.now_s()
        try:
            decision = answer(epoch)
        except Exception:
            self._lose(epoch)
            raise
        decided_s = self._clock.now_s()
        took_s = {**took_s, "decode": decided_s - began_s}
        in_ring_s = self._acquisition.when_written_s(epoch.window_stop_s)
        if in_ring_s is not None:
            took_s = {"wait": max(0.0, decided_s - in_ring_s - sum(took_s.values())), **took_s}
        took_ms = {step: 1e3 * duration_s for step, duration_s in took_s.items()}
        self._decisions.append(replace(decision, decided_s=decided_s, took_ms=took_ms))
        self._enter(took_s, "" if epoch.part == "single" else decision.stage)

    def _enter(self, took_s: Mapping[str, float], stage: str) -> None:
        """An answer's times into the ledger: with all others, and with those of its `stage`, where a trial has some."""
        self._ledger.add("decode", took_s["decode"])
        whole = {"answer": sum(took_s.values())} if "wait" in took_s else {}
        if whole:
            self._ledger.add("window to answer", whole["answer"])
        if stage:
            for step, duration_s in {**whole, **took_s}.items():
                self._ledger.add(f"{stage} {step}", duration_s)

    def _is_overtaken(self, epoch: Epoch) -> bool:
        """True for a beginning that is late while more of its trial waits to be decided."""
        if not (self._may_skip and epoch.beginning):
            return False
        in_ring_s = self._acquisition.when_written_s(epoch.window_stop_s)
        if in_ring_s is None or self._clock.now_s() - in_ring_s <= LATE_S:
            return False
        return any(e.trial == epoch.trial and e.rejected is None for e, _ in self._undecided)

    def _lose(self, epoch: Epoch) -> None:
        """What was answered of the trial stands; no more of it is decided."""
        self._epochs.append(replace(epoch, rejected="decoder failed", beginning=False))
        self._undecided = deque(waiting for waiting in self._undecided if waiting[0].trial != epoch.trial)
        if self._builder is not None:
            self._builder.drop(epoch.trial)


def _answering(decoder: Decoder | AnytimeDecoder, pick: list[int]) -> Callable[[Epoch], Decision]:
    """From an epoch to a decision that has no moment yet, from the rows `pick` of the epoch."""
    if isinstance(decoder, AnytimeDecoder):
        return lambda epoch: answered(decoder, epoch, pick)
    return lambda epoch: Decision(
        trial=epoch.trial,
        stage=decoder.stage,
        onset_s=epoch.onset_s,
        window_stop_s=epoch.window_stop_s,
        decided_s=NOT_YET_S,
        classes=decoder.classes,
        probabilities=tuple(float(p) for p in np.asarray(decoder.probabilities(epoch.data[pick]))),
    )
