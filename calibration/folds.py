"""Which windows are one trial, which trials train and which test, and what in a recording's design spoils the answer.

Trials of one stretch of time resemble each other (drift, vigilance, the electrode that dries), so folds are contiguous
blocks in time (Lemm et al. 2011, NeuroImage 56; Roberts et al. 2017, Ecography 40), never straddle files, and lose the
trials at their borders.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.stats import order_p, runs_p
from engines.errors import InputError

Array = NDArray[np.float64]
Labels = NDArray[np.int64]

# Blocks a short calibration is cut into; from three files on, every file is a block.
N_BLOCKS = 5
# Fewer trials of a class than this, and the interval spans most of what one would like to know.
FEW_TRIALS = 20
IMBALANCE = 2.0
SURELY = 0.01


@dataclass(frozen=True)
class Design:
    """The trials behind n windows, in order of file and time.

    Per window: `labels`, `trial` (0 ... n_trials - 1). Per trial: `trial_labels`, `file`, `first_s` and `last_s`
    (onsets of its first and last window). `epoch_s` is the length of a window.
    """

    labels: Labels
    trial: Labels
    trial_labels: Labels
    file: Labels
    first_s: Array
    last_s: Array
    epoch_s: float
    classes: tuple[str, ...]

    @property
    def n_trials(self) -> int:
        """Trials, not windows."""
        return len(self.trial_labels)

    @property
    def n_classes(self) -> int:
        """Classes, with or without trials."""
        return len(self.classes)


@dataclass(frozen=True)
class Fold:
    """Trials that train and trials that test; what was purged is in neither."""

    train: Labels
    test: Labels


def design_of(
    labels: Labels, onset_s: Array, file: Labels, epoch_s: float, classes: tuple[str, ...], begun: Labels | None = None
) -> Design:
    """The design of windows sorted by file and onset.

    `begun` (n,) numbers the trial each window belongs to where the recording says so (a marker that starts trials);
    otherwise the windows themselves tell (`runs_are_trials`).

    Raises:
        InputError: windows of one trial carry different classes, or there is none.
    """
    if len(labels) == 0:
        raise InputError("expected at least one epoch of each class; got none; see the reasons for rejection")
    if begun is None:
        new = np.ones(len(labels), dtype=bool)
        if runs_are_trials(labels, onset_s, file):
            new[1:] = (np.diff(labels) != 0) | (np.diff(file) != 0)
    else:
        new = np.r_[True, (np.diff(begun) != 0) | (np.diff(file) != 0)]
    trial = np.cumsum(new) - 1
    starts = np.flatnonzero(new)
    if np.any(labels != labels[starts][trial]):
        raise InputError("expected one class in each trial; got windows of several; leave out the odd ones first")
    lasts = np.r_[starts[1:], len(labels)] - 1
    return Design(labels, trial, labels[starts], file[starts], onset_s[starts], onset_s[lasts], epoch_s, classes)


def runs_are_trials(labels: Labels, onset_s: Array, file: Labels) -> bool:
    """True when windows of a class come in runs that no shuffled order would show: each run is then one trial.

    Classes drawn anew at each onset give runs as chance does; windows cut one after the other from the same trial, or
    classes shown in stretches, do not, and their windows are no independent evidence.
    """
    order = np.lexsort((onset_s, file))
    return len(labels) > 2 and runs_p(labels[order]) < SURELY


def blocks_of(design: Design) -> Labels:
    """Block number of each trial: contiguous in time, never across files.

    Three files or more are a block each; fewer are cut into about `N_BLOCKS` equal stretches in all, and never into
    more than the rarest class has trials.
    """
    files = np.unique(design.file)
    if len(files) >= 3:
        return np.searchsorted(files, design.file)
    counts = np.bincount(design.trial_labels, minlength=design.n_classes)
    per_file = min(-(-N_BLOCKS // len(files)), max(1, int(counts[counts > 0].min()) // len(files)))
    blocks = np.empty(design.n_trials, dtype=np.int64)
    for number, name in enumerate(files):
        members = np.flatnonzero(design.file == name)
        blocks[members] = number * per_file + np.arange(len(members)) * per_file // len(members)
    return blocks


def folds(design: Design, blocks: Labels, among: Labels | None = None) -> Iterator[Fold]:
    """Leave one block out, within the trials `among` (all of them by default)."""
    among = np.arange(design.n_trials) if among is None else among
    for block in np.unique(blocks[among]):
        test = among[blocks[among] == block]
        rest = among[blocks[among] != block]
        yield Fold(rest[~_near(design, rest, test)], test)


def _near(design: Design, rest: Labels, test: Labels) -> NDArray[np.bool_]:
    """True for trials to purge: next to a tested trial of their file, or less than one epoch away from its windows."""
    near = np.zeros(len(rest), dtype=bool)
    for trial in test:
        same = design.file[rest] == design.file[trial]
        adjacent = np.abs(rest - trial) == 1
        before = design.first_s[trial] - design.last_s[rest]
        after = design.first_s[rest] - design.last_s[trial]
        # From onset to onset: the earlier window's own length, and one epoch between the two.
        close = np.maximum(before, after) < 2 * design.epoch_s
        near |= same & (adjacent | close)
    return near


def windows_of(design: Design, trials: Labels) -> Labels:
    """Indices of the windows of these trials, in order."""
    return np.flatnonzero(np.isin(design.trial, trials))


def design_warnings(design: Design) -> list[str]:
    """What in the design spoils the answer: class confounded with time, imbalance, too few trials."""
    counts = np.bincount(design.trial_labels, minlength=design.n_classes)
    found = _confounded(design)
    if counts.min() < FEW_TRIALS:
        listed = ", ".join(f"{name}: {n}" for name, n in zip(design.classes, counts, strict=True))
        found.append(
            f"too few trials ({listed}; windows of one trial count once): with fewer than {FEW_TRIALS} of a class "
            "the accuracy is hardly known; record more"
        )
    if counts.max() >= IMBALANCE * max(1, counts.min()):
        most, least = design.classes[int(counts.argmax())], design.classes[int(counts.argmin())]
        found.append(f"imbalance: {counts.max()} trials of {most!r} against {counts.min()} of {least!r}")
    return found


def _confounded(design: Design) -> list[str]:
    labels = design.trial_labels
    n_seen = len(np.unique(labels))
    reasons = []
    if n_seen > 1 and np.count_nonzero(np.diff(labels)) == n_seen - 1:
        reasons.append("each class comes in one stretch only")
    elif runs_p(labels) < SURELY:
        reasons.append("classes come in stretches")
    if order_p(labels) < SURELY:
        reasons.append("some classes come earlier than others")
    if not reasons:
        return []
    return [
        f"class and time are confounded ({'; '.join(reasons)}): the time of a trial alone tells its class, so slow "
        "drifts can pass for decoding; show the classes in random order"
    ]
