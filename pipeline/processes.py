"""Processes of ours: how they are spawned, heard through one pipe, make room for others, and end.

    child = Child("the training", _child, threads)      # _child(pipe, threads): importable, runs there
    child.start()
    news = child.receive(0.5)                            # what it sent, None; raises what `answer` caught, ProcessDied

In the child `answer` runs the work and sends what came of it, an error as it is and a crash with its traceback.
"""

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from engines.errors import AfterimageError, WorkError
from pipeline.errors import ProcessDied

STOP_S = 5.0

_NICENESS = 10
_BELOW_NORMAL = 0x4000  # BELOW_NORMAL_PRIORITY_CLASS of Windows


class HasProcess:
    """Whatever has a process of its own, once it is started."""

    _process: BaseProcess | None = None

    @property
    def pid(self) -> int | None:
        """The process, None when there is none."""
        return None if self._process is None else self._process.pid


class Spawned(HasProcess):
    """A process and this end of the pipe to it."""

    _pipe: Connection | None = None

    def _spawn(self, name: str, target: Callable[..., None], *arguments: object) -> Connection:
        """Run `target(pipe, *arguments)` there, which leaves with this one; its end of the pipe closes with it."""
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=target, args=(theirs, *arguments), name=name, daemon=True)
        self._process.start()
        theirs.close()
        return self._pipe

    def stop(self) -> None:
        """Close the pipe, give it time to leave, let go of it. Safe to call twice."""
        if self._process is None or self._pipe is None:
            return
        self._pipe.close()
        end(self._process, STOP_S)
        self._process = self._pipe = None


class Child(Spawned):
    """A spawned process that runs `target(pipe, *arguments)`, and this end of its pipe. `who` names it in errors.

    Thread: one only; `kill` from any.
    """

    def __init__(self, who: str, target: Callable[..., None], *arguments: object) -> None:
        self.who = who
        self._target = target
        self._arguments = arguments

    def start(self) -> None:
        """Start the process."""
        self._spawn(f"afterimage-{self.who.rpartition(' ')[2]}", self._target, *self._arguments)

    def send(self, value: object) -> None:
        """Send what it will receive. That it has died meanwhile, `receive` says."""
        _, pipe = self._running()
        with contextlib.suppress(OSError):
            pipe.send(value)

    def receive(self, timeout_s: float | None = None) -> Any:
        """The next thing it says, None when it said nothing within `timeout_s` (None: until it does).

        Raises:
            AfterimageError: what it sent as an error.
            ProcessDied: it is gone.
        """
        process, pipe = self._running()
        try:
            news = pipe.recv() if pipe.poll(timeout_s) else None
        except (EOFError, OSError) as error:
            process.join(STOP_S)
            raise ProcessDied(self.who, process.exitcode) from error
        if isinstance(news, AfterimageError):
            raise news
        return news

    def join(self) -> None:
        """Wait until a process that has answered has left by itself: what it took of the system it gives back."""
        self._running()[0].join(STOP_S)

    def kill(self) -> None:
        """End it now, wherever it is; whoever waits in `receive` hears of it. Safe to call twice."""
        if self._process is not None:
            with contextlib.suppress(ValueError):  # it has been let go of already
                self._process.kill()

    def _running(self) -> tuple[BaseProcess, Connection]:
        if self._process is None or self._pipe is None:
            raise RuntimeError(f"{self.who} is not running")
        return self._process, self._pipe


def answer(pipe: Connection, who: str, work: Callable[[], object]) -> None:
    """In the child: do the work, and send what it answers or what ended it. Nothing where the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    try:
        message = work()
    except EOFError:
        return  # the parent changed its mind
    except AfterimageError as error:
        message = error
    except Exception:  # noqa: BLE001 - whatever killed the process becomes the parent's to show
        message = WorkError(f"{who} died:\n{traceback.format_exc()}")
    with contextlib.suppress(OSError):  # nobody may be left to hear
        pipe.send(message)


def end(process: BaseProcess, within_s: float) -> None:
    """Wait until a process that was told to leave has left, kill it after `within_s`, and let go of it."""
    process.join(within_s)
    if process.is_alive():
        process.kill()
        process.join()
    process.close()


def leave_with_parent() -> None:
    """From now on this process ends, wherever it is, as soon as its parent is gone: nobody would take its answer."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, name="parent", daemon=True).start()


def lower_priority() -> None:
    """Let everything else on this machine go first: it may be in a session.

    Called before torch is loaded, it also keeps threads that wait for one another from burning their cores meanwhile:
    on two busy cores an epoch took minutes so, and 20 s without.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if sys.platform == "win32":
        import ctypes

        ctypes.windll.kernel32.SetPriorityClass(ctypes.windll.kernel32.GetCurrentProcess(), _BELOW_NORMAL)
    else:
        os.nice(_NICENESS)
