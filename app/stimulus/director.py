"""What is on the screen in which frame, and which marker that is: a run's steps against the flips of a display.

A step lasts the whole number of frames that comes nearest to its duration, counted from the flip at which it came on:
a late frame delays what follows and shortens nothing, and no step is ever left out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from calibration.protocols.flicker import frames_per_cycle, lit
from calibration.protocols.steps import ABORTED, Screen, Step


@dataclass(frozen=True)
class Frame:
    """What to draw: `step` as it looks `since_s` after it came on, in its frame number `number`; `lit` unless a
    flicker is in its dark half.
    """

    step: Step
    number: int
    since_s: float
    lit: bool = True


@dataclass(frozen=True)
class Marker:
    """Something to send, with its time on the display's clock."""

    label: str
    at_s: float


@dataclass(frozen=True)
class Onset:
    """A step that came on at `at_s`, `error_s` later than the durations of the protocol ask for."""

    step: Step
    at_s: float
    error_s: float


class Director:
    """Goes through the steps of a run, once.

    For every flip call `frame` with the time it is expected at, draw, and after it `flipped` with the time it took
    place. `ready` says whether what a step shows can be drawn; until then the step before stays on.

    Thread: one only.
    """

    def __init__(
        self, steps: Sequence[Step], refresh_hz: float, ready: Callable[[Step], bool] = lambda step: True
    ) -> None:
        """Raises InputError: a flicker that whole frames of this display cannot show."""
        self._steps = tuple(steps)
        self._frame_s = 1 / refresh_hz
        self._ready = ready
        self._cycles = {s.hz: frames_per_cycle(s.hz, refresh_hz) for s in self._steps if s.hz}
        self._at = -1
        self._seen = -1
        self._onset_s: float | None = None
        self._due_s: float | None = None
        self._go_on = False
        self.finished = False

    def frame(self, flip_s: float) -> Frame:
        """What the flip expected at `flip_s` is to show."""
        if self._at < 0 or self._over(flip_s):
            self._at += 1
            self._onset_s = None
            self._go_on = False
        step = self._steps[self._at]
        since_s = 0.0 if self._onset_s is None else flip_s - self._onset_s
        number = max(0, round(since_s / self._frame_s))
        return Frame(step, number, max(0.0, since_s), not step.hz or lit(number, self._cycles[step.hz]))

    def flipped(self, at_s: float) -> tuple[Onset | None, tuple[Marker, ...]]:
        """What came on at the flip that took place at `at_s`, if anything did, and what is to be sent of it."""
        if self._onset_s is not None:
            return None, ()
        step = self._steps[self._at]
        error_s = 0.0 if self._due_s is None else at_s - self._due_s
        self._onset_s = at_s
        self._seen = self._at
        # After a step that ended with a key nobody can say when the next was due.
        self._due_s = None if step.until_key else at_s + step.duration_s
        self.finished = step.screen is Screen.END
        return Onset(step, at_s, error_s), tuple(Marker(label, at_s) for label in step.markers)

    def pressed(self, key: str, at_s: float) -> tuple[Marker, ...]:
        """A key went down at `at_s`. Every key is told; what it means beyond that is the step's to say."""
        response = Marker(f"response/{key}", at_s)
        # What the participant sees is not yet the step that is being drawn.
        step = self._steps[self._seen] if self._seen >= 0 else None
        if step is None or key not in dict(step.keys):
            return (response,)
        further = dict(step.keys)[key]
        if step.until_key:
            if self._go_on or self._seen != self._at:
                return (response,)
            self._go_on = True
        return (response, Marker(further, at_s)) if further else (response,)

    def aborted(self, at_s: float) -> tuple[Marker, ...]:
        """The run ends here, before its end."""
        already, self.finished = self.finished, True
        return () if already else (Marker(ABORTED, at_s),)

    def _over(self, flip_s: float) -> bool:
        step = self._steps[self._at]
        if self.finished or self._onset_s is None or self._at + 1 == len(self._steps):
            return False
        timed_out = not step.waits and flip_s >= self._onset_s + step.duration_s - self._frame_s / 2
        return (timed_out or self._go_on) and self._ready(self._steps[self._at + 1])
