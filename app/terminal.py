"""What the command line says: results on standard output, progress and warnings on standard error."""

import sys
import threading
import time
from collections.abc import Callable

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

# Without a terminal a line every so often is progress enough for a log.
PLAIN_EVERY_S = 2.0
# What is waited for is told at once, and then this often.
REPEAT_EVERY_S = 5.0


class Terminal:
    """`quiet_stdout` keeps standard output for the JSON report alone.

    Thread: main only.
    """

    def __init__(self, quiet_stdout: bool = False) -> None:
        self.err = Console(stderr=True, highlight=False)
        self.out = self.err if quiet_stdout else Console(highlight=False)

    def say(self, text: str) -> None:
        """One line for the user."""
        self.out.print(text, markup=False, soft_wrap=True)

    def warn(self, text: str) -> None:
        """One line on standard error."""
        self.err.print(f"warning: {text}", markup=False, soft_wrap=True, style="yellow")

    def waiting(self) -> Callable[[str], None]:
        """For code that says what it waits for as often as it looks: tells news at once, the same every 5 s."""
        told, next_s = "", 0.0

        def tell(text: str) -> None:
            nonlocal told, next_s
            if text != told or time.monotonic() >= next_s:
                told, next_s = text, time.monotonic() + REPEAT_EVERY_S
                self.warn(text)

        return tell

    def progress(self, title: str) -> "ProgressLine":
        """A context that shows how far something has come."""
        return ProgressLine(self.err, title)


class ProgressLine:
    """Shows a bar on a terminal, and a plain line every 2 s elsewhere.

    The lines come from a thread of their own: looking for a stream or reading a large file can take long between
    two updates. Thread: main only.
    """

    def __init__(self, console: Console, title: str) -> None:
        self._console = console
        self._title = title
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._line = title
        self._over = threading.Event()
        self._lines = threading.Thread(target=self._print_lines, name="progress")

    def __enter__(self) -> "ProgressLine":
        if self._console.is_terminal:
            columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[note]}"))
            self._bar = Progress(*columns, TimeRemainingColumn(), console=self._console, transient=True)
            self._bar.start()
            self._task = self._bar.add_task(self._title, total=None, note="")
        else:
            self._lines.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._over.set()
        if self._bar is not None:
            self._bar.stop()
        else:
            self._lines.join()

    def update(self, fraction: float | None, note: str = "") -> None:
        """Tell how much is done (0 to 1, None when unknown) and what is going on."""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, total=None if fraction is None else 1.0, completed=fraction or 0.0, note=note)
        share = "" if fraction is None else f" {fraction:4.0%}"
        self._line = f"{self._title}{share} {note}".rstrip()

    def _print_lines(self) -> None:
        while not self._over.wait(PLAIN_EVERY_S):
            self._console.print(self._line, markup=False, soft_wrap=True)

    @property
    def callback(self) -> Callable[[float | None, str], None]:
        """`update`, for code that knows nothing of terminals."""
        return self.update


def write_stdout(text: str) -> None:
    """Raw text on standard output (the JSON report)."""
    sys.stdout.write(text)
    sys.stdout.flush()
