"""What EEG-3D calls its objects."""

import re
from dataclasses import dataclass

from calibration.sets.errors import SetUnusable
from calibration.stimuli import Item

TRAINING_OBJECTS = tuple(f"{k:02d}" for k in range(8))
TEST_OBJECTS = ("08", "09")
_LABEL = re.compile(r"(\d\d)_(.+)_(\d\d)")


@dataclass(frozen=True)
class Label:
    """A name as in name_label.npy: `number`_`category`_`object`."""

    number: str
    category: str
    object: str

    @classmethod
    def parse(cls, text: str) -> "Label":
        """`01_airplane_06` in its parts.

        Raises:
            SetUnusable: another form.
        """
        found = _LABEL.fullmatch(text)
        if found is None:
            raise SetUnusable(f"EEG-3D name {text!a}: expected NN_category_NN, such as 01_airplane_06")
        return cls(*found.groups())

    def __str__(self) -> str:
        return f"{self.number}_{self.key}"

    @property
    def key(self) -> str:
        """As in point clouds, colour labels and features: without the category's number."""
        return f"{self.category}_{self.object}"

    @property
    def item(self) -> Item:
        """As the rest of the application knows it."""
        return Item(self.category, self.object)

    @property
    def held_out(self) -> bool:
        """Whether the published split tests with it: objects 08 and 09."""
        return self.object in TEST_OBJECTS
