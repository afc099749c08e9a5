"""Beside the recorder's pull path: clock measurements every 5 s, and looking for streams that are awaited or back."""

import logging
import threading
from dataclasses import dataclass
from typing import Any

import pylsl

from engines.errors import AfterimageError
from pipeline.channels import Lossless
from pipeline.recorder.inlets import RecordedInlet, described
from pipeline.sources.lsl_find import Selector, agrees, describe, one_line, search
from pipeline.types import StreamInfo
from pipeline.worker import Health, Worker

log = logging.getLogger(__name__)

MEASURE_EVERY_S = 5.0
MEASURE_WITHIN_S = 1.0
LOOK_S = 1.5  # three rounds of liblsl's questions to the network
REST_S = 1.0


@dataclass(frozen=True)
class Measured:
    """A clock measurement that succeeded."""

    inlet: RecordedInlet
    at_s: float
    value_s: float


class Clocks:
    """Measures the clock of every sender about every 5 s.

    Thread: its own, `afterimage-clocks`; `add`, `drop` and `measured` from any.
    """

    def __init__(self) -> None:
        self.measured: Lossless[Measured] = Lossless()
        self._lock = threading.Lock()
        self._due_s: dict[RecordedInlet, float] = {}
        self._changed = threading.Event()
        self._stop = threading.Event()
        self._worker = Worker("clocks", self.step)

    @property
    def health(self) -> Health:
        """Whether the thread lives."""
        return self._worker.health

    def add(self, inlet: RecordedInlet) -> None:
        """Measure this sender at once and from now on."""
        with self._lock:
            self._due_s[inlet] = 0.0
        self._changed.set()

    def drop(self, inlet: RecordedInlet) -> None:
        """Never ask this sender again."""
        with self._lock:
            self._due_s.pop(inlet, None)

    def start(self) -> None:
        """Start the thread."""
        self._worker.start()

    def stop(self) -> None:
        """End the thread; waits for the measurement in progress."""
        self._stop.set()
        self._changed.set()
        self._worker.stop()

    def step(self) -> bool:
        """Wait until a measurement is due, and take it."""
        with self._lock:
            inlet = min(self._due_s, key=self._due_s.__getitem__, default=None)
            wait_s = None if inlet is None else self._due_s[inlet] - pylsl.local_clock()
        if wait_s is None or wait_s > 0:
            self._changed.wait(wait_s)
            self._changed.clear()
            return not self._stop.is_set()
        assert inlet is not None
        measured = inlet.measure(MEASURE_WITHIN_S)
        with self._lock:
            if inlet in self._due_s:
                self._due_s[inlet] = pylsl.local_clock() + MEASURE_EVERY_S
        if measured is not None:
            self.measured.put(Measured(inlet, *measured))
        return not self._stop.is_set()


@dataclass(frozen=True)
class Joined:
    """A stream to record from now on; `replaces` is the inlet that will never send again, None for an added stream."""

    inlet: RecordedInlet
    replaces: RecordedInlet | None = None


@dataclass(frozen=True)
class Compared:
    """What the sender to which liblsl reconnected says of itself; None when it did not say."""

    inlet: RecordedInlet
    uid: str = ""
    info: StreamInfo | None = None
    header_xml: str = ""


class Scout:
    """Looks on the network for added streams, for the senders behind a reconnection and for those that are lost.

    Thread: its own, `afterimage-scout`; everything but `step` from any.
    """

    def __init__(self) -> None:
        self.finds: Lossless[Joined | Compared] = Lossless()
        self._lock = threading.Lock()
        self._uids: set[str] = set()
        self._awaited: list[Selector] = []
        self._returned: list[RecordedInlet] = []
        self._lost: list[RecordedInlet] = []
        self._wanted = threading.Event()
        self._stop = threading.Event()
        self._worker = Worker("scout", self.step)

    @property
    def health(self) -> Health:
        """Whether the thread lives."""
        return self._worker.health

    @property
    def waiting_for(self) -> tuple[str, ...]:
        """The added selectors for which nothing has appeared."""
        with self._lock:
            return tuple(map(describe, self._awaited))

    def recorded(self, uid: str) -> None:
        """Never find this incarnation of a stream again: it is being recorded."""
        with self._lock:
            self._uids.add(uid)

    def await_stream(self, selector: Selector) -> None:
        """Look until a stream agrees with `selector`."""
        self._want(self._awaited, selector)

    def compare(self, inlet: RecordedInlet) -> None:
        """Ask the sender to which liblsl has reconnected what it is now; one `Compared` will answer."""
        self._want(self._returned, inlet)

    def find_again(self, inlet: RecordedInlet) -> None:
        """Look for the sender of a lost stream where liblsl would not."""
        self._want(self._lost, inlet)

    def found_again(self, inlet: RecordedInlet) -> None:
        """Stop looking: the stream sends."""
        with self._lock:
            if inlet in self._lost:
                self._lost.remove(inlet)

    def start(self) -> None:
        """Start the thread."""
        self._worker.start()

    def stop(self) -> None:
        """End the thread; waits for the answers it is waiting for."""
        self._stop.set()
        self._wanted.set()
        self._worker.stop(timeout_s=15.0)

    def _want(self, wishes: list[Any], wish: object) -> None:
        with self._lock:
            if wish not in wishes:
                wishes.append(wish)
        self._wanted.set()

    def step(self) -> bool:
        """One look at the network, when there is something to look for."""
        with self._lock:
            idle = not (self._awaited or self._returned or self._lost)
        if self._wanted.wait(None if idle else REST_S):
            self._wanted.clear()
        if self._stop.is_set():
            return False
        found = search(self._enough, LOOK_S, self._stop)
        with self._lock:
            awaited, returned, lost = list(self._awaited), list(self._returned), list(self._lost)
        for inlet in returned:
            self._returned_as(inlet, [other for other in found if inlet.liblsl_finds(other)])
        for selector in awaited:
            self._appeared(selector, [other for other in found if agrees(other, selector)])
        for inlet in lost:
            self._replaced_by(inlet, [other for other in found if self._is_successor(inlet, other)])
        return not self._stop.is_set()

    def _enough(self, found: list[pylsl.StreamInfo]) -> bool:
        """Reconnected senders first: their samples are held back until they are known."""
        with self._lock:
            if self._returned:
                return all(any(inlet.liblsl_finds(other) for other in found) for inlet in self._returned)
            return all(any(agrees(other, selector) for other in found) for selector in self._awaited) and all(
                any(self._is_successor(inlet, other) for other in found) for inlet in self._lost
            )

    def _returned_as(self, inlet: RecordedInlet, candidates: list[pylsl.StreamInfo]) -> None:
        answer = Compared(inlet)
        if candidates:
            try:
                answer = Compared(inlet, str(candidates[0].uid()), *described(candidates[0], LOOK_S))
            except AfterimageError as error:
                log.warning("%s", error)
        with self._lock:
            self._returned.remove(inlet)
            self._uids.add(answer.uid)
        self.finds.put(answer)

    def _appeared(self, selector: Selector, candidates: list[pylsl.StreamInfo]) -> None:
        if not candidates:
            return
        with self._lock:
            self._awaited.remove(selector)
            new = [other for other in candidates if str(other.uid()) not in self._uids]
        for other in new:
            if not self._join(other, None):
                self.await_stream(selector)

    def _is_successor(self, inlet: RecordedInlet, other: pylsl.StreamInfo) -> bool:
        return inlet.may_be(other) and not inlet.liblsl_finds(other) and str(other.uid()) not in self._uids

    def _replaced_by(self, inlet: RecordedInlet, candidates: list[pylsl.StreamInfo]) -> None:
        if len(candidates) > 1:
            log.warning("several senders claim to be a lost stream: %s", "; ".join(map(one_line, candidates)))
        elif candidates and self._join(candidates[0], inlet):
            self.found_again(inlet)

    def _join(self, found: pylsl.StreamInfo, replaces: RecordedInlet | None) -> bool:
        try:
            inlet = RecordedInlet(found)
        except AfterimageError as error:
            log.warning("%s", error)
            return False
        self.recorded(inlet.uid)
        self.finds.put(Joined(inlet, replaces))
        return True
