"""Finds the chunks of an XDF file by their headers alone, and survives whatever stands between them.

XDF 1.0 specification (github.com/sccn/xdf/wiki/Specifications). A length is believed only after what follows it looks
like a chunk; else the samples are counted through, as pyxdf reads them; else the next boundary chunk is searched, as
pyxdf does. Memory: some 32 bytes a chunk.
"""

import math
import struct
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import BinaryIO
from xml.etree import ElementTree as ET

from pipeline.errors import FileUnreadable
from pipeline.stream_xml import HEADER_WARNING, parse_info
from pipeline.types import StreamInfo
from pipeline.xdf.chunks import Chunk, chunk_at, find_boundary, read_at, starts_a_chunk, varint
from pipeline.xdf.decode import Layout, count_through
from pipeline.xdf.writer import (
    BOUNDARY,
    BOUNDARY_UUID,
    CLOCK_OFFSET,
    FILE_HEADER,
    MAGIC,
    SAMPLES,
    STREAM_FOOTER,
    STREAM_HEADER,
)

# Longer headers and footers are damage, not description.
_MAX_XML = 64 << 20
# A samples chunk above this is indexed in parts, so that no reader ever needs more memory than this at once.
PART_BYTES = 8 << 20


@dataclass(frozen=True)
class Footer:
    """What a stream's footer says; None where it says nothing readable."""

    sample_count: int | None
    first_stamp_s: float | None
    last_stamp_s: float | None


@dataclass
class XdfStream:
    """One stream and where its chunks lie.

    `positions`, `lengths`, `counts` hold one entry a samples chunk: the first byte behind the sample count, the bytes
    from there to the end of the chunk, the number of samples. `offsets` hold one entry a clock offset, with the number
    of samples chunks that came before it in `offset_after`.
    """

    key: str
    info: StreamInfo
    header_xml: str = ""
    footer: Footer | None = None
    positions: "array[int]" = field(default_factory=lambda: array("q"))
    lengths: "array[int]" = field(default_factory=lambda: array("q"))
    counts: "array[int]" = field(default_factory=lambda: array("q"))
    offset_after: "array[int]" = field(default_factory=lambda: array("q"))
    offset_at_s: "array[float]" = field(default_factory=lambda: array("d"))
    offset_s: "array[float]" = field(default_factory=lambda: array("d"))

    @property
    def n_samples(self) -> int:
        """Samples in the file, as the chunks count them."""
        return sum(self.counts)

    @cached_property
    def layout(self) -> Layout:
        """How one sample lies in the file."""
        return Layout(self.info.n_channels, self.info.dtype, self.info.sfreq_hz)


class Defects:
    """Sentences on what is wrong with a file; one that repeats is counted, not repeated."""

    def __init__(self) -> None:
        self._found: dict[str, list[int]] = {}

    def note(self, sentence: str, at_byte: int) -> None:
        """Remember one defect and where it was."""
        self._found.setdefault(sentence, [at_byte, 0])[1] += 1

    def sentences(self) -> list[str]:
        """All of them, in the order of their first appearance."""
        return [
            f"{text} (at byte {at})" if n == 1 else f"{text} ({n} times, first at byte {at})"
            for text, (at, n) in self._found.items()
        ]


class Scanner:
    """One pass over a file of `size` bytes. After `run`: `streams` in the order of their headers, `defects`.

    Thread: one only.
    """

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._size = size
        self._by_id: dict[int, XdfStream] = {}
        self._orphans: dict[int, list[Chunk]] = {}
        self.streams: list[XdfStream] = []
        self.defects = Defects()
        self.truncated = False

    def run(self) -> None:
        """Index every chunk that can be found."""
        at = len(MAGIC)
        last: Chunk | None = None
        while at < self._size:
            chunk = chunk_at(self._file, self._size, at)
            end = None if chunk is None else self._take(chunk)
            if end is not None:
                at, last = end, chunk
            elif chunk is not None and chunk.end <= self._size:
                at, last = self._recover(chunk.end, chunk), None
            else:
                at, last = self._recover(at, last), None
        self._adopt_orphans()

    def _take(self, chunk: Chunk) -> int | None:
        """Index one chunk; where the next one starts, None when this one cannot be as long as it says."""
        if chunk.tag == SAMPLES:
            return self._samples(chunk)
        if chunk.tag == CLOCK_OFFSET:
            self._offset(chunk)
        elif chunk.tag == STREAM_HEADER:
            self._header(chunk)
        elif chunk.tag == STREAM_FOOTER:
            self._footer(chunk)
        elif chunk.tag not in (FILE_HEADER, BOUNDARY):
            self.defects.note(f"a chunk of the unknown type {chunk.tag} was skipped", chunk.start)
        return chunk.end

    def _xml(self, chunk: Chunk) -> str:
        return read_at(self._file, chunk.body, min(chunk.end - chunk.body, _MAX_XML)).decode("utf-8", "replace")

    def _header(self, chunk: Chunk) -> None:
        xml = self._xml(chunk)
        try:
            info = parse_info(xml)
        except FileUnreadable as error:
            self.defects.note(f"stream {chunk.stream_id} cannot be read: {error}", chunk.start)
            return
        if HEADER_WARNING in info.extra:
            self.defects.note(f"stream {chunk.stream_id}: {info.extra[HEADER_WARNING]}", chunk.start)
        known = self._by_id.get(chunk.stream_id)
        if known is not None:
            self.defects.note(f"a second header came for stream {chunk.stream_id}", chunk.start)
            if (known.info.n_channels, known.info.dtype) == (info.n_channels, info.dtype):
                return
        n_earlier = sum(s.key.partition(".")[0] == str(chunk.stream_id) for s in self.streams)
        key = f"{chunk.stream_id}.{n_earlier + 1}" if n_earlier else str(chunk.stream_id)
        stream = XdfStream(key, replace(info, stream_id=key), xml)
        self._by_id[chunk.stream_id] = stream
        self.streams.append(stream)

    def _footer(self, chunk: Chunk) -> None:
        stream = self._by_id.get(chunk.stream_id)
        if stream is None:
            self.defects.note(f"a footer came for stream {chunk.stream_id}, which has no header", chunk.start)
            return
        try:
            root = ET.fromstring(self._xml(chunk))
        except (ET.ParseError, ValueError):
            self.defects.note(f"the footer of stream {chunk.stream_id} is not well-formed XML", chunk.start)
            return
        count = _float(root.findtext("sample_count"))
        stream.footer = Footer(
            None if count is None else int(count),
            _float(root.findtext("first_timestamp")),
            _float(root.findtext("last_timestamp")),
        )

    def _offset(self, chunk: Chunk) -> None:
        stream = self._by_id.get(chunk.stream_id)
        if stream is None:
            self._orphans.setdefault(chunk.stream_id, []).append(chunk)
        elif chunk.end - chunk.body < 16:
            self.defects.note(f"a clock offset of stream {chunk.stream_id} is too short", chunk.start)
        else:
            self._add_offset(stream, chunk)

    def _add_offset(self, stream: XdfStream, chunk: Chunk) -> None:
        at_s, value_s = struct.unpack_from("<dd", chunk.peek)
        if not (math.isfinite(at_s) and math.isfinite(value_s)):
            self.defects.note(f"a clock offset of stream {stream.key} is not a number", chunk.start)
            return
        stream.offset_after.append(len(stream.counts))
        stream.offset_at_s.append(at_s)
        stream.offset_s.append(value_s)

    def _samples(self, chunk: Chunk) -> int | None:
        stream = self._by_id.get(chunk.stream_id)
        if stream is None:
            self._orphans.setdefault(chunk.stream_id, []).append(chunk)
            return chunk.end if chunk.end <= self._size else None
        return self._add_samples(stream, chunk)

    def _add_samples(self, stream: XdfStream, chunk: Chunk) -> int | None:
        number = varint(chunk.peek, 0)
        if number is None and chunk.end > self._size:
            return None
        if number is None:
            self.defects.note(f"a samples chunk of stream {stream.key} has no sample count", chunk.start)
            return None
        n, position = number[0], chunk.body + number[1]
        length = chunk.end - position
        layout = stream.layout
        if chunk.end > self._size or not layout.shortest(n) <= length <= layout.longest(n):
            return self._counted(stream, chunk, position, n)
        if length > PART_BYTES:
            return self._in_parts(stream, chunk, position, n)
        _append(stream, position, length, n)
        return chunk.end

    def _counted(self, stream: XdfStream, chunk: Chunk, position: int, n: int) -> int | None:
        """The length or the count lies: believe the count if counting its samples through ends at a chunk."""
        parts = list(self._parts(stream, position, n))
        if sum(count for _, _, count in parts) == n and parts:
            end = parts[-1][0] + parts[-1][1]
            if starts_a_chunk(self._file, self._size, end):
                self.defects.note(f"a samples chunk of stream {stream.key} has a wrong length; repaired", chunk.start)
                for part in parts:
                    _append(stream, *part)
                return end
        if chunk.end > self._size:
            return None
        text = f"a samples chunk of stream {stream.key} does not hold the samples it announces; skipped"
        self.defects.note(text, chunk.start)
        return chunk.end if starts_a_chunk(self._file, self._size, chunk.end) else None

    def _recounted(self, chunk: Chunk) -> int | None:
        """Where the samples of an indexed chunk really end, when a chunk starts there and its length says otherwise."""
        stream = self._by_id.get(chunk.stream_id)
        number = varint(chunk.peek, 0)
        if chunk.tag != SAMPLES or stream is None or number is None or not stream.counts:
            return None
        position, n = chunk.body + number[1], number[0]
        if (stream.positions[-1], stream.counts[-1]) != (position, n):
            return None
        parts = list(self._parts(stream, position, n))
        end = parts[-1][0] + parts[-1][1] if parts else chunk.end
        if (
            sum(count for _, _, count in parts) != n
            or end == chunk.end
            or not starts_a_chunk(self._file, self._size, end)
        ):
            return None
        self.defects.note(f"a samples chunk of stream {stream.key} has a wrong length; repaired", chunk.start)
        stream.lengths[-1] = end - position
        return end

    def _in_parts(self, stream: XdfStream, chunk: Chunk, position: int, n: int) -> int | None:
        parts = list(self._parts(stream, position, n))
        if sum(count for _, _, count in parts) != n:
            return self._counted(stream, chunk, position, n)
        for part in parts:
            _append(stream, *part)
        return chunk.end

    def _parts(self, stream: XdfStream, position: int, n: int) -> Iterator[tuple[int, int, int]]:
        """(position, length, count) of pieces of at most PART_BYTES, until `n` samples or no more make sense."""
        while n > 0:
            data = read_at(self._file, position, PART_BYTES)
            count, used = count_through(data, n, stream.layout)
            if count == 0:
                return
            yield position, used, count
            position, n = position + used, n - count

    def _recover(self, at: int, last: Chunk | None) -> int:
        """Where to go on after `at` turned out to be no chunk."""
        if last is not None and (end := self._recounted(last)) is not None:
            return end
        # The chunk before may have lied about its length: look for the boundary from its inside on.
        start = last.body if last is not None and last.tag != BOUNDARY else at
        found = find_boundary(self._file, self._size, start)
        if found is not None:
            self.defects.note("bytes that are no chunk were skipped up to the next boundary", at)
            return found + len(BOUNDARY_UUID)
        self.truncated = True
        n_left = self._size - at
        self.defects.note(f"the file ends inside a chunk: its last {n_left} bytes cannot be used", at)
        return self._size

    def _adopt_orphans(self) -> None:
        """Chunks that came before their stream's header go in front; those of no stream are told."""
        for stream_id, chunks in self._orphans.items():
            if stream_id not in self._by_id:
                text = f"{len(chunks)} chunks belong to stream {stream_id}, which has no header; skipped"
                self.defects.note(text, chunks[0].start)
                continue
            stream = next(s for s in self.streams if s.key == str(stream_id))
            self.defects.note(f"chunks of stream {stream.key} came before its header", chunks[0].start)
            early = XdfStream(stream.key, stream.info)
            for chunk in chunks:
                if chunk.tag == SAMPLES:
                    self._add_samples(early, chunk)
                elif chunk.end - chunk.body >= 16:
                    self._add_offset(early, chunk)
            _put_before(early, stream)


def _append(stream: XdfStream, position: int, length: int, n: int) -> None:
    if n:
        stream.positions.append(position)
        stream.lengths.append(length)
        stream.counts.append(n)


def _put_before(early: XdfStream, stream: XdfStream) -> None:
    n_before = len(early.counts)
    stream.positions = early.positions + stream.positions
    stream.lengths = early.lengths + stream.lengths
    stream.counts = early.counts + stream.counts
    stream.offset_after = early.offset_after + array("q", (n_before + n for n in stream.offset_after))
    stream.offset_at_s = early.offset_at_s + stream.offset_at_s
    stream.offset_s = early.offset_s + stream.offset_s


def _float(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None
