"""Errors of the pipeline room.

InputError
├── StreamMissing     a required stream is not there, or silent
├── StreamChanged     a stream came back with another rate or other channels
├── StreamMismatch    a stream does not fit the model it is asked to feed
├── FileUnreadable    no usable numeric stream in a file
└── UnitUnknown       microvolts are needed and the source declares no unit
WorkError
├── SourceFailed      a source broke while running
├── Overrun           a reader fell behind the ring; carries the number of samples lost
├── ChannelFull       a lossless channel overflowed
├── RecordingFailed   the recorder could not write
└── ProcessDied       a process of ours is gone and could not say why
"""

from collections.abc import Sequence

from engines.errors import InputError, WorkError


class StreamMissing(InputError):
    """A required stream is not there, or sends nothing."""


class StreamChanged(InputError):
    """A stream came back with another rate or other channels."""


class StreamMismatch(InputError):
    """A stream does not fit the model it is asked to feed; the message lists what differs."""


class FileUnreadable(InputError):
    """A file holds no usable numeric stream."""


class UnitUnknown(InputError):
    """Microvolts are needed and the source declares no unit; give `--unit`."""


class SourceFailed(WorkError):
    """A source broke while running."""


class Overrun(WorkError):
    """A reader fell behind the ring. `n_lost` samples can no longer be read."""

    def __init__(self, n_lost: int) -> None:
        super().__init__(
            f"the reader fell behind: {n_lost} samples were overwritten before they were read; "
            "read more often or give the ring more seconds"
        )
        self.n_lost = n_lost


class ChannelFull(WorkError):
    """A lossless channel overflowed: its reader is dead or far too slow."""


class RecordingFailed(WorkError):
    """The recorder could not write (disk full, or the file exists)."""


class ProcessDied(WorkError):
    """A process of ours is gone and could not say why: killed, or crashed outside Python."""

    def __init__(self, who: str, exit_code: int | None) -> None:
        super().__init__(f"{who} was killed before it could say why (exit status {exit_code}; is there enough memory?)")


def listed(names: Sequence[str], most: int = 6) -> str:
    """The first names of a long list, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
