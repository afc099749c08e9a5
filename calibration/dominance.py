"""Which stream a reconstruction hangs on, place by place: the representation dependency index (RDI) of BrainSSD.

    A_dyn(i, j) = sum_l w_l D_cos(phi_l(I_fused), phi_l(I_stat)),  A_stat the same with I_dyn
    RDI = (N(A_dyn) - N(A_stat)) / (N(A_dyn) + N(A_stat) + eps)

    It is +1 where the picture from the turn alone is like the whole answer's and that from the picture's stream is not.

As a published note on BrainSSD has it; the paper itself was not at hand. What the note leaves open is our choice:
layers l of VGG-19 (relu1_2 to relu5_4) or of the pocket encoder, w_l = 1 / L, distances resized bilinearly, N from
least to most within a picture, eps 1e-6, I_stat and I_dyn laid over I_fused by a homography (ORB, RANSAC) where enough
points agree. `CAVEATS` belongs beside every map.

Thread: any, one at a time for one set of layers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import cv2
import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from calibration.stimuli import Picture
from engines.errors import InputError
from engines.vision.base import Floats, Pictures
from pipeline.types import Array

LEAST_INLIERS = 10
EPS = 1e-6
NOWHERE = -1

CAVEATS = (
    "It compares reconstructions: it tells what the decoder and the generator took from each stream, not what a part "
    "of the brain did.",
    "Each distance is stretched from its least to its most within the picture: the map tells where, never how much; "
    "two pictures that differ by noise alone fill the scale as well. Read it against another trial's EEG and against "
    "the spread over the generator's seeds.",
    "The streams were recorded seconds apart, and no decoder was trained to answer from the turn alone.",
    "Parts are those of the object that was shown; a reconstruction need not have them there.",
    "The formula follows a note on the paper; layers, weights, scaling and alignment are left open there and are ours.",
)

KEY = "Warm: the reconstruction hangs on the turn, to +1; cool: on the picture, to -1."

OWN_PARTS = "averaged over the parts of the object that was shown"
SEGMENTS = "averaged over segments that {} finds in the reconstruction from both streams"
NOT_AVERAGED = "not averaged: parts of the object are not known, and SAM's weights are not here"
NO_SEGMENTS = "not averaged: parts of the object are not known, and {} finds none in the reconstruction"

_ALIGN_PX = 512
_N_POINTS = 1000
_RANSAC_PX = 5.0


class Layers(Protocol):
    """A network's feature maps (`engines.vision.features.trunk`: `vgg19`, `pocket_trunk`)."""

    @property
    def name(self) -> str:
        """What reports call it."""
        ...

    @property
    def pocket(self) -> bool:
        """Whether it is the small stand-in."""
        ...

    def layers(self, pictures: Pictures) -> Sequence[Floats]:
        """(n, height, width, 3) to maps (n, channel, height_l, width_l), shallow to deep."""
        ...


class Segmenter(Protocol):
    """What finds segments in a picture whose parts nobody knows (`engines.vision.segments`)."""

    @property
    def name(self) -> str:
        """What reports call it."""
        ...

    def segments(self, picture: Picture) -> NDArray[np.int64]:
        """(height, width, 3) to (height, width): the number of the segment that a place is in, -1 for none."""
        ...


@dataclass(frozen=True, eq=False)
class Areas:
    """What a map is averaged over: `numbers` (height, width), -1 outside, None where there is nothing to average over.

    `names` are those of the numbers, in order; `told` says what they are.
    """

    numbers: NDArray[np.int64] | None
    names: tuple[str, ...]
    told: str


@dataclass(frozen=True, eq=False)
class Dependency:
    """`map` (height, width) from -1, the picture's stream, to +1, the turn's; `layers` names what compared.

    `from_turn` and `from_picture` are A_dyn and A_stat, not stretched. `by_part` is the map averaged over each part,
    NaN outside all of them, `parts` the averages by name; both None and () where parts are unknown. `inliers` count the
    points on which I_stat and I_dyn agree with I_fused; with fewer than `LEAST_INLIERS` it was not moved. `spread` is
    the deviation over the generator's seeds where several were made, then `map` is their mean; `spread_by_part` that of
    the averages.
    """

    map: Array
    from_turn: Array
    from_picture: Array
    inliers: tuple[int, int]
    layers: str
    pocket: bool
    by_part: Array | None = None
    parts: tuple[tuple[str, float], ...] = ()
    spread: Array | None = None
    spread_by_part: tuple[tuple[str, float], ...] = ()

    @property
    def aligned(self) -> tuple[bool, bool]:
        """Whether I_stat and I_dyn were laid over I_fused."""
        static, dynamic = (n >= LEAST_INLIERS for n in self.inliers)
        return static, dynamic


def areas_of(
    parts: NDArray[np.int64] | None, names: Sequence[str], fused: Picture, segmenter: Segmenter | None
) -> Areas:
    """The object's own parts where they are known, else the segments of what was reconstructed from both streams."""
    if parts is not None:
        return Areas(parts, tuple(names), OWN_PARTS)
    if segmenter is None:
        return Areas(None, (), NOT_AVERAGED)
    segments = segmenter.segments(fused)
    n = int(segments.max()) + 1
    if not n:
        return Areas(None, (), NO_SEGMENTS.format(segmenter.name))
    return Areas(segments, tuple(f"segment {number}" for number in range(1, n + 1)), SEGMENTS.format(segmenter.name))


def dependency(
    fused: Picture,
    static: Picture,
    dynamic: Picture,
    layers: Layers,
    parts: NDArray[np.int64] | None = None,
    names: Sequence[str] = (),
) -> Dependency:
    """The index of one trial: (height, width, 3) pictures from both streams and from either alone.

    `parts` (height, width) numbers what to average over, -1 outside (`Renderer.view(...).parts`, or segments); `names`
    are those of the numbers, in order.

    Raises:
        InputError: pictures of different shapes.
    """
    if not fused.shape == static.shape == dynamic.shape:
        raise InputError(f"expected pictures of one shape; got {fused.shape}, {static.shape} and {dynamic.shape}")
    (over_static, n_static), (over_dynamic, n_dynamic) = aligned(static, fused), aligned(dynamic, fused)
    from_turn, from_picture = _distances(layers.layers(np.stack([fused, over_static, over_dynamic])), fused.shape[:2])
    index = contrast(from_turn, from_picture)
    found = Dependency(index, from_turn, from_picture, (n_static, n_dynamic), layers.name, layers.pocket)
    return found if parts is None else _averaged(found, _as_large(parts, fused.shape[:2]), names)


def over_seeds(
    fused: Pictures,
    static: Pictures,
    dynamic: Pictures,
    layers: Layers,
    parts: NDArray[np.int64] | None = None,
    names: Sequence[str] = (),
) -> Dependency:
    """The mean over (n, height, width, 3) pictures made from n seeds, and the deviation over them.

    Raises:
        InputError: fewer than two, or not as many of each.
    """
    if not len(fused) == len(static) == len(dynamic) > 1:
        raise InputError(f"expected several pictures of each; got {len(fused)}, {len(static)} and {len(dynamic)}")
    found = [dependency(*three, layers) for three in zip(fused, static, dynamic, strict=True)]
    maps = np.stack([one.map for one in found])
    mean = Dependency(
        maps.mean(axis=0),
        np.mean([one.from_turn for one in found], axis=0),
        np.mean([one.from_picture for one in found], axis=0),
        (min(one.inliers[0] for one in found), min(one.inliers[1] for one in found)),
        layers.name,
        layers.pocket,
        spread=maps.std(axis=0, ddof=1),
    )
    if parts is None:
        return mean
    large = _as_large(parts, fused.shape[1:3])
    by_seed = [dict(_averaged(one, large, names).parts) for one in found]
    spread = tuple((name, float(np.std([one[name] for one in by_seed], ddof=1))) for name in by_seed[0])
    return replace(_averaged(mean, large, names), spread_by_part=spread)


def contrast(from_turn: Array, from_picture: Array) -> Array:
    """RDI of the two distances (height, width), each stretched to 0 to 1; a constant one is 0 everywhere."""
    turn, picture = _stretched(from_turn), _stretched(from_picture)
    return np.asarray((turn - picture) / (turn + picture + EPS), dtype=np.float64)


def tinted(index: Array, under: Picture) -> Picture:
    """A map (height, width) over a faint picture, warm to +1, cool to -1; where it is no number the picture alone."""
    colours = mpl.colormaps["coolwarm"]((np.nan_to_num(index) + 1) / 2)[..., :3] * 255
    grey = np.asarray(Image.fromarray(under).convert("L"), dtype=np.float64)[..., None]
    share = np.where(np.isfinite(index), 0.75, 0.0)[..., None]
    return np.asarray(np.round(share * colours + (1 - share) * grey), dtype=np.uint8)


def aligned(moving: Picture, fixed: Picture) -> tuple[Picture, int]:
    """`moving` laid over `fixed`, and how many points agree; as it is where fewer than `LEAST_INLIERS` do."""
    height, width = fixed.shape[:2]
    from_points, to_points = _matched(moving, fixed)
    if len(from_points) < 4:  # a homography has eight unknowns
        return moving, 0
    scale = max(_ALIGN_PX / max(height, width), 1.0)
    found, inside = cv2.findHomography(from_points, to_points, cv2.RANSAC, _RANSAC_PX)
    n_inliers = 0 if found is None or inside is None else int(inside.sum())
    if n_inliers < LEAST_INLIERS:
        return moving, n_inliers
    large = np.diag([scale, scale, 1.0])
    home = np.linalg.inv(large) @ found @ large
    laid = cv2.warpPerspective(moving, home, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(laid, dtype=np.uint8), n_inliers


def _matched(moving: Picture, fixed: Picture) -> tuple[Floats, Floats]:
    """Places (n, 2) of ORB points (Rublee et al. 2011) that are each other's best match, in enlarged pictures."""
    # RANSAC in OpenCV draws from a generator of its own.
    cv2.setRNGSeed(0)
    finder = cv2.ORB.create(nfeatures=_N_POINTS)
    found = []
    for picture in (moving, fixed):
        scale = max(_ALIGN_PX / max(picture.shape[:2]), 1.0)
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        found.append(finder.detectAndCompute(cv2.resize(grey, None, fx=scale, fy=scale), None))
    (points, about), (others, about_others) = found
    if about is None or about_others is None:
        return np.empty((0, 2), np.float32), np.empty((0, 2), np.float32)
    matches = cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True).match(about, about_others)
    pairs = [(points[m.queryIdx].pt, others[m.trainIdx].pt) for m in matches]
    left, right = (np.array([pair[side] for pair in pairs], np.float32).reshape(-1, 2) for side in (0, 1))
    return left, right


def _distances(maps: Sequence[Floats], shape: tuple[int, ...]) -> tuple[Array, Array]:
    """A_dyn and A_stat (height, width): of the first picture from the second and from the third."""
    height, width = shape
    total = np.zeros((2, height, width))
    for layer in maps:
        unit = layer / np.maximum(np.linalg.norm(layer, axis=1, keepdims=True), 1e-12)
        for place in (0, 1):
            apart = np.maximum(1.0 - np.einsum("chw,chw->hw", unit[0], unit[1 + place], dtype=np.float64), 0.0)
            total[place] += cv2.resize(apart, (width, height), interpolation=cv2.INTER_LINEAR)
    from_turn, from_picture = total / len(maps)
    return from_turn, from_picture


def _stretched(distance: Array) -> Array:
    low, high = float(distance.min()), float(distance.max())
    return (distance - low) / (high - low) if high > low else np.zeros_like(distance)


def _as_large(parts: NDArray[np.int64], shape: tuple[int, ...]) -> NDArray[np.int64]:
    height, width = shape
    resized = cv2.resize(parts.astype(np.int32), (width, height), interpolation=cv2.INTER_NEAREST)
    return np.asarray(resized, dtype=np.int64)


def _averaged(found: Dependency, parts: NDArray[np.int64], names: Sequence[str]) -> Dependency:
    by_part = np.full(parts.shape, np.nan)
    averages: dict[str, float] = {}
    for number in np.unique(parts[parts != NOWHERE]):
        inside = parts == number
        by_part[inside] = found.map[inside].mean()
        averages[names[number] if number < len(names) else f"part {number}"] = float(found.map[inside].mean())
    return replace(found, by_part=by_part, parts=tuple(averages.items()))
