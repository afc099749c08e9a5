"""How sure an accuracy is, and whether it could be luck, when trials of one item belong together.

What is repeated is the item: its trials share whatever made it easy, so they are shuffled and resampled together.

    permutation   which item each prediction belongs to is shuffled, whole items, among items shown in the same blocks
                  (all items, where no two were); p = (1 + b) / (1 + m) (Phipson & Smyth 2010)
    interval      Wilson's (1927) with the effective number of trials p (1 - p) / var, var over items, and Student's t
                  for so many items (Korn & Graubard 1998, Survey Methodology 24:193)
    participants  the units, where there are several: Student's t over their means, seeds averaged inside each
    and starts    both drawn, a seed being the same start for all: two-way random effects, one value each (Searle,
                  Casella & McCulloch 1992, Variance Components, 4.7), degrees of freedom after Satterthwaite (1946)

Numpy, float64. Thread: any.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from calibration.stats import permutation_p
from engines.errors import InputError

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]

N_PERMUTATIONS = 999
# Of an estimate without any spread between items, such as no hit at all, the trials are counted by the item.
_NO_SPREAD = 1e-12


@dataclass(frozen=True, eq=False)
class Measure:
    """An accuracy to be: `credit` (n, n_truths) of each prediction for each truth, and the `truth` (n_items,) of items.

    `balanced`: the mean over truths of their own means, instead of over trials. `chance`: what an answer without
    knowledge earns; None takes the mean of the permutations.
    """

    name: str
    credit: Array
    truth: Numbers
    chance: float | None
    balanced: bool = False


@dataclass(frozen=True, eq=False)
class Score:
    """A `Measure` taken. `null` (n_permutations,) are its values under shuffling, `n` the predictions it rests on."""

    metric: str
    mean: float
    ci95: tuple[float, float]
    chance: float
    p: float | None
    n: int
    null: Array


@dataclass(frozen=True, eq=False)
class Shuffles:
    """`item` (n,) of each prediction, and to which item it goes in each permutation, `to` (n_permutations, n_items)."""

    item: Numbers
    to: Numbers

    def take(self, rows: NDArray[np.bool_]) -> "Shuffles":
        """For some of the predictions; items keep their numbers."""
        return Shuffles(self.item[rows], self.to)


def shuffles(item: Numbers, block: Numbers, n_permutations: int = N_PERMUTATIONS, seed: int = 0) -> Shuffles:
    """Permutations of items (n,), numbered from 0, among those shown in the same blocks (n,).

    Where blocks leave nearly every item alone, as when each was shown in blocks of its own, all are exchanged.
    """
    n_items = int(item.max()) + 1
    shown_in = [tuple(np.sort(block[item == one])) for one in range(n_items)]
    strata = np.array([sorted(set(shown_in)).index(one) for one in shown_in], dtype=np.int64)
    alone = np.bincount(strata)[strata] == 1
    if alone.mean() > 0.5:
        strata = np.zeros(n_items, dtype=np.int64)
    rng = np.random.default_rng(seed)
    to = np.tile(np.arange(n_items), (n_permutations, 1))
    for one in np.unique(strata):
        members = np.flatnonzero(strata == one)
        to[:, members] = rng.permuted(to[:, members], axis=1)
    return Shuffles(item, to)


def score(measure: Measure, shuffled: Shuffles) -> Score:
    """Take a measure: its mean, interval over items, chance, and p.

    A truth below 0 is not known: such items are left out, of the permutations too.

    Raises:
        InputError: no item with a known truth.
    """
    credit, truth, shuffled = _known(measure, shuffled)
    own = truth[shuffled.item]
    earned = credit[np.arange(len(own)), own]
    groups = own if measure.balanced else np.zeros_like(own)
    mean = _mean(earned, groups)
    null = _null(credit, truth, shuffled, measure.balanced)
    p = permutation_p(mean, null) if len(null) else None
    chance = measure.chance
    if chance is None:
        chance = float(null.mean()) if len(null) else float(credit.mean())
    return Score(measure.name, mean, interval(earned, shuffled.item, groups), chance, p, len(own), null)


def interval(earned: Array, item: Numbers, groups: Numbers, level: float = 0.95) -> tuple[float, float]:
    """Of the mean over `groups` of the mean of `earned` (n,) in each, trials of one `item` taken together."""
    mean = _mean(earned, groups)
    counts = np.bincount(groups)
    own = np.divide(np.bincount(groups, earned), counts, out=np.zeros(len(counts)), where=counts > 0)
    weight = 1.0 / (np.count_nonzero(counts) * counts[groups])
    spread = np.bincount(item, weight * (earned - own[groups]))
    n_items = len(np.unique(item))
    if n_items < 2:
        return 0.0, 1.0
    variance = float(np.sum(spread**2)) * n_items / (n_items - 1)
    n_effective = mean * (1 - mean) / variance if variance > _NO_SPREAD else float(n_items)
    return _wilson(mean, n_effective, float(stats.t.ppf(0.5 + level / 2, n_items - 1)))


def over_participants(means: Sequence[float], level: float = 0.95) -> tuple[float, float]:
    """Student's interval of the mean of two participants or more, within 0 to 1.

    Raises:
        InputError: fewer than two.
    """
    low, high = mean_interval(means, level)
    return max(low, 0.0), min(high, 1.0)


def mean_interval(values: Sequence[float], level: float = 0.95) -> tuple[float, float]:
    """Student's interval of a mean of two values or more, such as differences between participants.

    Raises:
        InputError: fewer than two.
    """
    if len(values) < 2:
        raise InputError(f"expected two participants or more for an interval over them; got {len(values)}")
    mean, error = float(np.mean(values)), float(stats.sem(values))
    reach = error * float(stats.t.ppf(0.5 + level / 2, len(values) - 1))
    return mean - reach, mean + reach


def over_both(values: Array, level: float = 0.95) -> tuple[float, float]:
    """Interval of the mean of `values` (n_participants, n_starts) for other participants trained from other starts.

    Var(mean) = (MS_participants + MS_starts - MS_left) / (n_participants n_starts). Where starts differ less than what
    is left over, they count as equal. Never narrower than over participants alone.

    Raises:
        InputError: fewer than two participants or two starts.
    """
    if min(values.shape) < 2:
        raise InputError(
            f"expected two participants and two starts or more; got {values.shape[0]} and {values.shape[1]}"
        )
    n_participants, n_starts = values.shape
    rows, columns, mean = values.mean(axis=1), values.mean(axis=0), float(values.mean())
    left = values - rows[:, None] - columns + mean
    dof = np.array([n_participants - 1, n_starts - 1, (n_participants - 1) * (n_starts - 1)])
    squares = np.array([n_starts * ((rows - mean) ** 2).sum(), n_participants * ((columns - mean) ** 2).sum(),
                        (left**2).sum()]) / dof  # fmt: skip
    alone = mean_interval(rows.tolist(), level)
    together = float(squares @ (1, 1, -1))
    if together <= squares[0]:
        return alone
    dof_together = together**2 / float((squares**2 / dof).sum())
    reach = np.sqrt(together / values.size) * stats.t.ppf(0.5 + level / 2, dof_together)
    return min(mean - float(reach), alone[0]), max(mean + float(reach), alone[1])


def between_starts(values: Sequence[Sequence[float]]) -> float | None:
    """Deviation between starts within a participant, pooled over participants; None where nobody has two starts."""
    several = [np.asarray(one, dtype=np.float64) for one in values if len(one) > 1]
    dof = sum(len(one) - 1 for one in several)
    return float(np.sqrt(sum(((one - one.mean()) ** 2).sum() for one in several) / dof)) if dof else None


def _known(measure: Measure, shuffled: Shuffles) -> tuple[Array, Numbers, Shuffles]:
    """Credit, truths and permutations of the items whose truth is known; those that go elsewhere keep their place."""
    known = measure.truth >= 0
    if not known[shuffled.item].any():
        raise InputError(f"{measure.name}: expected trials whose truth is known; got none")
    if known.all():
        return measure.credit, measure.truth, shuffled
    rows = known[shuffled.item]
    number = np.cumsum(known) - 1
    # Within each permutation the known items take, in order, the places that known items have there.
    to = np.stack([number[one[known[one]]] for one in shuffled.to]) if len(shuffled.to) else shuffled.to[:, known]
    return measure.credit[rows], measure.truth[known], Shuffles(number[shuffled.item[rows]], to)


def _null(credit: Array, truth: Numbers, shuffled: Shuffles, balanced: bool) -> Array:
    """Values (n_permutations,) of the measure under shuffling."""
    truths = truth[shuffled.to][:, shuffled.item]
    earned = credit[np.arange(len(shuffled.item)), truths]
    if not balanced:
        means: Array = earned.mean(axis=1)
        return means
    return np.array([_mean(one, groups) for one, groups in zip(earned, truths, strict=True)])


def _mean(earned: Array, groups: Numbers) -> float:
    """Mean over the groups that are there of the mean in each."""
    counts = np.bincount(groups)
    there = counts > 0
    return float(np.mean(np.bincount(groups, earned)[there] / counts[there]))


def _wilson(share: float, n: float, z: float) -> tuple[float, float]:
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    reach = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return max(0.0, min(float(centre - reach), share)), min(1.0, max(float(centre + reach), share))
