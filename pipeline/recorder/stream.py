"""One stream of a recording: where it comes from, how it stands, what is held back."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.lived import RUN_BREAK_S, usable
from pipeline.recorder.inlets import RecordedInlet
from pipeline.recorder.messages import StreamState, StreamStatus
from pipeline.types import Array, StreamInfo

SILENT_AFTER_S = 0.5
LOST_AFTER_S = 3.0

Held = tuple[Array, NDArray[Any]]


@dataclass
class RecordedStream:
    """One stream in the file. `held` are samples of a sender that came back and is not known yet."""

    stream_id: int
    info: StreamInfo
    last_s: float
    key: int | None = None
    inlet: RecordedInlet | None = None
    n_offsets: int = 0
    gone: bool = False
    ended: bool = False
    state: StreamState = StreamState.RECORDING
    held: list[Held] | None = None
    held_from_s: float = 0.0
    run_from_s: float = float("nan")
    _last_stamp_s: float = float("nan")

    def note_run(self, stamps_s: Array) -> None:
        """Notice where the stamps jump, as after a reconnection."""
        stamps_s = stamps_s[usable(stamps_s)]
        if not len(stamps_s):
            return
        steps_s = np.diff(stamps_s, prepend=self._last_stamp_s)
        breaks = np.flatnonzero(~(np.abs(steps_s) <= RUN_BREAK_S))
        if len(breaks):
            self.run_from_s = float(stamps_s[breaks[-1]])
        self._last_stamp_s = float(stamps_s[-1])

    def state_at(self, now_s: float) -> StreamState:
        """What `StreamState` describes."""
        silent_s = now_s - self.last_s
        regular = self.info.sfreq_hz > 0
        unanswered = self.inlet is not None and not self.inlet.answers and silent_s > SILENT_AFTER_S
        if self.ended:
            return StreamState.ENDED
        if self.held is not None:
            return StreamState.RETURNING
        if self.gone or unanswered or (regular and silent_s > LOST_AFTER_S):
            return StreamState.LOST
        if regular and silent_s > SILENT_AFTER_S:
            return StreamState.SILENT
        return StreamState.RECORDING

    def status_at(self, now_s: float, n_samples: int) -> StreamStatus:
        """For the application."""
        info = self.info
        silent_s = now_s - self.last_s
        return StreamStatus(
            self.stream_id,
            self.key,
            info.name,
            info.type,
            info.source_id,
            n_samples,
            self.n_offsets,
            silent_s,
            self.state,
            self.run_from_s,
        )
