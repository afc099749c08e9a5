"""What the application and the recorder process say to each other: plain frozen values that pickle."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from pipeline.types import Array, StreamInfo


@dataclass(frozen=True)
class Order:
    """What to record: LSL streams by selector into `path` (or the next free name)."""

    path: Path
    selectors: tuple[dict[str, str], ...]
    find_within_s: float


@dataclass(frozen=True)
class OpenStream:
    """A stream without an inlet; its samples come through the pipe under `key`."""

    key: int
    info: StreamInfo


@dataclass(frozen=True)
class Samples:
    """`data` (n_channels, n) and raw stamps (n,) of an opened stream."""

    key: int
    stamps_s: Array
    data: NDArray[Any]


@dataclass(frozen=True)
class Offset:
    """One clock measurement of an opened stream."""

    key: int
    at_s: float
    value_s: float


@dataclass(frozen=True)
class AddInlet:
    """Record these LSL streams too, as soon as they appear."""

    selector: dict[str, str]


@dataclass(frozen=True)
class Stop:
    """Write what has come, close the file, leave."""


Command = OpenStream | Samples | Offset | AddInlet | Stop


class RecorderState(StrEnum):
    """Where a recording stands. FINISHED and FAILED are final."""

    STARTING = "starting"
    RECORDING = "recording"
    FINISHED = "finished"
    FAILED = "failed"


class StreamState(StrEnum):
    """Where one recorded stream stands.

    SILENT: a regular stream sent nothing for half a second; LOST: for three, or its sender no longer answers;
    RETURNING: it is back and being compared with what it was; ENDED: it came back changed, as another stream.
    """

    RECORDING = "recording"
    SILENT = "silent"
    LOST = "lost"
    RETURNING = "returning"
    ENDED = "ended"


@dataclass(frozen=True)
class StreamStatus:
    """One stream in the file; `key` is that of `Recorder.open_stream`, None for LSL inlets.

    `silent_s` counts since the last sample came, or since the stream was opened. `run_from_s` is the raw stamp of the
    first sample since the stamps last jumped by more than `RUN_BREAK_S` (of an inlet: NaN before its first sample).
    """

    stream_id: int
    key: int | None
    name: str
    type: str
    source_id: str
    n_samples: int
    n_offsets: int
    silent_s: float
    state: StreamState
    run_from_s: float = float("nan")


@dataclass(frozen=True)
class RecorderStatus:
    """A recording at one moment. `synced_at_s` is the LSL time up to which a power cut can take nothing.

    `text` is one line for the user; `waiting_for` the selectors of added streams that have not appeared; `warnings` the
    newest, oldest first.
    """

    state: RecorderState
    path: Path
    streams: tuple[StreamStatus, ...] = ()
    bytes_written: int = 0
    disk_free_bytes: int = 0
    disk_left_s: float = float("inf")
    disk_low: bool = False
    synced_at_s: float = float("nan")
    text: str = ""
    waiting_for: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def final(self) -> bool:
        """True when nothing more will be written."""
        return self.state in (RecorderState.FINISHED, RecorderState.FAILED)


@dataclass(frozen=True)
class Refused:
    """The recording never started; `missing` tells absent streams from everything else."""

    text: str
    missing: bool


@dataclass(frozen=True)
class Remark:
    """A log record of the recorder process. `level` as in `logging`."""

    level: int
    text: str


Answer = RecorderStatus | Refused | Remark
