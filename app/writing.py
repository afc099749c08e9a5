"""A process that writes files for a session: encoding pictures and meshes would hold the interpreter for milliseconds.

    writing = Writing()
    writing.put(write_shape, mesh, path)      # never waits for the file
    writing.finish()                            # waits for all of them

docs/decisions/0195-files-are-encoded-apart.md has the numbers.
"""

import multiprocessing
import signal
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from pipeline.processes import leave_with_parent, lower_priority


class Writing:
    """Jobs one after another, in a process that begins with the first, at lowered priority, and leaves with ours.

    Thread: one at a time.
    """

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None
        self._jobs: deque[Future[None]] = deque()

    def put(self, job: Callable[..., None], *arguments: object) -> None:
        """Do this, too: a function that can be imported, and what can be pickled.

        Raises:
            OSError: an earlier one failed so, or the process died.
        """
        while self._jobs and self._jobs[0].done():
            _answered(self._jobs.popleft())
        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(1, mp_context=context, initializer=_begin)
        try:
            self._jobs.append(self._pool.submit(job, *arguments))
        except BrokenProcessPool as error:
            raise _died() from error

    def finish(self) -> None:
        """Wait until all is done, and end the process. Safe to call twice.

        Raises:
            OSError: one of the last failed so, or the process died.
        """
        if self._pool is None:
            return
        self._pool.shutdown(wait=True)
        self._pool = None
        while self._jobs:
            _answered(self._jobs.popleft())


def _answered(job: Future[None]) -> None:
    try:
        job.result()
    except BrokenProcessPool as error:
        raise _died() from error


def _died() -> OSError:
    return OSError("the process that writes reconstructions died; what it had not written is lost")


def _begin() -> None:
    """In the process, before anything of ours is loaded there."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the session decides
    leave_with_parent()
    lower_priority()
