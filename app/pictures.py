"""Small pictures and shapes of what a subject knows: loaded beside the window, kept, asked for again by nobody."""

from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from PIL import Image
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from app.panels.ramp import image_of
from app.stimulus.meshes import Model, of_mesh
from calibration.stimuli import Item, StimulusSet
from engines.errors import AfterimageError, InputError

SIDE_PX = 224
MAX_KEPT = 256
MESH = "mesh of "
UNNAMED = "the subject names no stimulus set"


def opened(where: str) -> StimulusSet:
    """The stimulus set. Its module is loaded with the first: it brings a renderer along."""
    from calibration.open_set import open_set

    return open_set(where)


class Pictures(QObject):
    """Pictures and meshes by their key, `category/object`, from one stimulus set at a time.

    `changed` when a picture or a mesh of that key came, or is known not to come.

    Thread: main only; loading is done in a thread of its own, which ends with `close`.
    """

    changed = Signal(str)
    _came = Signal(int, str, object, str)

    def __init__(self, parent: QObject | None = None, open_set: Callable[[str], StimulusSet] = opened) -> None:
        super().__init__(parent)
        self._open_set = open_set
        self._jobs: ThreadPoolExecutor | None = None
        self._number = 0  # of the set; pictures of an older one come too late
        self._where = ""
        self._open: tuple[int, StimulusSet, dict[str, Item]] | None = None  # of the loading thread alone
        self._kept: OrderedDict[str, QImage | Model | str] = OrderedDict()
        self._asked: set[str] = set()
        self._came.connect(self._on_came)

    def use(self, where: str) -> None:
        """Another set from now on, as `open_set` takes it; "" for none."""
        self._number += 1
        self._where = where
        self._kept.clear()
        self._asked.clear()

    def picture(self, key: str) -> QImage | None:
        """The picture, at most `SIDE_PX` wide and high; None when it is not there (yet), and then it is asked for."""
        found = self._found(key)
        return found if isinstance(found, QImage) else None

    def why_not(self, key: str) -> str:
        """Why there will be no picture; "" when there is one, or it may still come."""
        found = self._found(key)
        return found if isinstance(found, str) else ""

    def model(self, key: str) -> Model | None:
        """The mesh, ready to be drawn; None when it is not there (yet), and then it is asked for."""
        found = self._found(MESH + key)
        return found if isinstance(found, Model) else None

    def why_no_model(self, key: str) -> str:
        """Why there will be no mesh; "" when there is one, or it may still come."""
        found = self._found(MESH + key)
        return found if isinstance(found, str) else ""

    def close(self) -> None:
        """End the loading and wait for it."""
        self.use("")
        if self._jobs is not None:
            self._jobs.shutdown(wait=True, cancel_futures=True)
            self._jobs = None

    def _found(self, key: str) -> QImage | Model | str | None:
        if not self._where:
            return UNNAMED
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        if key not in self._asked:
            self._asked.add(key)
            self._jobs = self._jobs or ThreadPoolExecutor(1, thread_name_prefix="afterimage-pictures")
            self._jobs.submit(self._load_job, self._number, self._where, key)
        return None

    def _on_came(self, number: int, key: str, found: QImage | Model | None, why_not: str) -> None:
        if number != self._number:
            return
        self._asked.discard(key)
        self._kept[key] = found or why_not
        while len(self._kept) > MAX_KEPT:
            self._kept.popitem(last=False)
        self.changed.emit(key.removeprefix(MESH))

    # In the thread that loads.

    def _load_job(self, number: int, where: str, key: str) -> None:
        found: QImage | Model | None = None
        why_not = ""
        try:
            stimuli, item = self._opened(number, where, key.removeprefix(MESH))
            found = _mesh(stimuli, item) if key.startswith(MESH) else _picture(stimuli, item)
        except AfterimageError as error:
            why_not = str(error)
        except Exception as error:  # noqa: BLE001 - a picture that cannot be read must not end the loading of others
            why_not = f"{type(error).__name__}: {error}"
        self._came.emit(number, key, found, why_not)

    def _opened(self, number: int, where: str, key: str) -> tuple[StimulusSet, Item]:
        if self._open is None or self._open[0] != number:
            stimuli = self._open_set(where)
            self._open = number, stimuli, {item.key: item for item in stimuli.items}
        _, stimuli, items = self._open
        if key not in items:
            raise InputError(f"{stimuli.name} has no {key}")
        return stimuli, items[key]


def _picture(stimuli: StimulusSet, item: Item) -> QImage:
    picture = Image.fromarray(stimuli.picture(item)).convert("RGB")
    picture.thumbnail((SIDE_PX, SIDE_PX))
    return image_of(np.asarray(picture))


def _mesh(stimuli: StimulusSet, item: Item) -> Model:
    mesh = stimuli.mesh(item)
    if mesh is None:
        raise InputError(f"{stimuli.name} has no mesh of {item.key}")
    return of_mesh(mesh)
