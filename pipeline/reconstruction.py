"""What is asked of the generating process, and what comes back. Numpy alone; frozen."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.types import Array, Decision

Picture = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Wish:
    """One answer to be made visible. `embedding` (dim,) raw; `seed` of the generators, drawn from session and trial."""

    trial: int
    stage: str
    onset_s: float
    embedding: Array
    seed: int
    category: str = ""
    colour: str = ""
    nearest: tuple[str, ...] = ()

    @classmethod
    def of(cls, decision: Decision, seed: int) -> "Wish":
        """That of a decision with an embedding.

        Raises:
            ValueError: its decoder gives none.
        """
        if decision.embedding is None:
            raise ValueError("this decoder answers without an embedding, so there is nothing to reconstruct from")
        return cls(
            decision.trial,
            decision.stage,
            decision.onset_s,
            decision.embedding,
            seed,
            decision.top,
            decision.top_colour or "",
            tuple(near.key for near in decision.nearest),
        )


@dataclass(frozen=True, eq=False)
class Mesh:
    """`vertices` (n, 3) float32 within the unit sphere, z up; `faces` (m, 3) int32; `colours` (n, 3) uint8."""

    vertices: NDArray[np.float32]
    faces: NDArray[np.int32]
    colours: Picture


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """What was made of a wish, as far as it has come.

    `picture` (height, width, 3) and `mesh` are None where their generator is off, failed or has not come to it yet;
    `caption_route` is "embedding", "picture" or "words". `ms` holds what each took: picture, mesh, caption; `made_s`
    is on the LSL clock. `error` tells why something failed; the process goes on. `pocket` names those of the
    generators that are small stand-ins.
    """

    wish: Wish
    picture: Picture | None = None
    mesh: Mesh | None = None
    caption: str = ""
    caption_route: str = ""
    generators: tuple[tuple[str, str], ...] = ()
    pocket: tuple[str, ...] = ()
    ms: tuple[tuple[str, float], ...] = ()
    made_s: float = float("nan")
    complete: bool = False
    error: str = ""
