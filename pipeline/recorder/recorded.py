"""A live source that is recorded while it is read, from a sample on that both the recording and the session have.

LSL streams are recorded through the recorder's own inlets; what comes from a board is written through its pipe. Beside
the samples stand two streams of ours: the log of what the session saw (`pipeline/lived.py`) and its decisions.
"""

import math
from collections.abc import Sequence
from pathlib import Path

from pipeline.clock import Clock
from pipeline.recorder.recorder import Recorder, RecorderState, RecorderStatus
from pipeline.recorder.rejoin import Rejoin
from pipeline.recorder.sink import FIRST_SAMPLES_S, Sink, no_samples
from pipeline.sources.base import Source, WrappedSource
from pipeline.types import ClockOffset, Decision, Item, SourceEvent


class Recorded(WrappedSource):
    """Wraps a live source; `log_line` and `decision` go into the recording.

    A recording that ends early (disk full, recorder killed) never stops the session: a
    `SourceEvent("recording_failed")` says so, once, and `status` keeps the reason. Warnings of the recorder become
    `SourceEvent("recording")`.

    Thread: as the source; `log_line` acquire only; `decision` decode only; `status` any.
    """

    def __init__(self, source: Source, path: Path, clock: Clock, over_lsl: bool) -> None:
        super().__init__(source)
        self._path = path
        self._clock = clock
        self._over_lsl = over_lsl
        self._recorder: Recorder | None = None
        self._sink: Sink | None = None
        self._failed = False
        self._told: set[str] = set()
        self._events: list[Item] = []
        self._rejoin = Rejoin(clock, self._recorded_from_s, lambda: not self._failed)

    @property
    def status(self) -> RecorderStatus:
        """The recorder's newest word; it is starting before `open`."""
        return self._recorder.status if self._recorder else RecorderStatus(RecorderState.STARTING, self._path)

    def open(self) -> None:
        """Open the source, start the recorder, and pass over what came before the recorder had every stream.

        Raises:
            StreamMissing: from the source or the recorder.
            RecordingFailed: no room, no such folder, or the recorder did not start.
        """
        self._source.open()
        try:
            self._start_recorder()
        except BaseException:
            self.close()
            raise

    def _start_recorder(self) -> None:
        infos = {"": self.info, **self.marker_streams}
        inner = self.innermost
        # A trigger channel is a marker stream to us and part of the samples to LSL: the inner source knows its streams.
        lsl = {"": inner.info, **inner.marker_streams}
        selectors = [{"uid": info.stream_id} for info in lsl.values()] if self._over_lsl else []
        self._recorder = Recorder(self._path, selectors)
        self._recorder.start()
        self._sink = Sink(self._recorder, self._clock, {} if self._over_lsl else infos)
        if self._over_lsl:
            self._pass_over_until_recorded()

    def _pass_over_until_recorded(self) -> None:
        """Drop samples and markers, never clock offsets, until the recorder has some EEG, and what waits then."""
        deadline_s = self._clock.now_s() + FIRST_SAMPLES_S
        while not math.isfinite(self._recorded_from_s()):
            self._drop(self._source.read(0.05))
            if self._clock.now_s() > deadline_s:
                raise no_samples(self.info.name)
        while waiting := self._source.read(0.0):
            self._drop(waiting)

    def _recorded_from_s(self) -> float:
        """With which stamp the recorder's newest run of the chosen stream began; NaN before its first sample."""
        status, info = self.status, self.innermost.info
        # An inlet stands in the file under the stream's own name; ours have a key.
        runs = [s.run_from_s for s in status.streams if s.key is None and (s.name, s.type) == (info.name, info.type)]
        return next((from_s for from_s in reversed(runs) if math.isfinite(from_s)), math.nan)

    def _drop(self, items: Sequence[Item]) -> None:
        self._events += [item for item in items if isinstance(item, ClockOffset | SourceEvent)]

    def read(self, timeout_s: float) -> Sequence[Item]:
        """The source's items, with what the recorder has to say among them."""
        items = [*self._events, *self._source.read(timeout_s)]
        self._events = []
        if self._over_lsl:
            items = self._rejoin.take(items)
        elif self._sink is not None:
            for item in items:
                self._sink.item(item)
        return [*items, *self._remarks()]

    def _remarks(self) -> list[Item]:
        """The recorder's warnings, and its end, each once."""
        status = self.status
        new = [text for text in status.warnings if text not in self._told]
        self._told.update(new)
        remarks: list[Item] = [SourceEvent("recording", f"recording: {text}") for text in new]
        if status.final and not self._failed:
            self._failed = True
            remarks.append(SourceEvent("recording_failed", f"the recording has ended: {status.text}"))
        return remarks

    def close(self) -> None:
        """Write the footers, end the recorder, close the source. Safe to call twice."""
        if self._recorder:
            self._recorder.stop()
        self._source.close()

    def log_line(self, line: str) -> None:
        """Write one line of the session's log."""
        if self._sink is not None:
            self._sink.line(line)

    def decision(self, decision: Decision) -> None:
        """Write one decision."""
        if self._sink is not None:
            self._sink.decision(decision)
