"""Writes XDF 1.0 files chunk by chunk, so that a crash at any moment leaves a readable file.

Format: C. Kothe et al., "XDF (Extensible Data Format)", https://github.com/sccn/xdf/wiki/Specifications. Stamps are
stored raw, one per sample; clock offsets are stored beside them and applied by whoever reads the file.
"""

import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self
from xml.etree import ElementTree

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.errors import RecordingFailed
from pipeline.stream_xml import info_xml
from pipeline.types import StreamInfo

MAGIC = b"XDF:"
FILE_HEADER, STREAM_HEADER, SAMPLES, CLOCK_OFFSET, BOUNDARY, STREAM_FOOTER = range(1, 7)
BOUNDARY_UUID = bytes.fromhex("43A546DCCBF5410FB30ED5467383CBE4")  # given by the specification

NUMERIC_DTYPES = ("int8", "int16", "int32", "int64", "float32", "float64")


@dataclass
class _Track:
    """What a stream's footer will say."""

    info: StreamInfo
    n_samples: int = 0
    first_s: float | None = None
    last_s: float | None = None
    offsets: list[tuple[float, float]] = field(default_factory=list)


class XdfWriter:
    """One file, written from front to back; every chunk goes to the operating system whole or not at all.

    What has been written survives the death of this process at once, and a power cut after the next `sync`. When the
    disk is full, or any other write fails, the file is cut back to its last whole chunk, `RecordingFailed` says what
    was saved, and every later write raises the same error; `close` may still be called.

    Thread: one at a time.
    """

    def __init__(self, path: Path) -> None:
        """Create `path`, never touching a file that exists.

        Raises:
            RecordingFailed: `path` exists, or cannot be created.
        """
        self.path = Path(path)
        self._tracks: dict[int, _Track] = {}
        self._size = 0
        self._failure: RecordingFailed | None = None
        try:
            self._file = self.path.open("xb", buffering=0)
        except FileExistsError as error:
            raise RecordingFailed(f"{self.path} exists and is never overwritten; choose another name") from error
        except OSError as error:
            raise RecordingFailed(f"cannot create {self.path}: {error.strerror}; choose another folder") from error
        created = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
        header = f'<?xml version="1.0"?><info><version>1.0</version><datetime>{created}</datetime></info>'
        try:
            self._write(MAGIC + _chunk(FILE_HEADER, header.encode()))
        except RecordingFailed:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @property
    def size(self) -> int:
        """Bytes in the file, always at the end of a whole chunk."""
        return self._size

    @property
    def closed(self) -> bool:
        """True after `close`."""
        return self._file.closed

    def n_samples(self, stream_id: int) -> int:
        """Samples of one stream that are in the file."""
        return self._tracks[stream_id].n_samples

    def add_stream(self, info: StreamInfo, header_xml: str | None = None) -> int:
        """Write a stream header and return the stream's number, counted from 1.

        `header_xml` is the sender's own <info> document, kept to the letter; without it the header is made from
        `info`.

        Raises:
            ValueError: the type cannot be stored, or `header_xml` is not well-formed and would spoil the file.
            RecordingFailed: the write failed.
        """
        check_storable(info)
        xml = info_xml(info) if header_xml is None else header_xml
        try:
            ElementTree.fromstring(xml)
        except ElementTree.ParseError as error:
            raise ValueError(f"stream {info.name!r}: its header is not well-formed XML ({error})") from error
        stream_id = len(self._tracks) + 1
        self._write(_chunk(STREAM_HEADER, struct.pack("<I", stream_id) + xml.encode()))
        self._tracks[stream_id] = _Track(info)
        return stream_id

    def write_samples(self, stream_id: int, stamps_s: ArrayLike, data: NDArray[Any] | Sequence[str]) -> None:
        """Append samples with their raw stamps; nothing is written for zero samples.

        `stamps_s` (n,) in seconds; `data` (n_channels, n) of the declared type, or (n,) strings for one channel.

        Raises:
            ValueError: shape or type do not fit the stream's header.
            RecordingFailed: the write failed; none of these samples is in the file.
        """
        track = self._tracks[stream_id]
        stamps, values = checked_samples(track.info, stamps_s, data)
        n = len(stamps)
        if n == 0:
            return
        serialise = _string_samples if track.info.dtype == "string" else _numeric_samples
        content = struct.pack("<I", stream_id) + _varlen(n) + serialise(stamps, values)
        self._write(_chunk(SAMPLES, content))
        track.n_samples += n
        track.first_s = float(stamps[0]) if track.first_s is None else track.first_s
        track.last_s = float(stamps[-1])

    def write_offset(self, stream_id: int, at_s: float, value_s: float) -> None:
        """Append one clock measurement: `value_s` added to a stamp of about `at_s` (both on the sender's clock) gives
        this machine's clock.

        Raises:
            RecordingFailed: the write failed.
        """
        self._write(_chunk(CLOCK_OFFSET, struct.pack("<Idd", stream_id, at_s, value_s)))
        self._tracks[stream_id].offsets.append((at_s, value_s))

    def write_boundary(self) -> None:
        """Append a mark from which a reader can go on after a damaged part.

        Raises:
            RecordingFailed: the write failed.
        """
        self._write(_chunk(BOUNDARY, BOUNDARY_UUID))

    def sync(self) -> None:
        """Make everything written so far survive a power cut.

        Raises:
            RecordingFailed: the disk did not take it.
        """
        if self._failure is not None:
            raise self._failure
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise self._fail(error) from error

    def close(self) -> None:
        """Write the footers and close. Safe to call twice.

        After a failed write the footers are still tried, since they need little room.

        Raises:
            RecordingFailed: a write failed, now or earlier; the file is closed, and whole up to its last chunk.
        """
        if self._file.closed:
            return
        earlier, self._failure = self._failure, None
        try:
            for stream_id, track in self._tracks.items():
                self._write(_chunk(STREAM_FOOTER, struct.pack("<I", stream_id) + _footer_xml(track)))
            self.sync()
        finally:
            self._file.close()
        if earlier is not None:
            raise earlier

    def _write(self, chunk: bytes) -> None:
        if self._failure is not None:
            raise self._failure
        left = memoryview(chunk)
        try:
            while left:  # an unbuffered file may take a part only
                left = left[self._file.write(left) :]
        except OSError as error:
            raise self._fail(error) from error
        self._size += len(chunk)

    def _fail(self, error: OSError) -> RecordingFailed:
        """Cut back to the last whole chunk, and remember why."""
        self._file.seek(self._size)
        self._file.truncate()
        saved = ", ".join(f"{t.n_samples} of {t.info.name!r}" for t in self._tracks.values()) or "no stream"
        self._failure = RecordingFailed(
            f"writing {self.path} failed: {error.strerror} (errno {error.errno}); the file keeps its first "
            f"{self._size} bytes with these samples: {saved}. Free some space and start a new recording"
        )
        return self._failure


def check_storable(info: StreamInfo) -> None:
    """XDF can hold such a stream.

    Raises:
        ValueError: it has no word for the stream's type.
    """
    if info.dtype != "string" and info.dtype not in NUMERIC_DTYPES:
        raise ValueError(f"stream {info.name!r}: XDF stores string, {', '.join(NUMERIC_DTYPES)}, not {info.dtype}")


def checked_samples(
    info: StreamInfo, stamps_s: ArrayLike, data: NDArray[Any] | Sequence[str]
) -> tuple[NDArray[np.float64], NDArray[Any]]:
    """The samples as arrays (n,) and (n_channels, n) of the declared type; strings as UTF-8 bytes.

    Bytes that a sender wrongly sent as text travel as surrogates (PEP 383) and come out as they were.

    Raises:
        ValueError: shape or type do not fit `info`, or a string is no text.
    """
    stamps = np.asarray(stamps_s, dtype=np.float64)
    values = np.asarray(data, dtype=object if info.dtype == "string" else None)
    if info.n_channels == 1 and values.ndim == 1:
        values = values[np.newaxis]
    if stamps.ndim != 1 or values.shape != (info.n_channels, len(stamps)):
        raise ValueError(
            f"stream {info.name!r}: expected data ({info.n_channels}, n) with n stamps, "
            f"came {values.shape} with stamps {stamps.shape}"
        )
    if info.dtype == "string":
        encoded = [value.encode("utf-8", "surrogateescape") for value in values.flat]
        return stamps, np.array(encoded, dtype=object).reshape(values.shape)
    if values.dtype != np.dtype(info.dtype):
        raise ValueError(f"stream {info.name!r}: declared {info.dtype}, came {values.dtype}; convert before writing")
    return stamps, values


def _numeric_samples(stamps_s: NDArray[np.float64], data: NDArray[Any]) -> bytes:
    """All samples in one strided copy; each is the byte 8, its stamp, its values."""
    n_channels, n = data.shape
    layout = [("stamp_bytes", "u1"), ("stamp", "<f8"), ("values", data.dtype.newbyteorder("<"), (n_channels,))]
    samples = np.empty(n, dtype=layout)
    samples["stamp_bytes"] = 8
    samples["stamp"] = stamps_s
    samples["values"] = data.T
    return samples.tobytes()


def _string_samples(stamps_s: NDArray[np.float64], data: NDArray[Any]) -> bytes:
    """Each sample is the byte 8, its stamp, and per channel a length and that many bytes."""
    parts = []
    for stamp, texts in zip(stamps_s, data.T, strict=True):
        parts.append(struct.pack("<Bd", 8, stamp))
        for text in texts:
            parts += (_varlen(len(text)), text)
    return b"".join(parts)


def _footer_xml(track: _Track) -> bytes:
    root = ElementTree.Element("info")
    if track.first_s is not None:
        ElementTree.SubElement(root, "first_timestamp").text = repr(track.first_s)
        ElementTree.SubElement(root, "last_timestamp").text = repr(track.last_s)
    ElementTree.SubElement(root, "sample_count").text = str(track.n_samples)
    offsets = ElementTree.SubElement(root, "clock_offsets")
    for at_s, value_s in track.offsets:
        offset = ElementTree.SubElement(offsets, "offset")
        ElementTree.SubElement(offset, "time").text = repr(at_s)
        ElementTree.SubElement(offset, "value").text = repr(value_s)
    return b'<?xml version="1.0"?>' + ElementTree.tostring(root)


def _chunk(tag: int, content: bytes) -> bytes:
    return _varlen(len(content) + 2) + struct.pack("<H", tag) + content


def _varlen(value: int) -> bytes:
    """XDF's variable-length integer: its size in bytes (1, 4 or 8), then the value."""
    if value < 1 << 8:
        return struct.pack("<BB", 1, value)
    if value < 1 << 32:
        return struct.pack("<BI", 4, value)
    return struct.pack("<BQ", 8, value)
