"""What areas care about: each answers descriptors of its own kind, partly as everybody's does, partly one's own.

A tuning is a direction among an area's descriptors. How far its answer varies over the built-in set is set to one: the
sizes of responses and how far they differ are then two numbers, both in `cited`.

A stimulus that no table describes (a protocol's own, a tangram, a category of somebody's set) is described by its name:
the same normal numbers for everybody, on every machine, an object half as far from its category as categories from one
another. The participant then answers names, not looks, and `facts` says how many it had to.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from calibration.brain import cited
from calibration.descriptors import COLOUR, CONTRAST, FREQUENCY, MOVING, N_MOVING, PARTS, SHAPE, STILL, Described
from pipeline.types import Array

OBJECT_SD = 0.5

# Early areas: contrast, spatial frequency, orientation (Hubel & Wiesel; De Valois); V4: colour and form; LOC: shape
# whatever carries it (Grill-Spector et al. 2001); FFA, EBA: arrangements of parts; PPA: rectilinear and spread out
# (Nasr et al. 2014, J Neurosci 34:6721); parietal: size, tilt and layout (Konen & Kastner 2008, Nat Neurosci 11:224).
AREA_STILL: dict[str, tuple[str, ...]] = {
    "V1": (*CONTRAST, *FREQUENCY),
    "V4": (*COLOUR, *FREQUENCY[4:12], *SHAPE[6:8]),
    "V3A": (*CONTRAST, *FREQUENCY[:8], *SHAPE[:4]),
    "LOC": SHAPE,
    "EBA": (*SHAPE, *PARTS),
    "FFA": (*SHAPE[8:], *PARTS, *COLOUR[2:]),
    "PPA": (*FREQUENCY[8:], *SHAPE[:6], *PARTS),
    "MT": (*SHAPE[:6], *PARTS),
    "IPS": (*SHAPE[:6], *PARTS),
    "MFC": PARTS,
    "M1": (),
}
# What moves: change and contrast for V1 and V3A, the silhouette for LOC, change, place and width for MT and IPS.
AREA_MOVING: dict[str, tuple[str, ...]] = {
    "V1": ("change", "contrast", "fine contrast"),
    "V3A": ("change", "contrast", "width", "height"),
    "LOC": ("area", "width", "height", "elongation"),
    "FFA": ("elongation", "area", "fine contrast"),
    "MT": ("change", "centroid across", "width", "elongation"),
    "IPS": ("area", "centroid across", "centroid up", "height"),
}


@dataclass(frozen=True, eq=False)
class Looks:
    """z-scores of one stimulus: `still` (len(STILL),), `moving` (N_MOVING, len(MOVING)); `centre` (N_MOVING, 2) of the
    silhouette across and up in picture widths; `known` says whether a table had it.
    """

    still: Array
    moving: Array
    centre: Array
    known: bool


def looks(key: str, described: Described | None) -> Looks:
    """What `key` (`category/object`) looks like, from the table or by its name."""
    if described is not None and key in described.keys:
        row = described.keys.index(key)
        moving = _whole_turn(described.moving[row])
        columns = [MOVING.index("centroid across"), MOVING.index("centroid up")]
        sd, mean = described.scale.moving_sd[columns], described.scale.moving_mean[columns]
        return Looks(described.still[row], moving, moving[:, columns] * sd + mean, True)
    still = (_named(key.split("/")[0]) + OBJECT_SD * _named(key)) / np.hypot(1, OBJECT_SD)
    moving = _named_turn(key)
    return Looks(still, moving, 0.02 * moving[:, :2], False)


class Tuning:
    """One participant's preferences; `rng` draws what is their own, `built_in` sets the size. Thread: any."""

    def __init__(self, rng: np.random.Generator, built_in: Described) -> None:
        self._rng = rng
        self._still, self._moving = built_in.still, built_in.moving.reshape(-1, len(MOVING))

    def still(self, name: str, area: str) -> Array:
        """(len(STILL),) whose product with z-scores varies with a standard deviation of 1 over the built-in set."""
        return self._tuned(f"{name} {area}", STILL, AREA_STILL[area], self._still)

    def moving(self, name: str, area: str) -> Array:
        """(len(MOVING),) likewise, over all moments of all turns."""
        return self._tuned(f"{name} {area} moving", MOVING, AREA_MOVING[area], self._moving)

    def over_set(self, direction: Array) -> Array:
        """(n,) of all stimuli of the built-in set along a direction from `still`."""
        return np.asarray(self._still @ direction)

    def _tuned(self, name: str, all_names: tuple[str, ...], cared: Sequence[str], over: Array) -> Array:
        own = self._rng.standard_normal(len(all_names))
        shared = _normal(f"tuning {name}", (len(all_names),))
        direction = np.sqrt(1 - cited.INDIVIDUAL) * shared + np.sqrt(cited.INDIVIDUAL) * own
        direction *= np.isin(all_names, cared)
        spread = np.std(over @ direction)
        return np.asarray(direction / spread if spread > 0 else direction)


def _whole_turn(moving: Array) -> Array:
    """A film shorter than a turn stays on its last frame."""
    return np.asarray(moving[np.minimum(np.arange(N_MOVING), len(moving) - 1)])


def _named(name: str) -> Array:
    return _normal(name, (len(STILL),))


def _named_turn(key: str) -> Array:
    """(N_MOVING, len(MOVING)): one and two waves a turn, as of an object seen from all sides."""
    angle = 2 * np.pi * np.arange(N_MOVING)[:, None] / N_MOVING
    waves = np.hstack([f(k * angle) for k in (1, 2) for f in (np.sin, np.cos)])
    return np.asarray(waves @ _normal(f"turn {key}", (4, len(MOVING))) / np.sqrt(2))


def _normal(name: str, shape: tuple[int, ...]) -> Array:
    """Normal numbers that belong to a name, on every machine and in every run."""
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")
    return np.random.default_rng(number).standard_normal(shape)
