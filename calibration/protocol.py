"""What is shown, when, in which order: a protocol is a TOML file, a run of it is fixed by a seed and a number.

Order is blocked and random, so that class and time are independent, and so are neighbours (`protocols/order.py`): slow
changes of the signal and what the last trial left behind tell nothing of the class (Lemm et al. 2011, NeuroImage
56:387; what happens otherwise: Li et al. 2021, IEEE TPAMI 43:316).
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from importlib import resources
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter, ValidationError

from calibration.objects.catalogue import CATEGORIES, N_OBJECTS
from calibration.protocols.answers import answered
from calibration.protocols.kinds import AnyProtocol, CatchTrials, Protocol, fixation
from calibration.protocols.order import balanced, rounds_of, spread
from calibration.protocols.steps import (
    ABORTED,
    BLANK,
    BLOCK_START,
    BREAK,
    END,
    Catch,
    Screen,
    Step,
    Trial,
    markers_of,
)
from calibration.protocols.tangrams import figures
from calibration.stimuli import Item
from engines.errors import InputError
from pipeline.simulation import Shown

__all__ = [
    "ABORTED", "BLOCK_START", "BREAK", "END", "Protocol", "Step", "Trial",
    "answered", "built_in", "load", "markers", "shortened", "steps", "trials",
]  # fmt: skip

_ANY: TypeAdapter[Protocol] = TypeAdapter(AnyProtocol)
BUILT_IN_SET, TANGRAMS = "builtin", "tangrams"
KNOWN_SETS = (BUILT_IN_SET, TANGRAMS)


def built_in() -> tuple[str, ...]:
    """Names of the protocols that come along."""
    return tuple(sorted(Path(f.name).stem for f in _folder() if f.name.endswith(".toml") and f.name[0] != "_"))


def load(
    name: str,
    *,
    n_categories: int | None = None,
    repeats: int | None = None,
    n_objects: int | None = None,
    items: Sequence[Item] | None = None,
    objects: Sequence[str] | None = None,
) -> Protocol:
    """A protocol by its name, or by the path of a TOML file, with what the user wants otherwise.

    `items` are those of the stimulus set that is shown, when it is another than the file names; `objects` are the names
    of those that are shown of each category, all by default.

    Raises:
        InputError: there is no such protocol, or it does not fit the schema or the set; the message names the field.
    """
    fields = _fields(name)
    asked = {"n_categories": n_categories, "repeats": repeats, "n_objects": n_objects}
    fields |= {key: value for key, value in asked.items() if value is not None}
    fields |= _from_set(name, fields, items)
    if objects is not None:
        fields["objects"] = _some(fields["objects"], objects)
    try:
        return _ANY.validate_python(fields)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(p) for p in first["loc"][1:] or first["loc"])
        raise InputError(f"the protocol {name} cannot be used: {where}{': ' if where else ''}{first['msg']}") from error


def set_of(name: str) -> str:
    """The stimulus set that a protocol names: "builtin", "tangrams", or a folder.

    Raises:
        InputError: there is no such protocol.
    """
    fields = _fields(name)
    return str(fields.get("set", TANGRAMS if fields.get("kind") == "tangrams" else BUILT_IN_SET))


def trials(protocol: Protocol, seed: int, run: int = 0) -> tuple[Trial, ...]:
    """The trials of one run; the same protocol, seed and run give the same on every machine.

    The objects of a category come in rounds that go on from run to run: run `r` of EEG-3D is session `r` of 24.
    """
    rng = np.random.default_rng([seed, run, 20])
    tokens = protocol.tokens()
    objects = _objects(protocol, seed, run)
    found: list[Trial] = []
    n_blocks = min(protocol.repeats, max(1, round(protocol.repeats * len(tokens) / protocol.block_trials)))
    for block, rounds in enumerate(spread(protocol.repeats, n_blocks)):
        order = balanced(len(tokens), rounds, rng)
        for place, token in enumerate(order):
            category, hz = tokens[token]
            within = place % protocol.sequence_trials()
            trial = Trial(
                number=len(found),
                block=block,
                item=Item(category, next(objects[category])),
                target=category in protocol.targets,
                hz=hz,
                fixation_s=float(rng.uniform(*protocol.fixation_s)),
                blank_s=float(rng.uniform(*protocol.blank_s)),
                opens=within == 0,
                closes=within == protocol.sequence_trials() - 1 or place == len(order) - 1,
            )
            found.append(trial)
    return _with_questions(protocol, found, rng)


def steps(protocol: Protocol, run: Sequence[Trial]) -> tuple[Step, ...]:
    """Everything on the screen from the first fixation to the end, one after the other."""
    made = [fixation(protocol.lead_in_s)] if protocol.lead_in_s else []
    for before, trial in pairwise([None, *run]):
        assert trial is not None
        if before is not None and before.block != trial.block:
            made += _break(protocol)
        begun = before is None or before.block != trial.block
        made += _trial_steps(protocol, trial, begun)
    return (*made, Step(Screen.END, 0.0, (END,)))


def markers(protocol: Protocol, run: Sequence[Trial]) -> tuple[Shown, ...]:
    """What the marker stream says, in order of time: blocks, pictures, breaks, and the end."""
    return markers_of(steps(protocol, run))


def shortened(shown: tuple[Shown, ...], stop_s: float) -> tuple[Shown, ...]:
    """The markers of a run that ends early: nothing that could not be answered within `stop_s`, and the end."""
    kept = tuple(s for s in shown if s.at_s < stop_s - 1.0 and s.label != END)
    return (*kept, replace(shown[-1], at_s=min(shown[-1].at_s, stop_s)))


def _trial_steps(protocol: Protocol, trial: Trial, begins_block: bool) -> list[Step]:
    showing = list(protocol.showing(trial))
    if trial.opens and trial.fixation_s:
        showing.insert(0, fixation(trial.fixation_s, trial.number))
    if begins_block:
        showing[0] = replace(showing[0], markers=(BLOCK_START, *showing[0].markers))
    if trial.catch and protocol.catch:
        showing.append(_question(protocol.catch, trial.catch, trial.number))
    if trial.closes and trial.blank_s:
        last = showing[-1]
        # A rapid sequence ends with its own gap, an imagined picture on an empty screen already.
        told = () if last.screen is Screen.BLANK and BLANK in last.markers else (BLANK,)
        showing.append(Step(Screen.BLANK, trial.blank_s, told, trial.number))
    return showing


def _question(asked: CatchTrials, catch: Catch, trial: int) -> Step:
    return Step(
        Screen.QUESTION,
        asked.answer_s,
        (catch.label,),
        trial,
        text=catch.category,
        keys=((asked.no_key, ""), (asked.yes_key, "")),
        correct=asked.yes_key if catch.yes else asked.no_key,
    )


def _break(protocol: Protocol) -> list[Step]:
    keys = (("space", ""),) if protocol.self_paced else ()
    pause = Step(
        Screen.BREAK, protocol.break_s, (BREAK,), keys=keys, until_key=protocol.self_paced, waits=protocol.self_paced
    )
    return [pause, fixation(protocol.ready_s)] if protocol.ready_s else [pause]


def _with_questions(protocol: Protocol, run: list[Trial], rng: np.random.Generator) -> tuple[Trial, ...]:
    """Catch questions after random trials: categories in turn, half of the right answers yes."""
    if protocol.catch is None:
        return tuple(run)
    n = min(len(run), max(2, 2 * round(protocol.catch.share * len(run) / 2)))
    answers = rng.permutation(np.arange(n) % 2 == 0)
    for number, yes in zip(_in_turn(run, rng)[:n], answers, strict=False):
        category = run[number].item.category
        others = [c for c in protocol.chosen if c != category]
        asked = category if yes else others[rng.integers(len(others))]
        run[number] = replace(run[number], catch=Catch(asked, bool(yes)))
    return tuple(run)


def _in_turn(run: Sequence[Trial], rng: np.random.Generator) -> list[int]:
    """All trial numbers: one random trial of each category, then another of each, categories in random order."""
    shuffled = rng.permutation(len(run))
    seen: dict[str, int] = {}
    keyed = []
    for number in shuffled:
        category = run[number].item.category
        seen[category] = seen.get(category, 0) + 1
        keyed.append((seen[category], rng.random(), int(number)))
    return [number for _, _, number in sorted(keyed)]


def _objects(protocol: Protocol, seed: int, run: int) -> Mapping[str, Iterator[str]]:
    """For every category its objects in endless rounds, from where the run before left off."""
    rngs = np.random.default_rng([seed, 22]).spawn(len(protocol.chosen))
    each = {c: sum(category == c for category, _ in protocol.tokens()) for c in protocol.chosen}
    return {
        category: islice(
            rounds_of(protocol.objects_of(category), protocol.times, rng),
            run * protocol.repeats * each[category],
            None,
        )
        for category, rng in zip(protocol.chosen, rngs, strict=True)
    }


def _fields(name: str) -> dict[str, object]:
    path = Path(name)
    text = path.read_text(encoding="utf-8") if path.suffix == ".toml" and path.is_file() else _built_in_text(name)
    try:
        return {"name": path.stem, **tomllib.loads(text)}
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"the protocol {name} is not TOML: {error}") from error


def _from_set(name: str, fields: Mapping[str, object], items: Sequence[Item] | None) -> dict[str, object]:
    """The categories and objects that the file leaves to its set."""
    objects = _set_objects(set_of(name)) if items is None else _grouped(items)
    own = {"categories": list(objects), "objects": objects}
    missing: dict[str, object] = {key: value for key, value in own.items() if key not in fields}
    categories = fields.get("categories", own["categories"])
    if "n_categories" not in fields and isinstance(categories, list):
        missing["n_categories"] = max(1, len(categories))
    return missing


def _some(objects: object, names: Sequence[str]) -> object:
    """Those of each category that are named; what is no table of objects is left for the schema to refuse."""
    if not isinstance(objects, Mapping):
        return objects
    return {category: tuple(name for name in of_category if name in names) for category, of_category in objects.items()}


def _set_objects(name: str) -> dict[str, tuple[str, ...]]:
    if name == TANGRAMS:
        return dict.fromkeys(figures(), ("00",))
    if name == BUILT_IN_SET:
        return {category: tuple(f"{n:02d}" for n in range(N_OBJECTS)) for category in CATEGORIES}
    raise InputError(
        f"the protocol shows the stimulus set {name}: `afterimage present` does, the simulated participant knows only "
        f"{BUILT_IN_SET!r}; change set in the protocol"
    )


def _grouped(items: Sequence[Item]) -> dict[str, tuple[str, ...]]:
    return {
        category: tuple(i.object for i in items if i.category == category)
        for category in dict.fromkeys(i.category for i in items)
    }


def _folder() -> Iterator[resources.abc.Traversable]:
    return resources.files("calibration").joinpath("protocols").iterdir()


def _built_in_text(name: str) -> str:
    found = resources.files("calibration").joinpath("protocols", f"{name}.toml")
    if name not in built_in():
        raise InputError(
            f"there is no protocol {name!r}; there are {', '.join(built_in())}, or give the path of a TOML file"
        )
    return found.read_text(encoding="utf-8")
