"""Room on the disk for a recording, and a name for it that is not taken."""

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.errors import RecordingFailed
from pipeline.types import StreamInfo

STAMP_BYTES = 9  # XDF: one byte for its length and a double
IRREGULAR_BYTES_PER_S = 500.0  # ten markers of fifty bytes a second: far above what a session sends
REFUSE_BELOW_S = 600.0
WARN_BELOW_S = 3600.0


@dataclass(frozen=True)
class Room:
    """Free bytes, and the bytes a second that will be written."""

    free_bytes: int
    bytes_per_s: float

    @property
    def left_s(self) -> float:
        """How long the recording can go on."""
        return self.free_bytes / self.bytes_per_s if self.bytes_per_s else float("inf")

    @property
    def low(self) -> bool:
        """True when less than an hour is left."""
        return self.left_s < WARN_BELOW_S

    def __str__(self) -> str:
        return f"{self.free_bytes / 2**20:.0f} MiB are free, enough for {self.left_s / 60:.0f} minutes"


def bytes_per_s(infos: Iterable[StreamInfo]) -> float:
    """What these streams will write, 64 channels of float32 at 1 kHz about 0.95 GB an hour."""
    return sum(
        info.sfreq_hz * (STAMP_BYTES + info.n_channels * np.dtype(info.dtype).itemsize)
        if info.sfreq_hz and info.dtype != "string"
        else IRREGULAR_BYTES_PER_S
        for info in infos
    )


def room(folder: Path, rate_bytes_per_s: float) -> Room:
    """The room there is now.

    Raises:
        RecordingFailed: `folder` is not there.
    """
    try:
        return Room(shutil.disk_usage(folder).free, rate_bytes_per_s)
    except OSError as error:
        raise RecordingFailed(f"no recording can be made in {folder}: {error.strerror}; make the folder") from error


def checked_room(folder: Path, infos: Iterable[StreamInfo]) -> Room:
    """The room there is now for these streams.

    Raises:
        RecordingFailed: there is none for ten minutes, or `folder` is not there.
    """
    found = room(folder, bytes_per_s(infos))
    if found.left_s < REFUSE_BELOW_S:
        raise RecordingFailed(
            f"too little room in {folder} to start recording: {found}, expected at least "
            f"{REFUSE_BELOW_S / 60:.0f} minutes; free some space or choose another folder"
        )
    return found


def free_name(path: Path) -> Path:
    """`path`, or where something has that name already, the first of name_2, name_3... that is free."""
    candidate, number = path, 1
    while candidate.exists() or candidate.is_symlink():
        number += 1
        candidate = path.with_name(f"{path.stem}_{number}{path.suffix}")
    return candidate
