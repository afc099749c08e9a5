"""Pictures and shapes of objects a decoder has never seen, made from what it decoded, beside what needs no decoding.

    both streams, picture alone, turn alone    of the decoded embeddings, restored (`alone.py`, `restore.py`)
    true embedding       of the embedding of the picture that was seen: what the generators could do at best
    nearest neighbour    floor: the training object whose embedding is nearest to the one decoded from both streams
    mean                 floor: the mean picture of the training objects, and points where most of them have some
    nothing decoded      floor: of the mean embedding of the training objects, of which generators are told that it says
                         nothing; where they draw what pleases a measure anyway, this row has it too

Each trial has one seed, the same for every row. Thread: the one that called; it takes minutes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.spatial import cKDTree

from calibration.decoding.alone import BOTH, STREAMS, decode
from calibration.decoding.fitted import Fitted
from calibration.decoding.reconstruct_truth import (
    PICTURE_PX,
    Surfaces,
    Truth,
    clouds_of,
    pictures_of,
    square,
    surfaces_of,
)
from calibration.decoding.steps import Told, counted
from calibration.decoding.trials import Floats, Numbers, TrialSet
from calibration.metrics.shapes import N_POINTS, f_score, sampled
from calibration.objects.colours import LABELS
from calibration.stimuli import Item, StimulusSet
from calibration.surface_view import surface_of_points
from engines.generators.base import NoSurface, PictureGenerator, Seen, ShapeGenerator, Surface
from engines.generators.choose import Generators
from engines.vision.base import Pictures, normalised
from pipeline.types import Array

SEEN = "what was seen"
TRUE, NEAREST, MEAN, NOTHING = "true embedding", "nearest neighbour", "mean", "nothing decoded"
FLOORS = (NEAREST, MEAN, NOTHING)
ROWS = (*STREAMS, TRUE, *FLOORS)
MEANINGS = {
    SEEN: "What was seen itself, rendered as the others are: what the classifier of shapes makes of the truth.",
    BOTH: "Decoded from the whole trial.",
    STREAMS[1]: "Decoded by the same model before the turn: no sample of it was seen.",
    STREAMS[2]: "Decoded by the same model with the picture's stream of other objects' trials in place of its own, "
    "averaged over eight of them; no model was trained to do without the picture.",
    TRUE: "Made from the embedding of the picture that was seen, nothing decoded: what the generators can do.",
    NEAREST: "Floor: picture and shape of the training object nearest to what was decoded from the whole trial.",
    MEAN: "Floor: mean picture of the training objects, and the points where most of them have some (how many are kept "
    "was chosen on object 07): the same for every trial.",
    NOTHING: "Floor: made by the same generators from the mean embedding of the training objects, which says nothing "
    "and is handed to them as such: the same for every trial.",
}

_AT_ONCE = 16
_N_COARSE, _N_AGREEING = 1024, 72
_SHARES = (0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True, eq=False)
class TableRow:
    """One row of the table. `pictures` (n, size, size, 3), `surfaces` and `clouds` (8192, 3) of each item.

    What nothing makes is None. Of an item in whose embedding the generator found no surface both are None; the mean of
    shapes has points, and its surface is a dot for each. `sources` are the objects that those of the nearest neighbour
    come from.
    """

    name: str
    pictures: Pictures | None
    surfaces: Surfaces | None
    clouds: tuple[Array | None, ...] | None
    sources: tuple[Item, ...] = ()

    @property
    def n_not_made(self) -> int:
        """Items without a surface, in a row that has them."""
        return 0 if self.clouds is None else sum(cloud is None for cloud in self.clouds)


@dataclass(frozen=True)
class Named:
    """An object in words."""

    category: str
    colour: str


@dataclass(frozen=True, eq=False)
class Reconstructions:
    """Every row of one participant.

    `embeddings` by row, restored; `gains` by how much they were lengthened, `certainties` their correlation with true
    ones on the selection objects. `named` are category and colour of each item, by row where they are known; "" is a
    colour without a name.
    """

    participant: str
    truth: Truth
    rows: tuple[TableRow, ...]
    embeddings: dict[str, Floats]
    named: dict[str, tuple[Named, ...]]
    gains: dict[str, float]
    certainties: dict[str, float]
    seeds: tuple[int, ...]
    simulated: bool

    def row(self, name: str) -> TableRow:
        """One of the rows."""
        return next(row for row in self.rows if row.name == name)


def reconstruct(
    fitted: Fitted,
    training: TrialSet,
    selection: TrialSet,
    test: TrialSet,
    stimuli: StimulusSet,
    generators: Generators,
    seed: int = 0,
    progress: Told = lambda share, what: None,
) -> Reconstructions:
    """Reconstruct every object of `test` from the mean EEG of its showings; the decoder has seen none of them.

    `training` are the trials it was trained on, whose objects make the floors; `selection` fits what is fitted.

    Raises:
        InputError: other channels than the decoder was trained on, or embeddings that the generators do not take.
        SetUnusable: the set lacks a picture.
        WorkError: a generator failed.
    """
    selection, test = selection.averaged(), test.averaged()
    shown = tuple(test.items[item] for item in test.item)
    seeds = tuple(int(s) for s in np.random.default_rng([seed, 5]).integers(2**31, size=len(shown)))
    told = counted(progress, 2 * (len(STREAMS) + 1) + 2)
    decoded = {streams: decode(fitted, selection, test, streams, seed) for streams in STREAMS}
    told("truth")
    embeddings = {name: one.restored for name, one in decoded.items()} | {TRUE: test.targets[test.item]}
    shapes = generators.shape is not None
    truth = _truth(stimuli, shown, test.simulated, shapes)
    rows = []
    for name, some in embeddings.items():
        told(name)
        sure = decoded[name].certainty if name in decoded else 1.0
        rows.append(table_row(generators, name, some, seeds, sure, partial(told, f"{name}, shapes")))
    told("floors")
    nearest = _nearest(training, decoded[BOTH].as_decoded)
    rows += [_of_others(training, stimuli, nearest, shapes)]
    rows += [_mean(training, selection, stimuli, len(shown), shapes)]
    rows += [_of_nothing(generators, training, seeds)]
    embeddings[NEAREST] = training.targets[nearest]
    named = {name: _named(test, one.category, one.colour) for name, one in decoded.items()}
    shown_first = [np.flatnonzero(training.item == place)[0] for place in nearest]
    named[NEAREST] = _named(training, training.category[shown_first], training.colour[shown_first])
    gains = {name: one.gain for name, one in decoded.items()}
    certainties = {name: one.certainty for name, one in decoded.items()}
    return Reconstructions(
        test.participant, truth, tuple(rows), embeddings, named, gains, certainties, seeds, test.simulated
    )


def table_row(
    generators: Generators,
    name: str,
    embeddings: Floats,
    seeds: Sequence[int],
    certainty: float,
    told: Callable[[], None] = lambda: None,
) -> TableRow:
    """Picture and shape of each embedding (n, dim), all of one `certainty` (`Seen`); `told` between the two.

    Raises:
        InputError: embeddings of another encoder than the generators take.
        WorkError: a generator failed; to find no surface is no failure.
    """
    pictures = None if generators.picture is None else drawn(generators.picture, embeddings, seeds)
    told()
    if generators.shape is None:
        return TableRow(name, pictures, None, None)
    shown = (None,) * len(seeds) if pictures is None else pictures
    surfaces = tuple(
        _surface(generators.shape, Seen(one, picture, certainty=certainty, seed=seed))
        for one, picture, seed in zip(embeddings, shown, seeds, strict=True)
    )
    return TableRow(name, pictures, surfaces, tuple(None if one is None else sampled(one) for one in surfaces))


def drawn(generator: PictureGenerator, embeddings: Floats, seeds: Sequence[int]) -> Pictures:
    """(n, size, size, 3) of embeddings (n, dim), some at a time.

    Raises:
        InputError: embeddings of another length.
        WorkError: there was not enough memory.
    """
    batches = range(0, len(embeddings), _AT_ONCE)
    return np.concatenate([generator.pictures(embeddings[i : i + _AT_ONCE], seeds[i : i + _AT_ONCE]) for i in batches])


def mean_shape(training: Sequence[Array], selection: Sequence[Array], seed: int = 0) -> Array:
    """Points (8192, 3) where most of the `training` clouds (n, 3) have some: the best constant answer of its kind.

    Points of all clouds together, of which the share is kept that lies nearest to the clouds on average; the share is
    that with the best mean F-score at 0.1 with the `selection` clouds.
    """
    rng = np.random.default_rng(seed)
    pool = np.concatenate(training)
    pool = pool[rng.choice(len(pool), size=min(len(pool), 4 * N_POINTS), replace=False)]
    some = rng.permutation(len(training))[:_N_AGREEING]
    apart = np.mean([cKDTree(_coarse(training[number])).query(pool)[0] for number in some], axis=0)
    ranked = pool[np.argsort(apart, kind="stable")]
    few = [_coarse(cloud) for cloud in selection]

    def kept(share: float) -> Array:
        densest = ranked[: round(share * len(ranked))]
        return np.asarray(densest[rng.choice(len(densest), size=N_POINTS, replace=len(densest) < N_POINTS)])

    return max(
        (kept(share) for share in _SHARES), key=lambda own: np.mean([f_score(_coarse(own), c, 0.1) for c in few])
    )


def _surface(shaper: ShapeGenerator, seen: Seen) -> Surface | None:
    """None where the embedding is like none of an object: that is an answer, which is counted and told."""
    try:
        return shaper.surface(seen)
    except NoSurface:
        return None


def _truth(stimuli: StimulusSet, shown: tuple[Item, ...], simulated: bool, shapes: bool) -> Truth:
    surfaces = surfaces_of(stimuli, shown, simulated) if shapes else None
    return Truth(shown, pictures_of(stimuli, shown), clouds_of(stimuli, shown), surfaces)


def _named(trials: TrialSet, category: Numbers, colour: Numbers) -> tuple[Named, ...]:
    """Numbers (n,) in words; what those of colours mean is known of built-in objects alone."""
    return tuple(
        Named(trials.categories[kind], LABELS[hue] if trials.simulated and hue >= 0 else "")
        for kind, hue in zip(category, colour, strict=True)
    )


def _nearest(training: TrialSet, decoded: Floats) -> Numbers:
    """Which training item's embedding is nearest to each that was decoded."""
    known = np.unique(training.item)
    raw = training.targets[known]
    centre = raw.mean(axis=0)
    cosines = normalised(decoded - centre) @ normalised(raw - centre).T
    return np.asarray(known[cosines.argmax(axis=1)])


def _of_others(training: TrialSet, stimuli: StimulusSet, places: Numbers, shapes: bool) -> TableRow:
    """Picture and shape of training items themselves."""
    items = tuple(training.items[place] for place in places)
    pictures, clouds = pictures_of(stimuli, items), clouds_of(stimuli, items) if shapes else None
    if clouds is None:
        return TableRow(NEAREST, pictures, None, None, items)
    return TableRow(NEAREST, pictures, surfaces_of(stimuli, items, training.simulated), clouds, items)


def _mean(training: TrialSet, selection: TrialSet, stimuli: StimulusSet, n: int, shapes: bool) -> TableRow:
    known, chosen = (tuple(t.items[item] for item in np.unique(t.item)) for t in (training, selection))
    total = np.zeros((PICTURE_PX, PICTURE_PX, 3))
    for item in known:
        total += square(stimuli.picture(item))
    picture = np.round(total / len(known)).astype(np.uint8)
    pictures = np.repeat(picture[None], n, axis=0)
    clouds, to_choose = (clouds_of(stimuli, some) if shapes else None for some in (known, chosen))
    if clouds is None or to_choose is None:
        return TableRow(MEAN, pictures, None, None)
    shape = mean_shape(clouds, to_choose)
    return TableRow(MEAN, pictures, (surface_of_points(shape),) * n, (shape,) * n)


def _of_nothing(generators: Generators, training: TrialSet, seeds: Sequence[int]) -> TableRow:
    """One thing for all trials."""
    n = len(seeds)
    middle = training.targets[np.unique(training.item)].mean(axis=0, keepdims=True)
    one = table_row(generators, NOTHING, middle, seeds[:1], 0.0)
    return TableRow(
        NOTHING,
        None if one.pictures is None else np.repeat(one.pictures, n, axis=0),
        None if one.surfaces is None else one.surfaces * n,
        None if one.clouds is None else one.clouds * n,
    )


def _coarse(cloud: Array) -> Array:
    return cloud[:: max(1, len(cloud) // _N_COARSE)]
