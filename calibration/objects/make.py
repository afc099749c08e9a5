"""Makes the files that ship with the built-in set, and the page about it.

In the checkout: `python -m calibration.objects.make`.
"""

import logging
from pathlib import Path

import numpy as np
from PIL import Image

from calibration.descriptors import MOVING_HZ, SIZE_PX, Described, describe_still, describe_turn
from calibration.objects.build import build
from calibration.objects.builtin import PICTURE_PX, BuiltIn
from calibration.objects.catalogue import CATEGORIES, N_OBJECTS
from calibration.objects.render import Renderer
from calibration.objects.sheet import make_docs
from calibration.objects.shipped import DESCRIPTORS, FOLDER, ITEMS, picture_file, seal
from calibration.objects.solid import Solid
from calibration.objects.turn import TURN_S, turn_deg
from pipeline.types import Array

_log = logging.getLogger(__name__)


def make_data(folder: Path = FOLDER) -> None:
    """Render and describe every object and write pictures, descriptors and manifest into `folder`.

    Takes minutes. Embeddings are not made here; those that lie in `folder` are those of the pictures before.

    Thread: any one (it holds a graphics context).
    """
    folder.mkdir(parents=True, exist_ok=True)
    make_pictures(folder)
    make_descriptors(folder)
    seal(folder)


def make_pictures(folder: Path) -> None:
    """One WebP strip for each category."""
    with Renderer(PICTURE_PX) as renderer:
        for category in CATEGORIES:
            strip = np.hstack([renderer.picture(build(category, number)) for number in range(N_OBJECTS)])
            Image.fromarray(strip).save(folder / picture_file(category), lossless=True, quality=80, method=4)


def make_descriptors(folder: Path) -> None:
    """What `calibration.descriptors` says of each picture and each turn."""
    still, moving = [], []
    with Renderer(PICTURE_PX) as large, Renderer(SIZE_PX) as small:
        for item in ITEMS:
            solid = build(item.category, int(item.object))
            view = large.view(solid)
            still.append(describe_still(view.picture, view.mask, view.parts))
            moving.append(_describe_turn(small, solid))
            _log.info("described %s", item.key)
    Described.of(tuple(item.key for item in ITEMS), np.stack(still), np.stack(moving)).save(folder / DESCRIPTORS)


def _describe_turn(renderer: Renderer, solid: Solid) -> Array:
    views = [renderer.view(solid, turn_deg(i / MOVING_HZ)) for i in range(round(TURN_S * MOVING_HZ))]
    return describe_turn(np.stack([view.picture for view in views]), np.stack([view.mask for view in views]))


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    make_data()
    make_docs(Path("docs"), BuiltIn())
