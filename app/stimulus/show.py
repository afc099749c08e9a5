"""The flip loop: every frame is drawn, flipped and stamped, and what came on is told at once. Knows no Qt."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from app.stimulus.director import Director, Frame, Marker, Onset
from app.stimulus.flips import FlipLog, next_flip_s


@dataclass(frozen=True)
class Key:
    """A key that went down."""

    name: str
    at_s: float


ESCAPE = "escape"
LATE_KEPT = 1000


class Display(Protocol):
    """A surface that is drawn on and flipped. Thread: the one that made it."""

    @property
    def frame_s(self) -> float:
        """Seconds from flip to flip."""
        ...

    def now_s(self) -> float:
        """The clock that flips and keys are stamped with: LSL's."""
        ...

    def draw(self, frame: Frame) -> None:
        """Draw to what is not seen yet."""
        ...

    def flip(self) -> float:
        """Show what was drawn; returns when it is shown, with the time."""
        ...

    def keys(self) -> tuple[Key, ...]:
        """Keys pressed since the last call; waits until shortly before the next flip, so that they are timely."""
        ...


@dataclass
class Shown:
    """What a run came to. Times are those of the display's clock; `late` are the first `LATE_KEPT` late flips."""

    log: FlipLog
    onsets: list[Onset] = field(default_factory=list)
    markers: list[Marker] = field(default_factory=list)
    late: list[float] = field(default_factory=list)
    aborted: bool = False


def show(director: Director, display: Display, send: Callable[[Marker], None], stopped: Callable[[], bool]) -> Shown:
    """Go through the run until its end, until Esc or until `stopped`. Thread: the display's."""
    shown = Shown(FlipLog(display.frame_s))

    def tell(markers: tuple[Marker, ...]) -> None:
        for marker in markers:
            send(marker)
        shown.markers.extend(markers)

    last_s = display.flip()
    while not director.finished:
        display.draw(director.frame(next_flip_s(last_s, display.now_s(), display.frame_s)))
        pressed = display.keys()
        tell(tuple(m for key in pressed if key.name != ESCAPE for m in director.pressed(key.name, key.at_s)))
        last_s = display.flip()
        onset, markers = director.flipped(last_s)
        tell(markers)
        if onset is not None:
            shown.onsets.append(onset)
        if shown.log.add(last_s) and len(shown.late) < LATE_KEPT:
            shown.late.append(last_s)
        if stopped() or any(key.name == ESCAPE for key in pressed):
            shown.aborted = not director.finished
            tell(director.aborted(display.now_s()))
    return shown
