"""What was seen: pictures, points and surfaces of items of a stimulus set, as reconstructions are held against them.

Thread: the one that called.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from calibration.metrics.shapes import in_unit_sphere
from calibration.stimuli import Item, Picture, StimulusSet
from engines.generators.base import Surface
from engines.vision.base import Pictures
from pipeline.types import Array

PICTURE_PX = 224

Surfaces = tuple[Surface | None, ...]


@dataclass(frozen=True, eq=False)
class Truth:
    """What was seen: `items`, their `pictures` (n, 224, 224, 3), `clouds` (n, 8192, 3), and `surfaces` to be looked at.

    `clouds` and `surfaces` are None where they are unknown.
    """

    items: tuple[Item, ...]
    pictures: Pictures
    clouds: tuple[Array, ...] | None
    surfaces: Surfaces | None = None


def pictures_of(stimuli: StimulusSet, items: Sequence[Item]) -> Pictures:
    """(n, 224, 224, 3), the shorter side in the middle."""
    return np.stack([square(stimuli.picture(item)) for item in items])


def clouds_of(stimuli: StimulusSet, items: Sequence[Item]) -> tuple[Array, ...] | None:
    """Points (8192, 3) of each item; None where one has none."""
    clouds = [stimuli.point_cloud(item) for item in items]
    known = tuple(in_unit_sphere(cloud[:, :3]) for cloud in clouds if cloud is not None)
    return known if len(known) == len(clouds) else None


def surfaces_of(stimuli: StimulusSet, items: Sequence[Item], simulated: bool) -> Surfaces:
    """Of each item its mesh, that of the built-in object where a participant was simulated with it, or its points.

    A cloud is a little octahedron for each point; None where a set knows nothing of the shape.
    """
    known: dict[Item, Surface | None] = {}
    for item in items:
        if item not in known:
            known[item] = _surface(stimuli, item, simulated)
    return tuple(known[item] for item in items)


def square(picture: Picture) -> Picture:
    """The middle of it, `PICTURE_PX` wide and high."""
    side = min(picture.shape[:2])
    top, left = ((length - side) // 2 for length in picture.shape[:2])
    middle = Image.fromarray(picture[top : top + side, left : left + side])
    return np.asarray(middle.resize((PICTURE_PX, PICTURE_PX), Image.Resampling.LANCZOS))


def _surface(stimuli: StimulusSet, item: Item, simulated: bool) -> Surface | None:
    from calibration.objects.builtin import BuiltIn  # a renderer takes seconds, and who wants pictures needs none
    from calibration.surface_view import surface_of, surface_of_points

    mesh = stimuli.mesh(item)
    if mesh is None and simulated and item in BuiltIn().items:
        mesh = BuiltIn().mesh(item)
    if mesh is not None:
        return surface_of(mesh)
    cloud = stimuli.point_cloud(item)
    return None if cloud is None else surface_of_points(cloud)
