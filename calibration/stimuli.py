"""What can be shown: stimulus sets, built in or on disk, behind one interface."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import trimesh
from numpy.typing import NDArray

from pipeline.types import Array

Picture = NDArray[np.uint8]


@dataclass(frozen=True, order=True)
class Item:
    """One thing that can be shown: `object` names it within its category."""

    category: str
    object: str

    @property
    def key(self) -> str:
        """`category/object`, as in markers and manifests."""
        return f"{self.category}/{self.object}"


class StimulusSet(Protocol):
    """Items and what is known of each. What a set has not got is None, never made up.

    Thread: any, one at a time.
    """

    @property
    def name(self) -> str:
        """What reports call the set."""
        ...

    @property
    def items(self) -> tuple[Item, ...]:
        """Everything in the set, categories in their own order."""
        ...

    def picture(self, item: Item) -> Picture:
        """(height, width, 3) red, green, blue."""
        ...

    def turn(self, item: Item) -> tuple[Picture, float] | None:
        """(n, height, width, 3) frames of the turning object and their rate in Hz."""
        ...

    def mesh(self, item: Item) -> trimesh.Trimesh | None:
        """The object's shape."""
        ...

    def point_cloud(self, item: Item) -> Array | None:
        """(n, 6) x y z and red green blue from 0 to 1."""
        ...

    def colour_label(self, item: Item) -> int | None:
        """Number of the main colour, 0 to 5."""
        ...


class Only:
    """Some items of another set.

    Thread: as the other set.
    """

    def __init__(self, stimuli: StimulusSet, items: Collection[Item]) -> None:
        chosen = frozenset(items)
        self.name = stimuli.name
        self.items = tuple(item for item in stimuli.items if item in chosen)
        # What the set knows of an item it knows here.
        self.picture = stimuli.picture
        self.turn = stimuli.turn
        self.mesh = stimuli.mesh
        self.point_cloud = stimuli.point_cloud
        self.colour_label = stimuli.colour_label


def evenly(n: int, most: int = 24) -> list[int]:
    """At most so many places among `n`, from the first to the last."""
    return [int(place) for place in np.unique(np.linspace(0, n - 1, min(n, most)).astype(int))]
