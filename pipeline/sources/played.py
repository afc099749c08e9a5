"""The simulated participant as a recording: as fast as it can be computed, and the same bits as live."""

from collections import deque
from collections.abc import Sequence

import numpy as np

from pipeline.simulation import Player
from pipeline.sources.base import SourceEnded
from pipeline.sources.simulated import Performance
from pipeline.stream_xml import info_xml, parse_info
from pipeline.types import EegChunk, Item, MarkerChunk, StreamInfo

START_S = 1000.0  # the first stamp; any number does, a fixed one makes recordings comparable
CHUNK_S = 1.0
MARKERS = "markers"


class PlayedSource:
    """Plays a performance that has an end. Markers come just before the samples they fall among.

    Thread: as every source, one thread only.
    """

    live = False

    def __init__(self, performance: Performance) -> None:
        if performance.stop_s is None:
            raise ValueError("expected a performance that ends")
        self._performance = performance
        self._player: Player | None = None
        # What a receiver reads in the header: places of electrodes in millimetres differ in the last bit.
        self.info, markers = (parse_info(info_xml(info)) for info in performance.infos)
        self.marker_streams: dict[str, StreamInfo] = {MARKERS: markers}
        self._total = round(performance.stop_s * self.info.sfreq_hz)

    @property
    def share(self) -> float:
        """How much was played, 0 to 1."""
        return self._at / self._total

    @property
    def at_s(self) -> float:
        """When the next sample comes, counted from the first."""
        return self._at / self.info.sfreq_hz

    def open(self) -> None:
        """Begin at the beginning."""
        self._player = Player(self._performance.participant, snr=self._performance.snr, run=self._performance.run)
        self._waiting = deque(self._performance.shown)

    def read(self, timeout_s: float) -> Sequence[Item]:
        """The markers and samples of the next second.

        Raises:
            SourceEnded: the performance is over.
        """
        if self._player is None:
            raise RuntimeError("the source is not open")
        start, sfreq_hz = self._at, self.info.sfreq_hz
        stop = min(start + max(1, round(CHUNK_S * sfreq_hz)), self._total)
        if start == stop:
            raise SourceEnded
        items: list[Item] = []
        while self._waiting and self._waiting[0].at_s < stop / sfreq_hz:
            shown = self._waiting.popleft()
            self._player.show(shown)
            items.append(MarkerChunk(MARKERS, (shown.label,), (START_S + shown.at_s,)))
        stamps_s = START_S + np.arange(start, stop) / sfreq_hz
        items.append(EegChunk(self._player.next(stop - start), stamps_s))
        return items

    def close(self) -> None:
        """Nothing is held."""

    @property
    def _at(self) -> int:
        return 0 if self._player is None else self._player.at
