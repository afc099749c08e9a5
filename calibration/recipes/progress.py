"""How much of a recipe is done, without anything that trains."""

from collections.abc import Callable
from typing import overload

# Called with the share that is done, from 0 to 1.
Progress = Callable[[float], None]


@overload
def part(progress: Progress, start: float, stop: float) -> Progress: ...


@overload
def part(progress: None, start: float, stop: float) -> None: ...


@overload
def part(progress: Progress | None, start: float, stop: float) -> Progress | None: ...


def part(progress: Progress | None, start: float, stop: float) -> Progress | None:
    """Progress of what is done between the shares `start` and `stop` of the whole; None where nobody watches."""
    return progress and (lambda share: progress(start + share * (stop - start)))
