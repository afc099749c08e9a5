"""The presenter in a process of its own: spawned, stopped, and heard from through one pipe.

It leaves when its parent does: both hold an end of the pipe, and the end of a dead process closes by itself. It looks
at every flip.
"""

import os
import sys
from multiprocessing.connection import Connection
from typing import Any

from app.stimulus.messages import Presentation, Progress
from pipeline.processes import Child, answer

WHO = "the presenter"


class Presenter:
    """A presentation in a process of its own. Thread: one only."""

    def __init__(self, presentation: Presentation) -> None:
        self._child = Child(WHO, _child, presentation)

    @property
    def pid(self) -> int | None:
        """The process, None when not started."""
        return self._child.pid

    def start(self) -> None:
        """Start the process; it opens its window, prepares and begins by itself."""
        self._child.start()

    def poll(self, timeout_s: float) -> Progress | dict[str, Any] | None:
        """What the presenter says next, within `timeout_s`: how far it is, or at the end the fields of its report.

        Raises:
            InputError: what was asked for cannot be shown.
            WorkError: it died; the message holds its traceback.
        """
        message = self._child.receive(timeout_s)
        if message is None or isinstance(message, Progress | dict):
            return message
        raise RuntimeError(f"{WHO} sent {type(message).__name__}")

    def ask_to_stop(self) -> None:
        """End the run now, with its marker and its report, which `poll` still gives."""
        if self.pid is not None:
            self._child.send("stop")

    def stop(self) -> None:
        """See to it that the process is gone. Safe to call twice."""
        self._child.stop()


def _child(pipe: Connection, presentation: Presentation) -> None:
    """The process: show the run, send the report."""
    answer(pipe, WHO, lambda: _present(presentation, pipe))


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
