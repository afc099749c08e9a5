"""What is asked of the generating process, and what comes back. Numpy alone; frozen."""

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from pipeline.types import Array, Decision

Picture = NDArray[np.uint8]

LAST_STAGES = ("single", "fused")


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

    @property
    def last(self) -> bool:
        """Whether no other answer of its trial comes after it."""
        return self.stage in LAST_STAGES

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


class MeshComes(StrEnum):
    """When the mesh of an answer comes.

    WITH all the rest of it. LATER: a slow generator makes it beside the pictures, of a trial's last answer alone. LATE:
    it has come so, or why not; everything else of the answer is as it was told before, and so is its `Wish` object.
    """

    WITH = "with"
    LATER = "later"
    LATE = "late"


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
    mesh_comes: MeshComes = MeshComes.WITH

    def with_mesh(self, shaped: "Shaped", made_s: float) -> "Reconstruction":
        """The same answer with what came of its mesh, LATE."""
        error = "; ".join(filter(None, (self.error, shaped.error)))
        ms = self.ms if shaped.mesh is None else (*self.ms, ("mesh", shaped.took_ms))
        return replace(self, mesh=shaped.mesh, error=error, ms=ms, made_s=made_s, mesh_comes=MeshComes.LATE)


@dataclass(frozen=True, eq=False)
class Shaped:
    """What came of a mesh that was made beside the pictures: None, and why."""

    mesh: Mesh | None = None
    took_ms: float = 0.0
    error: str = ""


@dataclass(frozen=True)
class Opened:
    """What works in the generating process.

    `generators` are (kind, name), kinds as in `Reconstruction.ms`; `pocket` the names of small stand-ins; `passed_over`
    (name, why not) of those that were allowed and stood before. `beside`: the meshes are made beside the pictures.
    """

    generators: tuple[tuple[str, str], ...] = ()
    pocket: tuple[str, ...] = ()
    passed_over: tuple[tuple[str, str], ...] = ()
    beside: bool = False


@dataclass(frozen=True)
class MeshCounts:
    """What became of the meshes that are made beside the pictures; `dropped` for a newer trial, or at the end."""

    made: int = 0
    dropped: int = 0
    failed: int = 0
    waiting: int = 0


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
    meshes: MeshCounts = MeshCounts()
