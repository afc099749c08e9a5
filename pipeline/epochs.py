"""Windows around onsets, cut from preprocessed blocks.

An onset may come before its data, after it, or in the middle. It waits in a queue until its window is complete, and
leaves as an accepted epoch or a rejected one with its reason; none disappears. The sample that counts as the onset is
the one whose own time stamp is nearest, never the one that happened to arrive with the marker.
"""

import logging
from bisect import insort
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from engines.errors import InputError
from pipeline.ring import Ring
from pipeline.types import Array, Block, Epoch, Onset

log = logging.getLogger(__name__)

# How long finished data stays readable for markers that come late, and how long an onset may wait for data.
HISTORY_S = 30.0
EXPIRY_S = 60.0


@dataclass(frozen=True)
class EpochConfig:
    """A window [tmin_s, tmax_s) around the onset; a baseline (start, stop) or None; a peak-to-peak limit or None."""

    tmin_s: float = -0.2
    tmax_s: float = 0.8
    baseline_s: tuple[float, float] | None = (-0.2, 0.0)
    reject_uv: float | None = None

    def __post_init__(self) -> None:
        if self.tmax_s <= self.tmin_s:
            raise InputError(f"an epoch must end after it starts; got {self.tmin_s} to {self.tmax_s} s")
        if self.baseline_s and not self.tmin_s <= self.baseline_s[0] < self.baseline_s[1] <= self.tmax_s:
            raise InputError(f"the baseline {self.baseline_s} s does not lie in {self.tmin_s} to {self.tmax_s} s")

    def n_samples(self, sfreq_hz: float) -> int:
        """Samples of an epoch."""
        return round((self.tmax_s - self.tmin_s) * sfreq_hz)

    def onset_index(self, sfreq_hz: float) -> int:
        """The sample of an epoch that is nearest to the onset (negative when the window starts after it)."""
        return round(-self.tmin_s * sfreq_hz)

    def times_s(self, sfreq_hz: float) -> Array:
        """Sample times of an epoch relative to its onset sample, shape (n_samples,)."""
        return (np.arange(self.n_samples(sfreq_hz)) - self.onset_index(sfreq_hz)) / sfreq_hz

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "EpochConfig":
        """The inverse of `to_dict`."""
        baseline = values.get("baseline_s")
        return cls(**{**values, "baseline_s": tuple(baseline) if baseline else None})


@dataclass
class _Segment:
    """Samples start <= i < stop without a break; the first `n_settling` of them came from settling filters."""

    start: int
    stop: int
    n_settling: int


@dataclass
class _Waiting:
    onset: Onset
    since_s: float | None = None
    n_given: int = 0


class EpochBuilder:
    """Turns blocks and onsets into epochs.

    A window may be given out while it grows: `beginnings` are the numbers of samples, ascending, at which its first
    samples leave as an epoch of their own, bit for bit the first samples of the whole.

    Thread: decode only.
    """

    def __init__(self, config: EpochConfig, n_channels: int, sfreq_hz: float, beginnings: Sequence[int] = ()) -> None:
        """Raises InputError when a window or a beginning holds no sample, or a beginning not the whole baseline."""
        self.config = config
        self.sfreq_hz = sfreq_hz
        self._onset_index = config.onset_index(sfreq_hz)
        self._baseline = self._baseline_samples()
        n = config.n_samples(sfreq_hz)
        if n < 1:
            raise InputError(f"an epoch of {config.tmax_s - config.tmin_s} s holds no sample at {sfreq_hz} Hz")
        self._steps = (*beginnings, n)
        least = self._baseline.stop if self._baseline else 1
        if beginnings and (beginnings[0] < least or any(a >= b for a, b in pairwise(self._steps))):
            raise InputError(f"beginnings must ascend from {least} to below {n} samples; got {list(beginnings)}")
        reach_s = max(config.tmax_s, 0.0) - min(config.tmin_s, 0.0)
        self._ring = Ring(n_channels, round((HISTORY_S + reach_s) * sfreq_hz))
        self._segments: list[_Segment] = []
        self._waiting: list[_Waiting] = []
        self._now_s: float | None = None

    def _baseline_samples(self) -> slice | None:
        if self.config.baseline_s is None:
            return None
        low, high = (round(t * self.sfreq_hz) + self._onset_index for t in self.config.baseline_s)
        return slice(low, max(high, low + 1))

    @property
    def n_waiting(self) -> int:
        """Onsets whose window is not complete yet."""
        return len(self._waiting)

    def onset(self, onset: Onset) -> None:
        """Queue an onset."""
        insort(self._waiting, _Waiting(onset), key=lambda w: w.onset.time_s)

    def drop(self, trial: int) -> None:
        """Nothing more of this trial is wanted."""
        self._waiting = [w for w in self._waiting if w.onset.trial != trial]

    def push(self, block: Block) -> list[Epoch]:
        """Take preprocessed samples; return what became complete or impossible, in onset order."""
        done: list[Epoch] = []
        for part in _parts(block, max(1, round(self.sfreq_hz))):
            self._append(part)
            done += self._settle_queue()
        return done

    def finish(self) -> list[Epoch]:
        """No more data will come: what still waits is rejected."""
        done = self._settle_queue() + [self._reject(w.onset, "end of data") for w in self._waiting]
        self._waiting = []
        return done

    def _append(self, block: Block) -> None:
        if block.boundary is not None or not self._segments:
            self._segments.append(_Segment(self._ring.written, self._ring.written, 0))
        n = block.times_s.size
        if n == 0:
            return
        self._ring.write(block.data, block.times_s)
        segment = self._segments[-1]
        segment.stop += n
        segment.n_settling += n - int(block.settled.sum())
        self._now_s = float(block.times_s[-1])
        while self._segments[0].stop <= self._ring.oldest:
            self._segments.pop(0)

    def _settle_queue(self) -> list[Epoch]:
        done: list[Epoch] = []
        still: list[_Waiting] = []
        for waiting in self._waiting:
            epochs = list(self._due(waiting))
            done += epochs
            if not epochs or epochs[-1].beginning:
                still.append(waiting)
        self._waiting = still
        return done

    def _due(self, waiting: _Waiting) -> Iterator[Epoch]:
        """Beginnings that became complete, then the whole window or the reason why it never will."""
        more = True
        while more:
            epoch = self._try(waiting.onset, self._steps[waiting.n_given]) or self._expired(waiting)
            if epoch is None:
                return
            yield epoch
            more = epoch.beginning
            waiting.n_given += 1

    def _expired(self, waiting: _Waiting) -> Epoch | None:
        if waiting.since_s is None:
            waiting.since_s = self._now_s
        if waiting.since_s is None or self._now_s is None or self._now_s - waiting.since_s <= EXPIRY_S:
            return None
        onset = waiting.onset
        log.warning(
            "trial %d at %.3f s expired: %.0f s of data passed without its window",
            *(onset.trial, onset.time_s),
            EXPIRY_S,
        )
        return self._reject(onset, "expired")

    def _try(self, onset: Onset, n: int) -> Epoch | None:
        """The first `n` samples of the window, a rejection, or None while they are not complete."""
        filled = [s for s in self._segments if s.stop > max(s.start, self._ring.oldest)]
        index = self._segment_of(onset.time_s, filled)
        if index is None:
            return self._reject(onset, "before data" if self._ring.oldest == 0 else "too late") if filled else None
        segment, is_last = filled[index], filled[index] is self._segments[-1]
        first = max(segment.start, self._ring.oldest)
        _, times = self._ring.view(first, segment.stop)
        nearest = first + _nearest(times, onset.time_s)
        if nearest == segment.stop - 1 and (is_last or onset.time_s > times[-1] + 0.5 / self.sfreq_hz):
            # The next sample may be nearer still, or the onset lies in the hole behind this segment.
            return None if is_last or segment is filled[-1] else self._reject(onset, "gap")
        return self._place(onset, segment, nearest - self._onset_index, n, is_last)

    def _segment_of(self, time_s: float, filled: list[_Segment]) -> int | None:
        """The newest segment that begins no later than half a sample after the onset."""
        for index in range(len(filled) - 1, -1, -1):
            first = max(filled[index].start, self._ring.oldest)
            if self._ring.view(first, first + 1)[1][0] - 0.5 / self.sfreq_hz <= time_s:
                return index
        return None

    def _place(self, onset: Onset, segment: _Segment, start: int, n: int, is_last: bool) -> Epoch | None:
        if start < segment.start:
            return self._reject(onset, "before data" if segment.start == 0 else "gap")
        if start < self._ring.oldest:
            return self._reject(onset, "too late")
        if start < segment.start + segment.n_settling:
            return self._reject(onset, "settling")
        if start + n > segment.stop:
            return None if is_last else self._reject(onset, "gap")
        return self._cut(onset, start, n)

    def _cut(self, onset: Onset, start: int, n: int) -> Epoch:
        view, times = self._ring.view(start, start + n)
        data = view.copy()
        stop_s = float(times[-1])
        if not np.isfinite(data).all():
            return self._reject(onset, "non-finite", stop_s)
        if self._baseline is not None:
            data -= data[:, self._baseline].mean(axis=1, keepdims=True)
        if self.config.reject_uv is not None and float(np.ptp(data, axis=1).max()) > self.config.reject_uv:
            return self._reject(onset, "peak-to-peak", stop_s)
        data.flags.writeable = False
        return Epoch(
            onset.trial,
            onset.time_s,
            data,
            self.sfreq_hz,
            self._onset_index,
            stop_s,
            part=onset.part,
            beginning=n < self._steps[-1],
        )

    def _reject(self, onset: Onset, reason: str, stop_s: float | None = None) -> Epoch:
        stop = onset.time_s + self.config.tmax_s if stop_s is None else stop_s
        nothing = np.empty((0, 0))
        return Epoch(
            onset.trial, onset.time_s, nothing, self.sfreq_hz, self._onset_index, stop, rejected=reason, part=onset.part
        )


def _nearest(times: Array, time_s: float) -> int:
    """Index of the time nearest to `time_s`; the earlier one on a tie."""
    i = int(np.searchsorted(times, time_s))
    if i == 0:
        return 0
    if i == times.size:
        return i - 1
    return i if times[i] - time_s < time_s - times[i - 1] else i - 1


def _parts(block: Block, size: int) -> Iterator[Block]:
    """The block in pieces of at most `size` samples, so that no window slides out of the ring unseen."""
    if block.times_s.size <= size:
        yield block
        return
    for start in range(0, block.times_s.size, size):
        cut = slice(start, start + size)
        yield Block(block.data[:, cut], block.times_s[cut], block.settled[cut], block.boundary if start == 0 else None)
