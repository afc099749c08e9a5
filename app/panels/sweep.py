"""What the scope draws: display-filtered samples, reduced to one minimum and maximum a pixel column.

Columns hold a fixed number of samples counted from the start of a segment, so that the picture does not shimmer while
it moves on. Display only: nothing here reaches the decoder.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.filters import Cascade, design
from pipeline.types import Array

# The part of the sweep ahead of the newest sample that stays empty.
BLANK = 0.02


@dataclass(frozen=True)
class DisplayFilter:
    """Edges of the display filter; None leaves one out."""

    low_hz: float | None = 1.0
    high_hz: float | None = None
    mains_hz: float | None = None

    def sections(self, sfreq_hz: float) -> Array:
        """Second-order sections that this rate can carry; edges beyond it are left out."""
        top_hz = 0.45 * sfreq_hz
        low = self.low_hz if self.low_hz and self.low_hz < top_hz else None
        high = self.high_hz if self.high_hz and self.high_hz < top_hz else None
        return design(sfreq_hz, low, high, 2, 4, self.mains_hz)


@dataclass(frozen=True)
class Trace:
    """What to draw: `x_s` (n,) within the sweep, `y` (n_channels, n), `connect` (n,) False where the line breaks."""

    x_s: Array
    y: Array
    connect: NDArray[np.bool_]


class Sweep:
    """The last `span_s` seconds of `n_channels` channels, filtered and reduced to about `n_columns` columns.

    Thread: main only.
    """

    def __init__(self, n_channels: int, sfreq_hz: float, span_s: float, n_columns: int, sections: Array) -> None:
        self.span_s = span_s
        self._sfreq_hz = sfreq_hz
        self._per_column = max(1, int(np.ceil(span_s * sfreq_hz / max(1, n_columns))))
        n = int(np.ceil(span_s * sfreq_hz / self._per_column)) + 1
        self._low = np.zeros((n_channels, n))
        self._high = np.zeros((n_channels, n))
        self._times_s = np.full(n, -np.inf)
        self._breaks = np.zeros(n, dtype=np.bool_)  # True: not joined to the column before
        self._n = 0  # columns ever written
        self._filter = Cascade(sections)
        self._rest: Array = np.empty((n_channels, 0))
        self._rest_times_s: Array = np.empty(0)
        self._held = np.zeros(n_channels)
        self._breaks_next = True
        self.newest_s = -np.inf
        self.origin_s = np.nan

    def push(self, data: Array, times_s: Array, breaks: Sequence[int] = ()) -> None:
        """Take samples (n_channels, n); before each of the indices `breaks` a new segment begins."""
        edges = [0, *(b for b in breaks if 0 < b < times_s.size), times_s.size]
        for start, stop in pairwise(edges):
            if start in breaks:
                self._break()
            if stop > start:
                self._segment(data[:, start:stop], times_s[start:stop])

    def position_s(self, time_s: float) -> float | None:
        """Where in the sweep a moment is drawn; None when it has been swept over or lies ahead."""
        if not self.newest_s - self.span_s * (1 - BLANK) < time_s <= self.newest_s:
            return None
        return float((time_s - self.origin_s) % self.span_s)

    def trace(self) -> Trace:
        """The picture now."""
        count = min(self._n, self._times_s.size)
        order = np.arange(self._n - count, self._n) % self._times_s.size
        order = order[self._times_s[order] > self.newest_s - self.span_s * (1 - BLANK)]
        if order.size == 0:
            return Trace(np.empty(0), np.empty((len(self._low), 0)), np.empty(0, dtype=np.bool_))
        since_s = self._times_s[order] - self.origin_s
        turn = np.floor(since_s / self.span_s)
        # Left to right: the sweep under way, then what is left of the one before.
        swapped = int(np.searchsorted(turn, turn[-1]))
        order, turn = np.roll(order, -swapped), np.roll(turn, -swapped)
        x_s = (self._times_s[order] - self.origin_s) % self.span_s
        joined = np.append(~self._breaks[order[1:]] & (turn[1:] == turn[:-1]), False)
        if self._per_column == 1:
            return Trace(x_s, self._low[:, order], joined)
        y = np.empty((len(self._low), 2 * order.size))
        y[:, 0::2], y[:, 1::2] = self._low[:, order], self._high[:, order]
        connect = np.ones(2 * order.size, dtype=np.bool_)
        connect[1::2] = joined
        return Trace(np.repeat(x_s, 2), y, connect)

    def amplitude(self) -> float:
        """Median over channels of the amplitude from peak to peak, blinks aside; NaN before the first column."""
        count = min(self._n, self._times_s.size)
        if count == 0:
            return float("nan")
        top, bottom = np.percentile(self._high[:, :count], 90, axis=1), np.percentile(self._low[:, :count], 10, axis=1)
        return float(np.median(top - bottom))

    def _break(self) -> None:
        self._flush()
        self._filter.restart()
        self._breaks_next = True

    def _segment(self, data: Array, times_s: Array) -> None:
        if np.isnan(self.origin_s):
            self.origin_s = float(times_s[0])
        filtered = self._filter.push(self._without_holes(data))
        data = np.concatenate((self._rest, filtered), axis=1)
        times_s = np.concatenate((self._rest_times_s, times_s))
        n_whole = times_s.size // self._per_column
        whole = n_whole * self._per_column
        blocks = data[:, :whole].reshape(len(data), n_whole, self._per_column)
        self._append(blocks.min(axis=2), blocks.max(axis=2), times_s[: whole : self._per_column])
        self._rest, self._rest_times_s = data[:, whole:], times_s[whole:]
        self.newest_s = float(times_s[-1])

    def _without_holes(self, data: Array) -> Array:
        """Non-finite samples hold the last value, so that they do not stay in the filter for ever."""
        finite = np.isfinite(data)
        if not finite.all():
            last = np.maximum.accumulate(np.where(finite, np.arange(data.shape[1]), -1), axis=1)
            held = np.take_along_axis(data, np.maximum(last, 0), axis=1)
            data = np.where(last >= 0, held, self._held[:, None])
        self._held = data[:, -1].copy()
        return data

    def _flush(self) -> None:
        if self._rest_times_s.size:
            low, high = self._rest.min(axis=1, keepdims=True), self._rest.max(axis=1, keepdims=True)
            self._append(low, high, self._rest_times_s[:1])
            self._rest, self._rest_times_s = self._rest[:, :0], self._rest_times_s[:0]

    def _append(self, low: Array, high: Array, times_s: Array) -> None:
        n = times_s.size
        if n == 0:
            return
        keep = min(n, self._times_s.size)
        at = np.arange(self._n + n - keep, self._n + n) % self._times_s.size
        self._low[:, at], self._high[:, at] = low[:, n - keep :], high[:, n - keep :]
        self._times_s[at] = times_s[n - keep :]
        self._breaks[at] = False
        self._breaks[at[0]] = self._breaks_next or keep < n
        self._breaks_next = False
        self._n += n
