"""What the items of a set look like, as the stage can draw them: meshes drawn live, pictures, frames of a video."""

from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from app.stimulus.meshes import Model, of_mesh, of_solid
from calibration.objects.build import build
from calibration.open_set import BUILT_IN, open_set
from calibration.stimuli import Item, Picture, StimulusSet
from engines.errors import InputError

LARGEST_PX = 1024
Video = tuple[Picture, float]


class Supply:
    """The stimulus set named `name`: "builtin", a folder, or "" where a protocol needs none.

    Built-in objects are meshes in stillness and in motion, so that nothing but the motion begins with the turn. Of
    other sets the picture is their own, and a mesh goes before a video.

    Thread: one at a time.
    """

    def __init__(self, name: str) -> None:
        """Raises SetUnusable: no such folder, or nothing in it that can be shown."""
        self._set: StimulusSet | None = None if name in ("", BUILT_IN) else open_set(name)

    def still(self, item: Item) -> Model | Picture:
        """What is drawn as the item's picture.

        Raises:
            InputError: the set has no such item, or it cannot be read.
        """
        return _built(item) if self._set is None else _bounded(self._set.picture(item))

    def moving(self, item: Item) -> Model | None:
        """The mesh that turns; None where there is a video instead."""
        if self._set is None:
            return _built(item)
        mesh = self._set.mesh(item)
        return None if mesh is None else of_mesh(mesh)

    def video(self, item: Item) -> Video:
        """Frames (n, height, width, 3) and their rate in Hz.

        Raises:
            InputError: the item has neither mesh nor video.
        """
        found = None if self._set is None else self._set.turn(item)
        if found is None:
            raise InputError(
                f"{item.key} of the stimulus set has neither mesh nor video, so it cannot be shown turning"
            )
        return found


class Videos:
    """Reads the next videos while others are shown: one alone may take hundreds of megabytes.

    Thread: one only; it reads in a thread of its own.
    """

    def __init__(self, supply: Supply) -> None:
        self._supply = supply
        self._reader = ThreadPoolExecutor(1, "videos")
        self._read: dict[Item, Future[Video]] = {}

    def want(self, items: Iterable[Item]) -> None:
        """These are shown next; all others are forgotten."""
        wanted = list(dict.fromkeys(items))
        for item in set(self._read) - set(wanted):
            self._read.pop(item).cancel()
        for item in wanted:
            if item not in self._read:
                self._read[item] = self._reader.submit(self._supply.video, item)

    def ready(self, item: Item) -> bool:
        """Whether `get` returns at once."""
        return item in self._read and self._read[item].done()

    def get(self, item: Item) -> Video:
        """What was read.

        Raises:
            InputError: it cannot be read.
        """
        return self._read[item].result()

    def close(self) -> None:
        """Read no more."""
        self._reader.shutdown(cancel_futures=True)


def _built(item: Item) -> Model:
    if not item.object.isdecimal():
        raise InputError(f"expected a number as the object of a built-in category, got {item.key}")
    return of_solid(build(item.category, int(item.object)))


def _bounded(picture: Picture) -> Picture:
    """What is far finer than a screen, averaged over blocks of pixels."""
    step = -(-max(picture.shape[:2]) // LARGEST_PX)
    if step <= 1:
        return picture
    height, width = (n // step * step for n in picture.shape[:2])
    blocks = picture[:height, :width].reshape(height // step, step, width // step, step, 3)
    return np.asarray(np.round(blocks.mean(axis=(1, 3))), dtype=np.uint8)
