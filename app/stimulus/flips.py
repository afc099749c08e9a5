"""Flips of a display: when the next one comes, whether vertical sync is real, and which came late."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LATE = 1.5  # of a frame; an interval nearer to two frames than to one has lost a flip
SYNC_TOLERANCE = 0.1  # of one interval
RATE_TOLERANCE = 0.03
SYNC_SHARE = 0.9
FASTEST, SLOWEST = 0.2, 2.2  # of the declared frame: more would be no screen of today, or no sync


@dataclass(frozen=True)
class Refresh:
    """How often a display flips: as declared by the system, as measured, and whether its flips wait for the screen.

    Without `synced` the program has to keep the pace itself.
    """

    declared_hz: float
    measured_hz: float
    synced: bool

    @property
    def hz(self) -> float:
        """The rate to reckon with: a screen declared to have 60 Hz may have 59.94."""
        return self.measured_hz if self.synced else self.declared_hz


def measured(flips_s: Sequence[float], declared_hz: float) -> Refresh:
    """What flips one right after the other tell: with vertical sync nearly all come one frame apart.

    A screen may run at a whole multiple or fraction of what the system says, but never at any rate in between.
    """
    intervals_s = np.diff(flips_s)
    median_s = float(np.median(intervals_s))
    steady = np.mean(np.abs(intervals_s / median_s - 1) < SYNC_TOLERANCE) >= SYNC_SHARE
    ratio = median_s * declared_hz
    whole = 1 / round(1 / ratio) if ratio < 1 else round(ratio)
    plausible = FASTEST < ratio < SLOWEST and abs(ratio / whole - 1) < RATE_TOLERANCE
    return Refresh(declared_hz, 1 / median_s, bool(steady and plausible))


def next_flip_s(last_s: float, now_s: float, frame_s: float) -> float:
    """When the next flip comes, of flips every `frame_s` the last of which was at `last_s`."""
    return last_s + max(1, math.ceil((now_s - last_s) / frame_s)) * frame_s


class FlipLog:
    """Intervals between flips, counted in bins of 0.1 ms so that a long run takes no more room.

    Thread: one only.
    """

    BIN_MS, LONGEST_MS = 0.1, 1000.0

    def __init__(self, frame_s: float) -> None:
        self._frame_s = frame_s
        self._counts = np.zeros(round(self.LONGEST_MS / self.BIN_MS) + 1, dtype=np.int64)
        self._last_s: float | None = None
        self._max_s = 0.0
        self.n_late = 0
        self.n_missed = 0

    def add(self, at_s: float) -> bool:
        """A flip took place; True when it was late."""
        late = False
        if self._last_s is not None:
            interval_s = at_s - self._last_s
            self._counts[min(round(interval_s * 1000 / self.BIN_MS), len(self._counts) - 1)] += 1
            self._max_s = max(self._max_s, interval_s)
            late = interval_s > LATE * self._frame_s
            self.n_late += late
            self.n_missed += max(0, round(interval_s / self._frame_s) - 1)
        self._last_s = at_s
        return late

    @property
    def n(self) -> int:
        """How many intervals there were."""
        return int(self._counts.sum())

    def percentile_ms(self, share: float) -> float:
        """The interval below which that share of all lies, to 0.1 ms."""
        if not self.n:
            return math.nan
        return round(float(np.searchsorted(np.cumsum(self._counts), share * self.n)) * self.BIN_MS, 1)

    def summary(self) -> dict[str, float | int]:
        """As it stands in the report."""
        return {
            "n": self.n,
            "interval_p50_ms": self.percentile_ms(0.5),
            "interval_p99_ms": self.percentile_ms(0.99),
            "interval_max_ms": self._max_s * 1000,
            "n_late": self.n_late,
            "n_missed": self.n_missed,
        }
