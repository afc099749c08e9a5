"""A source that does what the test says, a session over it, and frames made by hand."""

import queue
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from app.bridge import Hooks
from app.panels.frame import Frame, Request, Samples, Stream
from pipeline.clock import FakeClock
from pipeline.coupling.values import CouplingConfig
from pipeline.epochs import EpochConfig
from pipeline.errors import StreamMissing
from pipeline.preprocess import ChainConfig
from pipeline.recorder.messages import RecorderState, RecorderStatus
from pipeline.session import Session, Setup, View
from pipeline.sources.base import SourceEnded
from pipeline.types import Channel, Decision, EegChunk, Item, Kind, MarkerChunk, StreamInfo
from pipeline.worker import Health, State

NAMES = ("Fp1", "Fp2", "C3", "C4", "Cz", "Pz", "O1", "O2")
RATE_HZ = 250.0
CHUNK = 5
START_S = 100.0


def info(names: Sequence[str] = NAMES, unit: str | None = "microvolts", simulated: bool = False) -> StreamInfo:
    channels = tuple(Channel(name, Kind.EEG, unit) for name in names)
    return StreamInfo("amp", "EEG", len(names), RATE_HZ, "float64", "amp-1", channels=channels, simulated=simulated)


class ScriptedSource:
    """`feed` and `mark` put items in; `open` waits for `may_open` and fails with `refusal`; `fail` kills the reader.

    The clock goes on when an item is read, as if it had just arrived.
    """

    live = True

    def __init__(self, clock: FakeClock, stream: StreamInfo | None = None) -> None:
        self.clock = clock
        self.info = stream or info()
        self.marker_streams = {"m": StreamInfo("stim", "Markers", 1, 0.0, "string", "stim-1")}
        self.may_open = threading.Event()
        self.may_open.set()
        self.refusal = ""
        self.opened_in = ""
        self.closed = threading.Event()
        self.sent = np.empty((self.info.n_channels, 0))
        self._next_s = clock.now_s()
        self._items: queue.Queue[Item | Exception] = queue.Queue()

    def open(self) -> None:
        self.opened_in = threading.current_thread().name
        self.may_open.wait(10.0)
        if self.refusal:
            raise StreamMissing(self.refusal)

    def read(self, timeout_s: float) -> Sequence[Item]:
        try:
            item = self._items.get(timeout=max(timeout_s, 0.001))
        except queue.Empty:
            return []
        if isinstance(item, Exception):
            raise item
        if isinstance(item, EegChunk):
            self.clock.advance(max(0.0, item.arrived_s - self.clock.now_s()))
        return [item]

    def close(self) -> None:
        self.closed.set()

    def feed(self, seconds: float) -> None:
        """Samples of `seconds`, a sine of 10 Hz on every channel, arriving as the clock goes on."""
        self._next_s = max(self._next_s, self.clock.now_s())
        for _ in range(round(seconds * RATE_HZ / CHUNK)):
            first = self.sent.shape[1]
            count = np.arange(first, first + CHUNK)
            stamps = self._next_s + np.arange(CHUNK) / RATE_HZ
            phase = np.arange(self.info.n_channels)[:, None]
            data = 20 * np.sin(2 * np.pi * 10 * count / RATE_HZ + phase) + phase
            self.sent = np.concatenate((self.sent, data), axis=1)
            self._next_s += CHUNK / RATE_HZ
            self._items.put(EegChunk(data, stamps, self._next_s))

    def mark(self, label: str) -> None:
        self._items.put(MarkerChunk("m", (label,), (self._next_s,), self._next_s))

    def fail(self) -> None:
        self._items.put(ValueError("the amplifier said something odd"))

    def end(self) -> None:
        self._items.put(SourceEnded())


class Bench:
    """What a bridge needs, around one scripted source."""

    def __init__(self, stream: StreamInfo | None = None, off: str = "", coupling: CouplingConfig | None = None) -> None:
        self.clock = FakeClock(START_S)
        self.source = ScriptedSource(self.clock, stream)
        self.off = off
        self.coupling = coupling
        self.recordings: list[FakeRecording] = []

    def make_session(self, request: Request, hooks: Hooks) -> Session:
        hooks.on_wait("waiting for amp")
        setup = Setup(None, off=self.off) if self.off else Setup(ChainConfig(mains_hz=None), EpochConfig())
        return Session(
            self.source,
            lambda acquisition: setup,
            clock=self.clock,
            unit=request.unit,
            on_item=hooks.on_item,
            on_log_line=hooks.on_log_line,
            on_decision=hooks.on_decision,
            coupling=self.coupling,
        )

    def start_recording(
        self, path: Path, request: Request, session: Session, offsets: Sequence[object]
    ) -> "FakeRecording":
        self.recordings.append(FakeRecording(path))
        return self.recordings[-1]


class FakeRecording:
    def __init__(self, path: Path) -> None:
        self.items: list[Item] = []
        self.lines: list[str] = []
        self.status = RecorderStatus(RecorderState.RECORDING, path, bytes_written=1_500_000, disk_free_bytes=10**11)

    def item(self, item: Item) -> None:
        self.items.append(item)

    def log_line(self, line: str) -> None:
        self.lines.append(line)

    def decision(self, decision: Decision) -> None:
        raise AssertionError("nothing is decoded here")

    def stop(self) -> RecorderStatus:
        self.status = RecorderStatus(RecorderState.FINISHED, self.status.path)
        return self.status


REQUEST = Request("lsl:name=amp", "amp")


def stream(source: StreamInfo | None = None, **changes: object) -> Stream:
    source = source or info()
    names = tuple(c.name for c in source.channels)
    values: dict[str, object] = {
        "title": "amp",
        "live": True,
        "unit_known": True,
        "off": "",
        "rows": tuple(range(len(names))),
        "names": names,
        "positions": {},
        "no_positions": "",
        "classes": (),
    }
    return Stream(source, **{**values, **changes})  # type: ignore[arg-type]


def view(**changes: object) -> View:
    values: dict[str, object] = {
        "state": "connected",
        "n_received": 1000,
        "n_lost": 0,
        "n_gaps": 0,
        "sfreq_effective_hz": 250.0,
        "settling_left_s": 0.0,
        "bads": (),
        "quality": (),
        "notes": (),
        "n_markers": 3,
        "n_accepted": 2,
        "n_rejected": 1,
        "decision": None,
        "n_decisions": 0,
        "workers": (Health("acquire", State.RUNNING),),
        "events": (),
    }
    return View(**{**values, **changes})  # type: ignore[arg-type]


def frame(of: Stream | None = None, seen: View | None = None, **changes: object) -> Frame:
    of = of or stream()
    nothing = Samples(0, np.empty((of.info.n_channels, 0)), np.empty(0))
    values: dict[str, object] = {"now_s": START_S, "fresh": nothing, "silent_s": 0.0}
    return Frame(of, seen or view(), **{**values, **changes})  # type: ignore[arg-type]
