"""Which trials of a calibration teach, which choose, and which judge.

Objects tell: of every category the last object shown validates, the one before selects (the step of training that is
kept, and temperatures), the others train. Where a category has fewer than three, time tells: contiguous stretches, with
a trial purged at each border, and what comes out holds for objects that were seen.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from calibration.decoding.trials import TrialSet
from engines.errors import InputError

PARTS = ("training", "selection", "validation")
LEAST_OBJECTS = 3
# Shares of the recording that end with training and with selection, where time tells.
_BORDERS = (0.6, 0.8)
_PURGED = -1

Roles = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Split:
    """Three sets of trials that share no item. `by` is "objects" or "time"."""

    training: TrialSet
    selection: TrialSet
    validation: TrialSet
    by: str

    @property
    def scheme(self) -> str:
        """For reports."""
        if self.by == "objects":
            return "objects that trained nothing, single trials"
        return "later trials of the same objects, single trials"

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader must know of it."""
        if self.by == "objects":
            return ()
        return (
            f"fewer than {LEAST_OBJECTS} objects of a category were shown: validated on later trials of objects that "
            "trained, so the accuracy says nothing of objects that were never seen; show more objects",
        )


def split(trials: TrialSet) -> Split:
    """By objects where every category has three, else by time.

    Raises:
        InputError: fewer than two categories, or one without trials in each part.
    """
    if len(trials.categories) < 2:
        raise InputError(f"expected two categories or more; got {', '.join(trials.categories)}; show more of them")
    fewest = min(len(np.unique(trials.number[trials.category == k])) for k in range(len(trials.categories)))
    by_objects = fewest >= LEAST_OBJECTS
    roles = _roles_of_objects(trials) if by_objects else _roles_of_time(len(trials))
    _require_all(trials, roles)
    training, selection, validation = (trials.take(roles == role) for role in range(len(PARTS)))
    if by_objects:
        return Split(training, selection, validation, "objects")
    return Split(_others(training, 0), _others(selection, 1), _others(validation, 2), "time")


def _roles_of_objects(trials: TrialSet) -> Roles:
    roles = np.zeros(len(trials), dtype=np.int64)
    for k in range(len(trials.categories)):
        of_category = trials.category == k
        *_, selects, validates = np.unique(trials.number[of_category])
        roles[of_category & (trials.number == selects)] = 1
        roles[of_category & (trials.number == validates)] = 2
    return roles


def _roles_of_time(n: int) -> Roles:
    """Trials in their order; the last one before each border is purged."""
    borders = [round(share * n) for share in _BORDERS]
    roles: Roles = np.searchsorted(borders, np.arange(n), side="right").astype(np.int64)
    roles[[border - 1 for border in borders]] = _PURGED
    return roles


def _others(part: TrialSet, role: int) -> TrialSet:
    """The same objects as items of their own: what trains and what judges must share none; here they share objects."""
    n = len(part.items)
    return replace(
        part,
        item=part.item + role * n,
        items=part.items * len(PARTS),
        targets=np.tile(part.targets, (len(PARTS), 1)),
    )


def _require_all(trials: TrialSet, roles: Roles) -> None:
    for role, part in enumerate(PARTS):
        there = np.unique(trials.category[roles == role])
        missing = [name for k, name in enumerate(trials.categories) if k not in there]
        if missing:
            raise InputError(
                f"expected trials of every category for {part}; got none of {', '.join(missing)} in {len(trials)} "
                "trials; record more"
            )
