"""What a stimulus looks like to the early and late visual system, from pictures alone.

No category, no colour label and no embedding enters, so nothing here is what a decoder is asked for. Pictures are seen
`SIZE_PX` wide: about 12 pixels a degree when they fill 8 degrees, finer than the evoked response can tell.

`STILL` and `MOVING` name the numbers. `Scale` turns them into z-scores, by constants that come from the built-in set
and are stored with it; a set of the user's own is put on the same scale, so that a participant answers it as it would.

Thread: any; nothing is kept.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.spatial import ConvexHull, QhullError

from engines.errors import InputError
from pipeline.types import Array

Mask = NDArray[np.bool_]

SIZE_PX = 96
TURN_S = 6.0
MOVING_HZ = 10.0
N_MOVING = round(TURN_S * MOVING_HZ)

BANDS = ((2.0, 4.0), (4.0, 8.0), (8.0, 16.0), (16.0, 32.0))  # cycles a picture, octaves
ORIENTATIONS_DEG = (0.0, 45.0, 90.0, 135.0)
N_HARMONICS = 6

CONTRAST = ("luminance", "contrast", "contrast inside", "edges")
FREQUENCY = tuple(f"{low:g}-{high:g} cycles at {deg:g}°" for low, high in BANDS for deg in ORIENTATIONS_DEG)
COLOUR = ("red-green", "blue-yellow", "saturation", "saturation spread")
SHAPE = (
    *("area", "width", "height", "elongation", "slant", "tilt", "solidity", "compactness"),
    *("left-right symmetry", "up-down symmetry", "skew across", "skew up"),
    *(f"outline harmonic {k}" for k in range(1, N_HARMONICS + 1)),
)
PARTS = ("parts", "largest part", "second part", "part evenness", "parts across", "parts up", "part distance")
STILL: tuple[str, ...] = (*CONTRAST, *FREQUENCY, *COLOUR, *SHAPE, *PARTS)
MOVING: tuple[str, ...] = (
    *("change", "area", "width", "height", "centroid across", "centroid up", "elongation", "contrast", "fine contrast"),
)

_OPAQUE = 0.06  # of full scale: what differs more from the background belongs to the object


def describe_still(picture: NDArray[np.uint8], mask: Mask | None = None, parts: NDArray[Any] | None = None) -> Array:
    """(len(STILL),) of one picture (height, width, 3).

    `mask` (height, width) is the object; None takes what differs from the picture's border. `parts` (height, width)
    numbers the visible parts, -1 the background; None leaves every descriptor of `PARTS` at zero.

    Raises:
        InputError: the picture or a map has another shape.
    """
    _check(picture, mask, parts)
    seen = _small(picture)
    inside = _object(seen) if mask is None else _small_mask(mask)
    light = seen @ (0.2126, 0.7152, 0.0722)
    return np.concatenate(
        [
            _contrast(light, inside),
            _frequencies(light),
            _colour(seen, inside),
            _shape(inside),
            _parts(parts, mask if mask is not None else np.ones(picture.shape[:2], bool)),
        ]
    )


def describe_turn(frames: NDArray[np.uint8], masks: NDArray[np.bool_] | None = None) -> Array:
    """(n, len(MOVING)) of frames (n, height, width, 3) at `MOVING_HZ`, masks (n, height, width) or None as above.

    The first frame has not changed from anything: its change is that of the second.

    Raises:
        InputError: fewer than two frames, or another shape.
    """
    if len(frames) < 2:
        raise InputError(f"at least two frames of a turn were expected, {len(frames)} came")
    found, before = [], None
    for k, frame in enumerate(frames):
        mask = None if masks is None else masks[k]
        _check(frame, mask, None)
        seen = _small(frame)
        light = seen @ (0.2126, 0.7152, 0.0722)
        found.append(_moving(light, _object(seen) if mask is None else _small_mask(mask), before))
        before = light
    found[0][0] = found[1][0]
    return np.array(found)


def at_moving_rate(n_frames: int, rate_hz: float) -> NDArray[np.intp]:
    """Which of `n_frames` frames at `rate_hz` stand for the turn at `MOVING_HZ`: the nearest in time, at most 6 s."""
    wanted = np.arange(min(N_MOVING, int(n_frames / rate_hz * MOVING_HZ)))
    return np.minimum(np.round(wanted * rate_hz / MOVING_HZ).astype(np.intp), n_frames - 1)


@dataclass(frozen=True, eq=False)
class Scale:
    """Mean and standard deviation of every descriptor over a set."""

    still_mean: Array
    still_sd: Array
    moving_mean: Array
    moving_sd: Array

    @staticmethod
    def of(still: Array, moving: Array) -> "Scale":
        """From (n, len(STILL)) and (n, n_frames, len(MOVING)) of a whole set. No label is asked for."""
        frames = moving.reshape(-1, len(MOVING))
        return Scale(still.mean(axis=0), _spread(still), frames.mean(axis=0), _spread(frames))

    def still(self, described: Array) -> Array:
        """z-scores of (..., len(STILL)), beyond 4 drawn in: an odd picture of a user's own is odd, not endlessly so."""
        return np.clip((described - self.still_mean) / self.still_sd, -4, 4)

    def moving(self, described: Array) -> Array:
        """z-scores of (..., len(MOVING)), likewise."""
        return np.clip((described - self.moving_mean) / self.moving_sd, -4, 4)


@dataclass(frozen=True, eq=False)
class Described:
    """The descriptors of a set as z-scores: `still` (n, len(STILL)), `moving` (n, n_frames, len(MOVING)) for `keys`.

    A key is `category/object`, as `Item.key`.
    """

    keys: tuple[str, ...]
    still: Array
    moving: Array
    scale: Scale

    @staticmethod
    def of(keys: tuple[str, ...], still: Array, moving: Array, scale: Scale | None = None) -> "Described":
        """From raw descriptors; without a `scale` the set is its own."""
        scale = scale or Scale.of(still, moving)
        return Described(keys, scale.still(still), scale.moving(moving), scale)

    def save(self, path: Path) -> None:
        """Write as .npz: z-scores as float16 (to 0.2 %), the scale in full."""
        np.savez_compressed(
            path,
            keys=np.array(self.keys),
            still=self.still.astype(np.float16),
            moving=self.moving.astype(np.float16),
            names=np.array([*STILL, *MOVING]),
            **{k: getattr(self.scale, k) for k in ("still_mean", "still_sd", "moving_mean", "moving_sd")},
        )

    @staticmethod
    def load(path: Path | IO[bytes]) -> "Described":
        """Read what `save` wrote, from a file or from its bytes.

        Raises:
            InputError: the file was made with other descriptors.
        """
        with np.load(path, allow_pickle=False) as file:
            if tuple(file["names"]) != (*STILL, *MOVING):
                raise InputError("the file holds other descriptors than this version knows: build the data again")
            scale = Scale(file["still_mean"], file["still_sd"], file["moving_mean"], file["moving_sd"])
            still, moving = file["still"].astype(np.float64), file["moving"].astype(np.float64)
            return Described(tuple(str(k) for k in file["keys"]), still, moving, scale)


def _contrast(light: Array, inside: Mask) -> Array:
    """Mean luminance of the object against the background, root mean square contrasts, density of edges."""
    up, across = np.gradient(light)
    edges = np.hypot(up, across)
    outside = light[~inside].mean() if (~inside).any() else 0.0
    within = light[inside] if inside.any() else np.zeros(1)
    return np.array([within.mean() - outside, light.std(), within.std(), edges.mean()])


def _frequencies(light: Array) -> Array:
    """log10 of the energy in bands by orientations; orientation is that of the bars, 0 horizontal."""
    window = np.hanning(SIZE_PX)
    energy = np.abs(np.fft.fft2((light - light.mean()) * np.outer(window, window))) ** 2 / SIZE_PX**2
    return np.log10(np.array([energy[rows].sum() for rows in _FILTERS]) + 1e-6)


def _filters() -> list[Mask]:
    cycles = np.fft.fftfreq(SIZE_PX, 1 / SIZE_PX)
    down, right = np.meshgrid(cycles, cycles, indexing="ij")
    radius = np.hypot(down, right)
    bars_deg = np.mod(np.degrees(np.arctan2(-down, right)) + 90, 180)
    off_deg = [np.abs(np.mod(bars_deg - deg + 90, 180) - 90) for deg in ORIENTATIONS_DEG]
    return [(radius >= low) & (radius < high) & (off <= 22.5) for low, high in BANDS for off in off_deg]


_FILTERS = _filters()


def _colour(seen: Array, inside: Mask) -> Array:
    """Opponent means (red against green, blue against yellow) and saturation of the object."""
    pixels = seen[inside] if inside.any() else np.zeros((1, 3))
    red, green, blue = pixels.T
    highest, lowest = pixels.max(axis=1), pixels.min(axis=1)
    saturation = np.divide(highest - lowest, highest, out=np.zeros_like(highest), where=highest > 0)
    opponent = (red - green).mean(), (blue - (red + green) / 2).mean()
    return np.array([*opponent, saturation.mean(), saturation.std()])


def _shape(inside: Mask) -> Array:
    """Silhouette: size, ellipse of the same second moments, convexity, symmetry, harmonics of the outline."""
    if np.count_nonzero(inside) < 3:
        return np.zeros(len(SHAPE))
    up, across = _coordinates(inside)
    elongation, axis_rad = _ellipse(up, across)
    area = inside.mean()
    sides = np.ptp(across) + 1 / SIZE_PX, np.ptp(up) + 1 / SIZE_PX
    perimeter = np.count_nonzero(inside & ~_eroded(inside)) / SIZE_PX
    box = inside[np.ix_(inside.any(axis=1), inside.any(axis=0))]
    c_up, c_across = up - up.mean(), across - across.mean()
    skews = [float(np.mean(c**3) / (np.mean(c**2) ** 1.5 + 1e-9)) for c in (c_across, c_up)]
    return np.array(
        [
            *(area, *sides, elongation, elongation * np.sin(2 * axis_rad), elongation * np.cos(2 * axis_rad)),
            *(_solidity(up, across, area), np.sqrt(area) / perimeter, _agreement(box, box[:, ::-1])),
            *(_agreement(box, box[::-1]), *skews, *_outline(c_up, c_across)),
        ]
    )


def _outline(up: Array, across: Array) -> Array:
    """Amplitudes of the harmonics of the farthest point in each of 64 directions, relative to the mean distance."""
    sector = np.floor((np.arctan2(up, across) + np.pi) / (2 * np.pi) * 64).astype(int) % 64
    farthest = np.zeros(64)
    np.maximum.at(farthest, sector, np.hypot(up, across))
    spectrum = np.abs(np.fft.rfft(farthest))
    return np.asarray(2 * spectrum[1 : N_HARMONICS + 1] / spectrum[0])


def _parts(parts: NDArray[Any] | None, mask: Mask) -> Array:
    """Number, relative sizes and layout of the visible parts; what is smaller than 0.2 % of the object is not seen."""
    if parts is None or not np.any((parts >= 0) & mask):
        return np.zeros(len(PARTS))
    rows, columns = np.nonzero((parts >= 0) & mask)
    numbers, which = np.unique(parts[rows, columns], return_inverse=True)
    counts = np.bincount(which, minlength=len(numbers))
    up = -np.bincount(which, rows) / counts / parts.shape[0]
    across = np.bincount(which, columns) / counts / parts.shape[1]
    seen = counts >= 0.002 * counts.sum()
    share, up, across = counts[seen] / counts[seen].sum(), up[seen], across[seen]
    ordered = np.sort(share)[::-1]
    evenness = -np.sum(share * np.log(share)) / np.log(max(len(share), 2))
    away = np.hypot(up - np.sum(share * up), across - np.sum(share * across))
    second = ordered[1] if len(ordered) > 1 else 0.0
    return np.array([np.log(len(share)), ordered[0], second, evenness, across.std(), up.std(), away.mean()])


def _moving(light: Array, inside: Mask, before: Array | None) -> Array:
    change = 0.0 if before is None else float(np.sqrt(np.mean((light - before) ** 2))) * MOVING_HZ
    if np.count_nonzero(inside) < 3:
        return np.array([change, *np.zeros(6), light.std(), 0.0])
    up, across = _coordinates(inside)
    sides = np.ptp(across) + 1 / SIZE_PX, np.ptp(up) + 1 / SIZE_PX
    elongation, _ = _ellipse(up, across)
    fine = float(np.hypot(*np.gradient(light)).mean())
    return np.array([change, inside.mean(), *sides, across.mean(), up.mean(), elongation, light.std(), fine])


def _coordinates(inside: Mask) -> tuple[Array, Array]:
    """How far up and across the object's pixels lie from the middle, in picture widths."""
    rows, columns = np.nonzero(inside)
    return 0.5 - (rows + 0.5) / SIZE_PX, (columns + 0.5) / SIZE_PX - 0.5


def _ellipse(up: Array, across: Array) -> tuple[float, float]:
    """Elongation (0 round, 1 a line) and direction of the long axis."""
    values, vectors = np.linalg.eigh(np.cov(np.stack([across, up])) + 1e-9 * np.eye(2))
    return float(1 - np.sqrt(values[0] / values[1])), float(np.arctan2(vectors[1, 1], vectors[0, 1]))


def _solidity(up: Array, across: Array, area: float) -> float:
    """Share of the convex hull that is filled. A line has no hull: it is its own."""
    try:
        hull = ConvexHull(np.stack([up, across], axis=1)).volume
    except QhullError:
        return 1.0
    return float(min(1.0, area / max(hull, 1 / SIZE_PX**2)))


def _agreement(a: Mask, b: Mask) -> float:
    """Intersection over union."""
    return float((a & b).sum() / max(1, int((a | b).sum())))


def _eroded(inside: Mask) -> Mask:
    padded = np.pad(inside, 1)
    return inside & padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]


def _small(picture: NDArray[np.uint8]) -> Array:
    """(SIZE_PX, SIZE_PX, 3) from 0 to 1, each pixel the mean of what it covers."""
    image = Image.fromarray(np.ascontiguousarray(picture)).resize((SIZE_PX, SIZE_PX), Image.Resampling.BOX)
    return np.asarray(image, dtype=np.float64) / 255


def _small_mask(mask: Mask) -> Mask:
    image = Image.fromarray(mask.astype(np.uint8) * 255).resize((SIZE_PX, SIZE_PX), Image.Resampling.BOX)
    return np.asarray(image) >= 128


def _object(seen: Array) -> Mask:
    """What differs from the border's most common colour, channel by channel the median."""
    border = np.concatenate([seen[0], seen[-1], seen[:, 0], seen[:, -1]])
    return np.asarray(np.abs(seen - np.median(border, axis=0)).max(axis=2) > _OPAQUE)


def _spread(values: Array) -> Array:
    """Standard deviation; a descriptor that never varies tells nothing and becomes 0, not a division by zero."""
    sd = values.std(axis=0)
    return np.asarray(np.where(sd > 1e-9, sd, np.inf))


def _check(picture: NDArray[np.uint8], mask: Mask | None, parts: NDArray[Any] | None) -> None:
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
        raise InputError(f"a picture is (height, width, 3) of uint8, {picture.shape} of {picture.dtype} came")
    for name, given in (("mask", mask), ("part map", parts)):
        if given is not None and given.shape != picture.shape[:2]:
            raise InputError(f"the {name} is {given.shape}, its picture {picture.shape[:2]}")
