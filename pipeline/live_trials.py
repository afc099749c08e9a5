"""Which windows belong to one trial, and what their coupling is once they are complete."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase

import numpy as np

from pipeline.coupling.trials import TrialWindow, excess, trial_window
from pipeline.coupling.values import CouplingConfig, TrialCoupling
from pipeline.types import Array, Marker

# Earlier trials that a trial is shuffled with.
MOST_OTHERS = 8
# A second part that comes later than this after the first belongs to no trial.
LONGEST_PAUSE_S = 10.0
# At most one trial in this time is measured: it takes some ten milliseconds.
EVERY_S = 1.0

Cut = Callable[[float, float], Array | None]


@dataclass
class _Trial:
    number: int
    static_at_s: float
    dynamic_at_s: float | None = None
    complete: bool = False


@dataclass(frozen=True, eq=False)
class _Windows:
    static: TrialWindow
    dynamic: TrialWindow | None


class TrialLoop:
    """Markers in, `TrialCoupling` out as soon as all samples of a trial are there.

    `n_left_out` counts the trials that were not measured, since they came too fast.

    Thread: coupling only.
    """

    def __init__(self, config: CouplingConfig, sfreq_hz: float, channels: tuple[str, ...]) -> None:
        self._config, self._sfreq_hz, self._channels = config, sfreq_hz, channels
        self._waiting: deque[_Trial] = deque()
        self._earlier: deque[_Windows] = deque(maxlen=MOST_OTHERS)
        self._n_trials = 0
        self._next_s = float("-inf")
        self.n_left_out = 0

    def take(self, marker: Marker) -> None:
        """A marker came; only its place in the trial counts, never its category. One without a time is left out."""
        if not np.isfinite(marker.time_s):
            return
        if _matches(marker.label, self._config.static):
            for trial in self._waiting:
                trial.complete = True
            self._waiting.append(_Trial(self._n_trials, marker.time_s))
            self._n_trials += 1
        elif self._waiting and not self._waiting[-1].complete and _matches(marker.label, self._config.dynamic):
            self._waiting[-1].dynamic_at_s = marker.time_s
            self._waiting[-1].complete = True

    def settled(self, newest_s: float, cut: Cut) -> TrialCoupling | None:
        """The newest trial whose samples are there up to `newest_s`; `cut` answers the samples between two times.

        Of trials that come faster than `EVERY_S`, as pictures in a rapid series, some are left out and counted.
        """
        over = []
        while self._waiting and self._over(self._waiting[0], newest_s):
            over.append(self._waiting.popleft())
        if not over or newest_s < self._next_s:
            self.n_left_out += len(over)
            return None
        self.n_left_out += len(over) - 1
        self._next_s = newest_s + EVERY_S
        return self._coupling(over[-1], cut)

    def _over(self, trial: _Trial, newest_s: float) -> bool:
        margin_s = self._config.margin_s
        if trial.dynamic_at_s is not None:
            return newest_s >= trial.dynamic_at_s + self._config.dynamic_s[1] + margin_s
        waited_s = newest_s - trial.static_at_s - self._config.static_s[1] - margin_s
        return waited_s >= (0.0 if trial.complete else LONGEST_PAUSE_S)

    def _coupling(self, trial: _Trial, cut: Cut) -> TrialCoupling | None:
        static = self._windowed(trial.static_at_s, self._config.static_s, cut)
        if static is None:
            return None
        dynamic = None
        if trial.dynamic_at_s is not None:
            dynamic = self._windowed(trial.dynamic_at_s, self._config.dynamic_s, cut)
        earlier = tuple(self._earlier)
        self._earlier.append(_Windows(static, dynamic))
        both = [(e.static, e.dynamic) for e in earlier if e.dynamic is not None]
        n_bins = self._config.n_bins

        def above(
            slow: TrialWindow | None, fast: TrialWindow | None, others: list[tuple[TrialWindow, TrialWindow]]
        ) -> Array | None:
            return excess(slow, fast, others, n_bins) if slow is not None and fast is not None and others else None

        return TrialCoupling(
            trial=trial.number,
            onset_s=trial.static_at_s,
            channels=self._channels,
            static=above(static, static, [(e.static, e.static) for e in earlier]),
            dynamic=above(dynamic, dynamic, [(d, d) for _, d in both]),
            static_to_dynamic=above(static, dynamic, both),
            dynamic_to_static=above(dynamic, static, [(d, s) for s, d in both]),
            n_shuffles=2 * len(earlier),
        )

    def _windowed(self, at_s: float, window_s: tuple[float, float], cut: Cut) -> TrialWindow | None:
        margin_s = self._config.margin_s
        samples = cut(at_s + window_s[0] - margin_s, at_s + window_s[1] + margin_s)
        if samples is None or not np.isfinite(samples).any():
            return None
        n = round(margin_s * self._sfreq_hz)
        return trial_window(samples, self._sfreq_hz, self._config.bands, (n, n), self._config.n_bins)


def _matches(label: str, globs: tuple[str, ...]) -> bool:
    return any(fnmatchcase(label, glob) for glob in globs)
