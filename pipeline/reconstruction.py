"""What is asked of the generating process, and what comes back. Numpy alone; frozen."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from pipeline.types import Array, Decision

Picture = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Wish:
    """One answer to be made visible.

    `embedding` (dim,) raw, `certainty` as in `Decision`; `seed` of the generators, drawn from session and trial.

    `aside`: for a comparison and not to be shown; its picture alone is made, told to whoever waits, and not counted.
    """

    trial: int
    stage: str
    onset_s: float
    embedding: Array
    seed: int
    category: str = ""
    colour: str = ""
    nearest: tuple[str, ...] = ()
    certainty: float = 1.0
    aside: bool = False

    @classmethod
    def of(cls, decision: Decision, seed: int, aside: bool = False) -> "Wish":
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
            decision.certainty,
            aside,
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


@dataclass(frozen=True)
class Opened:
    """What works in the generating process.

    `generators` are (kind, name), kinds as in `Reconstruction.ms`; `pocket` the names of small stand-ins; `passed_over`
    (name, why not) of those that were allowed and stood before.
    """

    generators: tuple[tuple[str, str], ...] = ()
    pocket: tuple[str, ...] = ()
    passed_over: tuple[tuple[str, str], ...] = ()


class GeneratingState(StrEnum):
    """Where the process stands. DEAD: it could not be opened, or crashed too often in a row; `reason` says why."""

    STARTING = "starting"
    READY = "ready"
    WORKING = "working"
    DEAD = "dead"
    CLOSED = "closed"


@dataclass(frozen=True)
class GeneratingStatus:
    """One moment of it. `reason` holds the last words of a process that died, also when another one lives by now."""

    state: GeneratingState = GeneratingState.STARTING
    reason: str = ""
    opened: Opened = Opened()
    put: int = 0
    made: int = 0
    dropped: int = 0
    skipped: int = 0
    failed: int = 0
    waiting: int = 0
    restarts: int = 0
