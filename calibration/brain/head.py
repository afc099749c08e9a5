"""A head: electrodes on a sphere, sources inside, and what the ones see of the others (MNE, Berg & Scherg)."""

import mne
import numpy as np

from calibration.brain import cited
from pipeline.types import Array

# The 64 electrodes of a common 10-10 cap; it records against FCz.
_CAP = """
Fp1 Fz F3 F7 FT9 FC5 FC1 C3 T7 TP9 CP5 CP1 Pz P3 P7 O1 Oz O2 P4 P8 TP10 CP6 CP2 Cz C4 T8 FT10 FC6 FC2 F4 F8 Fp2 AF7 AF3
AFz F1 F5 FT7 FC3 C1 C5 TP7 CP3 P1 P5 PO7 PO3 POz PO4 PO8 P6 P2 CPz CP4 TP8 C6 C2 FC4 FT8 F6 AF8 AF4 F2 Iz
"""
ELECTRODES = tuple(_CAP.split())
REFERENCE = "FCz"
SIDES = ("left", "right")
RIM = ("FT9", "FT10", "TP9", "TP10", "T7", "T8", "F7", "F8", "AF7", "AF8", "FT7", "FT8", "TP7", "TP8", "P7", "P8", "Iz")
DEEPEST, SHALLOWEST = 0.55, 0.85  # of the head's radius; the inner skull of MNE's sphere model lies at 0.90


class Head:
    """One person's head; `rng` draws its size, its places and its folding.

    `areas` maps an area to its left and right topography (65, 2) of unit norm in the average reference, where cited
    sizes hold without regard to FCz; `recorded` turns what is seen into what the amplifier gives.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self._info, native_to_head, stretch = _electrodes(rng)
        self.positions_m = np.array([c["loc"][:3] for c in self._info["chs"]])[:-1]
        self._sphere = mne.make_sphere_model("auto", "auto", self._info, verbose="ERROR")
        self._centre_m, self._radius_m = self._sphere["r0"], self._sphere["layers"][-1]["rad"]
        areas_m, eyes_m = (mne.transforms.apply_trans(native_to_head, at * stretch) for at in _places(rng))
        self.areas = self._areas(self._inside(areas_m), rng)
        self.gaze = self._gaze(self._inside(eyes_m))
        self.blink = self._fixed(self._inside(eyes_m), _unit(eyes_m - self._centre_m)).sum(axis=1)
        self.spike = self._fixed(self._inside(eyes_m), np.tile([0.0, 1.0, -0.3], (2, 1))).sum(axis=1)
        self.muscles = self._muscles(rng)
        self.scattered = self._fixed(*self._anywhere(rng))

    def at(self, *electrodes: str) -> np.ndarray:
        """Indices of electrodes."""
        return np.array([ELECTRODES.index(e) for e in electrodes])

    def recorded(self, average_uv: Array) -> Array:
        """From the average reference (65, ...) to what the amplifier gives (64, ...)."""
        return np.asarray(average_uv[:-1] - average_uv[-1])

    def _areas(self, at_m: Array, rng: np.random.Generator) -> dict[str, Array]:
        towards = _unit(at_m - self._centre_m) + cited.FOLDING_RAD * rng.standard_normal((len(at_m), 3))
        seen = self._fixed(at_m, _unit(towards))
        seen /= np.linalg.norm(seen, axis=0)
        return {area: seen[:, 2 * k : 2 * k + 2] for k, area in enumerate(cited.AREAS_MNI_MM)}

    def _gaze(self, eyes_m: Array) -> Array:
        """(65, 2) of both eyes' corneo-retinal dipoles turning by a little, to the right and upwards.

        A sphere has no room for eyes: they lie deeper and lower than they do, and turn along the sphere.
        """
        outward = _unit(eyes_m - self._centre_m)
        axes = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
        along = [axis - (outward @ axis)[:, None] * outward for axis in axes]
        return np.stack([self._fixed(eyes_m, each).sum(axis=1) for each in along], axis=1)

    def _muscles(self, rng: np.random.Generator) -> Array:
        """(65, n) patches under electrodes of the rim, each seen by its neighbours too, within about 3 cm."""
        places = np.vstack([self.positions_m, np.array(self._info["chs"][-1]["loc"][:3])])
        centres = places[self.at(*RIM)] + 0.01 * rng.standard_normal((len(RIM), 3))
        away_m = np.linalg.norm(places[:, None] - centres[None], axis=2)
        seen = np.exp(-0.5 * (away_m / 0.02) ** 2) * rng.lognormal(0.0, 0.5, len(RIM))
        return np.asarray(seen - seen.mean(axis=0))

    def _inside(self, points_m: Array) -> Array:
        """Points drawn to depths at which the sphere model holds; the directions stay."""
        out = points_m - self._centre_m
        depth = np.linalg.norm(out, axis=1, keepdims=True)
        return np.asarray(
            self._centre_m + out / depth * np.clip(depth / self._radius_m, DEEPEST, SHALLOWEST) * self._radius_m
        )

    def _anywhere(self, rng: np.random.Generator) -> tuple[Array, Array]:
        """Dipoles all over the cortex, in any direction."""
        n = cited.BACKGROUND_SOURCES
        where = _unit(rng.standard_normal((n, 3)))
        where[:, 2] = np.abs(where[:, 2]) - 0.4 * (rng.random(n) < 0.3)
        depth = rng.uniform(DEEPEST, SHALLOWEST, (n, 1)) * self._radius_m
        return self._centre_m + _unit(where) * depth, _unit(rng.standard_normal((n, 3)))

    def _fixed(self, at_m: Array, towards: Array) -> Array:
        """What 65 electrodes see of unit dipoles, average reference, (65, n_dipoles)."""
        space = mne.setup_volume_source_space(
            pos={"rr": at_m, "nn": _unit(towards)}, sphere=self._sphere, verbose="ERROR"
        )
        forward = mne.make_forward_solution(
            self._info, trans=None, src=space, bem=self._sphere, meg=False, eeg=True, mindist=0.0, verbose="ERROR"
        )
        fixed = mne.convert_forward_solution(forward, force_fixed=True, verbose="ERROR")
        seen = np.asarray(fixed["sol"]["data"], dtype=np.float64)
        return np.asarray(seen - seen.mean(axis=0))


def scaled(topography: Array, rows: np.ndarray, to_uv: float) -> Array:
    """A topography whose mean over `rows` is `to_uv`."""
    return np.asarray(topography * (to_uv / topography[rows].mean()))


def rms_scaled(mixing: Array, rows: np.ndarray, to_uv: float) -> Array:
    """A mixing matrix whose sources together give the median of `rows` a standard deviation of `to_uv`."""
    return np.asarray(mixing * (to_uv / np.median(np.sqrt(np.sum(mixing[rows] ** 2, axis=1)))))


def _electrodes(rng: np.random.Generator) -> tuple[mne.Info, mne.transforms.Transform, Array]:
    """The cap on a head of one's own breadth, length and height, its way from MNI space, and the head's stretch."""
    template = mne.channels.make_standard_montage("colin27_1005").get_positions()
    stretch = 1 + cited.HEAD_SD * np.clip(rng.standard_normal(3), -2, 2)
    wanted = [*ELECTRODES, REFERENCE]
    montage = mne.channels.make_dig_montage(
        ch_pos={name: template["ch_pos"][name] * stretch for name in wanted},
        **{mark: template[mark] * stretch for mark in ("nasion", "lpa", "rpa")},
        coord_frame=template["coord_frame"],
    )
    info = mne.create_info(wanted, 250.0, "eeg")
    info.set_montage(montage)
    return info, mne.channels.compute_native_head_t(montage), stretch


def _places(rng: np.random.Generator) -> tuple[Array, Array]:
    """Both hemispheres of every area where this person has them, and the eyes, (n, 3) metres in MNI space."""
    areas = np.array([(side * x, y, z) for x, y, z in cited.AREAS_MNI_MM.values() for side in (-1, 1)]) / 1000
    return areas + cited.PLACE_SD_M * rng.standard_normal(areas.shape), np.array(cited.EYES_MNI_MM) / 1000


def _unit(vectors: Array) -> Array:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True))
