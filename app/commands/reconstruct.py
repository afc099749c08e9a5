"""`evaluate --reconstruct`: pictures and shapes of objects a model has never seen, measured and on contact sheets."""

import argparse
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PIL import Image

from app.config import load
from calibration.comparing.judge import Judgement
from calibration.comparing.run import parts_of
from calibration.datasets.eeg3d import Eeg3d
from calibration.decoding.models import load_model
from calibration.decoding.read import from_eeg3d
from calibration.decoding.reconstruct import Makers, Reconstructions, reconstruct
from calibration.decoding.reconstruct_dependency import Session, session
from calibration.decoding.reconstruct_report import dependency_tables, gains_line, marks_of, tables, verdict
from calibration.decoding.reconstruct_scores import Measures, Scored, over_participants, plain, scored
from calibration.decoding.reconstruct_sheet import dependency_sheet, evenly, picture_sheet, shape_sheet
from calibration.metrics.features import FeaturesConfig, extractors, layers, perceptual
from calibration.metrics.generation import Centres
from calibration.stimuli import Picture
from engines.errors import InputError
from engines.generators.choose import Generators, open_generators
from engines.vision.pocket import PocketVision

Progress = Callable[[float, str], None]


@dataclass(frozen=True, eq=False)
class Told:
    """Additions to the report of `evaluate`, and the sheets by what they show."""

    fields: dict[str, Any]
    sheets: dict[str, Picture]


def reconstructed(
    folders: Sequence[Path], judged: Sequence[Judgement], options: argparse.Namespace, out: Path, progress: Progress
) -> Told:
    """Reconstruct what each model decodes; sheets are written into `out` too.

    Raises:
        InputError: no generator takes the models' embeddings, or models that do not fit the data.
    """
    encoders = {one.about.encoder for one in judged}
    if len(encoders) > 1:
        raise InputError(f"expected models of one encoder, got {', '.join(sorted(encoders))}; evaluate them apart")
    generators = open_generators(load(options.config).reconstruction.generators(), encoders.pop())
    makers = Makers(generators.picture, generators.shape)
    measures = _measures(FeaturesConfig())
    seen_through = layers(FeaturesConfig())
    found, scores, sessions = [], [], []
    for folder, one in zip(folders, judged, strict=True):
        own = _one(folder, one, options, makers, progress)
        found.append(own)
        classifiers = (Centres.builtin(PocketVision.load()),) if own.simulated else ()
        told = replace(measures, classifiers=classifiers)
        scores.append(scored(own, told, options.permutations, options.seed or 0, progress))
        if makers.picture is not None:
            sessions.append(session(own, seen_through, makers, options.seed or 0, progress))
    pocket = [one.name for one in (generators.picture, generators.shape) if one is not None and one.pocket]
    marks = marks_of(any(one.simulated for one in found), pocket)
    sheets = _sheets(found, sessions, Eeg3d(options.data), marks)
    _write(out, sheets)
    return Told(_fields(found, scores, sessions, generators, marks, seen_through.name, measures.absent), sheets)


def _one(
    folder: Path, judged: Judgement, options: argparse.Namespace, makers: Makers, progress: Progress
) -> Reconstructions:
    (participant,) = judged.plan.participants
    trials = from_eeg3d(options.data, participant, options.encoder, options.weights)
    parts = parts_of(trials, "", 0)
    stimuli = Eeg3d(options.data)
    sets = (parts.training, parts.selection, parts.test)
    return reconstruct(load_model(folder), *sets, stimuli, makers, options.seed or 0, progress)


def _fields(
    found: Sequence[Reconstructions],
    scores: Sequence[Sequence[Scored]],
    sessions: Sequence[Session],
    generators: Generators,
    marks: Sequence[str],
    layers_name: str,
    absent: Mapping[str, str],
) -> dict[str, Any]:
    pooled = over_participants(scores)
    unit = f"{len(found)} participants" if len(found) > 1 else "objects"
    names = {kind: one.name for kind, one in (("picture", generators.picture), ("mesh", generators.shape)) if one}
    return {
        "tables": tables(pooled, unit, marks) + (dependency_tables(sessions, marks, layers_name) if sessions else []),
        "verdict": verdict(pooled)[0],
        "colour": verdict(pooled)[1],
        "reconstructions": {
            "generators": names,
            "passed_over": dict(generators.passed_over),
            "not_measured": dict(absent),
            "marks": list(marks),
            "participants": [one.participant for one in found],
            "scores": plain(pooled),
            "by_participant": {own.participant: plain(some) for own, some in zip(found, scores, strict=True)},
            "gains": {own.participant: own.gains for own in found},
            "certainties": {own.participant: own.certainties for own in found},
            "dependency": [dict(one.table()) for one in sessions],
        },
        "warnings": [gains_line(one) for one in found],
    }


def _sheets(
    found: Sequence[Reconstructions], sessions: Sequence[Session], stimuli: Eeg3d, marks: Sequence[str]
) -> dict[str, Picture]:
    """A few objects of each participant, and every object of the first."""
    sheets: dict[str, Picture] = {}
    for own in found:
        some, title = evenly(len(own.truth.items)), f"participant {own.participant}, objects 08 and 09, mean EEG"
        if own.rows[0].pictures is not None:
            sheets[f"pictures, {own.participant}"] = picture_sheet(own, marks, some, f"Pictures: {title}")
        if own.rows[0].clouds is not None:
            sheets[f"shapes, {own.participant}"] = shape_sheet(own, stimuli, marks, some, f"Shapes: {title}")
    for own, one in zip(found, sessions, strict=False):
        title = f"Dependency: participant {own.participant}, objects 08 and 09, mean EEG"
        sheets[f"dependency, {own.participant}"] = dependency_sheet(
            own, one, marks, evenly(len(own.truth.items), 10), title
        )
    return sheets


def _write(out: Path, sheets: dict[str, Picture]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for name, sheet in sheets.items():
        Image.fromarray(sheet).save(out / f"{re.sub(r'[^0-9A-Za-z]+', '-', name)}.png", optimize=True)


def _measures(config: FeaturesConfig) -> Measures:
    """Every network whose weights are here, and why others are not."""
    found = extractors(config)
    absent = dict(found.absent)
    try:
        lpips = perceptual(config)
    except InputError as why:
        absent["LPIPS"] = str(why)
        return Measures(found.here, absent=absent)
    return Measures(found.here, lpips.distances, absent=absent)
