"""What every generator offers. What is decoded is one value, `Seen`; each generator takes of it what it needs.

    pictures = generator.pictures(embeddings, seeds)        # (n, size, size, 3)
    surface = shaper.surface(Seen(embedding, picture=pictures[0]))
    words = captioner.caption(Seen(embedding, category="chair", colour="red"))

Embeddings are raw (`engines.vision.base`): generators were trained on embeddings with their own lengths.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from engines.errors import WorkError
from engines.vision.base import Floats, Pictures

Route = Literal["embedding", "picture", "words"]


@dataclass(frozen=True, eq=False)
class Seen:
    """What was decoded of one trial.

    `embedding` (dim,) raw, as long as true ones are; `certainty` its correlation with the true one, both seen from the
    mean embedding, as others of its kind have it: 1 for that of a picture, 0 for a guess. `picture` (height, width, 3)
    what was reconstructed, None before; `category`, `colour` and `nearest` (keys of known pictures, the most alike
    first) in words, "" and () where they were not decoded. `seed` of what is drawn by chance.
    """

    embedding: Floats
    picture: Pictures | None = None
    category: str = ""
    colour: str = ""
    nearest: tuple[str, ...] = ()
    certainty: float = 1.0
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Surface:
    """A mesh: `vertices` (n, 3) float32 within the unit sphere, z up, `faces` (m, 3) int32, `colours` (n, 3) uint8."""

    vertices: NDArray[np.float32]
    faces: NDArray[np.int32]
    colours: Pictures


@dataclass(frozen=True)
class Caption:
    """A sentence, and the way it came: from the embedding, from the reconstructed picture, or put together of words."""

    text: str
    route: Route


class NoSurface(WorkError):
    """What was decoded is like no object, so that there is no surface. Any other `WorkError` says that work failed."""


class Generator(Protocol):
    """What all three have in common. Thread: any, one at a time."""

    @property
    def name(self) -> str:
        """What reports and the window call it."""
        ...

    @property
    def pocket(self) -> bool:
        """True for the small stand-ins that were trained on built-in objects; said wherever their work is shown."""
        ...

    @property
    def encoder(self) -> str | None:
        """The picture encoder whose embeddings it takes; None when it takes no embedding."""
        ...

    def warm_up(self) -> None:
        """Do everything once that is slow only the first time."""
        ...


class PictureGenerator(Generator, Protocol):
    """Embeddings to pictures."""

    @property
    def size_px(self) -> int:
        """Width and height of its pictures."""
        ...

    def pictures(self, embeddings: Floats, seeds: Sequence[int]) -> Pictures:
        """(n, dim) raw to (n, size_px, size_px, 3), in one batch; each picture depends on its own seed alone.

        Raises:
            InputError: embeddings of another length, or as many seeds as embeddings did not come.
            WorkError: there was not enough memory.
        """
        ...


class ShapeGenerator(Generator, Protocol):
    """What was seen to a mesh."""

    @property
    def slow(self) -> bool:
        """True where a mesh takes seconds or more: it is then made beside the pictures, which do not wait for it."""
        ...

    def surface(self, seen: Seen) -> Surface:
        """The mesh.

        Raises:
            InputError: what it needs of `seen` is missing.
            NoSurface: it found none.
            WorkError: there was not enough memory, or it died.
        """
        ...


class Captioner(Generator, Protocol):
    """What was seen to a sentence."""

    def caption(self, seen: Seen) -> Caption:
        """The sentence."""
        ...
