"""An honest answer to "how well does this decode": nested, blocked, purged, and tested by permutation.

Every outer fold holds out one block of trials. Inside the rest, an inner cross-validation over the remaining blocks
chooses the system and its penalty; the winner, fitted on the whole rest, answers the held-out trials. Nothing has seen
them: not the whitening, not the bad channels, not the choice (Varoquaux et al. 2017, NeuroImage 145).

A permutation repeats all of this, choice included, on labels shuffled within blocks. Features and metrics are free of
labels (`calibration/baselines.py`), so a refit is a product with the shuffled labels.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from calibration.baselines import BASELINE, System
from calibration.candidates import Answers, Candidate, Problem, answers_of, fit_final, system_answers, trainable
from calibration.datasets.recording import EpochSet, matched
from calibration.folds import Design, Fold, blocks_of, design_of, design_warnings, folds
from calibration.stats import balanced_accuracy, balanced_interval, confusion, permutation_p, permuted
from engines.errors import InputError
from engines.models.linear import Array, LinearModel

Labels = NDArray[np.int64]
Progress = Callable[[float, str], None]

METRIC = "balanced accuracy"


def silent(share: float, text: str) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True)
class Row:
    """One line of a report's `validation`: a system's held-out balanced accuracy over `n` trials.

    `answers` (n,) is what it said of each while held out, in the order of the design.
    """

    system: str
    scheme: str
    mean: float
    ci95: tuple[float, float]
    chance: float
    p_permutation: float | None
    n: int
    metric: str = METRIC
    answers: Labels = field(default_factory=lambda: np.empty(0, dtype=np.int64), repr=False, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """The fields of the report."""
        return {
            "system": self.system,
            "scheme": self.scheme,
            "metric": self.metric,
            "mean": self.mean,
            "ci95": list(self.ci95),
            "chance": self.chance,
            "p_permutation": self.p_permutation,
            "n": self.n,
        }


@dataclass(frozen=True)
class Evaluation:
    """The chosen system, fitted on everything, and what it did on held-out trials.

    `rows`: the chosen system first; `confusion` (n_classes, n_classes) of its held-out trials, row true.
    """

    system: System
    model: LinearModel
    window: str
    rows: tuple[Row, ...]
    confusion: Labels
    n_trials: int
    warnings: tuple[str, ...]


def evaluate(
    sets: Mapping[str, EpochSet],
    systems: Sequence[System],
    system: str = "auto",
    *,
    n_permutations: int = 199,
    seed: int = 0,
    progress: Progress = silent,
) -> Evaluation:
    """Choose, validate and fit.

    `sets` holds the epochs of each window that a system asks for (systems without theirs are left out); `system` is
    "auto" or a name. `progress` hears the share done and what is being done.

    Raises:
        InputError: no such system, or too few trials to hold any out.
    """
    sets = matched(sets)
    usable = _usable(systems, sets, system)
    design = design_for(sets, usable[0].window)
    rarest = int(np.bincount(design.trial_labels, minlength=design.n_classes).min())
    if system == "auto":
        usable = tuple(s for s in usable if rarest >= s.min_trials)
    blocks = blocks_of(design)
    labellings = np.vstack([design.trial_labels, permuted(design.trial_labels, blocks, n_permutations, seed)])
    problem = Problem(sets, usable, design, labellings)
    # Small products: threads of the linear algebra library cost more than they give, and ruin a busy machine.
    with threadpool_limits(limits=1):
        if _cannot_hold_out(design, blocks):
            return _untrained(problem, system)
        return _nested(problem, blocks, system, progress)


def _usable(systems: Sequence[System], sets: Mapping[str, EpochSet], system: str) -> tuple[System, ...]:
    usable = tuple(s for s in systems if s.window in sets)
    names = [s.name for s in usable]
    if system != "auto" and system not in names:
        raise InputError(f"expected a system among auto, {', '.join(names)}; got {system!r}")
    return usable if system == "auto" else tuple(s for s in usable if s.name in (system, BASELINE))


def design_for(sets: Mapping[str, EpochSet], window: str) -> Design:
    """The design behind sets of matched epochs; folds keep a distance of the longest window.

    Raises:
        InputError: see `design_of`.
    """
    epochs = sets[window]
    length_s = max(s.epoch.tmax_s - s.epoch.tmin_s for s in sets.values())
    return design_of(epochs.labels, epochs.onset_s, epochs.file, length_s, epochs.classes, epochs.begun)


def _cannot_hold_out(design: Design, blocks: Labels) -> bool:
    counts = np.bincount(design.trial_labels, minlength=design.n_classes)
    return counts.min() < 2 or len(np.unique(blocks)) < 2


def _nested(problem: Problem, blocks: Labels, system: str, progress: Progress) -> Evaluation:
    """The outer folds, then the report."""
    outer, chosen_inside = [], []
    families = _families(problem, system)
    needs_choice = any(len(members) > 1 for members in families.values())
    all_folds = list(folds(problem.design, blocks))
    for number, fold in enumerate(all_folds):
        told = _part_of(progress, number, len(all_folds))
        told(0.0)
        outer.append(answers_of(problem, fold))
        inner = _inner_accuracy(problem, blocks, fold, told) if needs_choice else None
        chosen_inside.append({name: _choose(members, inner) for name, members in families.items()})
    progress(1.0, "fitting on all trials")
    return _report(problem, blocks, families, outer, chosen_inside, system)


def _part_of(progress: Progress, number: int, n_folds: int) -> Callable[[float], None]:
    """Progress within one outer fold as progress of the whole."""
    return lambda share: progress((number + share) / n_folds, f"fold {number + 1} of {n_folds}")


def _families(problem: Problem, system: str) -> dict[str, list[int]]:
    """Candidates by the name of the row they stand for, the chosen one first."""
    members: dict[str, list[int]] = {"auto": list(range(len(problem.candidates)))} if system == "auto" else {system: []}
    for index, candidate in enumerate(problem.candidates):
        members.setdefault(candidate.system.name, []).append(index)
    return members


def _choose(members: list[int], inner: Array | None) -> Labels:
    """The best member under each labelling; the simplest on a tie."""
    if inner is None or len(members) == 1:
        return np.array([members[0]])
    best: Labels = np.asarray(members)[np.argmax(inner[members], axis=0)]
    return best


def _inner_accuracy(problem: Problem, blocks: Labels, fold: Fold, told: Callable[[float], None]) -> Array:
    """Balanced accuracy (n_candidates, n_labellings) within the training trials of an outer fold."""
    inner = [f for f in folds(problem.design, blocks, fold.train) if trainable(problem, f)]
    parts = []
    for number, one in enumerate(inner):
        told((number + 1) / (len(inner) + 1))
        parts.append(answers_of(problem, one))
    if not parts:
        return np.zeros((len(problem.candidates), len(problem.labellings)))
    answers = np.concatenate([p.answers for p in parts], axis=2)
    truth = problem.labellings[:, np.concatenate([p.trials for p in parts])]
    return np.stack([_accuracies(truth, one, problem.design.n_classes) for one in answers])


def _accuracies(truth: Labels, answers: Labels, n_classes: int) -> Array:
    """Balanced accuracy of each labelling, (n_labellings, n_trials) twice to (n_labellings,)."""
    hits = truth == answers
    of_class = [truth == c for c in range(n_classes)]
    with np.errstate(invalid="ignore"):
        shares = [np.sum(hits & one, axis=1) / np.sum(one, axis=1) for one in of_class]
    means: Array = np.nanmean(shares, axis=0)
    return means


def _report(
    problem: Problem,
    blocks: Labels,
    families: Mapping[str, list[int]],
    outer: Sequence[Answers],
    chosen_inside: Sequence[Mapping[str, Labels]],
    system: str,
) -> Evaluation:
    trials = np.concatenate([a.trials for a in outer])
    truth = problem.labellings[:, trials]
    first = next(iter(families))
    scheme = f"{len(outer)} blocks held out in turn, borders purged"
    rows, best_answers = [], np.empty(0, dtype=np.int64)
    final = _final_candidate(problem, families[first], outer)
    for name, members in families.items():
        picked = [_picked(a, inside[name]) for a, inside in zip(outer, chosen_inside, strict=True)]
        answers = np.concatenate(picked, axis=1)
        label = final.system.name if name == "auto" else name
        note = _choices(problem, [inside[name] for inside in chosen_inside]) if len(members) > 1 else ""
        rows.append(_row(label, scheme + note, trials, truth, answers, problem.design.n_classes))
        if name == first:
            best_answers = answers[0]
    if system == "auto":
        # The row of the chosen system alone was picked for being best: the nested row stands for it.
        rows = [rows[0], *(r for r in rows[1:] if r.system != final.system.name or r.system == BASELINE)]
    rows = [rows[0], *sorted(rows[1:], key=lambda r: r.system != BASELINE)]
    return Evaluation(
        system=final.system,
        model=fit_final(problem, final, outer),
        window=final.system.window,
        rows=tuple(rows),
        confusion=confusion(truth[0], best_answers, problem.design.n_classes),
        n_trials=problem.design.n_trials,
        warnings=tuple(design_warnings(problem.design)),
    )


def _picked(answers: Answers, chosen: Labels) -> Labels:
    """The answers (n_labellings, n_trials) of the candidate chosen under each labelling."""
    n = answers.answers.shape[1]
    picked: Labels = answers.answers[np.broadcast_to(chosen, n), np.arange(n)]
    return picked


def _choices(problem: Problem, inside: Sequence[Labels]) -> str:
    """What the training folds chose under the true labels, for the reader."""
    names = Counter(problem.candidates[int(c[0])].system.name for c in inside)
    listed = ", ".join(f"{name} {n}x" for name, n in names.most_common())
    return f"; chosen inside each training fold: {listed}" if len(names) > 1 else "; chosen inside each training fold"


def _row(name: str, scheme: str, trials: Labels, truth: Labels, answers: Labels, n_classes: int) -> Row:
    accuracies = _accuracies(truth, answers, n_classes)
    p = permutation_p(float(accuracies[0]), accuracies[1:]) if len(accuracies) > 1 else None
    interval = balanced_interval(truth[0], answers[0], n_classes)
    in_order = answers[0][np.argsort(trials)]
    return Row(name, scheme, float(accuracies[0]), interval, 1.0 / n_classes, p, truth.shape[1], answers=in_order)


def _final_candidate(problem: Problem, members: Sequence[int], outer: Sequence[Answers]) -> Candidate:
    """The member that did best on held-out trials of all blocks; the simplest on a tie."""
    truth = problem.design.trial_labels[np.concatenate([a.trials for a in outer])]
    accuracy = [
        balanced_accuracy(truth, np.concatenate([a.answers[m, 0] for a in outer]), problem.design.n_classes)
        for m in members
    ]
    return problem.candidates[members[int(np.argmax(accuracy))]]


def _untrained(problem: Problem, system: str) -> Evaluation:
    """Too few trials to hold any out: only a system without training can answer, and it says how little that means."""
    index = next((i for i, c in enumerate(problem.candidates) if not c.system.penalties), None)
    counts = np.bincount(problem.design.trial_labels, minlength=problem.design.n_classes)
    if index is None or system not in ("auto", problem.candidates[index].system.name):
        listed = ", ".join(f"{name}: {n}" for name, n in zip(problem.design.classes, counts, strict=True))
        raise InputError(
            f"expected at least 2 trials of every class, apart in time; got {listed} (windows of one trial count "
            "once); record more trials, or name the classes with --event CLASS=PATTERN"
        )
    candidate = problem.candidates[index]
    everything = np.arange(problem.design.n_trials)
    found, scores = system_answers(problem, candidate.system, Fold(everything, everything))[0]
    truth, n_classes = problem.labellings, problem.design.n_classes
    row = _row(candidate.system.name, "no training", everything, truth, found, n_classes)
    model = fit_final(problem, candidate, [Answers(everything, found[None], [scores] * len(problem.candidates))])
    baseline = f"{BASELINE} (the baseline) could not be validated: no trials can be held out"
    return Evaluation(
        system=candidate.system,
        model=model,
        window=candidate.system.window,
        rows=(row,),
        confusion=confusion(truth[0], found[0], n_classes),
        n_trials=problem.design.n_trials,
        warnings=(*design_warnings(problem.design), baseline),
    )
