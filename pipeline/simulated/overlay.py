"""Waveforms that begin at given samples, added onto whatever stretch of samples comes by."""

from dataclasses import dataclass, replace

import numpy as np

from pipeline.types import Array


@dataclass(frozen=True, eq=False)
class _Wave:
    start: int
    values: Array
    rows: slice
    held: bool

    @property
    def stop(self) -> int:
        return int(self.start + self.values.shape[1])


class Overlay:
    """Waves are added in the order they were given, so that the sum rounds the same however it is asked for.

    Thread: one only.
    """

    def __init__(self) -> None:
        self._waves: list[_Wave] = []

    def add(self, start: int, values: Array, *, rows: slice = slice(None), held: bool = False) -> None:
        """`values` (n_rows, n) begins at sample `start`; `held` waves end at the next `cut`."""
        self._waves.append(_Wave(start, values, rows, held))

    def cut(self, at: int, n_fade: int) -> None:
        """Let the held waves die away over `n_fade` samples from sample `at`."""
        self._waves = [_faded(w, at, n_fade) if w.held and w.stop > at else w for w in self._waves]

    def onto(self, out: Array, at: int) -> bool:
        """Add in place to `out`, whose first sample has number `at`; forget what is over. True when anything was."""
        stop = at + out.shape[1]
        touched = False
        for wave in self._waves:
            first, last = max(at, wave.start), min(stop, wave.stop)
            if first < last:
                out[wave.rows, first - at : last - at] += wave.values[:, first - wave.start : last - wave.start]
                touched = True
        self._waves = [w for w in self._waves if w.stop > stop]
        return touched


def _faded(wave: _Wave, at: int, n_fade: int) -> _Wave:
    keep = max(at - wave.start, 0)
    values = wave.values[:, : keep + n_fade].copy()
    n = values.shape[1] - keep
    values[:, keep:] *= 0.5 + 0.5 * np.cos(np.pi * np.arange(1, n + 1) / (n_fade + 1))
    return replace(wave, values=values, held=False)
