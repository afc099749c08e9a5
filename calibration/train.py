"""Training a system on a participant of a data set, from its files to a model on disk.

Objects 00 to 06 train, 07 chooses the step that is kept, and the trials of 08 and 09 are not read. An order that was
interrupted goes on from its checkpoint when it is given again, to the same weights.

    fields = Order(data, "sub09", "brainssd", out)()      # also what `calibration.decoding.process` carries out

Thread: one only, with `torch` and BLAS to itself; see `calibration/decoding/process.py`.
"""

import platform
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from calibration.datasets.eeg3d import Eeg3d
from calibration.decoding.checkpoint import NAME
from calibration.decoding.fit import Recipe
from calibration.decoding.models import ABOUT, About, TrialsRecord, making_of, save_model
from calibration.decoding.read import from_eeg3d
from calibration.decoding.steps import Progress, Step
from calibration.decoding.targets import AUTO
from calibration.objects.catalogue import SELECTION, TRAINING
from calibration.recipes.networks import NetworkRecipe, Size
from calibration.recipes.systems import systems, with_budget
from engines.errors import InputError


@dataclass(frozen=True)
class Order:
    """What to train. `epochs` and `learning_rate` None: as the system's budget has them.

    `participant` "" is the only one there is. `encoder` and `weights` choose the embeddings that it is trained towards
    (`calibration/decoding/targets.py`).
    """

    data: Path
    participant: str
    system: str
    out: Path
    size: Size = "pocket"
    seed: int = 0
    epochs: int | None = None
    learning_rate: float | None = None
    encoder: str = AUTO
    weights: Path | None = None
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def checkpoint(self) -> Path:
        """Where a training that has not ended stands."""
        return self.out / NAME

    def recipe(self) -> Recipe:
        """What will be fitted.

        Raises:
            InputError: no such system, or epochs or a learning rate for one that has none, or a rate not above 0.
        """
        known = systems(self.size)
        if self.system not in known:
            raise InputError(f"expected a system to train ({', '.join(known)}), got {self.system!r}")
        return with_budget(known[self.system], self.epochs, self.learning_rate)

    def check(self) -> None:
        """Refuse early what could not be done.

        Raises:
            InputError: no such system, data or participant, or a folder that holds a model.
        """
        self.recipe()
        self._participant(Eeg3d(self.data))
        if (self.out / ABOUT).exists():
            raise InputError(f"{self.out} holds a trained model already; choose another --out")

    def __call__(self, progress: Progress | None = None) -> dict[str, Any]:
        """Train, and write the model; answers the fields of the report.

        Raises:
            InputError: as `check`; data that cannot be used; a checkpoint of another training.
            WorkError: training diverged.
        """
        self.check()
        stimuli, recipe, began_s = Eeg3d(self.data), self.recipe(), time.monotonic()
        trials = from_eeg3d(self.data, self._participant(stimuli), self.encoder, self.weights, (*TRAINING, *SELECTION))
        training, selection = trials.of_objects(TRAINING), trials.of_objects(SELECTION)
        first: list[Step] = []

        def told(step: Step) -> None:
            first.append(step)
            if progress:
                progress(step)

        resumed = self.checkpoint.exists()
        fitted = recipe.fit(training, selection, self.seed, told, self.checkpoint)
        making = making_of(
            training, selection, system=self.system, size=self.size, seed=self.seed, data=stimuli.name,
            budget=asdict(recipe.budget) if isinstance(recipe, NetworkRecipe) else {},
            loss=asdict(recipe.loss(training)) if isinstance(recipe, NetworkRecipe) else {},
            versions={"python": platform.python_version(), "torch": torch.__version__, **self.versions},
        )  # fmt: skip
        about = save_model(self.out, fitted, making)
        self.checkpoint.unlink(missing_ok=True)
        return fields(about) | {
            "model": str(self.out),
            "resumed_after_epoch": first[0].epoch if resumed else None,
            "seconds": round(time.monotonic() - began_s, 1),
            "device": "GPU" if torch.cuda.is_available() and isinstance(recipe, NetworkRecipe) else "CPU",
            "threads": torch.get_num_threads(),
        }

    def _participant(self, stimuli: Eeg3d) -> str:
        if self.participant:
            return self.participant
        if len(stimuli.subjects) != 1:
            raise InputError(f"expected --participant, one of {', '.join(stimuli.subjects) or 'none at all'}")
        return stimuli.subjects[0]


def fields(about: About) -> dict[str, Any]:
    """What a report says of a trained model."""
    n_parameters = sum(about.work.parameters.values())
    n_categories = len(about.categories)
    chance = sum(1 / rank for rank in range(1, n_categories + 1)) / n_categories
    return {
        "command": "train",
        "classes": list(about.categories),
        **about.model_dump(mode="json", exclude={"categories", "schema_version", "config", "wiring", "scale"}),
        "n_parameters": n_parameters,
        "score_chance": chance,
        "verdict": {"text": _verdict(about, chance), "colour": ""},
        "warnings": [f"offline only: {about.offline_reason}"] if about.offline_only else [],
        "tables": [_table(about, n_parameters)],
    }


def _verdict(about: About, chance: float) -> str:
    chosen = max(about.history, key=lambda step: step.score)
    kept = f"epoch {chosen.epoch} of {chosen.epochs} is kept, " if chosen.epochs > 1 else ""
    return (
        f"{about.system} ({about.size}) trained on participant {about.participant}: {kept}mean reciprocal rank of the "
        f"true category {about.score:.3f} on the objects it was chosen by (chance {chance:.3f}). That is no measure of "
        "accuracy: the test objects were not opened."
    )


def _table(about: About, n_parameters: int) -> dict[str, Any]:
    work = about.work
    rows = [
        ["parameters", f"{n_parameters:,} ({', '.join(f'{part} {n:,}' for part, n in work.parameters.items())})"],
        ["multiply-adds of one trial", _count(work.multiply_adds)],
        ["FLOPs of one trial", f"{_count(work.flops)}, two per multiply-add, counted {work.counter}"],
        ["tokens of the first level", _count(work.tokens)],
        ["trained on", _trials(about.training)],
        ["chosen by", _trials(about.selection)],
        ["budget", _budget(about.budget)],
        ["data", about.data],
        ["embeddings", about.encoder],
        ["may run live", f"no: {about.offline_reason}" if about.offline_only else "yes"],
        ["seed", str(about.seed)],
    ]
    return {"title": "Model", "head": ["", ""], "rows": rows, "n_text": 2}


def _budget(budget: Mapping[str, Any]) -> str:
    if not budget:
        return "none: closed form"
    return f"{budget['epochs']} epochs, batches of {budget['batch']}, learning rate {budget['learning_rate']:g}"


def _trials(record: TrialsRecord) -> str:
    objects = ", ".join(f"{number:02d}" for number in record.objects)
    return f"{record.n_trials:,} trials of {record.n_items} objects (numbers {objects}), SHA-256 {record.digest[:12]}"


def _count(n: int | None) -> str:
    return "not counted" if n is None else f"{n:,}"
