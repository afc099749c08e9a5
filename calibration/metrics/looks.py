"""What shapes look like from several sides, and which category a classifier of pictures names them as (3D N-way).

    namer = Namer.of("pocket", encoder, pictures, categories)      # of training objects
    values = namer.values(surfaces)                                # (n, categories)
    credit = credit_of(values, n_way=10, k=3)                      # (n, categories)

Published are 2-way top-1 and 10-way top-3 of a classifier on the shape that came out; which classifier is not. Here a
shape is rendered from four sides a quarter turn apart, under the light of the built-in set, and the category is that
whose centre of training pictures is nearest, the cosines averaged over sides. Of objects 07's own shapes the pocket
classifier names 93 % among 72 this way, as many as from the front alone; a shape that is right on one side only is not
enough.

Thread: the one that called; renders.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from calibration.metrics.generation import Array, Centres, Classifier
from calibration.stats import top_k_credit
from calibration.stimuli import Picture
from calibration.surface_view import Coloured, SurfaceRenderer
from engines.vision.base import PictureEncoder, Pictures

SIZE_PX = 96
SIDES_DEG = (0.0, 90.0, 180.0, 270.0)
WAYS = ((2, 1), (10, 3))
"""Among how many, within the first how many, as Neuro-3D reports."""


@dataclass(frozen=True, eq=False)
class Namer:
    """A `classifier` of pictures `size_px` wide and high into `categories`; `name` is what tables call it."""

    name: str
    classifier: Classifier
    categories: tuple[str, ...]
    size_px: int = SIZE_PX

    @classmethod
    def of(
        cls,
        name: str,
        encoder: PictureEncoder,
        pictures: Pictures,
        categories: Sequence[str],
        size_px: int = SIZE_PX,
    ) -> Self:
        """The nearest centre, in the encoder's space, of `pictures` (n, height, width, 3), each of one of `categories`.

        Raises:
            InputError: something else than pictures came.
        """
        known = tuple(sorted(set(categories)))
        number = np.array([known.index(one) for one in categories], dtype=np.int64)
        return cls(name, Centres.of(encoder, encoder.embed(pictures), number), known, size_px)

    def values(self, surfaces: Sequence[Coloured | None]) -> Array:
        """(n, categories) the mean over sides; NaN for what is no surface. The same surface is looked at once."""
        distinct = {id(one): one for one in surfaces if one is not None}
        found = np.full((len(surfaces), len(self.categories)), np.nan)
        if distinct:
            views = views_of(list(distinct.values()), self.size_px)
            values = np.stack([self.classifier.logits(side) for side in views]).mean(axis=0, dtype=np.float64)
            place = {key: number for number, key in enumerate(distinct)}
            made = np.array([one is not None for one in surfaces])
            found[made] = values[[place[id(one)] for one in surfaces if one is not None]]
        return found


def credit_of(values: Array, n_way: int = 2, k: int = 1) -> Array:
    """(n, categories): the probability that a category is among the first `k` of itself and `n_way` - 1 random others.

    What is no surface is named as nothing: 0 for every category.

    Raises:
        InputError: fewer categories than `n_way`.
    """
    made = np.isfinite(values).all(axis=1)
    credit = np.zeros_like(values)
    credit[made] = top_k_credit(values[made], k, n_way)
    return credit


def views_of(
    surfaces: Sequence[Coloured], size_px: int = SIZE_PX, sides_deg: Sequence[float] = SIDES_DEG
) -> list[Picture]:
    """(n, size_px, size_px, 3) pictures of the n surfaces for each side; the thread that calls renders."""
    with SurfaceRenderer(size_px) as renderer:
        seen = [[renderer.picture(surface, side) for side in sides_deg] for surface in surfaces]
    return [np.stack(of_side) for of_side in zip(*seen, strict=True)]
