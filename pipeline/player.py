"""Re-streams a finite source over LSL from a process of its own, as if it were recorded now.

Samples leave when their own stamps say, bursts as bursts; raw stamps are moved to the LSL clock of this machine by the
recording's clock offsets, so that the streams keep their relations, and lie as far apart as they were (closer for
`speed` > 1, where the nominal rate rises alike).
"""

import math
import signal
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from typing import Self

import numpy as np
import pylsl

from pipeline.clock import LslClock
from pipeline.errors import SourceFailed
from pipeline.outlet import lsl_info
from pipeline.processes import Spawned
from pipeline.sources.base import Source, SourceEnded
from pipeline.sources.lsl import LslSource
from pipeline.sources.paced import PacedSource
from pipeline.types import ClockOffset, EegChunk, Item, MarkerChunk, StreamInfo

START_S = 60.0  # a fresh interpreter that indexes a large file; a dead one is told apart at once
# How soon the process notices that its parent is gone.
LOOK_S = 0.1
# Consumers connect to one stream after the other: this long after the first, markers wait for nobody.
MARKER_GRACE_S = 5.0


@dataclass(frozen=True)
class Program:
    """What the player's process is told."""

    source: Source
    speed: float
    wait_for_consumers: bool


class Player(Spawned):
    """The handle of a player process; in a `with` statement it is started and stopped.

    `source` is finite and not yet open: it is opened and read in the process. `speed` times real time. With
    `wait_for_consumers` the first sample leaves when somebody listens. `uid` and `marker_uids` (by the source's key)
    are LSL's, known after `start`.

    Thread: one only.
    """

    def __init__(self, source: Source, speed: float = 1.0, *, wait_for_consumers: bool = True) -> None:
        self._program = Program(source, speed, wait_for_consumers)
        self._finished = False
        self.uid = ""
        self.marker_uids: dict[str, str] = {}

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start the process and wait until its streams can be found.

        Raises:
            SourceFailed: the process died; the message holds its traceback.
        """
        pipe = self._spawn("afterimage-player", _child, self._program)
        if not pipe.poll(START_S):
            self.stop()
            raise SourceFailed(f"the player did not start within {START_S:g} s; is the file on a slow disk?")
        self.uid, self.marker_uids = self._receive(pipe)

    def _receive(self, pipe: Connection) -> tuple[str, dict[str, str]]:
        try:
            word, value = pipe.recv()
        except EOFError:
            word, value = "died", "it was killed before it could say why"
        if word == "died":
            self.stop()
            raise SourceFailed(f"the player died:\n{value}")
        self._finished = word == "finished"
        uid, marker_uids = value
        return uid, marker_uids

    def finished(self, timeout_s: float = 0.0) -> bool:
        """True when everything is sent; the streams stay open until `stop`, so that nobody misses the end.

        Raises:
            SourceFailed: the process died; the message holds its traceback.
        """
        if self._pipe is not None and not self._finished and self._pipe.poll(timeout_s):
            self._receive(self._pipe)
        return self._finished

    def source(self) -> LslSource:
        """A source that receives what is played, not yet open."""
        return LslSource({"uid": self.uid}, [{"uid": uid} for uid in self.marker_uids.values()])


def _child(pipe: Connection, program: Program) -> None:
    """The process: play until the end, and stay until the parent closes its end of the pipe, or dies."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    try:
        _perform(program, pipe)
    except Exception:  # noqa: BLE001 - whatever killed the process becomes the parent's to show
        pipe.send(("died", traceback.format_exc()))
        raise SystemExit(1) from None


def _perform(program: Program, pipe: Connection) -> None:
    source = PacedSource(program.source, LslClock(), program.speed)
    source.open()
    outlets = Outlets(source.info, source.marker_streams, program.speed)
    names = (outlets.uid, outlets.marker_uids)
    pipe.send(("ready", names))
    if program.wait_for_consumers:
        outlets.wait_for_consumers(lambda: _closed(pipe, 0.0))
    while not _closed(pipe, 0.0):
        try:
            items = source.read(LOOK_S)
        except SourceEnded:
            pipe.send(("finished", names))
            while not _closed(pipe, LOOK_S):
                pass
            break
        for item in items:
            outlets.send(item)
    source.close()


def _closed(pipe: Connection, timeout_s: float) -> bool:
    try:
        return pipe.poll(timeout_s)
    except OSError:  # Windows reports a closed pipe this way
        return True


class Outlets:
    """One outlet a stream, and the one line that carries recorded time to now. Thread: one only."""

    def __init__(self, info: StreamInfo, marker_streams: dict[str, StreamInfo], speed: float = 1.0) -> None:
        self._speed = speed
        signal_info = replace(replayed(info), sfreq_hz=info.sfreq_hz * speed)
        self._dtype = np.dtype(signal_info.dtype)
        self._signal = pylsl.StreamOutlet(lsl_info(signal_info))
        self._integer = {key: marker.dtype.startswith("int") for key, marker in marker_streams.items()}
        self._markers = {
            key: pylsl.StreamOutlet(lsl_info(replace(replayed(marker), source_id=f"{marker.source_id}-{key}-replayed")))
            for key, marker in marker_streams.items()
        }
        self._offsets_s: dict[str, float] = {}
        self._first_s = self._started_s = math.nan

    @property
    def uid(self) -> str:
        """LSL's uid of the signal."""
        return str(self._signal.get_info().uid())

    @property
    def marker_uids(self) -> dict[str, str]:
        """LSL's uids of the marker streams, by the source's keys."""
        return {key: str(outlet.get_info().uid()) for key, outlet in self._markers.items()}

    def wait_for_consumers(self, stopped: Callable[[], bool]) -> None:
        """Return when somebody listens to the signal, and to the markers or has had the time to, or at `stopped()`."""
        while not self._signal.wait_for_consumers(LOOK_S):
            if stopped():
                return
        deadline_s = pylsl.local_clock() + MARKER_GRACE_S
        for outlet in self._markers.values():
            while pylsl.local_clock() < deadline_s and not outlet.wait_for_consumers(LOOK_S):
                if stopped():
                    return

    def send(self, item: Item) -> None:
        """Send samples or markers; learn from clock offsets. What happened to the recording happens to nobody now."""
        if isinstance(item, ClockOffset):
            self._offsets_s[item.stream] = item.value_s
        elif isinstance(item, EegChunk):
            times_s = self._now_times(item.stamps_s, "")
            self._signal.push_chunk(np.ascontiguousarray(item.data.T, self._dtype), times_s.tolist())
        elif isinstance(item, MarkerChunk):
            times_s = self._now_times(np.array(item.stamps_s), item.stream)
            for label, time_s in zip(item.labels, times_s.tolist(), strict=True):
                self._markers[item.stream].push_sample([int(label) if self._integer[item.stream] else label], time_s)

    def _now_times(self, stamps_s: np.ndarray, stream: str) -> np.ndarray:
        recorded_s = stamps_s + self._offsets_s.get(stream, 0.0)
        if math.isnan(self._started_s):
            self._first_s, self._started_s = float(recorded_s[-1]), pylsl.local_clock()
        moved: np.ndarray = self._started_s + (recorded_s - self._first_s) / self._speed
        return moved


def replayed(info: StreamInfo) -> StreamInfo:
    """The stream under an identity of its own: the amplifier of the recording may be in the next room."""
    if info.is_marker:
        dtype = info.dtype if info.n_channels == 1 and info.dtype.startswith("int") else "string"
        return replace(info, n_channels=1, dtype=dtype, channels=info.channels[:1])
    return replace(info, source_id=f"{info.source_id or info.name}-replayed")
