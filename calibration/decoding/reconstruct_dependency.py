"""The dependency index over a session: every test object, its control with another trial's EEG, and the seeds' share.

Thread: the one that called; renders the objects' parts where they are known.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.decoding.alone import BOTH, PICTURE, STREAMS, TURN
from calibration.decoding.reconstruct import Reconstructions, drawn
from calibration.decoding.reconstruct_truth import PICTURE_PX
from calibration.dominance import Areas, Dependency, Layers, Segmenter, areas_of, dependency, over_seeds
from calibration.objects.build import build
from calibration.objects.builtin import BuiltIn
from calibration.objects.render import Renderer
from calibration.stimuli import Item, evenly
from engines.generators.base import PictureGenerator
from pipeline.types import Array

N_SEEDS, N_SEEDED = 4, 8
OWN, OTHER = "own EEG", "another trial's EEG"

Progress = Callable[[float, str], None]
Parts = tuple[NDArray[np.int64], tuple[str, ...]]


@dataclass(frozen=True, eq=False)
class Dependencies:
    """Of each test object its index; in `shuffled` that with pictures from another trial's EEG, of the same seeds.

    `seeded` are those of a few objects, made from `N_SEEDS` seeds: by their place among the items. `averaged_over` says
    of how many objects the maps are averaged over what.
    """

    own: tuple[Dependency, ...]
    shuffled: tuple[Dependency, ...]
    seeded: Mapping[int, Dependency]
    averaged_over: Mapping[str, int]

    def table(self) -> list[tuple[str, dict[str, float]]]:
        """Means over objects: unstretched distances, the index where the object is, and how many were aligned."""
        return [(OWN, _means(self.own)), (OTHER, _means(self.shuffled))]

    @property
    def spread_over_seeds(self) -> float:
        """Mean deviation of the map over seeds, where the object is."""
        return float(np.mean([np.mean(_inside(one.spread, one)) for one in self.seeded.values()]))

    @property
    def spread_over_objects(self) -> float:
        """Deviation of the maps of single objects: what the former is to be compared with."""
        return float(np.mean(np.std(np.stack([one.map for one in self.own]), axis=0)))


def dependencies(
    found: Reconstructions,
    layers: Layers,
    generator: PictureGenerator,
    seed: int = 0,
    progress: Progress = lambda share, what: None,
    segmenter: Segmenter | None = None,
) -> Dependencies:
    """The index of every object in `found`, whose rows have pictures; `segmenter` for those of unknown parts."""
    fused, static, dynamic = (_pictures_of(found, streams) for streams in (BOTH, PICTURE, TURN))
    parts = parts_of(found.truth.items) if found.simulated else {}
    # From the trial's own seeds: by others the control would differ as well.
    other = _elsewhere(len(fused), seed)
    progress(0.0, "dependency, control")
    static_of_other, dynamic_of_other = (
        drawn(generator, found.embeddings[streams][other], found.seeds) for streams in (PICTURE, TURN)
    )
    own, shuffled, areas = [], [], []
    for number, item in enumerate(found.truth.items):
        progress(number / len(fused), "dependency")
        known, names = parts.get(item, (None, ()))
        areas.append(areas_of(known, names, fused[number], segmenter))
        over = areas[-1].numbers, areas[-1].names
        own.append(dependency(fused[number], static[number], dynamic[number], layers, *over))
        shuffled.append(dependency(fused[number], static_of_other[number], dynamic_of_other[number], layers, *over))
    seeded = _seeded(found, layers, generator, areas, seed)
    return Dependencies(tuple(own), tuple(shuffled), seeded, Counter(one.told for one in areas))


def parts_of(items: Sequence[Item]) -> dict[Item, Parts]:
    """Numbers (224, 224) and names of the parts of built-in objects, as they stand in their pictures."""
    known = set(BuiltIn().items)
    found = {}
    with Renderer(PICTURE_PX) as renderer:
        for item in items:
            if item in known:
                solid = build(item.category, int(item.object))
                found[item] = renderer.view(solid).parts, tuple(part.name for part in solid.parts)
    return found


def _seeded(
    found: Reconstructions, layers: Layers, generator: PictureGenerator, areas: Sequence[Areas], seed: int
) -> dict[int, Dependency]:
    """Of a few objects, evenly among all, made again from other seeds."""
    seeds = [int(s) for s in np.random.default_rng([seed, 6]).integers(2**31, size=N_SEEDS)]
    places = evenly(len(found.truth.items), N_SEEDED)
    made = {}
    for place in places:
        pictures = [
            generator.pictures(np.repeat(found.embeddings[streams][place][None], N_SEEDS, axis=0), seeds)
            for streams in STREAMS
        ]
        over = areas[place].numbers, areas[place].names
        made[place] = over_seeds(pictures[0], pictures[1], pictures[2], layers, *over)
    return made


def _pictures_of(found: Reconstructions, streams: str) -> NDArray[np.uint8]:
    pictures = found.row(streams).pictures
    assert pictures is not None
    return pictures


def _elsewhere(n: int, seed: int) -> NDArray[np.int64]:
    """Another place for each of `n`, none its own."""
    order = np.random.default_rng([seed, 7]).permutation(n)
    to = np.empty(n, dtype=np.int64)
    to[order] = np.roll(order, 1)
    return to


def _means(some: Sequence[Dependency]) -> dict[str, float]:
    aligned = np.array([one.aligned for one in some]).mean(axis=0)
    return {
        "A_dyn": float(np.mean([one.from_turn.mean() for one in some])),
        "A_stat": float(np.mean([one.from_picture.mean() for one in some])),
        "RDI on the object": float(np.mean([_inside(one.map, one).mean() for one in some])),
        "|RDI| on the object": float(np.mean([np.abs(_inside(one.map, one)).mean() for one in some])),
        "aligned, picture alone": float(aligned[0]),
        "aligned, turn alone": float(aligned[1]),
    }


def _inside(values: Array | None, one: Dependency) -> Array:
    """Where there are parts; everywhere where they are unknown."""
    assert values is not None
    return values.ravel() if one.by_part is None else values[np.isfinite(one.by_part)]
