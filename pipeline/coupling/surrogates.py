"""What the index would be by chance: the same phases with amplitudes of another time.

Two null models. **Circular shifts** move the amplitude against the phase within one long window; they keep the spectrum
and the waveform of both and break only their timing (Canolty et al. 2006, Science 313:1626; Aru et al. 2015). All
shifts of a window are one correlation, taken by Fourier transform. **Trial shuffles** pair the phase of one trial with
the amplitude of another; they also keep what is locked to the stimulus, so that an evoked response is not mistaken for
coupling (Voytek et al. 2013, NeuroImage 64:416).

z is the distance from the surrogates' mean in their standard deviations; p counts the surrogates that reach the index,
(1 + n) / (1 + n_surrogates) (Phipson & Smyth 2010, Stat Appl Genet Mol Biol 9:39). The family-wise p compares each
channel with the largest of all channels in every surrogate (Nichols & Holmes 2002, Hum Brain Mapp 15:1), after scaling
channels to one mean and spread, the observed value counted in, so that a noisy channel does not hide the others.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from engines.errors import InputError
from pipeline.coupling.index import flat_places, index_of, mean_amplitude, one_hot
from pipeline.types import Array

Shifts = NDArray[np.intp]

# Elements of a block of channels while surrogates are made: a few MB, which stays in the caches.
BLOCK = 40_000


@dataclass(frozen=True, eq=False)
class Significance:
    """Per channel, (n_channels,) each: z, p, family-wise p, and the mean of the surrogates. NaN without surrogates."""

    z: Array
    p: Array
    p_family: Array
    surrogate_mean: Array
    n_surrogates: int


def significance(mi: Array, surrogates: Array) -> Significance:
    """Compare indices with their surrogates.

    Args:
        mi: (n_channels,).
        surrogates: (n_surrogates, n_channels); NaN columns stay NaN.

    Thread: any.
    """
    n = len(surrogates)
    if n == 0:
        nothing = np.full(len(mi), np.nan)
        return Significance(nothing, nothing, nothing, nothing, 0)
    usable = np.isfinite(mi)
    mean, spread = surrogates.mean(axis=0), surrogates.std(axis=0)
    z = np.divide(mi - mean, spread, out=np.full(len(mi), np.nan), where=usable & (spread > 0))
    p = np.where(usable, (1 + (surrogates >= mi).sum(axis=0)) / (1 + n), np.nan)
    return Significance(z, p, _family(mi, surrogates, usable), mean, n)


def _family(mi: Array, surrogates: Array, usable: NDArray[np.bool_]) -> Array:
    """Family-wise p over the usable channels."""
    p = np.full(len(mi), np.nan)
    together = np.vstack([mi[usable], surrogates[:, usable]])
    if together.size:
        spread = together.std(axis=0)
        scaled = (together - together.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
        largest = scaled[1:].max(axis=1)
        p[usable] = (1 + (largest[:, None] >= scaled[0]).sum(axis=0)) / (1 + len(largest))
    return p


def even_shifts(n: int, n_surrogates: int, least: int) -> Shifts:
    """Different shifts spread evenly over a window of `n` samples, none nearer to 0 than `least`.

    As many as `n_surrogates`, fewer where the window has not as many.

    Raises:
        InputError: the window has none.
    """
    _require_room(n, least)
    return np.linspace(least, n - least, min(n_surrogates, n - 2 * least + 1)).round().astype(np.intp)


def random_shifts(n: int, n_surrogates: int, least: int, rng: np.random.Generator) -> Shifts:
    """`n_surrogates` random shifts of a window of `n` samples, none nearer to 0 than `least`; some may be the same.

    Raises:
        InputError: the window is shorter than two of them.
    """
    _require_room(n, least)
    return rng.integers(least, n - least + 1, n_surrogates)


def _require_room(n: int, least: int) -> None:
    if n < 2 * least:
        raise InputError(f"a shift by at least {least} samples does not fit into a window of {n}; take a longer window")


def shift_surrogates(
    bins: NDArray[np.integer], amplitude: NDArray[np.floating], counts: Array, shifts: Shifts
) -> Array:
    """The index for every shift: the phase at t with the amplitude at t + shift, around the end of the window.

    Args:
        bins: (n_channels, n).
        amplitude: (n_channels, n); single precision is kept.
        counts: (n_channels, n_bins) samples in each bin.
        shifts: in samples.

    Returns:
        (n_shifts, n_channels).

    Thread: any.
    """
    made = np.empty((len(shifts), len(bins)))
    for block, sums in shifted_sums(bins, amplitude, counts.shape[-1], shifts):
        means = mean_amplitude(sums, counts[block, :, None].astype(sums.dtype))
        made[:, block] = index_of(means, axis=1).T
    return made


def shifted_sums(
    bins: NDArray[np.integer], amplitude: NDArray[np.floating], n_bins: int, shifts: Shifts
) -> Iterator[tuple[slice, NDArray[np.floating]]]:
    """Amplitude sums over phase bins for every shift, some channels at a time: (channels, sums (.., n_bins, n_shifts)).

    Arguments as `shift_surrogates`. Sums of several windows may be added, as those of `binned`.
    """
    step = max(1, BLOCK // (n_bins * bins.shape[-1]))
    for first in range(0, len(bins), step):
        block = slice(first, first + step)
        yield block, _every_shift(bins[block], amplitude[block], n_bins)[..., shifts]


def _every_shift(bins: NDArray[np.integer], amplitude: NDArray[np.floating], n_bins: int) -> NDArray[np.floating]:
    """Sums for every shift from 0 to n - 1, (n_channels, n_bins, n), as one correlation."""
    slow = fft.rfft(one_hot(bins, n_bins, amplitude.dtype), axis=-1)
    np.conjugate(slow, out=slow)
    slow *= fft.rfft(amplitude, axis=-1)[:, None, :]
    sums: NDArray[np.floating] = fft.irfft(slow, bins.shape[-1], axis=-1, overwrite_x=True)
    return sums


def derangement(n: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """A random order of `n` trials in which none keeps its place, every such order equally likely.

    Raises:
        InputError: fewer than two trials.
    """
    if n < 2:
        raise InputError(f"trials are shuffled among at least 2, got {n}")
    while True:  # about e tries on average
        order = rng.permutation(n)
        if not (order == np.arange(n)).any():
            return order


def trial_shuffles(
    bins: NDArray[np.integer], amplitude: NDArray[np.floating], n_bins: int, n_surrogates: int, seed: int
) -> Array:
    """(n_surrogates, n_channels) indices, pooled over the trials, of the phase of trial i with the amplitude of j.

    Args:
        bins, amplitude: (n_trials, n_channels, n).
        n_bins: phase bins.
        n_surrogates: how many shuffles.
        seed: of the shuffles; each leaves no trial in its place.

    Raises:
        InputError: fewer than two trials.

    Thread: any.
    """
    n_trials, n_channels, _ = bins.shape
    rng = np.random.default_rng(seed)
    orders = np.array([derangement(n_trials, rng) for _ in range(n_surrogates)]).reshape(n_surrogates, n_trials)
    sums, counts = np.zeros((n_surrogates, n_channels, n_bins)), np.zeros((n_channels, n_bins))
    for trial, phases in enumerate(bins):
        place = flat_places(phases, n_bins)
        counts += np.bincount(place, minlength=counts.size).reshape(counts.shape)
        for number, other in enumerate(orders[:, trial]):
            sums[number] += np.bincount(place, amplitude[other].ravel(), counts.size).reshape(counts.shape)
    return index_of(mean_amplitude(sums, counts))
