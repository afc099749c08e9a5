"""Clocks: the LSL clock of this machine, and one that tests turn by hand."""

import time
from typing import Protocol


class Clock(Protocol):
    """Seconds that never run backward. Thread: any."""

    def now_s(self) -> float:
        """Seconds on this clock."""
        ...

    def sleep_until_s(self, deadline_s: float) -> None:
        """Return at or after `deadline_s` (absolute, this clock)."""
        ...


class LslClock:
    """`lsl_local_clock`, which is the steady clock of this machine. Thread: any."""

    def __init__(self) -> None:
        from pylsl import local_clock  # loads liblsl: only a process that asks for the time pays for it

        self._local_clock = local_clock

    def now_s(self) -> float:
        """Seconds on the LSL clock."""
        return float(self._local_clock())

    def sleep_until_s(self, deadline_s: float) -> None:
        """Sleep to an absolute deadline, so that overshoots never add up."""
        while (left_s := deadline_s - self.now_s()) > 0:
            time.sleep(left_s)


class FakeClock:
    """A clock that moves only when told to. Thread: any."""

    def __init__(self, start_s: float = 0.0) -> None:
        self._now_s = start_s

    def now_s(self) -> float:
        """Seconds since the clock was made, as told."""
        return self._now_s

    def advance(self, by_s: float) -> None:
        """Move the clock forward."""
        self._now_s += by_s

    def sleep_until_s(self, deadline_s: float) -> None:
        """Jump to the deadline at once."""
        self._now_s = max(self._now_s, deadline_s)
