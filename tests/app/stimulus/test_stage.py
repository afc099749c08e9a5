"""What is really drawn, on a window of Xvfb, read back pixel by pixel."""

import os
import subprocess
import sys

import numpy as np
import pytest

from calibration.objects.build import build
from calibration.objects.render import BACKGROUND, Renderer
from calibration.objects.turn import turn_deg
from tests.app.stimulus.drawing import SIDE_PX

SQUARE = slice(SIDE_PX // 10, -SIDE_PX // 10)


@pytest.fixture(scope="module")
def drawn(xvfb, tmp_path_factory):
    folder = tmp_path_factory.mktemp("drawn")
    subprocess.run(
        [sys.executable, "-m", "tests.app.stimulus.drawing", str(folder)],
        env={**os.environ, **xvfb}, check=True, timeout=120,
    )  # fmt: skip
    with np.load(folder / "drawn.npz") as arrays:
        return dict(arrays)


def inked(picture):
    """Where something other than the background is."""
    return np.abs(picture.astype(int) - BACKGROUND).max(axis=2) > 8


@pytest.mark.parametrize(("name", "angle_deg"), [("picture", 0.0), ("turn", turn_deg(1.5))])
def test_an_object_looks_as_in_its_rendered_picture(drawn, name, angle_deg):
    with Renderer(4 * SIDE_PX // 5) as renderer:
        expected = renderer.view(build("car", 3), angle_deg).picture
    found = drawn[name][SQUARE, SQUARE]
    # Edges are smoothed in another way: they differ along a part of the outline, by a pixel.
    assert np.sum(inked(found) != inked(expected)) < 0.02 * np.sum(inked(expected))
    inside = inked(found) & inked(expected)
    assert np.median(np.abs(found[inside].astype(int) - expected[inside])) <= 2
    assert np.mean(np.abs(found[inside].astype(int) - expected[inside])) < 4


def test_the_turn_shows_another_side(drawn):
    assert np.mean(inked(drawn["picture"]) != inked(drawn["turn"])) > 0.01


def test_an_empty_screen_is_the_pictures_grey(drawn):
    assert np.all(np.abs(drawn["blank"].astype(int) - BACKGROUND) <= 1)
    assert np.array_equal(drawn["dark"], drawn["blank"])


def test_a_lit_flicker_is_the_picture(drawn):
    assert np.array_equal(drawn["lit"], drawn["picture"])


def test_the_cross_is_small_dark_and_in_the_middle(drawn):
    rows, columns = np.nonzero(inked(drawn["fixation"]))
    assert abs(rows.mean() - SIDE_PX / 2) < 1 and abs(columns.mean() - SIDE_PX / 2) < 1
    assert np.ptp(rows) < 40 and drawn["fixation"][inked(drawn["fixation"])].mean() < 60


def test_a_tangram_covers_what_its_pieces_do(drawn):
    # Seven pieces of area 8 in a figure 5 units high, whose longer side is three quarters of the square.
    unit_px = 0.75 * 0.8 * SIDE_PX / 5
    assert inked(drawn["figure"]).sum() == pytest.approx(8 * unit_px**2, rel=0.05)


@pytest.mark.parametrize("name", ["word", "break"])
def test_words_are_white_and_within_the_window(drawn, name):
    rows, columns = np.nonzero(inked(drawn[name]))
    assert drawn[name].max() > 240
    assert rows.min() > 5 and rows.max() < SIDE_PX - 5 and columns.min() > 5 and columns.max() < SIDE_PX - 5


def test_the_photodiodes_patch_is_white_only_while_a_picture_is_on(drawn):
    names = ("picture", "turn", "blank", "lit", "dark", "word", "fixation")
    corner = {name: int(drawn[f"{name}-photodiode"][-20, 20, 0]) for name in names}
    assert corner == {"picture": 255, "lit": 255, "word": 255, "turn": 0, "blank": 0, "dark": 0, "fixation": 0}
    assert drawn["picture"][-20, 20, 0] == BACKGROUND


def test_keys_are_named_and_repeats_left_out(drawn):
    assert list(drawn["keys"]) == ["space", "j", "escape"]
