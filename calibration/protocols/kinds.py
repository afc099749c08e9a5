"""The schema of protocol files: what all protocols have in common, and each kind's own steps."""

from abc import abstractmethod
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from calibration.protocols.steps import BLANK, FIXATION, Screen, Step, Trial
from calibration.protocols.tangrams import figures
from calibration.stimuli import Item


def _pair(value: object) -> object:
    return [value, value] if isinstance(value, int | float) else value


Span = Annotated[tuple[float, float], BeforeValidator(_pair)]
Seconds = Annotated[float, Field(gt=0)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CatchTrials(_Model):
    """Questions after some trials, half of them to be answered with yes."""

    share: float = Field(gt=0, le=1)
    answer_s: Seconds = 2.0
    yes_key: str = "right"
    no_key: str = "left"


class Protocol(_Model):
    """A protocol as written in its file; times in seconds, a span being [shortest, longest] or one number.

    `categories` may list more than the `n_categories` shown, of which the first count; without it they are those of
    the set. `objects` are each category's own, `times` says how often one comes in a round of them (once, unless
    named), `weights` how often a category comes for every time that others do. `targets` are what the participant is
    asked to look out for, with `target_key`. A block has about `block_trials`; between two is a break, which ends by
    itself after `break_s` or, `self_paced`, with the space bar.
    """

    name: str
    description: str = ""
    set: str = "builtin"
    categories: tuple[str, ...]
    n_categories: int = Field(ge=1)
    objects: dict[str, tuple[str, ...]]
    n_objects: int | None = Field(default=None, ge=1)
    times: dict[str, Annotated[int, Field(ge=1)]] = {}
    weights: dict[str, Annotated[int, Field(ge=1)]] = {}
    targets: tuple[str, ...] = ()
    target_key: str = ""
    repeats: int = Field(ge=1)
    block_trials: int = Field(ge=1)
    lead_in_s: float = Field(ge=0)
    fixation_s: Span = (0.0, 0.0)
    blank_s: Span
    break_s: float = Field(ge=0)
    self_paced: bool = False
    ready_s: float = Field(default=2.0, ge=0)
    catch: CatchTrials | None = None

    @model_validator(mode="after")
    def _fits(self) -> "Protocol":
        for name, (low, high) in (("blank_s", self.blank_s), ("fixation_s", self.fixation_s)):
            if not 0 <= low <= high:
                raise ValueError(f"{name} is [shortest, longest], came {[low, high]}")
        if self.n_categories > len(self.categories):
            raise ValueError(f"{self.n_categories} categories are asked for, there are {len(self.categories)}")
        if unknown := ({*self.weights, *self.targets} - {*self.chosen}):
            raise ValueError(f"weights and targets name categories that are not shown: {sorted(unknown)}")
        if bare := [c for c in self.chosen if not self.objects.get(c)]:
            raise ValueError(f"the set has no objects of {bare}")
        if self.catch and len(self.chosen) < 2:
            raise ValueError("catch questions need at least two categories")
        return self

    @property
    def chosen(self) -> tuple[str, ...]:
        """The categories that are shown."""
        return self.categories[: self.n_categories]

    def objects_of(self, category: str) -> tuple[str, ...]:
        """The objects of a category that are shown."""
        return self.objects[category][: self.n_objects]

    @property
    def items(self) -> tuple[Item, ...]:
        """Everything that may be shown."""
        return tuple(Item(category, name) for category in self.chosen for name in self.objects_of(category))

    def tokens(self) -> tuple[tuple[str, float], ...]:
        """What the order is made of: (category, flicker in Hz or 0), as often as it comes in one round."""
        return tuple((category, 0.0) for category in self.chosen for _ in range(self.weights.get(category, 1)))

    @abstractmethod
    def showing(self, trial: Trial) -> tuple[Step, ...]:
        """The steps of one trial, without fixation, question and blank."""

    def sequence_trials(self) -> int:
        """How many trials follow one another between two blanks."""
        return 1


class Pictures(Protocol):
    """One picture after another."""

    kind: Literal["pictures"]
    picture_s: Seconds

    def showing(self, trial: Trial) -> tuple[Step, ...]:
        """The picture."""
        return (_picture(trial, self.picture_s, self.target_key),)


class Turning(Protocol):
    """A picture, then the same object turning."""

    kind: Literal["turning"]
    picture_s: Seconds
    turn_s: Seconds

    def showing(self, trial: Trial) -> tuple[Step, ...]:
        """The picture and the turn."""
        marker = f"turn/{trial.item.key}"
        turn = Step(Screen.TURN, self.turn_s, (marker,), trial.number, trial.item)
        return (_picture(trial, self.picture_s, self.target_key), turn)


class Rsvp(Protocol):
    """Rapid serial visual presentation: sequences of pictures, `onset_to_onset_s` apart."""

    kind: Literal["rsvp"]
    picture_s: Seconds
    onset_to_onset_s: Seconds
    n_sequence: int = Field(ge=1)

    @model_validator(mode="after")
    def _goes(self) -> "Rsvp":
        if self.picture_s > self.onset_to_onset_s:
            raise ValueError(f"a picture of {self.picture_s:g} s does not fit {self.onset_to_onset_s:g} s to the next")
        if self.catch:
            raise ValueError("catch questions would interrupt a rapid sequence; leave catch out, use targets")
        return self

    def showing(self, trial: Trial) -> tuple[Step, ...]:
        """The picture, and the gap to the next."""
        gap_s = self.onset_to_onset_s - self.picture_s
        picture = _picture(trial, self.picture_s, self.target_key)
        return (picture, Step(Screen.BLANK, gap_s, (BLANK,), trial.number)) if gap_s > 1e-9 else (picture,)

    def sequence_trials(self) -> int:
        """Pictures in a sequence."""
        return self.n_sequence


class Imagery(Protocol):
    """A cue, then an empty screen on which to imagine what it named: passive after a picture, active after a word."""

    kind: Literal["imagery"]
    cue: Literal["picture", "word"]
    cue_s: Seconds
    imagine_s: Seconds

    def showing(self, trial: Trial) -> tuple[Step, ...]:
        """The cue and the time to imagine."""
        category = trial.item.category
        if self.cue == "picture":
            cue = _picture(trial, self.cue_s, self.target_key)
        else:
            cue = Step(Screen.WORD, self.cue_s, (f"cue/{category}",), trial.number, trial.item, category)
        return (cue, Step(Screen.BLANK, self.imagine_s, (f"imagine/{category}",), trial.number, trial.item))


class Tangrams(Protocol):
    """Ambiguous figures of seven pieces; the participant says by a number key what they see."""

    kind: Literal["tangrams"]
    set: Literal["tangrams"] = "tangrams"
    figure_s: Seconds
    reading_s: Seconds

    def showing(self, trial: Trial) -> tuple[Step, ...]:
        """The figure, and the question what it is."""
        readings = figures()[trial.item.category].readings
        keys = tuple((str(n), f"reading/{word}") for n, word in enumerate(readings, 1))
        text = "   ".join(f"{n} {word}" for n, word in enumerate(readings, 1))
        # The figure is gone, and words are no picture: `blank` says so.
        figure = Step(Screen.FIGURE, self.figure_s, (f"stim/{trial.item.key}",), trial.number, trial.item)
        asked = Step(
            Screen.READING, self.reading_s, (BLANK,), trial.number, trial.item, text, keys=keys, until_key=True
        )
        return (figure, asked)


class Flicker(Protocol):
    """Pictures that flicker, for steady-state responses; every category at every frequency."""

    kind: Literal["flicker"]
    flicker_s: Seconds
    frequencies_hz: tuple[Annotated[float, Field(ge=1, le=60)], ...] = Field(min_length=1)

    def tokens(self) -> tuple[tuple[str, float], ...]:
        """Every category at every frequency."""
        return tuple((category, hz) for category, _ in super().tokens() for hz in self.frequencies_hz)

    def showing(self, trial: Trial) -> tuple[Step, ...]:
        """The flickering picture."""
        marker = f"flicker/{trial.hz:g}/{trial.item.key}"
        return (Step(Screen.FLICKER, self.flicker_s, (marker,), trial.number, trial.item, hz=trial.hz),)


AnyProtocol = Annotated[Pictures | Turning | Rsvp | Imagery | Tangrams | Flicker, Field(discriminator="kind")]


def fixation(duration_s: float, trial: int | None = None, markers: tuple[str, ...] = (FIXATION,)) -> Step:
    """A cross to look at."""
    return Step(Screen.FIXATION, duration_s, markers, trial)


def _picture(trial: Trial, duration_s: float, target_key: str) -> Step:
    keys = ((target_key, ""),) if target_key else ()
    correct = target_key if trial.target else ""
    label = f"stim/{trial.item.key}"
    return Step(Screen.PICTURE, duration_s, (label,), trial.number, trial.item, keys=keys, correct=correct)
