"""A source that plays a list of items, for tests that need no network and no file."""

from collections import deque
from collections.abc import Sequence

import numpy as np

from pipeline.sources.base import SourceEnded
from pipeline.types import Channel, EegChunk, Item, StreamInfo

FS = 100.0
NAMES = ("Fz", "Cz", "Pz", "Oz")
EEG = StreamInfo(
    "scripted",
    "EEG",
    len(NAMES),
    FS,
    "float32",
    "scripted",
    channels=tuple(Channel(n, unit="microvolts") for n in NAMES),
)
MARKERS = StreamInfo("markers", "Markers", 1, 0.0, "string", "scripted-markers")


def chunk(first: int, n: int, info: StreamInfo = EEG, at_s: float = 0.0) -> EegChunk:
    """Samples that hold their own number, stamped number / rate + at_s."""
    numbers = np.arange(first, first + n, dtype=np.float32)
    return EegChunk(np.tile(numbers, (info.n_channels, 1)), numbers / info.sfreq_hz + at_s)


class ScriptedSource:
    """One item a read, then the end."""

    def __init__(
        self, info: StreamInfo, items: Sequence[Item], markers: dict[str, StreamInfo] | None = None, live: bool = False
    ) -> None:
        self.info = info
        self.marker_streams = markers or {}
        self.live = live
        self.closed = False
        self._items = deque(items)

    def open(self) -> None:
        pass

    def read(self, timeout_s: float) -> Sequence[Item]:
        if not self._items:
            raise SourceEnded
        return [self._items.popleft()]

    def close(self) -> None:
        self.closed = True
