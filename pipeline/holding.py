"""Samples that are no numbers: held, so that they never enter a recursive filter, and marked."""

import numpy as np
from numpy.typing import NDArray

from pipeline.types import Array


class Holder:
    """Replaces non-finite samples by the channel's last finite one (0 before the first), and says which are lost.

    Lost are the non-finite samples themselves and, after a run longer than `n_short` or before the first finite
    sample, `recovery` further ones, while the filters still feel the step back. Thread: one.
    """

    def __init__(self, n_channels: int, n_short: int, recovery: int) -> None:
        self._n_channels = n_channels
        self._n_short = n_short
        self._recovery = recovery
        self.restart()

    def restart(self) -> None:
        """Forget the past."""
        self._last = np.zeros(self._n_channels)
        self._run = np.zeros(self._n_channels, dtype=np.int64)
        self._left = np.zeros(self._n_channels, dtype=np.int64)
        self._begun = np.zeros(self._n_channels, dtype=np.bool_)

    def push(self, data: Array) -> tuple[Array, NDArray[np.bool_] | None]:
        """`data` (n_channels, n >= 1) made finite, and lost samples (n_channels, n), None when there are none."""
        finite = np.isfinite(data)
        if finite.all() and not (self._run.any() or self._left.any()):
            self._last = data[:, -1].copy()
            self._begun[:] = True
            return data, None
        held, lost = data.copy(), ~finite
        for row in np.flatnonzero(~finite.all(axis=1) | (self._run > 0) | (self._left > 0)):
            self._hold(int(row), held[row], finite[row], lost[row])
        self._last = held[:, -1].copy()
        self._begun |= finite.any(axis=1)
        return held, lost

    def _hold(self, row: int, held: Array, finite: NDArray[np.bool_], lost: NDArray[np.bool_]) -> None:
        last, run, left = self._last[row], int(self._run[row]), int(self._left[row])
        begun = bool(self._begun[row])
        for i, is_finite in enumerate(finite):
            if not is_finite:
                held[i] = last
                run = run + 1 if begun else self._n_short + 1
                continue
            if run > self._n_short:
                left = self._recovery
            last, run, begun = held[i], 0, True
            lost[i] = left > 0
            left = max(0, left - 1)
        self._run[row], self._left[row] = run, left
