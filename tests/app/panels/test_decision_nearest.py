from collections.abc import Iterator

import numpy as np
import pytest

from app.panels.decision_nearest import NearestRow
from app.pictures import Pictures
from engines.errors import InputError
from tests.app.anytime import answer
from tests.app.test_pictures import Shelf


@pytest.fixture
def pictures(qtbot) -> Iterator[Pictures]:
    made = Pictures(open_set=lambda where: Shelf(("chair/03", "chair/07")))
    yield made
    made.close()


@pytest.fixture
def row(qtbot, pictures: Pictures) -> NearestRow:
    made = NearestRow()
    qtbot.addWidget(made)
    made.resize(260, made.height())
    made.set_pictures(pictures)
    made.show()
    return made


def reds(row: NearestRow) -> int:
    """Pixels in the colour of the pictures of a Shelf."""
    image = row.grab().toImage().convertToFormat(row.grab().toImage().Format.Format_RGB888)
    data = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    pixels = data[:, : 3 * image.width()].reshape(image.height(), image.width(), 3)
    return int(np.sum((pixels == (200, 0, 0)).all(axis=2)))


def test_the_pictures_appear_when_they_have_been_loaded(row: NearestRow, pictures: Pictures, qtbot) -> None:
    pictures.use("shelf")
    row.set_decision(answer(0, 0, nearest=("chair/03", "chair/07")))
    assert reds(row) == 0
    qtbot.waitUntil(lambda: pictures.picture("chair/03") is not None and pictures.picture("chair/07") is not None)
    assert reds(row) > 2 * 55 * 26
    assert "chair/03  0.800" in row.toolTip()


def test_a_picture_that_is_not_in_the_set_is_named_with_the_reason(row: NearestRow, pictures: Pictures, qtbot) -> None:
    pictures.use("shelf")
    row.set_decision(answer(0, 0, nearest=("dog/01",)))
    qtbot.waitUntil(lambda: bool(row.missing()))
    assert row.missing() == {"dog/01": "shelf has no dog/01"}
    assert "dog/01" in row.toolTip() and "shelf has no dog/01" in row.toolTip()
    row.grab()


def test_a_set_that_is_not_there_leaves_the_names_and_says_why(qtbot) -> None:
    def refuse(where: str) -> Shelf:
        raise InputError(f"{where} is no folder")

    pictures, row = Pictures(open_set=refuse), NearestRow()
    qtbot.addWidget(row)
    row.set_pictures(pictures)
    pictures.use("/gone")
    row.set_decision(answer(0, 0, nearest=("chair/03",)))
    qtbot.waitUntil(lambda: bool(row.missing()))
    assert row.missing() == {"chair/03": "/gone is no folder"}
    pictures.close()


def test_a_subject_that_names_no_set_has_names_alone(row: NearestRow) -> None:
    row.set_decision(answer(0, 0))
    assert set(row.missing().values()) == {"the subject names no stimulus set"}
