"""The coupling worker: from the raw ring to the live map, at its own pace, beside the decoding.

It reads the ring of the acquisition at the stream's own rate, unfiltered and in the recorded reference, so that bands
above the decoding chain's are there too. It takes nothing that the decoder needs: it reads the list of boundaries and
the ring, never their queues, and what it is too slow for it leaves out and counts.
"""

from collections.abc import Callable, Collection

import numpy as np
from numpy.typing import NDArray

from engines.errors import InputError
from pipeline.acquire import Acquisition
from pipeline.channels import Latest, Lossless
from pipeline.clock import Clock
from pipeline.coupling.comodulogram import Comodulogram, Grid, Piece, comodulogram
from pipeline.coupling.live import ESTIMATOR, Estimate, LiveEstimator
from pipeline.coupling.values import CouplingConfig, CouplingMap, TrialCoupling
from pipeline.errors import Overrun
from pipeline.live_trials import TrialLoop
from pipeline.timing import Ledger
from pipeline.types import Array, Kind, Marker

# Markers that wait for a worker that is dead or slow; newer ones are left out, since nothing here may stop a session.
MAX_MARKERS = 1024


class CouplingLoop:
    """Makes maps while samples come; `step` is one crank.

    `newest_map`, `newest_comodulogram` and `newest_trial` are the newest of each, None before the first. `off` says why
    there will never be a map ("" when there may), `waiting` why there is none at the moment, such as the time since a
    gap; a window should grey what it shows while `waiting` is not "".

    Thread: coupling only; `offer` may be called by one other, everything public read by any.
    """

    def __init__(
        self,
        acquisition: Acquisition,
        config: CouplingConfig,
        clock: Clock,
        ledger: Ledger,
        bads: Callable[[], Collection[str]] = tuple,
    ) -> None:
        info = acquisition.info
        self.config = config
        self.n_missed = self.n_updates = 0
        self._acquisition, self._clock, self._ledger, self._bads = acquisition, clock, ledger, bads
        self._markers: Lossless[Marker] = Lossless(MAX_MARKERS)
        self._rows = [i for i, c in enumerate(info.channels) if c.kind is Kind.EEG]
        self.channels = tuple(info.channels[i].name for i in self._rows)
        self._map: Latest[CouplingMap] = Latest()
        self._comodulogram: Latest[Comodulogram] = Latest()
        self._trial: Latest[TrialCoupling] = Latest()
        self._n = round((config.window_s + 2 * config.margin_s) * info.sfreq_hz)
        self.off = self._why_off() or self._build()
        self.waiting = self.off

    def _build(self) -> str:
        """Make what makes the maps; answers why that is impossible."""
        config, sfreq_hz = self.config, self._acquisition.info.sfreq_hz
        try:
            self._estimator = LiveEstimator(
                config.bands, sfreq_hz, self._n, config.margin_s, config.n_surrogates, config.n_bins
            )
        except InputError as error:
            return str(error)
        self._step_n = max(1, round(sfreq_hz / config.updates_hz))
        self._due = max(self._n, self._acquisition.ring.written)
        self._grid = Grid.up_to(sfreq_hz, config.bands.mains_hz)
        self._trials = TrialLoop(config, sfreq_hz, self.channels)
        return ""

    def _why_off(self) -> str:
        info = self._acquisition.info
        if info.sfreq_hz <= 0:
            return f"stream {info.name!r} has no regular rate: no coupling"
        if not self._rows:
            return f"stream {info.name!r} has no EEG channel: no coupling"
        if self._n > self._acquisition.ring.capacity:
            return f"a window of {self._n / info.sfreq_hz:g} s is longer than what is kept in memory: no coupling"
        return self.config.bands.why_not(info.sfreq_hz)

    # What there is to see.

    @property
    def newest_map(self) -> CouplingMap | None:
        """The newest live map."""
        return self._map.get()

    @property
    def newest_comodulogram(self) -> Comodulogram | None:
        """The newest comodulogram, of the channel that was strongest when it was made."""
        return self._comodulogram.get()

    @property
    def newest_trial(self) -> TrialCoupling | None:
        """The newest trial's coupling."""
        return self._trial.get()

    def offer(self, marker: Marker) -> None:
        """A marker came. Left out, and counted as missed, where too many wait. Thread: any one other."""
        if len(self._markers) < MAX_MARKERS:
            self._markers.put(marker)
        else:
            self.n_missed += 1

    # The step.

    def step(self, timeout_s: float = 0.1) -> bool:
        """Make what is due; wait up to `timeout_s` for it. False when the source has ended, or nothing can be made."""
        acquisition = self._acquisition
        if self.off:
            return False
        ended = acquisition.ended
        acquisition.wait_for(self._due - 1, timeout_s)
        written = acquisition.ring.written
        try:
            self._follow_trials(written)
            if written >= self._due:
                self._update(written)
        except Overrun:
            self.n_missed += 1  # the window was overwritten while it was read
        return not ended or acquisition.ring.written > written

    def _update(self, stop: int) -> None:
        """One map of the newest samples; what was due before them is missed."""
        late = (stop - self._due) // self._step_n
        self.n_missed += late
        self._due += (late + 1) * self._step_n
        start = stop - self._n
        missing = self._segment_start(stop) - start
        if missing > 0:
            left_s = missing / self._acquisition.info.sfreq_hz
            self.waiting = f"{left_s:.1f} s more of unbroken signal are needed"
            return
        began_s = self._clock.now_s()
        samples, at_s = self._read(start, stop)
        usable = self._usable(samples)
        if not usable.any():
            self.waiting = "every channel is bad or flat"
            return
        estimate = self._estimator(samples[usable])
        self.n_updates += 1
        made = self._published(estimate, usable, at_s)
        self._map.put(made)
        self.waiting = ""
        self._ledger.add("coupling", self._clock.now_s() - began_s)
        if (self.n_updates - 1) % self.config.comodulogram_every == 0:
            self._update_comodulogram(made, samples)

    def _segment_start(self, stop: int) -> int:
        """The first sample without a break up to `stop`."""
        return max((b.at for b in self._acquisition.aligner.boundaries if b.at < stop), default=0)

    def _read(self, start: int, stop: int) -> tuple[Array, float]:
        data, times_s = self._acquisition.ring.view(start, stop)
        samples, at_s = data[self._rows], float(times_s[-1])
        self._acquisition.ring.check(start)
        return samples, at_s

    def _usable(self, samples: Array) -> NDArray[np.bool_]:
        bads = frozenset(self._bads())
        known = np.array([name not in bads for name in self.channels])
        return np.asarray(known & np.isfinite(samples).all(axis=1) & (np.ptp(samples, axis=1) > 0))

    def _published(self, estimate: Estimate, usable: NDArray[np.bool_], at_s: float) -> CouplingMap:
        found = estimate.significance

        def spread(values: Array) -> Array:
            whole = np.full((usable.size, *values.shape[1:]), np.nan)
            whole[usable] = values
            whole.flags.writeable = False
            return whole

        means = np.asarray(estimate.means, np.float64)
        return CouplingMap(
            number=self.n_updates,
            n_missed=self.n_missed,
            at_s=at_s - self.config.margin_s,
            window_s=self.config.window_s,
            bands=self.config.bands,
            channels=self.channels,
            usable=usable,
            mi=spread(estimate.mi),
            z=spread(found.z),
            p=spread(found.p),
            p_family=spread(found.p_family),
            excess=spread(estimate.mi - found.surrogate_mean),
            histograms=spread(means / means.sum(axis=1, keepdims=True)),
            n_surrogates=found.n_surrogates,
            estimator=ESTIMATOR,
        )

    def _update_comodulogram(self, made: CouplingMap, samples: Array) -> None:
        if self._grid is None or made.strongest is None:
            return
        began_s = self._clock.now_s()
        config, name = self.config, self.channels[made.strongest]
        rate_hz = self._acquisition.info.sfreq_hz
        cut = round(config.margin_s * rate_hz)
        piece = Piece(samples[made.strongest : made.strongest + 1], (cut, cut))
        self._comodulogram.put(comodulogram([piece], rate_hz, self._grid, name, config.n_bins))
        self._ledger.add("comodulogram", self._clock.now_s() - began_s)

    def _follow_trials(self, written: int) -> None:
        for marker in self._markers.take_all():
            self._trials.take(marker)
        if not written:
            return
        ring = self._acquisition.ring
        newest_s = float(ring.view(written - 1, written)[1][0])
        trial = self._trials.settled(newest_s, lambda start_s, stop_s: self._window(start_s, stop_s, written))
        if trial is not None:
            self._trial.put(trial)

    def _window(self, start_s: float, stop_s: float, written: int) -> Array | None:
        """The samples from a time to a time, (n_channels, n), bad channels NaN; None where they are broken or gone."""
        ring, rate_hz = self._acquisition.ring, self._acquisition.info.sfreq_hz
        n = round((stop_s - start_s) * rate_hz)
        oldest = ring.oldest
        _, times_s = ring.view(oldest, written)
        nearest = int(np.searchsorted(times_s, start_s - 0.5 / rate_hz))
        first = oldest + nearest
        if first + n > written or abs(times_s[nearest] - start_s) > 1 / rate_hz:
            return None
        if self._segment_start(first + n) > first:
            return None
        samples, _ = self._read(first, first + n)
        return np.where(self._usable(samples)[:, None], samples, np.nan)
