"""Signals whose coupling is known, and the index in a plain loop."""

from itertools import pairwise

import numpy as np
from scipy import signal

from pipeline.types import Array


def coupled(depth: float, seconds: float, sfreq_hz: float, n_channels: int = 1, seed: int = 0) -> Array:
    """Theta (4 to 8 Hz) that modulates a 36 Hz carrier and its surroundings by `depth`, in brown and white noise.

    (n_channels, n); gamma follows 1 + depth cos(phase of theta), every channel its own.
    """
    rng = np.random.default_rng(seed)
    n = round(seconds * sfreq_hz)
    theta = band_noise((4.5, 7.5), (n_channels, n), sfreq_hz, rng)
    phase = np.angle(signal.hilbert(theta))
    gamma = band_noise((34.0, 40.0), (n_channels, n), sfreq_hz, rng) * (1 + depth * np.cos(phase))
    noise = signal.lfilter([1.0], [1.0, -0.99], rng.standard_normal((n_channels, n)))
    return 10 * theta + 3 * gamma + noise + 0.5 * rng.standard_normal((n_channels, n))


def band_noise(
    band_hz: tuple[float, float], shape: tuple[int, int], sfreq_hz: float, rng: np.random.Generator
) -> Array:
    sos = signal.butter(3, band_hz, "bandpass", fs=sfreq_hz, output="sos")
    noise = signal.sosfiltfilt(sos, rng.standard_normal(shape), axis=1)
    return noise / noise.std()


def looped_index(phase_rad: Array, amplitude: Array, n_bins: int = 18) -> float:
    """Tort et al. 2010, equation by equation, for one channel."""
    edges = np.linspace(-np.pi, np.pi, n_bins + 1)
    means = []
    for low, high in pairwise(edges):
        chosen = [a for p, a in zip(phase_rad, amplitude, strict=True) if low <= p < high]
        means.append(sum(chosen) / len(chosen) if chosen else 0.0)
    total = sum(means)
    entropy = -sum(m / total * np.log(m / total) for m in means if m > 0)
    return (np.log(n_bins) - entropy) / np.log(n_bins)
