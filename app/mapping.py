"""The process that compares three reconstructions of a trial: networks and renderer stay out of the window's."""

from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.processes import answer, leave_with_parent, lower_priority
from pipeline.reconstruction import Picture
from pipeline.types import Array

if TYPE_CHECKING:  # all of it is for the process alone
    from calibration.dominance import Dependency, Layers

WHO = "the process of dependency maps"
STRAIGHT = "nothing to align by"


@dataclass(frozen=True, eq=False)
class Question:
    """Reconstructions (height, width, 3) of a trial, and what was shown: its key in the stimulus set `stimuli`.

    `dynamic` was made without the picture's stream: that of `n_others` other trials stood in its place.
    """

    trial: int
    fused: Picture
    static: Picture
    dynamic: Picture
    stimuli: str = ""
    key: str = ""
    n_others: int = 0


@dataclass(frozen=True, eq=False)
class Mapped:
    """A map of one trial, ready to be shown.

    `index` (height, width) goes from -1, the picture's stream, to +1, the turn's, over `picture`; `parts` are averages
    by name; `notes` say how it was made, `caveats` what it does not say. `error` tells why there is none.
    """

    trial: int
    picture: Picture | None = None
    index: Array | None = None
    parts: tuple[tuple[str, float], ...] = ()
    notes: tuple[str, ...] = ()
    caveats: tuple[str, ...] = ()
    error: str = ""


def child(pipe: Connection) -> None:
    """The process: question after question."""
    leave_with_parent()
    lower_priority()

    def work() -> None:
        from calibration.metrics.features import FeaturesConfig, layers
        from engines.threads import bound_threads

        bound_threads(1)
        seen_through = layers(FeaturesConfig())
        while True:
            pipe.send(mapped(pipe.recv(), seen_through))

    answer(pipe, WHO, work)


def mapped(asked: Question, seen_through: "Layers") -> Mapped:
    """The map that was asked for, averaged over the parts of the object that was shown where its set knows them."""
    from calibration.dominance import CAVEATS, dependency

    parts, names = _parts(asked)
    found = dependency(asked.fused, asked.static, asked.dynamic, seen_through, parts, names)
    return Mapped(asked.trial, asked.fused, found.map, found.parts, _notes(asked, found), CAVEATS)


def _notes(asked: Question, found: "Dependency") -> tuple[str, ...]:
    streams = ("picture alone", "turn alone")
    laid = [
        f"{name}: {f'aligned by {n} points' if is_laid else STRAIGHT}"
        for name, n, is_laid in zip(streams, found.inliers, found.aligned, strict=True)
    ]
    return (
        f"seen through {found.layers}{' (pocket model)' if found.pocket else ''}",
        *laid,
        f"turn alone with the pictures' streams of {asked.n_others} earlier trials in the place of its own",
        "one seed",
    )


def _parts(asked: Question) -> tuple[NDArray[np.int64] | None, tuple[str, ...]]:
    """Which part of the object that was shown lies where in its picture; None where nobody knows."""
    from calibration.objects.builtin import BuiltIn
    from calibration.objects.render import Renderer
    from calibration.open_set import BUILT_IN

    items = {item.key: item for item in BuiltIn().items} if asked.stimuli == BUILT_IN else {}
    if asked.key not in items:
        return None, ()
    solid = BuiltIn().solid(items[asked.key])
    with Renderer(asked.fused.shape[0]) as renderer:
        return renderer.view(solid).parts, tuple(part.name for part in solid.parts)
