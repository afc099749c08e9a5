"""The table of reconstructions: every row of `reconstruct.py` by every measure, with intervals.

Pictures: PSNR, SSIM, pixel correlation, two-way identification by features, generation accuracy; all together the
Frechet distance from what was seen, and the inception score. Shapes: Chamfer distances and F-scores, as they came and
aligned, and which category they look like from four sides. What has no number has no row.

Intervals are over items for one participant, over participants for several; a number of all pictures together has none
for one. p of identifications and of what shapes look like is by permutation of which item each reconstruction is of.

Thread: the one that called; renders.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.special import softmax

from calibration.decoding.reconstruct import SEEN, Reconstructions, TableRow
from calibration.decoding.reconstruct_truth import Surfaces, Truth
from calibration.decoding.scores import Measure, interval, mean_interval, score, shuffles
from calibration.decoding.scores import over_participants as accuracy_over
from calibration.decoding.trials import Numbers
from calibration.metrics.distances import feature_distance, frechet_distance, inception_score
from calibration.metrics.features import DISTANCE_BY, IDENTIFIED_BY, Extractor
from calibration.metrics.generation import N_REPEATS, N_WAY, Classifier, drawn_accuracies, generation_credit
from calibration.metrics.identification import n_way_credit
from calibration.metrics.looks import WAYS, Namer, credit_of
from calibration.metrics.pictures import pixel_correlation, psnr, ssim
from calibration.metrics.shapes import THRESHOLDS, aligned, compared
from calibration.stats import permutation_p
from engines.vision.base import Floats, Pictures
from pipeline.types import Array

AS_MADE, ALIGNED = "as made", "aligned"
CHAMFER = ("Chamfer", "Chamfer L1")
DISTANCE, ACCURACY, LPIPS = "distance", "GA", "LPIPS"
FRECHET, INCEPTION = "FID", "IS"
FRECHET_BY = ("Inception", "pocket")
"""Levels in which all pictures together are compared with all that were seen."""
LOOKS, DRAWN = "3D", f"{N_REPEATS} repeats"

Progress = Callable[[float, str], None]


@dataclass(frozen=True, eq=False)
class Measures:
    """What looks at pictures: networks, LPIPS as a function of truths and pictures made, and who names them.

    `classifiers` judge generation accuracy, `scored_by` the inception score, `namers` what shapes look like. `absent`
    are networks that are not here, and what to do about it.
    """

    extractors: Sequence[Extractor]
    lpips: Callable[[Pictures, Pictures], Array] | None = None
    classifiers: Sequence[Classifier] = ()
    scored_by: Sequence[Classifier] = ()
    namers: Sequence[Namer] = ()
    absent: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Scored:
    """One number of the table. `row` as in `reconstruct.ROWS`, or `SEEN`; `null` its values under permutation.

    `ci95` is None where there is one number of all items; `draws` are those that a `mean` is of, where a measure draws;
    `caution` is to be said beside it.
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
    draws: tuple[float, ...] = ()

    @property
    def spread(self) -> float | None:
        """Standard deviation over the draws."""
        return float(np.std(self.draws, ddof=1)) if self.draws else None


def scored(
    found: Reconstructions,
    measures: Measures,
    n_permutations: int = 999,
    seed: int = 0,
    progress: Progress = lambda share, what: None,
) -> tuple[Scored, ...]:
    """Every measure of every row of one participant."""
    judge = _Judge(found.truth, measures, n_permutations, seed)
    table: list[Scored] = judge.looks(SEEN, found.truth.surfaces)
    for number, row in enumerate(found.rows):
        progress(number / len(found.rows), f"measuring: {row.name}")
        table += judge.pictures(row)
        table += judge.shapes(row)
        table += judge.looks(row.name, row.surfaces)
    return tuple(table)


def over_participants(tables: Sequence[Sequence[Scored]]) -> tuple[Scored, ...]:
    """The mean over participants of each number that all have, and Student's interval over them; one stays as it is."""
    if len(tables) == 1:
        return tuple(tables[0])
    known = [{(one.row, one.metric): one for one in table} for table in tables]
    shared = [key for key in known[0] if all(key in other for other in known)]
    return tuple(_pooled([table[key] for table in known]) for key in shared)


def not_shared(tables: Mapping[str, Sequence[Scored]]) -> list[str]:
    """What `over_participants` leaves out of these, by participant, since another has no such number."""
    known = {who: {(one.row, one.metric) for one in table} for who, table in tables.items()}
    every = dict.fromkeys((one.row, one.metric) for table in tables.values() for one in table)
    said: dict[tuple[str, str], list[str]] = {}
    for row, metric in every:
        without = [who for who, keys in known.items() if (row, metric) not in keys]
        if without:
            said.setdefault((row, ", ".join(without)), []).append(metric)
    return [
        f"not in the tables over participants: {', '.join(metrics)} of {row!r}, which {who} lacks"
        for (row, who), metrics in said.items()
    ]


def _pooled(cells: Sequence[Scored]) -> Scored:
    means = [cell.mean for cell in cells]
    mean, first = float(np.mean(means)), cells[0]
    null = np.mean([cell.null for cell in cells], axis=0) if first.null else np.zeros(0)
    p = permutation_p(mean, null) if len(null) else None
    # What has a chance is a share, and its interval ends at 0 and 1.
    ci95 = mean_interval(means) if first.chance is None else accuracy_over(means)
    draws = tuple(np.mean([cell.draws for cell in cells], axis=0).tolist()) if first.draws else ()
    caution = "; ".join(dict.fromkeys(cell.caution for cell in cells if cell.caution))
    n = sum(cell.n for cell in cells)
    return Scored(first.row, first.metric, mean, ci95, first.chance, p, n, tuple(null.tolist()), caution, draws)


class _Judge:
    """Keeps the truth's features, so that they are taken once."""

    def __init__(self, truth: Truth, measures: Measures, n_permutations: int, seed: int) -> None:
        self._truth = truth
        self._measures = measures
        self._labels = [(one, one.logits(truth.pictures)) for one in measures.classifiers]
        self._own = np.arange(len(truth.items))
        self._shuffles = shuffles(self._own, np.zeros(len(self._own), np.int64), n_permutations, seed)
        self._seed = seed
        self._features = self._of(truth.pictures)

    def pictures(self, made: TableRow) -> list[Scored]:
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
            found += self._accuracies(made.name, classifier, labels, classifier.logits(made.pictures))
        return [*found, *self._together(made.name, made.pictures, features)]

    def _accuracies(self, row: str, classifier: Classifier, truth: Floats, made: Floats) -> list[Scored]:
        """Generation accuracy: the mean over all draws of other classes, and over as many as are published."""
        name, n = f"{ACCURACY} {N_WAY}-way, {classifier.name}", len(made)
        earned = generation_credit(truth, made)
        ci95 = interval(earned, self._own, np.zeros_like(self._own))
        draws = drawn_accuracies(truth, made, seed=self._seed)
        return [
            Scored(row, name, float(earned.mean()), ci95, 1 / N_WAY, None, n),
            Scored(row, f"{name}, {DRAWN}", float(draws.mean()), None, 1 / N_WAY, None, n, draws=tuple(draws.tolist())),
        ]

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

    def shapes(self, made: TableRow) -> list[Scored]:
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
        return found

    def looks(self, row: str, surfaces: Surfaces | None) -> list[Scored]:
        """As what they are named from four sides, the seen category right. What was not made is named as nothing."""
        found: list[Scored] = []
        for namer in self._measures.namers if surfaces is not None else ():
            known = {name: number for number, name in enumerate(namer.categories)}
            seen = np.array([known.get(item.category, -1) for item in self._truth.items], dtype=np.int64)
            values = namer.values(surfaces or ())
            for way, k in WAYS:
                if k < way <= len(known) and (seen >= 0).any():
                    metric = f"{LOOKS} {way}-way top-{k} {namer.name}"
                    found.append(self._taken(row, metric, credit_of(values, way, k), seen, k / way))
        return found

    def _of(self, pictures: Pictures) -> dict[str, Floats]:
        found: dict[str, Floats] = {}
        for extractor in self._measures.extractors:
            found |= extractor.features(pictures)
        return found

    def _identified(self, row: str, metric: str, truth: Floats, made: Floats, n_way: int, k: int) -> Scored:
        return self._taken(row, metric, n_way_credit(truth, made, n_way, k), self._own, k / n_way)

    def _taken(self, row: str, metric: str, credit: Array, truth: Numbers, chance: float) -> Scored:
        taken = score(Measure(metric, credit, truth, chance), self._shuffles)
        null = tuple(round(float(value), 4) for value in taken.null)
        return Scored(row, metric, taken.mean, taken.ci95, taken.chance, taken.p, taken.n, null)


_SHAPE_METRICS = (*CHAMFER, *(f"F {threshold:g}" for threshold in THRESHOLDS))


def _compared(truth: Array, made: Array | None, how: str) -> Array | None:
    if made is None:
        return None
    found = compared(truth, aligned(made, truth) if how == ALIGNED else made)
    return np.array([found.chamfer, found.chamfer_l1, *found.f_scores])


def valued(row: str, metric: str, values: Array) -> Scored:
    """The mean of a number of each item, and Student's interval over them, of two or more."""
    finite = values[np.isfinite(values)]
    ci95 = mean_interval(finite.tolist()) if len(finite) > 1 else None
    return Scored(row, metric, float(finite.mean()), ci95, None, None, len(finite))


def plain(table: Sequence[Scored]) -> list[dict[str, Any]]:
    """For JSON, without permutations and draws."""
    told = ("row", "metric", "mean", "ci95", "spread", "chance", "p", "n", "caution")
    return [{name: getattr(one, name) for name in told} for one in table]
