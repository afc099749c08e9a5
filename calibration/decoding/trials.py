"""Trials of one participant as networks take them: both streams, what was shown, and the embedding of its picture."""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from calibration.stimuli import Item
from engines.errors import InputError
from pipeline.encode import standardised

Floats = NDArray[np.float32]
Numbers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class TrialSet:
    """Trials of one participant, in the order of recording where that is known.

    `static` (n, channel, time) around the picture and `dynamic` (n, channel, time) around the turn, each standardised
    trial by trial. Per trial (n,): `item` into `items`, `category` into `categories`, `colour` 0 to 5 or -1 where
    unknown, `number` of the object within its category, `block` of the recording. `targets` (n_items, dim) are the raw
    embeddings of the items' pictures by `encoder`. `offline_reason` is "" where a decoder trained on them may run live.
    `rejected` counts, by reason, the trials of the recording that are not here.
    """

    participant: str
    static: Floats
    dynamic: Floats
    item: Numbers
    items: tuple[Item, ...]
    category: Numbers
    categories: tuple[str, ...]
    colour: Numbers
    number: Numbers
    block: Numbers
    targets: Floats
    encoder: str
    channels: tuple[str, ...]
    simulated: bool = False
    offline_reason: str = ""
    rejected: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse columns of different lengths.

        Raises:
            InputError: some are.
        """
        columns = (self.static, self.dynamic, self.item, self.category, self.colour, self.number, self.block)
        if len({len(column) for column in columns}) != 1 or len(self.targets) != len(self.items):
            raise InputError(
                f"expected columns of one length and a target for each of {len(self.items)} items; "
                f"got {[len(column) for column in columns]} and {len(self.targets)}"
            )

    def __len__(self) -> int:
        return len(self.item)

    @property
    def offline_only(self) -> bool:
        """Whether a decoder trained on these trials may not run live."""
        return bool(self.offline_reason)

    def digest(self) -> str:
        """SHA-256 over everything that could change what is learned from these trials."""
        found = hashlib.sha256()
        shown = [self.items[item].key for item in self.item]
        about = (shown, self.categories, self.channels, self.encoder, self.static.shape, self.dynamic.shape)
        found.update(repr(about).encode())
        targets = self.targets[np.unique(self.item)]
        for column in (self.static, self.dynamic, self.category, self.colour, self.number, self.block, targets):
            found.update(np.ascontiguousarray(column).data)
        return found.hexdigest()

    def take(self, index: NDArray[np.bool_] | Numbers) -> "TrialSet":
        """Some of the trials; items, categories and targets stay as they are."""
        return replace(
            self,
            static=self.static[index],
            dynamic=self.dynamic[index],
            item=self.item[index],
            category=self.category[index],
            colour=self.colour[index],
            number=self.number[index],
            block=self.block[index],
        )

    def of_objects(self, numbers: Collection[int]) -> "TrialSet":
        """The trials of those object numbers."""
        return self.take(np.isin(self.number, list(numbers)))

    def averaged(self) -> "TrialSet":
        """One trial an item: the mean over its showings, standardised again."""
        shown = np.unique(self.item)
        first = np.array([np.flatnonzero(self.item == item)[0] for item in shown], dtype=np.int64)
        means = [self.item == item for item in shown]
        return replace(
            self.take(first),
            static=np.stack([standardised(self.static[rows].mean(axis=0)) for rows in means]),
            dynamic=np.stack([standardised(self.dynamic[rows].mean(axis=0)) for rows in means]),
        )
