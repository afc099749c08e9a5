"""Scores of many runs, over participants and seeds.

Participants are the units: seeds are averaged inside each, the interval is Student's over participants' means, and the
permutations of all participants are averaged like the scores themselves. One participant alone has the interval over
objects instead. Differences are taken within participants. How far runs from other seeds lie apart stands beside, with
an interval over participants and starts together.

Thread: any.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from calibration.comparing.plan import Plan
from calibration.comparing.run import Record, Run
from calibration.decoding.evaluate import Row
from calibration.decoding.scores import between_starts, mean_interval, over_both, over_participants
from calibration.stats import permutation_p

Key = tuple[str, float | None, str, str]


@dataclass(frozen=True)
class Cell:
    """One system's score: `by_participant` seeds averaged; `n` predictions of one seed of all participants.

    `by_seed` participants averaged; `sd_starts` between seeds within participants; `ci95_both` over participants and
    starts. The two are None where one seed is done, `ci95_both` also where not every participant has every seed.
    """

    mean: float
    ci95: tuple[float, float]
    chance: float
    p: float | None
    n: int
    by_participant: Mapping[str, float]
    by_seed: Mapping[int, float]
    sd_starts: float | None
    ci95_both: tuple[float, float] | None

    def __str__(self) -> str:
        low, high = self.ci95
        return f"{100 * self.mean:.1f} ({100 * low:.1f} to {100 * high:.1f}){_starred(self.p)}"


class Comparison:
    """The records of a plan, read once."""

    def __init__(self, plan: Plan, records: Mapping[Run, Record], failures: Mapping[Run, str]) -> None:
        self.plan = plan
        self.records = records
        self.failures = failures
        self._rows = {run: {row.key: row for row in record.evaluation.rows} for run, record in records.items()}

    def cell(self, system: str, key: Key) -> Cell | None:
        """Over all participants and seeds that are done; None where there is nothing."""
        taken: dict[str, dict[int, Row]] = {}
        for run, rows in self._rows.items():
            if run.system == system and key in rows:
                taken.setdefault(run.participant, {})[run.seed] = rows[key]
        return cell_of(taken) if taken else None

    def difference(self, system: str, other: str, key: Key) -> tuple[float, tuple[float, float], int] | None:
        """Mean of `system` less `other` within participants, its interval, and how many; None for fewer than two."""
        cells = self.cell(system, key), self.cell(other, key)
        if cells[0] is None or cells[1] is None:
            return None
        first, second = (cell.by_participant for cell in cells if cell is not None)
        apart = [first[one] - second[one] for one in first if one in second]
        return (float(np.mean(apart)), mean_interval(apart), len(apart)) if len(apart) > 1 else None

    def done(self, system: str) -> str:
        """How many of a system's runs are done."""
        wanted = len(self.plan.participants) * len(self.plan.seeds)
        return f"{sum(run.system == system for run in self.records)} of {wanted}"

    def metrics(self, trials: str) -> list[str]:
        """Everything that was measured, in the order it was measured."""
        found: dict[str, None] = {}
        for rows in self._rows.values():
            found.update((row.metric, None) for row in rows.values() if row.trials == trials and not row.control)
        return list(found)


def cell_of(taken: Mapping[str, Mapping[int, Row]]) -> Cell:
    """Rows of one measure by participant and seed."""
    rows = {one: list(of_seeds.values()) for one, of_seeds in taken.items()}
    by_participant = {one: float(np.mean([row.mean for row in some])) for one, some in rows.items()}
    mean = float(np.mean(list(by_participant.values())))
    if len(taken) > 1:
        ci95 = over_participants(list(by_participant.values()))
    else:
        low, high = np.mean([row.ci95 for some in rows.values() for row in some], axis=0)
        ci95 = (float(low), float(high))
    chance = float(np.mean([some[0].chance for some in rows.values()]))
    n = sum(some[0].n for some in rows.values())
    return Cell(mean, ci95, chance, _p(mean, rows), n, by_participant, *_starts(taken))


def _p(mean: float, rows: Mapping[str, Sequence[Row]]) -> float | None:
    nulls = [np.mean([row.null for row in some], axis=0) for some in rows.values() if all(row.null for row in some)]
    if len(nulls) < len(rows):
        return None
    n_permutations = min(len(null) for null in nulls)
    return permutation_p(mean, np.mean([null[:n_permutations] for null in nulls], axis=0))


def _starts(
    taken: Mapping[str, Mapping[int, Row]],
) -> tuple[dict[int, float], float | None, tuple[float, float] | None]:
    """The last three fields of a `Cell`."""
    seeds = sorted({seed for rows in taken.values() for seed in rows})
    by_seed = {seed: float(np.mean([rows[seed].mean for rows in taken.values() if seed in rows])) for seed in seeds}
    apart = between_starts([[row.mean for row in rows.values()] for rows in taken.values()])
    whole = min(len(taken), len(seeds)) > 1 and all(len(rows) == len(seeds) for rows in taken.values())
    if not whole:
        return by_seed, apart, None
    low, high = over_both(np.array([[rows[seed].mean for seed in seeds] for rows in taken.values()]))
    return by_seed, apart, (max(low, 0.0), min(high, 1.0))


def _starred(p: float | None) -> str:
    return "" if p is None or p >= 0.05 else " **" if p < 0.01 else " *"
