"""How good is each electrode now: judged live on fixed 1 s blocks, and used from the next block on.

Criteria after the PREP pipeline (Bigdely-Shamlo et al. 2015, doi:10.3389/fninf.2015.00016): deviation (robust z above
5) and correlation (below 0.4), here on 1 s blocks of the causally filtered signal, plus flat and railed channels on
the raw one. Only flatness, repeated extremes and correlation count where the unit is unknown: they need none.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from pipeline.types import Array

BLOCK_S = 1.0
# PREP: a channel deviates when its robust z over channels is above this...
DEVIATION_Z = 5.0
# ...where the spread of log amplitudes over channels counts as at least this (deviating is 2.7 times the median
# amplitude or more), so that equal channels are not told apart by chance.
MIN_SPREAD = 0.2
# PREP: the largest correlation with any other channel that an unconnected electrode has.
MIN_CORRELATION = 0.4
# Mains that outweighs the 4 to 40 Hz signal by this in amplitude is a bad contact when other channels have less.
MAINS_RATIO = 2.0
# Shares of the samples of a block.
FLAT_REPEATS = 0.95
RAILED_EXTREMES = 0.2
LOST_SHARE = 0.1
FLAT_UV = 0.1
# Comparisons between channels need this many: the few electrodes of a small headset are too far apart.
MIN_CHANNELS = 8
# Blocks in a row that make a noisy or uncorrelated channel bad, and a bad one good again.
BAD_AFTER = 3
GOOD_AFTER = 5


class Quality(StrEnum):
    """What is the matter with a channel."""

    GOOD = "good"
    FLAT = "flat"
    RAILED = "railed"
    NOISY = "noisy"
    UNCORRELATED = "uncorrelated"
    LOST = "lost"
    UNKNOWN = "unknown"


# Beyond doubt at once; the other faults must last.
HARD = frozenset({Quality.FLAT, Quality.RAILED, Quality.LOST})
BAD = HARD | {Quality.NOISY, Quality.UNCORRELATED}


@dataclass(frozen=True)
class ChannelQuality:
    """One channel in the newest block, and over the session.

    `amplitude_uv` robust standard deviation of the filtered signal; `mains_ratio` amplitude of the mains over that of
    4 to 40 Hz; `correlation` the largest with another channel; each NaN when unknown. `n_not_finite` and
    `bad_fraction` (share of blocks) count from the start.
    """

    name: str
    state: Quality
    amplitude_uv: float
    mains_ratio: float
    correlation: float
    n_not_finite: int
    bad_fraction: float


@dataclass(frozen=True)
class Measures:
    """One block, arrays (n_channels,). `amplitude` and `correlation` are NaN while the filters settle."""

    repeats: Array
    extremes: Array
    not_finite: NDArray[np.int64]
    amplitude: Array
    mains_ratio: Array
    correlation: Array


def measure(raw: Array, filtered: Array | None, sfreq_hz: float, mains_hz: float | None) -> Measures:
    """Measure a block: `raw` and `filtered` (n_channels, n), the latter None while the filters settle."""
    finite = np.isfinite(raw)
    clean = raw if finite.all() else np.where(finite, raw, 0.0)
    n = raw.shape[1]
    top, bottom = clean.max(axis=1, keepdims=True), clean.min(axis=1, keepdims=True)
    nothing = np.full(len(raw), np.nan)
    return Measures(
        repeats=(np.diff(clean, axis=1) == 0).sum(axis=1) / max(1, n - 1),
        extremes=((clean == top) | (clean == bottom)).sum(axis=1) / n,
        not_finite=n - finite.sum(axis=1),
        amplitude=nothing if filtered is None else _robust_sd(filtered),
        mains_ratio=_mains_ratio(clean, sfreq_hz, mains_hz),
        correlation=nothing if filtered is None else _best_correlation(filtered),
    )


def verdicts(m: Measures, n_samples: int, in_microvolts: bool) -> list[Quality]:
    """What each channel looks like in one block; UNKNOWN where the filters still settle and no hard fault shows."""
    lost = m.not_finite > LOST_SHARE * n_samples
    flat = (m.repeats >= FLAT_REPEATS) | ((m.amplitude < FLAT_UV) if in_microvolts else False)
    railed = m.extremes >= RAILED_EXTREMES
    sound = ~(lost | flat | railed)
    noisy = uncorrelated = np.zeros(len(sound), dtype=np.bool_)
    if sound.sum() >= MIN_CHANNELS and np.isfinite(m.amplitude).all():
        uncorrelated = m.correlation < MIN_CORRELATION
        if in_microvolts:
            loud = _robust_z(m.amplitude, sound) > DEVIATION_Z
            noisy = loud | ((m.mains_ratio > MAINS_RATIO) & (_robust_z(m.mains_ratio, sound) > DEVIATION_Z))
    settled = np.isfinite(m.amplitude)
    table = (
        (lost, Quality.LOST),
        (flat, Quality.FLAT),
        (railed, Quality.RAILED),
        (noisy, Quality.NOISY),
        (uncorrelated, Quality.UNCORRELATED),
        (settled, Quality.GOOD),
    )
    return [next((q for mask, q in table if mask[i]), Quality.UNKNOWN) for i in range(len(sound))]


def _robust_sd(data: Array) -> Array:
    low, high = np.percentile(data, (25, 75), axis=1)
    return 0.7413 * (high - low)  # type: ignore[no-any-return]


def _robust_z(values: Array, among: NDArray[np.bool_]) -> Array:
    """Robust z of log values relative to the channels `among`; those that are no positive number get 0."""
    usable = np.isfinite(values) & (values > 0)
    if not (usable & among).any():
        return np.zeros(len(values))
    logs = np.log(np.where(usable, values, 1.0))
    middle = np.median(logs[usable & among])
    spread = 1.4826 * float(np.median(np.abs(logs[usable & among] - middle)))
    return np.where(usable, (logs - middle) / max(spread, MIN_SPREAD), 0.0)


def _best_correlation(data: Array) -> Array:
    """The largest absolute correlation of each row with another; 0 for a constant row."""
    centred = data - data.mean(axis=1, keepdims=True)
    norm = np.sqrt((centred**2).sum(axis=1, keepdims=True))
    unit = centred / np.where(norm > 0, norm, 1.0)
    r = np.abs(unit @ unit.T)
    np.fill_diagonal(r, 0.0)
    return r.max(axis=1)  # type: ignore[no-any-return]


def _mains_ratio(raw: Array, sfreq_hz: float, mains_hz: float | None) -> Array:
    """Amplitude within 1 Hz of the mains over that from 4 to 40 Hz; NaN where the rate is too low to tell."""
    n = raw.shape[1]
    if mains_hz is None or mains_hz + 1 >= sfreq_hz / 2:
        return np.full(len(raw), np.nan)
    spectrum = np.abs(np.fft.rfft((raw - raw.mean(axis=1, keepdims=True)) * np.hanning(n), axis=1)) ** 2
    freqs_hz = np.fft.rfftfreq(n, 1 / sfreq_hz)
    mains = spectrum[:, np.abs(freqs_hz - mains_hz) <= 1].sum(axis=1)
    signal = spectrum[:, (freqs_hz >= 4) & (freqs_hz <= 40)].sum(axis=1)
    squared: Array = np.divide(mains, signal, out=np.full(len(raw), np.nan), where=signal > 0)
    return np.sqrt(squared)


class Monitor:
    """Collects 1 s blocks, judges them, and remembers.

    Thread: decode only; `channels` is a new tuple after every block and may be read by any.
    """

    def __init__(self, names: Sequence[str], sfreq_hz: float, mains_hz: float | None, in_microvolts: bool) -> None:
        self._names = tuple(names)
        self._sfreq_hz = sfreq_hz
        self._mains_hz = mains_hz
        self._in_microvolts = in_microvolts
        n = max(2, round(BLOCK_S * sfreq_hz))
        self._raw = np.empty((len(names), n))
        self._filtered = np.empty((len(names), n))
        self._filled = 0
        self._settled = True
        self._states = [Quality.UNKNOWN] * len(names)
        self._good_streak = np.zeros(len(names), dtype=np.int64)
        self._bad_streak = np.zeros(len(names), dtype=np.int64)
        self._not_finite = np.zeros(len(names), dtype=np.int64)
        self._n_bad = np.zeros(len(names), dtype=np.int64)
        self._n_blocks = 0
        nan = float("nan")
        self.channels = tuple(ChannelQuality(name, Quality.UNKNOWN, nan, nan, nan, 0, 0.0) for name in names)

    @property
    def bad(self) -> frozenset[int]:
        """Rows that are bad from here on."""
        return frozenset(i for i, state in enumerate(self._states) if state in BAD)

    def restart_block(self) -> None:
        """Drop the block under way: it would straddle a gap."""
        self._filled = 0
        self._settled = True

    def cuts(self, n: int) -> Iterator[slice]:
        """The next `n` samples in pieces that end where a block ends."""
        start, room = 0, self._raw.shape[1] - self._filled
        while start < n:
            stop = min(n, start + room)
            yield slice(start, stop)
            start, room = stop, self._raw.shape[1]

    def push(self, raw: Array, filtered: Array, settled: bool) -> bool:
        """Take one piece, (n_channels, n) each; True when it completed a block and the verdicts are new."""
        stop = self._filled + raw.shape[1]
        self._raw[:, self._filled : stop] = raw
        self._filtered[:, self._filled : stop] = filtered
        self._filled = stop
        self._settled &= settled
        if stop < self._raw.shape[1]:
            return False
        self._judge()
        self.restart_block()
        return True

    def _judge(self) -> None:
        m = measure(self._raw, self._filtered if self._settled else None, self._sfreq_hz, self._mains_hz)
        for row, verdict in enumerate(verdicts(m, self._raw.shape[1], self._in_microvolts)):
            self._update(row, verdict)
        self._not_finite += m.not_finite
        self._n_blocks += 1
        self._n_bad += [state in BAD for state in self._states]
        self.channels = tuple(self._channel(row, m) for row in range(len(self._names)))

    def _update(self, row: int, verdict: Quality) -> None:
        if verdict is Quality.UNKNOWN:
            return
        is_bad = verdict in BAD
        self._bad_streak[row] = self._bad_streak[row] + 1 if is_bad else 0
        self._good_streak[row] = 0 if is_bad else self._good_streak[row] + 1
        if is_bad:
            if verdict in HARD or self._bad_streak[row] >= BAD_AFTER or self._states[row] in BAD:
                self._states[row] = verdict
        elif self._states[row] not in BAD or self._good_streak[row] >= GOOD_AFTER:
            self._states[row] = Quality.GOOD

    def _channel(self, row: int, m: Measures) -> ChannelQuality:
        return ChannelQuality(
            name=self._names[row],
            state=self._states[row],
            amplitude_uv=float(m.amplitude[row]) if self._in_microvolts else float("nan"),
            mains_ratio=float(m.mains_ratio[row]),
            correlation=float(m.correlation[row]),
            n_not_finite=int(self._not_finite[row]),
            bad_fraction=float(self._n_bad[row] / self._n_blocks),
        )
