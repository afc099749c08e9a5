"""Between the session's threads and the window: the only place that touches the session from Qt (with `looking`).

Everything slow (looking for a stream, starting and stopping workers, finishing a file) runs in one thread beside the
window, job after job; its results come back as queued signals. The window itself looks at the session 30 times a
second and is never called by a worker (docs/decisions/0080-window-reads.md).
"""

import logging
import time
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QObject, QTimer, Signal

from app.looking import DRAWING, Look, stream_of
from app.panels.frame import Known, Phase, Request, Samples, Stream
from app.pictures import Pictures
from engines.errors import AfterimageError
from pipeline.coupling.bands import CouplingBands
from pipeline.recorder.messages import RecorderStatus
from pipeline.session import Session
from pipeline.types import Boundary, ClockOffset, Decision, Item

log = logging.getLogger(__name__)

TICK_MS = 33
# What a recording that starts later must know of the clocks; two streams measured every 5 s for half a day.
MAX_OFFSETS = 20_000


@dataclass(frozen=True)
class Hooks:
    """What a session is to call: from its own threads, never touching the window."""

    on_wait: Callable[[str], None]
    on_item: Callable[[Item], None]
    on_log_line: Callable[[str], None]
    on_decision: Callable[[Decision], None]


class Recording(Protocol):
    """A recording under way. `item`, `log_line` and `decision` are called from the session's threads."""

    @property
    def status(self) -> RecorderStatus:
        """The newest state."""
        ...

    def item(self, item: Item) -> None:
        """Something came from the source."""
        ...

    def log_line(self, line: str) -> None:
        """A line of the session's log."""
        ...

    def decision(self, decision: Decision) -> None:
        """An answer."""
        ...

    def stop(self) -> RecorderStatus:
        """Finish the file."""
        ...


MakeSession = Callable[[Request, Hooks], Session]
StartRecording = Callable[[Path, Request, Session, Sequence[ClockOffset]], Recording]


class Bridge(QObject):
    """Opens, watches and closes one session at a time, and its recording.

    `ticked` carries a `Frame` 30 times a second while connected; `connected` the `Stream`; `failed` why a connection
    could not be made, `waiting` what an attempt still waits for ("" when the source does not say); `recording_failed`
    why a recording could not begin. `on_stopped` is given each session after its end, beside the window; `known` is
    asked about the subject of each session that was made. `pictures` are those that the subject knows.

    Thread: main only; jobs run beside it.
    """

    phase_changed = Signal(object)
    connected = Signal(object)
    failed = Signal(str)
    waiting = Signal(str)
    ticked = Signal(object)
    recording_changed = Signal(bool)
    recording_failed = Signal(str)
    _told = Signal(int, str)
    _opened = Signal(int, object, object)
    _refused = Signal(int, str)
    _closed = Signal(int)
    _recording_started = Signal(object)
    _recording_refused = Signal(str)
    _recording_stopped = Signal(object)

    def __init__(
        self,
        make_session: MakeSession,
        start_recording: StartRecording,
        out: Path,
        on_stopped: Callable[[Session, Request], None] = lambda session, request: None,
        known: Callable[[], Known] = Known,
    ) -> None:
        super().__init__()
        self.pictures = Pictures(self)
        self.phase = Phase.IDLE
        self.request: Request | None = None
        self.out = out
        self._make_session = make_session
        self._start_recording = start_recording
        self._on_stopped = on_stopped
        self._known = known
        self._jobs = ThreadPoolExecutor(max_workers=1, thread_name_prefix="afterimage-bridge")
        self._number = 0  # of the connection; answers to an older one come too late
        self._session: Session | None = None
        self._look: Look | None = None
        self._recording: Recording | None = None
        self._recording_since_s = self._connecting_since_s = time.monotonic()
        self._told_text = ""
        self._recording_busy = False
        self._unclaimed: list[Session | Recording] = []  # made by a job, not yet taken over in the main thread
        self._offsets: deque[ClockOffset] = deque(maxlen=MAX_OFFSETS)
        self._timer = QTimer(self)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self.tick)
        self._told.connect(self._on_told)
        self._opened.connect(self._on_opened)
        self._refused.connect(self._on_refused)
        self._closed.connect(self._on_closed)
        self._recording_started.connect(self._on_recording_started)
        self._recording_refused.connect(self._on_recording_refused)
        self._recording_stopped.connect(self._on_recording_stopped)

    # Connecting.

    def connect_to(self, request: Request) -> None:
        """Open a source beside the window; `connected` or `failed` answers."""
        self.disconnect_now()
        self._number += 1
        self.request = request
        self._connecting_since_s, self._told_text = time.monotonic(), ""
        self._set_phase(Phase.CONNECTING)
        self._timer.start()
        self._jobs.submit(self._open_job, self._number, request)

    def disconnect_now(self) -> None:
        """Let go of the source, or of the attempt to reach it. A recording is finished first."""
        if self.phase is Phase.CONNECTING:
            self._number += 1
            self._timer.stop()
            self._set_phase(Phase.IDLE)
        if self._session is None:
            return
        self._timer.stop()
        session, recording = self._session, self._recording
        self._session = self._look = self._recording = None
        self._set_phase(Phase.CLOSING)
        self._jobs.submit(self._close_job, self._number, session, recording, self.request)

    def close(self) -> None:
        """End everything and wait for it. Thread: main; blocks until the file is finished."""
        self.disconnect_now()
        self._number += 1
        self._jobs.shutdown(wait=True)
        self.pictures.close()
        for made in self._unclaimed:
            made.stop()
        self._unclaimed.clear()

    @property
    def connecting_s(self) -> float:
        """How long the attempt under way has lasted."""
        return time.monotonic() - self._connecting_since_s

    # Recording.

    @property
    def can_record(self) -> bool:
        """A live source is connected. What is replayed is on the disk already."""
        return self._session is not None and self._session.live and not self._recording_busy

    @property
    def recording(self) -> bool:
        """True while a file is being written."""
        return self._recording is not None and not self._recording.status.final

    def start_recording(self) -> None:
        """Begin a file named after the time; `recording_changed` or `recording_failed` answers."""
        if not self.can_record or self.recording or self._session is None or self.request is None:
            return
        self._recording_busy = True
        name = "".join(c if c.isalnum() else "-" for c in self.request.title).strip("-")
        path = self.out / f"{datetime.now():%Y%m%d-%H%M%S}-{name}.xdf"
        self._jobs.submit(self._record_job, path, self.request, self._session)

    def stop_recording(self) -> None:
        """Finish the file."""
        if self._recording is None or self._recording_busy:
            return
        recording = self._recording
        self._recording = None
        self._recording_busy = True
        self._jobs.submit(self._stop_record_job, recording)

    # Workers.

    def restart_worker(self, name: str) -> None:
        """Start a worker that died again."""
        if self._session is not None:
            self._session.restart_worker(name)

    # Coupling.

    def set_coupling_bands(self, bands: CouplingBands) -> None:
        """Measure the live coupling between other bands from now on."""
        session = self._session
        if session is not None and session.coupling is not None:
            session.set_coupling(replace(session.coupling.config, bands=bands))

    # Looking.

    def history(self, span_s: float) -> Samples | None:
        """The newest `span_s` seconds that were shown already, and some before them for filters to settle."""
        return self._look.history(span_s) if self._look is not None else None

    @property
    def boundaries(self) -> tuple[Boundary, ...]:
        """The newest starts of segments."""
        return self._look.boundaries if self._look is not None else ()

    def tick(self) -> None:
        """Look at the session once, and tell the window."""
        look = self._look
        if look is None:
            if self.phase is Phase.CONNECTING:
                self.waiting.emit(self._told_text)
            return
        frame = look.frame()
        if self._recording is not None:
            elapsed_s = time.monotonic() - self._recording_since_s
            frame = replace(frame, recording=self._recording.status, recording_s=elapsed_s)
        if look.due():
            self._jobs.submit(look.figure)
        began_s = time.monotonic()
        self.ticked.emit(frame)
        # Due after what was asked to be painted has been.
        QTimer.singleShot(0, self, lambda: look.ledger.add(DRAWING, time.monotonic() - began_s))

    # Jobs: everything below runs in the bridge's thread and talks by signals only.

    def _open_job(self, number: int, request: Request) -> None:
        hooks = Hooks(
            on_wait=lambda text: self._told.emit(number, text),
            on_item=self._pass_item,
            on_log_line=self._pass_log_line,
            on_decision=self._pass_decision,
        )
        session: Session | None = None
        self._offsets.clear()
        try:
            session = self._make_session(request, hooks)
            session.open()
            stream = stream_of(session, request, self._known())
            session.start()
        except AfterimageError as error:
            text = str(error)
        except Exception:  # noqa: BLE001 - whatever broke becomes visible in the window
            text = traceback.format_exc()
            log.error("connecting failed:\n%s", text)
        else:
            self._unclaimed.append(session)
            self._opened.emit(number, session, stream)
            return
        if session is not None:
            session.close()
        self._refused.emit(number, text)

    def _close_job(self, number: int, session: Session, recording: Recording | None, request: Request | None) -> None:
        session.stop()
        if recording is not None:
            self._recording_stopped.emit(recording.stop())
        if request is not None:
            self._report(session, request)
        self._closed.emit(number)

    def _report(self, session: Session, request: Request) -> None:
        try:
            self._on_stopped(session, request)
        except (AfterimageError, OSError) as error:
            log.error("no report: %s", error)

    def _record_job(self, path: Path, request: Request, session: Session) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            recording = self._start_recording(path, request, session, tuple(self._offsets))
        except (AfterimageError, OSError) as error:
            self._recording_refused.emit(str(error))
        else:
            self._unclaimed.append(recording)
            self._recording_started.emit(recording)

    def _stop_record_job(self, recording: Recording) -> None:
        self._recording_stopped.emit(recording.stop())

    # Hooks, in the session's threads.

    def _pass_item(self, item: Item) -> None:
        if isinstance(item, ClockOffset):
            self._offsets.append(item)
        if (recording := self._recording) is not None:
            recording.item(item)

    def _pass_log_line(self, line: str) -> None:
        if (recording := self._recording) is not None:
            recording.log_line(line)

    def _pass_decision(self, decision: Decision) -> None:
        if (recording := self._recording) is not None:
            recording.decision(decision)

    # Answers, in the main thread.

    def _on_told(self, number: int, text: str) -> None:
        if number == self._number:
            self._told_text = text

    def _on_opened(self, number: int, session: Session, stream: Stream) -> None:
        if session not in self._unclaimed:
            return  # the bridge was closed meanwhile
        self._unclaimed.remove(session)
        if number != self._number:
            self._jobs.submit(self._close_job, number, session, None, None)
            return
        self._session, self._look = session, Look(session, stream)
        self._set_phase(Phase.RUNNING)
        self.pictures.use(stream.known.pictures)
        self.connected.emit(stream)

    def _on_refused(self, number: int, text: str) -> None:
        if number == self._number:
            self._timer.stop()
            self._set_phase(Phase.IDLE)
            self.failed.emit(text)

    def _on_closed(self, number: int) -> None:
        if number == self._number and self.phase is Phase.CLOSING:
            self._set_phase(Phase.IDLE)

    def _on_recording_started(self, recording: Recording) -> None:
        self._recording_busy = False
        if recording not in self._unclaimed:
            return  # the bridge was closed meanwhile
        self._unclaimed.remove(recording)
        if self._session is None:  # disconnected meanwhile
            self._jobs.submit(self._stop_record_job, recording)
            return
        self._recording, self._recording_since_s = recording, time.monotonic()
        self.recording_changed.emit(True)

    def _on_recording_refused(self, text: str) -> None:
        self._recording_busy = False
        self.recording_failed.emit(text)

    def _on_recording_stopped(self, status: RecorderStatus) -> None:
        self._recording_busy = False
        self.recording_changed.emit(False)
        log.info("recording %s: %s", status.state.value, status.path)

    def _set_phase(self, phase: Phase) -> None:
        if phase is not self.phase:
            self.phase = phase
            self.phase_changed.emit(phase)
