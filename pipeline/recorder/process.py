"""The recorder's own process: LSL inlets and a pipe into one XDF file, whatever happens to the application.

It is started by `recorder.Recorder`. A Ctrl-C of the terminal reaches the whole process group: it is ignored
here, the application says when to stop. SIGTERM, the terminal's end and the application's death all end the file
properly. Nothing is printed: log records, and what liblsl writes to standard error, go through the pipe.
"""

import logging
import os
import signal
import threading
import traceback
from collections import deque
from multiprocessing.connection import Connection
from types import FrameType

import pylsl

from engines.errors import AfterimageError
from pipeline.channels import Lossless
from pipeline.errors import ChannelFull, RecordingFailed, StreamMissing
from pipeline.recorder.messages import Answer, Command, Order, Refused, Remark, Stop
from pipeline.recorder.recording import Recording
from pipeline.worker import Worker

log = logging.getLogger(__name__)

POLL_S = 0.1
STATUS_EVERY_S = 0.5
# What senders have pushed when the end is asked for is on its way for no longer than this.
DRAIN_S = 0.5
FAREWELL_S = 2.0
# About a day of commands at ten a second, should the disk stand still.
N_COMMANDS = 1_000_000
N_ANSWERS = 1_000


class Line:
    """The pipe to the application.

    Commands are taken in at once by a thread, so that the application never waits for the disk and nothing it has sent
    is lost with it. Answers leave by another thread, newest kept: an application that hangs must not stop the
    recording. Thread: `answer` from any.
    """

    def __init__(self, connection: Connection) -> None:
        self.commands: Lossless[Command] = Lossless(N_COMMANDS)
        self.ended = threading.Event()
        self._connection = connection
        self._answers: deque[Answer] = deque(maxlen=N_ANSWERS)
        self._ready = threading.Event()
        self._closing = False
        self._in = Worker("commands", self._take)
        self._out = Worker("answers", self._give)
        self._in.start()
        self._out.start()

    def answer(self, answer: Answer) -> None:
        """Tell the application, if it is still there."""
        self._answers.append(answer)
        self._ready.set()

    def close(self) -> None:
        """Let the last answers leave."""
        self._closing = True
        self._ready.set()
        self._out.join(FAREWELL_S)

    def _take(self) -> bool:
        try:
            command = self._connection.recv()
            if not isinstance(command, Stop):
                self.commands.put(command)
                return True
        except ChannelFull:
            log.exception("the disk has stood still for too long; the recording ends with what was taken in")
        except (EOFError, OSError):
            log.info("the application is gone; the recording ends")
        self.ended.set()
        return False

    def _give(self) -> bool:
        self._ready.wait()
        self._ready.clear()
        while self._answers:
            try:
                self._connection.send(self._answers.popleft())
            except OSError:  # the application is gone
                return False
        return not self._closing


class _ToApplication(logging.Handler):
    """Log records as answers."""

    def __init__(self, line: Line) -> None:
        super().__init__(logging.INFO)
        self._line = line

    def emit(self, record: logging.LogRecord) -> None:
        self._line.answer(Remark(record.levelno, record.getMessage()))


class _Signals:
    """What signals asked for. A flag, because a handler must not take a lock that the main thread may hold."""

    def __init__(self) -> None:
        self.end = False
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        for name in ("SIGTERM", "SIGHUP"):  # Windows has no SIGHUP
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.end = True


def run(connection: Connection, order: Order) -> None:
    """The process's body.

    Thread: the main thread of a process of its own.
    """
    signals = _Signals()
    line = Line(connection)
    _speak_through(line)
    recording = Recording(order, line.commands)
    try:
        recording.open(line.ended)
    except AfterimageError as error:
        line.answer(Refused(str(error), isinstance(error, StreamMissing)))
    else:
        line.answer(recording.status())
        _record(recording, line, signals)
        line.answer(recording.status())
    recording.close()
    line.close()


def _record(recording: Recording, line: Line, signals: _Signals) -> None:
    """Until it is asked to end, or fails; the file is closed at the end, and the application was told at once."""
    try:
        told_s = 0.0
        while not (line.ended.wait(POLL_S) or signals.end):
            recording.step()
            if pylsl.local_clock() - told_s >= STATUS_EVERY_S:
                line.answer(recording.status())
                told_s = pylsl.local_clock()
        until_s = pylsl.local_clock() + DRAIN_S
        while pylsl.local_clock() < until_s:
            recording.step()
            threading.Event().wait(POLL_S / 2)
    except RecordingFailed as error:
        recording.fail(str(error))
    except Exception:  # noqa: BLE001 - whatever ended the recording becomes visible state, and the file is closed
        recording.fail(f"the recorder broke:\n{traceback.format_exc()}")
    if recording.failed:
        line.answer(recording.status())
    recording.finish()


def _speak_through(line: Line) -> None:
    """Log records and everything written to the standard streams go to the application instead."""
    root = logging.getLogger()
    root.addHandler(_ToApplication(line))
    root.setLevel(logging.INFO)
    readable, writable = os.pipe()
    for stream in (1, 2):
        os.dup2(writable, stream)
    os.close(writable)

    def forward() -> None:
        with os.fdopen(readable, errors="replace") as lines:
            for text in lines:
                line.answer(Remark(logging.INFO, text.rstrip()))

    threading.Thread(target=forward, name="afterimage-stderr", daemon=True).start()
