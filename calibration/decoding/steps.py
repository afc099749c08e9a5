"""How far a training is, without anything that trains."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """Where training stands: `share` done, `epoch` of `epochs`, mean training `loss`, selection `score`."""

    share: float
    epoch: int
    epochs: int
    loss: float
    score: float


Progress = Callable[[Step], None]
