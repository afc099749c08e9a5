"""The fast path: one short window of all channels to a map with its surrogates, in a few milliseconds on one thread.

The filters are those of the reference (`pipeline.coupling.analytic`), applied to the window's spectrum; phase and
envelope are kept at about 200 Hz in single precision; all surrogates are circular shifts within the window, taken at
once. A window of 2 s holds few independent moments of a 4 Hz wide phase band (Aru et al. 2015), so z moves a lot from
update to update: it says where to look, not what is significant. For that there is the whole recording
(`afterimage coupling`).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.coupling.analytic import Single, WindowAnalytic
from pipeline.coupling.bands import CouplingBands
from pipeline.coupling.index import N_BINS, bin_sums, index_of, map_of, mean_amplitude, one_hot
from pipeline.coupling.surrogates import (
    Significance,
    even_shifts,
    shift_surrogates,
    significance,
)
from pipeline.types import Array

ESTIMATOR = (
    "modulation index (Tort et al. 2010) in one window: Butterworth of order 3, forward and backward, applied to the "
    "window's spectrum; tapered margins cut; surrogates by circular shifts within the window"
)


@dataclass(frozen=True, eq=False)
class Estimate:
    """One window. `mi` (n_channels,); `means` (n_channels, n_bins) mean amplitude over phase; how it compares."""

    mi: Array
    means: NDArray[np.floating]
    significance: Significance


class LiveEstimator:
    """Windows of one length in, estimates out.

    Args:
        bands: what is coupled with what.
        sfreq_hz: rate of the samples.
        n: samples of a window, both margins counted.
        margin_s: tapered and cut at both ends.
        n_surrogates: circular shifts, spread evenly, none nearer than a cycle of the phase; fewer where the window has
            not as many, 0 for none.
        n_bins: phase bins.

    Raises:
        InputError: the bands say nothing at this rate, or the window is too short for its margins or surrogates.

    Thread: any, one at a time.
    """

    def __init__(
        self,
        bands: CouplingBands,
        sfreq_hz: float,
        n: int,
        margin_s: float = 0.25,
        n_surrogates: int = 200,
        n_bins: int = N_BINS,
    ) -> None:
        bands.require(sfreq_hz)
        self.n_bins = n_bins
        self._analytic = WindowAnalytic(bands.phase_hz, bands.amplitude_hz, sfreq_hz, n, margin_s, bands.mains_hz)
        least = round(self._analytic.sfreq_out_hz / bands.phase_centre_hz)
        self._shifts = even_shifts(self._analytic.n_out, n_surrogates, least)

    def binned(self, samples: Array) -> tuple[NDArray[np.int32], Single]:
        """(n_channels, n) finite samples to phase bins and amplitude, (n_channels, n_out) both."""
        phase_rad, amplitude = self._analytic(samples)
        scaled = (phase_rad + np.float32(np.pi)) * np.float32(self.n_bins / (2 * np.pi))
        return np.minimum(scaled.astype(np.int32), self.n_bins - 1), amplitude

    def __call__(self, samples: Array) -> Estimate:
        """(n_channels, n) finite samples to their estimate."""
        bins, amplitude = self.binned(samples)
        sums, counts = bin_sums(bins, amplitude, self.n_bins)
        means = mean_amplitude(sums, counts)
        mi = index_of(means)
        surrogates = np.empty((0, len(mi)))
        if self._shifts.size:
            surrogates = shift_surrogates(bins, amplitude, counts, self._shifts)
        return Estimate(mi, means, significance(mi, surrogates))

    def full(self, samples: Array) -> tuple[Array, Array]:
        """The phase of every channel with the amplitude of every channel.

        Args:
            samples: (n_channels, n), finite.

        Returns:
            The index and its z against the circular shifts (NaN without), (n_channels, n_channels) each.
        """
        bins, amplitude = self.binned(samples)
        indicator = one_hot(bins, self.n_bins, np.float32)
        counts = indicator.sum(axis=-1)
        mi = map_of(indicator, counts, amplitude)
        twice = np.concatenate([amplitude, amplitude], axis=1)
        moved = (twice[:, s : s + amplitude.shape[1]] for s in self._shifts)
        surrogates = np.array([map_of(indicator, counts, one).ravel() for one in moved]).reshape(-1, mi.size)
        return mi, significance(mi.ravel(), surrogates).z.reshape(mi.shape)
