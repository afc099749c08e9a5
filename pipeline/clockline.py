"""The line sample times follow: phase and period of a sender's sampling clock, estimated from jittery stamps.

Model. Sample k of a segment was taken at phase + k * period; its stamp adds a delay that is jittery, bursty, sometimes
large, and tells nothing by itself. Phase and period walk slowly (crystals drift, some senders sleep between samples).
The estimate is a Kalman filter with these two states (Kalman 1960; for clocks: Giorgi & Narduzzi, IEEE Trans. Instrum.
Meas. 60, 2011). It is updated once per block of some 0.2 s with the median residual of the block, and the measurement
noise is the residuals' own spread, so that clean stamps are followed closely and jittery ones averaged for many
seconds. An innovation beyond four standard deviations is taken for a step of the phase, not of the period.

The times given out follow the estimate smoothly: each block runs straight, the next one begins where it ends, and its
slope closes the remaining difference over four blocks, never by more than a tenth of a period per sample. So times
always increase and never jump, except where the aligner declares a boundary.

Everything is computed per block of the sample counter or per sample: the result does not depend on how samples came.
"""

from collections import deque
from dataclasses import dataclass
from math import isnan, sqrt
from statistics import median

import numpy as np

from pipeline.types import Array

BLOCK_S = 0.2
UNKNOWN_JITTER_S = 0.025  # until three blocks have been seen
PERIOD_SD = 0.05  # nominal rates are wrong by up to some 10 %
PERIOD_WALK = 1.3e-4  # relative, per square root of a second: 200 ppm of drift is followed within seconds
PHASE_WALK_S = 2e-4  # per square root of a second
STEP_SD = 4.0
MEMORY_BLOCKS = 50
YOUNG_BLOCKS = 25
SLEW_BLOCKS = 4
SLEW_MOST = 0.1
CRYSTAL = 0.02  # no crystal is off by so much: such a sender sleeps between samples, and at times oversleeps for good
STALL_S = 0.05
TOLERATED_SAMPLES = 1.5
TOLERATED_JITTERS = 4.0  # twice the amplitude of a sawtooth, 2.7 standard deviations of a Gaussian


class _Filter:
    """The Kalman filter: phase (the time of the next sample) and period, with their covariance."""

    def __init__(self, nominal_s: float, start_s: float) -> None:
        self._nominal_s = nominal_s
        self.phase_s = start_s
        self.period_s = nominal_s
        self._var_phase = (1.5 * UNKNOWN_JITTER_S) ** 2
        self._cov = 0.0
        self._var_period = (PERIOD_SD * nominal_s) ** 2

    def measure(self, time_s: float, at: float, noise_s: float) -> None:
        """The sample `at` samples ahead was taken at `time_s`, give or take `noise_s`."""
        residual_s = time_s - (self.phase_s + at * self.period_s)
        toward_phase = self._var_phase + at * self._cov
        toward_period = self._cov + at * self._var_period
        variance = toward_phase + at * toward_period + noise_s**2
        if residual_s**2 > STEP_SD**2 * variance:
            toward_phase += residual_s**2
            self._var_phase += residual_s**2
            variance += residual_s**2
        self.phase_s += toward_phase / variance * residual_s
        period_s = self.period_s + toward_period / variance * residual_s
        self.period_s = min(max(period_s, 0.5 * self._nominal_s), 2.0 * self._nominal_s)
        self._var_phase -= toward_phase**2 / variance
        self._cov -= toward_phase * toward_period / variance
        self._var_period -= toward_period**2 / variance

    def advance(self, n: int) -> None:
        """Go `n` samples on."""
        walked_s = n * self._nominal_s
        self.phase_s += n * self.period_s
        self._var_phase += n * (2 * self._cov + n * self._var_period) + walked_s * PHASE_WALK_S**2
        self._cov += n * self._var_period
        self._var_period += walked_s * (PERIOD_WALK * self._nominal_s) ** 2

    def move(self, by_s: float) -> None:
        """The stamps moved, give or take a sample."""
        self.phase_s += by_s
        self._var_phase += self.period_s**2


@dataclass(frozen=True)
class _Block:
    """What the filter is told about a block: its length, its median stamp (NaN: none), and a move after it."""

    n: int
    time_s: float
    moved_s: float = 0.0


class ClockLine:
    """Estimate and output line of one stream.

    `limit_s` is how far above the line a stamp may lie without raising doubt; `jitter_s` half the interquartile range
    of the stamps about the line, plus its lag: the median of the last 10 s. Thread: the one that aligns.
    """

    def __init__(self, sfreq_hz: float, start_s: float) -> None:
        self._nominal_s = 1.0 / sfreq_hz
        self._block = 2 * (max(9, round(BLOCK_S * sfreq_hz)) // 2) + 1
        self._steps = np.arange(self._block, dtype=np.float64)
        self._residuals_s = np.full(self._block, np.nan)
        self._k = 0  # samples taken of the running block
        self._start_s = self._out_s = start_s
        self._filter = _Filter(self._nominal_s, start_s)
        self._out_period_s = self._nominal_s
        self._young: list[_Block] = []
        self._jitters_s: deque[float] = deque(maxlen=MEMORY_BLOCKS)
        self._noises_s: deque[float] = deque(maxlen=MEMORY_BLOCKS)
        self._middles_s: deque[float] = deque(maxlen=3)
        self.jitter_s = 0.0
        self.limit_s = self._limit_s()

    @property
    def period_s(self) -> float:
        """The estimated sampling period."""
        return self._filter.period_s

    @property
    def next_s(self) -> float:
        """The time the next sample gets if it is the first of a block."""
        return self._out_s

    @property
    def room(self) -> int:
        """How many samples the running block still takes."""
        return self._block - self._k

    def residuals_s(self, stamps_s: Array) -> Array:
        """Corrected stamps (n,) of the next samples minus the estimated line, however far ahead they reach."""
        if len(stamps_s) <= self.room:
            steps = self._steps[self._k : self._k + len(stamps_s)]
        else:
            steps = np.arange(self._k, self._k + len(stamps_s), dtype=np.float64)
        return stamps_s - (self._filter.phase_s + steps * self._filter.period_s)

    def take(self, residuals_s: Array) -> Array:
        """Accept the next samples, at most `room`, by their residuals (NaN: no stamp); returns their times (n,)."""
        start, self._k = self._k, self._k + len(residuals_s)
        self._residuals_s[start : self._k] = residuals_s
        times_s = self._out_s + self._steps[start : self._k] * self._out_period_s
        if self._k == self._block:
            self._close()
        return times_s

    def move(self, by_s: float) -> None:
        """The estimate moves before the next sample, which begins a new block; the output follows smoothly."""
        if self._k:
            self._close()
        self._learn(_Block(0, float("nan"), by_s))
        self._middles_s.clear()
        self._aim()

    def jump(self, by_s: float) -> None:
        """As `move`, at a boundary: the output goes to the estimate at once, though never back."""
        self.move(by_s)
        self._out_s = max(self._out_s, self._filter.phase_s)
        self._aim()

    def _close(self) -> None:
        """Learn from the running block and begin the next."""
        n, self._k = self._k, 0
        seen = np.sort(self._residuals_s[:n])  # NaN last
        n_seen = n - int(np.count_nonzero(np.isnan(seen)))
        time_s = float("nan")
        if 4 * n_seen >= self._block:
            low_s, middle_s, high_s = (float(seen[i * (n_seen - 1) // 4]) for i in (1, 2, 3))
            time_s = self._filter.phase_s + (n - 1) / 2 * self.period_s + middle_s
            self._learn_jitter((high_s - low_s) / 2, middle_s, time_s)
        self._learn(_Block(n, time_s))
        self._out_s += n * self._out_period_s
        self._aim()
        self.limit_s = self._limit_s()

    def _learn_jitter(self, spread_s: float, residual_s: float, time_s: float) -> None:
        """Spread within the block, and from block to block: by second differences, which no wrong period touches."""
        self._jitters_s.append(spread_s + abs(residual_s))
        self.jitter_s = median(self._jitters_s)
        self._middles_s.append(time_s)
        rough_s = 0.0
        if len(self._middles_s) == 3:
            before_s, middle_s, after_s = self._middles_s
            rough_s = abs(before_s - 2 * middle_s + after_s) / 2
        self._noises_s.append(spread_s + rough_s)

    def _noise_s(self) -> float:
        """Measurement noise of a block; while there are few, by their mean square: one rough block counts then."""
        noise_s = median(self._noises_s)
        if len(self._young) <= YOUNG_BLOCKS:
            noise_s = max(noise_s, sqrt(sum(n**2 for n in self._noises_s) / len(self._noises_s)))
        return 1.5 * noise_s + 1e-3 * self._nominal_s

    def _learn(self, block: _Block) -> None:
        """Tell the filter. While young it starts over each time, with the noise as it is known by now."""
        if len(self._young) > YOUNG_BLOCKS:
            self._tell(block)
            return
        self._young.append(block)
        self._filter = _Filter(self._nominal_s, self._start_s)
        for known in self._young:
            self._tell(known)

    def _tell(self, block: _Block) -> None:
        if not isnan(block.time_s):
            self._filter.measure(block.time_s, (block.n - 1) / 2, self._noise_s())
        self._filter.advance(block.n)
        if not block.n:
            self._filter.move(block.moved_s)

    def _aim(self) -> None:
        """Choose the output slope of the next block."""
        slew_s = (self._filter.phase_s - self._out_s) / (SLEW_BLOCKS * self._block)
        most_s = SLEW_MOST * self.period_s
        self._out_period_s = self.period_s + min(max(slew_s, -most_s), most_s)

    def _limit_s(self) -> float:
        jitter_s = self.jitter_s
        if len(self._jitters_s) < 3:
            jitter_s = max(UNKNOWN_JITTER_S, jitter_s)
        paced_by_software = abs(self.period_s / self._nominal_s - 1.0) > CRYSTAL
        stall_s = STALL_S if paced_by_software else 0.0
        return TOLERATED_SAMPLES * self.period_s + TOLERATED_JITTERS * jitter_s + stall_s


class RateCount:
    """Samples per second within segments."""

    def __init__(self) -> None:
        self._n = 0
        self._closed_s = 0.0
        self._first_s = self._last_s = float("nan")

    @property
    def span_s(self) -> float:
        """Seconds within segments."""
        return self._closed_s + (self._last_s - self._first_s) if self._n else 0.0

    @property
    def hz(self) -> float:
        """Samples per second; NaN before the second sample."""
        return self._n / self.span_s if self._n and self.span_s > 0 else float("nan")

    def count(self, times_s: Array, new: bool) -> None:
        """Count samples given out; `new` when a segment starts with the first of them."""
        if new:
            self._closed_s = self.span_s
            self._first_s = float(times_s[0])
        self._n += len(times_s) - new
        self._last_s = float(times_s[-1])
