"""The decoding chain: from raw microvolts to clean, referenced samples at the model's rate, causally and exactly.

Order: hold non-finite samples, filter, regress eye movements, interpolate bad channels, re-reference, resample, remove
artifact subspaces (docs/decisions/0050-chain-order-and-filters.md). The same chain runs live, in replay and in
calibration; what it fits (`pipeline.fit_chain`) is frozen and stored with the model.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines.errors import InputError
from pipeline import montage
from pipeline.asr import BLOCK_S as ASR_BLOCK_S
from pipeline.asr import SubspaceCleaner
from pipeline.errors import StreamMismatch
from pipeline.filters import (
    Blocks,
    Cascade,
    Resampler,
    Samples,
    design,
    group_delay_s,
    joined,
    no_samples,
    settling_samples,
)
from pipeline.holding import Holder
from pipeline.quality import ChannelQuality, Monitor
from pipeline.spatial import Interpolator, Reference, weighted
from pipeline.types import Array, Block, Boundary, BoundaryKind, Channel, Kind, StreamInfo

# A gap up to this long is bridged in the filter state; after a longer one the filters start again.
BRIDGE_S = 0.1
# Gap lengths are compared with this much slack, in samples: times carry jitter.
TIME_SLACK = 0.5
# Band edges end here, as a fraction of the sampling rate.
BAND_LIMIT = 0.45
# Where `Chain.group_delay_s` is stated.
DELAY_STATED_AT_HZ = 10.0
# Keys of `Chain.frozen`.
EOG_WEIGHTS = "eog_weights"


@dataclass(frozen=True)
class ChainConfig:
    """What the chain does; frozen with the model.

    `low_hz`, `high_hz` edges of the Butterworth high-pass and low-pass (None leaves one out) with their orders;
    `mains_hz` 50, 60 or None; `rate_hz` the rate of the output, None for the stream's own; `reference` "average",
    "mastoids", "none", or electrode names separated by commas; `bads` channels that the user calls bad;
    `interpolate_bads` judges channels live too, interpolates the bad ones and keeps them out of the reference;
    `eog_regression` and `asr` need arrays fitted by `pipeline.fit_chain.fit_frozen` on calibration data;
    `asr_cutoff_sd` as in Chang et al. 2020 (20 to 30 removes artifacts and keeps EEG).

    Raises:
        InputError: a value that no stream could be filtered with.
    """

    low_hz: float | None = 0.5
    high_hz: float | None = 45.0
    low_order: int = 2
    high_order: int = 4
    mains_hz: float | None = 50.0
    rate_hz: float | None = None
    reference: str = "average"
    bads: tuple[str, ...] = ()
    interpolate_bads: bool = True
    eog_regression: bool = False
    asr: bool = False
    asr_cutoff_sd: float = 20.0

    def __post_init__(self) -> None:
        if self.mains_hz not in (None, 50.0, 60.0):
            raise InputError(f"mains_hz: expected 50, 60 or none, got {self.mains_hz}")
        for name in ("low_hz", "high_hz", "rate_hz", "asr_cutoff_sd"):
            value = getattr(self, name)
            if value is not None and not (np.isfinite(value) and value > 0):
                raise InputError(f"{name}: expected a number above 0, got {value}")
        if self.low_hz is not None and self.high_hz is not None and self.low_hz >= self.high_hz:
            raise InputError(f"the band must go up; got {self.low_hz} to {self.high_hz} Hz")
        for name in ("low_order", "high_order"):
            if getattr(self, name) not in range(1, 9):
                raise InputError(f"{name}: expected 1 to 8, got {getattr(self, name)}")
        if not self.reference.strip(", "):
            raise InputError('reference: expected "average", "mastoids", "none" or electrode names, got nothing')

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "bads": list(self.bads)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "ChainConfig":
        """The inverse of `to_dict`.

        Raises:
            InputError: a field this version does not know, or a wrong value.
        """
        unknown = sorted(set(values) - {field.name for field in fields(cls)})
        if unknown:
            raise InputError(f"a decoding chain has no {', '.join(unknown)}; it was written by another version")
        return cls(**{**values, "bads": tuple(values.get("bads", ()))})


class Chain:
    """Runs the configured steps over one stream.

    `channels` are the names of the output rows: the EEG channels by their 10-05 name where they have one, without
    those that serve as the reference. `eeg_names` are all EEG channels in the stream's order, `positions` their places
    in metres (head frame) or None. `notes` says what could not be done and why.

    Thread: decode only.
    """

    def __init__(self, config: ChainConfig, info: StreamInfo, frozen: Mapping[str, Array] | None = None) -> None:
        """Raises StreamMismatch when the stream cannot be processed this way; the message says why."""
        _check_rates(config, info)
        self.config = config
        self.frozen: dict[str, Array] = dict(frozen or {})
        self._sfreq_in_hz = info.sfreq_hz
        self.sfreq_hz = config.rate_hz or info.sfreq_hz
        self._choose_channels(info)
        self._build(info)
        self._restart()

    def _choose_channels(self, info: StreamInfo) -> None:
        self._eeg = [i for i, c in enumerate(info.channels) if c.kind is Kind.EEG]
        self._eog = [i for i, c in enumerate(info.channels) if c.kind is Kind.EOG and self.config.eog_regression]
        self._rows = self._eeg + self._eog
        if self.config.eog_regression and not self._eog:
            raise StreamMismatch(f"eye movements cannot be regressed out: stream {info.name!r} has no EOG channel")
        eeg = [info.channels[i] for i in self._eeg]
        if not eeg:
            raise StreamMismatch(f"stream {info.name!r} has no EEG channel among its {info.n_channels}")
        labels = [c.name for c in eeg]
        self.eeg_names = tuple(n or label for n, label in zip(montage.canonical_names(labels), labels, strict=True))
        self.positions = _positions(eeg, self.eeg_names)
        serving = _serving(self.config.reference, self.eeg_names)
        self._out = [i for i in range(len(eeg)) if i not in serving]
        if not self._out:
            raise StreamMismatch(f"every EEG channel of {info.name!r} is part of the reference; none is left")
        self.channels = tuple(self.eeg_names[i] for i in self._out)
        self._explicit = bool(serving)
        if self.config.reference == "average":
            # The average of one channel is that channel: nothing would be left of it.
            self._reference = Reference(self.eeg_names, range(len(eeg)), fewest=2)
        else:
            self._reference = Reference(self.eeg_names, serving)

    def _build(self, info: StreamInfo) -> None:
        c = self.config
        self._sos = design(info.sfreq_hz, c.low_hz, c.high_hz, c.low_order, c.high_order, c.mains_hz)
        self._cascade = Cascade(self._sos)
        self._resampler = None
        if self.sfreq_hz != info.sfreq_hz:
            self._resampler = Resampler(info.sfreq_hz, self.sfreq_hz, c.high_hz or BAND_LIMIT * self.sfreq_hz)
        self._n_settling = settling_samples(self._sos) + (self._resampler.n_memory if self._resampler else 0)
        # After a long run without numbers a channel steps back by any offset: twice the time settles to 0.01 %.
        self._holder = Holder(len(self._rows), round(BRIDGE_S * info.sfreq_hz), recovery=2 * self._n_settling)
        self.monitor = Monitor(self.eeg_names, info.sfreq_hz, c.mains_hz, in_microvolts=info.unit is not None)
        if self._eog:
            self._eog_weights = self._stored(EOG_WEIGHTS, (len(self._eeg), len(self._eog)))
        self._cleaner = SubspaceCleaner(self.frozen, len(self._out), self.sfreq_hz) if c.asr else None
        self._interpolator = Interpolator(self.eeg_names, self.positions)
        self._fixed_bads = self._rows_named(c.bads)
        self._call_bad(self._fixed_bads)
        self._blocks = Blocks()
        self._last: tuple[Array, float] | None = None

    def _rows_named(self, names: Sequence[str]) -> frozenset[int]:
        wanted = {montage.canonical(name) or name for name in names} | set(names)
        return frozenset(i for i, name in enumerate(self.eeg_names) if name in wanted)

    def _stored(self, key: str, shape: tuple[int, ...]) -> Array:
        if key not in self.frozen:
            raise StreamMismatch(
                f"the chain needs {key} fitted on calibration data, and the model holds none; refit it"
            )
        if self.frozen[key].shape != shape:
            raise StreamMismatch(
                f"{key} was fitted for (EEG, EOG) channels {self.frozen[key].shape}, and this stream has {shape}"
            )
        return self.frozen[key]

    @property
    def settling_s(self) -> float:
        """How long the filters settle after a start."""
        return self._n_settling / self._sfreq_in_hz

    @property
    def settling_left_s(self) -> float:
        """How long they still settle from the newest sample on."""
        return self._left / self._sfreq_in_hz

    @property
    def withheld_s(self) -> float:
        """How long a sample may wait in the chain for others that it is processed with, beside its filter delay."""
        return (ASR_BLOCK_S if self._cleaner else 0.0) + (1.0 / self._sfreq_in_hz if self._resampler else 0.0)

    def group_delay_at_s(self, freqs_hz: Array) -> Array:
        """Delay of the chain in seconds at `freqs_hz` (n,); a feature of that frequency shows this much later."""
        delay = group_delay_s(self._sos, freqs_hz, self._sfreq_in_hz)
        return delay + self._resampler.group_delay_s(freqs_hz) if self._resampler else delay

    @property
    def group_delay_s(self) -> float:
        """Delay at `DELAY_STATED_AT_HZ`."""
        return float(self.group_delay_at_s(np.array([DELAY_STATED_AT_HZ]))[0])

    @property
    def bads(self) -> tuple[str, ...]:
        """Channels that count as bad now."""
        return tuple(self.eeg_names[i] for i in sorted(self._bad))

    @property
    def quality(self) -> tuple[ChannelQuality, ...]:
        """Every EEG channel (`eeg_names`, reference included) in the newest 1 s block. Thread: any."""
        return self.monitor.channels

    @property
    def notes(self) -> tuple[str, ...]:
        """What could not be done now, and why."""
        return tuple(note for note in (self._interpolator.why_not, self._reference.note) if note)

    def process(self, data_uv: Array, times_s: Array, boundary: Boundary | None = None) -> Block:
        """Take `data_uv` (n_channels of the stream, n) and its `times_s` (n,), give what became complete.

        `boundary` says that a new segment starts with the first of these samples (there must be one). The block may
        hold fewer samples than came, or none; its `boundary` then comes with the next sample. Samples at which a
        channel in use had no finite value (or recovers from a long run without) are NaN in every channel.
        """
        if data_uv.shape[1] == 0:
            return self._blocks.of(no_samples(len(self._out)))
        if boundary is not None:
            self._begin_segment(boundary)
        raw = data_uv[self._rows]
        held, lost = self._holder.push(raw)
        if boundary is not None and self._last is not None:
            self._bridge(boundary.n_lost, held[:, 0], float(times_s[0]))
        self._last = held[:, -1].copy(), float(times_s[-1])
        samples = self._judged(raw, self._filter(held, times_s), lost)
        return self._blocks.of(self._cleaned(self._reduce(samples)))

    def _begin_segment(self, boundary: Boundary) -> None:
        self._blocks.begin_segment(boundary)
        self.monitor.restart_block()
        if self._cleaner:
            self._cleaner.drop_partial()
        period_s = 1.0 / self._sfreq_in_hz
        silent_s = max(boundary.n_lost * period_s, boundary.stop_s - boundary.start_s - period_s)
        if boundary.kind is not BoundaryKind.GAP or silent_s > BRIDGE_S + TIME_SLACK * period_s:
            self._restart()

    def _restart(self) -> None:
        self._cascade.restart()
        self._holder.restart()
        for stage in (self._resampler, self._cleaner):
            if stage is not None:
                stage.restart()
        self._left = self._n_settling
        self._last = None

    def _bridge(self, n_lost: int, to: Array, at_s: float) -> None:
        """Carry the filters over `n_lost` samples on a straight line; what they give on the way is thrown away."""
        if self._last is None or n_lost == 0:
            return
        start, start_s = self._last
        way = np.arange(1, n_lost + 1) / (n_lost + 1)
        line = start[:, None] + (to - start)[:, None] * way
        self._reduce(self._across_channels(self._filter(line, start_s + (at_s - start_s) * way)))

    def _filter(self, held: Array, times_s: Array) -> Samples:
        n = times_s.size
        settled = np.arange(n) >= self._left
        self._left = max(0, self._left - n)
        return Samples(self._cascade.push(held), times_s.copy(), settled, np.ones(n, dtype=np.bool_))

    def _judged(self, raw: Array, samples: Samples, lost: NDArray[np.bool_] | None) -> Samples:
        """Every piece is cleaned with the verdicts of the blocks before it, then judged itself."""
        n_eeg = len(self._eeg)
        pieces = []
        for cut in self.monitor.cuts(samples.n):
            piece = samples.cut(cut)
            if lost is not None:
                piece = replace(piece, usable=np.logical_not(lost[self._counting, cut].any(axis=0)))
            pieces.append(self._across_channels(piece))
            is_new = self.monitor.push(raw[:n_eeg, cut], piece.data[:n_eeg], bool(piece.settled.all()))
            if is_new and self.config.interpolate_bads:
                self._call_bad(self._fixed_bads | self.monitor.bad)
        return joined(pieces)

    def _across_channels(self, samples: Samples) -> Samples:
        data = samples.data[: len(self._eeg)].copy()
        if self._eog:
            data -= weighted(self._eog_weights, samples.data[len(self._eeg) :])
        self._interpolator.apply(data)
        self._reference.apply(data)
        return replace(samples, data=data[self._out])

    def _reduce(self, samples: Samples) -> Samples:
        return self._resampler.push(samples) if self._resampler else samples

    def _cleaned(self, samples: Samples) -> Samples:
        return self._cleaner.push(samples) if self._cleaner else samples

    def _call_bad(self, bad: frozenset[int]) -> None:
        self._bad = bad
        self._counting = [i for i in range(len(self._rows)) if i not in bad]
        self._interpolator.prepare(bad)
        self._reference.prepare(bad if self._explicit else self._interpolator.left_out)


def _check_rates(config: ChainConfig, info: StreamInfo) -> None:
    if info.sfreq_hz <= 0:
        raise StreamMismatch(f"stream {info.name!r} has no regular rate; filtering needs one")
    rate_hz = min(info.sfreq_hz, config.rate_hz or info.sfreq_hz)
    highest_hz = max(config.low_hz or 0.0, config.high_hz or 0.0)
    # 45 Hz at 100 Hz is allowed, and 0.45 x 100 rounds to just below 45.
    if highest_hz > BAND_LIMIT * rate_hz * (1 + 1e-9):
        raise StreamMismatch(
            f"the band ends at {highest_hz:g} Hz, and {rate_hz:g} Hz carries up to {BAND_LIMIT} x {rate_hz:g} = "
            f"{BAND_LIMIT * rate_hz:g} Hz; lower the edge or use a faster stream"
        )


def _serving(reference: str, names: Sequence[str]) -> tuple[int, ...]:
    """Rows that serve as the reference and leave the output; none for the average and for no reference."""
    if reference in ("average", "none"):
        return ()
    if reference == "mastoids":
        rows = tuple(i for i, name in enumerate(names) if name in montage.MASTOIDS)
        if not rows:
            raise StreamMismatch("the reference is the mastoids, and the stream has none of M1, M2, A1, A2")
        return rows
    wanted = [name.strip() for name in reference.split(",") if name.strip()]
    wanted = [name if name in names else montage.canonical(name) or name for name in wanted]
    missing = [name for name in wanted if name not in names]
    if missing:
        raise StreamMismatch(f"the reference needs {', '.join(missing)}; the stream has {', '.join(names)}")
    return tuple(names.index(name) for name in wanted)


def _positions(eeg: Sequence[Channel], names: Sequence[str]) -> list[montage.Position | None]:
    """Declared positions when every channel has one, else those of the template: the two are not mixed."""
    if all(c.position_m is not None for c in eeg):
        return [c.position_m for c in eeg]
    template = montage.positions(names)
    return [template.get(name) for name in names]
