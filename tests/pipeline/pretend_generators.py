"""Generators that do what the wish says, in the process where real ones work: spawned, so they live in a module."""

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from engines.errors import InputError, WorkError
from pipeline.reconstruction import Mesh, MeshComes, Opened, Reconstruction, Wish

OPENED = Opened((("picture", "pretend"), ("mesh", "pretend")), ("pretend",), (("real", "it is not here"),))
TRIANGLE = Mesh(np.zeros((3, 3), np.float32), np.array([[0, 1, 2]], np.int32), np.zeros((3, 3), np.uint8))


def wish(trial: int, category: str = "chair", colour: str = "", stage: str = "static", seed: int = 5) -> Wish:
    return Wish(trial, stage, float(trial), np.arange(4.0) + trial, seed, category, colour)


@dataclass(frozen=True)
class Pretend:
    """`category` of a wish: "hold" waits for somebody to write to the pipe named by its colour, "die" kills the
    process, "die once" when the file named by its colour is not there yet, "memory", "refuse" and "bug" fail after the
    picture, "stop" never completes; everything else is made."""  # fmt: skip

    opened: Opened = OPENED

    def __call__(self, wish: Wish) -> Iterator[Reconstruction]:
        if wish.category == "hold":
            Path(wish.colour).read_bytes()
        if wish.category == "die" or (wish.category == "die once" and not Path(wish.colour).exists()):
            if wish.colour:
                Path(wish.colour).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        picture = np.full((2, 2, 3), wish.seed, np.uint8)
        made = Reconstruction(wish, picture=picture, generators=OPENED.generators, ms=(("picture", float(os.nice(0))),))
        yield made
        if wish.category == "memory":
            raise MemoryError("no room for a mesh")
        if wish.category == "refuse":
            raise WorkError("it found no surface")
        if wish.category == "bug":
            raise ZeroDivisionError("by nought")
        if wish.category == "stop":
            return
        if self.opened.beside and not wish.aside:
            yield replace(made, caption=f"{os.getpid()}", complete=True, mesh_comes=MeshComes.LATER)
        else:
            yield replace(made, mesh=TRIANGLE, caption=f"{os.getpid()}", complete=True)

    def warm_up_beside(self) -> None:
        raise WorkError("not yet")

    def mesh(self, made: Reconstruction) -> Mesh:
        """What the category says, with "mesh" before it: "mesh hold", "mesh die" and "mesh memory"."""
        wish = made.wish
        if wish.category == "mesh hold":
            Path(wish.colour).read_bytes()
        if wish.category == "mesh die":
            os.kill(os.getpid(), signal.SIGKILL)
        if wish.category == "mesh memory":
            raise MemoryError("no room for a mesh")
        assert made.picture is not None
        return TRIANGLE


@dataclass(frozen=True)
class Opens:
    """Opens `Pretend`, or refuses, or dies, each time or unless the file is there already."""

    beside: bool = False
    refuses: bool = False
    dies: bool = False
    unless: Path | None = None

    def __call__(self) -> Pretend:
        if self.refuses:
            raise InputError("none of the allowed generators is here; install one")
        if self.dies and not (self.unless and self.unless.exists()):
            if self.unless:
                self.unless.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return Pretend(replace(OPENED, beside=self.beside))
