"""How everything is measured: in turn, the first round thrown away, medians of the rest."""

import statistics
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from tests.bench.rows import Row

ROUNDS = 5


def show(row: Row) -> None:
    """Hand a row to whoever runs the bench."""
    sys.stdout.write(row.to_json() + "\n")
    sys.stdout.flush()


def in_turn(calls: Mapping[str, Callable[[], Any]], rounds: int = ROUNDS) -> dict[str, list[Any]]:
    """What each call answers in every round, all of them in every round, so that they meet the same machine."""
    answers: dict[str, list[Any]] = {name: [] for name in calls}
    for number in range(rounds + 1):
        for name, call in calls.items():
            answer = call()
            if number:
                answers[name].append(answer)
    return answers


def medians(rounds: list[dict[str, float]]) -> dict[str, float]:
    """The median over the rounds of every figure."""
    return {key: statistics.median(one[key] for one in rounds) for key in rounds[0]}


def seconds_each(
    calls: Mapping[str, Callable[[], Any]],
    number: int = 1,
    rounds: int = ROUNDS,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, float]:
    """Seconds one call takes: median over the rounds of the mean of `number` calls."""
    timed = {name: lambda call=call: _mean_s(call, number, clock) for name, call in calls.items()}
    return {name: statistics.median(taken) for name, taken in in_turn(timed, rounds).items()}


def _mean_s(call: Callable[[], Any], number: int, clock: Callable[[], float]) -> float:
    began = clock()
    for _ in range(number):
        call()
    return (clock() - began) / number
