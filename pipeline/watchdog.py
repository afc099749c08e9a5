"""Whether a stream is alive, judged by its arrivals alone.

LSL recovers silently and BrainFlow says nothing, so silence is measured here: a stream whose chunks came every 20 ms is
stalled after 0.5 s and lost after 3 s; one with slower chunks gets five and twenty of its median intervals. The first
samples afterwards make it recovered, the next ones connected again. A marker stream may be silent for as long
as it likes; it is lost only when somebody who knows (the source) says that its sender is gone.
"""

from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

from pipeline.clock import Clock

STALLED_S = 0.5
STALLED_INTERVALS = 5.0
LOST_S = 3.0
LOST_INTERVALS = 20.0
REMEMBERED = 101
PACE_KNOWN = 5  # intervals


class StreamState(StrEnum):
    """What is known of a stream. WAITING: nothing has come yet."""

    WAITING = "waiting"
    CONNECTED = "connected"
    STALLED = "stalled"
    LOST = "lost"
    RECOVERED = "recovered"
    CHANGED = "changed"


@dataclass(frozen=True)
class StateChange:
    """A stream went into `state` at `at_s` (LSL clock), silent for `silent_s` till then; `text` tells a person."""

    name: str
    state: StreamState
    at_s: float
    silent_s: float
    text: str


class StreamWatch:
    """Watches one stream.

    Args:
        clock: read once, for the moment from which silence counts before the first arrival.
        name: how the sentences call the stream.
        marker: silence is normal; only `gone` makes the stream lost.

    Thread: one; whoever hands in the arrivals also polls.
    """

    def __init__(self, clock: Clock, name: str, marker: bool = False) -> None:
        self.name = name
        self.state = StreamState.WAITING
        self._marker = marker
        self._last_s = clock.now_s()
        self._heard = False
        self._intervals_s: deque[float] = deque(maxlen=REMEMBERED)
        self._interval_s = 0.0
        self._changes: list[StateChange] = []

    @property
    def interval_s(self) -> float:
        """Median interval between chunks; 0 before the second."""
        return self._interval_s

    @property
    def stalled_after_s(self) -> float:
        """The silence that makes the stream stalled; not before its pace is known."""
        if len(self._intervals_s) < PACE_KNOWN:
            return self.lost_after_s
        return max(STALLED_S, STALLED_INTERVALS * self.interval_s)

    @property
    def lost_after_s(self) -> float:
        """The silence that makes the stream lost."""
        return max(LOST_S, LOST_INTERVALS * self.interval_s)

    def saw(self, n: int, at_s: float) -> None:
        """`n` samples arrived at `at_s` on the LSL clock."""
        if n <= 0:
            return
        self._listen(at_s)
        silent_s = self._silent_s(at_s)
        match self.state:
            case StreamState.WAITING:
                self._go(StreamState.CONNECTED, at_s, f"{self.name} is connected.")
            case StreamState.STALLED | StreamState.LOST:
                self._go(StreamState.RECOVERED, at_s, f"{self.name} is back after {silent_s:.1f} s of silence.")
            case StreamState.RECOVERED:
                self.state = StreamState.CONNECTED
        if self._heard:
            self._intervals_s.append(silent_s)
            self._interval_s = median(self._intervals_s)
        self._heard = True
        self._last_s = max(at_s, self._last_s)

    def poll(self, now_s: float) -> list[StateChange]:
        """The state changes since the last call, oldest first."""
        self._listen(now_s)
        changes, self._changes = self._changes, []
        return changes

    def gone(self, at_s: float) -> None:
        """Somebody who knows says that the sender is gone."""
        if self.state is not StreamState.LOST:
            self._go(StreamState.LOST, at_s, f"{self.name} is lost: its sender is gone. Start it again.")

    def returned(self, at_s: float) -> None:
        """Somebody who knows says that the sender is back, though nothing need have arrived yet."""
        if self.state is StreamState.LOST:
            self._go(StreamState.RECOVERED, at_s, f"{self.name} is back: its sender has returned.")
            self._last_s = max(at_s, self._last_s)

    def changed(self, at_s: float, how: str) -> None:
        """The stream came back as another one, with another rate or other channels: `how`, in words."""
        self._go(StreamState.CHANGED, at_s, f"{self.name} has changed: {how}. Its samples no longer fit this session.")

    def _listen(self, now_s: float) -> None:
        """Notice silence up to `now_s`."""
        silent_s = self._silent_s(now_s)
        if self._marker or self.state in (StreamState.LOST, StreamState.CHANGED):
            return
        if silent_s > self.lost_after_s:
            text = f"{self.name} is lost: nothing for {silent_s:.1f} s. Check that its sender runs and is in reach."
            self._go(StreamState.LOST, now_s, text)
        elif silent_s > self.stalled_after_s and self.state in (StreamState.CONNECTED, StreamState.RECOVERED):
            self._go(StreamState.STALLED, now_s, f"{self.name} has stalled: nothing for {silent_s:.1f} s.")

    def _silent_s(self, now_s: float) -> float:
        return max(0.0, now_s - self._last_s)

    def _go(self, state: StreamState, at_s: float, text: str) -> None:
        self.state = state
        self._changes.append(StateChange(self.name, state, at_s, self._silent_s(at_s), text))
