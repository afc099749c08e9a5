"""What the coupling worker is told, and what it publishes: frozen, for the window to draw."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engines.errors import InputError
from pipeline.coupling.bands import CouplingBands
from pipeline.coupling.index import N_BINS, bin_centres, preferred_phase
from pipeline.types import Array


@dataclass(frozen=True)
class CouplingConfig:
    """The live map. Each update reads `window_s` and a margin on both sides of it, which is cut off after filtering.

    `static` and `dynamic` are globs on markers: a trial begins with a static one, and a dynamic one that follows
    before the next static one is its second part; `static_s` and `dynamic_s` are their windows around the marker, as in
    the EEG-3D protocol. Without markers that match there is the live map alone.

    Raises:
        InputError: a length or a number that makes no map.
    """

    bands: CouplingBands = field(default_factory=CouplingBands)
    window_s: float = 2.0
    margin_s: float = 0.25
    n_surrogates: int = 200
    n_bins: int = N_BINS
    updates_hz: float = 4.0
    comodulogram_every: int = 8
    static: tuple[str, ...] = ("stim/*",)
    dynamic: tuple[str, ...] = ("turn/*",)
    static_s: tuple[float, float] = (-0.2, 0.8)
    dynamic_s: tuple[float, float] = (-0.2, 5.8)

    def __post_init__(self) -> None:
        for name in ("window_s", "updates_hz", "comodulogram_every"):
            if not getattr(self, name) > 0:
                raise InputError(f"{name}: expected a number above 0, got {getattr(self, name)}")
        if self.margin_s < 0 or self.n_surrogates < 0 or not 2 <= self.n_bins <= 255:
            raise InputError(
                "expected a margin and a number of surrogates of 0 or more and 2 to 255 bins; got "
                f"{self.margin_s} s, {self.n_surrogates}, {self.n_bins}"
            )
        for name, (start_s, stop_s) in (("static_s", self.static_s), ("dynamic_s", self.dynamic_s)):
            if not start_s < stop_s:
                raise InputError(f"{name}: expected a window that ends after it starts, got {start_s} to {stop_s} s")


@dataclass(frozen=True, eq=False)
class CouplingMap:
    """One update of the live map. Arrays are (n_channels,) and NaN for channels left out (bad, flat, broken).

    Draw: a head of `z` (or of `excess`), colours from 0 upwards, channels left out hollow; beside it the histogram of
    `strongest` (bars over `bin_centres_rad`, a cosine below for orientation, a tick at its preferred phase); below in
    words the bands, `estimator`, `n_surrogates` and the caveat (`pipeline.coupling.CAVEAT`). Mark channels whose
    `p_family` is below 0.05; p of one channel alone is below it by chance in every twentieth. z of 2 s moves a lot:
    smooth it over a few updates rather than read one.

    `at_s` is the time of the newest sample the map rests on (LSL clock); the window lies `window_s` before it. `mi` the
    modulation index; `excess` above the mean of its surrogates; `histograms` (n_channels, n_bins) mean amplitude over
    phase as shares that sum to 1; `number` counts the updates, `n_missed` those that came too late to be made.
    """

    number: int
    n_missed: int
    at_s: float
    window_s: float
    bands: CouplingBands
    channels: tuple[str, ...]
    usable: NDArray[np.bool_]
    mi: Array
    z: Array
    p: Array
    p_family: Array
    excess: Array
    histograms: Array
    n_surrogates: int
    estimator: str

    @property
    def strongest(self) -> int | None:
        """The channel with the largest z (the largest index without surrogates); None when all are left out."""
        score = self.z if np.isfinite(self.z).any() else self.mi
        return int(np.nanargmax(score)) if np.isfinite(score).any() else None

    @property
    def preferred_phase_rad(self) -> Array:
        """(n_channels,) the phase with the largest amplitude: 0 the peak of the slow wave, +-pi its trough."""
        return preferred_phase(self.histograms)

    @property
    def bin_centres_rad(self) -> Array:
        """(n_bins,) of the histograms."""
        return bin_centres(self.histograms.shape[1])


@dataclass(frozen=True, eq=False)
class TrialCoupling:
    """Coupling in one trial, (n_channels,) each, above the mean of trial shuffles; NaN for channels left out.

    `static` and `dynamic` within the picture's and the turn's window; `static_to_dynamic` the phase of the static with
    the amplitude of the dynamic window, `dynamic_to_static` the reverse: statistics of a model, no physiology
    (`pipeline.coupling.trials`). None where the trial has no such window, or no earlier trial to shuffle with.

    Draw: four small heads on one scale that goes both ways from 0, empty ones where a value is None, the trial's number
    as title; under the two across maps the words "model statistic".
    """

    trial: int
    onset_s: float
    channels: tuple[str, ...]
    static: Array | None
    dynamic: Array | None
    static_to_dynamic: Array | None
    dynamic_to_static: Array | None
    n_shuffles: int
