"""From a recording to trials of two windows, by cranking the very stages that run live."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from calibration.datasets.recording import OpenSource, cranked
from calibration.decoding.trials import Floats
from calibration.stimuli import Item
from pipeline.acquire import Acquisition
from pipeline.anytime import TrialWindows, Windows
from pipeline.clock import Clock, LslClock
from pipeline.decode import DecodeLoop
from pipeline.encode import standardised
from pipeline.preprocess import Chain, ChainConfig
from pipeline.scoring import Events, Scorer
from pipeline.timing import Ledger
from pipeline.types import Array, Epoch, Marker, Onset, StreamInfo

PICTURE_MARK = "stim/"
NO_TURN = "no turn after the picture"
ANOTHER_TURNED = "another object turned than was shown"


@dataclass(frozen=True, eq=False)
class CutTrial:
    """One trial: what was shown, when, and both windows (channel, time), each standardised by itself."""

    item: Item
    onset_s: float
    static: Floats
    dynamic: Floats


@dataclass(frozen=True, eq=False)
class CutRecording:
    """The trials of one recording in their order, and why others are not among them."""

    info: StreamInfo
    channels: tuple[str, ...]
    sfreq_hz: float
    trials: tuple[CutTrial, ...]
    rejected: Counter[str] = field(default_factory=Counter)


def cut(
    open_source: OpenSource,
    chain_config: ChainConfig,
    windows: Windows,
    *,
    unit: str | None = None,
    frozen: Mapping[str, Array] | None = None,
    clock: Clock | None = None,
) -> CutRecording:
    """The trials of one source: a picture (`stim/category/object`) and the turn of the same object soon after.

    Raises:
        StreamMissing, FileUnreadable: from the source.
        StreamMismatch: the chain does not fit the stream.
        UnitUnknown: the stream declares no unit and none is given.
    """
    clock, ledger = clock or LslClock(), Ledger()
    acquisition = Acquisition(open_source(), clock, ledger, unit)
    acquisition.open()
    try:
        acquisition.require_microvolts()
        chain = Chain(chain_config, acquisition.info, frozen or {})
        builder = TrialWindows(windows, len(chain.channels), chain.sfreq_hz, chain_config.high_hz)
        loop = DecodeLoop(acquisition, chain, builder, None, clock, ledger)
        kept = _Kept(windows)
        for epoch in cranked(acquisition, loop, kept.take):
            kept.keep(epoch)
    finally:
        acquisition.close()
    return CutRecording(acquisition.info, chain.channels, chain.sfreq_hz, kept.trials(), kept.rejected())


class _Kept:
    """What was shown in each trial, and what became of it."""

    def __init__(self, windows: Windows) -> None:
        self._scorer = Scorer(Events({"picture": [f"{PICTURE_MARK}*/*"]}, turn=windows.turn))
        self._items: dict[int, Item] = {}
        self._trials: dict[int, CutTrial] = {}
        self._lost: dict[int, str] = {}

    def take(self, marker: Marker) -> Onset | None:
        onset = self._scorer.take(marker)
        if onset is None:
            return None
        _, _, key = marker.label.partition("/")
        if onset.part == "static":
            category, _, name = key.partition("/")
            self._items[onset.trial] = Item(category, name)
            self._lost[onset.trial] = NO_TURN
        elif key and self._items[onset.trial].key != key:
            self._lost[onset.trial] = ANOTHER_TURNED
            return None
        return onset

    def keep(self, epoch: Epoch) -> None:
        trial = epoch.trial
        if epoch.rejected is not None:
            self._lost[trial] = f"{'picture' if epoch.part == 'static' else 'turn'}: {epoch.rejected}"
        elif epoch.static is not None:
            static, dynamic = standardised(epoch.static.data), standardised(epoch.data)
            self._trials[trial] = CutTrial(self._items[trial], epoch.static.onset_s, static, dynamic)
            del self._lost[trial]

    def trials(self) -> tuple[CutTrial, ...]:
        return tuple(self._trials[number] for number in sorted(self._trials))

    def rejected(self) -> Counter[str]:
        return Counter(self._lost.values())
