"""An XDF recording on disk: what is in it, and its samples in pieces. Reads only, and only what it is asked for."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import FileUnreadable
from pipeline.types import Array
from pipeline.xdf.chunks import read_at
from pipeline.xdf.decode import decode_rows, decode_strings
from pipeline.xdf.scan import Defects, Scanner, XdfStream
from pipeline.xdf.writer import MAGIC

_GZIP = b"\x1f\x8b"
# LabRecorder's footers often count one sample too few, in most recordings at hand; that much says nothing of the data.
_FOOTER_SLACK = 1


@dataclass(frozen=True)
class Samples:
    """Numeric samples as recorded: `data` (n_channels, n), a transposed view in the stored type; `stamps_s` (n,)."""

    data: NDArray[Any]
    stamps_s: Array


@dataclass(frozen=True)
class Strings:
    """String samples as recorded: `values` n tuples of n_channels; `stamps_s` (n,)."""

    values: list[tuple[str, ...]]
    stamps_s: Array


class XdfFile:
    """The index of one file: `streams` in the order of their headers, and `warnings` in words a person can act on.

    Opening reads chunk headers only. Every damage short of "this is no XDF file" is a warning.

    Raises:
        FileUnreadable: the file is missing, empty, compressed or no XDF.

    Thread: one at a time; readers share the file.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        try:
            self._file = self.path.open("rb", buffering=0)
        except OSError as error:
            raise FileUnreadable(f"cannot open {self.path}: {error.strerror}") from error
        try:
            self._index()
        except BaseException:
            self.close()
            raise

    def _index(self) -> None:
        magic = read_at(self._file, 0, len(MAGIC))
        if magic.startswith(_GZIP):
            raise FileUnreadable(f"{self.path} is gzip-compressed; decompress it first (gzip -d)")
        if magic != MAGIC:
            raise FileUnreadable(f"{self.path} is no XDF file: it starts with {magic!r} where 'XDF:' belongs")
        scanner = Scanner(self._file, self.path.stat().st_size)
        scanner.run()
        self.streams: tuple[XdfStream, ...] = tuple(scanner.streams)
        self.truncated = scanner.truncated
        self._defects: Defects = scanner.defects

    @property
    def warnings(self) -> list[str]:
        """What is wrong with the file, as far as it has been read."""
        return self._defects.sentences() + [text for s in self.streams for text in _footer_warnings(s)]

    def reader(self, stream: XdfStream) -> "StreamReader":
        """Reads one stream from its start. Several readers may take turns."""
        return StreamReader(self._file, stream, self._defects)

    def load(self, stream: XdfStream) -> tuple[NDArray[Any], Array]:
        """All samples of a numeric stream: data (n_channels, n) as recorded, a transposed view; raw stamps (n,)."""
        samples = self.reader(stream).read(len(stream.counts))
        return samples.data, samples.stamps_s

    def load_strings(self, stream: XdfStream) -> Strings:
        """All samples of a string stream."""
        return self.reader(stream).read_strings(len(stream.counts))

    def offsets(self, stream: XdfStream) -> Iterator[tuple[int, float, float]]:
        """(samples chunks before it, collection time on the sender's clock, value), in file order."""
        return zip(stream.offset_after, stream.offset_at_s, stream.offset_s, strict=True)

    def close(self) -> None:
        """Close the file. Safe to call twice."""
        self._file.close()

    def __enter__(self) -> "XdfFile":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()


class StreamReader:
    """Reads the chunks of one stream in file order, carrying the last stamp for samples without one.

    Memory: what is asked for, plus one chunk (`PART_BYTES` at most).

    Thread: as its file.
    """

    def __init__(self, file: Any, stream: XdfStream, defects: Defects) -> None:
        self._file = file
        self._stream = stream
        self._layout = stream.layout
        self._defects = defects
        self._last_s = 0.0
        self._buffer = np.empty(0, np.uint8)
        self.next_chunk = 0

    def read(self, n_chunks: int) -> Samples:
        """The next `n_chunks` of a numeric stream in one piece; damaged chunks are left out and told."""
        chunks = self._advance(n_chunks)
        layout = self._layout
        n = sum(self._stream.counts[k] for k in chunks)
        rows = np.empty((n, layout.sample_bytes), np.uint8)
        stamps = np.empty(n)
        at = 0
        for k in chunks:
            count = self._stream.counts[k]
            found = decode_rows(self._bytes(k), count, layout, self._last_s)
            if found is None:
                self._damaged(k)
                continue
            if found.used < self._stream.lengths[k]:
                self._defects.note(
                    f"a samples chunk of stream {self._stream.key} is longer than its samples",
                    self._stream.positions[k],
                )
            rows[at : at + count] = found.values
            stamps[at : at + count] = found.stamps_s
            self._last_s = found.last_s
            at += count
        dtype = np.dtype(layout.dtype).newbyteorder("<")
        return Samples(rows[:at].view(dtype).T, stamps[:at])

    def read_strings(self, n_chunks: int) -> Strings:
        """The next `n_chunks` of a string stream; of a damaged chunk what still makes sense."""
        values: list[tuple[str, ...]] = []
        stamps: list[float] = []
        for k in self._advance(n_chunks):
            data = read_at(self._file, self._stream.positions[k], self._stream.lengths[k])
            times, texts, _used = decode_strings(data, self._stream.counts[k], self._layout, self._last_s)
            if len(times) < self._stream.counts[k]:
                self._damaged(k)
            if times:
                self._last_s = times[-1]
            stamps += times
            values += texts
        return Strings(values, np.asarray(stamps, dtype=np.float64))

    def _advance(self, n_chunks: int) -> range:
        stop = min(self.next_chunk + n_chunks, len(self._stream.counts))
        chunks = range(self.next_chunk, stop)
        self.next_chunk = stop
        return chunks

    def _bytes(self, k: int) -> NDArray[np.uint8]:
        length = self._stream.lengths[k]
        if len(self._buffer) < length:
            self._buffer = np.empty(length, np.uint8)
        self._file.seek(self._stream.positions[k])
        n_read = self._file.readinto(self._buffer.data[:length])
        return self._buffer[:n_read]

    def _damaged(self, k: int) -> None:
        text = f"a samples chunk of stream {self._stream.key} is damaged; its {self._stream.counts[k]} samples are lost"
        self._defects.note(text, self._stream.positions[k])


def _footer_warnings(stream: XdfStream) -> Iterator[str]:
    name = f"stream {stream.key} ({stream.info.name!r})"
    if stream.footer is None:
        yield f"{name} has no footer: its recording was not closed"
        return
    said = stream.footer.sample_count
    if said is not None and not 0 <= stream.n_samples - said <= _FOOTER_SLACK:
        yield f"{name} holds {stream.n_samples} samples and its footer counts {said}"
