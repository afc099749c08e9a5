"""Looking at recordings and at the recorder while it works."""

import threading
from collections.abc import Callable
from pathlib import Path

import pyxdf

from pipeline.recorder.recorder import Recorder, RecorderStatus


def load(path: Path) -> list[dict]:
    """The streams of a file in the order of their numbers, nothing corrected."""
    streams, _header = pyxdf.load_xdf(path, synchronize_clocks=False, dejitter_timestamps=False)
    return sorted(streams, key=lambda stream: stream["info"]["stream_id"])


def load_by_name(path: Path) -> dict[str, dict]:
    """The same by name."""
    return {stream["info"]["name"][0]: stream for stream in load(path)}


def wait_for(recorder: Recorder, holds: Callable[[RecorderStatus], bool], timeout_s: float = 30.0) -> RecorderStatus:
    """The first status of which `holds` is true."""
    pause = threading.Event()
    for _ in range(int(timeout_s / 0.02)):
        status = recorder.status
        if holds(status):
            return status
        pause.wait(0.02)
    raise AssertionError(f"it never came to that: {recorder.status}")
