"""Networks of a single window beside the linear systems, on recordings of people looking at pictures.

Both answer the same trials in the same folds, those of `calibration/evaluate.py`: blocks of time, or files, held out in
turn, borders purged. Everything is fitted on the training trials of a fold: scaling of channels, weights, and for the
linear systems the choice among them. Networks choose nothing; their budget was settled on other recordings
(docs/decisions/0156-one-window-on-real-recordings.md). A network is trained from several starts, whose log
probabilities are averaged; each start's own accuracy stands beside.

Intervals are over participants where each file is one, else over trials.

`p` asks whether the answers, as they are, go with the classes: classes are shuffled within blocks, nothing is trained
again. `p_near` shuffles among a few neighbours in time only, so that slow drifts, which tell early classes from late
ones, earn nothing. `p_refitted`, of linear systems alone, fits and chooses anew under every shuffle within blocks.

Thread: one at a time.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch

from calibration.baselines import linear_systems
from calibration.datasets.recording import EpochSet, matched
from calibration.decoding.scores import mean_interval, over_participants
from calibration.evaluate import Progress, design_for, evaluate, silent
from calibration.folds import Design, Fold, blocks_of, folds, windows_of
from calibration.recipes.single import NETWORKS, Array, Budget, Labels, trained
from calibration.stats import balanced_accuracy, balanced_interval, permutation_p, permuted
from engines.errors import InputError

LeaveOut = Literal["block", "participant"]
WINDOW = "evoked"
CLOCK = "time alone (control)"
# Fewer participants than this leave too little to train on, and an interval that says nothing.
FEWEST_PARTICIPANTS = 3
# Trials in a row, among which `p_near` shuffles.
NEIGHBOURS = 6
# Share of the work that the linear systems take, for the progress.
LINEAR = 0.1
_Z95 = 1.96


@dataclass(frozen=True)
class Difference:
    """Balanced accuracy of one system less that of another on the same trials."""

    mean: float
    ci95: tuple[float, float]


@dataclass(frozen=True)
class Compared:
    """What one system did on trials that taught it nothing.

    `mean` balanced accuracy (the mean over participants of their own, where they are left out); `starts` that of each
    network alone, `participants` that of each participant; `less_linear` compares with the linear choice.
    `answers` (n,) in the order of the trials.
    """

    system: str
    note: str
    mean: float
    ci95: tuple[float, float]
    p: float
    p_near: float
    n: int
    p_refitted: float | None = None
    starts: tuple[float, ...] = ()
    participants: tuple[float, ...] = ()
    less_linear: Difference | None = None
    answers: tuple[int, ...] = ()


@dataclass(frozen=True)
class SingleComparison:
    """`rows`: the linear choice first, the other linear systems, the control, then the networks.

    The control knows when a trial came, and no EEG. `trials` counts them by class.
    """

    rows: tuple[Compared, ...]
    over: str
    scheme: str
    chance: float
    trials: Mapping[str, int]
    channels: tuple[str, ...]
    window_s: tuple[float, float]
    warnings: tuple[str, ...]

    def fields(self) -> dict[str, Any]:
        """Plain values for the report."""
        return {
            "over": self.over,
            "scheme": self.scheme,
            "chance": self.chance,
            "trials": dict(self.trials),
            "channels": list(self.channels),
            "window_s": list(self.window_s),
            "rows": [_fields(row) for row in self.rows],
            "warnings": list(self.warnings),
        }


def compare_single(
    sets: Mapping[str, EpochSet],
    leave_out: LeaveOut = "block",
    *,
    networks: Sequence[str] = (),
    budget: Budget | None = None,
    seeds: Sequence[int] = (0, 1, 2),
    n_permutations: int = 999,
    n_refits: int = 199,
    seed: int = 0,
    progress: Progress = silent,
) -> SingleComparison:
    """Evaluate linear systems and `networks` (none named: all) on the epochs of each window; networks take the evoked.

    With `leave_out` "participant" every file is one person. A network starts from each of `seeds`; `seed` shuffles.

    Raises:
        InputError: no such network, too few participants, or too few trials to hold any out.
    """
    networks = networks or tuple(NETWORKS)
    for name in networks:
        if name not in NETWORKS:
            raise InputError(f"expected a network among {', '.join(NETWORKS)}; got {name!r}")
    sets = matched(sets)
    trials = _Trials(sets, leave_out, n_permutations, seed)
    linear = evaluate(
        sets, linear_systems(), n_permutations=n_refits, seed=seed,
        progress=lambda share, text: progress(LINEAR * share, f"linear systems, {text}"),
    )  # fmt: skip
    rows = [
        trials.compared(row.system, row.scheme, row.answers, p_refitted=row.p_permutation, first=number == 0)
        for number, row in enumerate(linear.rows)
    ]
    rows.append(trials.compared(CLOCK, "nearest class mean of the place in its file", trials.clock()))
    with _one_thread():
        for number, name in enumerate(networks):
            told = _part_of(
                progress, name, LINEAR + (1 - LINEAR) * number / len(networks), (1 - LINEAR) / len(networks)
            )
            rows.append(_network_row(trials, name, budget or Budget(), seeds, told, linear.rows[0].answers))
    return SingleComparison(
        rows=tuple(rows),
        over="participants" if leave_out == "participant" else "trials",
        scheme=linear.rows[0].scheme.partition(";")[0],
        chance=1.0 / trials.design.n_classes,
        trials=dict(zip(trials.epochs.classes, np.bincount(trials.truth).tolist(), strict=True)),
        channels=trials.epochs.channels,
        window_s=(trials.epochs.epoch.tmin_s, trials.epochs.epoch.tmax_s),
        warnings=linear.warnings,
    )


class _Trials:
    """The trials that every system answers, and what is made of the answers."""

    def __init__(self, sets: Mapping[str, EpochSet], leave_out: LeaveOut, n_permutations: int, seed: int) -> None:
        self.epochs = sets[WINDOW]
        self.design: Design = design_for(sets, WINDOW)
        self.blocks = blocks_of(self.design)
        self.truth = self.design.trial_labels
        people = np.unique(self.design.file)
        if leave_out == "participant" and len(people) < FEWEST_PARTICIPANTS:
            raise InputError(
                f"expected {FEWEST_PARTICIPANTS} participants or more, a file each; got {len(people)}; "
                "add files, or leave out blocks of time"
            )
        self._people = [self.design.file == one for one in people] if leave_out == "participant" else []
        self._shuffled = permuted(self.truth, self.blocks, n_permutations, seed)
        self._shuffled_near = permuted(self.truth, neighbours(self.blocks), n_permutations, seed)

    def folds(self) -> list[Fold]:
        """The folds of `calibration.evaluate.evaluate`."""
        return list(folds(self.design, self.blocks))

    def clock(self) -> Labels:
        """What a trial's place in its file tells: the class whose training trials come nearest to it on average."""
        place = np.empty(self.design.n_trials)
        for one in np.unique(self.design.file):
            place[self.design.file == one] = np.linspace(0.0, 1.0, np.count_nonzero(self.design.file == one))
        answers = np.empty(self.design.n_trials, dtype=np.int64)
        for fold in self.folds():
            of_class = [fold.train[self.truth[fold.train] == one] for one in range(self.design.n_classes)]
            means = np.array([place[rows].mean() if len(rows) else np.inf for rows in of_class])
            answers[fold.test] = np.abs(place[fold.test, None] - means).argmin(axis=1)
        return answers

    def accuracy(self, truth: Labels, answers: Labels) -> float:
        """The statistic of the table."""
        if not self._people:
            return balanced_accuracy(truth, answers, self.design.n_classes)
        return float(np.mean(self.of_people(truth, answers)))

    def of_people(self, truth: Labels, answers: Labels) -> tuple[float, ...]:
        """Balanced accuracy of each participant."""
        return tuple(balanced_accuracy(truth[own], answers[own], self.design.n_classes) for own in self._people)

    def compared(
        self, system: str, note: str, answers: Labels, linear: Labels | None = None, *, first: bool = False,
        p_refitted: float | None = None, starts: tuple[float, ...] = (),
    ) -> Compared:  # fmt: skip
        """One row; `linear` are the answers to compare with, `first` marks the linear choice itself."""
        mean = self.accuracy(self.truth, answers)
        p, p_near = (
            permutation_p(mean, np.array([self.accuracy(labels, answers) for labels in shuffled]))
            for shuffled in (self._shuffled, self._shuffled_near)
        )
        people = self.of_people(self.truth, answers)
        return Compared(
            system=f"linear, chosen inside ({system} on all)" if first and "chosen" in note else system,
            note=note,
            mean=mean,
            ci95=over_participants(people) if people else balanced_interval(self.truth, answers, self.design.n_classes),
            p=p,
            p_near=p_near,
            n=len(answers),
            p_refitted=p_refitted,
            starts=starts,
            participants=people,
            less_linear=None if linear is None else self.difference(answers, linear),
            answers=tuple(answers.tolist()),
        )

    def difference(self, answers: Labels, other: Labels) -> Difference:
        """Paired: over participants, else over trials within classes."""
        if self._people:
            ours, theirs = self.of_people(self.truth, answers), self.of_people(self.truth, other)
            each = [a - b for a, b in zip(ours, theirs, strict=True)]
            return Difference(float(np.mean(each)), mean_interval(each))
        more = (answers == self.truth).astype(np.float64) - (other == self.truth)
        of_class = [more[self.truth == one] for one in np.unique(self.truth)]
        mean = float(np.mean([one.mean() for one in of_class]))
        error = float(np.sqrt(sum(one.var(ddof=1) / len(one) for one in of_class))) / len(of_class)
        return Difference(mean, (mean - _Z95 * error, mean + _Z95 * error))


def neighbours(blocks: Labels) -> Labels:
    """A number for every `NEIGHBOURS` trials in a row of a block, for trials in order of time (n,)."""
    place = np.empty(len(blocks), dtype=np.int64)
    for one in np.unique(blocks):
        place[blocks == one] = np.arange(np.count_nonzero(blocks == one))
    return blocks * len(blocks) + place // NEIGHBOURS


def _network_row(
    trials: _Trials, name: str, budget: Budget, seeds: Sequence[int], told: Callable[[float], None], linear: Labels
) -> Compared:
    """A network trained in every fold from every start."""
    log_p = np.zeros((len(seeds), trials.design.n_trials, trials.design.n_classes))
    all_folds = trials.folds()
    for number, fold in enumerate(all_folds):
        for start, seed in enumerate(seeds):
            told((number + start / len(seeds)) / len(all_folds))
            log_p[start, fold.test] = held_out(trials.epochs, trials.design, fold, name, budget, seed)
    return trials.compared(
        name,
        f"{budget.epochs} epochs, mean of {len(seeds)} starts",
        log_p.mean(axis=0).argmax(axis=1),
        linear,
        starts=tuple(trials.accuracy(trials.truth, one.argmax(axis=1)) for one in log_p),
    )


def held_out(epochs: EpochSet, design: Design, fold: Fold, name: str, budget: Budget, seed: int) -> Array:
    """Log probabilities (n_tested, n_classes) of a fold's test trials, the mean over the windows of each."""
    train, test = windows_of(design, fold.train), windows_of(design, fold.test)
    classifier = trained(
        NETWORKS[name], epochs.data[train], epochs.labels[train], design.n_classes, epochs.sfreq_hz, budget, seed
    )
    of_windows = classifier(epochs.data[test])
    starts = np.flatnonzero(np.r_[True, np.diff(design.trial[test]) != 0])
    means: Array = np.add.reduceat(of_windows, starts) / np.diff(np.r_[starts, len(test)])[:, None]
    return means


@contextmanager
def _one_thread() -> Iterator[None]:
    """Networks of this size gain nothing from more, and equal seeds give equal weights for equal threads only."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _part_of(progress: Progress, name: str, start: float, share: float) -> Callable[[float], None]:
    return lambda done: progress(start + share * done, name)


def _fields(row: Compared) -> dict[str, Any]:
    found = {
        "system": row.system,
        "note": row.note,
        "mean": row.mean,
        "ci95": list(row.ci95),
        "p": row.p,
        "p_near": row.p_near,
        "p_refitted": row.p_refitted,
        "n": row.n,
        "starts": list(row.starts),
        "participants": list(row.participants),
        "less_linear": None,
    }
    if row.less_linear is not None:
        found["less_linear"] = {"mean": row.less_linear.mean, "ci95": list(row.less_linear.ci95)}
    return found
