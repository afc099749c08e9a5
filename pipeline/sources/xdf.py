"""A recording as a source: the chosen stream, its markers and clock offsets, merged by time.

Each stream is read in its own file order, so what is computed from it (clock offsets, marker times) does not depend on
the merging. Between streams, markers come just before the first samples that are as late as they are, on the corrected
clock, wherever the recorder put them in the file: see docs/decisions/0020-markers-before-samples.md.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from engines.errors import InputError
from pipeline.errors import FileUnreadable, StreamMissing
from pipeline.lived import OWN_STREAMS
from pipeline.sources.base import SourceEnded
from pipeline.types import ClockOffset, EegChunk, Item, MarkerChunk, SourceEvent, StreamInfo
from pipeline.xdf.file import StreamReader, XdfFile
from pipeline.xdf.scan import XdfStream

__all__ = ["XdfFile", "XdfSource", "XdfStream"]

Selector = Mapping[str, str]
SELECTOR_KEYS = ("name", "type", "source_id", "id", "uid", "hostname")
# A marker stream that is silent for this long at the end, and ten times longer than between its markers, has died.
_SILENT_S = 30.0
_SILENT_INTERVALS = 10.0


class XdfSource:
    """Plays one XDF file, as fast as it is read.

    `stream` and `markers` select by name, type, source_id, id, uid or hostname. Without them: the stream of type EEG
    that holds samples, else the widest regular numeric one; all string streams, except the log that Afterimage writes
    beside a live session, and all irregular integer streams of one channel are markers. Chunks are joined up to
    `block_s` seconds (0 keeps the file's own); what they hold stays the same.

    Thread: as every source, one thread only.
    """

    live = False

    def __init__(
        self,
        path: Path | str,
        stream: Selector | None = None,
        markers: Sequence[Selector] | None = None,
        block_s: float = 1.0,
    ) -> None:
        self.path = Path(path)
        self._selector = stream
        self._marker_selectors = markers
        self._block_s = block_s
        self._file: XdfFile | None = None
        self._batches: Iterator[list[Item]] = iter(())
        self.marker_streams: dict[str, StreamInfo] = {}

    @property
    def info(self) -> StreamInfo:
        """The chosen numeric stream; known after `open`."""
        return self._chosen.info

    @property
    def file(self) -> XdfFile:
        """The open file."""
        if self._file is None:
            raise InputError(f"{self.path} is not open; call open() first")
        return self._file

    def open(self) -> None:
        """Index the file and choose its streams.

        Raises:
            FileUnreadable: it is no XDF file, or holds no regular numeric stream with samples.
            StreamMissing: a selector matches nothing.
            InputError: a choice is ambiguous; the message lists the streams.
        """
        self._file = XdfFile(self.path)
        try:
            self._chosen = choose_signal(self._file, self._selector)
            chosen_markers = choose_markers(self._file, self._marker_selectors, self._chosen)
        except InputError:
            self.close()
            raise
        self.marker_streams = {s.key: s.info for s in chosen_markers}
        self._batches = self._merge(chosen_markers)

    def read(self, timeout_s: float) -> Sequence[Item]:
        """The next samples and whatever belongs before them; never waits.

        Raises:
            SourceEnded: the file is read.
        """
        batch = next(self._batches, None)
        if batch is None:
            raise SourceEnded
        return batch

    def close(self) -> None:
        """Close the file. Safe to call twice."""
        self._batches = iter(())
        if self._file is not None:
            self._file.close()

    def _merge(self, marker_streams: list[XdfStream]) -> Iterator[list[Item]]:
        file = self.file
        told = file.warnings
        events: list[Item] = [SourceEvent("damaged_file", text) for text in told]
        events += [
            SourceEvent("no_markers", f"marker stream {_described(s)} holds no markers", s.key)
            for s in marker_streams
            if not s.n_samples
        ]
        signal = _SignalCursor(file, self._chosen, self._block_s)
        cursors = [_MarkerCursor(file, s) for s in marker_streams]
        yield [*events, *signal.first_offset(), *(item for c in cursors for item in c.first_offset())]
        latest_s = float("-inf")
        for items in signal:
            latest_s = max(latest_s, signal.latest_s)
            yield [*(item for c in cursors for item in c.until(latest_s)), *items]
        yield [
            *(item for c in cursors for item in c.until(float("inf"))),
            *(e for c in cursors for e in c.death(latest_s)),
            *(SourceEvent("damaged_file", text) for text in file.warnings if text not in told),
        ]


class _Cursor:
    """Walks one stream's chunks and clock offsets in file order; `offset_s` is the newest offset passed."""

    def __init__(self, file: XdfFile, stream: XdfStream, key: str) -> None:
        self._stream = stream
        self._key = key
        self._reader: StreamReader = file.reader(stream)
        self._offsets = list(file.offsets(stream))
        self._next_offset = 0
        self.offset_s = self._offsets[0][2] if self._offsets else 0.0

    def first_offset(self) -> list[Item]:
        """The first offset comes before the first sample, as from a live source, which asks before it pulls."""
        return [self._take_offset()] if self._offsets else []

    def _take_offset(self) -> ClockOffset:
        _after, at_s, self.offset_s = self._offsets[self._next_offset]
        self._next_offset += 1
        return ClockOffset(self._key, at_s, self.offset_s)

    def _due_offsets(self) -> list[Item]:
        items: list[Item] = []
        while self._next_offset < len(self._offsets) and self._chunks_to_offset() <= 0:
            items.append(self._take_offset())
        return items

    def _chunks_to_offset(self) -> int:
        if self._next_offset == len(self._offsets):
            return len(self._stream.counts) - self._reader.next_chunk
        return self._offsets[self._next_offset][0] - self._reader.next_chunk


class _SignalCursor(_Cursor):
    """The chosen stream, chunks joined up to a block."""

    def __init__(self, file: XdfFile, stream: XdfStream, block_s: float) -> None:
        super().__init__(file, stream, "")
        self._block_samples = block_s * stream.info.sfreq_hz
        self.latest_s = float("-inf")

    def __iter__(self) -> Iterator[list[Item]]:
        """Batches: the offsets that are due, then one chunk of samples."""
        while self._reader.next_chunk < len(self._stream.counts):
            items = self._due_offsets()
            samples = self._reader.read(self._chunks_in_block())
            if len(samples.stamps_s):
                self.latest_s = float(samples.stamps_s[-1]) + self.offset_s
                items.append(EegChunk(samples.data, samples.stamps_s))
            yield items
        if left := self._due_offsets():
            yield left

    def _chunks_in_block(self) -> int:
        start, stop = self._reader.next_chunk, self._reader.next_chunk + self._chunks_to_offset()
        n = 0
        for k in range(start, stop):
            n += self._stream.counts[k]
            if n > self._block_samples:
                return max(1, k - start)
        return max(1, stop - start)


class _MarkerCursor(_Cursor):
    """One marker stream, handed over as far as the samples have come."""

    def __init__(self, file: XdfFile, stream: XdfStream) -> None:
        super().__init__(file, stream, stream.key)
        self._waiting: MarkerChunk | None = None
        self._n = 0
        self._first_s = self._last_s = float("nan")

    def until(self, time_s: float) -> Iterator[Item]:
        """Markers and offsets up to `time_s` on the corrected clock, a whole chunk at a time."""
        while True:
            if self._waiting is None:
                yield from self._due_offsets()
                if self._reader.next_chunk == len(self._stream.counts):
                    return
                self._waiting = self._next_chunk()
            if self._waiting.stamps_s and self._waiting.stamps_s[0] + self.offset_s > time_s:
                return
            if self._waiting.stamps_s:
                self._count(self._waiting)
                yield self._waiting
            self._waiting = None

    def _next_chunk(self) -> MarkerChunk:
        if self._stream.info.dtype == "string":
            strings = self._reader.read_strings(1)
            labels = tuple("|".join(value) for value in strings.values)
            return MarkerChunk(self._key, labels, tuple(strings.stamps_s.tolist()))
        samples = self._reader.read(1)
        return MarkerChunk(self._key, tuple(map(str, samples.data[0].tolist())), tuple(samples.stamps_s.tolist()))

    def _count(self, chunk: MarkerChunk) -> None:
        if not self._n:
            self._first_s = chunk.stamps_s[0] + self.offset_s
        self._last_s = chunk.stamps_s[-1] + self.offset_s
        self._n += len(chunk.stamps_s)

    def death(self, end_s: float) -> list[Item]:
        """An event when the stream fell silent long before the samples ended."""
        silent_s = end_s - self._last_s
        interval_s = (self._last_s - self._first_s) / max(self._n - 1, 1)
        if not self._n or silent_s <= max(_SILENT_S, _SILENT_INTERVALS * interval_s):
            return []
        text = (
            f"marker stream {_described(self._stream)} fell silent {silent_s:.0f} s before the end, "
            f"after {self._n} markers"
        )
        return [SourceEvent("markers_silent", text, self._key)]


def choose_signal(file: XdfFile, selector: Selector | None) -> XdfStream:
    """The one numeric stream to play.

    Raises:
        FileUnreadable: there is no regular numeric stream with samples.
        StreamMissing: the selector matches none.
        InputError: several are equally good.
    """
    usable = [s for s in file.streams if s.info.dtype != "string" and s.info.sfreq_hz > 0 and s.n_samples]
    if not usable:
        damage = "; ".join(file.warnings)
        raise FileUnreadable(
            f"{file.path} holds no regular numeric stream with samples{_listing(file)}{damage and '. ' + damage}"
        )
    if selector is not None:
        found = [s for s in usable if _agrees(s, _checked(selector))]
        if not found:
            raise StreamMissing(f"no stream with samples in {file.path} matches {_as_text(selector)}{_listing(file)}")
    else:
        found = [s for s in usable if s.info.type.lower() == "eeg"]
        widest = max(s.info.n_channels for s in usable)
        found = found or [s for s in usable if s.info.n_channels == widest]
    if len(found) > 1:
        raise InputError(
            f"{len(found)} streams of {file.path} could be meant; choose one by name, type, source_id or id"
            f"{_listing(file)}"
        )
    return found[0]


def choose_markers(file: XdfFile, selectors: Sequence[Selector] | None, signal: XdfStream) -> list[XdfStream]:
    """The marker streams, in file order.

    Raises:
        StreamMissing: a selector matches none.
    """
    if selectors is None:
        return [s for s in file.streams if s is not signal and _is_marker(s)]
    possible = [s for s in file.streams if s is not signal and (s.info.dtype == "string" or "int" in s.info.dtype)]
    chosen: list[XdfStream] = []
    for selector in selectors:
        found = [s for s in possible if _agrees(s, _checked(selector))]
        if not found:
            raise StreamMissing(f"no marker stream in {file.path} matches {_as_text(selector)}{_listing(file)}")
        chosen += [s for s in found if s not in chosen]
    return chosen


def _is_marker(stream: XdfStream) -> bool:
    info = stream.info
    if info.name in OWN_STREAMS:  # what Afterimage wrote beside a live session is its log, not its events
        return False
    return info.dtype == "string" or (info.is_marker and info.n_channels == 1)


def _checked(selector: Selector) -> Selector:
    unknown = sorted(set(selector) - set(SELECTOR_KEYS))
    if unknown or not selector:
        raise InputError(f"a stream of a file is chosen by {', '.join(SELECTOR_KEYS)}; came {unknown or 'nothing'}")
    return selector


def _agrees(stream: XdfStream, selector: Selector) -> bool:
    info = stream.info
    known = {key: getattr(info, key) for key in ("name", "type", "source_id", "hostname")}
    known |= {"id": info.stream_id, "uid": info.extra.get("uid", "")}
    return all(known[key] == value for key, value in selector.items())


def _described(stream: XdfStream) -> str:
    return f"{stream.info.name!r} (id {stream.key})"


def _as_text(selector: Selector) -> str:
    return ",".join(f"{key}={value}" for key, value in selector.items())


def _listing(file: XdfFile) -> str:
    if not file.streams:
        return "; it holds no streams"
    return "; it holds " + "; ".join(
        f"id {s.key} {s.info.name!r} of type {s.info.type!r}, {s.info.n_channels} x {s.n_samples} {s.info.dtype}"
        for s in file.streams
    )
