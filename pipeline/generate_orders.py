"""What the thread of the generate process has in hand: wishes on their way, and whether they are worth making."""

from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Protocol

from pipeline.reconstruction import Reconstruction, Wish
from pipeline.types import Array


class Gate(Protocol):
    """Tells a wish that would show what is shown already. Thread: one."""

    def moved(self, trial: int, embedding: Array, said: tuple[str, ...]) -> bool:
        """False when hardly anything is new since the last one made, of the same trial."""
        ...

    def made(self, trial: int, embedding: Array, said: tuple[str, ...]) -> None:
        """What has been made."""
        ...


@dataclass(eq=False)
class Order:
    """A wish on its way. `future` of those that somebody waits for; `newest` is how far it has come."""

    wish: Wish
    future: Future[Reconstruction] | None = None
    n_tries: int = 0
    newest: Reconstruction = field(init=False)

    def __post_init__(self) -> None:
        self.newest = Reconstruction(self.wish)


def frozen(made: Reconstruction) -> Reconstruction:
    """The same: arrays that cross between workers are read only."""
    mesh = made.mesh
    for array in (made.picture, *(() if mesh is None else (mesh.vertices, mesh.faces, mesh.colours))):
        if array is not None:
            array.flags.writeable = False
    return made
