"""`evaluate --reconstruct`: pictures, shapes and captions of objects a model has never seen, measured and shown."""

import argparse
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from PIL import Image

from app.config import load
from calibration.comparing.judge import Judgement
from calibration.comparing.run import parts_of
from calibration.datasets.eeg3d import Eeg3d
from calibration.decoding.models import load_model
from calibration.decoding.read import from_eeg3d
from calibration.decoding.reconstruct import Reconstructions, reconstruct
from calibration.decoding.reconstruct_captions import Captioned, about, caption_scored, captioned
from calibration.decoding.reconstruct_captions import plain as texts_of
from calibration.decoding.reconstruct_dependency import Dependencies, dependencies
from calibration.decoding.reconstruct_report import (
    Table,
    caption_tables,
    dependency_tables,
    gains_line,
    marks_of,
    not_made,
    tables,
    verdict,
)
from calibration.decoding.reconstruct_scores import Measures, Scored, not_shared, over_participants, plain, scored
from calibration.decoding.reconstruct_sheet import dependency_sheet, picture_sheet, shape_sheet
from calibration.decoding.reconstruct_truth import PICTURE_PX, pictures_of
from calibration.dominance import Segmenter
from calibration.metrics.features import Extractor, FeaturesConfig, extractors, layers, perceptual
from calibration.metrics.generation import Centres
from calibration.metrics.looks import Namer
from calibration.metrics.words import TextEncoder
from calibration.objects.catalogue import TRAINING
from calibration.stimuli import Picture, evenly
from calibration.true_captions import TrueCaptions, true_captions
from engines.errors import InputError
from engines.generators.choose import Generators, open_generators
from engines.generators.config import GeneratorsConfig
from engines.vision.encoders import open_segmenter
from engines.vision.features.clip import ClipPictures
from engines.vision.features.pooled import InceptionV3
from engines.vision.features.swag import Swag
from engines.vision.features.trunk import Trunk
from engines.vision.pocket import PocketVision
from engines.weights import part, require_here

SEGMENTS = "segments of the dependency map"

_T = TypeVar("_T")

Progress = Callable[[float, str], None]


@dataclass(frozen=True, eq=False)
class Told:
    """Additions to the report of `evaluate`, and the sheets by what they show."""

    fields: dict[str, Any]
    sheets: dict[str, Picture]


@dataclass(frozen=True, eq=False)
class _Means:
    """What is used for all participants."""

    generators: Generators
    measures: Measures
    texts: Sequence[TextEncoder]
    layers: Trunk
    segmenter: Segmenter | None
    stimuli: Eeg3d
    true: TrueCaptions | None

    @property
    def author(self) -> str:
        """Who wrote the true captions."""
        return "" if self.true is None else self.true.author


@dataclass(frozen=True, eq=False)
class _Of:
    """What came of one participant; no dependencies without pictures, no captions without a captioner."""

    found: Reconstructions
    scores: Sequence[Scored]
    dependencies: Dependencies | None
    captions: Captioned | None
    caption_scores: Sequence[Scored]


def reconstructed(
    folders: Sequence[Path], judged: Sequence[Judgement], options: argparse.Namespace, out: Path, progress: Progress
) -> Told:
    """Reconstruct what each model decodes; sheets are written into `out` too.

    Raises:
        InputError: no generator takes the models' embeddings, models that do not fit the data, or true captions that
            are damaged or not of every object.
    """
    encoders = {one.about.encoder for one in judged}
    if len(encoders) > 1:
        raise InputError(f"expected models of one encoder, got {', '.join(sorted(encoders))}; evaluate them apart")
    means = _means(options, encoders.pop())
    each = [_of(means, folder, one, options, progress) for folder, one in zip(folders, judged, strict=True)]
    pocket = [one.name for one in (means.generators.picture, means.generators.shape) if one is not None and one.pocket]
    marks = marks_of(any(one.found.simulated for one in each), pocket)
    sheets = _sheets(each, marks)
    _write(out, sheets)
    return Told(_fields(means, each, marks), sheets)


def _means(options: argparse.Namespace, encoder: str) -> _Means:
    config = load(options.config).reconstruction.generators()
    stimuli = Eeg3d(options.data)
    true = true_captions(stimuli)
    generators = open_generators(config, encoder)
    absent: dict[str, str] = {}
    measures = _measures(config, absent)
    if generators.shape is not None:
        measures = replace(measures, namers=_namers(stimuli, measures.extractors))
    texts = _texts(config, absent) if true is not None and config.captions else []
    segmenter = None
    if not stimuli.simulated:
        segmenter = _opened(SEGMENTS, lambda: open_segmenter(config), config.sam, absent)
    return _Means(generators, measures, texts, layers(FeaturesConfig.of(config)), segmenter, stimuli, true)


def _of(means: _Means, folder: Path, judged: Judgement, options: argparse.Namespace, progress: Progress) -> _Of:
    """Reconstruct, measure and caption what one model decodes."""
    generators, seed = means.generators, options.seed or 0
    found = _found(means, folder, judged, options, progress)
    measures = means.measures
    if found.simulated:
        measures = replace(measures, classifiers=(*measures.classifiers, Centres.builtin(PocketVision.load())))
    scores = scored(found, measures, options.permutations, seed, progress)
    told = None
    if generators.picture is not None:
        told = dependencies(found, means.layers, generators.picture, seed, progress, means.segmenter)
    if generators.caption is None:
        return _Of(found, scores, told, None, ())
    true = None if means.true is None else means.true.of(found.truth.items)
    captions = captioned(found, generators.caption, true, progress)
    return _Of(found, scores, told, captions, caption_scored(captions, means.texts))


def _found(
    means: _Means, folder: Path, judged: Judgement, options: argparse.Namespace, progress: Progress
) -> Reconstructions:
    (participant,) = judged.plan.participants
    trials = from_eeg3d(options.data, participant, options.encoder, options.weights)
    parts = parts_of(trials, "", 0)
    if means.true is not None:  # one that is missing is refused before anything takes long
        means.true.of([parts.test.items[item] for item in np.unique(parts.test.item)])
    sets = (parts.training, parts.selection, parts.test)
    return reconstruct(load_model(folder), *sets, means.stimuli, means.generators, options.seed or 0, progress)


def _fields(means: _Means, each: Sequence[_Of], marks: Sequence[str]) -> dict[str, Any]:
    pooled = over_participants([one.scores for one in each])
    unit = f"{len(each)} participants" if len(each) > 1 else "objects"
    generators = means.generators
    kinds = (("picture", generators.picture), ("mesh", generators.shape), ("caption", generators.caption))
    told = [one.dependencies for one in each if one.dependencies is not None]
    captions, of_captions = _captions(means, each, unit, marks)
    return {
        "tables": [
            *tables(pooled, unit, marks, not_made([one.found for one in each])),
            *captions,
            *(dependency_tables(told, marks, means.layers.name) if told else []),
        ],
        "verdict": verdict(pooled)[0],
        "colour": verdict(pooled)[1],
        "reconstructions": {
            "generators": {kind: one.name for kind, one in kinds if one is not None},
            "passed_over": dict(generators.passed_over),
            "not_measured": dict(means.measures.absent),
            "marks": list(marks),
            "participants": [one.found.participant for one in each],
            "scores": plain(pooled),
            "by_participant": {one.found.participant: plain(one.scores) for one in each},
            "not_made": {
                one.found.participant: {row.name: row.n_not_made for row in one.found.rows if row.clouds is not None}
                for one in each
            },
            "gains": {one.found.participant: one.found.gains for one in each},
            "certainties": {one.found.participant: one.found.certainties for one in each},
            "dependency": [dict(one.table()) for one in told],
            "averaged_over": [dict(one.averaged_over) for one in told],
            "captions": of_captions,
        },
        "warnings": [
            *(gains_line(one.found) for one in each),
            *not_shared({one.found.participant: one.scores for one in each}),
        ],
    }


def _captions(
    means: _Means, each: Sequence[_Of], unit: str, marks: Sequence[str]
) -> tuple[list[Table], dict[str, Any] | None]:
    """Tables, and what the report says of captions."""
    told = [one.captions for one in each if one.captions is not None]
    if not told:
        return [], None
    pooled = over_participants([one.caption_scores for one in each])
    fields = {
        "about": dict(about(told[0], means.author)),
        "scores": plain(pooled),
        "by_participant": {one.found.participant: plain(one.caption_scores) for one in each},
        "texts": {one.participant: texts_of(one) for one in told},
    }
    return caption_tables(told, pooled, means.author, unit, marks), fields


def _sheets(each: Sequence[_Of], marks: Sequence[str]) -> dict[str, Picture]:
    """A few objects of each participant."""
    sheets: dict[str, Picture] = {}
    for one in each:
        own = one.found
        some, title = evenly(len(own.truth.items)), f"participant {own.participant}, objects 08 and 09, mean EEG"
        if own.rows[0].pictures is not None:
            sheets[f"pictures, {own.participant}"] = picture_sheet(own, marks, some, f"Pictures: {title}")
        if own.rows[0].clouds is not None:
            sheets[f"shapes, {own.participant}"] = shape_sheet(own, marks, some, f"Shapes: {title}")
    for one in each:
        if one.dependencies is not None:
            title = f"Dependency: participant {one.found.participant}, objects 08 and 09, mean EEG"
            places = evenly(len(one.found.truth.items), 10)
            sheet = dependency_sheet(one.found, one.dependencies, marks, places, title)
            sheets[f"dependency, {one.found.participant}"] = sheet
    return sheets


def _write(out: Path, sheets: dict[str, Picture]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for name, sheet in sheets.items():
        Image.fromarray(sheet).save(out / f"{re.sub(r'[^0-9A-Za-z]+', '-', name)}.png", optimize=True)


def _measures(config: GeneratorsConfig, absent: dict[str, str]) -> Measures:
    """Every network whose weights are here, and why others are `absent`, which goes on to be filled."""
    told = FeaturesConfig.of(config)
    found = extractors(told)
    absent |= found.absent
    lpips = _opened("LPIPS", lambda: perceptual(told).distances, told.lpips, absent)
    judge = _opened(Swag.name, lambda: Swag.load(told.swag), told.swag, absent)
    named = [one for one in found.here if isinstance(one, InceptionV3)]
    pocket = Centres.builtin(PocketVision.load())
    return Measures(found.here, lpips, () if judge is None else (judge,), (*named, pocket), absent=absent)


def _namers(stimuli: Eeg3d, here: Sequence[Extractor]) -> tuple[Namer, ...]:
    """What names shapes by the pictures of the set's training objects: CLIP where it is here, the pocket encoder."""
    items = [item for item in stimuli.items if int(item.object) in TRAINING]
    pictures, categories = pictures_of(stimuli, items), [item.category for item in items]
    clip = [one for one in here if isinstance(one, ClipPictures)]
    named = [Namer.of(one.name, one, pictures, categories, PICTURE_PX) for one in clip]
    return (*named, Namer.of("pocket", PocketVision.load(), pictures, categories))


def _opened(name: str, opening: Callable[[], _T], configured: Path | None, absent: dict[str, str]) -> _T | None:
    """What `opening` gives; None where its weights are not here, and why among what is `absent`.

    Raises:
        InputError: what is not here is what was `configured`.
    """
    try:
        return opening()
    except InputError as why:
        if configured is not None:
            raise
        absent[name] = str(why)
        return None


def _texts(config: GeneratorsConfig, absent: dict[str, str]) -> list[TextEncoder]:
    """What compares the meanings of captions, as far as its weights are here, and why others are `absent`."""
    here: list[TextEncoder] = []
    for name, measure, configured in (
        ("sbert", "sentence likeness", config.sbert),
        ("clip-l", "CLIP-text likeness", config.clip),
    ):
        if _opened(measure, partial(require_here, part(name), config), configured, absent) is not None:
            from engines.text import ClipText, SentenceModel  # transformers takes seconds

            here.append(SentenceModel.load(configured) if name == "sbert" else ClipText.load(configured))
    return here
