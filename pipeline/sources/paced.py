"""Plays a finite source at its own pace, or a multiple of it."""

from collections import deque
from collections.abc import Iterator, Sequence

from pipeline.clock import Clock
from pipeline.sources.base import Source, WrappedSource
from pipeline.types import ClockOffset, EegChunk, Item, MarkerChunk

# Samples are handed over in pieces of this length, as an amplifier would send them.
PIECE_S = 0.02
# A longer step of the recorded clock, either way, is a reset or a pause between runs; nobody waits it out.
LONGEST_STEP_S = 60.0

_AT_ONCE = float("-inf")


class PacedSource(WrappedSource):
    """Releases the items of `source` when they are due: samples with the last of their piece, markers at their stamp.

    Deadlines are absolute on `clock`, so lateness never adds up. Recorded time is the stamps plus the newest clock
    offset of their stream; it runs `speed` times as fast. Items keep their order within each stream.

    Thread: as every source, one thread only.
    """

    def __init__(self, source: Source, clock: Clock, speed: float = 1.0) -> None:
        super().__init__(source)
        self._clock = clock
        self._speed = speed
        self._waiting: deque[tuple[float, Item]] = deque()
        self._offset_s: dict[str, float] = {}
        self._shift_s = 0.0
        self._reached_s = _AT_ONCE
        self._started: tuple[float, float] | None = None

    def read(self, timeout_s: float) -> Sequence[Item]:
        """Whatever is due, at the latest after `timeout_s`; empty when nothing is by then.

        Raises:
            SourceEnded: from the wrapped source, after its last item.
        """
        until_s = self._clock.now_s() + timeout_s
        if not self._waiting:
            self._waiting.extend(self._timed(self._source.read(timeout_s)))
        if not self._waiting:
            return []
        self._clock.sleep_until_s(min(until_s, self._due_s(self._waiting[0][0])))
        now_s = self._clock.now_s()
        items: list[Item] = []
        while self._waiting and self._due_s(self._waiting[0][0]) <= now_s:
            items.append(self._waiting.popleft()[1])
        return items

    def _due_s(self, recorded_s: float) -> float:
        """When what was recorded at `recorded_s` is due on the clock."""
        if recorded_s == _AT_ONCE:
            return _AT_ONCE
        if self._started is None:
            self._started = (self._clock.now_s(), recorded_s)
        clock_s, first_s = self._started
        return clock_s + (recorded_s - first_s) / self._speed

    def _timed(self, batch: Sequence[Item]) -> list[tuple[float, Item]]:
        """The batch in pieces with their recorded times, sorted by them."""
        start_s, shift_s = self._reached_s, self._shift_s
        timed: list[tuple[float, Item]] = []
        for item in batch:
            if isinstance(item, ClockOffset):
                self._offset_s[item.stream] = item.value_s
            if isinstance(item, EegChunk):
                timed += self._pieces(item)
            elif isinstance(item, MarkerChunk):
                timed.append((item.stamps_s[0] + self._offset_s.get(item.stream, 0.0) + shift_s, item))
            else:
                timed.append((_AT_ONCE, item))
        if start_s == _AT_ONCE:  # what lies before the first samples comes with them
            start_s = next((time_s for time_s, item in timed if isinstance(item, EegChunk)), _AT_ONCE)
        return _sorted(timed, start_s, self._reached_s)

    def _pieces(self, chunk: EegChunk) -> Iterator[tuple[float, Item]]:
        n = max(1, round(PIECE_S * self.info.sfreq_hz))
        for start in range(0, len(chunk.stamps_s), n):
            piece = EegChunk(chunk.data[:, start : start + n], chunk.stamps_s[start : start + n], chunk.arrived_s)
            time_s = float(piece.stamps_s[-1]) + self._offset_s.get("", 0.0) + self._shift_s
            if self._reached_s != _AT_ONCE and abs(time_s - self._reached_s) > LONGEST_STEP_S:
                self._shift_s += self._reached_s - time_s
                time_s = self._reached_s
            self._reached_s = max(self._reached_s, time_s)
            yield self._reached_s, piece


def _sorted(timed: list[tuple[float, Item]], start_s: float, stop_s: float) -> list[tuple[float, Item]]:
    """By time, each stream in its own order, and nothing outside the time that the samples cover."""
    latest: dict[str, float] = {}
    for index, (time_s, item) in enumerate(timed):
        stream = "" if isinstance(item, EegChunk) else item.stream
        latest[stream] = max(latest.get(stream, start_s), min(time_s, stop_s))
        timed[index] = (latest[stream], item)
    return sorted(timed, key=lambda entry: entry[0])
