"""Whether stamps that left the line come back, drain towards it, or stay away."""

from dataclasses import dataclass

import numpy as np

from pipeline.offsets import JUMP_S
from pipeline.types import Array

WINDOW_S = 0.25
WINDOW_MOST_S = 1.5
WINDOW_JITTERS = 40.0  # a chunk lasts about four jitters: a window holds several chunks
DRAINS = 0.05  # a backlog that drains comes closer by at least this part of the time that passes
DRAINS_MOST_S = 2.0
EVIDENCE = 3  # stamps; one or two displaced ones prove nothing


@dataclass(frozen=True)
class Late:
    """The first `n` displaced stamps were late (or garbage); the samples are where the line says."""

    n: int


@dataclass(frozen=True)
class Moved:
    """The stamps stay `level_s` away from the line; `n` of them were looked at."""

    level_s: float
    n: int


def window_samples(jitter_s: float, period_s: float) -> int:
    """How many samples must stay away to prove it."""
    window_s = min(max(WINDOW_S, WINDOW_JITTERS * jitter_s), WINDOW_MOST_S)
    return max(2 * EVIDENCE, round(window_s / period_s))


def judge(residuals_s: Array, limit_s: float, window: int, period_s: float, final: bool) -> Late | Moved | None:
    """Judge the stamps from the first displaced one on; None while more are needed.

    Args:
        residuals_s: (n,) stamps minus the line; the first one is displaced, NaN where a sample has no stamp.
        limit_s: displacements above this, or below -1 s, are in doubt.
        window: samples that must stay away.
        period_s: sampling period.
        final: no more samples will come.
    """
    late = residuals_s[0] > 0
    away = residuals_s > limit_s if late else residuals_s < -JUMP_S
    home = np.flatnonzero(~away & ~np.isnan(residuals_s))
    n_away = int(home[0]) if len(home) else len(residuals_s)
    lowest_s = np.inf
    for stop in range(window, n_away + 1, window):
        before_s, level_s = _halves_s(residuals_s[stop - window : stop])
        lowest_s = min(lowest_s, before_s, level_s)
        if late and level_s - lowest_s > limit_s:
            return _first_step(residuals_s[:stop], period_s)
        if late and _drains(before_s, level_s, window, period_s):
            if stop * period_s >= DRAINS_MOST_S:
                return Late(stop)
            continue
        return Moved((before_s + level_s) / 2, stop)
    if len(home):
        return Late(n_away)
    return _last_word(residuals_s, window) if final else None


def _drains(before_s: float, level_s: float, n: int, period_s: float) -> bool:
    """True when `n` stamps come closer from their first half to their second, or show nothing."""
    return not before_s - level_s <= DRAINS * period_s * n / 2


def _first_step(residuals_s: Array, period_s: float) -> Late | Moved:
    """Where there are two steps, the first is judged by the stamps between them."""
    stamped = np.flatnonzero(~np.isnan(residuals_s))
    second = int(stamped[np.argmax(np.diff(residuals_s[stamped])) + 1])
    before_s, level_s = _halves_s(residuals_s[:second])
    if _drains(before_s, level_s, second, period_s):
        return Late(second)
    return Moved((before_s + level_s) / 2, len(residuals_s))


def _halves_s(residuals_s: Array) -> tuple[float, float]:
    """Medians of the first and the second half of the stamps there are; NaN without evidence."""
    seen = residuals_s[~np.isnan(residuals_s)]
    if len(seen) < 2 * EVIDENCE:
        return float("nan"), float("nan")
    middle = len(seen) // 2
    return float(np.median(seen[:middle])), float(np.median(seen[middle:]))


def _last_word(residuals_s: Array, window: int) -> Late | Moved:
    """The samples end while in doubt: what is there decides."""
    seen = residuals_s[-window:]
    seen = seen[~np.isnan(seen)]
    if len(seen) < EVIDENCE:
        return Late(len(residuals_s))
    return Moved(float(np.median(seen)), len(residuals_s))
