"""One run of a comparison: a system trained on one participant from one seed, evaluated, written as one JSON file.

Objects 00 to 06 train, 07 chooses, 08 and 09 test; nothing else opens the test objects. A system may be followed by

    @shuffled    trained on trials whose EEG was exchanged (a control, see `calibration.decoding.controls`)
    @eyes        trained and tested on the foremost channels alone (a control)
    @published   as published tables were made: 07 trains too, and the TEST objects choose the step that is kept

A run that failed leaves its traceback beside where its file would be, and is tried again next time.

Thread: each run in a process of its own.
"""

import json
import re
import signal
import time
import traceback
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import threadpoolctl
import torch

from calibration.decoding.controls import TRAINED
from calibration.decoding.evaluate import Evaluation, evaluate
from calibration.decoding.fit import Recipe
from calibration.decoding.fitted import Fitted, FittedNetwork
from calibration.decoding.models import WorkRecord
from calibration.decoding.read import from_eeg3d
from calibration.decoding.targets import AUTO
from calibration.decoding.trials import TrialSet
from calibration.objects.catalogue import HELD_OUT, SELECTION, TRAINING
from calibration.recipes.networks import Size
from calibration.recipes.systems import systems, with_budget
from engines.errors import AfterimageError, InputError
from pipeline.processes import leave_with_parent, lower_priority

PUBLISHED = "published"
CHANGES = (*TRAINED, PUBLISHED)
# Of the turn, after which every system is asked, beside before and after it: asking takes as long as training.
UNFOLDING_S = (1.0, 3.0)


@dataclass(frozen=True, order=True)
class Run:
    """What is trained: `system` a recipe, perhaps followed by @ and a change."""

    system: str
    participant: str
    seed: int

    @property
    def parts(self) -> tuple[str, str]:
        """The recipe and the change, "" for none."""
        recipe, _, change = self.system.partition("@")
        return recipe, change

    def __str__(self) -> str:
        return f"{self.system}, participant {self.participant}, seed {self.seed}"


@dataclass(frozen=True)
class RunOrder:
    """All that a process must know of its run. `digest` is of the participant's files, `folder` where runs are kept.

    `encoder` and `weights` as `calibration.decoding.targets` takes them.
    """

    run: Run
    data: Path
    digest: str
    folder: Path
    size: Size = "pocket"
    n_permutations: int = 999
    encoder: str = AUTO
    weights: Path | None = None

    @property
    def path(self) -> Path:
        """The file of this run."""
        return self.folder / _slug(self.run.participant) / f"{_slug(self.run.system)}-{self.run.seed}.json"

    @property
    def traceback_path(self) -> Path:
        """What is left of a run that failed."""
        return self.path.with_suffix(".txt")


@dataclass(frozen=True)
class Record:
    """A finished run. `about` says what it was made of and how long it took."""

    run: Run
    digest: str
    size: str
    about: Mapping[str, Any]
    evaluation: Evaluation

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "evaluation": self.evaluation.to_dict()}

    @classmethod
    def read(cls, path: Path) -> "Record":
        """The inverse of writing.

        Raises:
            InputError: not such a file.
        """
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            run, evaluation = Run(**values["run"]), Evaluation.from_dict(values["evaluation"])
            return cls(run, values["digest"], values["size"], values["about"], evaluation)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path}: expected a run of `afterimage compare`; {error!r}. Remove it") from error


def finished(order: RunOrder) -> Record | None:
    """The record of a run that is done; None where it is not.

    Raises:
        InputError: a run of other data or another size is in its place, or a file that is none.
    """
    if not order.path.is_file():
        return None
    record = Record.read(order.path)
    if (record.digest, record.size) != (order.digest, order.size):
        raise InputError(
            f"{order.path} was made from other data or another size ({record.size}, data {record.digest[:12]}); "
            f"this comparison is {order.size}, data {order.digest[:12]}; choose another --out"
        )
    return record


def recipe_of(system: str, size: Size) -> Recipe:
    """The recipe of a system's name.

    Raises:
        InputError: no such recipe or change.
    """
    known = systems(size)
    recipe, change = Run(system, "", 0).parts
    if recipe not in known:
        raise InputError(f"expected a system among {', '.join(known)}; got {recipe!r}")
    if change not in ("", *CHANGES):
        raise InputError(f"expected @{', @'.join(CHANGES)} behind a system; got @{change}")
    return known[recipe]


@dataclass(frozen=True)
class Parts:
    """The three sets of a run; no object is in two of them, except as `@published` says."""

    training: TrialSet
    selection: TrialSet
    test: TrialSet


def parts_of(trials: TrialSet, change: str, seed: int) -> Parts:
    """Split by objects, and change as asked.

    Raises:
        InputError: a part is empty.
    """
    if change in TRAINED:
        trials = TRAINED[change].everywhere(trials)
    test = trials.of_objects(HELD_OUT)
    if change == PUBLISHED:
        parts = Parts(trials.of_objects([*TRAINING, *SELECTION]), test.averaged(), test)
    else:
        parts = Parts(trials.of_objects(TRAINING), trials.of_objects(SELECTION), test)
    for name, part in vars(parts).items():
        if not len(part):
            raise InputError(f"participant {trials.participant}: expected {name} trials; got none")
    if change in TRAINED:
        rng = np.random.default_rng([seed, 7])
        return Parts(TRAINED[change].before_training(parts.training, rng), parts.selection, parts.test)
    return parts


def carry_out(
    order: RunOrder,
    trials: TrialSet,
    unfolding_s: Collection[float] | None = UNFOLDING_S,
    budget: Mapping[str, Any] | None = None,
) -> Record:
    """Train and evaluate; `unfolding_s` as `evaluate` takes it; epochs and learning rate of a `budget`, where given.

    Raises:
        InputError: trials the recipe cannot take.
    """
    recipe, change = recipe_of(order.run.system, order.size), order.run.parts[1]
    if budget:
        recipe = with_budget(recipe, budget["epochs"], budget["learning_rate"])
    parts = parts_of(trials, change, order.run.seed)
    started_s, started_cpu_s = time.monotonic(), time.process_time()
    fitted = recipe.fit(parts.training, parts.selection, order.run.seed)
    fit_s, fit_cpu_s = time.monotonic() - started_s, time.process_time() - started_cpu_s
    evaluation = evaluate(
        fitted, parts.selection, parts.test, n_permutations=order.n_permutations, unfolding_s=unfolding_s
    )
    about = {
        "fit_s": fit_s,
        "fit_cpu_s": fit_cpu_s,
        "evaluate_s": time.monotonic() - started_s - fit_s,
        "budget": asdict(recipe.budget) if hasattr(recipe, "budget") else {},
        **cost_of(fitted),
        "selection_score": fitted.score if isinstance(fitted, FittedNetwork) else None,
        "history": [asdict(step) for step in fitted.history] if isinstance(fitted, FittedNetwork) else [],
        "n_trials": {name: len(part) for name, part in vars(parts).items()},
        "classes": trials.categories,
        "encoder": trials.encoder,
        "simulated": trials.simulated,
        "offline_reason": trials.offline_reason,
    }
    return Record(order.run, order.digest, order.size, about, evaluation)


def cost_of(fitted: Fitted) -> dict[str, Any]:
    """Learned numbers, and the arithmetic of one trial by whom it was counted; None and {} where it is not."""
    found = WorkRecord.of(fitted)
    if found is None:
        return {"n_parameters": None, "work": {}}
    return {"n_parameters": sum(found.parameters.values()), "work": found.model_dump(mode="json")}


def work(order: RunOrder) -> None:
    """The whole of a process: read, train, evaluate, write; exit status 0 done, 1 failed with a traceback kept."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    leave_with_parent()
    lower_priority()
    torch.set_num_threads(1)
    threadpoolctl.threadpool_limits(1)
    order.path.parent.mkdir(parents=True, exist_ok=True)
    try:
        record = carry_out(order, from_eeg3d(order.data, order.run.participant, order.encoder, order.weights))
    except Exception as error:  # noqa: BLE001 - the boundary of a process: what failed is kept, the others go on
        said = str(error) if isinstance(error, AfterimageError) else f"{type(error).__name__}: {error}"
        order.traceback_path.write_text(f"{traceback.format_exc()}\n{said}\n", encoding="utf-8")
        raise SystemExit(1) from None
    draft = order.path.with_suffix(".draft")
    draft.write_text(json.dumps(record.to_dict(), allow_nan=False), encoding="utf-8")
    draft.replace(order.path)
    order.traceback_path.unlink(missing_ok=True)


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower().replace("@", "-at-")).strip("-")
