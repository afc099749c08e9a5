"""The values that travel through the pipeline, all frozen.

Axes are (channel, time). Microvolts inside, seconds on the LSL clock, float64.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Kind(StrEnum):
    """What a channel measures. Only EEG is referenced, interpolated and decoded."""

    EEG = "eeg"
    EOG = "eog"
    EMG = "emg"
    ECG = "ecg"
    STIM = "stim"
    MISC = "misc"


@dataclass(frozen=True)
class Channel:
    """One channel as its sender described it.

    `name` is the label as sent (stripped); `unit` the declared unit or None; `position_m` a declared (x, y, z)
    in metres (RAS head frame) or None.
    """

    name: str
    kind: Kind = Kind.EEG
    unit: str | None = None
    position_m: tuple[float, float, float] | None = None


# Key of `StreamInfo.extra`.
OFFLINE_REASON = "offline_reason"


@dataclass(frozen=True)
class StreamInfo:
    """One stream. `sfreq_hz` is nominal, 0 for irregular streams; `dtype` a numpy name or "string"."""

    name: str
    type: str
    n_channels: int
    sfreq_hz: float
    dtype: str = "float32"
    source_id: str = ""
    stream_id: str = ""
    channels: tuple[Channel, ...] = ()
    hostname: str = ""
    manufacturer: str = ""
    simulated: bool = False
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def is_marker(self) -> bool:
        """Irregular, and one string or integer channel."""
        return self.sfreq_hz == 0 and (self.dtype == "string" or self.dtype.startswith("int"))

    @property
    def offline_reason(self) -> str:
        """Why no decoder made from this stream may run live, such as filters that knew the future; "" where one may."""
        return self.extra.get(OFFLINE_REASON, "")

    @property
    def unit(self) -> str | None:
        """The unit shared by the EEG channels, None when it is missing or mixed."""
        units = {c.unit for c in self.channels if c.kind is Kind.EEG}
        return units.pop() if len(units) == 1 else None

    def with_unit(self, unit: str) -> "StreamInfo":
        """The same stream with `unit` declared for every EEG and EOG channel (the user's `--unit`)."""
        channels = tuple(
            replace(c, unit=unit) if c.kind in (Kind.EEG, Kind.EOG, Kind.EMG, Kind.ECG) else c for c in self.channels
        )
        return replace(self, channels=channels)


@dataclass(frozen=True)
class EegChunk:
    """Samples of the chosen stream as they came.

    `data` (n_channels, n) in the sender's own type and unit; `stamps_s` (n,) the sender's raw stamps on the sender's
    clock; `arrived_s` this machine's LSL clock on arrival (NaN when unknown, as in files).
    """

    data: NDArray[Any]
    stamps_s: Array
    arrived_s: float = float("nan")


@dataclass(frozen=True)
class MarkerChunk:
    """Markers of one stream, raw stamps on that stream's clock. `stream` is the key in `Source.marker_streams`."""

    stream: str
    labels: tuple[str, ...]
    stamps_s: tuple[float, ...]
    arrived_s: float = float("nan")


@dataclass(frozen=True)
class ClockOffset:
    """One clock measurement: adding `value_s` to a sender stamp gives this machine's LSL clock.

    `at_s` is the collection time on the sender's clock; `stream` is "" for the chosen EEG stream, else the key of a
    marker stream.
    """

    stream: str
    at_s: float
    value_s: float


@dataclass(frozen=True)
class SourceEvent:
    """Something that happened to a stream: recovered, changed, overrun, package_loss, no_footer, truncated...

    `n` counts samples where the event lost some.
    """

    kind: str
    text: str
    stream: str = ""
    n: int = 0
    at_s: float = float("nan")


Item = EegChunk | MarkerChunk | ClockOffset | SourceEvent


class BoundaryKind(StrEnum):
    """Why a new segment of samples starts."""

    START = "start"
    GAP = "gap"
    RESET = "reset"


@dataclass(frozen=True)
class Boundary:
    """A new segment starts with sample number `at` (64-bit counter of received samples).

    `start_s` is the time of the last sample before, `stop_s` that of the first sample after (corrected clock);
    `n_lost` the samples missing between them; `jump_s` the jump of the sender's clock for a reset.
    """

    at: int
    kind: BoundaryKind
    start_s: float
    stop_s: float
    n_lost: int = 0
    jump_s: float = 0.0


@dataclass(frozen=True)
class Marker:
    """A marker on the corrected clock. `trial` counts the markers of a session in the order they came."""

    label: str
    time_s: float
    stream: str = ""


@dataclass(frozen=True)
class Onset:
    """All the decoder may know of a trial: its number and when it, or a part of it, began. Labels go to the scorer.

    `part` is "single" for a trial of one window, "static" for the picture of a trial of two and "dynamic" for its turn.
    """

    trial: int
    time_s: float
    part: str = "single"


@dataclass(frozen=True)
class Block:
    """Preprocessed samples of one segment.

    `data` (n_channels, n) in microvolts; `times_s` (n,) on the corrected clock; `boundary` is set when a new segment
    starts with the first sample of this block: no epoch may hold samples from both sides of it; `settled` (n,) is False
    while the filters still settle.
    """

    data: Array
    times_s: Array
    settled: NDArray[np.bool_]
    boundary: Boundary | None = None


@dataclass(frozen=True)
class Epoch:
    """One trial's window. `data` (n_channels, n), sample `onset_index` is nearest to the onset.

    `rejected` is None for an accepted epoch, else the reason; a rejected epoch may carry no data. `part` is that of its
    onset. A `beginning` is the first samples of a window that still grows; the whole one follows, or a rejection. The
    window of a turn carries the `static` window of its trial.
    """

    trial: int
    onset_s: float
    data: Array
    sfreq_hz: float
    onset_index: int
    window_stop_s: float
    rejected: str | None = None
    part: str = "single"
    beginning: bool = False
    static: "Epoch | None" = None


@dataclass(frozen=True)
class Nearest:
    """A known picture and how much it is like what was decoded: the cosine of the two embeddings."""

    key: str
    similarity: float


# When a decision was made that is still being made.
NOT_YET_S = float("nan")


@dataclass(frozen=True)
class Decision:
    """One answer. `probabilities` in the order of the decoder's classes; `decided_s` on the LSL clock.

    `stage` is "single", or of a trial of two windows "static", "refined" or "fused". `n_dynamic` samples of the turn
    were seen. `colours` and `nearest` are empty for decoders that know neither; `nearest` has the most alike first;
    `embedding` (dim,) is the decoded picture embedding, `certainty` how far such ones agreed with true ones, up to 1.
    `took_ms` tells where this answer's time went since the last sample of its window was in the ring: "wait" for its
    turn (not known of windows long past), "filter" and "epoch" of the piece that completed it, "decode".
    """

    trial: int
    stage: str
    onset_s: float
    window_stop_s: float
    decided_s: float
    classes: tuple[str, ...]
    probabilities: tuple[float, ...]
    colours: tuple[str, ...] = ()
    colour_probabilities: tuple[float, ...] = ()
    nearest: tuple[Nearest, ...] = ()
    n_dynamic: int = 0
    embedding: Array | None = field(default=None, compare=False, repr=False)
    certainty: float = 1.0
    took_ms: Mapping[str, float] = field(default_factory=dict, compare=False)

    @property
    def top(self) -> str:
        """The most probable class."""
        return self.classes[int(np.argmax(self.probabilities))]

    @property
    def top_colour(self) -> str | None:
        """The most probable colour; None when colours were not decoded."""
        return self.colours[int(np.argmax(self.colour_probabilities))] if self.colours else None
