"""Filters that make white noise into what brains and muscles do, and that carry their state over blocks."""

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, lfilter, sosfilt

from pipeline.types import Array


class Filter:
    """Second-order sections over (row, time) blocks. Thread: one only."""

    def __init__(self, sos: Array, n_rows: int) -> None:
        self._sos = sos
        self._zi = np.zeros((len(sos), n_rows, 2))

    def __call__(self, x: Array) -> Array:
        """The next block (n_rows, n), filtered."""
        y, self._zi = sosfilt(self._sos, x, axis=1, zi=self._zi)
        return np.asarray(y)


class Rotor:
    """A rhythm with its phase: one complex pole. The real part of what comes out has variance 1. Thread: one only."""

    def __init__(self, centre_hz: float, width_hz: float, sfreq_hz: float, n_rows: int) -> None:
        radius = np.exp(-np.pi * width_hz / sfreq_hz)
        self._pole = radius * np.exp(2j * np.pi * centre_hz / sfreq_hz)
        self._gain = np.sqrt(1 - radius**2)
        self._zi = np.zeros((n_rows, 1), dtype=complex)

    def __call__(self, real: Array, imaginary: Array) -> NDArray[np.complex128]:
        """From two independent rows of white noise of variance 1 for each row, (n_rows, n)."""
        z, self._zi = lfilter([self._gain], [1.0, -self._pole], real + 1j * imaginary, axis=1, zi=self._zi)
        return np.asarray(z)


def aperiodic_sos(exponent: float, sfreq_hz: float, lowest_hz: float = 0.1) -> Array:
    """A filter that gives white noise of variance 1 a power density of 1/Hz at 10 Hz, falling as f**-exponent.

    Poles and zeros alternate along log frequency, one pair an octave, each zero `exponent / 2` octaves above its pole
    (Corsini & Saletti 1988, IEEE Trans Instrum Meas 37(4)); below `lowest_hz` the density is flat.
    """
    n = 2 * int(np.ceil(np.log2(sfreq_hz / 2 / lowest_hz) / 2))
    poles_hz = lowest_hz * 2.0 ** np.arange(n)
    poles = np.exp(-2 * np.pi * poles_hz / sfreq_hz)
    zeros = np.exp(-2 * np.pi * poles_hz * 2 ** (exponent / 2) / sfreq_hz)
    sos = np.array([_pair(zeros[i : i + 2], poles[i : i + 2]) for i in range(0, n, 2)])
    sos[0, :3] *= np.sqrt(sfreq_hz / 2) / _gain_at(sos, 10.0, sfreq_hz)
    return sos


def resonator_sos(centre_hz: float, width_hz: float, sfreq_hz: float) -> Array:
    """Two poles at `centre_hz`: white noise of variance 1 comes out as a waxing and waning rhythm of variance 1."""
    radius = np.exp(-np.pi * width_hz / sfreq_hz)
    sos = np.array([[1.0, 0.0, -1.0, 1.0, -2 * radius * np.cos(2 * np.pi * centre_hz / sfreq_hz), radius**2]])
    return _of_variance_one(sos, 20 / width_hz, sfreq_hz)


def band_sos(low_hz: float, high_hz: float, sfreq_hz: float) -> Array:
    """A band of noise (Butterworth, order 4); white noise of variance 1 comes out with variance 1."""
    return _of_variance_one(butter(4, [low_hz, high_hz], "bandpass", fs=sfreq_hz, output="sos"), 2.0, sfreq_hz)


def high_pass_sos(corner_hz: float, sfreq_hz: float) -> Array:
    """Butterworth of order 2; white noise of variance 1 comes out with variance 1."""
    return _of_variance_one(butter(2, corner_hz, "highpass", fs=sfreq_hz, output="sos"), 2.0, sfreq_hz)


def low_pass_sos(corner_hz: float, sfreq_hz: float) -> Array:
    """One pole; white noise of variance 1 comes out with variance 1."""
    pole = np.exp(-2 * np.pi * corner_hz / sfreq_hz)
    return np.array([[np.sqrt(1 - pole**2), 0.0, 0.0, 1.0, -pole, 0.0]])


def _of_variance_one(sos: Array, lasting_s: float, sfreq_hz: float) -> Array:
    impulse = np.zeros(int(lasting_s * sfreq_hz))
    impulse[0] = 1.0
    scaled = sos.copy()
    scaled[0, :3] /= np.sqrt(np.sum(sosfilt(sos, impulse) ** 2))
    return np.asarray(scaled)


def _pair(zeros: Array, poles: Array) -> Array:
    return np.concatenate([np.poly(zeros), np.poly(poles)])


def _gain_at(sos: Array, at_hz: float, sfreq_hz: float) -> float:
    z = np.exp(-2j * np.pi * at_hz / sfreq_hz * np.arange(3))
    return float(np.prod(np.abs(sos[:, :3] @ z) / np.abs(sos[:, 3:] @ z)))
