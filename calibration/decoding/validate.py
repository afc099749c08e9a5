"""How well a calibrated decoder answers on the trials that judge it, as the turn unfolds, and how sure it may be.

Temperatures come from the selection objects; accuracy, intervals, permutations and reliability from the validation
objects alone. Beside the chosen system stand the linear floor of the same embeddings, and a linear discriminant of the
picture's window that knows nothing of embeddings.

Thread: any.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calibration.baselines import BASELINE, fit_evoked, metrics_of
from calibration.candidates import class_means, discriminants
from calibration.decoding.fitted import Fitted, FittedRidge
from calibration.decoding.metrics import reliability, softmax
from calibration.decoding.restore import Restore, StagedRestore
from calibration.decoding.scores import Measure, Score, Shuffles, score, shuffles
from calibration.decoding.splits import Split
from calibration.decoding.subject import Temperatures
from calibration.decoding.trials import TrialSet
from calibration.stats import confusion, temperature_of, top_k_credit
from calibration.store import ValidationRow
from pipeline.anytime import Windows
from pipeline.types import Array

METRIC = "balanced accuracy"
FLOOR = "linear map to embeddings"
PICTURE_ALONE, WHOLE_TURN = "picture alone", "whole turn"
BIN_S = 0.05

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Validation:
    """`rows` the chosen system first; `by_stage` its accuracy as the turn unfolds; `confusion` of the whole turn."""

    rows: tuple[ValidationRow, ...]
    by_stage: tuple[Mapping[str, Any], ...]
    confusion: NDArray[np.int64]
    reliability: Mapping[str, Mapping[str, Any]]


def temperatures(fitted: Fitted, selection: TrialSet, windows: Windows) -> Temperatures:
    """For the picture alone and every step of the turn, on the selection trials; colour where it is known."""
    steps = (0, *windows.steps)
    known = selection.colour >= 0
    found = []
    for n in steps:
        said = fitted.predict(selection, n)
        category = temperature_of(said.category.astype(np.float64), selection.category)
        colour = temperature_of(said.colour[known].astype(np.float64), selection.colour[known]) if known.any() else 1.0
        found.append((category, colour))
    category_t, colour_t = zip(*found, strict=True)
    return Temperatures(n_dynamic=steps, category=category_t, colour=colour_t)


def restoring(fitted: Fitted, selection: TrialSet, windows: Windows) -> StagedRestore:
    """How embeddings are lengthened after the picture alone and every step of the turn, on the selection trials."""
    stages = {}
    for n in (0, *windows.steps):
        said = fitted.predict(selection, n)
        stages[n] = Restore.fit(said.embedding, selection.targets[selection.item], said.centre)
    return StagedRestore.of_stages(stages)


def validate(
    name: str,
    fitted: Fitted,
    floor: FittedRidge,
    split: Split,
    windows: Windows,
    sfreq_hz: float,
    softened: Temperatures,
    n_permutations: int,
    seed: int = 0,
    progress: Progress = lambda share, text: None,
) -> Validation:
    """Every row, the curve, and the reliability, on the validation trials."""
    judge = _Judge(split, n_permutations, seed)
    trials, steps = split.validation, (0, *windows.steps)
    logits: dict[int, NDArray[np.float32]] = {}
    for done, n in enumerate(steps):
        progress(done / len(steps), f"validating, {windows.seen_s(n):g} s of the turn")
        logits[n] = fitted.predict(trials, n).category
    linear = linear_scores(split, windows, sfreq_hz)
    rows = (
        judge.row(name, WHOLE_TURN, logits[windows.n_dynamic]),
        judge.row(name, PICTURE_ALONE, logits[0]),
        judge.row(FLOOR, WHOLE_TURN, floor.predict(trials).category),
        judge.row(FLOOR, PICTURE_ALONE, floor.predict(trials, 0).category),
        judge.row(BASELINE, PICTURE_ALONE, linear),
    )
    answers = logits[windows.n_dynamic].argmax(axis=1)
    return Validation(
        rows,
        tuple(judge.stage(windows, n, logits[n]) for n in steps),
        confusion(trials.category, answers, len(trials.categories)),
        {
            text: asdict(reliability(softmax(logits[n], softened.of(n)[0]), trials.category))
            for text, n in ((PICTURE_ALONE, 0), (WHOLE_TURN, windows.n_dynamic))
        },
    )


class _Judge:
    """Scores of answers to the validation trials: items are permuted and resampled where objects tell, else trials."""

    def __init__(self, split: Split, n_permutations: int, seed: int) -> None:
        trials = split.validation
        own = trials.item if split.by == "objects" else np.arange(len(trials))
        item, first = np.unique(own, return_index=True)
        self._number = np.searchsorted(item, own)
        self._truth = trials.category[first]
        self._scheme, self._n_classes = split.scheme, len(trials.categories)
        self._shuffles = shuffles(self._number, trials.block, n_permutations, seed)
        self._none = Shuffles(self._number, self._shuffles.to[:0])

    def row(self, system: str, seen: str, logits: NDArray[Any]) -> ValidationRow:
        """One line of the report."""
        found = self._score(logits, self._shuffles)
        return ValidationRow(
            system=system,
            scheme=f"{seen}, {self._scheme}",
            metric=METRIC,
            mean=found.mean,
            ci95=found.ci95,
            chance=found.chance,
            p_permutation=found.p,
            n=found.n,
        )

    def stage(self, windows: Windows, n_dynamic: int, logits: NDArray[Any]) -> dict[str, Any]:
        """One point of the curve, as a live report has it."""
        found = self._score(logits, self._none)
        whole = n_dynamic == windows.n_dynamic
        return {
            "stage": "fused" if whole else "refined" if n_dynamic else "static",
            "n_dynamic": n_dynamic,
            "seen_s": windows.seen_s(n_dynamic),
            "mean": found.mean,
            "ci95": list(found.ci95),
            "chance": found.chance,
            "n": found.n,
        }

    def _score(self, logits: NDArray[Any], shuffled: Shuffles) -> Score:
        credit = top_k_credit(logits, 1)
        return score(Measure(METRIC, credit, self._truth, 1 / self._n_classes, balanced=True), shuffled)


def linear_scores(split: Split, windows: Windows, sfreq_hz: float) -> Array:
    """Discriminants (n, K) of the validation pictures by a shrunk discriminant taught by all other trials."""
    static = np.concatenate([split.training.static, split.selection.static]).astype(np.float64)
    labels = np.concatenate([split.training.category, split.selection.category])
    features = fit_evoked(BIN_S)(static, sfreq_hz, windows.static)
    trained = features(static)
    metric = metrics_of(trained, (None,))[0]
    means = class_means(metric(trained), np.ones(len(labels)), labels[None], len(split.training.categories))
    scores: Array = discriminants(means, metric(features(split.validation.static.astype(np.float64))))[0]
    return scores
