"""The bytes of XDF samples, as arrays.

A sample is a stamp flag (0, or 8 followed by a float64), then one value a channel, little-endian (XDF 1.0
specification, "Samples"). A missing stamp is the one before plus the nominal interval, added sample by sample, so that
raw stamps equal pyxdf's bit for bit. Chunks stamped uniformly, as recorders write them, are read as strided views;
others are walked sample by sample.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from pipeline.types import Array

Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Layout:
    """How one sample lies in the file."""

    n_channels: int
    dtype: str
    sfreq_hz: float

    @cached_property
    def sample_bytes(self) -> int:
        """Bytes of the values of one sample; 0 for strings, whose length differs."""
        return 0 if self.dtype == "string" else self.n_channels * np.dtype(self.dtype).itemsize

    @property
    def interval_s(self) -> float:
        """Nominal seconds between samples, 0 for irregular streams."""
        return 1.0 / self.sfreq_hz if self.sfreq_hz > 0 else 0.0

    def shortest(self, n: int) -> int:
        """The fewest bytes `n` samples can take."""
        return n * (1 + (self.sample_bytes or 2 * self.n_channels))

    def longest(self, n: int) -> int:
        """The most bytes `n` samples can take."""
        return n * (9 + self.sample_bytes) if self.sample_bytes else 1 << 62


@dataclass(frozen=True)
class Rows:
    """Decoded numeric samples. `values` (n, sample_bytes) may be a view of the input; `used` bytes were read."""

    stamps_s: Array
    values: Bytes
    used: int
    last_s: float


def decode_rows(data: Bytes, n: int, layout: Layout, last_s: float) -> Rows | None:
    """Exactly `n` numeric samples from the start of `data`; None when they are not there.

    `last_s` is the stamp of the sample before.
    """
    size = layout.sample_bytes
    if n == 0 or len(data) < layout.shortest(n):
        return None
    return _uniform(data, n, size, layout.interval_s, last_s) or _walked(data, n, size, layout.interval_s, last_s)


def _uniform(data: Bytes, n: int, size: int, interval_s: float, last_s: float) -> Rows | None:
    """All samples stamped, or none but possibly the first."""
    stamped = data[0] != 0
    if stamped and len(data) >= n * (9 + size):
        table = data[: n * (9 + size)].reshape(n, 9 + size)
        if table[:, 0].all():
            stamps = np.ascontiguousarray(table[:, 1:9]).view("<f8")[:, 0].astype(np.float64)
            return Rows(stamps, table[:, 9:], n * (9 + size), float(stamps[-1]))
    start = 8 if stamped else 0
    if len(data) < start + n * (1 + size):
        return None
    # Shifted by the first stamp, flag and values of every sample lie one stride apart; the first flag is known.
    table = data[start : start + n * (1 + size)].reshape(n, 1 + size)
    if table[1:, 0].any():
        return None
    first = float(data[1:9].view("<f8")[0]) if stamped else last_s + interval_s
    stamps = np.full(n, interval_s)
    stamps[0] = first
    np.add.accumulate(stamps, out=stamps)
    return Rows(stamps, table[:, 1:], start + n * (1 + size), float(stamps[-1]))


def _walked(data: Bytes, n: int, size: int, interval_s: float, last_s: float) -> Rows | None:
    raw = np.ascontiguousarray(data).data
    starts, flags, at = _walk(raw, n, size)
    if len(starts) < n:
        return None
    stamped = np.asarray(flags, dtype=bool)
    where = np.asarray(starts)
    given = sliding_window_view(data, 8)[where[stamped] - 8].copy().view("<f8")[:, 0].tolist()
    stamps = np.empty(n)
    told = iter(given)
    for k, flag in enumerate(flags):
        last_s = next(told) if flag else last_s + interval_s
        stamps[k] = last_s
    return Rows(stamps, sliding_window_view(data, size)[where], at, last_s)


def _walk(raw: memoryview, n: int, size: int) -> tuple[list[int], list[int], int]:
    """Where the values of up to `n` samples start, their stamp flags, and the byte behind the last complete one."""
    starts: list[int] = []
    flags: list[int] = []
    at, stop = 0, len(raw)
    for _ in range(n):
        if at >= stop:
            break
        flag = raw[at]
        start = at + (9 if flag else 1)
        if start + size > stop:
            break
        starts.append(start)
        flags.append(flag)
        at = start + size
    return starts, flags, at


def decode_strings(
    data: bytes, n: int, layout: Layout, last_s: float
) -> tuple[list[float], list[tuple[str, ...]], int]:
    """Up to `n` string samples: stamps, values, and the bytes used. Fewer where the bytes make no sense."""
    stamps: list[float] = []
    values: list[tuple[str, ...]] = []
    at = 0
    while len(stamps) < n:
        found = _string_sample(data, at, layout.n_channels)
        if found is None:
            break
        stamp, texts, at = found
        last_s = last_s + layout.interval_s if stamp is None else stamp
        stamps.append(last_s)
        values.append(texts)
    return stamps, values, at


def _string_sample(data: bytes, at: int, n_channels: int) -> tuple[float | None, tuple[str, ...], int] | None:
    if at >= len(data):
        return None
    stamp = None
    if data[at]:
        if at + 9 > len(data):
            return None
        stamp = float(np.frombuffer(data, "<f8", 1, at + 1)[0])
        at += 8
    at += 1
    texts = []
    for _ in range(n_channels):
        if at >= len(data) or data[at] not in (1, 4, 8):
            return None
        start = at + 1 + data[at]
        stop = start + int.from_bytes(data[at + 1 : start], "little")
        if start > len(data) or stop > len(data):
            return None
        texts.append(data[start:stop].decode("utf-8", "replace"))
        at = stop
    return stamp, tuple(texts), at


def count_through(data: bytes, n: int, layout: Layout) -> tuple[int, int]:
    """How many of `n` samples lie complete at the start of `data`, and in how many bytes.

    Stops at a stamp flag other than 0 and 8: bytes that are counted through are under suspicion already.
    """
    if not layout.sample_bytes:
        stamps, _values, used = decode_strings(data, n, layout, 0.0)
        return len(stamps), used
    starts, flags, used = _walk(memoryview(data), n, layout.sample_bytes)
    for index, flag in enumerate(flags):
        if flag not in (0, 8):
            return index, starts[index] - 9
    return len(starts), used
