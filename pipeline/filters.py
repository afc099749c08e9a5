"""Causal filters over streams: Butterworth band-pass, mains notches, rational resampling. All minimum phase.

Every sample is computed by the same operations in the same order however the stream was cut into chunks, so the output
is bit-identical for any chunking: a second-order-section recursion with carried state, and one fixed-length product per
resampled sample (docs/decisions/0050-chain-order-and-filters.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from pipeline.errors import StreamMismatch
from pipeline.types import Array, Block, Boundary

# A filter counts as settled when its response to a step has come within this fraction of the step.
SETTLED_WITHIN = 0.01
# Mains notches are this wide between their -3 dB points.
NOTCH_WIDTH_HZ = 2.0
# A harmonic of the mains that the low-pass already attenuates this much needs no notch.
ENOUGH_DB = 40.0
# Attenuation of what would alias into the band when the rate is reduced.
ALIAS_DB = 80.0
# Two rates must have a ratio of whole numbers up to this size.
MAX_RATIO = 4096
# The resampler multiplies about this many values at a time, so that they stay in the cache.
GROUP_VALUES = 16_384


@dataclass(frozen=True)
class Samples:
    """A stretch of samples between two stages.

    `data` (n_channels, n) microvolts; `times_s` (n,); `settled` (n,); `usable` (n,) is False where a channel that
    counts had no finite sample, or is recovering from that.
    """

    data: Array
    times_s: Array
    settled: NDArray[np.bool_]
    usable: NDArray[np.bool_]

    @property
    def n(self) -> int:
        """How many samples."""
        return int(self.times_s.size)

    def cut(self, where: slice) -> "Samples":
        """The samples in `where`, as views."""
        return Samples(self.data[:, where], self.times_s[where], self.settled[where], self.usable[where])

    def block(self, boundary: Boundary | None) -> Block:
        """What leaves the last stage: read-only, NaN in every channel where it is not usable."""
        data = self.data if self.usable.all() else np.where(self.usable, self.data, np.nan)
        for array in (data, self.times_s, self.settled):
            array.flags.writeable = False
        return Block(data, self.times_s, self.settled, boundary)


class Blocks:
    """Makes the blocks that leave a last stage: a new segment's boundary leaves with the first sample behind it."""

    def __init__(self) -> None:
        self._boundary: Boundary | None = None

    def begin_segment(self, boundary: Boundary) -> None:
        """What comes from now on lies behind `boundary`."""
        self._boundary = boundary

    def of(self, samples: Samples) -> Block:
        """The block of these samples, of which there may be none."""
        boundary = None
        if samples.n:
            boundary, self._boundary = self._boundary, None
        return samples.block(boundary)


def joined(pieces: Sequence[Samples]) -> Samples:
    """The pieces one behind the other; one piece comes back as it is."""
    if len(pieces) == 1:
        return pieces[0]
    return Samples(
        np.concatenate([p.data for p in pieces], axis=1),
        np.concatenate([p.times_s for p in pieces]),
        np.concatenate([p.settled for p in pieces]),
        np.concatenate([p.usable for p in pieces]),
    )


def no_samples(n_channels: int) -> Samples:
    """Nothing, for `n_channels`."""
    none = np.empty(0, dtype=np.bool_)
    return Samples(np.empty((n_channels, 0)), np.empty(0), none, none.copy())


def design(
    sfreq_hz: float,
    low_hz: float | None,
    high_hz: float | None,
    low_order: int,
    high_order: int,
    mains_hz: float | None,
) -> Array:
    """Second-order sections (n_sections, 6) of high-pass, low-pass and mains notches; none of them gives (0, 6)."""
    parts = [np.empty((0, 6))]
    if low_hz is not None:
        parts.append(signal.butter(low_order, low_hz, "highpass", fs=sfreq_hz, output="sos"))
    if high_hz is not None:
        parts.append(signal.butter(high_order, high_hz, "lowpass", fs=sfreq_hz, output="sos"))
    for harmonic_hz in notched_hz(sfreq_hz, high_hz, high_order, mains_hz):
        parts.append(signal.tf2sos(*signal.iirnotch(harmonic_hz, harmonic_hz / NOTCH_WIDTH_HZ, fs=sfreq_hz)))
    return np.vstack(parts)


def notched_hz(sfreq_hz: float, high_hz: float | None, high_order: int, mains_hz: float | None) -> list[float]:
    """Mains and its harmonics that need a notch: below the Nyquist frequency, and not already filtered away."""
    if mains_hz is None:
        return []
    harmonics = [mains_hz * k for k in range(1, ceil(sfreq_hz / 2 / mains_hz)) if mains_hz * k + 2 < sfreq_hz / 2]
    if high_hz is None:
        return harmonics
    # The Butterworth power response is 1 / (1 + (f / high)^(2 order)).
    return [f for f in harmonics if 10 * np.log10(1 + (f / high_hz) ** (2 * high_order)) < ENOUGH_DB]


def settling_samples(sos: Array) -> int:
    """Samples until the step response stays within `SETTLED_WITHIN` of where it ends; 0 for no sections.

    The slowest pole sets how far to look: beyond that, what is left is under a millionth.
    """
    if len(sos) == 0:
        return 0
    slowest = max(float(np.abs(np.roots(section[3:])).max()) for section in sos)
    horizon = ceil(np.log(1e-6) / np.log(slowest)) if slowest > 0 else len(sos) * 2
    response = signal.sosfilt(sos, np.ones(horizon))
    end = float(np.prod(sos[:, :3].sum(axis=1) / sos[:, 3:].sum(axis=1)))
    off = np.flatnonzero(np.abs(response - end) > SETTLED_WITHIN)
    return int(off[-1]) + 1 if off.size else 0


def group_delay_s(sos: Array, freqs_hz: Array, sfreq_hz: float) -> Array:
    """Group delay in seconds at `freqs_hz` (n,). Undefined exactly on a notch."""
    delay = np.zeros(len(freqs_hz))
    for section in sos:
        delay += signal.group_delay((section[:3], section[3:]), w=freqs_hz, fs=sfreq_hz)[1]
    return delay / sfreq_hz


class Cascade:
    """Second-order sections over all channels, starting as if the first sample had always been there.

    Thread: one.
    """

    def __init__(self, sos: Array) -> None:
        self._sos = sos
        self._unit_state = signal.sosfilt_zi(sos) if len(sos) else np.empty((0, 2))
        self._state: Array | None = None

    def restart(self) -> None:
        """Forget the past; the next sample starts a new one."""
        self._state = None

    def push(self, data: Array) -> Array:
        """Filter (n_channels, n >= 1)."""
        if len(self._sos) == 0:
            return data
        if self._state is None:
            self._state = self._unit_state[:, None, :] * data[None, :, :1]
        filtered, self._state = signal.sosfilt(self._sos, data, axis=1, zi=self._state)
        return filtered  # type: ignore[no-any-return]


def rate_ratio(rate_in_hz: float, rate_out_hz: float) -> Fraction:
    """Output over input rate as whole numbers.

    Raises:
        StreamMismatch: the output is faster, or the ratio needs numbers above `MAX_RATIO`.
    """
    if rate_out_hz > rate_in_hz:
        raise StreamMismatch(
            f"the stream has {rate_in_hz:g} Hz and {rate_out_hz:g} Hz are asked for: missing frequencies cannot be "
            "made up; use a faster stream, or fit a model for this rate"
        )
    ratio = Fraction(str(float(rate_out_hz))) / Fraction(str(float(rate_in_hz)))
    if max(ratio.numerator, ratio.denominator) > MAX_RATIO:
        raise StreamMismatch(
            f"{rate_in_hz:g} Hz to {rate_out_hz:g} Hz is {ratio.numerator}/{ratio.denominator}: expected a ratio of "
            f"whole numbers up to {MAX_RATIO}; ask for another rate"
        )
    return ratio


def anti_alias(ratio: Fraction, rate_in_hz: float, high_hz: float) -> Array:
    """Minimum-phase low-pass (n_taps,) at `ratio.numerator` times the input rate, gain `ratio.numerator` at 0 Hz.

    Nothing that would alias below `high_hz` passes by more than -`ALIAS_DB`: a Kaiser window design (Oppenheim &
    Schafer), made minimum phase by the homomorphic method, which keeps its magnitude.
    """
    rate_hz = rate_in_hz * ratio.numerator
    stop_hz = rate_in_hz * float(ratio) - high_hz
    n_taps, beta = signal.kaiserord(ALIAS_DB, (stop_hz - high_hz) / (rate_hz / 2))
    n_taps |= 1
    taps = signal.firwin(n_taps, (stop_hz + high_hz) / 2, window=("kaiser", beta), fs=rate_hz)
    n_fft = 1 << (64 * n_taps - 1).bit_length()
    return signal.minimum_phase(taps, half=False, n_fft=n_fft) * ratio.numerator  # type: ignore[no-any-return]


class Resampler:
    """Streaming rational resampling: output sample k stands at input sample k / ratio, counted from the start.

    An output leaves when the inputs on both sides of it are there. It starts as if the first sample had always been
    there. Thread: one.
    """

    def __init__(self, rate_in_hz: float, rate_out_hz: float, high_hz: float) -> None:
        ratio = rate_ratio(rate_in_hz, rate_out_hz)
        self._up, self._down = ratio.numerator, ratio.denominator
        self._rate_taps_hz = rate_in_hz * self._up
        self._taps = anti_alias(ratio, rate_in_hz, high_hz)
        self.n_memory = ceil(len(self._taps) / self._up)
        padded = np.zeros(self.n_memory * self._up)
        padded[: len(self._taps)] = self._taps
        # Row p holds the taps that meet the inputs, oldest first, when the output is p upsampled steps behind the last.
        self._phases = np.ascontiguousarray(padded.reshape(self.n_memory, self._up).T[:, ::-1])
        self.restart()

    def restart(self) -> None:
        """Forget the past; the next sample is number 0."""
        self._kept: Samples | None = None
        self._n_in = 0
        self._n_out = 0

    def group_delay_s(self, freqs_hz: Array) -> Array:
        """Group delay of the anti-alias filter in seconds at `freqs_hz` (n,)."""
        delay = signal.group_delay((self._taps, [1.0]), w=freqs_hz, fs=self._rate_taps_hz)[1]
        return delay / self._rate_taps_hz  # type: ignore[no-any-return]

    def push(self, new: Samples) -> Samples:
        """Take n >= 1 samples, give those that became complete."""
        if self._kept is None:
            first = new.cut(slice(0, 1))
            self._kept = joined([first] * self.n_memory)
        held = joined((self._kept, new))
        offset = self._n_in - self.n_memory  # input number of the first held sample
        self._n_in += new.n
        stop = (self._n_in - 1) * self._up // self._down + 1
        numbers = range(self._n_out, stop)
        self._n_out = stop
        self._kept = held.cut(slice(held.n - self.n_memory, None))
        return self._at([divmod(k * self._down, self._up) for k in numbers], held, offset)

    def _at(self, places: list[tuple[int, int]], held: Samples, offset: int) -> Samples:
        before = np.array([i - offset for i, _ in places], dtype=np.intp)
        phases = np.array([p for _, p in places], dtype=np.intp)
        first = before - self.n_memory + 1
        out = np.empty((held.data.shape[0], len(places)))
        windows = np.lib.stride_tricks.sliding_window_view(held.data, self.n_memory, axis=1)
        group = max(1, GROUP_VALUES // (held.data.shape[0] * self.n_memory))
        product = np.empty((held.data.shape[0], group, self.n_memory))
        for start in range(0, len(places), group):
            now = slice(start, start + group)
            # Every output is one contiguous sum of fixed length: its rounding knows nothing of chunk or group.
            terms = product[:, : len(first[now])]
            np.multiply(windows[:, first[now]], self._phases[phases[now]], out=terms)
            out[:, now] = terms.sum(axis=2)
        after = np.minimum(before + (phases > 0), held.n - 1)
        times_s = held.times_s[before]
        times_s = times_s + (phases / self._up) * (held.times_s[after] - times_s)
        return Samples(out, times_s, held.settled[before], self._usable(first, held))

    def _usable(self, first: NDArray[np.intp], held: Samples) -> NDArray[np.bool_]:
        """An output is usable when all inputs in its window are."""
        faults = np.concatenate(([0], np.cumsum(~held.usable)))
        clean: NDArray[np.bool_] = faults[first + self.n_memory] == faults[first]
        return clean
