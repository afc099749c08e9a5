"""Generators of the engines' own kind that draw at once what they were told, for processes that tests spawn."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.making import Making
from engines.generators.base import Caption, Surface
from engines.generators.choose import Generators, NoGenerator
from engines.generators.config import GeneratorsConfig
from engines.generators.trellis import Trellis

ENCODER = "made up"
TETRAHEDRON = np.array([[0, 0, 1], [0.9, 0, -0.4], [-0.5, 0.8, -0.4], [-0.5, -0.8, -0.4]], np.float32)
FACES = np.array([[0, 1, 2], [0, 2, 3], [0, 3, 1], [1, 3, 2]], np.int32)


class _Named:
    encoder = ENCODER

    def __init__(self, name, pocket=False, fails=None):
        self.name, self.pocket, self.fails, self.warm = name, pocket, fails, False

    def warm_up(self):
        self.warm = True

    def _may_fail(self):
        if self.fails is not None:
            raise self.fails


class Pictures(_Named):
    """Noise told by embedding and seed."""

    size_px = 16

    def pictures(self, embeddings, seeds):
        self._may_fail()
        assert embeddings.dtype == np.float32 and embeddings.shape[0] == len(seeds) == 1
        told = int(np.abs(embeddings).sum() * 1000) % 2**32
        return np.random.default_rng((told, seeds[0])).integers(0, 255, (1, 16, 16, 3), dtype=np.uint8)


class Shapes(_Named):
    slow = False

    def surface(self, seen):
        self._may_fail()
        return Surface(TETRAHEDRON, FACES, np.full((4, 3), 200, np.uint8))


class Captions(_Named):
    def caption(self, seen):
        self._may_fail()
        return Caption(f"a {seen.colour} {seen.category}", "words" if seen.picture is None else "picture")


def generators(picture=None, shape=None, caption=None):
    """All three; a given error is what one of them fails with."""
    return Generators(
        Pictures("noise", pocket=True, fails=picture),
        Shapes("tetrahedra", fails=shape),
        Captions("told", fails=caption),
        {"picture sdxl-turbo": "it is not here"},
    )


@dataclass(frozen=True)
class OpensPretended:
    """In the place of `app.making.OpenGenerators`."""

    config: GeneratorsConfig
    encoder: str

    def __call__(self) -> Making:
        if self.encoder != ENCODER:
            raise NoGenerator(f"none takes embeddings of {self.encoder}; install one")
        return Making(generators())


TROUBLE = 1000.0


class Marked(Pictures):
    """Their first pixel says what `fake_trellis` obeys: the embedding's first number above `TROUBLE`; else nothing."""

    def pictures(self, embeddings, seeds):
        made = super().pictures(embeddings, seeds)
        made[:, 0, 0] = (max(0, int(embeddings[0, 0] - TROUBLE)), 0, 0)
        return made


@dataclass(frozen=True)
class OpensTrellis:
    """As `OpensPretended`, with TRELLIS itself for meshes, over the fake package that lies beside its weights."""

    config: GeneratorsConfig
    encoder: str

    def __call__(self) -> Making:
        weights = self.config.trellis
        os.environ["PYTHONPATH"] = os.environ["U2NET_HOME"] = str(weights.parent / "packages")
        return Making(Generators(Marked("noise"), Trellis(Path(sys.executable), weights), Captions("told")))
