"""What the pocket picture generators learn from: built-in objects from all sides, in other colours, moved about.

Thread: any.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Self, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from calibration.objects.colours import FREQUENCIES
from calibration.objects.render import BACKGROUND
from calibration.recipes.augment import Augmentation, moved, repainted
from calibration.recipes.object_views import ObjectViews
from engines.vision.base import Pictures
from engines.vision.pocket import PocketVision

T = TypeVar("T")
Encode = Callable[[Tensor], Tensor]

_CHANGES = Augmentation()


@dataclass(frozen=True, eq=False)
class Shown:
    """Pictures (n, 3, size, size) from -1 to 1, where the object is (n, 1, size, size), raw embeddings (n, dim), and
    numbers of categories and main colours (n,), latents (n, 4, side, side) where they were asked for.
    """

    pictures: Tensor
    cover: Tensor
    embeddings: Tensor
    categories: Tensor
    colours: Tensor
    latents: Tensor = field(default_factory=lambda: torch.empty(0))

    def __len__(self) -> int:
        return len(self.pictures)


def ahead(make: Callable[[], T], n: int) -> Iterator[T]:
    """`make()` n times, each while the one before is used."""
    with ThreadPoolExecutor(1, thread_name_prefix="batches") as worker:
        coming = worker.submit(make)
        for left in reversed(range(n)):
            made = coming.result()
            if left:
                coming = worker.submit(make)
            yield made


@dataclass(frozen=True)
class Choice:
    """Which views are drawn: a share `fronts` from the angle of the object's own picture, the others from any of the
    turn's; `moved` (turned in the plane, mirrored, enlarged, stretched, shifted) or not; `even` if rare main colours
    shall come as often as frequent ones.
    """

    fronts: float = 0.4
    moved: bool = True
    even: bool = True


def batches(
    views: ObjectViews, encoder: PocketVision, size: int, n: int, seed: int, choice: Choice,
    encode: Encode | None = None,
) -> Iterator[Shown]:  # fmt: skip
    """`n` batches of `size` pictures, drawn from `views`, with latents if `encode` makes them of pictures.

    The same seed gives the same ones.
    """
    rng, random = np.random.default_rng(seed), torch.Generator().manual_seed(seed)

    def make() -> Shown:
        shown = _drawn(views, encoder, size, choice, rng, random)
        return replace(shown, latents=encode(shown.pictures)) if encode else shown

    return ahead(make, n)


def _drawn(
    views: ObjectViews, encoder: PocketVision, size: int, choice: Choice, rng: np.random.Generator,
    random: torch.Generator,
) -> Shown:  # fmt: skip
    n_objects, n_angles, n_paints = len(views.pictures), views.pictures.shape[1], views.gains.shape[1]
    objects, paints = rng.integers(n_objects, size=size), rng.integers(n_paints, size=size)
    if choice.even:
        rarity = -np.log(FREQUENCIES)[views.colours[objects]]  # (n, paint)
        paints = np.argmax(rarity + rng.gumbel(size=rarity.shape), axis=1)
    angles = np.where(rng.random(size) < choice.fronts, 0, rng.integers(n_angles, size=size))
    layers = repainted(
        torch.from_numpy(views.pictures[objects, angles]),
        torch.from_numpy(views.parts[objects, angles]),
        torch.from_numpy(views.gains[objects, paints]),
    )
    if choice.moved:
        layers = _moved(layers, random)
    colours = torch.from_numpy(views.colours[objects, paints])
    return _shown(layers[:, :3], layers[:, 3:], encoder, torch.from_numpy(views.categories[objects]), colours)


class Kept(NamedTuple):
    """Embeddings (m, dim) and latents (m, 4, side, side) of as many views, made once and shown again and again."""

    embeddings: Tensor
    latents: Tensor

    @classmethod
    def of(cls, shown: Iterator[Shown]) -> Self:
        """Of batches that hold latents."""
        both = [(batch.embeddings, batch.latents) for batch in shown]
        return cls(*(torch.cat(column) for column in zip(*both, strict=True)))

    def batches(self, size: int, n: int, seed: int) -> Iterator[Self]:
        """`n` batches of `size`, each view once before any comes again."""
        random, order = torch.Generator().manual_seed(seed), torch.empty(0, dtype=torch.long)
        for _ in range(n):
            while len(order) < size:
                order = torch.cat([order, torch.randperm(len(self.embeddings), generator=random)])
            now, order = order[:size], order[size:]
            yield type(self)(self.embeddings[now], self.latents[now])


def fronts(views: ObjectViews, encoder: PocketVision) -> Shown:
    """Every object of `views` as its own picture shows it."""
    layers = repainted(
        torch.from_numpy(views.fronts), torch.from_numpy(views.parts[:, 0]), torch.from_numpy(views.gains[:, 0])
    )
    categories, colours = torch.from_numpy(views.categories), torch.from_numpy(views.colours[:, 0])
    return _shown(layers[:, :3], layers[:, 3:], encoder, categories, colours)


def as_pictures(values: Tensor) -> Pictures:
    """(n, 3, size, size) from -1 to 1 to (n, size, size, 3) of 255."""
    scaled: NDArray[np.uint8] = (values.clamp(-1, 1) * 127.5 + 127.5).round().to(torch.uint8).numpy()
    return np.ascontiguousarray(scaled.transpose(0, 2, 3, 1))


def mixed(embeddings: Tensor, most: float, random: torch.Generator) -> Tensor:
    """Every second of `embeddings` (n, dim) with an error as a decoder of EEG makes it: towards other pictures.

    The error is a random share, at most `most`, of the difference of two others / sqrt 2, which varies as embeddings
    themselves do.
    """
    n = len(embeddings)
    one, other = (embeddings[torch.randperm(n, generator=random)] for _ in range(2))
    share = most * torch.rand(n, 1, generator=random) * (torch.arange(n) % 2)[:, None]
    return embeddings + share * (one - other) / 2**0.5


def _shown(colour: Tensor, cover: Tensor, encoder: PocketVision, categories: Tensor, colours: Tensor) -> Shown:
    pictures = 2 * (colour + BACKGROUND / 255 * (1 - cover)) - 1
    embeddings = torch.from_numpy(encoder.embed(as_pictures(pictures)))
    return Shown(pictures, cover, embeddings, categories, colours)


def _moved(layers: Tensor, random: torch.Generator) -> Tensor:
    n = len(layers)

    def uniform(most: float, *shape: int) -> Tensor:
        return most * (2 * torch.rand(n, *shape, generator=random) - 1)

    zoom = _CHANGES.zoom ** uniform(1.0)[:, None] * _CHANGES.stretch ** (
        uniform(0.5)[:, None] * torch.tensor([1.0, -1.0])
    )
    zoom[:, 0] *= 1 - 2 * (torch.rand(n, generator=random) < 0.5).float()
    return moved(layers, uniform(_CHANGES.turn_rad), zoom, uniform(_CHANGES.shift, 2))
