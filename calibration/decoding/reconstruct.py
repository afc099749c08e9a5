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

import numpy as np
from PIL import Image
from scipy.spatial import cKDTree

from calibration.decoding.alone import BOTH, STREAMS, decode
from calibration.decoding.fitted import Fitted
from calibration.decoding.trials import Floats, Numbers, TrialSet
from calibration.metrics.shapes import N_POINTS, f_score, in_unit_sphere, sampled
from calibration.objects.colours import LABELS
from calibration.stimuli import Item, Picture, StimulusSet
from engines.errors import WorkError
from engines.generators.base import PictureGenerator, Seen, ShapeGenerator, Surface
from engines.vision.base import Pictures, normalised
from pipeline.types import Array

TRUE, NEAREST, MEAN, NOTHING = "true embedding", "nearest neighbour", "mean", "nothing decoded"
FLOORS = (NEAREST, MEAN, NOTHING)
ROWS = (*STREAMS, TRUE, *FLOORS)
MEANINGS = {
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

PICTURE_PX = 224
_AT_ONCE = 16
_N_COARSE, _N_AGREEING = 1024, 72
_SHARES = (0.25, 0.5, 0.75, 1.0)

Progress = Callable[[float, str], None]


@dataclass(frozen=True, eq=False)
class Truth:
    """What was seen: `items`, their `pictures` (n, 224, 224, 3), and `clouds` (n, 8192, 3), None where unknown."""

    items: tuple[Item, ...]
    pictures: Pictures
    clouds: tuple[Array, ...] | None


@dataclass(frozen=True, eq=False)
class Made:
    """One row of the table. `pictures` (n, size, size, 3), `surfaces` and `clouds` (8192, 3) of each item.

    What nothing makes is None; a surface is None where its generator found none. Floors have clouds without surfaces;
    `sources` are the objects that those of the nearest neighbour come from.
    """

    name: str
    pictures: Pictures | None
    surfaces: tuple[Surface | None, ...] | None
    clouds: tuple[Array | None, ...] | None
    sources: tuple[Item, ...] = ()


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
    rows: tuple[Made, ...]
    embeddings: dict[str, Floats]
    named: dict[str, tuple[Named, ...]]
    gains: dict[str, float]
    certainties: dict[str, float]
    seeds: tuple[int, ...]
    simulated: bool

    def row(self, name: str) -> Made:
        """One of the rows."""
        return next(row for row in self.rows if row.name == name)


@dataclass(frozen=True, eq=False)
class Makers:
    """What makes pictures and shapes; None for neither."""

    picture: PictureGenerator | None
    shape: ShapeGenerator | None

    def make(
        self, name: str, embeddings: Floats, seeds: Sequence[int], certainty: float, told: Callable[[], None]
    ) -> Made:
        """Picture and shape of each embedding (n, dim), all of one `certainty` (`Seen`).

        Raises:
            InputError: embeddings of another encoder than the generators take.
        """
        pictures = None if self.picture is None else _pictures(self.picture, embeddings, seeds)
        told()
        if self.shape is None:
            return Made(name, pictures, None, None)
        surfaces = tuple(
            _surface(self.shape, Seen(one, None if pictures is None else pictures[number], certainty=certainty))
            for number, one in enumerate(embeddings)
        )
        return Made(name, pictures, surfaces, tuple(None if one is None else sampled(one) for one in surfaces))


def reconstruct(
    fitted: Fitted,
    training: TrialSet,
    selection: TrialSet,
    test: TrialSet,
    stimuli: StimulusSet,
    makers: Makers,
    seed: int = 0,
    progress: Progress = lambda share, what: None,
) -> Reconstructions:
    """Reconstruct every object of `test` from the mean EEG of its showings; the decoder has seen none of them.

    `training` are the trials it was trained on, whose objects make the floors; `selection` fits what is fitted.

    Raises:
        InputError: other channels than the decoder was trained on, or embeddings that the generators do not take.
        SetUnusable: the set lacks a picture.
    """
    selection, test = selection.averaged(), test.averaged()
    shown = tuple(test.items[item] for item in test.item)
    seeds = tuple(int(s) for s in np.random.default_rng([seed, 5]).integers(2**31, size=len(shown)))
    told = _counted(progress, 2 * (len(STREAMS) + 1) + 2)
    decoded = {streams: decode(fitted, selection, test, streams, seed) for streams in STREAMS}
    told("truth")
    embeddings = {name: one.restored for name, one in decoded.items()} | {TRUE: test.targets[test.item]}
    truth = Truth(shown, pictures_of(stimuli, shown), clouds_of(stimuli, shown))
    rows = []
    for name, some in embeddings.items():
        told(name)
        sure = decoded[name].certainty if name in decoded else 1.0
        rows.append(makers.make(name, some, seeds, sure, lambda name=name: told(f"{name}, shapes")))  # type: ignore[misc]
    told("floors")
    nearest = _nearest(training, decoded[BOTH].as_decoded)
    rows += [_of_others(training, stimuli, nearest, makers.shape is not None)]
    rows += [_mean(training, selection, stimuli, len(shown), makers.shape is not None)]
    rows += [_of_nothing(makers, training, seeds)]
    embeddings[NEAREST] = training.targets[nearest]
    named = {name: _named(test, one.category, one.colour) for name, one in decoded.items()}
    shown_first = [np.flatnonzero(training.item == place)[0] for place in nearest]
    named[NEAREST] = _named(training, training.category[shown_first], training.colour[shown_first])
    gains, certainties = ({n: getattr(d, what) for n, d in decoded.items()} for what in ("gain", "certainty"))
    return Reconstructions(
        test.participant, truth, tuple(rows), embeddings, named, gains, certainties, seeds, test.simulated
    )


def pictures_of(stimuli: StimulusSet, items: Sequence[Item]) -> Pictures:
    """(n, 224, 224, 3), the shorter side in the middle."""
    return np.stack([_square(stimuli.picture(item)) for item in items])


def clouds_of(stimuli: StimulusSet, items: Sequence[Item]) -> tuple[Array, ...] | None:
    """Points (8192, 3) of each item; None where one has none."""
    clouds = [stimuli.point_cloud(item) for item in items]
    known = tuple(in_unit_sphere(cloud[:, :3]) for cloud in clouds if cloud is not None)
    return known if len(known) == len(clouds) else None


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


def _pictures(generator: PictureGenerator, embeddings: Floats, seeds: Sequence[int]) -> Pictures:
    batches = range(0, len(embeddings), _AT_ONCE)
    return np.concatenate([generator.pictures(embeddings[i : i + _AT_ONCE], seeds[i : i + _AT_ONCE]) for i in batches])


def _surface(shaper: ShapeGenerator, seen: Seen) -> Surface | None:
    """None where the embedding is like none of an object, which counts as having made nothing."""
    try:
        return shaper.surface(seen)
    except WorkError:
        return None


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


def _of_others(training: TrialSet, stimuli: StimulusSet, places: Numbers, shapes: bool) -> Made:
    """Picture and shape of training items themselves."""
    items = tuple(training.items[place] for place in places)
    return Made(NEAREST, pictures_of(stimuli, items), None, clouds_of(stimuli, items) if shapes else None, items)


def _mean(training: TrialSet, selection: TrialSet, stimuli: StimulusSet, n: int, shapes: bool) -> Made:
    known, chosen = (tuple(t.items[item] for item in np.unique(t.item)) for t in (training, selection))
    total = np.zeros((PICTURE_PX, PICTURE_PX, 3))
    for item in known:
        total += _square(stimuli.picture(item))
    picture = np.round(total / len(known)).astype(np.uint8)
    pictures = np.repeat(picture[None], n, axis=0)
    clouds, to_choose = (clouds_of(stimuli, some) if shapes else None for some in (known, chosen))
    if clouds is None or to_choose is None:
        return Made(MEAN, pictures, None, None)
    return Made(MEAN, pictures, None, (mean_shape(clouds, to_choose),) * n)


def _of_nothing(makers: Makers, training: TrialSet, seeds: Sequence[int]) -> Made:
    """One thing for all trials."""
    n = len(seeds)
    middle = training.targets[np.unique(training.item)].mean(axis=0, keepdims=True)
    one = makers.make(NOTHING, middle, seeds[:1], 0.0, lambda: None)
    return Made(
        NOTHING,
        None if one.pictures is None else np.repeat(one.pictures, n, axis=0),
        None if one.surfaces is None else one.surfaces * n,
        None if one.clouds is None else one.clouds * n,
    )


def _coarse(cloud: Array) -> Array:
    return cloud[:: max(1, len(cloud) // _N_COARSE)]


def _square(picture: Picture) -> Picture:
    side = min(picture.shape[:2])
    top, left = ((length - side) // 2 for length in picture.shape[:2])
    square = Image.fromarray(picture[top : top + side, left : left + side])
    return np.asarray(square.resize((PICTURE_PX, PICTURE_PX), Image.Resampling.LANCZOS))


def _counted(progress: Progress, n: int) -> Callable[[str], None]:
    done = iter(range(n + 1))
    return lambda what: progress(next(done) / n, what)
