"""Calibration of an anytime decoder: recordings of pictures and turns in, an evaluated subject out.

Thread: any; takes minutes (`calibration/turning/order.py` gives it a process of its own).
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from calibration.datasets.recording import OpenSource, survey
from calibration.decoding.fit import n_batches
from calibration.decoding.fitted import FittedNetwork
from calibration.decoding.keep import keep
from calibration.decoding.read import from_recordings
from calibration.decoding.restore import StagedRestore
from calibration.decoding.splits import PARTS, Split, split
from calibration.decoding.steps import Progress
from calibration.decoding.subject import AnytimeManifest, Gallery, Known
from calibration.decoding.targets import AUTO, targets_of
from calibration.decoding.trials import TrialSet
from calibration.decoding.validate import Validation, restoring, temperatures, validate
from calibration.defaults import default_chain
from calibration.objects.colours import LABELS
from calibration.open_set import open_set
from calibration.recipes.networks import NetworkRecipe
from calibration.recipes.ridge import RidgeRecipe
from calibration.recipes.systems import systems
from calibration.stimuli import StimulusSet
from calibration.store import StreamRecord
from calibration.turning.order import CalibrationOrder
from engines.errors import InputError
from pipeline.anytime import Windows
from pipeline.preprocess import ChainConfig
from pipeline.types import StreamInfo

# The rate of the static window, which the published network takes.
RATE_HZ = 250.0
# Sizes are tuned on EEG-3D's 1,700 trials; a calibration has a few hundred (docs/decisions/0143-short-calibrations.md).
LEAST_STEPS = 200
FEW_OBJECTS = 5


@dataclass(frozen=True, eq=False)
class AnytimeCalibration:
    """A subject that is not written yet, and how it was found. `write` exports its network."""

    manifest: AnytimeManifest
    fitted: FittedNetwork
    gallery: Gallery
    split: Split
    validation: Validation
    rejected: Mapping[str, int]
    restore: StagedRestore

    def write(self, folder: Path) -> None:
        """Make the folder of the subject. Raises as `keep`."""
        keep(folder, self.manifest, self.fitted, self.gallery, restore=self.restore)

    def fields(self) -> dict[str, Any]:
        """The report's fields (DESIGN section 5)."""
        told, found = self.manifest, self.validation
        trials = (self.split.training, self.split.selection, self.split.validation)
        counts = sum(np.bincount(part.category, minlength=len(told.categories)) for part in trials)
        n_epochs = sum(len(part) for part in trials)
        return {
            "classes": list(told.categories),
            "n_epochs": n_epochs,
            "n_epochs_by_class": dict(zip(told.categories, (int(n) for n in np.asarray(counts)), strict=True)),
            "n_trials": n_epochs,
            "epochs": {"accepted": n_epochs, "rejected": dict(self.rejected)},
            "system": told.system,
            "size": told.size,
            "windows": told.windows,
            "chain": told.chain,
            "training": told.training,
            "validation": [row.model_dump(mode="json") for row in told.validation],
            "confusion": found.confusion.tolist(),
            "by_stage": list(found.by_stage),
            "reliability": dict(found.reliability),
            "warnings": list(told.warnings),
            "simulated": told.simulated,
        }


def calibrate(
    files: Sequence[OpenSource],
    recipe: NetworkRecipe,
    stimuli: StimulusSet,
    *,
    size: str,
    where: str,
    chain: ChainConfig | None = None,
    windows: Windows | None = None,
    unit: str | None = None,
    participant: str = "",
    encoder: str = AUTO,
    weights: Path | None = None,
    recordings: Mapping[str, str] | None = None,
    versions: Mapping[str, str] | None = None,
    n_permutations: int = 199,
    epochs: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> AnytimeCalibration:
    """Cut trials, train on some objects, choose by another of each category, judge by the last.

    `files` open one source each, with markers `stim/category/object` and `turn/category/object`; `stimuli` is the set
    that was shown, which `where` names; `encoder` and `weights` as `targets_of` takes them. `chain` overrides the
    default of the stream, but for its rate. `recordings` names the files with their SHA-256. `progress` hears of the
    training.

    Raises:
        InputError: too few categories or trials, files that do not match, or a system that only answers to whole turns.
        StreamMismatch: a stream too slow for the windows.
        UnitUnknown: a stream declares no unit and none is given.
        WorkError: training diverged.
    """
    if not files:
        raise InputError("expected at least one recording; got none; write afterimage calibrate FILE...")
    if not recipe.wiring.anytime:
        raise InputError(f"expected a system that answers before the turn ends, such as brainssd; got {recipe.name}")
    windows = windows or Windows()
    info = survey(files[0](), unit).info
    chain = anytime_chain(chain or default_chain(info), info)
    trials = from_recordings(
        files, stimuli, chain, windows, participant=participant, encoder=encoder, weights=weights, unit=unit
    )
    parts = split(trials)
    recipe = enough(recipe, len(parts.training), epochs)
    began_s = time.monotonic()
    fitted = recipe.fit(parts.training, parts.selection, seed, progress)
    seconds = round(time.monotonic() - began_s, 1)
    softened = temperatures(fitted, parts.selection, windows)
    floor = RidgeRecipe().fit(parts.training, parts.selection, seed)
    found = validate(recipe.name, fitted, floor, parts, windows, RATE_HZ, softened, n_permutations, seed)
    gallery, known = gallery_of(stimuli, parts, fitted, encoder, weights)
    manifest = AnytimeManifest(
        participant=participant,
        simulated=trials.simulated,
        system=recipe.name,
        size=size,
        patterns={name: (f"stim/{name}/*",) for name in trials.categories},
        recordings=dict(recordings or {}),
        channels=trials.channels,
        sfreq_hz=RATE_HZ,
        stream=StreamRecord.of(info),
        chain=chain.to_dict(),
        categories=trials.categories,
        colours=LABELS,
        windows=windows.to_dict(),
        encoder=trials.encoder,
        scale=fitted.scaling.scale,
        stimuli=where,
        gallery=known,
        temperatures=softened,
        offline_reason=trials.offline_reason,
        training=facts_of(parts, fitted, seed) | {"seconds": seconds},
        validation=found.rows,
        confusion=tuple(tuple(int(n) for n in row) for row in found.confusion),
        warnings=warnings_of(trials, parts),
        versions=dict(versions or {}),
    )
    restore = restoring(fitted, parts.selection, windows)
    return AnytimeCalibration(manifest, fitted, gallery, parts, found, trials.rejected, restore)


def carry_out(order: CalibrationOrder, progress: Progress | None = None) -> dict[str, Any]:
    """Calibrate, write the subject, answer the report's fields; `seconds` of all, and in `training` of that alone.

    Raises:
        InputError: no such system or stimulus set, or as `calibrate`.
        ExportFailed, Disagreement: the network cannot be written as a graph, or the graph gives other numbers.
    """
    began_s = time.monotonic()
    found = calibrate(
        order.files,
        recipe_of(order.system, order.size),
        open_set(order.where),
        size=order.size,
        where=order.where,
        chain=order.chain,
        unit=order.unit,
        participant=order.participant,
        encoder=order.encoder,
        weights=order.weights,
        recordings=order.recordings,
        versions=order.versions,
        n_permutations=order.n_permutations,
        epochs=order.epochs,
        seed=order.seed,
        progress=progress,
    )
    found.write(order.out)
    return found.fields() | {"seconds": round(time.monotonic() - began_s, 1)}


def recipe_of(system: str, size: str) -> NetworkRecipe:
    """The recipe of that name and size.

    Raises:
        InputError: no such system, or one that is no network.
    """
    made = systems(size)  # type: ignore[arg-type]  # it refuses what is no size
    known = {name: recipe for name, recipe in made.items() if isinstance(recipe, NetworkRecipe)}
    if system not in known:
        raise InputError(f"expected a system among {', '.join(known)}; got {system!r}")
    return known[system]


def enough(recipe: NetworkRecipe, n_trials: int, epochs: int | None) -> NetworkRecipe:
    """The recipe with `epochs`; None: as its size says, and more where so few trials make fewer than `LEAST_STEPS`."""
    if epochs is None:
        epochs = max(recipe.budget.epochs, -(-LEAST_STEPS // n_batches(n_trials, recipe.budget.batch)))
    return replace(recipe, budget=replace(recipe.budget, epochs=epochs))


def anytime_chain(chain: ChainConfig, info: StreamInfo) -> ChainConfig:
    """The chain at the rate of the static window.

    Raises:
        InputError: it asks for something that must be learnt from a stretch of its own.
    """
    if chain.eog_regression or chain.asr:
        raise InputError(
            "eog_regression and asr learn from a stretch of the recording, which decoders of two windows do not set "
            "aside; leave them out of [chain]"
        )
    return replace(chain, rate_hz=None if info.sfreq_hz == RATE_HZ else RATE_HZ)


def facts_of(parts: Split, fitted: FittedNetwork, seed: int) -> dict[str, Any]:
    """Of the training, for the manifest."""
    sets = zip(PARTS, (parts.training, parts.selection, parts.validation), strict=True)
    return {
        "split": parts.by,
        "trials": {part: len(trials) for part, trials in sets},
        "epochs": len(fitted.history),
        "selection_score": fitted.score,
        "seed": seed,
    }


def gallery_of(
    stimuli: StimulusSet, parts: Split, fitted: FittedNetwork, encoder: str, weights: Path | None
) -> tuple[Gallery, tuple[Known, ...]]:
    """Every object of the set in the categories that were shown, and what the decoder learned from each."""
    categories = set(parts.training.categories)
    items = tuple(item for item in stimuli.items if item.category in categories)
    _, raw = targets_of(stimuli, items, encoder, weights)
    shown: dict[str, str] = {}
    for name, trials in zip(PARTS, (parts.training, parts.selection, parts.validation), strict=True):
        for item in np.unique(trials.item):
            shown.setdefault(trials.items[item].key, name)
    known = tuple(
        Known.model_validate(
            {"key": item.key, "shown": shown.get(item.key, "never"), "colour": stimuli.colour_label(item)}
        )
        for item in items
    )
    return Gallery(tuple(item.key for item in items), raw, fitted.scaling.centre), known


def warnings_of(trials: TrialSet, parts: Split) -> tuple[str, ...]:
    """What a reader of the numbers must know."""
    said = list(parts.warnings)
    if parts.by == "objects":
        least = min(
            len(np.unique(parts.training.number[parts.training.category == k])) for k in range(len(trials.categories))
        )
        if least < FEW_OBJECTS:
            said.append(
                f"as few as {least} of the objects of a category trained: little is known of others; show more objects"
            )
    if trials.simulated:
        said.append("simulated: nothing here was measured on a person")
    if trials.offline_only:
        said.append(f"offline only: {trials.offline_reason}")
    return tuple(said)
