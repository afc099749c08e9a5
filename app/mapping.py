"""The process that compares reconstructions of a trial: networks and renderer stay out of the window's."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engines.errors import AfterimageError, InputError
from pipeline.processes import Child, answer, leave_with_parent, lower_priority
from pipeline.reconstruction import Picture
from pipeline.types import Array

if TYPE_CHECKING:  # all of it is for the process alone
    from calibration.dominance import Dependency, Layers, Segmenter
    from engines.generators.config import GeneratorsConfig

log = logging.getLogger(__name__)

WHO = "the process of dependency maps"
STRAIGHT = "nothing to align by"
NO_CONTROL = "no control: no turn before it was seen whole"


@dataclass(frozen=True, eq=False)
class Alone:
    """Reconstructions from either stream alone, each (seed, height, width, 3).

    `dynamic` was made without the picture's stream: that of other trials stood in its place.
    """

    static: Picture
    dynamic: Picture


@dataclass(frozen=True, eq=False)
class Question:
    """Reconstructions of a trial from both streams (seed, height, width, 3) and from either alone.

    `other` are those from either stream of another trial's EEG, the control, None where there is none. What was shown
    has `key` in the stimulus set `stimuli`. In the place of a picture's stream stood those of `n_others` trials.
    """

    trial: int
    fused: Picture
    own: Alone
    other: Alone | None = None
    stimuli: str = ""
    key: str = ""
    n_others: int = 0


@dataclass(frozen=True)
class PartMapped:
    """The index averaged over a part of the object: `spread` over seeds, `control` from another trial's EEG."""

    name: str
    index: float
    spread: float = 0.0
    control: float | None = None


@dataclass(frozen=True)
class Apart:
    """How unlike the whole answer either stream's is, before stretching, and the mean `index`, where the object is.

    Of the `picture` alone and of the `turn` alone: cosine distances of a network's layers.
    """

    picture: float
    turn: float
    index: float

    @classmethod
    def of(cls, found: "Dependency") -> "Apart":
        """Those of a map; everywhere, where nobody knows where the object is."""
        inside = np.isfinite(found.by_part) if found.by_part is not None else np.ones(found.map.shape, bool)
        means = (values[inside].mean() for values in (found.from_turn, found.from_picture, found.map))
        return cls(*map(float, means))

    def __str__(self) -> str:
        return f"picture alone {self.picture:.3f}, turn alone {self.turn:.3f}"


@dataclass(frozen=True, eq=False)
class Mapped:
    """A map of one trial, ready to be shown.

    `index` (height, width) goes from -1, the picture's stream, to +1, the turn's, over `picture`, the mean over seeds,
    and `spread` is the deviation over them; `control` the index with another trial's EEG. `apart` and `control_apart`
    tell how much. `notes` say how it was made, `caveats` what it does not say. `error` tells why there is none.
    """

    trial: int
    picture: Picture | None = None
    index: Array | None = None
    spread: Array | None = None
    control: Array | None = None
    parts: tuple[PartMapped, ...] = ()
    notes: tuple[str, ...] = ()
    caveats: tuple[str, ...] = ()
    error: str = ""
    apart: Apart | None = None
    control_apart: Apart | None = None


class Comparing:
    """The process that compares: started when it is first asked, anew after an error. `config` as in `child`.

    Thread: one only; `kill` from any.
    """

    def __init__(self, config: "GeneratorsConfig") -> None:
        self._config = config
        self._child: Child | None = None

    def mapped(self, asked: Question) -> Mapped:
        """The answer to it.

        Raises:
            AfterimageError: it failed there, or the process died.
        """
        if self._child is None:
            self._child = Child(WHO, child, self._config)
            self._child.start()
        try:
            self._child.send(asked)
            found = self._child.receive()
        except AfterimageError:
            self.close()
            raise
        assert isinstance(found, Mapped)
        return found

    def kill(self) -> None:
        """End it at once; who waits for its answer hears of it."""
        if self._child is not None:
            self._child.kill()

    def close(self) -> None:
        """End it. Safe to call twice."""
        if self._child is not None:
            self._child.kill()
            self._child.stop()
            self._child = None


def child(pipe: Connection, config: "GeneratorsConfig") -> None:
    """The process: question after question. `config` says where networks are looked for."""
    leave_with_parent()
    lower_priority()

    def work() -> None:
        from calibration.metrics.features import FeaturesConfig, layers
        from engines.threads import bound_threads

        bound_threads(1)
        seen_through = layers(FeaturesConfig.of(config))
        while True:
            pipe.send(mapped(pipe.recv(), seen_through, partial(_segmenter, config)))

    answer(pipe, WHO, work)


@cache
def _segmenter(config: "GeneratorsConfig") -> "Segmenter | None":
    """SAM, opened when it is first needed; None where it is not here."""
    from engines.vision.encoders import open_segmenter

    try:
        return open_segmenter(config)
    except InputError as why:
        log.info("dependency maps are not averaged: %s", why)
        return None


def mapped(
    asked: Question, seen_through: "Layers", segmenter: "Callable[[], Segmenter | None]" = lambda: None
) -> Mapped:
    """The map that was asked for, averaged over the parts of the object that was shown where its set knows them.

    Of others over the segments that the `segmenter` finds.
    """
    from calibration.dominance import CAVEATS, areas_of, over_seeds

    known, known_names = _parts(asked)
    areas = areas_of(known, known_names, asked.fused[0], segmenter() if known is None else None)
    parts, names = areas.numbers, areas.names
    found = over_seeds(asked.fused, asked.own.static, asked.own.dynamic, seen_through, parts, names)
    control = None
    if (other := asked.other) is not None:
        control = over_seeds(asked.fused, other.static, other.dynamic, seen_through, parts, names)
    return Mapped(
        asked.trial,
        asked.fused[0],
        found.map,
        found.spread,
        control.map if control else None,
        _by_part(found, control),
        (*_measured(asked, found, control), *_notes(asked, found), areas.told),
        CAVEATS,
        apart=Apart.of(found),
        control_apart=Apart.of(control) if control else None,
    )


def _by_part(found: "Dependency", control: "Dependency | None") -> tuple[PartMapped, ...]:
    spread, controls = dict(found.spread_by_part), dict(control.parts) if control else {}
    return tuple(PartMapped(name, index, spread[name], controls.get(name)) for name, index in found.parts)


def _measured(asked: Question, found: "Dependency", control: "Dependency | None") -> tuple[str, ...]:
    """What the stretched map cannot tell: how much."""
    inside = np.isfinite(found.by_part) if found.by_part is not None else np.ones(found.map.shape, bool)
    assert found.spread is not None
    told = f"over {len(asked.fused)} seeds of the generator ± {found.spread[inside].mean():.2f}"
    apart = f"unlike the whole answer, before stretching: {Apart.of(found)}"
    if control is None:
        return told, apart, NO_CONTROL
    return told, f"{apart}; with another trial's EEG: {Apart.of(control)}"


def _notes(asked: Question, found: "Dependency") -> tuple[str, ...]:
    streams = ("picture alone", "turn alone")
    laid = [
        f"{name}: {f'aligned by {n} points' if is_laid else STRAIGHT}"
        for name, n, is_laid in zip(streams, found.inliers, found.aligned, strict=True)
    ]
    return (
        f"seen through {found.layers}{' (pocket model)' if found.pocket else ''}",
        *laid,
        f"turn alone with the pictures' streams of {asked.n_others} other trials in the place of its own",
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
    with Renderer(asked.fused.shape[1]) as renderer:
        return renderer.view(solid).parts, tuple(part.name for part in solid.parts)
