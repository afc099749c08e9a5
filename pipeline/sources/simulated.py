"""The simulated participant over real LSL, in a process of its own; and the source that listens to it.

The process sends what an amplifier and a presenter would: an EEG stream in chunks, and a marker stream stamped at the
true onset. It is paced by absolute deadlines, so overshoots never add up, and it leaves when its parent does: both hold
the ends of one pipe, and the end of a dead process closes by itself.
"""

import signal
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection

import numpy as np
import pylsl

from engines.errors import AfterimageError
from pipeline.clock import Clock, LslClock
from pipeline.errors import SourceFailed
from pipeline.outlet import lsl_info
from pipeline.processes import STOP_S, Spawned
from pipeline.simulated.participant import Participant, stream_infos
from pipeline.simulation import Player, Shown
from pipeline.sources.base import SourceEnded
from pipeline.sources.lsl import LslSource
from pipeline.types import Item, StreamInfo

CHUNK_S = 0.02
START_S = 30.0  # a fresh interpreter on a busy machine; it is told apart from a dead one at once
SOURCE_ID = "afterimage-simulated-"


@dataclass(frozen=True, eq=False)
class Performance:
    """A participant and what it will be shown, in order of time. `stop_s` None plays until told to stop."""

    participant: Participant
    shown: tuple[Shown, ...]
    snr: float = 1.0
    stop_s: float | None = None
    run: int = 0

    @property
    def infos(self) -> tuple[StreamInfo, StreamInfo]:
        """The EEG stream and the marker stream; their source_ids depend on the participant's seed only."""
        return stream_infos(
            self.participant, snr=self.snr, run=self.run, source_id=f"{SOURCE_ID}{self.participant.seed}"
        )


def seed_in(source_id: str) -> int | None:
    """The seed of the simulated participant whose stream calls itself so; None of any other stream."""
    number = source_id.removeprefix(SOURCE_ID)
    return int(number) if number != source_id and number.isdecimal() else None


class Outlets:
    """The two LSL outlets of a performance. Thread: one only."""

    def __init__(self, performance: Performance) -> None:
        eeg, markers = performance.infos
        self._eeg = pylsl.StreamOutlet(lsl_info(eeg))
        self._markers = pylsl.StreamOutlet(lsl_info(markers))

    @property
    def uids(self) -> tuple[str, str]:
        """The LSL uids of the EEG stream and the marker stream."""
        return self._eeg.get_info().uid(), self._markers.get_info().uid()

    def send_eeg(self, data_uv: np.ndarray, last_s: float) -> None:
        """Send (n_channels, n) float32, whose last sample was taken at `last_s`."""
        self._eeg.push_chunk(np.ascontiguousarray(data_uv.T), last_s)

    def send_marker(self, label: str, at_s: float) -> None:
        """Send one marker stamped `at_s`."""
        self._markers.push_sample([label], at_s)


def perform(performance: Performance, outlets: Outlets, clock: Clock, stopped: Callable[[], bool]) -> None:
    """Play at the pace of the clock until the performance is over or `stopped()` says so.

    Thread: the caller's; returns within one chunk after `stopped()` became true.
    """
    player = Player(performance.participant, snr=performance.snr, run=performance.run)
    sfreq_hz = performance.participant.sfreq_hz
    n = max(1, round(CHUNK_S * sfreq_hz))
    waiting = deque(performance.shown)
    stop = np.inf if performance.stop_s is None else performance.stop_s * sfreq_hz
    start_s = clock.now_s()
    while player.at < stop and not stopped():
        due_s = (player.at + n) / sfreq_hz
        while waiting and waiting[0].at_s < due_s:
            shown = waiting.popleft()
            clock.sleep_until_s(start_s + shown.at_s)
            outlets.send_marker(shown.label, start_s + shown.at_s)
            player.show(shown)
        clock.sleep_until_s(start_s + due_s)
        data_uv = player.next(n)
        outlets.send_eeg(data_uv, start_s + (player.at - 1) / sfreq_hz)


class SimulatedParticipant(Spawned):
    """A performance in a process of its own.

    Thread: one only.
    """

    def __init__(self, performance: Performance) -> None:
        self._performance = performance
        self.uids = ("", "")

    def start(self) -> None:
        """Start and wait until both streams can be found; `uids` names them.

        Raises:
            SourceFailed: the process died; the message holds its traceback.
        """
        pipe = self._spawn("afterimage-simulated", _child, self._performance)
        if not pipe.poll(START_S):
            self.stop()
            raise SourceFailed(f"the simulated participant did not start within {START_S:g} s")
        self.uids = self._received(pipe)

    def _received(self, pipe: Connection) -> tuple[str, str]:
        try:
            uids, failure = pipe.recv()
        except EOFError:
            uids, failure = None, "it was killed before it could say why"
        if uids is None:
            self.stop()
            raise SourceFailed(f"the simulated participant died:\n{failure}")
        return uids[0], uids[1]

    def check(self) -> None:
        """Return when the process plays on, or has come to its end.

        Raises:
            SourceFailed: it died; the message holds its traceback.
        """
        if self._pipe is not None and self._process is not None and self._pipe.poll():
            self._process.join(STOP_S)
            if self._process.exitcode != 0:
                self._received(self._pipe)

    def join(self, timeout_s: float) -> bool:
        """Wait for the performance to end by itself; True when it has, however it ended."""
        if self._process is None:
            return True
        self._process.join(timeout_s)
        return not self._process.is_alive()


class SimulatedSource:
    """`--source sim`: starts the participant, and is an ordinary LSL source on its two streams.

    Thread: whoever opened it, one thread only.
    """

    live = True

    def __init__(self, performance: Performance) -> None:
        self._participant = SimulatedParticipant(performance)
        self._source: LslSource | None = None

    @property
    def info(self) -> StreamInfo:
        """The EEG stream; known after `open`."""
        return self._opened.info

    @property
    def marker_streams(self) -> dict[str, StreamInfo]:
        """The one marker stream; known after `open`."""
        return self._opened.marker_streams

    @property
    def _opened(self) -> LslSource:
        if self._source is None:
            raise RuntimeError("the simulated source is not open")
        return self._source

    def open(self) -> None:
        """Start the process and find its streams.

        Raises:
            SourceFailed: the process died.
            StreamMissing: its streams cannot be found.
        """
        self._participant.start()
        eeg, markers = self._participant.uids
        self._source = LslSource({"uid": eeg}, [{"uid": markers}])
        try:
            self._source.open()
        except AfterimageError:
            self.close()
            raise

    def read(self, timeout_s: float) -> Sequence[Item]:
        """The next items, as `LslSource.read`.

        Raises:
            SourceEnded: the performance is over, and everything of it received.
            SourceFailed: the process died.
        """
        items = self._opened.read(timeout_s)
        if not items:
            self._participant.check()
            if self._participant.join(0.0):
                raise SourceEnded
        return items

    def close(self) -> None:
        """Let go of the streams and end the process. Safe to call twice."""
        if self._source is not None:
            self._source.close()
        self._participant.stop()


def _child(pipe: Connection, performance: Performance) -> None:
    """The process: play until the parent closes its end of the pipe, or dies."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    try:
        outlets = Outlets(performance)
        pipe.send((outlets.uids, ""))
        perform(performance, outlets, LslClock(), lambda: _closed(pipe))
    except Exception:  # noqa: BLE001 - whatever killed the process becomes the parent's to show
        pipe.send((None, traceback.format_exc()))
        raise SystemExit(1) from None


def _closed(pipe: Connection) -> bool:
    try:
        return pipe.poll()
    except OSError:  # Windows reports a closed pipe this way
        return True
