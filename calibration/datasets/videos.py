"""Video files as frames."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import numpy as np

from calibration.datasets.errors import SetUnusable
from calibration.stimuli import Picture

SUFFIXES = frozenset({".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm"})
# Six seconds of 1080p at 30 Hz take 1.1 GB; a film does not belong into a stimulus set.
MAX_BYTES = 1_500_000_000


def read_video(path: Path) -> tuple[Picture, float]:
    """(n, height, width, 3) frames and their rate in Hz.

    Raises:
        SetUnusable: missing, unreadable, no video, cut off (fewer frames than it declares), or beyond `MAX_BYTES`.
    """
    with _opened(path) as (container, stream):
        declared, rate_hz = stream.frames, float(stream.average_rate or 0)
        frames = _bounded(path, (frame.to_ndarray(format="rgb24") for frame in container.decode(stream)))
    if not frames or rate_hz <= 0:
        raise SetUnusable(f"{path} holds {len(frames)} frames at {rate_hz:g} Hz; expected a video")
    if len(frames) < declared:
        raise SetUnusable(f"{path} declares {declared} frames and holds {len(frames)}; is the file whole?")
    whole = np.stack(frames)
    whole.flags.writeable = False
    return whole, rate_hz


def first_frame(path: Path) -> Picture:
    """(height, width, 3).

    Raises:
        SetUnusable: missing, unreadable, or no video.
    """
    with _opened(path) as (container, stream):
        frame = next(container.decode(stream), None)
        if frame is None:
            raise SetUnusable(f"{path} holds no frame; expected a video")
        picture: Picture = frame.to_ndarray(format="rgb24")
    picture.flags.writeable = False
    return picture


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Any, Any]]:
    """The file and its first video stream; every fault of the decoder is the file's."""
    try:
        # `file:` keeps a name with a colon from being taken for a protocol.
        with av.open(f"file:{path}") as container:
            if not container.streams.video:
                raise SetUnusable(f"{path} has no video stream; expected a video")
            yield container, container.streams.video[0]
    except (av.FFmpegError, OSError, ValueError) as error:
        raise SetUnusable(f"{path} cannot be read as a video: {error}; is the file whole?") from error


def _bounded(path: Path, frames: Iterator[Picture]) -> list[Picture]:
    kept: list[Picture] = []
    for frame in frames:
        kept.append(frame)
        if len(kept) * frame.nbytes > MAX_BYTES:
            raise SetUnusable(f"{path} unpacks to more than {MAX_BYTES} bytes; make it shorter or smaller")
    return kept
