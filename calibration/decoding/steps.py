"""How far a training or an evaluation is, without anything that trains."""

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
# Called with the share that is done, and what comes next.
Told = Callable[[float, str], None]


def counted(progress: Told, n: int) -> Callable[[str], None]:
    """Tells `progress` of `n` equal pieces of work as each begins, and once more when all are done."""
    done = iter(range(n + 1))
    return lambda what: progress(next(done) / n, what)
