"""From a recording to trials of two windows, by cranking the very stages that run live."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from calibration.datasets.recording import OpenSource
from calibration.stimuli import Item
from pipeline.acquire import Acquisition
from pipeline.anytime import Windows
from pipeline.clock import Clock, LslClock
from pipeline.decode import DecodeLoop
from pipeline.epochs import EpochBuilder
from pipeline.preprocess import BAND_LIMIT, Chain, ChainConfig
from pipeline.second_rate import SecondRate
from pipeline.timing import Ledger
from pipeline.types import Array, Block, Epoch, Marker, Onset, StreamInfo

STATIC, DYNAMIC = "static", "dynamic"
PICTURE_MARK, TURN_MARK = "stim/", "turn/"
TURN_WITHIN_S = 10.0


@dataclass(frozen=True, eq=False)
class CutTrial:
    """One trial: what was shown, when, and both windows, (channel, time) in microvolts, less their baselines."""

    item: Item
    onset_s: float
    static_uv: Array
    dynamic_uv: Array


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
        builder = _TwoWindows(windows, chain)
        loop = DecodeLoop(acquisition, chain, builder, None, clock, ledger)  # type: ignore[arg-type]
        shown = _Shown()
        more = True
        while more:
            more = acquisition.step(0.0)
            if not more:
                acquisition.end()
            for marker in acquisition.markers.take_all():
                for onset in shown.take(marker):
                    loop.onsets.put(onset)
            acquisition.events.take_all()
            more = loop.step(0.0) or more
        loop.finish()
    finally:
        acquisition.close()
    return _paired(acquisition.info, chain, shown, builder)


class _Shown:
    """Which markers are pictures, and which turn belongs to which picture."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self._newest_s = float("-inf")

    def take(self, marker: Marker) -> list[Onset]:
        kind, _, key = marker.label.partition("/")
        category, _, name = key.partition("/")
        if kind == "stim" and category and name:
            self.items.append(Item(category, name))
            self._newest_s = marker.time_s
            return [Onset(len(self.items) - 1, marker.time_s, STATIC)]
        if kind == "turn" and marker.time_s - self._newest_s <= TURN_WITHIN_S:
            self._newest_s = float("-inf")
            return [Onset(len(self.items) - 1, marker.time_s, DYNAMIC)]
        return []


class _TwoWindows:
    """Both windows of each trial; the static ones at the rate of the chain, the dynamic ones at their own."""

    def __init__(self, windows: Windows, chain: Chain) -> None:
        high_hz = chain.config.high_hz or BAND_LIMIT * windows.dynamic_hz
        self._second = SecondRate(chain.sfreq_hz, windows.dynamic_hz, high_hz)
        n = len(chain.channels)
        self._builders = {
            STATIC: EpochBuilder(windows.static, n, chain.sfreq_hz),
            DYNAMIC: EpochBuilder(windows.dynamic, n, windows.dynamic_hz),
        }
        self.epochs: dict[str, dict[int, Epoch]] = {STATIC: {}, DYNAMIC: {}}

    def onset(self, onset: Onset) -> None:
        self._builders[onset.part].onset(onset)

    def push(self, block: Block) -> list[Epoch]:
        self._keep(STATIC, self._builders[STATIC].push(block))
        self._keep(DYNAMIC, self._builders[DYNAMIC].push(self._second.push(block)))
        return []

    def finish(self) -> list[Epoch]:
        for part, builder in self._builders.items():
            self._keep(part, builder.finish())
        return []

    def _keep(self, part: str, epochs: list[Epoch]) -> None:
        self.epochs[part].update({epoch.trial: epoch for epoch in epochs})


def _paired(info: StreamInfo, chain: Chain, shown: _Shown, builder: _TwoWindows) -> CutRecording:
    trials: list[CutTrial] = []
    rejected: Counter[str] = Counter()
    for number, item in enumerate(shown.items):
        static, dynamic = builder.epochs[STATIC][number], builder.epochs[DYNAMIC].get(number)
        if static.rejected is not None:
            rejected[f"picture: {static.rejected}"] += 1
        elif dynamic is None:
            rejected["no turn"] += 1
        elif dynamic.rejected is not None:
            rejected[f"turn: {dynamic.rejected}"] += 1
        else:
            trials.append(CutTrial(item, static.onset_s, static.data, dynamic.data))
    return CutRecording(info, chain.channels, chain.sfreq_hz, tuple(trials), rejected)
