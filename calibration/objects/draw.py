"""Chance that is the same on every machine: each object's own draws."""

import hashlib
from typing import TypeVar

import numpy as np
import trimesh

Parts = dict[str, trimesh.Trimesh]
"""What a maker returns: the named parts of an object. A name is one colour; a part may consist of several pieces."""

_SALT = "afterimage objects 2"
"""A new number makes all objects anew: done once the makers were finished (docs/decisions/0104)."""

T = TypeVar("T")


class Draw:
    """The draws of one object for one `purpose`; those for another purpose are independent of them.

    Thread: one at a time.
    """

    def __init__(self, purpose: str, category: str, number: int) -> None:
        named = hashlib.sha256(f"{_SALT}/{purpose}/{category}/{number:02d}".encode()).digest()
        self.rng = np.random.default_rng(int.from_bytes(named))

    def between(self, low: float, high: float) -> float:
        """A number, all equally likely."""
        return float(self.rng.uniform(low, high))

    def whole(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return int(self.rng.integers(low, high, endpoint=True))

    def yes(self, p: float = 0.5) -> bool:
        """True with probability `p`."""
        return bool(self.rng.random() < p)

    def one_of(self, *options: T) -> T:
        """One of `options`."""
        return options[self.whole(0, len(options) - 1)]
