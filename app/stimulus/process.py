"""The presenter in a process of its own: spawned, stopped, and heard from through one pipe.

It leaves when its parent does: both hold an end of the pipe, and the end of a dead process closes by itself. It looks
at every flip.
"""

import contextlib
import multiprocessing
import os
import signal
import sys
import traceback
from multiprocessing.connection import Connection
from typing import Any

from app.stimulus.messages import Presentation, Progress
from engines.errors import AfterimageError, WorkError
from pipeline.processes import end

STOP_S = 5.0


class Presenter:
    """A presentation in a process of its own. Thread: one only."""

    def __init__(self, presentation: Presentation) -> None:
        self._presentation = presentation
        self._process: multiprocessing.process.BaseProcess | None = None
        self._pipe: Connection | None = None

    @property
    def pid(self) -> int | None:
        """The process, None when not started."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start the process; it opens its window, prepares and begins by itself."""
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=_child, args=(self._presentation, theirs), name="afterimage-stimuli", daemon=True
        )
        self._process.start()
        theirs.close()

    def poll(self, timeout_s: float) -> Progress | dict[str, Any] | None:
        """What the presenter says next, within `timeout_s`: how far it is, or at the end the fields of its report.

        Raises:
            InputError: what was asked for cannot be shown.
            WorkError: it died; the message holds its traceback.
        """
        if self._pipe is None:
            raise RuntimeError("the presenter is not running")
        try:
            message = self._pipe.recv() if self._pipe.poll(timeout_s) else None
        except (EOFError, OSError) as error:
            raise WorkError("the presenter was killed before it could say why") from error
        if isinstance(message, AfterimageError):
            raise message
        if message is None or isinstance(message, Progress | dict):
            return message
        raise RuntimeError(f"the presenter sent {type(message).__name__}")

    def ask_to_stop(self) -> None:
        """End the run now, with its marker and its report, which `poll` still gives."""
        if self._pipe is not None:
            with contextlib.suppress(OSError):  # it has gone already
                self._pipe.send("stop")

    def stop(self) -> None:
        """See to it that the process is gone. Safe to call twice."""
        if self._process is None or self._pipe is None:
            return
        self._pipe.close()
        end(self._process, STOP_S)
        self._process = self._pipe = None


def _child(presentation: Presentation, pipe: Connection) -> None:
    """The process: show the run, send the report."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    try:
        message: object = _present(presentation, pipe)
    except AfterimageError as error:
        message = error
    except Exception:  # noqa: BLE001 - whatever killed the process becomes the parent's to show
        message = WorkError(f"the presenter died:\n{traceback.format_exc()}")
    with contextlib.suppress(OSError):  # nobody may be left to hear
        pipe.send(message)


def _present(presentation: Presentation, pipe: Connection) -> dict[str, Any]:
    """Qt first, then PyOpenGL, each imported here: the parent needs neither.

    Qt chooses between X and Wayland; PyOpenGL, which chooses when it is imported, must choose the same.
    """
    from PySide6.QtGui import QGuiApplication

    application = QGuiApplication([])
    if sys.platform.startswith("linux"):
        on_x = application.platformName() == "xcb"
        os.environ.setdefault("PYOPENGL_PLATFORM", "glx" if on_x else "egl")
    from app.stimulus.presenting import present

    return present(presentation, pipe, application)
