"""Small pictures of what a subject knows: loaded beside the window, kept, and asked for again by nobody."""

from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from PIL import Image
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from calibration.stimuli import Item, StimulusSet
from engines.errors import AfterimageError, InputError

SIDE_PX = 128
MAX_KEPT = 512
UNNAMED = "the subject names no stimulus set"


def opened(where: str) -> StimulusSet:
    """The stimulus set. Its module is loaded with the first: it brings a renderer along."""
    from calibration.open_set import open_set

    return open_set(where)


class Pictures(QObject):
    """Pictures by their key, `category/object`, from one stimulus set at a time.

    `changed` when a picture came, or is known not to come.

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
        self._kept: OrderedDict[str, QImage | str] = OrderedDict()
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

    def close(self) -> None:
        """End the loading and wait for it."""
        self.use("")
        if self._jobs is not None:
            self._jobs.shutdown(wait=True, cancel_futures=True)
            self._jobs = None

    def _found(self, key: str) -> QImage | str | None:
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

    def _on_came(self, number: int, key: str, image: QImage | None, why_not: str) -> None:
        if number != self._number:
            return
        self._asked.discard(key)
        self._kept[key] = image or why_not
        while len(self._kept) > MAX_KEPT:
            self._kept.popitem(last=False)
        self.changed.emit(key)

    # In the thread that loads.

    def _load_job(self, number: int, where: str, key: str) -> None:
        try:
            image, why_not = self._loaded(number, where, key), ""
        except AfterimageError as error:
            image, why_not = None, str(error)
        except Exception as error:  # noqa: BLE001 - a picture that cannot be read must not end the loading of others
            image, why_not = None, f"{type(error).__name__}: {error}"
        self._came.emit(number, key, image, why_not)

    def _loaded(self, number: int, where: str, key: str) -> QImage:
        if self._open is None or self._open[0] != number:
            stimuli = self._open_set(where)
            self._open = number, stimuli, {item.key: item for item in stimuli.items}
        _, stimuli, items = self._open
        if key not in items:
            raise InputError(f"{stimuli.name} has no {key}")
        picture = Image.fromarray(stimuli.picture(items[key]))
        picture.thumbnail((SIDE_PX, SIDE_PX))
        rows = picture.convert("RGB").tobytes()
        return QImage(rows, *picture.size, 3 * picture.width, QImage.Format.Format_RGB888).copy()
