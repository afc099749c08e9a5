"""A wish carried out by the engines: what works in the generate process, and how it is opened there.

A slow shape generator works beside the others (`Making.mesh`), with nothing in common but the memory.

Light to import: the generators come with the call, in the process that runs them.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from engines.errors import AfterimageError, InputError
from engines.generators.base import Captioner, Generator, PictureGenerator, Seen, ShapeGenerator
from engines.generators.choose import Generators, open_generators
from engines.generators.config import GeneratorsConfig
from pipeline.reconstruction import Mesh, MeshComes, Opened, Reconstruction, Wish

Step = Callable[[Reconstruction], Reconstruction]


@dataclass(frozen=True)
class OpenGenerators:
    """How the process opens its generators: picklable. `encoder` is whose embeddings will come."""

    config: GeneratorsConfig
    encoder: str

    def __call__(self) -> "Making":
        """Load, warm up.

        Raises:
            NoGenerator, InputError, WorkError: as `open_generators`.
        """
        from engines.threads import bound_threads

        bound_threads(self.config.threads)
        generators = open_generators(self.config, self.encoder)
        bound_threads(self.config.threads)  # what has been loaded meanwhile
        making = Making(generators)
        making.warm_up()
        return making


class Making:
    """Picture, then mesh, then caption, each shown as soon as it is there; one that fails ends no other.

    Implements `pipeline.generate_process.Generate`. Thread: one; `warm_up_beside` and `mesh` another one.
    """

    def __init__(self, generators: Generators) -> None:
        given: dict[str, Generator | None] = {
            "picture": generators.picture, "mesh": generators.shape, "caption": generators.caption,
        }  # fmt: skip
        self._generators = {kind: generator for kind, generator in given.items() if generator is not None}
        self._steps: dict[str, Step] = {}
        if generators.picture is not None:
            self._steps["picture"] = _picturing(generators.picture)
        self._beside = generators.shape if generators.shape is not None and generators.shape.slow else None
        if generators.shape is not None and self._beside is None:
            self._steps["mesh"] = _meshing(generators.shape)
        if generators.caption is not None:
            self._steps["caption"] = _captioning(generators.caption)
        self.opened = Opened(
            tuple((kind, generator.name) for kind, generator in self._generators.items()),
            tuple(generator.name for generator in self._generators.values() if generator.pocket),
            tuple(generators.passed_over.items()),
            beside=self._beside is not None,
        )

    def warm_up(self) -> None:
        """Let every generator but a slow one do once what is slow only the first time."""
        for generator in self._generators.values():
            if generator is not self._beside:
                generator.warm_up()

    def warm_up_beside(self) -> None:
        """Load the slow one: minutes."""
        if self._beside is not None:
            self._beside.warm_up()

    def mesh(self, made: Reconstruction) -> Mesh:
        """That of an answer, by the slow one.

        Raises:
            InputError, WorkError: as its `surface`.
        """
        if self._beside is None:
            raise InputError("no generator of meshes here is slow: they come with the pictures")
        return _mesh(self._beside, made)

    def __call__(self, wish: Wish) -> Iterator[Reconstruction]:
        """The wish, part by part."""
        comes = MeshComes.LATER if self._beside is not None and not wish.aside else MeshComes.WITH
        told = self.opened
        made = Reconstruction(wish, generators=told.generators, pocket=told.pocket, mesh_comes=comes)
        steps = {kind: step for kind, step in self._steps.items() if kind == "picture" or not wish.aside}
        if not steps:
            raise InputError("no generator of pictures is allowed here, and a comparison needs pictures")
        for number, (kind, step) in enumerate(steps.items(), 1):
            made = replace(_tried(kind, step, made), complete=number == len(steps))
            yield made


def _tried(kind: str, step: Step, made: Reconstruction) -> Reconstruction:
    """With one part more, and what it took; or with the reason why not. Other errors than these end the wish."""
    began_s = time.perf_counter()
    try:
        made = step(made)
    except (AfterimageError, MemoryError) as error:
        return replace(made, error="; ".join(filter(None, (made.error, f"{kind}: {error}"))))
    return replace(made, ms=(*made.ms, (kind, 1e3 * (time.perf_counter() - began_s))))


def _picturing(generator: PictureGenerator) -> Step:
    def step(made: Reconstruction) -> Reconstruction:
        embeddings = made.wish.embedding.astype(np.float32)[None]
        return replace(made, picture=generator.pictures(embeddings, [made.wish.seed])[0])

    return step


def _meshing(generator: ShapeGenerator) -> Step:
    def step(made: Reconstruction) -> Reconstruction:
        return replace(made, mesh=_mesh(generator, made))

    return step


def _mesh(generator: ShapeGenerator, made: Reconstruction) -> Mesh:
    surface = generator.surface(_seen(made))
    return Mesh(surface.vertices, surface.faces, surface.colours)


def _captioning(generator: Captioner) -> Step:
    def step(made: Reconstruction) -> Reconstruction:
        caption = generator.caption(_seen(made))
        return replace(made, caption=caption.text, caption_route=caption.route)

    return step


def _seen(made: Reconstruction) -> Seen:
    wish = made.wish
    embedding = wish.embedding.astype(np.float32)
    return Seen(embedding, made.picture, wish.category, wish.colour, wish.nearest, wish.certainty, wish.seed)
