"""The coupling of a recording: read once like a live stream, cut at its gaps, pooled.

With onsets, every trial's window is filtered together with a margin on both sides, and the surrogates pair the phase
of one trial with the amplitude of another. Without, the whole recording is taken in pieces of `PIECE_S`, and the
surrogates shift the amplitude of every piece by a time of its own. Either way the index is that of all windows laid end
to end.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from engines.errors import InputError
from pipeline.acquire import Acquisition
from pipeline.coupling.bands import CouplingBands
from pipeline.coupling.comodulogram import Piece
from pipeline.coupling.index import N_BINS, bin_sums, index_of, mean_amplitude
from pipeline.coupling.surrogates import Significance, random_shifts, shifted_sums, significance, trial_shuffles
from pipeline.coupling.trials import TrialWindow, sliding, trial_window
from pipeline.epochs import EpochBuilder, EpochConfig
from pipeline.types import Array, Block, Boundary, Epoch, Kind, Onset

# Long beside a cycle of any phase, so that shifts within it are far apart.
PIECE_S = 10.0
SHORTEST_S = 2.0
# Of the course along the recording.
WINDOW_S = 2.0
# Margins let the slowest filter ring out: this many cycles of the phase band's lower edge.
MARGIN_CYCLES = 3.0


@dataclass(frozen=True)
class Plan:
    """What is to be found out. `window_s` around every onset, None for the whole recording in pieces."""

    bands: CouplingBands = field(default_factory=CouplingBands)
    window_s: tuple[float, float] | None = None
    n_surrogates: int = 200
    n_bins: int = N_BINS
    seed: int = 0

    @property
    def margin_s(self) -> float:
        """Before and after every window."""
        return MARGIN_CYCLES / self.bands.phase_hz[0]


@dataclass(frozen=True, eq=False)
class Coupling:
    """Index and significance per channel, `means` (n_channels, n_bins); `n_windows` windows of `seconds` in all."""

    mi: Array
    means: NDArray[np.floating]
    significance: Significance
    n_windows: int
    seconds: float


class Reader:
    """Cuts what an acquisition has in its ring, as it comes, into pieces: trials or the whole.

    Args:
        acquisition: opened.
        plan: bands and windows.
        rows: the channels to read; None for every EEG channel.

    Raises:
        InputError: no regular rate, no EEG channel, or bands that say nothing at this rate.

    Thread: whoever cranks the acquisition.
    """

    def __init__(self, acquisition: Acquisition, plan: Plan, rows: list[int] | None = None) -> None:
        info = acquisition.info
        if info.sfreq_hz <= 0:
            raise InputError(
                f"stream {info.name!r} has no regular rate, and coupling needs one; choose another with --stream"
            )
        eeg = [i for i, c in enumerate(info.channels) if c.kind is Kind.EEG]
        if not eeg:
            raise InputError(f"stream {info.name!r} has no EEG channel: choose another with --stream")
        plan.bands.require(info.sfreq_hz)
        self.rows = eeg if rows is None else rows
        self.channels = tuple(info.channels[i].name for i in self.rows)
        self.sfreq_hz = info.sfreq_hz
        self.labels: list[str] = []
        self.rejected: Counter[str] = Counter()
        self._acquisition = acquisition
        self._cursor = 0
        self._margin = round(plan.margin_s * info.sfreq_hz)
        self._window_start_s = plan.window_s[0] if plan.window_s else 0.0
        self._cutter = self._trials(plan.window_s) if plan.window_s else _Pieces(info.sfreq_hz, self._margin)

    def onset(self, label: str, time_s: float) -> None:
        """A trial of class `label` began."""
        if isinstance(self._cutter, EpochBuilder):
            self._cutter.onset(Onset(len(self.labels), time_s))
            self.labels.append(label)

    def read(self) -> Iterator[tuple[int, Piece]]:
        """What became complete since the last call: (number of the trial or piece, its samples)."""
        ring = self._acquisition.ring
        written = ring.written
        starts = [b for b in self._acquisition.aligner.boundaries if self._cursor <= b.at < written]
        edges = sorted({self._cursor, written, *(b.at for b in starts)})
        at = {b.at: b for b in starts}
        for start, stop in pairwise(edges):
            data, times_s = ring.copy(start, stop)
            yield from self._push(data[self.rows], times_s, at.get(start))
        self._cursor = written

    def finish(self) -> Iterator[tuple[int, Piece]]:
        """What is left at the end."""
        if isinstance(self._cutter, EpochBuilder):
            yield from self._accepted(self._cutter.finish())
        else:
            yield from self._cutter.finish()

    def _trials(self, window_s: tuple[float, float]) -> EpochBuilder:
        margin_s = self._margin / self.sfreq_hz
        config = EpochConfig(window_s[0] - margin_s, window_s[1] + margin_s, None)
        return EpochBuilder(config, len(self.rows), self.sfreq_hz)

    def _push(self, data: Array, times_s: Array, boundary: Boundary | None) -> Iterator[tuple[int, Piece]]:
        if isinstance(self._cutter, _Pieces):
            yield from self._cutter.push(data, times_s, boundary is not None)
        else:
            block = Block(data, times_s, np.ones(times_s.size, np.bool_), boundary)
            yield from self._accepted(self._cutter.push(block))

    def _accepted(self, epochs: list[Epoch]) -> Iterator[tuple[int, Piece]]:
        for epoch in epochs:
            if epoch.rejected is None:
                start_s = epoch.onset_s + self._window_start_s
                yield epoch.trial, Piece(epoch.data, (self._margin, self._margin), start_s)
            else:
                self.rejected[epoch.rejected] += 1


class _Pieces:
    """Pieces of `PIECE_S` one after another, none across a break; every sample once, margins apart."""

    def __init__(self, sfreq_hz: float, margin: int) -> None:
        self._n, self._least, self._margin = round(PIECE_S * sfreq_hz), round(SHORTEST_S * sfreq_hz), margin
        self._held: Array = np.empty((0, 0))
        self._held_s: Array = np.empty(0)
        self._before = 0  # samples of `_held` that an earlier piece had already
        self._number = 0
        self.n_dropped = 0

    def push(self, data: Array, times_s: Array, breaks: bool) -> Iterator[tuple[int, Piece]]:
        if breaks:
            yield from self.finish()
        self._held = np.hstack([self._held, data]) if self._held.size else data
        self._held_s = np.append(self._held_s, times_s)
        while self._held.shape[1] >= self._before + self._n + 2 * self._margin:
            yield self._cut(self._before + self._n + self._margin, self._margin)

    def finish(self) -> Iterator[tuple[int, Piece]]:
        left = self._held.shape[1] - self._before
        if left >= self._least:
            yield self._cut(self._held.shape[1], 0)
        else:
            self.n_dropped += left
        self._held, self._held_s, self._before = np.empty((0, 0)), np.empty(0), 0

    def _cut(self, stop: int, after: int) -> tuple[int, Piece]:
        piece = Piece(self._held[:, :stop], (self._before, after), float(self._held_s[self._before]))
        first_unused = stop - after
        again = slice(max(0, first_unused - self._margin), None)
        self._held, self._held_s = self._held[:, again], self._held_s[again]
        self._before = min(self._margin, first_unused)
        self._number += 1
        return self._number - 1, piece


class Pool:
    """Adds up pieces, and says what the coupling of all of them is.

    Thread: any, one at a time.
    """

    def __init__(self, plan: Plan, sfreq_hz: float, n_channels: int) -> None:
        self._plan, self._sfreq_hz = plan, sfreq_hz
        self._rng = np.random.default_rng(plan.seed)
        shape = (n_channels, plan.n_bins)
        self._sums, self._counts = np.zeros(shape), np.zeros(shape)
        self._shifted = np.zeros((*shape, plan.n_surrogates))
        self._n_pieces = self._n_samples = 0

    def add(self, piece: Piece) -> None:
        """One piece. A channel that holds a value that is no number, or one value only, is left out of it.

        Raises:
            InputError: the piece is too short for a shift by a cycle of the phase.
        """
        plan = self._plan
        window = trial_window(piece.samples, self._sfreq_hz, plan.bands, piece.margins, plan.n_bins)
        usable = np.isfinite(window.amplitude).all(axis=1, keepdims=True)
        amplitude = np.where(usable, window.amplitude, 0.0)
        sums, counts = bin_sums(window.bins, amplitude, plan.n_bins)
        self._sums += sums
        self._counts += np.where(usable, counts, 0.0)
        shifts = random_shifts(amplitude.shape[1], plan.n_surrogates, self._cycle, self._rng)
        for block, shifted in shifted_sums(window.bins, amplitude, plan.n_bins, shifts):
            self._shifted[block] += shifted
        self._n_pieces += 1
        self._n_samples += amplitude.shape[1]

    @property
    def _cycle(self) -> int:
        return round(self._sfreq_hz / self._plan.bands.phase_centre_hz)

    def result(self) -> Coupling:
        """The coupling of everything added.

        Raises:
            InputError: nothing was.
        """
        if not self._n_pieces:
            raise InputError(f"expected {SHORTEST_S:g} s of samples without a gap, got none; nothing can be said")
        means = mean_amplitude(self._sums, self._counts)
        surrogates = index_of(mean_amplitude(self._shifted, self._counts[..., None]), axis=1).T
        mi = index_of(means)
        seconds = self._n_samples / self._sfreq_hz
        return Coupling(mi, means, significance(mi, surrogates), self._n_pieces, seconds)


@dataclass(frozen=True, eq=False)
class OverTime:
    """One channel along the recording: `starts_s` and `excess` (n_windows,) of windows of `window_s`."""

    channel: str
    window_s: float
    starts_s: Array
    excess: Array


def over_time(pieces: Sequence[Piece], sfreq_hz: float, plan: Plan, channel: str) -> OverTime:
    """The index of one channel in windows of `WINDOW_S` along its pieces, above shuffles within each piece.

    Pieces with fewer than two such windows are left out. Thread: any.
    """
    n = round(WINDOW_S * sfreq_hz)
    starts_s, found = [], []
    for piece in pieces:
        whole = trial_window(piece.samples, sfreq_hz, plan.bands, piece.margins, plan.n_bins)
        if whole.bins.shape[1] >= 2 * n:
            slid = sliding(whole, n, n, plan.n_bins)
            starts_s.append(piece.start_s + slid.starts / sfreq_hz)
            found.append(slid.excess[:, 0])
    return OverTime(channel, WINDOW_S, np.concatenate([np.empty(0), *starts_s]), np.concatenate([np.empty(0), *found]))


def coupling_of_trials(windows: Sequence[TrialWindow], sfreq_hz: float, plan: Plan) -> Coupling:
    """The coupling pooled over trials, against the phase of one trial with the amplitude of another.

    Raises:
        InputError: fewer than two trials.

    Thread: any.
    """
    if len(windows) < 2:
        raise InputError(f"expected two trials at least, got {len(windows)}; choose other --event or --window")
    bins, amplitude = np.stack([w.bins for w in windows]), np.stack([w.amplitude for w in windows])
    sums, counts = bin_sums(bins, amplitude, plan.n_bins)
    means = mean_amplitude(sums.sum(axis=0), counts.sum(axis=0))
    mi = index_of(means)
    surrogates = trial_shuffles(bins, amplitude, plan.n_bins, plan.n_surrogates, plan.seed)
    return Coupling(mi, means, significance(mi, surrogates), len(windows), bins.shape[0] * bins.shape[2] / sfreq_hz)
