"""A worker is a `step` that can be cranked by hand, or by a named thread that reports its own death."""

import logging
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

log = logging.getLogger(__name__)


class State(StrEnum):
    """Where a worker stands. FAILED keeps the traceback."""

    READY = "ready"
    RUNNING = "running"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True)
class Health:
    """A worker's visible state; `traceback` is "" unless it failed."""

    name: str
    state: State
    traceback: str = ""
    n_restarts: int = 0

    @property
    def reason(self) -> str:
        """The traceback's last line; "" unless it failed."""
        return self.traceback.strip().rpartition("\n")[2]


class Worker:
    """Runs `step()` again and again in a thread of its own until stopped, ended or failed.

    `step` returns False when there is nothing more to do, ever. An exception ends the thread and stays readable in
    `health`; `start` may be called again after that.

    Thread: `start`, `stop` and `health` from any; `step` only from the worker's own thread, or by hand when never
    started.
    """

    def __init__(self, name: str, step: Callable[[], bool]) -> None:
        self.name = name
        self.step = step
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._health = Health(name, State.READY)

    @property
    def health(self) -> Health:
        """The newest state."""
        return self._health

    def start(self) -> None:
        """Start, or start again after a failure."""
        if self._thread is not None and self._thread.is_alive():
            return
        restarts = self._health.n_restarts + (self._health.state is State.FAILED)
        self._stop.clear()
        self._health = Health(self.name, State.RUNNING, n_restarts=restarts)
        self._thread = threading.Thread(target=self._run, name=f"afterimage-{self.name}", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        restarts = self._health.n_restarts
        try:
            while not self._stop.is_set() and self.step():
                pass
        except Exception as error:  # noqa: BLE001 - whatever killed the worker becomes visible state
            text = traceback.format_exc()
            log.error("worker %s died: %s: %s", self.name, type(error).__name__, error)
            log.debug("%s", text)
            self._health = Health(self.name, State.FAILED, text, restarts)
            return
        self._health = Health(self.name, State.STOPPED, n_restarts=restarts)

    def stop(self, timeout_s: float = 5.0) -> bool:
        """Ask the thread to end and wait; False when it did not within `timeout_s`."""
        self._stop.set()
        return self.join(timeout_s)

    def join(self, timeout_s: float) -> bool:
        """Wait for the thread to end by itself; True when it has."""
        if self._thread is None:
            return True
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            log.error("worker %s did not stop within %.1f s", self.name, timeout_s)
            return False
        return True
