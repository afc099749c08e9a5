"""The application's side of the recorder: start it, feed it, watch it, stop it.

The recorder is a process of its own (`recorder_process`), so that the recording outlives whatever happens here. It
takes LSL streams through inlets of its own; what has no LSL stream (a BrainFlow board, our own events) is written to it
through a pipe.
"""

import atexit
import logging
import multiprocessing
import threading
from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.channels import Latest, Lossless
from pipeline.errors import RecordingFailed, StreamMissing
from pipeline.processes import HasProcess
from pipeline.recorder.messages import (
    AddInlet,
    Command,
    Offset,
    OpenStream,
    Order,
    RecorderState,
    RecorderStatus,
    Refused,
    Remark,
    Samples,
    Stop,
    StreamState,
    StreamStatus,
)
from pipeline.recorder.process import run
from pipeline.sources.lsl_find import Selector, checked_selector
from pipeline.types import StreamInfo
from pipeline.worker import Worker
from pipeline.xdf.writer import check_storable, checked_samples

__all__ = ["Recorder", "RecorderState", "RecorderStatus", "StreamState", "StreamStatus"]

log = logging.getLogger(__name__)

SPAWN_S = 20.0


class Recorder(HasProcess):
    """A recording in a process of its own.

    Every LSL stream that agrees with one of the `selectors` is recorded; all selectors must find one. An existing file
    is never touched: the recording then goes to the first free of name_2.xdf, name_3.xdf..., see `status.path`.

    What `write` has handed over is in the file even when this process is killed a moment later, once `flush` says so
    (it leaves within milliseconds by itself). Thread: `start` and `stop` from one; the others from any, but each
    stream's `write` from one.
    """

    def __init__(self, path: Path, selectors: Sequence[Selector] = (), *, find_within_s: float = 10.0) -> None:
        """Nothing is started yet.

        Raises:
            InputError: a selector has a key that no stream can be chosen by.
        """
        checked = tuple(checked_selector(selector) for selector in selectors)
        self._order = Order(Path(path).absolute(), checked, find_within_s)
        self._status: Latest[RecorderStatus] = Latest()
        self._status.put(RecorderStatus(RecorderState.STARTING, self._order.path))
        self._infos: dict[int, StreamInfo] = {}
        self._keys = count(1)
        self._outgoing: Lossless[Command] = Lossless()
        self._handed_over = 0
        self._sent = 0
        self._progress = threading.Condition()
        self._settled = threading.Event()
        self._ended = threading.Event()
        self._refused: Refused | None = None
        self._sender = Worker("recorder-send", self._send)
        self._receiver = Worker("recorder-status", self._receive)

    @property
    def status(self) -> RecorderStatus:
        """The newest state, about twice a second and at once when the recording fails."""
        status = self._status.get()
        assert status is not None
        return status

    def start(self) -> Path:
        """Start the process and wait until every stream is found and being recorded; answers the file's path.

        Raises:
            StreamMissing: a selector found nothing; the message lists what was seen.
            RecordingFailed: too little room on the disk, no such folder, or the process did not start.
        """
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = process = context.Process(target=run, args=(theirs, self._order), name="afterimage-recorder")
        process.start()
        theirs.close()
        atexit.register(self.stop)
        self._receiver.start()
        self._sender.start()
        if not self._settled.wait(self._order.find_within_s + SPAWN_S):
            process.kill()
        if self._refused is not None or self.status.state is not RecorderState.RECORDING:
            text = self._refused.text if self._refused is not None else self.status.text
            self.stop()
            if self._refused is not None and self._refused.missing:
                raise StreamMissing(text)
            raise RecordingFailed(text or "the recorder process did not start in time; see the log, try again")
        return self.status.path

    def add_inlet(self, selector: Selector) -> None:
        """Record this LSL stream too, from when it appears; `status.waiting_for` lists it until then.

        Raises:
            InputError: the selector has a key that no stream can be chosen by.
            RecordingFailed: the recording has ended.
        """
        self._hand_over(AddInlet(checked_selector(selector)))

    def open_stream(self, info: StreamInfo) -> int:
        """Begin a stream whose samples this process will `write`; answers its key.

        Raises:
            ValueError: XDF cannot store its type.
            RecordingFailed: the recording has ended.
        """
        check_storable(info)
        key = next(self._keys)
        self._infos[key] = info
        self._hand_over(OpenStream(key, info))
        return key

    def write(self, key: int, stamps_s: ArrayLike, data: NDArray[Any] | Sequence[str]) -> None:
        """Record samples with their raw stamps. Never waits for the disk.

        `stamps_s` (n,) in seconds; `data` (n_channels, n) of the stream's type, or (n,) strings.

        Raises:
            ValueError: shape or type do not fit the stream.
            RecordingFailed: the recording has ended, see `status`.
            ChannelFull: the recorder has not read for very long.
        """
        info = self._infos[key]
        checked_samples(info, stamps_s, data)
        values = np.array(data, dtype=object if info.dtype == "string" else None)  # copied: the caller goes on
        self._hand_over(Samples(key, np.array(stamps_s, dtype=np.float64), values))

    def offset(self, key: int, at_s: float, value_s: float) -> None:
        """Record a clock measurement that succeeded, as in `pipeline.types.ClockOffset`.

        Raises:
            RecordingFailed: the recording has ended.
        """
        self._hand_over(Offset(key, at_s, value_s))

    def flush(self, timeout_s: float = 1.0) -> bool:
        """Wait until everything handed over so far has left this process; False when it has not."""
        with self._progress:
            aim = self._handed_over
            return self._progress.wait_for(lambda: self._sent >= aim, timeout_s)

    def stop(self, timeout_s: float = 10.0) -> RecorderStatus:
        """Record what has come, write the footers, end the process; answers the final state. Safe to call twice.

        A recorder that does not end within `timeout_s` is killed; the state is then FAILED and the file readable.
        """
        atexit.unregister(self.stop)
        if self._process is None:
            return self.status
        if not self._ended.is_set():
            self._outgoing.put(Stop())
        self._process.join(timeout_s)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._sender.stop()
        self._receiver.join(timeout_s)
        self._connection.close()
        return self.status

    def _hand_over(self, command: Command) -> None:
        if self.status.final or self._ended.is_set():
            raise RecordingFailed(f"nothing can be recorded any more: {self.status.text}")
        with self._progress:  # the order of the counter is the order of the queue
            self._outgoing.put(command)
            self._handed_over += 1

    def _send(self) -> bool:
        self._outgoing.wait(0.1)
        for command in self._outgoing.take_all():
            try:
                self._connection.send(command)
            except OSError:  # the recorder is gone: `_receive` says so
                return False
            with self._progress:
                self._sent += 1
                self._progress.notify_all()
        return True

    def _receive(self) -> bool:
        try:
            answer = self._connection.recv()
        except (EOFError, OSError):
            if not self.status.final:
                self._status.put(replace(self.status, state=RecorderState.FAILED, text=self._epitaph()))
            self._ended.set()
            self._settled.set()
            return False
        match answer:
            case RecorderStatus():
                self._status.put(answer)
                self._settled.set()
            case Refused():
                self._refused = answer
                self._status.put(replace(self.status, state=RecorderState.FAILED, text=answer.text))
                self._settled.set()
            case Remark():
                log.log(answer.level, "recorder: %s", answer.text)
        return True

    def _epitaph(self) -> str:
        assert self._process is not None
        self._process.join()
        return (
            f"the recorder process died (exit status {self._process.exitcode}); what it had written until about "
            f"{self.status.bytes_written} bytes stays readable in {self.status.path}; start a new recording"
        )
