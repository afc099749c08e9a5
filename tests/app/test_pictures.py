import threading
from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from app.pictures import SIDE_PX, Pictures
from calibration.stimuli import Item, Picture
from engines.errors import InputError


class Shelf:
    """A set of plain red pictures, 300 by 150."""

    name = "shelf"

    def __init__(self, keys: Sequence[str], damaged: Sequence[str] = ()) -> None:
        self.items = tuple(Item(*key.split("/")) for key in keys)
        self.damaged = damaged
        self.read: list[str] = []
        self.threads: set[str] = set()

    def picture(self, item: Item) -> Picture:
        self.read.append(item.key)
        self.threads.add(threading.current_thread().name)
        if item.key in self.damaged:
            raise OSError("broken data stream")
        return np.full((150, 300, 3), (200, 0, 0), np.uint8)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf(("chair/03", "dog/01"), damaged=("dog/01",))


@pytest.fixture
def pictures(qtbot, shelf: Shelf) -> Iterator[Pictures]:
    made = Pictures(open_set=lambda where: shelf)
    made.use("shelf")
    yield made
    made.close()


def test_a_picture_is_read_once_beside_the_window_and_made_small(pictures: Pictures, shelf: Shelf, qtbot) -> None:
    with qtbot.waitSignal(pictures.changed) as changed:
        assert pictures.picture("chair/03") is None
        assert pictures.picture("chair/03") is None
    assert changed.args == ["chair/03"]
    image = pictures.picture("chair/03")
    assert image is not None
    assert (image.width(), image.height()) == (SIDE_PX, SIDE_PX // 2)
    assert image.pixelColor(5, 5).getRgb()[:3] == (200, 0, 0)
    assert pictures.why_not("chair/03") == ""
    assert shelf.read == ["chair/03"]
    assert all(name.startswith("afterimage-pictures") for name in shelf.threads)


def test_a_damaged_picture_says_why_and_the_next_one_still_comes(pictures: Pictures, qtbot) -> None:
    with qtbot.waitSignal(pictures.changed):
        assert pictures.why_not("dog/01") == ""
    assert pictures.why_not("dog/01") == "OSError: broken data stream"
    assert pictures.picture("dog/01") is None
    with qtbot.waitSignal(pictures.changed):
        pictures.picture("chair/03")
    assert pictures.picture("chair/03") is not None


def test_another_set_begins_empty_and_what_was_asked_of_the_older_one_does_not_come(qtbot) -> None:
    asked, may_open = threading.Event(), threading.Event()

    def open_set(where: str) -> Shelf:
        asked.set()
        may_open.wait(10.0)
        if where == "old":
            return Shelf(("chair/03",))
        raise InputError("another set")

    pictures = Pictures(open_set=open_set)
    pictures.use("old")
    pictures.picture("chair/03")
    assert asked.wait(10.0)
    pictures.use("new")
    may_open.set()
    with qtbot.waitSignal(pictures.changed):
        pictures.picture("chair/03")
    assert pictures.why_not("chair/03") == "another set"
    pictures.close()


def test_without_a_set_nothing_is_loaded(pictures: Pictures, shelf: Shelf) -> None:
    pictures.use("")
    assert pictures.picture("chair/03") is None
    assert "names no stimulus set" in pictures.why_not("chair/03")
    assert shelf.read == []


def test_the_built_in_set_is_opened_by_its_name(qtbot) -> None:
    pictures = Pictures()
    pictures.use("builtin")
    with qtbot.waitSignal(pictures.changed, timeout=20_000):
        pictures.picture("chair/03")
    image = pictures.picture("chair/03")
    assert image is not None and image.width() == SIDE_PX
    pictures.close()
