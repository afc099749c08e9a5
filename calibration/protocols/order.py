"""Random orders in which neither time nor the neighbour tells the class.

A block is a random Eulerian circuit (Brooks 2012, Psychological Methods 17:600): every token follows every other, and
itself, as often as any. Shuffling each round of categories instead would forbid repetitions, so that of two categories
the one just seen would tell the next.
"""

from collections.abc import Iterator
from math import gcd

import numpy as np


def balanced(n_tokens: int, rounds: int, rng: np.random.Generator) -> list[int]:
    """Every number below `n_tokens` as often as there are `rounds`, in a random order, (n_tokens * rounds,).

    Every number is equally likely at every place, and at every place equally likely to be followed by any, itself
    included. With a single round nothing can repeat: the follower is any other number.
    """
    if n_tokens == 1:
        return [0] * rounds
    steps = [*list(range(n_tokens)) * (rounds // n_tokens), *_connecting(n_tokens, rounds % n_tokens, rounds, rng)]
    circuit = _circuit([[(i + step) % n_tokens for step in steps] for i in range(n_tokens)], rng)
    names, turned = rng.permutation(n_tokens), int(rng.integers(len(circuit)))
    return [int(names[i]) for i in [*circuit[turned:], *circuit[:turned]]]


def _connecting(n: int, n_steps: int, rounds: int, rng: np.random.Generator) -> list[int]:
    """Distinct steps around a ring of `n`; where there is less than a whole set, such as reach every place."""
    if n_steps == 0:
        return []
    stays = rounds > 1 and rng.random() < n_steps / n
    while True:
        others = [int(s) for s in rng.choice(np.arange(1, n), n_steps - stays, replace=False)]
        if rounds >= n or gcd(n, *others) == 1:
            return [0, *others] if stays else others


def _circuit(following: list[list[int]], rng: np.random.Generator) -> list[int]:
    """A closed walk over every edge once (Hierholzer 1873), taking the edges of each place in random order."""
    left = [[places[i] for i in rng.permutation(len(places))] for places in following]
    walk, circuit = [0], []
    while walk:
        if left[walk[-1]]:
            walk.append(left[walk[-1]].pop())
        else:
            circuit.append(walk.pop())
    return circuit[:0:-1]


def rounds_of(names: tuple[str, ...], times: dict[str, int], rng: np.random.Generator) -> Iterator[str]:
    """Endless rounds of the names, each as often as `times` says (once unless named), every round newly shuffled."""
    one = [name for name in names for _ in range(times.get(name, 1))]
    while True:
        yield from (one[i] for i in rng.permutation(len(one)))


def spread(total: int, n_parts: int) -> list[int]:
    """Sizes of `n_parts` that differ by one at most."""
    return [len(part) for part in np.array_split(np.arange(total), n_parts)]
