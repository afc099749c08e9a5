"""A recording that begins and ends while a session runs.

Like `recorded.Recorded`, but started in the middle: LSL streams through the recorder's own inlets, everything
else through its pipe, and beside them the log of what this session saw since then, so that a replay sees the same.
"""

import json
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from pipeline.clock import Clock
from pipeline.errors import RecordingFailed
from pipeline.lived import LivedWriter
from pipeline.recorder.messages import RecorderStatus
from pipeline.recorder.recorder import Recorder
from pipeline.recorder.sink import FIRST_SAMPLES_S, Sink, no_samples
from pipeline.types import ClockOffset, Decision, Item, StreamInfo

POLL_S = 0.1
# Lines of the session's own log that hold only from its start; this recording writes its own.
FROM_THE_START = {"received_from", "received_to", "offset", "markers"}


class MidwayRecording:
    """One file. Failures (disk full, recorder killed) never reach the session; `status` tells them.

    `infos` are the streams of the session by key, "" the EEG; those in `over_lsl` are recorded through inlets;
    `offsets` what the session measured so far.

    Thread: `start` and `stop` one; `item` and `log_line` acquire; `decision` decode; `status` any.
    """

    def __init__(
        self,
        path: Path,
        infos: dict[str, StreamInfo],
        over_lsl: frozenset[str],
        offsets: Sequence[ClockOffset],
        clock: Clock,
    ) -> None:
        self._infos = infos
        self._over_lsl = over_lsl
        self._offsets = tuple(offsets)
        self._clock = clock
        self._recorder = Recorder(path, [{"uid": infos[key].stream_id} for key in infos if key in over_lsl])
        self._lived = LivedWriter({key: info for key, info in infos.items() if key})
        self._lock = threading.Lock()
        self._sink: Sink | None = None  # while the recording is open

    @property
    def status(self) -> RecorderStatus:
        """The recorder's newest word."""
        return self._recorder.status

    def start(self) -> "MidwayRecording":
        """Start the recorder and wait until it has some EEG. Blocks.

        Raises:
            StreamMissing: a stream of the session is not on the network any more.
            RecordingFailed: no room, no such folder, or the recorder did not start.
        """
        self._recorder.start()
        own = {key: info for key, info in self._infos.items() if key not in self._over_lsl}
        sink = Sink(self._recorder, self._clock, own)
        if "" in self._over_lsl:
            self._wait_for_samples()
        with self._lock:
            for offset in self._offsets:
                _write_lines(sink, self._lived.lines(offset))
            self._sink = sink
        return self

    def _wait_for_samples(self) -> None:
        """What the session receives after this is in the file for certain."""
        until_s = time.monotonic() + FIRST_SAMPLES_S
        while not any(s.key is None and s.name == self._infos[""].name and s.n_samples for s in self.status.streams):
            if time.monotonic() > until_s or self.status.final:
                status = self._recorder.stop()
                raise RecordingFailed(status.text) if status.text else no_samples(self._infos[""].name)
            time.sleep(POLL_S)

    def item(self, item: Item) -> None:
        """Something came from the source."""
        with self._lock:
            if self._sink is not None:
                _write_lines(self._sink, self._lived.lines(item))
                self._sink.item(item)

    def log_line(self, line: str) -> None:
        """A line of the session's log."""
        with self._lock:
            if self._sink is not None and json.loads(line).get("kind") not in FROM_THE_START:
                self._sink.line(line)

    def decision(self, decision: Decision) -> None:
        """An answer."""
        with self._lock:
            if self._sink is not None:
                self._sink.decision(decision)

    def stop(self) -> RecorderStatus:
        """Close the log, write the footers, end the recorder. Blocks."""
        with self._lock:
            if self._sink is not None:
                _write_lines(self._sink, self._lived.last_lines())
            self._sink = None
        return self._recorder.stop()


def _write_lines(sink: Sink, lines: Sequence[str]) -> None:
    for line in lines:
        sink.line(line)
