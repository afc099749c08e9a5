"""Clock offsets, applied causally and reproducibly.

A sender's clock and this machine's clock differ by an offset that is measured every few seconds. A measurement
collected at `at_s` (sender's clock) counts for stamps of `at_s + GUARD_S` and later, and for no others: whether it
arrived a little sooner or later makes no difference, so a live session and the replay of its recording apply the same
values to the same samples. The value applied is the median of the last three that count, so one wild measurement
changes nothing; stamps from before the first that counts use the first one known.

When the sender's clock is set or its machine restarts, the measurements say so: collection time and value jump by
opposite amounts (the two signs pyxdf tells clock resets by). Measurements before and after form separate epochs and
never mix.
"""

from bisect import bisect_right

import numpy as np

from pipeline.types import Array, ClockOffset

GUARD_S = 1.0
JUMP_S = 1.0  # values of one clock never differ by more (pyxdf: reset_threshold_offset_seconds)
REACH_S = 10.0  # offsets are measured every 5 s: a stamp lies no farther from a measurement of its own clock


class _Epoch:
    """The measurements of one run of the sender's clock."""

    def __init__(self, at_s: float, value_s: float) -> None:
        self.first_at_s = at_s
        self.last_at_s = at_s
        self.last_value_s = value_s
        self._measured = [value_s, value_s]  # two measurements have no majority: the first counts double
        self._from_s: list[float] = []
        self._values_s = [value_s]
        self.add(at_s, value_s)

    def add(self, at_s: float, value_s: float) -> None:
        self._measured = [*self._measured[-2:], value_s]
        self._from_s.append(at_s + GUARD_S)
        self._values_s.append(sorted(self._measured)[1])
        self.last_at_s, self.last_value_s = at_s, value_s

    def value_s(self, stamp_s: float) -> float:
        return self._values_s[bisect_right(self._from_s, stamp_s)]

    def values_s(self, stamps_s: Array) -> Array | float:
        if stamps_s.min() >= self._from_s[-1]:  # nearly always, and cheaper
            return self._values_s[-1]
        return np.array(self._values_s)[np.searchsorted(self._from_s, stamps_s, side="right")]

    def resumed_by(self, offset: ClockOffset) -> bool:
        return abs(offset.value_s - self.last_value_s) < JUMP_S and offset.at_s >= self.last_at_s

    def ended_by(self, offset: ClockOffset) -> bool:
        """Collection time and value jump by opposite amounts, so that the time on this machine runs on."""
        elapsed_there_s = offset.at_s - self.last_at_s
        jump_s = self.last_value_s - offset.value_s
        elapsed_here_s = elapsed_there_s - jump_s
        return abs(jump_s) > JUMP_S and (
            elapsed_there_s < -JUMP_S or (jump_s > 0 and elapsed_there_s > abs(elapsed_here_s))
        )


class OffsetTrack:
    """All measurements of one sender's clock, in epochs numbered from 0. Thread: the one that aligns."""

    def __init__(self) -> None:
        self._epochs: list[_Epoch] = []

    @property
    def empty(self) -> bool:
        """True before the first measurement."""
        return not self._epochs

    def add(self, offset: ClockOffset) -> None:
        """Take a measurement in, in the order of arrival; one that is not finite is none."""
        if not (np.isfinite(offset.at_s) and np.isfinite(offset.value_s)):
            return
        if self.empty or self._epochs[-1].ended_by(offset):
            self._begin(offset)
        else:
            newest = self._epochs[-1]
            newest.add(max(offset.at_s, newest.last_at_s), offset.value_s)

    def _begin(self, offset: ClockOffset) -> None:
        # A measurement with a garbage value has a garbage collection time to match (it is now minus value) and looks
        # like a reset; the next one then resumes the epoch before.
        if len(self._epochs) > 1 and self._epochs[-2].resumed_by(offset):
            self._epochs.append(self._epochs[-2])
            self._epochs[-1].add(offset.at_s, offset.value_s)
        else:
            self._epochs.append(_Epoch(offset.at_s, offset.value_s))

    def corrected_s(self, stamps_s: Array, epoch: int) -> Array:
        """Sender stamps (n,) of one epoch on this machine's clock; unchanged before any measurement."""
        return stamps_s if self.empty or not len(stamps_s) else stamps_s + self._epochs[epoch].values_s(stamps_s)

    def value_s(self, stamp_s: float, epoch: int) -> float:
        """The offset for one stamp; 0 before any measurement."""
        return 0.0 if self.empty else self._epochs[epoch].value_s(stamp_s)

    def confirms(self, stamp_s: float, epoch: int) -> bool:
        """True when a measurement of this epoch was collected at or after `stamp_s`: the clock ran on."""
        return not self.empty and self._epochs[epoch].last_at_s >= stamp_s

    def epoch_after(self, stamp_s: float, epoch: int) -> int | None:
        """The first epoch after `epoch` whose clock may have shown `stamp_s`; None when there is none (yet)."""
        for later in range(epoch + 1, len(self._epochs)):
            following = self._epochs[later]
            newest = later == len(self._epochs) - 1
            if following.first_at_s - REACH_S <= stamp_s and (newest or stamp_s <= following.last_at_s + REACH_S):
                return later
        return None


class MarkerClock:
    """Marker stamps of one stream on this machine's clock. Thread: the one that aligns."""

    def __init__(self) -> None:
        self._track = OffsetTrack()
        self._epoch = 0
        self._stamp_s = float("nan")
        self._time_s = float("nan")

    def offset(self, offset: ClockOffset) -> None:
        """Take in a clock measurement of this stream."""
        self._track.add(offset)

    def time_of(self, stamp_s: float) -> float:
        """The time of one marker; call in the order of the stream, so that a reset of its clock is noticed.

        Between a reset and the first offset of the new clock no time is right; the old offset is then applied. A stamp
        that is none (0 or not finite) gets the time of the marker before it (NaN for the first).
        """
        if not np.isfinite(stamp_s) or stamp_s == 0:
            return self._time_s
        if not self._track.confirms(stamp_s - REACH_S, self._epoch) or self._stamp_s - stamp_s > JUMP_S:
            after = self._track.epoch_after(stamp_s, self._epoch)
            self._epoch = self._epoch if after is None else after
        self._stamp_s = stamp_s
        self._time_s = stamp_s + self._track.value_s(stamp_s, self._epoch)
        return self._time_s
