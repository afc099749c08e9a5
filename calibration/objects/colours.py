"""What colours objects have: six main colours, drawn without regard to the category.

As in EEG-3D, labels 2 and 3 are far more frequent than the others: Neuro-3D weighs the six by 1, 1, 0.1, 0.1, 1, 1 in
its loss (Guo et al. 2025, arXiv:2411.12248). What the six numbers mean is not published with it; here they are LABELS.
"""

import colorsys

import numpy as np

from calibration.objects.draw import Draw
from pipeline.types import Array

LABELS = ("green", "blue", "red", "yellow", "purple", "white")
FREQUENCIES = (0.08, 0.08, 0.34, 0.34, 0.08, 0.08)

PALETTE = {
    "green": (0.24, 0.60, 0.28),
    "blue": (0.20, 0.40, 0.80),
    "red": (0.80, 0.20, 0.18),
    "yellow": (0.94, 0.77, 0.18),
    "purple": (0.55, 0.30, 0.70),
    "white": (0.94, 0.93, 0.90),
    "black": (0.15, 0.15, 0.17),
    "orange": (0.93, 0.50, 0.15),
    "brown": (0.46, 0.29, 0.18),
    "pink": (0.94, 0.60, 0.70),
}
_MAIN_SHARE = (0.5, 0.95)
_STEPS = (1.0, 0.88, 0.78)
"""Of brightness, from one part to the next in the same colour, so that they stay apart."""


def colour_label(category: str, number: int) -> int:
    """The main colour of an object as a number of LABELS."""
    return int(Draw("colour", category, number).rng.choice(len(LABELS), p=FREQUENCIES))


def sentence(category: str, colour: int) -> str:
    """An object of `category` whose main colour is `colour` of LABELS, in words: "a red chair"."""
    return f"a {LABELS[colour]} {category}"


def paint(category: str, number: int, areas: Array) -> Array:
    """A colour for each part, (n, 3) from 0 to 1, where `areas` (n,) is how much is seen of each.

    The largest parts get the main colour until they make a share of what is seen that is drawn for each object, at
    least half; all others share one accent, in shades. How much there is of each colour is thereby chance rather than a
    matter of parts.
    """
    draw = Draw("paint", category, number)
    main, share = LABELS[colour_label(category, number)], draw.between(*_MAIN_SHARE)
    accent = draw.one_of(*(name for name in PALETTE if name != main))
    order = np.argsort(-areas, kind="stable")
    n_main = int(np.sum(np.cumsum(areas[order]) - areas[order] < share * areas.sum()))
    colours = np.empty((len(areas), 3))
    for rank, part in enumerate(order):
        name, again = (main, rank) if rank < n_main else (accent, rank - n_main)
        colours[part] = _shade(name, _STEPS[again % len(_STEPS)], draw)
    return colours


def _shade(name: str, brightness: float, draw: Draw) -> tuple[float, float, float]:
    hue, saturation, value = colorsys.rgb_to_hsv(*PALETTE[name])
    hue = (hue + draw.between(-0.015, 0.015)) % 1
    saturation = saturation * draw.between(0.85, 1.0)
    return colorsys.hsv_to_rgb(hue, saturation, min(1.0, value * draw.between(0.9, 1.05)) * brightness)
