"""Training in a process of its own: at lowered priority, on few threads, heard from through one pipe.

    with TrainingProcess(order) as training:          # order: anything picklable, called with `progress` in there
        while not isinstance(news := training.poll(0.5), Finished):
            ...                                        # Standing, or None
    news.result

It leaves within a second of its parent's death, and at once when it is stopped: what has to survive is on disk, moved
into place whole (`calibration/decoding/checkpoint.py`), so there is nothing to wind up. What the process runs is
imported there alone, after it has begun to watch its parent. A GPU is used where there is one; on none has this ever
run.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Self

from calibration.decoding.steps import Progress, Step
from engines.errors import WorkError
from pipeline.errors import ProcessDied
from pipeline.processes import Child, answer, leave_with_parent, lower_priority

WHO = "the training"
THREADS = 2


@dataclass(frozen=True)
class Standing:
    """How far training is; `seconds_left` None until an epoch was timed. `step.epoch` counts those of earlier runs."""

    step: Step
    seconds_left: float | None


@dataclass(frozen=True)
class Finished:
    """What the order answered."""

    result: Any


class TrainingProcess:
    """Carries out `order(progress)` elsewhere, on `threads` threads. Thread: one only."""

    def __init__(self, order: Callable[[Progress], Any], threads: int = THREADS) -> None:
        self._order = order
        self._child = Child(WHO, _child, threads)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int | None:
        """The process, None when not running."""
        return self._child.pid

    def start(self) -> None:
        """Start the process; it begins by itself."""
        self._child.start()
        self._child.send(self._order)

    def poll(self, timeout_s: float) -> Standing | Finished | None:
        """What it says next, within `timeout_s`.

        Raises:
            AfterimageError: what the order raised.
            WorkError: the process died; the message holds its traceback, or says what killed it.
        """
        try:
            news = self._child.receive(timeout_s)
        except ProcessDied as error:
            raise WorkError(f"{error}; the same call goes on from its last whole epoch") from error
        if isinstance(news, Finished):
            self._child.join()
        if news is None or isinstance(news, Standing | Finished):
            return news
        raise RuntimeError(f"{WHO} sent {type(news).__name__}")

    def stop(self) -> None:
        """End it now, wherever it is; its checkpoint stays. Safe to call twice."""
        self._child.kill()
        self._child.stop()


def _child(pipe: Connection, threads: int) -> None:
    """The process: take the order, carry it out, send what it answered."""
    leave_with_parent()
    lower_priority()

    def work() -> Finished:
        order = pipe.recv()
        # Imported here: the parent may know nothing of torch, and this process watched its parent before anything else.
        from engines.threads import bound_threads

        bound_threads(threads)
        return Finished(order(_Clocked(pipe)))

    answer(pipe, WHO, work)


class _Clocked:
    """Progress with the time left, from what this process did itself."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._began: tuple[float, float] | None = None  # when, and at which share

    def __call__(self, step: Step) -> None:
        now_s = time.monotonic()
        left_s = None
        if self._began is None:
            self._began = now_s, step.share
        elif step.share > self._began[1]:
            began_s, share = self._began
            left_s = (now_s - began_s) / (step.share - share) * (1 - step.share)
        self._pipe.send(Standing(step, left_s))
