"""Chunk headers of an XDF file, one at a time, and what looks like one.

XDF 1.0 specification (github.com/sccn/xdf/wiki/Specifications): [length of length][length][tag][stream id][content].
"""

from dataclasses import dataclass
from typing import BinaryIO

from pipeline.xdf.writer import BOUNDARY_UUID, CLOCK_OFFSET, FILE_HEADER, SAMPLES, STREAM_FOOTER, STREAM_HEADER

_OF_A_STREAM = (STREAM_HEADER, SAMPLES, CLOCK_OFFSET, STREAM_FOOTER)
# The longest header plus the body of a clock offset: 1 + 8 (length) + 2 (tag) + 4 (stream) + 8 + 8, rounded up.
_PEEK = 32
_SEARCH_BYTES = 1 << 20


@dataclass(frozen=True)
class Chunk:
    """A chunk header that could be one. `body` is the first byte behind tag and stream id."""

    start: int
    body: int
    end: int
    tag: int
    stream_id: int
    peek: bytes


def read_at(file: BinaryIO, position: int, n: int) -> bytes:
    """Up to `n` bytes from `position`; fewer at the end of the file."""
    file.seek(position)
    return file.read(n)


def varint(data: bytes, at: int) -> tuple[int, int] | None:
    """A [length of length][length] number and the byte behind it; None when there is none."""
    if at >= len(data) or data[at] not in (1, 4, 8) or at + 1 + data[at] > len(data):
        return None
    stop = at + 1 + data[at]
    return int.from_bytes(data[at + 1 : stop], "little"), stop


def chunk_at(file: BinaryIO, size: int, at: int) -> Chunk | None:
    """What stands at `at`, when it can be a chunk of a file of `size` bytes.

    Only a samples chunk may end behind the file: its samples can be counted, other contents cannot.
    """
    peek = read_at(file, at, _PEEK)
    length = varint(peek, 0)
    if length is None or len(peek) < length[1] + 2:
        return None
    n_bytes, tag_at = length
    tag = int.from_bytes(peek[tag_at : tag_at + 2], "little")
    of_a_stream = tag in _OF_A_STREAM
    body = tag_at + (6 if of_a_stream else 2)
    end = at + tag_at + n_bytes
    if at + body > end or len(peek) < body or (end > size and tag != SAMPLES):
        return None
    # An unknown tag is believed only when a known chunk, or the end of the file, follows.
    if not FILE_HEADER <= tag <= STREAM_FOOTER and not starts_a_chunk(file, size, end):
        return None
    stream_id = int.from_bytes(peek[body - 4 : body], "little") if of_a_stream else 0
    return Chunk(at, at + body, end, tag, stream_id, peek[body:])


def starts_a_chunk(file: BinaryIO, size: int, at: int) -> bool:
    """True for a header of a known chunk that fits into the file, and for the very end of the file."""
    if at == size:
        return True
    peek = read_at(file, at, _PEEK)
    length = varint(peek, 0)
    if length is None or at + length[1] + length[0] > size:
        return False
    return FILE_HEADER <= int.from_bytes(peek[length[1] : length[1] + 2], "little") <= STREAM_FOOTER


def find_boundary(file: BinaryIO, size: int, start: int) -> int | None:
    """Where the next boundary mark starts, None when there is none."""
    overlap = len(BOUNDARY_UUID) - 1
    while start < size:
        block = read_at(file, start, _SEARCH_BYTES + overlap)
        if (found := block.find(BOUNDARY_UUID)) >= 0:
            return start + found
        start += _SEARCH_BYTES
    return None
