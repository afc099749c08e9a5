"""What is shown, when, in which order: a protocol is a TOML file, a run of it is fixed by a seed.

Order is blocked and random: every block shows each category equally often, in an order of its own, so that class and
time are independent and slow changes of the signal tell nothing of the class (Lemm et al. 2011, NeuroImage 56:387;
what happens otherwise: Li et al. 2021, IEEE TPAMI 43:316).
"""

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from calibration.participant import Stimulus
from engines.errors import InputError
from pipeline.simulation import Shown

BLOCK_START, BREAK, END = "block/start", "break", "protocol/end"


class Protocol(BaseModel):
    """A protocol as written in its file; times in seconds.

    `categories` may list more than the `n_categories` shown, of which the first count. `per_block` says how often a
    category comes in a block (once, unless named); `targets` are what the participant is asked to look out for.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    description: str = ""
    lead_in_s: float = Field(ge=0)
    picture_s: float = Field(gt=0)
    blank_s: tuple[float, float]
    repeats: int = Field(ge=1)
    blocks_per_break: int = Field(ge=1)
    break_s: float = Field(ge=0)
    n_categories: int = Field(ge=2)
    n_objects: int = Field(ge=1)
    categories: tuple[str, ...]
    per_block: dict[str, int] = {}
    targets: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _fits(self) -> "Protocol":
        if not 0 <= self.blank_s[0] <= self.blank_s[1]:
            raise ValueError(f"blank_s is [shortest, longest], came {list(self.blank_s)}")
        if self.n_categories > len(self.categories):
            raise ValueError(f"{self.n_categories} categories are asked for, the protocol has {len(self.categories)}")
        if unknown := ({*self.per_block, *self.targets} - set(self.categories)):
            raise ValueError(f"per_block and targets name categories that are not listed: {sorted(unknown)}")
        return self

    def stimuli(self) -> tuple[Stimulus, ...]:
        """Everything that may be shown: the objects of the chosen categories."""
        chosen = self.categories[: self.n_categories]
        return tuple(
            Stimulus(category, f"{number:02d}", target=category in self.targets)
            for category in chosen
            for number in range(self.n_objects)
        )


@dataclass(frozen=True)
class Trial:
    """One picture: `number` counts from 0, `onset_s` and `offset_s` from the first sample."""

    number: int
    block: int
    onset_s: float
    offset_s: float
    stimulus: Stimulus


def built_in() -> tuple[str, ...]:
    """Names of the protocols that come along."""
    return tuple(sorted(Path(f.name).stem for f in _folder() if f.name.endswith(".toml")))


def load(
    name: str, *, n_categories: int | None = None, repeats: int | None = None, n_objects: int | None = None
) -> Protocol:
    """A protocol by its name, or by the path of a TOML file, with what the user wants otherwise.

    Raises:
        InputError: there is no such protocol, or it does not fit the schema; the message names the field.
    """
    path = Path(name)
    text = path.read_text() if path.suffix == ".toml" and path.is_file() else _built_in_text(name)
    asked = {"n_categories": n_categories, "repeats": repeats, "n_objects": n_objects}
    try:
        fields = {"name": path.stem, **tomllib.loads(text), **{k: v for k, v in asked.items() if v is not None}}
        return Protocol.model_validate(fields)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"the protocol {name} is not TOML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(p) for p in first["loc"])
        raise InputError(f"the protocol {name} cannot be used: {where}{': ' if where else ''}{first['msg']}") from error


def trials(protocol: Protocol, seed: int | Sequence[int]) -> tuple[Trial, ...]:
    """The trials of one run. The same protocol and seed give the same trials on every machine."""
    rng = np.random.default_rng([*np.atleast_1d(seed).tolist(), 20])
    objects = _object_orders(protocol, rng)
    found: list[Trial] = []
    at_s = protocol.lead_in_s
    for block in range(protocol.repeats):
        for category in _shuffled_block(protocol, rng):
            stimulus = Stimulus(category, next(objects[category]), target=category in protocol.targets)
            offset_s = at_s + protocol.picture_s
            found.append(Trial(len(found), block, at_s, offset_s, stimulus))
            at_s = offset_s + float(rng.uniform(*protocol.blank_s))
        if _break_after(protocol, block):
            at_s += protocol.break_s
    return tuple(found)


def markers(protocol: Protocol, run: tuple[Trial, ...]) -> tuple[Shown, ...]:
    """What the marker stream says, in order of time: blocks, pictures, breaks, and the end."""
    shown: list[Shown] = []
    for trial, following in zip(run, [*run[1:], None], strict=True):
        if not shown or trial.block != run[trial.number - 1].block:
            shown.append(Shown(BLOCK_START, trial.onset_s))
        shown.append(Shown(trial.stimulus.label, trial.onset_s))
        if following is not None and following.block != trial.block and _break_after(protocol, trial.block):
            shown.append(Shown(BREAK, trial.offset_s + protocol.blank_s[0]))
    shown.append(Shown(END, run[-1].offset_s + protocol.blank_s[0]))
    return tuple(shown)


def shortened(shown: tuple[Shown, ...], stop_s: float) -> tuple[Shown, ...]:
    """The markers of a run that ends early: nothing that could not be answered within `stop_s`, and the end."""
    kept = tuple(s for s in shown if s.at_s < stop_s - 1.0 and s.label != END)
    return (*kept, replace(shown[-1], at_s=min(shown[-1].at_s, stop_s)))


def _break_after(protocol: Protocol, block: int) -> bool:
    return (block + 1) % protocol.blocks_per_break == 0 and block + 1 < protocol.repeats


def _shuffled_block(protocol: Protocol, rng: np.random.Generator) -> list[str]:
    chosen = protocol.categories[: protocol.n_categories]
    block = [category for category in chosen for _ in range(protocol.per_block.get(category, 1))]
    return [block[i] for i in rng.permutation(len(block))]


def _object_orders(protocol: Protocol, rng: np.random.Generator) -> dict[str, Iterator[str]]:
    """For every category, its objects in endless rounds, each round in an order of its own."""

    def rounds(own: np.random.Generator) -> Iterator[str]:
        while True:
            yield from (f"{i:02d}" for i in own.permutation(protocol.n_objects))

    chosen = protocol.categories[: protocol.n_categories]
    return {category: rounds(own) for category, own in zip(chosen, rng.spawn(len(chosen)), strict=True)}


def _folder() -> Iterator[resources.abc.Traversable]:
    return resources.files("calibration").joinpath("protocols").iterdir()


def _built_in_text(name: str) -> str:
    found = resources.files("calibration").joinpath("protocols", f"{name}.toml")
    if not found.is_file():
        raise InputError(
            f"there is no protocol {name!r}; there are {', '.join(built_in())}, or give the path of a TOML file"
        )
    return found.read_text(encoding="utf-8")
