"""One recording: LSL inlets and streams from the application, written to one XDF file as they come."""

import logging
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pylsl
from numpy.typing import NDArray

from pipeline.channels import Lossless
from pipeline.errors import RecordingFailed
from pipeline.recorder.disk import bytes_per_s, checked_room, free_name, room
from pipeline.recorder.inlets import RecordedInlet, find_all
from pipeline.recorder.messages import (
    AddInlet,
    Command,
    Offset,
    OpenStream,
    Order,
    RecorderState,
    RecorderStatus,
    Samples,
    StreamState,
)
from pipeline.recorder.stream import RecordedStream
from pipeline.recorder.watch import Clocks, Compared, Joined, Scout
from pipeline.sources.lsl_find import differences
from pipeline.types import Array, StreamInfo
from pipeline.worker import State
from pipeline.xdf.writer import XdfWriter

log = logging.getLogger(__name__)

SYNC_EVERY_S = 1.0
DISK_EVERY_S = 5.0
BOUNDARY_EVERY_S = 10.0  # as the XDF specification recommends
FIRST_CLOCK_WITHIN_S = 2.0
# Samples of a sender that came back wait this long for it to say what it is; more would be lost with this process.
HOLD_S = 1.5
N_WARNINGS = 20


@dataclass
class _Due:
    """When each chore comes next, in seconds on the LSL clock."""

    sync_s: float = 0.0
    disk_s: float = 0.0
    boundary_s: float = field(default_factory=lambda: pylsl.local_clock() + BOUNDARY_EVERY_S)


class Recording:
    """Writes what comes. `open`, then `step` again and again, then `finish`.

    Streams that agree with a selector are found once, at the start; a sender that returns is compared with what it was
    before its samples are written: a changed one gets a header of its own, so that no stream in the file ever mixes
    rates or channels.

    Thread: one, which also has to be the one that made it.
    """

    def __init__(self, order: Order, commands: Lossless[Command]) -> None:
        self._order = order
        self._commands = commands
        self._streams: list[RecordedStream] = []
        self._state = RecorderState.STARTING
        self._failure = ""
        self._warnings: deque[str] = deque(maxlen=N_WARNINGS)
        self._synced_at_s = float("nan")
        self._due = _Due()
        self._dead: set[str] = set()
        self._clocks = Clocks()
        self._scout = Scout()

    def open(self, stop: threading.Event) -> None:
        """Find all streams, make the file, write the headers, measure the clocks. Blocks.

        Raises:
            StreamMissing: a stream is not there; no file was made.
            RecordingFailed: there is too little room, or the file cannot be made.
        """
        found = find_all(self._order.selectors, self._order.find_within_s, stop) if self._order.selectors else []
        inlets = [RecordedInlet(one) for one in found]
        folder = self._order.path.parent
        self._room = checked_room(folder, [inlet.info for inlet in inlets])
        self._writer = XdfWriter(free_name(self._order.path))
        for inlet in inlets:
            self._record(inlet)
        self._scout.start()
        self._clocks.start()
        deadline_s = pylsl.local_clock() + FIRST_CLOCK_WITHIN_S
        while not all(inlet.measured for inlet in inlets) and pylsl.local_clock() < deadline_s:
            self._clocks.measured.wait(deadline_s - pylsl.local_clock())
            self._write_offsets()
        for inlet in inlets:
            if not inlet.measured:
                self._warn(f"the clock of {inlet.info.name!r} could not be measured yet; its stamps stay uncorrected")
        self._state = RecorderState.RECORDING

    def step(self) -> None:
        """Write everything that has come since the last step; never blocks for longer than the disk does.

        Raises:
            RecordingFailed: a write failed.
        """
        self._obey()
        for stream in list(self._streams):
            self._pull(stream)
        self._write_offsets()
        self._take_finds()
        self._keep_house(pylsl.local_clock())

    @property
    def failed(self) -> bool:
        """True when nothing more can be recorded."""
        return self._state is RecorderState.FAILED

    def fail(self, text: str) -> None:
        """Nothing more can be recorded; `finish` is still to be called."""
        self._state, self._failure = RecorderState.FAILED, text

    def finish(self) -> None:
        """Write the footers and close the file."""
        try:
            for stream in list(self._streams):
                if stream.held and not self.failed:
                    self._release_unknown(stream)
            self._writer.close()
        except RecordingFailed as error:
            self.fail(self._failure or str(error))
        if not self.failed:
            self._state = RecorderState.FINISHED

    def close(self) -> None:
        """End the threads and let go of the senders; may take some seconds, the file is closed before."""
        self._clocks.stop()
        self._scout.stop()
        inlets = [stream.inlet for stream in self._streams if stream.inlet is not None]
        with ThreadPoolExecutor(max_workers=max(1, len(inlets))) as together:
            list(together.map(RecordedInlet.close, inlets))

    def status(self) -> RecorderStatus:
        """Where it stands now."""
        now_s = pylsl.local_clock()
        streams = tuple(s.status_at(now_s, self._writer.n_samples(s.stream_id)) for s in self._streams)
        return RecorderStatus(
            self._state,
            self._writer.path,
            streams,
            self._writer.size,
            self._room.free_bytes,
            self._room.left_s,
            self._room.low,
            self._synced_at_s,
            self._failure or self._text(),
            self._scout.waiting_for,
            tuple(self._warnings),
        )

    def _text(self) -> str:
        lost = [s.info.name for s in self._streams if s.state is StreamState.LOST]
        parts = [f"{self._state} {self._writer.path.name}: {len(self._streams)} streams, {self._writer.size} bytes"]
        if lost:
            parts.append(f"no data from {', '.join(lost)}")
        if self._room.low:
            parts.append(f"the disk is nearly full: {self._room}")
        return "; ".join(parts)

    def _warn(self, text: str) -> None:
        self._warnings.append(text)
        log.warning("%s", text)

    def _obey(self) -> None:
        for command in self._commands.take_all():
            match command:
                case OpenStream(key, info):
                    self._add(info, key=key)
                case Samples(key, stamps_s, data):
                    self._arrived(self._opened(key), stamps_s, data)
                case Offset(key, at_s, value_s):
                    self._offset(self._opened(key), at_s, value_s)
                case AddInlet(selector):
                    self._scout.await_stream(selector)

    def _opened(self, key: int) -> RecordedStream:
        return next(stream for stream in self._streams if stream.key == key)

    def _add(
        self,
        info: StreamInfo,
        *,
        header_xml: str | None = None,
        key: int | None = None,
        inlet: RecordedInlet | None = None,
    ) -> RecordedStream:
        stream_id = self._writer.add_stream(info, header_xml)
        stream = RecordedStream(stream_id, info, pylsl.local_clock(), key, inlet)
        self._streams.append(stream)
        self._due.disk_s = 0.0  # more will be written from now on
        return stream

    def _record(self, inlet: RecordedInlet) -> None:
        self._add(inlet.info, header_xml=inlet.header_xml, inlet=inlet)
        self._scout.recorded(inlet.uid)
        inlet.begin_measuring()
        self._clocks.add(inlet)

    def _pull(self, stream: RecordedStream) -> None:
        if stream.inlet is None or stream.gone:
            return
        # Asked before the pull: the new sender's samples come half a second after liblsl has noted its return.
        if stream.inlet.recovered():
            stream.held = stream.held or []
            self._scout.compare(stream.inlet)
        if stream.inlet.full:
            self._warn(
                f"the recorder was late and liblsl's buffer for {stream.info.name!r} overflowed: samples are lost"
            )
        try:
            for stamps_s, data in stream.inlet.pull():
                stream.note_run(stamps_s)
                self._arrived(stream, stamps_s, data)
        except pylsl.util.LostError:
            stream.gone = True  # it has no source_id; `_note_state` asks for whatever takes its place
        if stream.held and pylsl.local_clock() - stream.held_from_s > HOLD_S:
            self._release_unknown(stream)

    def _arrived(self, stream: RecordedStream, stamps_s: Array, data: NDArray[Any]) -> None:
        if stream.held is not None:
            stream.held_from_s = stream.held_from_s if stream.held else pylsl.local_clock()
            stream.held.append((stamps_s, data))
        else:
            self._writer.write_samples(stream.stream_id, stamps_s, data)
        if len(stamps_s):
            stream.last_s = pylsl.local_clock()

    def _release_unknown(self, stream: RecordedStream) -> None:
        self._warn(f"{stream.info.name!r} sends again, but does not say what it is; taken as what it was")
        self._release(stream, stream)

    def _release(self, stream: RecordedStream, into: RecordedStream) -> None:
        held, stream.held = stream.held or [], None
        for stamps_s, data in held:
            self._arrived(into, stamps_s, data)

    def _write_offsets(self) -> None:
        for measured in self._clocks.measured.take_all():
            if (stream := self._of(measured.inlet)) is not None:
                self._offset(stream, measured.at_s, measured.value_s)

    def _offset(self, stream: RecordedStream, at_s: float, value_s: float) -> None:
        self._writer.write_offset(stream.stream_id, at_s, value_s)
        stream.n_offsets += 1

    def _of(self, inlet: RecordedInlet) -> RecordedStream | None:
        return next((stream for stream in self._streams if stream.inlet is inlet), None)

    def _take_finds(self) -> None:
        for find in self._scout.finds.take_all():
            if isinstance(find, Compared):
                self._compared(find)
            else:
                self._joined(find)

    def _joined(self, find: Joined) -> None:
        if find.replaces is not None:
            self._clocks.drop(find.replaces)
            if (stream := self._of(find.replaces)) is not None:
                self._end(stream, find.inlet.info)
        self._record(find.inlet)

    def _compared(self, find: Compared) -> None:
        """The sender to which liblsl has reconnected has said what it is, or has not."""
        stream = self._of(find.inlet)
        if stream is None:
            return
        if find.info is None:
            self._scout.compare(find.inlet)  # meanwhile `_pull` releases the samples after HOLD_S
            return
        find.inlet.uid, find.inlet.answers = find.uid, True
        self._clocks.add(find.inlet)
        if differences(stream.info, find.info):
            successor = self._add(find.info, header_xml=find.header_xml, inlet=find.inlet)
            self._end(stream, find.info)
        else:
            successor = stream
            self._warn(f"{stream.info.name!r} is back")
        self._release(stream, successor)

    def _end(self, stream: RecordedStream, successor: StreamInfo) -> None:
        """The sender came back as something else: its stream ends where it is, another begins."""
        changes = differences(stream.info, successor) or ["without a source_id it may be another"]
        self._warn(f"{stream.info.name!r} came back changed ({'; '.join(changes)}): a new stream begins")
        stream.inlet, stream.ended = None, True

    def _keep_house(self, now_s: float) -> None:
        for stream in self._streams:
            self._note_state(stream, now_s)
        if now_s >= self._due.boundary_s:
            self._writer.write_boundary()
            self._due.boundary_s = now_s + BOUNDARY_EVERY_S
        if now_s >= self._due.sync_s:
            self._writer.sync()
            self._synced_at_s = now_s
            self._due.sync_s = now_s + SYNC_EVERY_S
        if now_s >= self._due.disk_s:
            self._watch_disk()
            self._watch_threads()
            self._due.disk_s = now_s + DISK_EVERY_S

    def _note_state(self, stream: RecordedStream, now_s: float) -> None:
        before, stream.state = stream.state, stream.state_at(now_s)
        if stream.inlet is None or (before is StreamState.LOST) == (stream.state is StreamState.LOST):
            return
        if stream.state is StreamState.LOST:
            self._warn(f"{stream.info.name!r} sends nothing any more; recording goes on and takes it when it returns")
            self._scout.find_again(stream.inlet)
        else:
            self._scout.found_again(stream.inlet)

    def _watch_threads(self) -> None:
        for worker in (self._clocks, self._scout):
            if worker.health.state is State.FAILED and worker.health.name not in self._dead:
                self._dead.add(worker.health.name)
                self._warn(f"the recorder's {worker.health.name} thread died; samples are still recorded")

    def _watch_disk(self) -> None:
        was_low = self._room.low
        self._room = room(self._writer.path.parent, bytes_per_s(s.info for s in self._streams if not s.ended))
        if self._room.low and not was_low:
            self._warn(f"the disk is nearly full: {self._room}")
