"""Video files as frames."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import numpy as np

from calibration.sets.errors import SetUnusable
from calibration.stimuli import Picture

SUFFIXES = frozenset({".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm"})
# Six seconds of 1080p at 30 Hz take 1.1 GB; a film does not belong into a stimulus set.
MAX_BYTES = 1_500_000_000
# Frames are shown at one rate; telephones vary theirs, by less than this.
MAX_UNEVEN_S = 0.1
# The last frames of a stream may count as shorter than the others.
_TAIL_FRAMES = 2


def read_video(path: Path) -> tuple[Picture, float]:
    """(n, height, width, 3) frames and their rate in Hz.

    Raises:
        SetUnusable: missing, unreadable, no video, cut off (it ends before it says), uneven frames, or beyond
            `MAX_BYTES`.
    """
    with _opened(path) as (container, stream):
        rate_hz = float(stream.average_rate or 0)
        declared_s = _length_s(container, stream, rate_hz)
        frames, times_s = _bounded(path, container.decode(stream))
    if len(frames) < 2 or rate_hz <= 0:
        raise SetUnusable(f"{path} holds {len(frames)} frames at {rate_hz:g} Hz; expected a video")
    ends_s = (times_s[-1] - times_s[0]) + 1 / rate_hz
    if ends_s < declared_s - _TAIL_FRAMES / rate_hz:
        raise SetUnusable(f"{path} says it lasts {declared_s:.2f} s and ends after {ends_s:.2f} s; is the file whole?")
    uneven_s = np.abs(np.array(times_s) - times_s[0] - np.arange(len(frames)) / rate_hz).max()
    if uneven_s > MAX_UNEVEN_S:
        raise SetUnusable(
            f"{path}: frames are up to {uneven_s:.2f} s off an even rate of {rate_hz:g} Hz; expected a constant rate, "
            "convert it"
        )
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


def _length_s(container: Any, stream: Any, rate_hz: float) -> float:
    """How long the video says it lasts; 0 where it does not say."""
    if stream.frames and rate_hz:
        return float(stream.frames / rate_hz)
    if stream.duration is not None:
        return float(stream.duration * stream.time_base)
    # Matroska tells only how long the whole file lasts, sound included.
    alone = len(container.streams) == 1 and container.duration is not None
    return container.duration / av.time_base if alone else 0.0


def _bounded(path: Path, decoded: Iterable[av.VideoFrame]) -> tuple[list[Picture], list[float]]:
    """Frames and their times, as long as they fit into memory."""
    frames: list[Picture] = []
    times_s: list[float] = []
    for frame in decoded:
        if frame.time is None:
            raise SetUnusable(f"{path}: frame {len(frames)} has no time; is the file whole?")
        frames.append(frame.to_ndarray(format="rgb24"))
        times_s.append(frame.time)
        if len(frames) * frames[-1].nbytes > MAX_BYTES:
            raise SetUnusable(f"{path} unpacks to more than {MAX_BYTES} bytes; make it shorter or smaller")
    return frames, times_s
