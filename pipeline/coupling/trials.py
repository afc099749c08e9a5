"""Coupling trial by trial, within one window and across the two windows of a trial.

**Within**: phase and amplitude of the same window. **Across**: the phase of the static window (the picture, 1 s) with
the amplitude of the dynamic window (the turning object, 6 s) of the same trial, and the reverse. The windows lie
seconds apart, so this is a statistic of two responses, as a model may use it, and no physiology: nothing couples a
wave to an amplitude several seconds later. Both kinds are shown minus the mean of trial shuffles, the phase of one
trial with the amplitude of another, since the index of a second of noise is far from 0.

How windows of two lengths are paired: the longer is cut into successive pieces of the shorter's length, what is left at
the end is dropped; every piece is paired with the whole shorter window, sample by sample, and the sums over phase bins
of all pieces are pooled before the index is taken. Equal lengths are one piece.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engines.errors import InputError
from pipeline.coupling.analytic import Single, phase_and_amplitude
from pipeline.coupling.bands import CouplingBands
from pipeline.coupling.index import N_BINS, bin_sums, index_of, mean_amplitude, phase_bins
from pipeline.types import Array

SmallBins = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class TrialWindow:
    """One window of one trial: `bins` and `amplitude`, (n_channels, n) each."""

    bins: SmallBins
    amplitude: Single


def trial_window(
    samples: Array, sfreq_hz: float, bands: CouplingBands, margins: tuple[int, int] = (0, 0), n_bins: int = N_BINS
) -> TrialWindow:
    """Filter a window that came with some samples more on both sides, which are cut off again.

    Args:
        samples: (n_channels, n), margins counted.
        sfreq_hz: their rate.
        bands: what is coupled with what.
        margins: samples to cut off before and after.
        n_bins: phase bins, 255 at most.

    Raises:
        InputError: the bands do not fit the rate, or the window is too short.

    Thread: any.
    """
    kept = slice(margins[0], samples.shape[-1] - margins[1])
    phase_rad, _ = phase_and_amplitude(samples, sfreq_hz, bands.phase_hz, bands.mains_hz)
    _, amplitude = phase_and_amplitude(samples, sfreq_hz, bands.amplitude_hz, bands.mains_hz)
    phase_rad, amplitude = phase_rad[:, kept], amplitude[:, kept]
    amplitude = np.where(np.isfinite(phase_rad), amplitude, np.nan)
    bins = phase_bins(np.nan_to_num(phase_rad), n_bins)
    return TrialWindow(bins.astype(np.uint8), amplitude.astype(np.float32))


def pooled_index(phase_of: TrialWindow, amplitude_of: TrialWindow, n_bins: int = N_BINS) -> Array:
    """(n_channels,) indices of the phase of one window with the amplitude of another, paired as the module says.

    Raises:
        InputError: other channels.
    """
    sums, counts = pooled_sums(phase_of.bins, amplitude_of.amplitude, n_bins)
    return index_of(mean_amplitude(sums, counts))


def pooled_sums(bins: NDArray[np.integer], amplitude: NDArray[np.floating], n_bins: int) -> tuple[Array, Array]:
    """Sums and counts, (n_channels, n_bins), of `bins` (n_channels, n) with `amplitude` (n_channels, m)."""
    if len(bins) != len(amplitude) or not (bins.size and amplitude.size):
        raise InputError(f"expected windows of the same channels, got shapes {bins.shape} and {amplitude.shape}")
    n = min(bins.shape[1], amplitude.shape[1])
    slow, fast = bins[:, : bins.shape[1] // n * n], amplitude[:, : amplitude.shape[1] // n * n]
    if slow.shape[1] < fast.shape[1]:
        slow = np.tile(slow, fast.shape[1] // n)
    elif fast.shape[1] < slow.shape[1]:
        fast = np.tile(fast, slow.shape[1] // n)
    return bin_sums(slow, fast, n_bins)


def excess(
    phases: TrialWindow,
    amplitudes: TrialWindow,
    others: Sequence[tuple[TrialWindow, TrialWindow]],
    n_bins: int = N_BINS,
) -> Array:
    """One trial's index minus the mean of its shuffles with other trials; NaN without other trials.

    Args:
        phases: the window whose phase counts.
        amplitudes: the window whose amplitude counts: the same one, or the other of the same trial.
        others: (phases, amplitudes) of other trials; each gives two shuffles, its amplitude with this trial's phase and
            its phase with this trial's amplitude.
        n_bins: phase bins.

    Returns:
        (n_channels,).
    """
    index = pooled_index(phases, amplitudes, n_bins)
    if not others:
        return np.full_like(index, np.nan)
    shuffles = [pooled_index(phases, fast, n_bins) for _, fast in others]
    shuffles += [pooled_index(slow, amplitudes, n_bins) for slow, _ in others]
    return np.asarray(index - _mean_of_numbers(np.array(shuffles)))


def _mean_of_numbers(values: Array) -> Array:
    """Mean over the first axis of what is a number; NaN where nothing is. A channel may be bad in some trials."""
    known = np.isfinite(values)
    n = known.sum(axis=0)
    total = np.where(known, values, 0.0).sum(axis=0)
    return np.asarray(np.divide(total, n, out=np.full(n.shape, np.nan), where=n > 0))


@dataclass(frozen=True, eq=False)
class Sliding:
    """Windows along one stretch: `starts` (n_windows,) in samples, `mi` and `excess` (n_windows, n_channels)."""

    starts: NDArray[np.intp]
    mi: Array
    excess: Array


def sliding(whole: TrialWindow, n: int, step: int, n_bins: int = N_BINS) -> Sliding:
    """The index in windows that slide over one stretch, and how far it lies above shuffles among them.

    Args:
        whole: the stretch, filtered in one piece.
        n: samples of a window.
        step: samples from window to window.
        n_bins: phase bins.

    Returns:
        `excess` is NaN where a window has no other that it does not overlap.

    Raises:
        InputError: no window fits.

    Thread: any.
    """
    if not 0 < n <= whole.bins.shape[1]:
        raise InputError(f"a window of {n} samples does not fit into {whole.bins.shape[1]}")
    starts = np.arange(0, whole.bins.shape[1] - n + 1, max(1, step))
    cut = [TrialWindow(whole.bins[:, s : s + n], whole.amplitude[:, s : s + n]) for s in starts]
    apart = [[(w, w) for w, other in zip(cut, starts, strict=True) if abs(other - s) >= n] for s in starts]
    above = [excess(one, one, others, n_bins) for one, others in zip(cut, apart, strict=True)]
    return Sliding(starts, np.array([pooled_index(one, one, n_bins) for one in cut]), np.array(above))
