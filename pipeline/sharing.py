"""The session's EEG for other programs: from the ring to the compatibility outlet, in a worker of its own."""

from collections.abc import Sequence

from pipeline.acquire import Acquisition
from pipeline.channels import Lossless
from pipeline.errors import Overrun
from pipeline.outlets import CompatibilityOutlet
from pipeline.types import Array
from pipeline.worker import Worker


class Sharing:
    """Sends what is in the ring, and the class of every trial marker, as MNE-LSL and mne-realtime read them.

    The worker runs from `start` to `stop`; a slow reader elsewhere never holds the session up. Thread: `mark` any.
    """

    def __init__(self, acquisition: Acquisition, classes: Sequence[str]) -> None:
        self._acquisition = acquisition
        self._outlet = CompatibilityOutlet(acquisition.info, classes)
        self._marks: Lossless[tuple[str, float]] = Lossless()
        self._cursor = 0
        self.n_lost = 0
        self._worker = Worker("share", self.step)

    def start(self) -> None:
        """Start sending."""
        self._worker.start()

    def stop(self) -> None:
        """Stop, and send what is still held back."""
        self._worker.stop()
        self._outlet.flush()

    def mark(self, name: str, time_s: float) -> None:
        """A trial of class `name` began."""
        self._marks.put((name, time_s))

    def step(self, timeout_s: float = 0.1) -> bool:
        """Send what came; wait up to `timeout_s` for more. False at the end of the source."""
        ended = self._acquisition.ended
        self._acquisition.wait_for(self._cursor, timeout_s)
        for name, time_s in self._marks.take_all():
            self._outlet.mark(name, time_s)
        stop = self._acquisition.ring.written
        if stop > self._cursor:
            self._send(self._cursor, stop)
        return not ended

    def _send(self, start: int, stop: int) -> None:
        try:
            data, times = self._copied(start, stop)
        except Overrun as overrun:
            self.n_lost += overrun.n_lost
            self._cursor = start + overrun.n_lost
            return
        self._outlet.push(data, times)
        self._cursor = stop

    def _copied(self, start: int, stop: int) -> tuple[Array, Array]:
        view, times = self._acquisition.ring.view(start, stop)
        copies = view.copy(), times.copy()
        self._acquisition.ring.check(start)
        return copies
