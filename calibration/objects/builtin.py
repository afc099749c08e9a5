"""The built-in stimulus set: pictures and descriptors as shipped, shapes and turns made when asked for."""

from functools import lru_cache
from pathlib import Path

import numpy as np
import trimesh
from PIL import Image

from calibration.descriptors import Described
from calibration.objects.build import build
from calibration.objects.catalogue import N_OBJECTS
from calibration.objects.colours import colour_label
from calibration.objects.render import Renderer
from calibration.objects.shipped import DESCRIPTORS, FOLDER, ITEMS, Shipped, picture_file
from calibration.objects.solid import Solid
from calibration.objects.turn import TURN_S, turn_deg
from calibration.stimuli import Item, Picture
from engines.errors import InputError
from pipeline.types import Array

PICTURE_PX = 224
TURN_HZ = 30.0


class BuiltIn:
    """The 72 categories of 10 objects as a StimulusSet.

    What is shipped is read when first asked for, and checked; SetDamaged if it is not what the manifest says.

    Thread: any, one at a time.
    """

    def __init__(self, folder: Path = FOLDER) -> None:
        self._shipped = Shipped(folder)
        self._strip = lru_cache(maxsize=16)(self._read_strip)
        self._described = lru_cache(maxsize=1)(self._read_described)

    @property
    def name(self) -> str:
        """What reports call the set."""
        return "built-in objects"

    @property
    def items(self) -> tuple[Item, ...]:
        """All 720, in the catalogue's order."""
        return ITEMS

    def picture(self, item: Item) -> Picture:
        """(224, 224, 3) red, green, blue."""
        start = _number(item) * PICTURE_PX
        return self._strip(item.category)[:, start : start + PICTURE_PX].copy()

    def turn(self, item: Item) -> tuple[Picture, float]:
        """(180, 224, 224, 3), rendered now (some seconds), and 30 Hz."""
        solid = self.solid(item)
        with Renderer(PICTURE_PX) as renderer:
            frames = [renderer.picture(solid, turn_deg(i / TURN_HZ)) for i in range(round(TURN_S * TURN_HZ))]
        return np.stack(frames), TURN_HZ

    def solid(self, item: Item) -> Solid:
        """The object's named and coloured parts."""
        return build(item.category, _number(item))

    def mesh(self, item: Item) -> trimesh.Trimesh:
        """The object's shape with face colours, within the unit sphere."""
        return self.solid(item).mesh()

    def point_cloud(self, item: Item) -> Array:
        """(8192, 6) x y z and red green blue from 0 to 1."""
        return self.solid(item).point_cloud()

    def colour_label(self, item: Item) -> int:
        """Number of the main colour in `colours.LABELS`."""
        return colour_label(item.category, _number(item))

    def descriptors(self, item: Item) -> tuple[Array, Array]:
        """z-scores of the picture (len(STILL),) and of the turn (60, len(MOVING)) at MOVING_HZ."""
        _number(item)
        described = self._described()
        row = described.keys.index(item.key)
        return described.still[row], described.moving[row]

    def described(self) -> Described:
        """The descriptors of the whole set, and the scale that they are on."""
        return self._described()

    def _read_strip(self, category: str) -> Picture:
        with Image.open(self._shipped.checked(picture_file(category))) as strip:
            return np.asarray(strip.convert("RGB"))

    def _read_described(self) -> Described:
        return Described.load(self._shipped.checked(DESCRIPTORS))


def _number(item: Item) -> int:
    """The object's number.

    Raises:
        InputError: there is no such item.
    """
    if item not in _NUMBERS:
        raise InputError(
            f"The built-in set has no {item.key}: expected one of its categories and 00 to {N_OBJECTS - 1:02d}."
        )
    return _NUMBERS[item]


_NUMBERS = {item: int(item.object) for item in ITEMS}
