"""Which rhythm modulates which: the index of one channel over many pairs of bands."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from engines.errors import InputError
from pipeline.coupling.analytic import phase_and_amplitude
from pipeline.coupling.bands import BAND_LIMIT, Band, CouplingBands
from pipeline.coupling.index import N_BINS, index_of, mean_amplitude, one_hot, phase_bins
from pipeline.types import Array


@dataclass(frozen=True)
class Grid:
    """Centres and widths of the bands, in Hz.

    Raises:
        InputError: no centre, or a band that reaches 0 Hz.
    """

    phase_hz: tuple[float, ...]
    amplitude_hz: tuple[float, ...]
    phase_width_hz: float = 2.0
    amplitude_width_hz: float = 20.0
    mains_hz: float | None = 50.0

    def __post_init__(self) -> None:
        if not (self.phase_hz and self.amplitude_hz):
            raise InputError("a comodulogram needs a phase and an amplitude centre at least")
        for _, _, bands in self.pairs():
            bands.why_not(1.0)  # builds, and so checks, every band

    @classmethod
    def up_to(cls, sfreq_hz: float, mains_hz: float | None) -> "Grid | None":
        """Phases from 2 to 10 Hz, amplitudes from 20 to 150 Hz or what the rate allows; None where it allows none."""
        top_hz = min(150.0, BAND_LIMIT * sfreq_hz - cls.amplitude_width_hz / 2)
        amplitudes = tuple(np.arange(20.0, top_hz + 1e-9, 5.0).tolist())
        phases = tuple(np.arange(2.0, 10.5, 1.0).tolist())
        return cls(phases, amplitudes, mains_hz=mains_hz) if amplitudes else None

    def phase_band(self, centre_hz: float) -> Band:
        """The band around a phase centre."""
        return centre_hz - self.phase_width_hz / 2, centre_hz + self.phase_width_hz / 2

    def amplitude_band(self, centre_hz: float) -> Band:
        """The band around an amplitude centre."""
        return centre_hz - self.amplitude_width_hz / 2, centre_hz + self.amplitude_width_hz / 2

    def pairs(self) -> list[tuple[int, int, CouplingBands]]:
        """(row, column, bands) of every cell."""
        return [
            (i, j, CouplingBands(self.phase_band(slow), self.amplitude_band(fast), self.mains_hz))
            for i, slow in enumerate(self.phase_hz)
            for j, fast in enumerate(self.amplitude_hz)
        ]

    def why_not(self, sfreq_hz: float) -> tuple[tuple[str, ...], ...]:
        """(n_phase, n_amplitude) texts: why a cell is greyed, "" where it is not."""
        texts = [["" for _ in self.amplitude_hz] for _ in self.phase_hz]
        for i, j, bands in self.pairs():
            texts[i][j] = bands.why_not(sfreq_hz)
        return tuple(map(tuple, texts))


@dataclass(frozen=True, eq=False)
class Comodulogram:
    """One channel. `mi` (n_phase, n_amplitude), NaN in greyed cells; `why_not` the same shape, "" where not greyed.

    Draw: phase frequency to the right, amplitude frequency upwards, `mi.T` as colour; greyed cells grey, the reason in
    the tool tip.
    """

    channel: str
    grid: Grid
    mi: Array
    why_not: tuple[tuple[str, ...], ...]

    @property
    def peak_hz(self) -> tuple[float, float] | None:
        """Phase and amplitude centre of the largest index; None when every cell is greyed."""
        if not np.isfinite(self.mi).any():
            return None
        i, j = np.unravel_index(np.nanargmax(self.mi), self.mi.shape)
        return self.grid.phase_hz[int(i)], self.grid.amplitude_hz[int(j)]


@dataclass(frozen=True, eq=False)
class Piece:
    """Samples in one stretch, (n_channels, n), the first and last of which only feed the filters: `margins`.

    `start_s` is the time of the first sample after the margin, NaN when nobody asks.
    """

    samples: Array
    margins: tuple[int, int] = (0, 0)
    start_s: float = float("nan")


def comodulogram(
    pieces: Iterable[Piece], sfreq_hz: float, grid: Grid, channel: str = "", n_bins: int = N_BINS
) -> Comodulogram:
    """The index over the grid, pooled over the pieces.

    Args:
        pieces: of one channel, finite.
        sfreq_hz: their rate.
        grid: the bands.
        channel: its name.
        n_bins: phase bins.

    Raises:
        InputError: a piece too short to filter.

    Thread: any.
    """
    why_not = grid.why_not(sfreq_hz)
    allowed = np.array([[not text for text in row] for row in why_not])
    rows, columns = np.flatnonzero(allowed.any(axis=1)), np.flatnonzero(allowed.any(axis=0))
    slow = [grid.phase_band(grid.phase_hz[i]) for i in rows]
    fast = [grid.amplitude_band(grid.amplitude_hz[j]) for j in columns]
    sums, counts = np.zeros((len(slow), n_bins, len(fast))), np.zeros((len(slow), n_bins, 1))
    for piece in pieces if slow else ():
        phases = np.array([_filtered(piece, sfreq_hz, band, grid.mains_hz)[0] for band in slow])
        amplitudes = np.array([_filtered(piece, sfreq_hz, band, grid.mains_hz)[1] for band in fast])
        indicator = one_hot(phase_bins(phases, n_bins), n_bins, np.float64)
        sums += indicator @ amplitudes.T
        counts += indicator.sum(axis=-1, keepdims=True)
    mi = np.full(allowed.shape, np.nan)
    mi[np.ix_(rows, columns)] = index_of(mean_amplitude(sums, counts), axis=1)
    return Comodulogram(channel, grid, np.where(allowed, mi, np.nan), why_not)


def _filtered(piece: Piece, sfreq_hz: float, band: Band, mains_hz: float | None) -> tuple[Array, Array]:
    """Phase and amplitude of one channel, (n,) each, the margins cut."""
    kept = slice(piece.margins[0], piece.samples.shape[-1] - piece.margins[1])
    phase_rad, amplitude = phase_and_amplitude(piece.samples[0], sfreq_hz, band, mains_hz)
    return phase_rad[kept], amplitude[kept]
