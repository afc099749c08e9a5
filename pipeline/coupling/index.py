"""The modulation index of Tort et al. 2010, J Neurophysiol 104:1195, doi:10.1152/jn.00106.2010, equations 1 to 4.

The phase is cut into `n_bins` bins, the amplitude is averaged in each, and the means are divided by their sum: P. The
index is the Kullback-Leibler distance of P from the uniform distribution over log(n_bins): 0 when the amplitude does
not depend on the phase, 1 when all of it lies in one bin. With m the means over their own mean, that is

    MI = mean(m log m) / log(n_bins)

which loses no digits where the index is small. A bin that holds no sample counts as amplitude 0.
"""

import math

import numpy as np
from numpy.typing import NDArray

from engines.errors import InputError
from pipeline.coupling.analytic import phase_and_amplitude
from pipeline.coupling.bands import Band
from pipeline.types import Array

N_BINS = 18

Bins = NDArray[np.intp]


def modulation_index_from(phase_rad: Array, amplitude: Array, n_bins: int = N_BINS) -> Array:
    """The index of phases and amplitudes that are there already, channel by channel.

    Args:
        phase_rad: (n_channels, n) phases; other leading axes, or none, are fine too.
        amplitude: the same shape, not negative, any unit; of the same channels (within) or of another stream (across).
        n_bins: phase bins.

    Returns:
        (n_channels,) in [0, 1]; NaN where a channel holds a value that is no number, or no amplitude at all. A
        channel's index does not depend on the other channels.

    Raises:
        InputError: the shapes differ, or fewer than two bins.

    Thread: any.
    """
    sums, counts = binned(phase_rad, amplitude, n_bins)
    return index_of(mean_amplitude(sums, counts))


def modulation_index(
    phase_source: Array,
    amplitude_source: Array,
    sfreq: float,
    phase_band: Band,
    amplitude_band: Band,
    n_bins: int = N_BINS,
) -> Array:
    """The index of one stream's phase with its own amplitude (the same array twice), or with that of another stream.

    Both are filtered first: Butterworth of order 3 forward and backward, then Hilbert's transform.

    Args:
        phase_source: (n_channels, n) samples.
        amplitude_source: the same shape.
        sfreq: their rate in Hz.
        phase_band: (low, high) in Hz.
        amplitude_band: (low, high) in Hz.
        n_bins: phase bins.

    Returns, Thread: as `modulation_index_from`.

    Raises:
        InputError: the shapes differ, a band ends above 0.45 times the rate, or there are too few samples to filter.
    """
    phase_rad, _ = phase_and_amplitude(phase_source, sfreq, phase_band)
    _, amplitude = phase_and_amplitude(amplitude_source, sfreq, amplitude_band)
    return modulation_index_from(phase_rad, amplitude, n_bins)


def binned(phase_rad: Array, amplitude: Array, n_bins: int = N_BINS) -> tuple[Array, Array]:
    """Sums of the amplitude over phase bins, and how many samples fell into each: (..., n_bins) both.

    Sums of several windows may be added before `mean_amplitude`: that is their index in one piece. A channel with a
    value that is no number has NaN sums. Raises as `modulation_index_from`. Thread: any.
    """
    phase_rad, amplitude = np.asarray(phase_rad, np.float64), np.asarray(amplitude, np.float64)
    if phase_rad.shape != amplitude.shape or not phase_rad.size:
        raise InputError(
            f"expected as many amplitudes as phases, channel by channel; got shapes {phase_rad.shape} and "
            f"{amplitude.shape}"
        )
    usable = (np.isfinite(phase_rad) & np.isfinite(amplitude)).all(axis=-1, keepdims=True)
    bins = phase_bins(np.where(usable, phase_rad, 0.0), n_bins)
    sums, counts = bin_sums(bins, np.where(usable, amplitude, np.nan), n_bins)
    return sums, counts


def phase_bins(phase_rad: Array, n_bins: int = N_BINS) -> Bins:
    """The bin of every phase: bin k holds -pi + 2 pi k / n_bins up to the next edge. Any shape.

    Raises:
        InputError: fewer than two bins.
    """
    if n_bins < 2:
        raise InputError(f"phases are told apart in 2 bins or more, not {n_bins}")
    inner_edges = np.linspace(-np.pi, np.pi, n_bins + 1)[1:-1]
    wrapped = np.where(np.abs(phase_rad) <= np.pi, phase_rad, (phase_rad + np.pi) % (2 * np.pi) - np.pi)
    return np.digitize(wrapped, inner_edges)


def bin_sums(bins: NDArray[np.integer], amplitude: NDArray[np.floating], n_bins: int) -> tuple[Array, Array]:
    """Sums and counts as `binned` gives them, of bins already known. `bins` and `amplitude` (..., n)."""
    *lead, _ = bins.shape
    size = math.prod(lead) * n_bins
    place = flat_places(bins, n_bins)
    sums: Array = np.bincount(place, amplitude.ravel(), size).astype(np.float64, copy=False)
    counts = np.bincount(place, minlength=size).astype(np.float64)
    return sums.reshape(*lead, n_bins), counts.reshape(*lead, n_bins)


def flat_places(bins: NDArray[np.integer], n_bins: int) -> Bins:
    """Where each sample of (..., n) bins goes in a flat (..., n_bins) table, for `numpy.bincount`."""
    rows = bins.reshape(-1, bins.shape[-1])
    return (rows + np.arange(len(rows))[:, None] * n_bins).ravel()


def mean_amplitude(sums: NDArray[np.floating], counts: NDArray[np.floating]) -> NDArray[np.floating]:
    """Mean amplitude of each bin, 0 where it is empty: the phase-amplitude histogram, in the amplitude's unit."""
    means: NDArray[np.floating] = sums / np.maximum(counts, 1)
    return means


def index_of(means: NDArray[np.floating], axis: int = -1) -> Array:
    """The index of mean amplitudes, the bins along `axis`; NaN where they are all 0 or one is no number."""
    n_bins = means.shape[axis]
    with np.errstate(invalid="ignore", divide="ignore"):
        m = means / means.mean(axis=axis, keepdims=True)
    tiny = np.finfo(m.dtype).tiny
    index = (m * np.log(np.maximum(m, tiny))).mean(axis=axis) / np.log(n_bins)
    return np.asarray(np.clip(index, 0.0, 1.0), np.float64)


def preferred_phase(means: NDArray[np.floating]) -> Array:
    """The phase at which the amplitude is largest on average, the angle of its first circular moment.

    `means` (..., n_bins); answers (...) radians: 0 is the peak of the slow wave, +-pi its trough.
    """
    n_bins = means.shape[-1]
    return np.asarray(np.angle(means @ np.exp(1j * bin_centres(n_bins))))


def bin_centres(n_bins: int = N_BINS) -> Array:
    """(n_bins,) radians."""
    edges = np.linspace(-np.pi, np.pi, n_bins + 1)
    return np.asarray((edges[:-1] + edges[1:]) / 2)


def modulation_map(phase_rad: Array, amplitude: Array, n_bins: int = N_BINS) -> Array:
    """The phase of every channel with the amplitude of every channel.

    Args:
        phase_rad: (n_phase, n).
        amplitude: (n_amplitude, n).
        n_bins: phase bins.

    Returns:
        (n_phase, n_amplitude) in [0, 1]; its diagonal, for one stream, is `modulation_index_from`.

    Raises:
        InputError: unequal lengths, or a value that is no number.

    Thread: any.
    """
    if phase_rad.ndim != 2 or amplitude.ndim != 2 or phase_rad.shape[1] != amplitude.shape[1]:
        raise InputError(
            f"expected two (channel, time) arrays of one length, got shapes {phase_rad.shape} and {amplitude.shape}"
        )
    if not (np.isfinite(phase_rad).all() and np.isfinite(amplitude).all()):
        raise InputError("a map of all channels needs numbers everywhere; leave out bad channels first")
    indicator = one_hot(phase_bins(phase_rad, n_bins), n_bins, np.float64)
    return map_of(indicator, indicator.sum(axis=-1), amplitude)


def map_of(indicator: NDArray[np.floating], counts: NDArray[np.floating], amplitude: NDArray[np.floating]) -> Array:
    """`modulation_map` of phases that `one_hot` has turned into an indicator; `counts` (n_phase, n_bins)."""
    n_phase, n_bins, n = indicator.shape
    sums = (indicator.reshape(n_phase * n_bins, n) @ amplitude.T).reshape(n_phase, n_bins, -1)
    return index_of(mean_amplitude(sums, counts[..., None]), axis=1)


def one_hot(bins: NDArray[np.integer], n_bins: int, dtype: np.typing.DTypeLike) -> NDArray[np.floating]:
    """(n_channels, n) bins to (n_channels, n_bins, n): 1 where a sample lies in a bin."""
    same: NDArray[np.bool_] = bins[:, None, :] == np.arange(n_bins, dtype=bins.dtype)[:, None]
    return same.astype(dtype)
