import colorsys

import numpy as np
import pytest

from calibration.objects.build import build
from calibration.objects.catalogue import CATEGORIES, HELD_OUT, N_OBJECTS
from calibration.objects.colours import FREQUENCIES, LABELS, PALETTE, colour_label, paint
from calibration.objects.render import Renderer

EVERY_LABEL = np.array([[colour_label(c, n) for n in range(N_OBJECTS)] for c in CATEGORIES])


def nearest_label(colour):
    """The label whose hue (or, for white, lack of saturation) is nearest."""
    hue, saturation, _ = colorsys.rgb_to_hsv(*colour)
    if saturation < 0.2:
        return LABELS.index("white")
    apart = [abs((colorsys.rgb_to_hsv(*PALETTE[name])[0] - hue + 0.5) % 1 - 0.5) for name in LABELS[:-1]]
    return int(np.argmin(apart))


def test_two_of_six_colours_are_far_more_frequent_as_in_eeg_3d():
    counts = np.bincount(EVERY_LABEL.ravel(), minlength=6)
    assert sum(FREQUENCIES) == pytest.approx(1) and len(FREQUENCIES) == len(LABELS) == 6
    assert counts[[2, 3]].min() > 2 * counts[[0, 1, 4, 5]].max()
    assert counts.min() > 0.04 * counts.sum()
    assert (np.bincount(EVERY_LABEL[:, list(HELD_OUT)].ravel(), minlength=6) > 0).all()


def test_the_category_does_not_tell_the_colour():
    guess = [np.bincount(row[:8], minlength=6).argmax() for row in EVERY_LABEL]
    right = (EVERY_LABEL[:, 8:] == np.array(guess)[:, None]).mean()
    assert right < max(FREQUENCIES) + 0.1


def test_the_largest_part_has_the_main_colour_and_the_smallest_an_accent():
    for number in range(N_OBJECTS):
        colours = paint("chair", number, np.array([0.02, 0.5, 0.02, 0.46]))
        assert nearest_label(colours[1]) == colour_label("chair", number)
        assert np.abs(colours[0] - colours[1]).max() > 0.1
        assert (colours >= 0).all() and (colours <= 1).all()


def test_parts_in_one_colour_differ_in_shade():
    colours = paint("chair", 0, np.full(4, 0.25))
    assert len({tuple(np.round(c, 2)) for c in colours}) == 4


@pytest.mark.parametrize("category", ["chair", "apple", "castle", "robot"])
def test_the_labels_colour_covers_most_of_the_picture(category):
    with Renderer(96) as renderer:
        for number in (0, 1, 2):
            solid = build(category, number)
            view = renderer.view(solid)
            shares = np.bincount(view.parts[view.mask], minlength=len(solid.parts)) / view.mask.sum()
            main = [nearest_label(part.colour) == solid.colour_label for part in solid.parts]
            assert shares[main].sum() > 0.45
