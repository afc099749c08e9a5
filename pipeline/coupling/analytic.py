"""Phase and amplitude of a band, without delay: for recordings and windows, never for the decoding chain.

`phase_and_amplitude` is the reference: Butterworth of order 3 forward and backward, the ends extended by odd
reflection, then Hilbert's transform.

`WindowAnalytic` is the fast one for a short window: one real transform of the window; the spectrum is multiplied by the
squared magnitude of the very same Butterworth filters, which is what forward and backward filtering comes to; the
narrow band of it that is left goes back as the analytic signal, on a coarser grid, which loses nothing as long as the
grid has as many points as the band has frequencies. The margins are tapered before and cut after. It differs from the
reference only in how it treats the edges.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft, signal

from engines.errors import InputError
from pipeline.coupling.bands import BAND_LIMIT, Band, mains_within
from pipeline.types import Array

ORDER = 3
# What the filters pass less of than this is left out of the fast analytic signal.
NEGLIGIBLE = 1e-3
# Phase and envelope are wanted this often; both change slowly beside it.
WORKING_HZ = 200.0
SAMPLES_A_CYCLE = 18

Single = NDArray[np.float32]


def phase_and_amplitude(
    samples: Array, sfreq_hz: float, band: Band, mains_hz: float | None = None
) -> tuple[Array, Array]:
    """Phase in radians (0 at a peak) and amplitude of a band, sample by sample.

    Args:
        samples: (..., n), any unit.
        sfreq_hz: their rate.
        band: (low, high) in Hz.
        mains_hz: left out with its harmonics and 2 Hz on both sides where they touch the band; None keeps everything.

    Returns:
        phase_rad and amplitude, the shape of `samples` both. A channel that holds a value that is no number, or one
        value only, is NaN: it has neither.

    Raises:
        InputError: the band ends above 0.45 times the rate, or there are too few samples to filter.

    Thread: any.
    """
    sos = sections((float(band[0]), float(band[1])), float(sfreq_hz), mains_hz)
    samples = np.asarray(samples, np.float64)
    n_padding = 3 * (2 * len(sos) + 1)  # scipy's own rule, at most
    if samples.shape[-1] <= n_padding:
        raise InputError(
            f"expected more than {n_padding} samples to filter, got {samples.shape[-1]}; take a longer window"
        )
    broken = ~np.isfinite(samples).all(axis=-1, keepdims=True) | (np.ptp(samples, axis=-1, keepdims=True) == 0)
    filtered = signal.sosfiltfilt(sos.copy(), np.where(broken, 0.0, samples), axis=-1)
    analytic = signal.hilbert(filtered, axis=-1)
    return np.where(broken, np.nan, np.angle(analytic)), np.where(broken, np.nan, np.abs(analytic))


@lru_cache(maxsize=256)  # a design takes longer than filtering a window
def sections(band: Band, sfreq_hz: float, mains_hz: float | None) -> Array:
    """Second-order sections of the band, with stop bands where the mains touch it.

    Raises:
        InputError: the band ends above 0.45 times the rate, or does not go up.
    """
    low_hz, high_hz = band
    if not 0 < low_hz < high_hz <= BAND_LIMIT * sfreq_hz:
        raise InputError(
            f"expected a band that goes up to {BAND_LIMIT * sfreq_hz:g} Hz ({BAND_LIMIT} of the rate) at most; "
            f"got {low_hz:g}-{high_hz:g} Hz, choose another"
        )
    designs = [signal.butter(ORDER, band, "bandpass", fs=sfreq_hz, output="sos")]
    for low_hz, high_hz in mains_within(band, mains_hz):
        if high_hz < sfreq_hz / 2:
            designs.append(signal.butter(ORDER, (low_hz, high_hz), "bandstop", fs=sfreq_hz, output="sos"))
    return np.vstack(designs)


@dataclass(frozen=True, eq=False)
class _Mask:
    """The frequencies `first` to `stop` of the window's transform, times `gain`, are the band."""

    first: int
    stop: int
    gain: NDArray[np.complex64]

    @classmethod
    def of(cls, band: Band, sfreq_hz: float, n: int, mains_hz: float | None) -> "_Mask":
        freqs_hz = fft.rfftfreq(n, 1 / sfreq_hz)
        _, response = signal.freqz_sos(sections(band, sfreq_hz, mains_hz), freqs_hz, fs=sfreq_hz)
        gain = np.abs(response) ** 2
        kept = np.flatnonzero(gain > NEGLIGIBLE)
        first, stop = int(kept[0]), int(kept[-1]) + 1
        return cls(first, stop, (2 * gain[first:stop]).astype(np.complex64))


class WindowAnalytic:
    """Phase and amplitude of two bands in one short window, every channel at once.

    Args:
        phase_band, amplitude_band: in Hz.
        sfreq_hz: rate of the window's samples.
        n: samples of the window, both margins counted.
        margin_s: tapered and cut off at both ends.
        mains_hz: left out of the bands, or None.

    `sfreq_out_hz` is the rate of what comes out, `n_out` samples: about 200 Hz, more for phases above 11 Hz, of which a
    cycle would else have fewer samples than bins, and never more than the source's own.

    Raises:
        InputError: a band ends above 0.45 times the rate, or the margins leave nothing.

    Thread: any, one at a time.
    """

    def __init__(
        self, phase_band: Band, amplitude_band: Band, sfreq_hz: float, n: int, margin_s: float, mains_hz: float | None
    ) -> None:
        self.n = n
        margin = round(margin_s * sfreq_hz)
        if n <= 2 * margin:
            raise InputError(f"a window of {n} samples is all margin ({margin} at both ends); take a longer window")
        self._phase = _Mask.of(phase_band, sfreq_hz, n, mains_hz)
        self._amplitude = _Mask.of(amplitude_band, sfreq_hz, n, mains_hz)
        widest = max(self._phase.stop, self._amplitude.stop - self._amplitude.first)
        wanted_hz = max(WORKING_HZ, SAMPLES_A_CYCLE * sum(phase_band) / 2)
        self._n_grid = fft.next_fast_len(min(n, max(widest, round(n * wanted_hz / sfreq_hz))))
        self.sfreq_out_hz = sfreq_hz * self._n_grid / n
        cut = round(margin_s * self.sfreq_out_hz)
        self.n_out = fft.prev_fast_len(self._n_grid - 2 * cut)  # for the transforms of the surrogates
        self._kept = slice(cut, cut + self.n_out)
        self._taper = signal.windows.tukey(n, 2 * margin / n).astype(np.float32) if margin else np.ones(n, np.float32)
        self._ramp = np.linspace(-1.0, 1.0, n, dtype=np.float32)

    def __call__(self, samples: Array) -> tuple[Single, Single]:
        """(n_channels, n) samples to phase_rad and amplitude, (n_channels, n_out) both. All must be finite."""
        spectrum = fft.rfft(self._flattened(samples), axis=-1)
        slow = self._back(spectrum, self._phase, self._phase.first)
        fast = self._back(spectrum, self._amplitude, 0)  # where it stands in frequency does not change its modulus
        return np.angle(slow), np.abs(fast)

    def _flattened(self, samples: Array) -> Single:
        """Without offset and trend, which the ends of the window would turn into steps, and with tapered ends."""
        flat = np.empty(samples.shape, np.float32)
        np.subtract(samples, samples.mean(axis=-1, keepdims=True), out=flat, casting="same_kind")
        flat -= (flat @ self._ramp / (self._ramp @ self._ramp))[:, None] * self._ramp
        flat *= self._taper
        return flat

    def _back(self, spectrum: NDArray[np.complex64], mask: _Mask, at: int) -> NDArray[np.complex64]:
        """The analytic signal on the working grid, shifted in frequency so that the band begins at number `at`."""
        narrow = np.zeros((len(spectrum), self._n_grid), np.complex64)
        gain = mask.gain * np.float32(self._n_grid / self.n)
        np.multiply(spectrum[:, mask.first : mask.stop], gain, out=narrow[:, at : at + mask.stop - mask.first])
        analytic: NDArray[np.complex64] = fft.ifft(narrow, axis=-1, overwrite_x=True)
        return analytic[:, self._kept]
