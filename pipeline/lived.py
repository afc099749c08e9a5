"""What a live session saw, written into its recording, so that a replay sees exactly the same.

The recorder has inlets of its own: it starts a little earlier than the acquisition, reconnects at another sample after
a sender died, and measures its own clock offsets. Answers could then differ in the last digits, or by a sample at an
onset, or a marker could reach only one of them. The live session therefore logs, as JSON on a string stream beside the
EEG, which raw stamps it received, its markers in their order, and which clock offsets it applied; the replay of the
recording takes those.
"""

import json
import logging
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.sources.base import Source, SourceEnded, WrappedSource
from pipeline.types import Array, ClockOffset, EegChunk, Item, MarkerChunk, SourceEvent, StreamInfo

log = logging.getLogger(__name__)

EVENTS_STREAM = "AfterimageEvents"
DECISIONS_STREAM = "AfterimageDecisions"
OWN_STREAMS = (EVENTS_STREAM, DECISIONS_STREAM)

# A jump of the raw stamps by more than this starts a new run of received samples.
RUN_BREAK_S = 0.5


def events_info(name: str) -> StreamInfo:
    """The header of one of our own string streams."""
    return StreamInfo(
        name=name, type="Events", n_channels=1, sfreq_hz=0.0, dtype="string", source_id=f"afterimage-{name}"
    )


def stream_key(info: StreamInfo) -> str:
    """What identifies a stream in the log: keys of a live run and of its recording differ, name and source do not."""
    return f"{info.name}|{info.source_id}"


class LivedWriter:
    """Turns the items of a live source into log lines.

    Thread: acquire only.
    """

    def __init__(self, marker_streams: dict[str, StreamInfo]) -> None:
        self._names = {key: stream_key(info) for key, info in marker_streams.items()} | {"": ""}
        self._last_stamp_s: float | None = None
        self._n_received = 0
        self._broken = False

    def lines(self, item: Item) -> list[str]:
        """The log lines for one item, usually none."""
        match item:
            case EegChunk():
                self._n_received += len(item.stamps_s)
                return self._run_lines(item.stamps_s)
            case MarkerChunk():
                name = self._names[item.stream]
                entry = {"kind": "markers", "stream": name, "labels": item.labels, "stamps_s": item.stamps_s}
                return [json.dumps(entry | {"after": self._n_received})]
            case ClockOffset():
                name = self._names[item.stream]
                return [json.dumps({"kind": "offset", "stream": name, "at_s": item.at_s, "value_s": item.value_s})]
            case SourceEvent(kind="overrun"):
                self._broken = True  # by less, maybe, than what breaks a run, and the recorder has those samples
        return []

    def _run_lines(self, stamps_s: Array) -> list[str]:
        lines: list[str] = []
        for stamp_s in stamps_s[usable(stamps_s)].tolist():  # live chunks are short: arrays would take longer
            last_s = self._last_stamp_s
            if last_s is None or self._broken or abs(stamp_s - last_s) > RUN_BREAK_S:
                lines += [*self.last_lines(), json.dumps({"kind": "received_from", "stamp_s": stamp_s})]
                self._broken = False
            self._last_stamp_s = stamp_s
        return lines

    def last_lines(self) -> list[str]:
        """The line that closes the run, at the end of the session."""
        if self._last_stamp_s is None:
            return []
        return [json.dumps({"kind": "received_to", "stamp_s": self._last_stamp_s})]


@dataclass(frozen=True)
class LivedMarkers:
    """Markers of one stream that came together, after `after` samples of the EEG."""

    stream: str
    labels: tuple[str, ...]
    stamps_s: tuple[float, ...]
    after: int


@dataclass(frozen=True)
class LivedLog:
    """A parsed log: offsets by stream, runs of received raw stamps [first, last], markers in the order they came."""

    offsets: tuple[tuple[str, float, float], ...] = ()
    runs: tuple[tuple[float, float], ...] = ()
    markers: tuple[LivedMarkers, ...] = ()

    @classmethod
    def parse(cls, lines: Iterable[str]) -> "LivedLog | None":
        """The log in these lines; None when they hold none. Lines of other kinds are passed over."""
        offsets: list[tuple[str, float, float]] = []
        starts: list[float] = []
        stops: list[float] = []
        markers: list[LivedMarkers] = []
        for entry in map(_entry, lines):
            match entry:
                case {"kind": "offset", "stream": str(stream), "at_s": float(at_s), "value_s": float(value_s)}:
                    offsets.append((stream, at_s, value_s))
                case {"kind": "received_from", "stamp_s": float(stamp_s)}:
                    starts.append(stamp_s)
                case {"kind": "received_to", "stamp_s": float(stamp_s)}:
                    stops.append(stamp_s)
                case {"kind": "markers", "stream": str(stream), "labels": [*labels], "stamps_s": [*stamps_s]}:
                    if len(labels) == len(stamps_s) and all(isinstance(stamp_s, float) for stamp_s in stamps_s):
                        after = entry.get("after")
                        n = after if isinstance(after, int) else 0
                        markers.append(LivedMarkers(stream, tuple(map(str, labels)), tuple(stamps_s), n))
        if not starts:
            return None
        # A session that was killed never closed its last run.
        stops += [float("inf")] * (len(starts) - len(stops))
        return cls(tuple(offsets), tuple(zip(starts, stops, strict=False)), tuple(markers))


def _entry(line: str) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}


class AsLived(WrappedSource):
    """A recording as the live session saw it: its samples, its markers, its clock offsets.

    Thread: as every source, one thread only.
    """

    def __init__(self, source: Source, lived: LivedLog) -> None:
        super().__init__(source)
        self._lived = lived
        self._runs = deque(lived.runs)
        self._markers = deque(lived.markers)
        self._n_given = 0
        self._inside = False
        self._offsets_given = False
        self.n_skipped = 0

    def open(self) -> None:
        """Open the recording."""
        self._source.open()
        self._keys = {stream_key(info): key for key, info in self._source.marker_streams.items()}

    def read(self, timeout_s: float) -> Sequence[Item]:
        """The next items, less what the live session did not see.

        Raises:
            SourceEnded: from the recording, after the markers that came last.
        """
        items: list[Item] = [] if self._offsets_given else self._offsets()
        self._offsets_given = True
        try:
            came = self._source.read(timeout_s)
        except SourceEnded:
            last = self._markers_until(None)
            if not last:
                raise
            return [*items, *last]
        for item in came:
            match item:
                case EegChunk():
                    for piece in self._received(item):
                        self._n_given += len(piece.stamps_s)
                        items += [*self._markers_until(self._n_given), piece]
                case MarkerChunk() | ClockOffset():
                    pass  # what the recorder had; what the session had stands in the log
                case _:
                    items.append(item)
        return items

    def _offsets(self) -> list[Item]:
        keys = self._keys | {"": ""}
        return [ClockOffset(keys[s], at_s, value_s) for s, at_s, value_s in self._lived.offsets if s in keys]

    def _markers_until(self, n: int | None) -> list[Item]:
        """Markers of the chosen streams that had come when the session had `n` samples; None: all that are left."""
        items: list[Item] = []
        while self._markers and (n is None or self._markers[0].after <= n):
            came = self._markers.popleft()
            if came.stream in self._keys:
                items.append(MarkerChunk(self._keys[came.stream], came.labels, came.stamps_s))
        return items

    def _received(self, chunk: EegChunk) -> list[EegChunk]:
        """The parts of a chunk that lie in the runs, walked in order so that stamps may jump backward between runs."""
        pieces: list[EegChunk] = []
        data, stamps = chunk.data, chunk.stamps_s
        while stamps.size and self._runs:
            cut = _leaves(stamps, self._runs[0]) if self._inside else _enters(stamps, self._runs[0])
            taken = stamps.size if cut is None else cut
            if self._inside and taken:
                pieces.append(replace(chunk, data=data[:, :taken], stamps_s=stamps[:taken]))
            elif not self._inside:
                self.n_skipped += taken
            data, stamps = data[:, taken:], stamps[taken:]
            if cut is None:
                break
            if self._inside:
                self._runs.popleft()
            self._inside = not self._inside
        self.n_skipped += int(stamps.size)
        return pieces


def usable(stamps_s: Array) -> NDArray[np.bool_]:
    """Which of the stamps (n,) are some: zero and what is no number is none (`pipeline/timestamps.py`)."""
    found: NDArray[np.bool_] = np.isfinite(stamps_s) & (stamps_s != 0)
    return found


def _enters(stamps_s: Array, run: tuple[float, float]) -> int | None:
    """Where the run begins: with its first stamp, or, should the recorder have missed that one, well inside the run.

    Bursty senders repeat a stamp: a run begins with the first sample of its stamp and ends with the last.
    """
    first_s, last_s = run
    hits = np.flatnonzero(stamps_s == first_s)
    if not hits.size:
        hits = np.flatnonzero((stamps_s > first_s + RUN_BREAK_S) & (stamps_s <= last_s))
    return int(hits[0]) if hits.size else None


def _leaves(stamps_s: Array, run: tuple[float, float]) -> int | None:
    """Where the run is over: after its last stamp, or where, that one being missing, only stamps far from it follow."""
    first_s, last_s = run
    hits = np.flatnonzero(stamps_s == last_s)
    if not hits.size:
        near = (stamps_s >= first_s - RUN_BREAK_S) & (stamps_s <= last_s + RUN_BREAK_S)
        hits = np.flatnonzero(near | ~usable(stamps_s))
        if not stamps_s.size or (hits.size and hits[-1] == stamps_s.size - 1):
            return None
    return int(hits[-1]) + 1 if hits.size else 0
