"""What the window is shown at every tick: frozen values, no Qt, no session."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from pipeline.anytime import Windows
from pipeline.coupling.comodulogram import Comodulogram
from pipeline.coupling.values import CouplingConfig, CouplingMap, TrialCoupling
from pipeline.montage import Position
from pipeline.recorder.messages import RecorderStatus
from pipeline.session import View
from pipeline.types import Array, Boundary, Decision, Kind, Marker, StreamInfo


class Phase(StrEnum):
    """Where the window stands with its source."""

    IDLE = "idle"
    CONNECTING = "connecting"
    RUNNING = "running"
    CLOSING = "closing"


@dataclass(frozen=True)
class Request:
    """What the user asked to be connected: the texts of `--source` and `--markers`, a subject, a unit."""

    source: str
    title: str
    markers: tuple[str, ...] = ()
    subject: Path | None = None
    unit: str | None = None


@dataclass(frozen=True)
class Samples:
    """`data` (n_channels of the stream, n) and `times_s` (n,), the first being sample number `start`."""

    start: int
    data: Array
    times_s: Array

    @property
    def stop(self) -> int:
        """The number of the sample that comes next."""
        return self.start + self.times_s.size


@dataclass(frozen=True)
class Known:
    """What is known of a subject besides its name.

    `simulated`: it was calibrated on the simulated participant; `pocket`: a pocket model is part of it. `pictures` is
    the stimulus set of the pictures it knows, as `open_set` takes it; "" where the subject names none.
    """

    simulated: bool = False
    pocket: bool = False
    pictures: str = ""


@dataclass(frozen=True)
class Delay:
    """A delay that never changes, and what it means."""

    name: str
    ms: float
    meaning: str


@dataclass(frozen=True)
class Stream:
    """What stays the same while connected.

    `rows` are the channels drawn and `names` what they are called; `positions` of the electrodes in metres, head frame;
    `off` says why nothing is filtered or decoded; `classes` of the decoder, empty without one; `windows` of an anytime
    decoder.
    """

    info: StreamInfo
    title: str
    live: bool
    unit_known: bool
    off: str
    rows: tuple[int, ...]
    names: tuple[str, ...]
    positions: Mapping[str, Position]
    no_positions: str
    classes: tuple[str, ...]
    subject: str = ""
    windows: Windows | None = None
    known: Known = Known()
    delays: tuple[Delay, ...] = ()

    @property
    def caution(self) -> str:
        """What to say wherever an answer is shown: "simulated", "pocket model", both or ""."""
        simulated = self.info.simulated or self.known.simulated
        return " · ".join(("simulated",) * simulated + ("pocket model",) * self.known.pocket)

    @property
    def eeg_names(self) -> tuple[str, ...]:
        """The electrodes among the channels drawn."""
        kinds = (self.info.channels[row].kind for row in self.rows)
        return tuple(name for name, kind in zip(self.names, kinds, strict=True) if kind is Kind.EEG)


@dataclass(frozen=True)
class Scored:
    """One decision beside what was true: category, colour and key of the picture (None: no label known)."""

    decision: Decision
    true: str | None
    true_colour: str | None = None
    true_key: str | None = None

    @property
    def right(self) -> bool | None:
        """None when nobody knows."""
        return None if self.true not in self.decision.classes else self.decision.top == self.true


@dataclass(frozen=True)
class Score:
    """Balanced accuracy so far over `n` decisions with a known label, its 95 % interval, and chance."""

    n: int
    mean: float
    low: float
    high: float
    chance: float


@dataclass(frozen=True, eq=False)
class Latency:
    """Where the time goes, as of the last second.

    `steps` of the session's ledger and `seen` of the window's own: {stage: {median, p95, p99, max, n}} in ms.
    `n_skipped` refined answers were left out because the decoder is too slow.
    """

    steps: Mapping[str, Mapping[str, float]]
    seen: Mapping[str, Mapping[str, float]]
    n_skipped: int = 0


@dataclass(frozen=True, eq=False)
class Coupling:
    """The live coupling: the newest of each, None before the first.

    `off` says why there will be none, `waiting` why there is none now. Channels are in the order of
    `Stream.eeg_names`, whose names are those to show.
    """

    config: CouplingConfig
    off: str = ""
    waiting: str = ""
    n_missed: int = 0
    map: CouplingMap | None = None
    comodulogram: Comodulogram | None = None
    trial: TrialCoupling | None = None


@dataclass(frozen=True)
class Frame:
    """One tick.

    `fresh` are the samples since the last tick; `boundaries` the newest starts of segments; `markers` the newest, on
    the corrected clock; `decisions` of the newest trials, oldest first; `scores` by stage, of all with known labels;
    `latency_ms` median and 95th percentile from the last sample of a window to its answer; `latency` None in the first
    second; `silent_s` since the last sample; `coupling` None where it was not asked for.
    """

    stream: Stream
    view: View
    now_s: float
    fresh: Samples
    silent_s: float
    boundaries: tuple[Boundary, ...] = ()
    markers: tuple[Marker, ...] = ()
    decisions: tuple[Scored, ...] = ()
    scores: Mapping[str, Score] = field(default_factory=dict)
    latency_ms: tuple[float, float] | None = None
    latency: Latency | None = None
    coupling: Coupling | None = None
    recording: RecorderStatus | None = None
    recording_s: float = 0.0
