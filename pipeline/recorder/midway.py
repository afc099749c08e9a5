"""A recording that begins and ends while a session runs.

Like `recorded.Recorded`, but started in the middle: LSL streams through the recorder's own inlets, everything
else through its pipe, and beside them the log of what this session saw since then, so that a replay sees the same.
"""

import json
import logging
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pipeline.clock import Clock
from pipeline.errors import ChannelFull, RecordingFailed
from pipeline.lived import DECISIONS_STREAM, EVENTS_STREAM, LivedWriter, events_info
from pipeline.outlets import decision_json
from pipeline.recorder.messages import RecorderStatus
from pipeline.recorder.recorder import Recorder
from pipeline.types import ClockOffset, Decision, EegChunk, Item, MarkerChunk, StreamInfo

log = logging.getLogger(__name__)

# The recorder says about twice a second how many samples it has; a live stream has some well before this.
FIRST_SAMPLES_S = 10.0
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
        self._keys: dict[str, int] = {}
        self._lock = threading.Lock()
        self._open = False

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
        for name in (EVENTS_STREAM, DECISIONS_STREAM):
            self._keys[name] = self._recorder.open_stream(events_info(name))
        for key, info in self._infos.items():
            if key not in self._over_lsl:
                self._keys[f"<{key}"] = self._recorder.open_stream(info)
        if "" in self._over_lsl:
            self._wait_for_samples()
        with self._lock:
            for offset in self._offsets:
                self._write_lines(self._lived.lines(offset))
            self._open = True
        return self

    def _wait_for_samples(self) -> None:
        """What the session receives after this is in the file for certain."""
        until_s = time.monotonic() + FIRST_SAMPLES_S
        while not any(s.key is None and s.name == self._infos[""].name and s.n_samples for s in self.status.streams):
            if time.monotonic() > until_s or self.status.final:
                status = self._recorder.stop()
                raise RecordingFailed(
                    status.text
                    or f"the recorder received no sample of {self._infos[''].name!r} within {FIRST_SAMPLES_S:.0f} s; "
                    "is the sender still there?"
                )
            time.sleep(POLL_S)

    def item(self, item: Item) -> None:
        """Something came from the source."""
        with self._lock:
            if not self._open:
                return
            self._write_lines(self._lived.lines(item))
            self._write_item(item)

    def log_line(self, line: str) -> None:
        """A line of the session's log."""
        with self._lock:
            if self._open and json.loads(line).get("kind") not in FROM_THE_START:
                self._write_lines([line])

    def decision(self, decision: Decision) -> None:
        """An answer."""
        with self._lock:
            if self._open:
                self._write(self._keys[DECISIONS_STREAM], [decision.decided_s], [decision_json(decision)])

    def stop(self) -> RecorderStatus:
        """Close the log, write the footers, end the recorder. Blocks."""
        with self._lock:
            if self._open:
                self._write_lines(self._lived.last_lines())
            self._open = False
        return self._recorder.stop()

    def _write_lines(self, lines: Sequence[str]) -> None:
        for line in lines:
            self._write(self._keys[EVENTS_STREAM], [self._clock.now_s()], [line])

    def _write_item(self, item: Item) -> None:
        match item:
            case EegChunk() if "<" in self._keys:
                self._write(self._keys["<"], item.stamps_s, item.data)
            case MarkerChunk() if f"<{item.stream}" in self._keys:
                self._write(self._keys[f"<{item.stream}"], item.stamps_s, item.labels)
            case ClockOffset() if f"<{item.stream}" in self._keys and not self.status.final:
                self._recorder.offset(self._keys[f"<{item.stream}"], item.at_s, item.value_s)

    def _write(self, key: int, stamps_s: object, data: object) -> None:
        if self.status.final:
            return
        try:
            self._recorder.write(key, np.asarray(stamps_s, dtype=np.float64), data)  # type: ignore[arg-type]
        except (RecordingFailed, ChannelFull) as error:
            log.error("not recorded: %s", error)
