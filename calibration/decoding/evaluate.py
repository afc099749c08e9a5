"""A trained decoder on objects it has never seen: every measure, in every view, beside chance and controls.

    single       one trial, as it happens live
    averaged     the mean EEG of all showings of an object, as in published tables
    as the turn unfolds: after the picture alone, after every half second of the turn, and the whole

Measures: `MEASURES` in docs/evaluation.md. Nothing is fitted here but one temperature, on the selection objects.

Thread: any, one at a time.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from calibration.decoding.controls import CONTROLS, Control
from calibration.decoding.fitted import Fitted, Predictions
from calibration.decoding.metrics import (
    Array,
    best_of_category,
    cosine,
    reliability,
    softmax,
)
from calibration.decoding.scores import N_PERMUTATIONS, Measure, Score, Shuffles, score, shuffles
from calibration.decoding.steps import Told, counted
from calibration.decoding.trials import Floats, Numbers, TrialSet
from calibration.stats import temperature_of, top_k_credit
from pipeline.anytime import Windows

SINGLE, AVERAGED = "single trials", "averaged trials"
N_COLOURS = 6


@dataclass(frozen=True)
class Row:
    """One score. `trials` SINGLE or AVERAGED; `seen_s` of the turn, None for the whole; `control` "" for none.

    `null` its values under permutation, where tables over participants need them.
    """

    trials: str
    seen_s: float | None
    control: str
    metric: str
    mean: float
    ci95: tuple[float, float]
    chance: float
    p: float | None
    n: int
    null: tuple[float, ...] = ()

    @property
    def key(self) -> tuple[str, float | None, str, str]:
        """What tables find it by."""
        return self.trials, self.seen_s, self.control, self.metric


@dataclass(frozen=True)
class Evaluation:
    """`rows`, and `confidence`: temperature and reliability of single trials, for the picture alone and the whole."""

    rows: tuple[Row, ...]
    confidence: Mapping[str, Any] = field(default_factory=dict)

    def row(self, trials: str, metric: str, seen_s: float | None = None, control: str = "") -> Row | None:
        """One of the rows; None where it was not taken."""
        wanted = (trials, seen_s, control, metric)
        return next((row for row in self.rows if row.key == wanted), None)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Evaluation":
        """The inverse of `to_dict`.

        Raises:
            TypeError, KeyError: values of another form.
        """
        rows = (Row(**{**row, "ci95": tuple(row["ci95"]), "null": tuple(row["null"])}) for row in values["rows"])
        return cls(tuple(rows), values["confidence"])


def evaluate(
    fitted: Fitted,
    selection: TrialSet,
    test: TrialSet,
    controls: Sequence[Control] = CONTROLS,
    n_permutations: int = N_PERMUTATIONS,
    seed: int = 0,
    progress: Told = lambda share, what: None,
    unfolding_s: Collection[float] | None = None,
) -> Evaluation:
    """Take every measure of a decoder on `test`; `selection` sets the temperature of its confidence.

    `unfolding_s` names the seconds of the turn after which it is asked too; None: wherever it answers live.

    Raises:
        InputError: other channels than it was trained on, or no trials.
    """
    views = [view for view in _views(test) if unfolding_s is None or view[0] in (None, 0.0, *unfolding_s)]
    item = np.unique(test.item, return_inverse=True)[1]
    single = shuffles(item, test.block, n_permutations, seed)
    averaged = Shuffles(np.arange(int(item.max()) + 1), single.to)
    told = counted(progress, 2 * len(views) + 2 * len(controls))
    rows: list[Row] = []
    for trials, shown, shuffled in ((SINGLE, test, single), (AVERAGED, test.averaged(), averaged)):
        for seen_s, n_dynamic in views:
            told(f"{trials}, {'whole turn' if seen_s is None else f'{seen_s:g} s of the turn'}")
            taken = measures(fitted.predict(shown, n_dynamic), shown)
            if seen_s not in (None, 0.0):
                taken = [one for one in taken if one.name in following(shown)]
            rows += [_row(trials, seen_s, "", score(one, shuffled)) for one in taken]
        for control in controls:
            told(f"{trials}, {control.name}")
            if control.applies(fitted):
                answers = control.predict(fitted, test, trials == AVERAGED, seed)
                taken = [one for one in measures(answers, shown) if one.name in following(shown)]
                again = Shuffles(np.tile(shuffled.item, control.times), shuffled.to)
                rows += [_row(trials, None, control.name, score(one, again)) for one in taken]
    return Evaluation(tuple(rows), confidence(fitted, selection, test))


def following(trials: TrialSet) -> tuple[str, ...]:
    """The measures that are followed as the turn unfolds and through the controls."""
    n = len(trials.categories)
    return f"{n}-way top-1", f"{n}-way top-5", "2-way top-1", "balanced colour top-1"


def measures(predictions: Predictions, trials: TrialSet) -> list[Measure]:
    """Everything that can be asked of the answers to `trials`; a measure that would be trivial is left out."""
    items, first = np.unique(trials.item, return_index=True)
    category, colour, number = (part[first] for part in (trials.category, trials.colour, trials.number))
    taken = list(_of_categories(predictions.category, category))
    if (colour >= 0).any():
        taken += _of_colours(predictions.colour, colour)
    similarity = cosine(predictions.embedding - predictions.centre, trials.targets[items] - predictions.centre)
    return taken + _of_pictures(similarity, category, number)


def _of_categories(logits: Floats, category: Numbers) -> list[Measure]:
    n = logits.shape[1]
    asked = ((n, 1), (n, 5), (10, 1), (2, 1))
    ways = dict.fromkeys((n_way, k) for n_way, k in asked if k < n_way <= n)
    return [Measure(f"{w}-way top-{k}", top_k_credit(logits, k, w), category, k / w) for w, k in ways]


def _of_colours(logits: Floats, colour: Numbers) -> list[Measure]:
    """Chance of the plain accuracy is what always naming the commonest colours would earn."""
    shares = np.sort(np.bincount(colour[colour >= 0], minlength=N_COLOURS) / np.count_nonzero(colour >= 0))[::-1]
    found = []
    for k in (1, 2):
        credit = top_k_credit(logits, k)
        found.append(Measure(f"colour top-{k}", credit, colour, float(shares[:k].sum())))
        found.append(Measure(f"balanced colour top-{k}", credit, colour, k / N_COLOURS, balanced=True))
    return found


def _of_pictures(similarity: Array, category: Numbers, number: Numbers) -> list[Measure]:
    """Retrieval among the unseen objects: the object, its category, and the category in Neuro-3D's form."""
    n, own = len(category), np.arange(len(category))
    found = [Measure(f"picture of {n} top-{k}", top_k_credit(similarity, k), own, k / n) for k in (1, 5) if k < n]
    if n > 2:
        found.append(Measure("picture 2-way top-1", top_k_credit(similarity, 1, 2), own, 0.5))
    found += _of_nearest("category of nearest picture", similarity, category, category)
    first = number == number.min()
    if len(np.unique(category[first])) == len(np.unique(category)):
        name = f"category in gallery of objects {number.min():02d}"
        found += _of_nearest(name, similarity[:, first], category[first], category)
    return found


def _of_nearest(name: str, similarity: Array, gallery: Numbers, category: Numbers) -> list[Measure]:
    """Each category as near as the nearest of its pictures in the gallery."""
    place = np.unique(category, return_inverse=True)[1]
    n = int(place.max()) + 1
    even = len(set(np.unique(gallery, return_counts=True)[1])) == 1
    nearest = best_of_category(similarity, gallery)
    ways = [k for k in (1, 5) if k < n]
    return [Measure(f"{name} top-{k}", top_k_credit(nearest, k), place, k / n if even else None) for k in ways]


def confidence(fitted: Fitted, selection: TrialSet, test: TrialSet) -> dict[str, Any]:
    """Temperature chosen on `selection`, and reliability on `test` with and without it, for single trials."""
    found = {}
    for name, n_dynamic in (("picture alone", 0), ("whole turn", None)):
        chosen_on = fitted.predict(selection, n_dynamic).category.astype(np.float64)
        temperature = temperature_of(chosen_on, selection.category)
        logits = fitted.predict(test, n_dynamic).category
        found[name] = {
            "temperature": temperature,
            "as trained": asdict(reliability(softmax(logits), test.category)),
            "with temperature": asdict(reliability(softmax(logits, temperature), test.category)),
        }
    return found


def _views(trials: TrialSet) -> list[tuple[float | None, int | None]]:
    """Seconds of the turn seen, and samples of it, as answers come live; the whole is None."""
    windows, whole = Windows(), trials.dynamic.shape[2]
    partial = [(windows.seen_s(n), n) for n in windows.steps if n < whole]
    return [(0.0, 0), *partial, (None, None)]


def _row(trials: str, seen_s: float | None, control: str, taken: Score) -> Row:
    """Permutations are kept of the whole turn alone: they are most of a file."""
    null = tuple(round(float(value), 4) for value in taken.null) if seen_s is None else ()
    return Row(trials, seen_s, control, taken.metric, taken.mean, taken.ci95, taken.chance, taken.p, taken.n, null)
