"""Fitting every candidate on a fold's training trials, under the true labels and all shuffled ones at once.

Per fold and system, features and metric are fitted once, without labels; what depends on a labelling is its class
means, one product for all labellings (docs/decisions/0060-label-free-features.md).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.baselines import System, metrics_of
from calibration.datasets.recording import EpochSet
from calibration.folds import Design, Fold, windows_of
from calibration.stats import temperature_of
from engines.errors import InputError
from engines.models.linear import Array, Head, LinearModel

Labels = NDArray[np.int64]

# Labellings whose class means are held in memory at once.
BATCH = 64


@dataclass(frozen=True)
class Candidate:
    """A system with one of its penalties; the unit of choice."""

    system: System
    penalty: int


@dataclass(frozen=True)
class Answers:
    """What all candidates say to the trials of a fold.

    `answers` (n_candidates, n_labellings, n_trials); `scores` by candidate (n_windows, n_classes), from the true
    labels.
    """

    trials: Labels
    answers: Labels
    scores: list[Array]


@dataclass(frozen=True)
class Problem:
    """Everything the folds share. `labellings` (1 + n_permutations, n_trials): the true labels first."""

    sets: Mapping[str, EpochSet]
    systems: tuple[System, ...]
    design: Design
    labellings: Labels

    @property
    def candidates(self) -> list[Candidate]:
        """All of them, in the order of the systems."""
        return [Candidate(s, i) for s in self.systems for i in range(max(1, len(s.penalties)))]


def trainable(problem: Problem, fold: Fold) -> bool:
    """True when purging left trials of two classes or more."""
    return len(np.unique(problem.design.trial_labels[fold.train])) > 1


def answers_of(problem: Problem, fold: Fold) -> Answers:
    """Fit every candidate on the fold's training trials under every labelling, and answer its test trials.

    Raises:
        InputError: purging left no trials of two classes to train on.
    """
    if not trainable(problem, fold):
        raise InputError(
            f"too few trials: {len(fold.train)} are left to train on beside a held-out block; record more trials"
        )
    answers, scores = [], []
    for system in problem.systems:
        for metric_answers, metric_scores in system_answers(problem, system, fold):
            answers.append(metric_answers)
            scores.append(metric_scores)
    return Answers(fold.test, np.stack(answers), scores)


def system_answers(problem: Problem, system: System, fold: Fold) -> list[tuple[Labels, Array]]:
    """Answers (n_labellings, n_trials) and true-label scores (n_windows, n_classes), one pair for each penalty."""
    epochs, design = problem.sets[system.window], problem.design
    train, test = windows_of(design, fold.train), windows_of(design, fold.test)
    features = system.fit(epochs.data[train], epochs.sfreq_hz, epochs.epoch)
    tested = features(epochs.data[test])
    if not system.penalties:
        means = _trial_sums(tested, design.trial[test])[0]
        same = np.tile(means.argmax(axis=1), (len(problem.labellings), 1))
        return [(same, tested)]
    trained = features(epochs.data[train])
    found = []
    for metric in metrics_of(trained, system.penalties):
        sums, n_windows = _trial_sums(metric(trained), design.trial[train])
        white = metric(tested)
        tested_sums, tested_n = _trial_sums(white, design.trial[test])
        tested_means = tested_sums / tested_n[:, None]
        labels = problem.labellings[:, fold.train]
        answers = np.concatenate(
            [
                discriminants(class_means(sums, n_windows, part, design.n_classes), tested_means).argmax(axis=-1)
                for part in np.array_split(labels, -(-len(labels) // BATCH))
            ]
        )
        true_means = class_means(sums, n_windows, labels[:1], design.n_classes)
        found.append((answers, discriminants(true_means, white)[0]))
    return found


def _trial_sums(values: Array, trial: Labels) -> tuple[Array, Array]:
    """Sums (n_trials, d) over the windows of each trial, and the number of windows (n_trials,)."""
    starts = np.flatnonzero(np.r_[True, np.diff(trial) != 0])
    return np.add.reduceat(values, starts, axis=0), np.diff(np.r_[starts, len(trial)]).astype(np.float64)


def class_means(sums: Array, n_windows: Array, labels: Labels, n_classes: int) -> Array:
    """Class means (n_labellings, n_classes, r) from trial sums (n_trials, r); NaN for a class without trials."""
    member = (labels[:, None, :] == np.arange(n_classes)[:, None]).astype(np.float64)
    totals = member @ n_windows
    with np.errstate(invalid="ignore"):
        means: Array = (member @ sums) / totals[..., None]
    return means


def discriminants(means: Array, tested: Array) -> Array:
    """z.m - |m|^2 / 2 by labelling: (p, n_classes, r) and (n, r) to (p, n, n_classes); absent classes never win."""
    scores = tested @ means.swapaxes(1, 2) - 0.5 * np.sum(means**2, axis=2)[:, None, :]
    return np.where(np.isnan(scores), -np.inf, scores)


def fit_final(problem: Problem, candidate: Candidate, outer: Sequence[Answers]) -> LinearModel:
    """Fit on all trials; the temperature comes from the held-out scores."""
    system, design = candidate.system, problem.design
    epochs = problem.sets[system.window]
    index = problem.candidates.index(candidate)
    scores = np.concatenate([a.scores[index] for a in outer])
    labels = np.concatenate([design.labels[windows_of(design, a.trials)] for a in outer])
    finite = np.isfinite(scores).all(axis=1)
    temperature = temperature_of(scores[finite], labels[finite])
    features = system.fit(epochs.data, epochs.sfreq_hz, epochs.epoch)
    shape = epochs.data.shape[1:]
    if not system.penalties:
        return LinearModel(features, Head(np.eye(design.n_classes), np.zeros(design.n_classes), temperature), *shape)
    trained = features(epochs.data)
    metric = metrics_of(trained, (system.penalties[candidate.penalty],))[0]
    sums, n_windows = _trial_sums(metric(trained), design.trial)
    means = class_means(sums, n_windows, design.trial_labels[None], design.n_classes)[0]
    return LinearModel(features, metric.head(means, temperature), *shape)
