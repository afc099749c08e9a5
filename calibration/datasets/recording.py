"""From recordings to labelled epochs, by cranking the very stages that run live.

Acquisition, chain, epoch builder and scorer are those of `pipeline/session.py`; nothing is filtered or cut in any other
way, so an epoch in training is bit for bit the epoch that the decoder will get.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from engines.errors import InputError
from pipeline.acquire import Acquisition
from pipeline.clock import Clock, LslClock
from pipeline.decode import DecodeLoop
from pipeline.epochs import EpochBuilder, EpochConfig
from pipeline.fit_chain import Stretch
from pipeline.preprocess import Chain, ChainConfig
from pipeline.scoring import Events, Scorer
from pipeline.sources.base import Source
from pipeline.timing import Ledger
from pipeline.types import Array, Epoch, Marker, Onset, StreamInfo

Labels = NDArray[np.int64]
OpenSource = Callable[[], Source]
ODD = "another class than its trial"


@dataclass(frozen=True)
class EpochSet:
    """Labelled epochs of one or more files, sorted by file and onset.

    `data` (n, n_channels, n_samples) in microvolts; per epoch `labels` (index into `classes`), `onset_s`, `file`, and
    `begun`, the trial it belongs to where the recording has markers for that, else None. `number` counts onsets within
    a file, so that sets cut from the same files with other windows can be matched.
    """

    data: Array
    labels: Labels
    onset_s: Array
    file: Labels
    number: Labels
    classes: tuple[str, ...]
    channels: tuple[str, ...]
    sfreq_hz: float
    epoch: EpochConfig
    info: StreamInfo
    begun: Labels | None = None
    rejected: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def key(self) -> Labels:
        """One number per epoch that is equal for the same onset in sets with other windows."""
        return self.file * (1 << 32) + self.number

    def take(self, index: NDArray[np.bool_] | Labels) -> "EpochSet":
        """Some of the epochs."""
        return replace(
            self,
            data=self.data[index],
            labels=self.labels[index],
            onset_s=self.onset_s[index],
            file=self.file[index],
            number=self.number[index],
            begun=None if self.begun is None else self.begun[index],
        )


@dataclass(frozen=True)
class Survey:
    """What a file holds, before anything is filtered: its stream and its markers in the order they came."""

    info: StreamInfo
    markers: tuple[Marker, ...]


def survey(source: Source, unit: str | None = None, clock: Clock | None = None) -> Survey:
    """Read a source once for its markers.

    Raises:
        StreamMissing, FileUnreadable: from the source.
        UnitUnknown: the stream declares no unit and none is given.
    """
    acquisition = Acquisition(source, clock or LslClock(), Ledger(), unit)
    acquisition.open()
    markers: list[Marker] = []
    try:
        acquisition.require_microvolts()
        while acquisition.step(0.0):
            markers += acquisition.markers.take_all()
            acquisition.boundaries.take_all()
        markers += acquisition.markers.take_all()
    finally:
        acquisition.close()
    return Survey(acquisition.info, tuple(markers))


def opening(source: Source, seconds: float, unit: str | None = None) -> tuple[list[Stretch], float]:
    """The first `seconds` of a recording in stretches without a break, and the time at which they end.

    At most a minute. Raises as `survey`.
    """
    acquisition = Acquisition(source, LslClock(), Ledger(), unit)
    acquisition.open()
    try:
        acquisition.require_microvolts()
        n = min(round(seconds * acquisition.info.sfreq_hz), acquisition.ring.capacity)
        while acquisition.ring.written < n and acquisition.step(0.0):
            pass
        stop = min(n, acquisition.ring.written)
        breaks = {b.at: b for b in acquisition.boundaries.take_all() if b.at < stop}
        edges = [*breaks, stop]
        stretches: list[Stretch] = [(*acquisition.ring.copy(a, b), breaks[a]) for a, b in pairwise(edges)]
    finally:
        acquisition.close()
    return stretches, float(stretches[-1][1][-1]) if stretches else 0.0


def spacing_s(surveys: Sequence[Survey], patterns: Mapping[str, Sequence[str]]) -> float:
    """The tenth percentile of the time between onsets, infinite for a single one."""
    events = Events(patterns)
    gaps = [
        np.diff(sorted(m.time_s for m in found.markers if events.class_of(m.label) is not None)) for found in surveys
    ]
    together = np.concatenate([*gaps, np.empty(0)])
    return float(np.quantile(together, 0.1)) if together.size else float("inf")


def epochs_from(
    files: Sequence[OpenSource],
    patterns: Mapping[str, Sequence[str]],
    chain: ChainConfig,
    epoch: EpochConfig,
    *,
    unit: str | None = None,
    trial_start: str | None = None,
    frozen: Mapping[str, Array] | None = None,
    clock: Clock | None = None,
    progress: Callable[[float], None] = lambda share: None,
) -> EpochSet:
    """Cut the labelled epochs of recordings.

    `files` open one source each; `patterns` maps classes to globs on marker labels; `trial_start` is a glob on the
    markers that begin a trial of several windows. `progress` hears the share of files done.

    Raises:
        InputError: files differ in channels or rate, or no epoch was accepted.
        UnitUnknown: a stream declares no unit and none is given.
    """
    classes = tuple(patterns)
    parts = []
    for number, open_source in enumerate(files):
        parts.append(_cut(open_source(), number, patterns, chain, epoch, unit, trial_start, frozen or {}, clock))
        progress((number + 1) / len(files))
    _require_alike(parts)
    accepted = [(part, e) for part in parts for e in part.accepted]
    rejected = sum((part.rejected for part in parts), Counter[str]())
    if not accepted:
        reasons = ", ".join(f"{reason}: {n}" for reason, n in rejected.items()) or "no marker matched the patterns"
        raise InputError(f"expected epochs of {', '.join(classes)}; got none ({reasons}); see `afterimage info FILE`")
    first = parts[0]
    return EpochSet(
        data=np.stack([e.data for _, e in accepted]),
        labels=np.array([classes.index(part.scorer.truth[e.trial]) for part, e in accepted]),
        onset_s=np.array([e.onset_s for _, e in accepted]),
        file=np.array([part.number for part, _ in accepted]),
        number=np.array([e.trial for _, e in accepted]),
        classes=classes,
        channels=first.channels,
        sfreq_hz=first.sfreq_hz,
        epoch=epoch,
        info=first.info,
        begun=np.array([part.scorer.trial_of.get(e.trial, 0) for part, e in accepted]) if trial_start else None,
        rejected=dict(rejected),
    )


@dataclass(frozen=True)
class _Cut:
    number: int
    info: StreamInfo
    channels: tuple[str, ...]
    sfreq_hz: float
    accepted: list[Epoch]
    rejected: Counter[str]
    scorer: Scorer


def _cut(
    source: Source,
    number: int,
    patterns: Mapping[str, Sequence[str]],
    chain_config: ChainConfig,
    epoch: EpochConfig,
    unit: str | None,
    trial_start: str | None,
    frozen: Mapping[str, Array],
    clock: Clock | None,
) -> _Cut:
    """Crank one source to its end."""
    clock, ledger = clock or LslClock(), Ledger()
    acquisition = Acquisition(source, clock, ledger, unit)
    acquisition.open()
    try:
        acquisition.require_microvolts()
        chain = Chain(chain_config, acquisition.info, frozen)
        builder = EpochBuilder(epoch, len(chain.channels), chain.sfreq_hz)
        loop = DecodeLoop(acquisition, chain, builder, None, clock, ledger)
        scorer = Scorer(Events(patterns, trial_start))
        epochs = list(cranked(acquisition, loop, scorer.take))
    finally:
        acquisition.close()
    accepted = sorted((e for e in epochs if e.rejected is None), key=lambda e: e.onset_s)
    odd = _odd_ones(scorer)
    kept = [e for e in accepted if e.trial not in odd]
    rejected = Counter(e.rejected for e in epochs if e.rejected is not None)
    if len(kept) < len(accepted):
        rejected[ODD] = len(accepted) - len(kept)
    return _Cut(number, acquisition.info, chain.channels, chain.sfreq_hz, kept, rejected, scorer)


def cranked(acquisition: Acquisition, loop: DecodeLoop, take: Callable[[Marker], Onset | None]) -> Iterator[Epoch]:
    """The epochs of an open recording to its end, accepted and rejected; `take` says which markers are onsets."""
    more = True
    while more:
        more = acquisition.step(0.0)
        if not more:
            acquisition.end()
        for marker in acquisition.markers.take_all():
            onset = take(marker)
            if onset is not None:
                loop.onsets.put(onset)
        acquisition.events.take_all()
        more = loop.step(0.0) or more
        yield from loop.take()[0]
    loop.finish()
    yield from loop.take()[0]


def _odd_ones(scorer: Scorer) -> set[int]:
    """Onsets that name another class than the first of their trial: a fault of the paradigm."""
    first: dict[int, str] = {}
    return {
        onset
        for onset, trial in scorer.trial_of.items()
        if first.setdefault(trial, scorer.truth[onset]) != scorer.truth[onset]
    }


def _require_alike(parts: Sequence[_Cut]) -> None:
    first = parts[0]
    for part in parts[1:]:
        if part.channels != first.channels or part.sfreq_hz != first.sfreq_hz:
            raise InputError(
                f"expected recordings of one set-up; file 1 has {len(first.channels)} channels at "
                f"{first.sfreq_hz:g} Hz "
                f"({', '.join(first.channels)}), file {part.number + 1} has {len(part.channels)} at "
                f"{part.sfreq_hz:g} Hz ({', '.join(part.channels)}); calibrate on files that match"
            )


def matched(sets: Mapping[str, EpochSet]) -> dict[str, EpochSet]:
    """The sets cut down to the onsets that all of them accepted, so that systems are compared on the same trials."""
    common = reduce(np.intersect1d, (one.key for one in sets.values()))
    return {name: one.take(np.isin(one.key, common)) for name, one in sets.items()}
