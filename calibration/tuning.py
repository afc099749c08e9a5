"""Fine-tuning a picture generator's adapter to one participant's decoder, from files to an adapter on disk.

    afterimage train adapter --data DIR --model DIR        # [reconstruction] adapter = ".../adapter.safetensors"

What the decoder says of each trial of objects 00 to 06, with the length that generators are given live
(`calibration/decoding/restore.py`), is paired with the picture that was seen; pairs of object 07 choose the epoch, and
the trials of 08 and 09 are not read. The decoder was trained on the same trials, so that it knows them better than what
it will meet: pairs of 07 alone tell what is gained.

Thread: one only, with `torch` to itself; see `calibration/decoding/process.py`.
"""

import platform
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from calibration.contact_sheet import Tile, sheet
from calibration.datasets.eeg3d import Eeg3d
from calibration.decoding.checkpoint import NAME
from calibration.decoding.fitted import Fitted
from calibration.decoding.models import About, load_model, read_about
from calibration.decoding.read import from_eeg3d
from calibration.decoding.restore import Restore
from calibration.decoding.steps import Progress
from calibration.decoding.targets import AUTO
from calibration.decoding.trials import TrialSet
from calibration.objects.catalogue import SELECTION, TRAINING
from calibration.recipes.adapter import AdapterBudget, Pairs, Tuned, fitted_pictures, tune
from calibration.stimuli import StimulusSet
from engines.errors import InputError
from engines.generators import ip_adapter
from engines.generators.config import PICTURES, GeneratorsConfig
from engines.generators.pocket import pocket_pictures
from engines.generators.published import NAME as SDXL_TURBO
from engines.generators.published import device_of, open_sdxl_turbo
from engines.generators.sdxl_turbo import SdxlTurbo
from engines.vision.base import Pictures

FILE, SHEET = "adapter.safetensors", "adapter.png"
SYSTEM = "adapter"
_SHOWN = 12  # pictures of object 07 on the sheet
_DRAWN_AT_ONCE = 4


@dataclass(frozen=True)
class AdapterOrder:
    """What to fine-tune: the adapter of `generator` ("pocket", "sdxl-turbo") to the decoder in the folder `model`.

    `participant` "": whom the model was trained on. `epochs` None: as the budget has it. `encoder` and `weights` choose
    the embeddings that the model was trained towards, as in its training.
    """

    data: Path
    model: Path
    out: Path
    generator: str = "pocket"
    generators: GeneratorsConfig = field(default_factory=GeneratorsConfig)
    participant: str = ""
    seed: int = 0
    epochs: int | None = None
    encoder: str = AUTO
    weights: Path | None = None
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def system(self) -> str:
        """What is trained."""
        return SYSTEM

    @property
    def checkpoint(self) -> Path:
        """Where a training that has not ended stands."""
        return self.out / NAME

    @property
    def budget(self) -> AdapterBudget:
        """How long and how hard."""
        return AdapterBudget() if self.epochs is None else replace(AdapterBudget(), epochs=self.epochs)

    def check(self) -> None:
        """Refuse early what could not be done.

        Raises:
            InputError: no such generator, model or data, a model that has seen object 07, or a folder that holds an
                adapter.
        """
        if self.generator not in PICTURES:
            raise InputError(f"expected a picture generator ({', '.join(PICTURES)}), got {self.generator!r}")
        about = read_about(self.model)
        if foreign := sorted(set(about.training.objects) - set(TRAINING)):
            raise InputError(
                f"{self.model} was trained on objects {', '.join(f'{n:02d}' for n in foreign)}, by which the adapter "
                "would be chosen and judged; train one with `afterimage train`"
            )
        Eeg3d(self.data)
        if (self.out / FILE).exists():
            raise InputError(f"{self.out} holds an adapter already; choose another --out")

    def __call__(self, progress: Progress | None = None) -> dict[str, Any]:
        """Fine-tune, and write the adapter and a sheet of pictures; answers the fields of the report.

        Raises:
            InputError: as `check`; data or a generator that do not fit the model; a checkpoint of another training.
            WorkError: training diverged, or there was not enough memory.
        """
        self.check()
        began_s, about, stimuli = time.monotonic(), read_about(self.model), Eeg3d(self.data)
        generator = _opened(self.generator, self.generators)
        trials = from_eeg3d(
            self.data, self.participant or about.participant, self.encoder, self.weights, (*TRAINING, *SELECTION)
        )
        _require_fitting(about, trials)
        fitted = load_model(self.model)
        training, selection = (
            pairs_of(fitted, trials.of_objects(numbers), stimuli, generator.size_px)
            for numbers in (TRAINING, SELECTION)
        )
        before, simulated = _drawn(generator, selection), trials.simulated
        tuned = tune(generator, training, selection, self.budget, self.seed, progress, self.checkpoint)
        origin = ip_adapter.AdapterOrigin(
            self.generator, trials.encoder, training.digest(), selection.digest(), self.seed, simulated,
            {"selection loss before": tuned.losses[0], "selection loss": min(tuned.losses)},
        )  # fmt: skip
        self.out.mkdir(parents=True, exist_ok=True)
        _write_sheet(self.out / SHEET, selection, before, _drawn(generator, selection), _marks(generator, simulated))
        ip_adapter.write(self.out / FILE, tuned.weights, origin)
        self.checkpoint.unlink(missing_ok=True)
        return self._fields(tuned, origin, generator, (len(training), len(selection))) | {
            "seconds": round(time.monotonic() - began_s, 1),
        }

    def _fields(
        self, tuned: Tuned, origin: ip_adapter.AdapterOrigin, generator: SdxlTurbo, n: tuple[int, int]
    ) -> dict[str, Any]:
        return {
            "command": "train",
            "system": SYSTEM,
            "generator": generator.name,
            "pocket": generator.pocket,
            "adapter": str(self.out / FILE),
            "sheet": str(self.out / SHEET),
            **asdict(origin),
            "budget": asdict(self.budget),
            "n_pairs": {"training": n[0], "selection": n[1]},
            "kept_epoch": tuned.kept_epoch,
            "selection_losses": list(tuned.losses),
            "training_losses": [step.loss for step in tuned.history],
            "n_parameters": sum(value.numel() for some in tuned.weights.values() for value in some.values()),
            "device": "GPU" if generator.device.type == "cuda" else "CPU",
            "threads": torch.get_num_threads(),
            "versions": {"python": platform.python_version(), "torch": torch.__version__, **self.versions},
            "verdict": {"text": _verdict(tuned, generator), "colour": ""},
            "warnings": _warnings(tuned, origin, generator),
        }


def pairs_of(fitted: Fitted, trials: TrialSet, stimuli: StimulusSet, size_px: int) -> Pairs:
    """What a decoder says of whole trials, restored on these very trials, with the pictures that were seen."""
    said = fitted.predict(trials)
    restore = Restore.fit(said.embedding, trials.targets[trials.item], said.centre)
    shown, item = np.unique(trials.item, return_inverse=True)
    pictures = fitted_pictures([np.array(stimuli.picture(trials.items[one])) for one in shown], size_px)
    embeddings = restore.apply(said.embedding).astype(np.float32)
    return Pairs(embeddings, item.astype(np.int64), pictures, trials.encoder)


def _opened(name: str, config: GeneratorsConfig) -> SdxlTurbo:
    """With its own autoencoder, which encodes what is learned from."""
    return open_sdxl_turbo(config, tiny=False) if name == SDXL_TURBO else pocket_pictures(device_of(config.device))


def _require_fitting(about: About, trials: TrialSet) -> None:
    for what in ("channels", "categories", "encoder"):
        own, theirs = getattr(about, what), getattr(trials, what)
        if own != theirs:
            raise InputError(
                f"the model was trained with other {what} ({own!s:.60}) than the data have ({theirs!s:.60}); "
                "name the data and the embeddings that it was trained on"
            )


def _first_of_each(pairs: Pairs) -> list[int]:
    """A pair of each of the first pictures."""
    return [int(row) for row in np.unique(pairs.item, return_index=True)[1][:_SHOWN]]


def _drawn(generator: SdxlTurbo, pairs: Pairs) -> list[Pictures]:
    """Reconstructions, each from the seed of its place, so that before and after begin at the same noise."""
    rows, found = _first_of_each(pairs), []
    for at in range(0, len(rows), _DRAWN_AT_ONCE):
        some = rows[at : at + _DRAWN_AT_ONCE]
        found += list(generator.pictures(pairs.embeddings[some], range(at, at + len(some))))
    return found


def _write_sheet(
    path: Path, pairs: Pairs, before: list[Pictures], after: list[Pictures], marks: tuple[str, ...]
) -> None:
    rows = [
        (Tile(pairs.pictures[pairs.item[row]]), Tile(was), Tile(now))
        for row, was, now in zip(_first_of_each(pairs), before, after, strict=True)
    ]
    notes = ("single trials of objects that taught neither the decoder nor the adapter, and chose both",)
    picture = sheet(rows, ("seen", "before", "after"), "Fine-tuned adapter", marks, notes, across=3)
    Image.fromarray(picture).save(path)


def _marks(generator: SdxlTurbo, simulated: bool) -> tuple[str, ...]:
    return (*(("simulated",) if simulated else ()), *(("pocket",) if generator.pocket else ()))


def _verdict(tuned: Tuned, generator: SdxlTurbo) -> str:
    start, best = tuned.losses[0], min(tuned.losses)
    epochs = len(tuned.history)
    if not tuned.kept_epoch:
        return (
            f"No epoch of {epochs} made the adapter of {generator.name} better on the object it was chosen by "
            f"(loss {start:.4f}): it is kept as it came."
        )
    return (
        f"The adapter of {generator.name} after epoch {tuned.kept_epoch} of {epochs} is kept: loss {best:.4f} on the "
        f"object it was chosen by, {start:.4f} before. That is no measure of pictures: the test objects were not "
        "opened."
    )


def _warnings(tuned: Tuned, origin: ip_adapter.AdapterOrigin, generator: SdxlTurbo) -> list[str]:
    told = []
    if origin.simulated:
        told.append("the EEG is of the simulated participant")
    if generator.pocket:
        told.append("the generator is the pocket one, trained on built-in objects")
    if not tuned.kept_epoch:
        told.append("fine-tuning gained nothing on the object it was chosen by")
    return told
