"""Many systems on many participants from many seeds: every run once, each in a process of its own.

Seeds come outermost, so that a comparison that is stopped early has whole rows. What is done is not done again: the
same call goes on where the last one ended, also with more systems, participants or seeds.

Thread: main (it starts processes).
"""

import hashlib
import multiprocessing
import re
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import connection
from multiprocessing.context import SpawnProcess
from pathlib import Path

from calibration.comparing.run import PUBLISHED, Record, Run, RunOrder, finished, recipe_of, work
from calibration.datasets.eeg3d import ORIGIN_FILE, Eeg3d
from calibration.datasets.eeg3d_trials import NAMES_FILE
from calibration.decoding.targets import AUTO, CHOICES
from calibration.recipes.networks import Size
from calibration.recipes.systems import PUBLISHED_CONTRASTIVE
from calibration.subjects import digest_of
from engines.errors import InputError
from pipeline.processes import end

BASELINE = "ridge"
# The chosen ones of a table that tells what each part is good for, dearest last.
SYSTEMS = (
    "brainssd",
    BASELINE,
    "neuro3d",
    "enigma",
    "brainssd/without coupling",
    "brainssd/static only",
    "brainssd/dynamic only",
    "brainssd/coupling within",
    "brainssd/without hierarchy",
    "brainssd@shuffled",
    "brainssd@eyes",
)
_LOOK_EVERY_S = 0.5
_LEAVE_S = 2.0


@dataclass(frozen=True)
class Plan:
    """What is compared. `systems` in the order of the table, the baseline always among them; `origin` of the data."""

    data: Path
    origin: str
    participants: tuple[str, ...]
    systems: tuple[str, ...]
    seeds: tuple[int, ...]
    digests: tuple[str, ...]
    folder: Path
    size: Size = "pocket"
    n_permutations: int = 999
    encoder: str = AUTO
    weights: Path | None = None

    @property
    def orders(self) -> tuple[RunOrder, ...]:
        """All runs: a seed after the other, and of each the baseline first, which takes seconds."""
        first = sorted(self.systems, key=lambda name: name != BASELINE)
        how = (self.folder, self.size, self.n_permutations, self.encoder, self.weights)
        return tuple(
            RunOrder(Run(system, participant, seed), self.data, digest, *how)
            for seed in self.seeds
            for system in first
            for participant, digest in zip(self.participants, self.digests, strict=True)
        )

    @property
    def digest(self) -> str:
        """Of all the participants' files together."""
        return hashlib.sha256("".join(self.digests).encode()).hexdigest()

    def records(self) -> dict[Run, Record]:
        """All runs that are done.

        Raises:
            InputError: a file in the place of a run is of other data, or none at all.
        """
        found = {order.run: finished(order) for order in self.orders}
        return {run: record for run, record in found.items() if record is not None}


@dataclass(frozen=True)
class Outcome:
    """A run that ended: its `record`, or why there is none."""

    order: RunOrder
    record: Record | None
    reason: str = ""


def plan(
    data: Path,
    folder: Path,
    participants: Sequence[str] = (),
    systems: Sequence[str] = (),
    seeds: Sequence[int] = (0,),
    size: Size | None = None,
    n_permutations: int = 999,
    encoder: str = AUTO,
    weights: Path | None = None,
    as_published: bool = False,
) -> Plan:
    """Check everything that can be checked before hours of work; nothing named takes all participants and `SYSTEMS`.

    Of the published data, where nothing is named, systems are also trained as published tables were, in full size:
    the paper's table and its counterpart without a leak. `as_published` does the former of any data and systems.

    Raises:
        InputError: no such participant, system or size, or no seed.
        SetUnusable: `data` is not a folder in the layout of EEG-3D.
    """
    stored = Eeg3d(data)
    chosen = chosen_among(stored.subjects, participants)
    published = stored.origin is None
    size = size or ("full" if published else "pocket")
    named = tuple(dict.fromkeys(systems)) or SYSTEMS
    for system in named:
        recipe_of(system, size)
    if not seeds:
        raise InputError("expected one seed or more, such as 0-2; got none")
    with_baseline = named if BASELINE in named else (*named, BASELINE)
    if as_published or (published and not systems):
        with_baseline = beside_published(with_baseline)
    if encoder not in CHOICES:
        raise InputError(f"expected embeddings of one of {', '.join(CHOICES)}; got {encoder!r}")
    return Plan(
        data=data,
        origin=stored.name,
        participants=chosen,
        systems=with_baseline,
        seeds=tuple(dict.fromkeys(seeds)),
        digests=tuple(participant_digest(data, one, encoder) for one in chosen),
        folder=folder / "runs",
        size=size,
        n_permutations=n_permutations,
        encoder=encoder,
        weights=weights,
    )


def beside_published(systems: Sequence[str]) -> tuple[str, ...]:
    """Each system that is no ablation and no control followed by itself as published tables were made."""
    plain = {one for one in systems if "@" not in one and one.partition("/")[2] in ("", PUBLISHED_CONTRASTIVE)}
    pairs = ((one, f"{one}@{PUBLISHED}") if one in plain else (one,) for one in systems)
    return tuple(dict.fromkeys(one for pair in pairs for one in pair))


def chosen_among(known: Sequence[str], participants: Sequence[str]) -> tuple[str, ...]:
    """Participants by their names, or by the number at the end of it; all where none is named.

    Raises:
        InputError: none is known by it.
    """
    by_name = {name: name for name in known}
    by_name |= {str(int(digits.group())): name for name in known if (digits := re.search(r"\d+$", name))}
    unknown = [one for one in participants if one not in by_name]
    if unknown or not known:
        raise InputError(f"expected participants among {', '.join(known) or 'none'}; got {', '.join(unknown)}")
    return tuple(dict.fromkeys(by_name[one] for one in participants)) or tuple(known)


def participant_digest(data: Path, participant: str, encoder: str = AUTO) -> str:
    """SHA-256 over the files of one participant, what the folder says of its origin, and an encoder that was named."""
    folder = data / "EEGdata" / participant
    files = sorted(path for path in folder.iterdir() if path.is_file())
    if (folder / NAMES_FILE).is_file():  # the arrays as recorded are there; sorted ones repeat them
        files = [path for path in files if not path.name.startswith(f"{participant}_")]
    files.append(data / ORIGIN_FILE)
    told = "".join(f"{path.name} {digest_of(path)}\n" for path in files if path.is_file())
    if encoder != AUTO:
        told += f"embeddings {encoder}\n"
    return hashlib.sha256(told.encode()).hexdigest()


def carry_out(
    orders: Sequence[RunOrder],
    jobs: int,
    told: Callable[[Outcome], None],
    stopped: Callable[[], bool] = lambda: False,
) -> None:
    """Do what is not done, `jobs` runs at a time; `told` of each that ends, in this thread.

    A run that fails or dies is told with its reason, and the others go on. When `stopped`, runs under way are dropped.
    """
    context = multiprocessing.get_context("spawn")
    waiting = deque(orders)
    running: dict[SpawnProcess, RunOrder] = {}
    try:
        while (waiting or running) and not stopped():
            while waiting and len(running) < jobs:
                order = waiting.popleft()
                order.traceback_path.unlink(missing_ok=True)
                process = context.Process(target=work, args=(order,), name=f"afterimage-compare {order.run}")
                process.start()
                running[process] = order
            connection.wait([process.sentinel for process in running], _LOOK_EVERY_S)
            for process in [one for one in running if not one.is_alive()]:
                order, status = running.pop(process), process.exitcode
                end(process, _LEAVE_S)
                told(_outcome(order, status))
    finally:
        for process in running:
            process.terminate()
        for process in running:
            end(process, _LEAVE_S)


def _outcome(order: RunOrder, status: int | None) -> Outcome:
    record = finished(order) if status == 0 else None
    if record is not None:
        return Outcome(order, record)
    if order.traceback_path.is_file():
        said = order.traceback_path.read_text(encoding="utf-8").strip().splitlines()[-1]
        return Outcome(order, None, f"{said} ({order.traceback_path})")
    return Outcome(order, None, f"its process ended with status {status}; out of memory?")
