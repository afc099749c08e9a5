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

import contextlib
import multiprocessing
import signal
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Self

from calibration.decoding.steps import Progress, Step
from engines.errors import AfterimageError, WorkError
from pipeline.processes import end, leave_with_parent, lower_priority

THREADS = 2
STOP_S = 5.0


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
        self._threads = threads
        self._process: multiprocessing.process.BaseProcess | None = None
        self._pipe: Connection | None = None

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
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start the process; it begins by itself."""
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=_child, args=(theirs, self._threads), name="afterimage-training", daemon=True
        )
        self._process.start()
        theirs.close()
        with contextlib.suppress(BrokenPipeError):  # it died at once; `poll` says so
            self._pipe.send(self._order)

    def poll(self, timeout_s: float) -> Standing | Finished | None:
        """What it says next, within `timeout_s`.

        Raises:
            AfterimageError: what the order raised.
            WorkError: the process died; the message holds its traceback, or says what killed it.
        """
        if self._process is None or self._pipe is None:
            raise RuntimeError("the training is not running")
        try:
            news = self._pipe.recv() if self._pipe.poll(timeout_s) else None
        except (EOFError, OSError) as error:
            self._process.join(STOP_S)
            raise WorkError(
                f"the training was killed before it could say why (exit status {self._process.exitcode}; is there "
                "enough memory?); the same call goes on from its last whole epoch"
            ) from error
        if isinstance(news, AfterimageError):
            raise news
        if isinstance(news, Finished):
            self._process.join(STOP_S)  # what it took of the system it gives back by itself
        if news is None or isinstance(news, Standing | Finished):
            return news
        raise RuntimeError(f"the training sent {type(news).__name__}")

    def stop(self) -> None:
        """End it now, wherever it is; its checkpoint stays. Safe to call twice."""
        if self._process is None or self._pipe is None:
            return
        self._pipe.close()
        self._process.kill()
        end(self._process, STOP_S)
        self._process = self._pipe = None


def _child(pipe: Connection, threads: int) -> None:
    """The process: take the order, carry it out, send what it answered."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    leave_with_parent()
    lower_priority()
    try:
        order = pipe.recv()
        _bound(threads)
        message: object = Finished(order(_Clocked(pipe)))
    except EOFError:
        return  # the parent changed its mind
    except AfterimageError as error:
        message = error
    except Exception:  # noqa: BLE001 - whatever killed the process becomes the parent's to show
        message = WorkError(f"the training died:\n{traceback.format_exc()}")
    with contextlib.suppress(OSError):  # nobody may be left to hear
        pipe.send(message)


def _bound(threads: int) -> None:
    """Imported here: the parent may know nothing of torch, and this process watches its parent before anything else."""
    import threadpoolctl
    import torch

    torch.set_num_threads(threads)
    threadpoolctl.threadpool_limits(threads)


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
