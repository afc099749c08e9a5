"""Copies what is readable of a damaged recording into a well-formed one."""

from collections.abc import Iterator
from heapq import merge
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np

from pipeline.errors import FileUnreadable
from pipeline.xdf.file import StreamReader, XdfFile
from pipeline.xdf.scan import XdfStream
from pipeline.xdf.writer import XdfWriter

# Where a reader of the copy may go on after new damage.
_BOUNDARY_BYTES = 1 << 20


def salvage(src: Path | str, dst: Path | str) -> dict[str, Any]:
    """Write every readable chunk of the XDF file `src` to the new file `dst`, with footers and correct counts.

    Samples keep their values and raw stamps, streams their headers, clock offsets their place among the chunks of
    their stream. Incomplete chunks are left out, as pyxdf leaves them out. `src` is only read. Memory: one chunk.

    Returns:
        {"source", "to", "streams": [{"id", "name", "type", "n_channels", "n_samples", "n_offsets"}], "warnings"}

    Raises:
        FileUnreadable: `src` is no XDF file or has no readable stream header.
        RecordingFailed: `dst` exists, or the disk does not take it.
    """
    with XdfFile(src) as file:
        if not file.streams:
            raise FileUnreadable(f"{file.path} has no readable stream header, so nothing can be saved of it")
        with XdfWriter(Path(dst)) as writer:
            copies = [_Copy(file, writer, stream) for stream in file.streams]
            next_boundary = _BOUNDARY_BYTES
            for _position, index in merge(*(_places(i, s) for i, s in enumerate(file.streams))):
                copies[index].next_chunk()
                if writer.size >= next_boundary:
                    writer.write_boundary()
                    next_boundary = writer.size + _BOUNDARY_BYTES
            for copy in copies:
                copy.remaining_offsets()
            streams = [copy.report() for copy in copies]
        return {"source": str(src), "to": str(dst), "streams": streams, "warnings": file.warnings}


def _places(index: int, stream: XdfStream) -> Iterator[tuple[int, int]]:
    return ((position, index) for position in stream.positions)


class _Copy:
    """One stream on its way into the new file."""

    def __init__(self, file: XdfFile, writer: XdfWriter, stream: XdfStream) -> None:
        self._stream = stream
        self._writer = writer
        self._reader: StreamReader = file.reader(stream)
        self._offsets = list(file.offsets(stream))
        self._n_offsets = 0
        self._id = writer.add_stream(stream.info, _well_formed(stream.header_xml))

    def next_chunk(self) -> None:
        self._offsets_before(self._reader.next_chunk)
        if self._stream.info.dtype == "string":
            strings = self._reader.read_strings(1)
            table = np.empty((len(strings.values), self._stream.info.n_channels), dtype=object)
            for row, values in zip(table, strings.values, strict=True):
                row[:] = values
            self._writer.write_samples(self._id, strings.stamps_s, table.T)
        else:
            samples = self._reader.read(1)
            self._writer.write_samples(self._id, samples.stamps_s, samples.data)

    def remaining_offsets(self) -> None:
        self._offsets_before(len(self._stream.counts))

    def _offsets_before(self, chunk: int) -> None:
        while self._n_offsets < len(self._offsets) and self._offsets[self._n_offsets][0] <= chunk:
            _after, at_s, value_s = self._offsets[self._n_offsets]
            self._writer.write_offset(self._id, at_s, value_s)
            self._n_offsets += 1

    def report(self) -> dict[str, Any]:
        info = self._stream.info
        return {
            "id": self._stream.key,
            "name": info.name,
            "type": info.type,
            "n_channels": info.n_channels,
            "n_samples": self._writer.n_samples(self._id),
            "n_offsets": self._n_offsets,
        }


def _well_formed(xml: str) -> str | None:
    """The header to the letter, or None when it has to be written anew from what could be read of it."""
    try:
        root = ET.fromstring(xml)
    except (ET.ParseError, ValueError):
        return None
    return xml if root.tag == "info" else None
