import io
import threading

import pytest
from rich.console import Console

from app import terminal
from app.terminal import ProgressLine, Terminal


class _Lines(io.StringIO):
    """Tells when `wanted` has been written."""

    def __init__(self, wanted: str) -> None:
        super().__init__()
        self._wanted = wanted
        self.came = threading.Event()

    def write(self, text: str) -> int:
        n = super().write(text)
        if self._wanted in self.getvalue():
            self.came.set()
        return n


def test_what_takes_long_between_two_updates_says_so_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "PLAIN_EVERY_S", 0.01)
    lines = _Lines("importing muse-csv\n")
    with ProgressLine(Console(file=lines), "importing muse-csv"):
        assert lines.came.wait(10.0)


def test_the_newest_word_on_the_progress_is_the_one_that_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "PLAIN_EVERY_S", 0.01)
    lines = _Lines("calibrating  50% fold 1 of 5\n")
    with ProgressLine(Console(file=lines), "calibrating") as progress:
        progress.update(0.5, "fold 1 of 5")
        assert lines.came.wait(10.0)


def test_what_is_waited_for_is_told_once_and_every_five_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 100.0
    monkeypatch.setattr(terminal.time, "monotonic", lambda: now_s)
    told: list[str] = []
    speaker = Terminal()
    monkeypatch.setattr(speaker, "warn", told.append)
    tell = speaker.waiting()
    for second in range(7):
        now_s = 100.0 + second
        tell("waiting for lsl:type=EEG; 0 streams seen")
    assert len(told) == 2
    tell("waiting for lsl:type=EEG; 1 streams seen")
    assert len(told) == 3
