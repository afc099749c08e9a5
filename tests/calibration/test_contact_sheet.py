"""Contact sheets show every picture where it belongs, and say what the pictures are not."""

import numpy as np
import pytest

from calibration.contact_sheet import Tile, sheet
from engines.errors import InputError

PLAIN = np.full((8, 8, 3), 255, np.uint8)


def coloured(red: int, green: int, blue: int, size: int = 8) -> Tile:
    return Tile(np.full((size, size, 3), (red, green, blue), np.uint8))


def area_of(page: np.ndarray, colour: tuple[int, int, int]) -> int:
    return int((page == colour).all(axis=2).sum())


def test_every_tile_is_shown_at_the_size_asked_for() -> None:
    page = sheet([(coloured(255, 0, 0), coloured(0, 255, 0, size=300))], tile_px=40)
    assert area_of(page, (255, 0, 0)) == area_of(page, (0, 255, 0)) == 40 * 40


def test_truth_stands_left_of_what_was_made_of_it() -> None:
    page = sheet([(coloured(255, 0, 0), coloured(0, 255, 0))] * 2, tile_px=40)
    red, green = ((page == colour).all(axis=2) for colour in ((255, 0, 0), (0, 255, 0)))
    assert np.nonzero(red.any(axis=0))[0].max() < np.nonzero(green.any(axis=0))[0].min()
    assert (red.any(axis=1) == green.any(axis=1)).all()


def test_rows_beside_one_another_make_the_page_wider_and_lower() -> None:
    rows = [(coloured(255, 0, 0),)] * 6
    one, three = sheet(rows, tile_px=40), sheet(rows, tile_px=40, across=3)
    assert three.shape[0] < one.shape[0]
    assert three.shape[1] > one.shape[1]
    assert area_of(three, (255, 0, 0)) == 6 * 40 * 40


def test_a_mark_changes_the_heading_alone() -> None:
    rows = [(coloured(255, 0, 0),)]
    bare, marked = sheet(rows, title="S09"), sheet(rows, title="S09", marks=("simulated", "pocket"))
    more = marked.shape[0] - bare.shape[0]
    assert more > 0
    assert (marked[-40:] == bare[-40:]).all()


def test_what_was_not_made_is_grey_and_not_left_out() -> None:
    page = sheet([(coloured(255, 0, 0), Tile(None))], tile_px=80)
    assert area_of(page, (228, 230, 233)) > 0.7 * 80 * 80


def test_long_captions_leave_the_page_as_wide_as_it_was() -> None:
    rows = [(Tile(PLAIN, "a" * 400),), (Tile(PLAIN, "many words " * 40),)]
    assert sheet(rows).shape[1] == sheet([(Tile(PLAIN),)]).shape[1]


@pytest.mark.parametrize(
    ("rows", "columns"), [([], ()), ([(coloured(0, 0, 0),), ()], ()), ([(coloured(0, 0, 0),)], ("a", "b"))]
)
def test_rows_that_fit_no_table_are_refused(rows: list[tuple[Tile, ...]], columns: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match="as many tiles as there are columns"):
        sheet(rows, columns)
