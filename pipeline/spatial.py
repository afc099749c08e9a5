"""Steps across channels: interpolation of bad channels, re-referencing, regression of eye movements.

Sums over channels go by a fixed tree of elementwise additions, never by BLAS or a numpy reduction, whose rounding
changes with the length of a chunk (docs/decisions/0050-chain-order-and-filters.md).
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pipeline.montage import Position
from pipeline.types import Array

# Centre of the sphere on which channels are interpolated, metres, head frame (MNE's default for EEG).
SPHERE_CENTRE_M = (0.0, 0.0, 0.04)
# Fewer good electrodes than this carry no spherical spline worth having.
MIN_GOOD = 8


def sum_rows(rows: Array) -> Array:
    """Sum (n_rows, ...) over rows, pairwise: every sample is rounded alike whatever their number. No rows give 0."""
    if len(rows) == 0:
        return np.zeros(rows.shape[1:])
    while len(rows) > 1:
        half = len(rows) // 2
        summed = rows[:half] + rows[half : 2 * half]
        if len(rows) % 2:
            summed[0] += rows[-1]
        rows = summed
    total: Array = rows[0]
    return total


def weighted(weights: Array, rows: Array) -> Array:
    """`weights` (n_out, n_rows) times `rows` (n_rows, n), rounded alike whatever n is."""
    return sum_rows(rows[:, None, :] * weights.T[:, :, None])


@lru_cache(maxsize=64)
def interpolation(good: tuple[Position, ...], bad: tuple[Position, ...]) -> Array:
    """Spherical-spline weights (n_bad, n_good) from good to bad electrodes (Perrin et al. 1989, by MNE).

    MNE interpolates an identity matrix, which gives the weights through its public interface. Thread: any.
    """
    import mne

    n = len(good) + len(bad)
    names = [f"ch{i}" for i in range(n)]
    info = mne.create_info(names, 1000.0, "eeg")
    places = {name: np.array(place) for name, place in zip(names, (*good, *bad), strict=True)}
    identity = mne.io.RawArray(np.eye(n, len(good)), info, verbose="error")
    identity.set_montage(mne.channels.make_dig_montage(places, coord_frame="head"), verbose="error")
    identity.info["bads"] = names[len(good) :]
    identity.interpolate_bads(origin=SPHERE_CENTRE_M, verbose="error")
    weights: Array = identity.get_data()[len(good) :]
    weights.flags.writeable = False
    return weights


class Interpolator:
    """Replaces bad channels by spherical splines over the good ones. Thread: one."""

    def __init__(self, names: Sequence[str], places: Sequence[Position | None]) -> None:
        self._names = tuple(names)
        self._places = tuple(places)
        self._for: frozenset[int] | None = None

    def prepare(self, bad: frozenset[int]) -> None:
        """Get ready for this set of bad rows; `left_out` and `why_not` tell what cannot be replaced."""
        if bad == self._for:
            return
        self._for = bad
        placed = [i for i, place in enumerate(self._places) if place is not None]
        self._good = [i for i in placed if i not in bad]
        enough = len(self._good) >= MIN_GOOD
        self.replaced = [i for i in placed if i in bad] if enough else []
        self.left_out = bad - set(self.replaced)
        self.why_not = self._reason(enough)
        if self.replaced:
            self._weights = interpolation(self._at(self._good), self._at(self.replaced))

    def apply(self, data: Array) -> None:
        """Overwrite the bad rows of `data` (n_channels, n) that can be replaced."""
        if self.replaced:
            data[self.replaced] = weighted(self._weights, data[self._good])

    def _at(self, rows: Sequence[int]) -> tuple[Position, ...]:
        return tuple(place for i in rows if (place := self._places[i]) is not None)

    def _reason(self, enough: bool) -> str:
        if not self.left_out:
            return ""
        names = ", ".join(self._names[i] for i in sorted(self.left_out))
        if enough:
            return f"{names}: bad, and not interpolated because their positions are unknown"
        return (
            f"{names}: bad, and not interpolated because only {len(self._good)} good electrodes with a position are "
            f"left ({MIN_GOOD} are needed)"
        )


def fit_eog_weights(eeg_uv: Array, eog_uv: Array, use: NDArray[np.bool_] | None = None) -> Array:
    """Least-squares weights (n_eeg, n_eog) of eye channels in each EEG channel (Gratton, Coles & Donchin 1983).

    `eeg_uv` (n_eeg, n), `eog_uv` (n_eog, n), filtered alike; `use` (n,) picks samples. Means are taken off first.
    """
    if use is not None:
        eeg_uv, eog_uv = eeg_uv[:, use], eog_uv[:, use]
    eye = eog_uv - eog_uv.mean(axis=1, keepdims=True)
    brain = eeg_uv - eeg_uv.mean(axis=1, keepdims=True)
    weights: Array = np.linalg.lstsq(eye.T, brain.T, rcond=None)[0].T
    return weights


class Reference:
    """Subtracts the mean of some rows from all. Thread: one."""

    def __init__(self, names: Sequence[str], rows: Sequence[int], fewest: int = 1) -> None:
        """`rows` of the reference, none for no reference; with less than `fewest` good ones it makes no sense."""
        self._names = tuple(names)
        self._rows = tuple(rows)
        self._fewest = fewest
        self.prepare(frozenset())

    def prepare(self, without: frozenset[int]) -> None:
        """Leave these rows out of the reference; with too few left, nothing is subtracted and `note` says so."""
        self._used = [i for i in self._rows if i not in without]
        self.note = ""
        if self._rows and len(self._used) < self._fewest:
            names = ", ".join(self._names[i] for i in self._rows)
            self.note = (
                f"not re-referenced: the reference needs {self._fewest} good of {names}, and has {len(self._used)}"
            )
            self._used = []

    def apply(self, data: Array) -> None:
        """Re-reference `data` (n_channels, n) in place."""
        if self._used:
            data -= sum_rows(data[self._used]) / len(self._used)
