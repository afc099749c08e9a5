"""What is on the screen and for how long: a run of a protocol as a row of steps, for whoever shows or simulates it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from calibration.stimuli import Item
from pipeline.simulation import Shown

BLOCK_START, BREAK, END, ABORTED = "block/start", "break", "protocol/end", "protocol/aborted"
BLANK, FIXATION = "blank", "fixation"


class Screen(StrEnum):
    """What a step shows."""

    BLANK = "blank"
    FIXATION = "fixation"
    PICTURE = "picture"
    TURN = "turn"
    FLICKER = "flicker"
    WORD = "word"
    QUESTION = "question"
    FIGURE = "figure"
    READING = "reading"
    BREAK = "break"
    END = "end"


@dataclass(frozen=True)
class Step:
    """One thing on the screen for `duration_s`; `markers` are sent as it comes on.

    `keys` are the keys that mean something now, each with the markers it sends beside `response/<key>`; `correct` is
    the key that a question's right answer asks for. `until_key` ends the step at the first of them, or after
    `duration_s`; a step that `waits` lasts until then, and `duration_s` is only what a simulation takes.
    """

    screen: Screen
    duration_s: float
    markers: tuple[str, ...] = ()
    trial: int | None = None
    item: Item | None = None
    text: str = ""
    hz: float = 0.0
    keys: tuple[tuple[str, str], ...] = ()
    correct: str = ""
    until_key: bool = False
    waits: bool = False


@dataclass(frozen=True)
class Catch:
    """A question after a trial: was it `category`? `yes` is the right answer."""

    category: str
    yes: bool

    @property
    def label(self) -> str:
        """What the marker stream says when the question comes on."""
        return f"catch/{'yes' if self.yes else 'no'}/{self.category}"


@dataclass(frozen=True)
class Trial:
    """One item shown: `number` and `block` count from 0.

    `opens` and `closes` its sequence: only there come fixation and blank. Every trial of most protocols does both.
    """

    number: int
    block: int
    item: Item
    target: bool
    hz: float
    fixation_s: float
    blank_s: float
    opens: bool = True
    closes: bool = True
    catch: Catch | None = None


def timed(steps: Iterable[Step]) -> Iterator[tuple[float, Step]]:
    """Every step with the second it comes on, when each lasts as long as it says."""
    at_s = 0.0
    for step in steps:
        yield at_s, step
        at_s += step.duration_s


def markers_of(steps: Iterable[Step]) -> tuple[Shown, ...]:
    """What the marker stream says of these steps, in order of time."""
    return tuple(Shown(marker, at_s) for at_s, step in timed(steps) for marker in step.markers)


def within(steps: Sequence[Step], stop_s: float) -> tuple[Step, ...]:
    """The steps of a run that ends early: no trial that would not be over by `stop_s`, and the end."""
    ends_s = {step.trial: at_s + step.duration_s for at_s, step in timed(steps)}
    kept = [
        step
        for at_s, step in timed(steps[:-1])
        if (ends_s[step.trial] if step.trial is not None else at_s + step.duration_s) <= stop_s
    ]
    return (*kept, steps[-1])
