"""From a source to the ring: sample times, microvolts, markers on one clock. Nothing is dropped silently."""

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pipeline.channels import Lossless
from pipeline.clock import Clock
from pipeline.errors import UnitUnknown
from pipeline.lived import OWN_STREAMS
from pipeline.ring import Ring
from pipeline.sources.base import Source, SourceEnded
from pipeline.timestamps import Aligner, MarkerClock, Run
from pipeline.timing import Ledger
from pipeline.types import (
    Array,
    Boundary,
    ClockOffset,
    EegChunk,
    Item,
    Kind,
    Marker,
    MarkerChunk,
    SourceEvent,
    StreamInfo,
)
from pipeline.units import microvolts_per

RING_S = 60.0
# One write never takes more than this, so that a reader cranked after each step never falls behind.
MAX_WRITE_S = 10.0
WRITES_REMEMBERED = 4096


@dataclass(frozen=True)
class Written:
    """The ring held everything up to sample time `time_s` at `at_s` on the LSL clock."""

    time_s: float
    at_s: float


class Acquisition:
    """Cranked by `step`; what it finds is read by others.

    `ring` holds all channels of the stream, EEG-like ones in microvolts (in the sender's unit when `unit_known` is
    False); `boundaries`, `markers` and `events` are lossless and have one reader each. With `keeps_items` the raw
    items wait for `take_items`.

    Thread: `open`, `step`, `close` acquire only; everything else any.
    """

    def __init__(self, source: Source, clock: Clock, ledger: Ledger, unit: str | None = None) -> None:
        self._source = source
        self._clock = clock
        self._ledger = ledger
        self._unit = unit
        self._progress = threading.Condition()
        self._newest: deque[Written] = deque(maxlen=WRITES_REMEMBERED)
        self._backlog: deque[Run] = deque()
        self._marker_clocks: dict[str, MarkerClock] = {}
        self.boundaries: Lossless[Boundary] = Lossless()
        self.markers: Lossless[Marker] = Lossless()
        self.events: Lossless[SourceEvent] = Lossless()
        self.keeps_items = False
        self._items: list[Item] = []
        self._arrivals: list[tuple[float, int]] = []
        self._exhausted = False
        self.ended = False
        self.n_received = 0

    def open(self) -> None:
        """Open the source and make the ring.

        Raises:
            StreamMissing, FileUnreadable: from the source.
        """
        self._source.open()
        info = self._source.info
        self.info: StreamInfo = info.with_unit(self._unit) if self._unit else info
        if info.unit is not None and info.unit != self.info.unit:
            said = f"stream {info.name!r} declares {info.unit!r} and is read as {self.info.unit!r}, as --unit says"
            self.events.put(SourceEvent("unit", said))
        self.unit_known = self.info.unit is not None and microvolts_per(self.info.unit) is not None
        self._factors = _factors(self.info, self.unit_known)
        self.aligner = Aligner(self.info.sfreq_hz)
        rate_hz = self.info.sfreq_hz or 100.0
        self._max_write = max(1, round(MAX_WRITE_S * rate_hz))
        self.ring = Ring(self.info.n_channels, round(RING_S * rate_hz))
        # What an earlier session of ours wrote beside the EEG is no stimulus.
        streams = self._source.marker_streams
        self.marker_streams: Mapping[str, StreamInfo] = {k: v for k, v in streams.items() if v.name not in OWN_STREAMS}
        self._marker_clocks = {key: MarkerClock() for key in self.marker_streams}

    def require_microvolts(self) -> None:
        """Raise when amplitudes cannot be trusted.

        Raises:
            UnitUnknown: the source declares no unit we know.
        """
        if not self.unit_known:
            raise UnitUnknown(
                f"stream {self.info.name!r} declares {unit_declared(self.info)}, and decoding needs microvolts; "
                "say what it is with --unit, for example --unit uV"
            )

    def step(self, timeout_s: float = 0.1) -> bool:
        """Read what comes within `timeout_s` and hand it on; False when the source has ended and all is written.

        Whoever cranks says `end` then, once everything that came with the last samples is handed on too.
        """
        if not (self._backlog or self._exhausted):
            try:
                for item in self._source.read(timeout_s):
                    self._take(item)
            except SourceEnded:
                self._exhaust()
        self._write_backlog()
        return bool(self._backlog) or not self._exhausted

    def finish(self) -> None:
        """Read no more, and write what was withheld. Thread: any, once the acquiring thread has stopped."""
        self._exhaust()
        while self._backlog:
            self._write_backlog()

    def _exhaust(self) -> None:
        if not self._exhausted:
            self._backlog.extend(self.aligner.finish())
        self._exhausted = True

    def end(self) -> None:
        """Nothing more will come: who waits for samples sees the end. Thread: any."""
        with self._progress:
            self.ended = True
            self._progress.notify_all()

    def close(self) -> None:
        """Close the source; readers see the end."""
        self.end()
        self._source.close()

    def take_items(self) -> list[Item]:
        """The raw items since the last call, when `keeps_items`. Thread: acquire only."""
        items, self._items = self._items, []
        return items

    def take_arrivals(self) -> list[tuple[float, int]]:
        """(arrived_s, n) of the chunks since the last call. Thread: acquire only."""
        arrivals, self._arrivals = self._arrivals, []
        return arrivals

    def wait_for(self, count: int, timeout_s: float) -> bool:
        """True as soon as the ring holds more than `count` samples; False after `timeout_s` or at the end."""
        with self._progress:
            return self._progress.wait_for(lambda: self.ring.written > count or self.ended, timeout_s) and (
                self.ring.written > count
            )

    def when_written_s(self, sample_time_s: float) -> float | None:
        """When the sample of that time came into the ring (LSL clock); None when that is too long ago to know."""
        with self._progress:
            newest = list(self._newest)
        found = None
        for written in reversed(newest):
            if written.time_s < sample_time_s:
                return found
            found = written.at_s
        return found if len(newest) < WRITES_REMEMBERED else None

    def _take(self, item: Item) -> None:
        match item:
            case EegChunk():
                self.n_received += item.data.shape[1]
                if np.isfinite(item.arrived_s):
                    self._arrivals.append((item.arrived_s, item.data.shape[1]))
                self._backlog.extend(self.aligner.push(item.data, item.stamps_s))
            case MarkerChunk() if item.stream in self._marker_clocks:
                clock = self._marker_clocks[item.stream]
                for label, stamp_s in zip(item.labels, item.stamps_s, strict=True):
                    self.markers.put(Marker(label, clock.time_of(stamp_s), item.stream))
            case ClockOffset(stream=""):
                self.aligner.offset(item)
            case ClockOffset() if item.stream in self._marker_clocks:
                self._marker_clocks[item.stream].offset(item)
            case SourceEvent():
                self.events.put(item)
        if self.keeps_items:
            self._items.append(item)

    def _write_backlog(self) -> None:
        """Write up to `MAX_WRITE_S`; the rest waits for the next step."""
        room = self._max_write
        while self._backlog and room > 0:
            run = self._backlog.popleft()
            n = run.times_s.size
            if n > room:
                self._backlog.appendleft(Run(run.data[:, room:], run.times_s[room:], None))
                run = Run(run.data[:, :room], run.times_s[:room], run.boundary)
            self._write(run)
            room -= min(n, room)

    def _write(self, run: Run) -> None:
        if run.boundary is not None:
            self.boundaries.put(run.boundary)
        n = run.times_s.size
        if n == 0:
            return
        scaled: Array = run.data * self._factors[:, None]
        self.ring.write(scaled, run.times_s)
        with self._progress:
            self._newest.append(Written(float(run.times_s[-1]), self._clock.now_s()))
            self._progress.notify_all()


def unit_declared(info: StreamInfo) -> str:
    """What the stream says of its unit, in words."""
    return "no unit" if info.unit is None else f"the unit {info.unit!r}"


def _factors(info: StreamInfo, unit_known: bool) -> Array:
    """(n_channels,) factors to microvolts; 1 for channels that measure something else, or when no unit is known."""
    measured = {Kind.EEG, Kind.EOG, Kind.EMG, Kind.ECG}
    return np.array(
        [(microvolts_per(c.unit) or 1.0) if unit_known and c.kind in measured else 1.0 for c in info.channels]
    )
