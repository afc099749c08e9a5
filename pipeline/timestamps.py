"""From raw stamps to sample times: the one causal, segment-wise estimator, used live, in replay and in calibration.

Stamps are moved to this machine's clock (`offsets.py`) and followed by a line (`clockline.py`); sample times lie on
the line, never on the stamps themselves. What this module adds is the judgement of stamps that leave the line:

- **late**: a chunk came late or a backlog drains; the stamps come back. They are left out of the estimate.
- **gap**: the displacement persists (`displacement.py`). Samples are missing; their number is the displacement in
  periods, and the line goes on from there. What lies within 1.5 samples plus four times the jitter is not told apart
  from jitter, and not claimed.
- **reset**: the sender's clock was set, or its machine restarted, by 1 s or more. The clock offsets tell how much real
  time passed, and so whether samples are missing besides.
- **none**: zero, NaN and infinite stamps, a first chunk whose stamps LSL deduced from zero, a garbage last sample
  (liblsl issue 246). Such samples are placed by their count.

Stamps *below* the line by less than 1 s mean that the line was too late: its first chunk was, or what looked like a gap
was partly backlog. The line comes down by a tenth of a period per sample at most, so times always increase. That is
neither gap nor reset.

Samples are withheld only while in doubt: from the first displaced one until the stamps are back, or have stayed away
for 0.25 s of samples (more where jitter is large, 1.5 s at most), or for 2 to 3 s while they come closer. If the
sender's clock may have been reset, until the next offset tells (one is measured every 5 s), for 6 s more at most.

LSL's and pyxdf's own dejittering fit one line through gaps; they stay off.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.clockline import TOLERATED_SAMPLES, ClockLine, RateCount
from pipeline.displacement import Late, judge, window_samples
from pipeline.offsets import JUMP_S, MarkerClock, OffsetTrack
from pipeline.types import Array, Boundary, BoundaryKind, ClockOffset

__all__ = ["Aligner", "MarkerClock", "Run"]

OFFSET_WAIT_S = 6.0  # offsets are measured about every 5 s
ASK_FORWARD_S = 5.0  # a shorter step forward is a gap unless an offset already says otherwise
LONGEST_GAP_S = 86_400.0
DEDUCED_S = 1.0  # LSL deduces the stamps of a chunk it joined midway from zero
RATE_WARNING = 0.01
RATE_KNOWN_S = 5.0


@dataclass(frozen=True)
class Run:
    """Consecutive samples of one segment.

    `data` (n_channels, n) as it was pushed; `times_s` (n,) on this machine's clock, increasing; `boundary` is set when
    a segment starts with the first sample.
    """

    data: NDArray[Any]
    times_s: Array
    boundary: Boundary | None = None


class Aligner:
    """Gives every sample of one stream its time, and says where samples are missing or the sender's clock was reset.

    Args:
        sfreq_hz: nominal sampling rate; 0 for a stream without one (times are then the corrected stamps).

    The result is the same, bit by bit, however the samples are chunked. Thread: the one that acquires.
    """

    def __init__(self, sfreq_hz: float) -> None:
        if not (np.isfinite(sfreq_hz) and sfreq_hz >= 0):
            raise ValueError(f"expected a sampling rate of 0 (irregular) or more, got {sfreq_hz} Hz")
        self.sfreq_hz = sfreq_hz
        self.n_received = 0
        self.n_lost = 0
        self.n_backward = 0
        self.n_unstamped = 0
        self._boundaries: list[Boundary] = []
        self._rate = RateCount()
        self._markers = MarkerClock()
        self._track = OffsetTrack()
        self._epoch = 0
        self._shift_s = 0.0  # stands in for an offset that never came after a reset
        self._line: ClockLine | None = None
        self._doubt = False
        self._newest_raw_s = float("nan")
        self._anchor: tuple[int, float] = (
            0,
            float("nan"),
        )  # the last sample whose stamp was on the line, and the stamp
        self._n_out = 0
        self._last_s = float("nan")
        self._data: NDArray[Any] = np.empty((0, 0))
        self._raw_s: Array = np.empty(0)
        self._stamps_s: Array = np.empty(0)  # corrected; NaN: none
        self._head = 0  # samples of these already given out
        self._new: Boundary | None = None

    # ------------------------------------------------------------------ what it knows

    @property
    def boundaries(self) -> tuple[Boundary, ...]:
        """Every boundary declared so far, the start first."""
        return tuple(self._boundaries)

    @property
    def sfreq_effective_hz(self) -> float:
        """Samples per second of the given-out times, gaps left out; NaN before the second sample."""
        return self._rate.hz

    @property
    def jitter_s(self) -> float:
        """Robust spread of the stamps about the line (half the interquartile range)."""
        return self._line.jitter_s if self._line else 0.0

    @property
    def drift_ppm(self) -> float:
        """How much faster than nominal the sender samples, in parts per million; NaN without a nominal rate."""
        return (self._rate.hz / self.sfreq_hz - 1.0) * 1e6 if self.sfreq_hz else float("nan")

    @property
    def rate_warning(self) -> str | None:
        """Set when 5 s or more of samples came at a rate more than 1 % off the nominal one."""
        if not self.sfreq_hz or self._rate.span_s < RATE_KNOWN_S or abs(self.drift_ppm) <= RATE_WARNING * 1e6:
            return None
        return f"the stream says {self.sfreq_hz:g} Hz but sends {self._rate.hz:.2f} Hz; times follow what it sends"

    # ------------------------------------------------------------------ what goes in and out

    def offset(self, offset: ClockOffset) -> None:
        """Take in a clock measurement; the first one should come before the first sample."""
        self._track.add(offset)
        self._markers.offset(offset)

    def push(self, data: NDArray[Any], stamps_s: Array) -> list[Run]:
        """Take in samples in the order sent, and give out what is certain.

        Args:
            data: (n_channels, n), any type.
            stamps_s: (n,) raw stamps on the sender's clock.

        Raises:
            ValueError: the shapes do not fit.
        """
        raw_s = np.array(stamps_s, dtype=np.float64)
        if data.ndim != 2 or raw_s.shape != (data.shape[1],):
            raise ValueError(f"expected data (n_channels, n) and n stamps, got {data.shape} and {raw_s.shape}")
        if not len(raw_s):
            return []
        self._count(raw_s)
        if not self.sfreq_hz:
            return [self._irregular(data, raw_s)]
        stamps_s = self._track.corrected_s(raw_s, self._epoch) + self._shift_s
        if len(self._raw_s):
            data = np.concatenate((self._data, data), axis=1)
            raw_s = np.concatenate((self._raw_s, raw_s))
            stamps_s = np.concatenate((self._stamps_s, stamps_s))
        self._data, self._raw_s, self._stamps_s = data, raw_s, stamps_s
        return self._advance(final=False)

    def finish(self) -> list[Run]:
        """Decide what is in doubt from what is there, and give out everything withheld."""
        return self._advance(final=True) if len(self._raw_s) else []

    def _count(self, raw_s: Array) -> None:
        """Count, and mark what is no stamp."""
        self.n_received += len(raw_s)
        none = ~np.isfinite(raw_s) | (raw_s == 0)
        n_none = int(np.count_nonzero(none))
        self.n_unstamped += n_none
        seen_s = raw_s
        if n_none:
            raw_s[none] = np.nan
            seen_s = raw_s[~none]
        if len(seen_s):
            self.n_backward += int(np.count_nonzero(seen_s[1:] < seen_s[:-1])) + int(seen_s[0] < self._newest_raw_s)
            self._newest_raw_s = float(seen_s[-1])

    def _irregular(self, data: NDArray[Any], raw_s: Array) -> Run:
        times_s = np.array([self._markers.time_of(stamp_s) for stamp_s in raw_s.tolist()])
        if not self._boundaries:
            self._declare(BoundaryKind.START, float(times_s[0]))
        self._rate.count(times_s, new=self._new is not None)
        run = Run(data, times_s, self._new)
        self._new = None
        return run

    # ------------------------------------------------------------------ the way of a sample

    def _advance(self, final: bool) -> list[Run]:
        pieces: list[tuple[Boundary | None, Array]] = []
        self._head = 0
        while self._head < len(self._raw_s):
            if self._line is None and not self._begin(final):
                break
            if self._doubt and not self._settle(final):
                break
            if len(times_s := self._regular()):
                pieces.append((self._new, times_s))
                self._new = None
        runs = list(self._joined(pieces))
        self._data = self._data[:, self._head :]
        self._raw_s, self._stamps_s = self._raw_s[self._head :], self._stamps_s[self._head :]
        return runs

    def _joined(self, pieces: list[tuple[Boundary | None, Array]]) -> Iterator[Run]:
        """One run for each segment."""
        firsts = [i for i, (boundary, _) in enumerate(pieces) if boundary or i == 0]
        at = 0
        for first, end in pairwise([*firsts, len(pieces)]):
            times_s = np.concatenate([part_s for _, part_s in pieces[first:end]])
            self._rate.count(times_s, new=pieces[first][0] is not None)
            yield Run(self._data[:, at : at + len(times_s)], times_s, pieces[first][0])
            at += len(times_s)

    def _begin(self, final: bool) -> bool:
        """Start the line at the first stamp; False while there is none to trust."""
        stamped = np.flatnonzero(~np.isnan(self._stamps_s))
        first = int(stamped[0]) if len(stamped) else 0
        if not len(stamped) and not final:
            return False
        if len(stamped) and abs(self._raw_s[first]) < DEDUCED_S:
            window = first + window_samples(0.0, 1.0 / self.sfreq_hz)
            early = stamped[stamped < window]
            ahead_s = self._raw_s[early] - self._raw_s[first] - (early - first) / self.sfreq_hz
            if (ahead_s > JUMP_S).any():
                first = int(early[np.argmax(ahead_s > JUMP_S)])
                self.n_unstamped += int(np.count_nonzero(early < first))
                self._stamps_s[:first] = np.nan
            elif len(self._raw_s) < window and not final:
                return False
        start_s = float(self._stamps_s[first]) - first / self.sfreq_hz if len(stamped) else 0.0
        self._line = ClockLine(self.sfreq_hz, start_s)
        self._declare(BoundaryKind.START, start_s)
        return True

    def _regular(self) -> Array:
        """Give out samples up to the end of the block, or to the first that raises doubt."""
        assert self._line is not None
        stop = self._head + self._line.room
        residuals_s = self._line.residuals_s(self._stamps_s[self._head : stop])
        limit_s = self._line.limit_s
        if np.fmax.reduce(residuals_s) > limit_s or np.fmin.reduce(residuals_s) < -JUMP_S:
            residuals_s = residuals_s[: np.argmax((residuals_s > limit_s) | (residuals_s < -JUMP_S))]
            self._doubt = True
        if not len(residuals_s):
            return residuals_s
        times_s = self._line.take(residuals_s)
        self._remember(residuals_s)
        self._head += len(times_s)
        self._n_out += len(times_s)
        self._last_s = float(times_s[-1])
        return times_s

    def _remember(self, residuals_s: Array) -> None:
        last = len(residuals_s) - 1
        if np.isnan(residuals_s[last]):
            on_line = np.flatnonzero(~np.isnan(residuals_s))
            if not len(on_line):
                return
            last = int(on_line[-1])
        self._anchor = self._n_out + last, float(self._raw_s[self._head + last])

    # ------------------------------------------------------------------ in doubt

    def _settle(self, final: bool) -> bool:
        """Judge the displaced stamps; False while more samples or an offset are needed."""
        assert self._line is not None
        line, stamps_s = self._line, self._stamps_s[self._head :]
        window = window_samples(line.jitter_s, line.period_s)
        verdict = judge(line.residuals_s(stamps_s), line.limit_s, window, line.period_s, final)
        if verdict is None:
            return False
        if isinstance(verdict, Late):
            stamps_s[: verdict.n] = np.nan
        elif not self._explain(verdict.level_s, verdict.n, final):
            return False
        self._doubt = False
        return True

    def _explain(self, level_s: float, n: int, final: bool) -> bool:
        """Say why the stamps moved: gap, reset, or the line was wrong; False while an offset may still tell."""
        assert self._line is not None
        raw_s = float(self._raw_s[self._head])
        if abs(level_s) >= JUMP_S:
            waited = final or self._track.empty or len(self._raw_s) - self._head >= n + OFFSET_WAIT_S * self.sfreq_hz
            later = self._track.epoch_after(raw_s, self._epoch)
            if later is not None and self._reset(later, level_s, n):
                return True
            known = level_s > 0 and (level_s < ASK_FORWARD_S or self._track.confirms(raw_s, self._epoch))
            if not (known or waited):
                return False
            if level_s < 0 or level_s > LONGEST_GAP_S:
                self._reset_unmeasured(level_s)
                return True
        n_lost = round(level_s / self._line.period_s)
        if n_lost < 2 or not self._rose(level_s, n):
            self._line.move(level_s)
        else:
            self._line.jump(n_lost * self._line.period_s)
            self._declare(BoundaryKind.GAP, self._line.next_s, n_lost)
        return True

    def _rose(self, level_s: float, n: int) -> bool:
        """True when the raw stamps rose to their new level at once, false when drift or an offset carried them."""
        assert self._line is not None
        number, anchor_s = self._anchor
        before_s = anchor_s + (self._n_out - 1 - number) * self._line.period_s
        raw_s = np.concatenate(([before_s], self._raw_s[self._head : self._head + n]))
        apart = max(1, window_samples(self._line.jitter_s, self._line.period_s) // 2)
        apart = min(apart, n)
        rise_s = float(np.fmax.reduce(raw_s[apart:] - raw_s[:-apart])) - apart * self._line.period_s
        return not rise_s < level_s / 2  # NaN: the stamps on both sides are missing

    def _reset(self, epoch: int, level_s: float, n: int) -> bool:
        """Go over to a later run of the sender's clock, if that brings the stamps nearer the line."""
        assert self._line is not None
        raw_s = self._raw_s[self._head :]
        stamps_s = self._track.corrected_s(raw_s, epoch)
        residuals_s = self._line.residuals_s(stamps_s[:n])
        left_s = float(np.median(residuals_s[~np.isnan(residuals_s)]))
        if level_s > 0 and abs(left_s) >= level_s:
            return False
        first_s = float(raw_s[0])
        jump_s = self._track.value_s(first_s, self._epoch) - self._track.value_s(first_s, epoch)
        period_s = self._line.period_s
        n_lost = round(left_s / period_s) if left_s > TOLERATED_SAMPLES * period_s else 0
        self._epoch = epoch
        self._shift_s = -left_s if left_s < -JUMP_S else 0.0
        self._stamps_s[self._head :] = stamps_s + self._shift_s
        self._line.jump(left_s + self._shift_s)
        self._declare(BoundaryKind.RESET, self._line.next_s, n_lost, jump_s)
        return True

    def _reset_unmeasured(self, level_s: float) -> None:
        """No offset tells how much time passed: nothing is claimed to be missing."""
        assert self._line is not None
        self._shift_s -= level_s
        self._stamps_s[self._head :] -= level_s
        self._line.jump(0.0)
        self._declare(BoundaryKind.RESET, self._line.next_s, 0, level_s)

    def _declare(self, kind: BoundaryKind, stop_s: float, n_lost: int = 0, jump_s: float = 0.0) -> None:
        start_s = self._last_s if self._boundaries else stop_s
        self._new = Boundary(self._n_out, kind, start_s, stop_s, n_lost, jump_s)
        self._boundaries.append(self._new)
        self.n_lost += n_lost
