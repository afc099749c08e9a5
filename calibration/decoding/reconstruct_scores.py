"""The table of reconstructions: every row of `reconstruct.py` by every measure, with intervals.

Pictures: PSNR, SSIM, pixel correlation, two-way identification by features; all together the Frechet distance from
what was seen, and the inception score. Shapes: Chamfer distances and F-scores, as they came and aligned, and
identification of a rendered view. What has no number has no row.

Intervals are over items for one participant, over participants for several; a number of all pictures together has none
for one. p of an identification is by permutation of which item each reconstruction belongs to.

Thread: the one that called; renders.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.special import softmax

from calibration.decoding.reconstruct import Made, Reconstructions, Truth
from calibration.decoding.scores import Measure, interval, mean_interval, score, shuffles
from calibration.metrics.distances import feature_distance, frechet_distance, inception_score
from calibration.metrics.features import DISTANCE_BY, IDENTIFIED_BY, Extractor
from calibration.metrics.generation import N_WAY, Classifier, generation_credit
from calibration.metrics.identification import n_way_credit
from calibration.metrics.pictures import pixel_correlation, psnr, ssim
from calibration.metrics.shapes import THRESHOLDS, aligned, compared
from calibration.stats import permutation_p
from calibration.surface_view import SurfaceRenderer, surface_of_points
from engines.vision.base import Floats, Pictures
from pipeline.types import Array

AS_MADE, ALIGNED = "as made", "aligned"
CHAMFER = ("Chamfer", "Chamfer L1")
DISTANCE, ACCURACY, LPIPS = "distance", "GA", "LPIPS"
FRECHET, INCEPTION = "FID", "IS"
FRECHET_BY = ("Inception", "pocket")
"""Levels in which all pictures together are compared with all that were seen."""
VIEW_PX = 96
WAYS = ((2, 1), (10, 3))
"""Of the identification of shapes: among how many, within the first how many (as Neuro-3D reports)."""

Progress = Callable[[float, str], None]


@dataclass(frozen=True, eq=False)
class Measures:
    """What looks at pictures: networks, LPIPS as a function of truths and pictures made, and who names them.

    `classifiers` judge generation accuracy, `scored_by` the inception score. `absent` are networks that are not here,
    and what to do about it.
    """

    extractors: Sequence[Extractor]
    lpips: Callable[[Pictures, Pictures], Array] | None = None
    classifiers: Sequence[Classifier] = ()
    scored_by: Sequence[Classifier] = ()
    absent: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Scored:
    """One number of the table. `row` as in `reconstruct.ROWS`; `null` its values under permutation.

    `ci95` is None where there is one number of all items; `caution` is to be said beside it.
    """

    row: str
    metric: str
    mean: float
    ci95: tuple[float, float] | None
    chance: float | None
    p: float | None
    n: int
    null: tuple[float, ...] = ()
    caution: str = ""


def scored(
    found: Reconstructions,
    measures: Measures,
    n_permutations: int = 999,
    seed: int = 0,
    progress: Progress = lambda share, what: None,
) -> tuple[Scored, ...]:
    """Every measure of every row of one participant."""
    judge = _Judge(found.truth, measures, n_permutations, seed)
    table: list[Scored] = []
    for number, made in enumerate(found.rows):
        progress(number / len(found.rows), f"measuring: {made.name}")
        table += judge.pictures(made)
        table += judge.shapes(made)
    return tuple(table)


def over_participants(tables: Sequence[Sequence[Scored]]) -> tuple[Scored, ...]:
    """The mean over participants of each number that all have, and Student's interval over them; one stays as it is."""
    if len(tables) == 1:
        return tuple(tables[0])
    known = [{(one.row, one.metric): one for one in table} for table in tables]
    shared = [key for key in known[0] if all(key in other for other in known)]
    return tuple(_pooled([table[key] for table in known]) for key in shared)


def _pooled(cells: Sequence[Scored]) -> Scored:
    means = [cell.mean for cell in cells]
    mean, first = float(np.mean(means)), cells[0]
    null = np.mean([cell.null for cell in cells], axis=0) if first.null else np.zeros(0)
    p = permutation_p(mean, null) if len(null) else None
    n = sum(cell.n for cell in cells)
    ci95 = mean_interval(means)
    return Scored(first.row, first.metric, mean, ci95, first.chance, p, n, tuple(null.tolist()), first.caution)


class _Judge:
    """Keeps the truth's features and views, so that they are taken once."""

    def __init__(self, truth: Truth, measures: Measures, n_permutations: int, seed: int) -> None:
        self._truth = truth
        self._measures = measures
        self._labels = [(one, one.logits(truth.pictures)) for one in measures.classifiers]
        self._own = np.arange(len(truth.items))
        self._shuffles = shuffles(self._own, np.zeros(len(self._own), np.int64), n_permutations, seed)
        self._features = self._of(truth.pictures)
        self._views: dict[str, Floats] | None = None

    def pictures(self, made: Made) -> list[Scored]:
        """Of a row's pictures."""
        if made.pictures is None:
            return []
        pairs = self._truth.pictures, made.pictures
        values = {"PSNR": psnr(*pairs), "SSIM": ssim(*pairs), "PixCorr": pixel_correlation(*pairs)}
        if self._measures.lpips is not None:
            values[LPIPS] = self._measures.lpips(*pairs)
        found = [valued(made.name, name, some) for name, some in values.items()]
        features = self._of(made.pictures)
        for name, own in self._features.items():
            if name in IDENTIFIED_BY:
                found.append(self._identified(made.name, f"2-way {name}", own, features[name], 2, 1))
            if name in DISTANCE_BY:
                found.append(valued(made.name, f"{DISTANCE} {name}", feature_distance(own, features[name])))
        for classifier, labels in self._labels:
            name = f"{ACCURACY} {N_WAY}-way, {classifier.name}"
            earned = generation_credit(labels, classifier.logits(made.pictures))
            ci95 = interval(earned, self._own, np.zeros_like(self._own))
            found.append(Scored(made.name, name, float(earned.mean()), ci95, 1 / N_WAY, None, len(earned)))
        return [*found, *self._together(made.name, made.pictures, features)]

    def _together(self, row: str, pictures: Pictures, features: Mapping[str, Floats]) -> Iterator[Scored]:
        """Of all pictures of a row at once."""
        for name, own in self._features.items():
            if name in FRECHET_BY:
                apart = frechet_distance(own, features[name])
                yield Scored(row, f"{FRECHET} {name}", apart.value, None, None, None, apart.n, (), apart.caution)
        for one in self._measures.scored_by:
            probabilities = softmax(one.logits(pictures).astype(np.float64), axis=1)
            score, _ = inception_score(probabilities, n_splits=1)
            name = "pocket" if one.pocket else one.name
            yield Scored(row, f"{INCEPTION} {name}", score, None, None, None, len(pictures))

    def shapes(self, made: Made) -> list[Scored]:
        """Of a row's shapes. One that was not made scores as the row's worst did, and is not left out."""
        truth = self._truth.clouds
        if made.clouds is None or truth is None:
            return []
        found: list[Scored] = []
        for how in (AS_MADE, ALIGNED):
            rows = [_compared(own, cloud, how) for own, cloud in zip(truth, made.clouds, strict=True)]
            known = np.array([row for row in rows if row is not None])
            if not len(known):
                return found
            worst = np.concatenate([known[:, :2].max(axis=0), known[:, 2:].min(axis=0)])
            values = np.array([worst if row is None else row for row in rows])
            for name, column in zip(_SHAPE_METRICS, values.T, strict=True):
                found.append(valued(made.name, f"{name}, {how}", column))
        return found + self._seen(made)

    def _seen(self, made: Made) -> list[Scored]:
        if self._views is None:
            self._views = self._of(_views(self._truth.clouds or ()))
        features = self._of(_views(made.clouds or ()))
        n = len(self._own)
        return [
            self._identified(made.name, f"shape {way}-way top-{k} {name}", own, features[name], way, k)
            for name, own in self._views.items()
            for way, k in WAYS
            if k < way <= n and name in _WHOLE
        ]

    def _of(self, pictures: Pictures) -> dict[str, Floats]:
        found: dict[str, Floats] = {}
        for extractor in self._measures.extractors:
            found |= extractor.features(pictures)
        return found

    def _identified(self, row: str, metric: str, truth: Floats, made: Floats, n_way: int, k: int) -> Scored:
        credit = n_way_credit(truth, made, n_way, k)
        taken = score(Measure(metric, credit, self._own, k / n_way), self._shuffles)
        null = tuple(round(float(value), 4) for value in taken.null)
        return Scored(row, metric, taken.mean, taken.ci95, taken.chance, taken.p, taken.n, null)


_SHAPE_METRICS = (*CHAMFER, *(f"F {threshold:g}" for threshold in THRESHOLDS))
# What says of a view what it shows: shapes are identified by it.
_WHOLE = ("pocket", "CLIP")


def _compared(truth: Array, made: Array | None, how: str) -> Array | None:
    if made is None:
        return None
    found = compared(truth, aligned(made, truth) if how == ALIGNED else made)
    return np.array([found.chamfer, found.chamfer_l1, *found.f_scores])


def _views(clouds: Sequence[Array | None]) -> Pictures:
    """Each cloud as grey dots from the same side; nothing but the ground where there is none."""
    with SurfaceRenderer(VIEW_PX) as renderer:
        empty = renderer.ground()
        return np.stack([empty if one is None else renderer.picture(surface_of_points(one)) for one in clouds])


def valued(row: str, metric: str, values: Array) -> Scored:
    """The mean of a number of each item, and Student's interval over them."""
    finite = values[np.isfinite(values)]
    return Scored(row, metric, float(finite.mean()), mean_interval(finite.tolist()), None, None, len(finite))


def plain(table: Sequence[Scored]) -> list[dict[str, Any]]:
    """For JSON, without the permutations."""
    return [{name: value for name, value in vars(one).items() if name != "null"} for one in table]
