"""What a simulated brain would answer: a table of evoked responses and the head they are seen through.

A forward model, no label leak: a stimulus is a vector of visual descriptors; areas along the ventral and dorsal
stream answer each descriptor with a tuning of their own, partly shared by all people, partly individual; 64 electrodes
on a spherical head (MNE, Berg & Scherg approximation) see the sum. Nothing here knows of classes: two categories differ
in the EEG as far as their descriptors differ.

Sizes are rounded from the literature, at its strong end: an attentive observer of large pictures in a shielded room.
How far categories differ (`TUNING_SD`) is the one free choice; decision 0070 says how it was made, and what a linear
decoder reaches on it.

- C1, P1, N170, P2, N250: Luck 2014 (An Introduction to the Event-Related Potential Technique, 2nd ed.); their sources
  after Di Russo et al. 2002 (Hum Brain Mapp 15:95); N170 of single observers -5 to -10 uV, for faces several uV more
  than for cars: Rossion & Jacques 2008 (NeuroImage 39:1959), Kappenman et al. 2021 (ERP CORE, NeuroImage 225:117465).
- P3b of rare targets: Polich 2007 (Clin Neurophysiol 118:2128).
- areas: MNI coordinates rounded from Kanwisher et al. 1997 (fusiform), Epstein & Kanwisher 1998 (parahippocampal),
  Grill-Spector et al. 2001 (lateral occipital), Downing et al. 2001 (extrastriate body area).
- ongoing activity: exponent of awake adults (Donoghue et al. 2020, Nat Neurosci 23:1655); a single trial of the
  average-referenced PO8, 0.5 to 30 Hz, comes to a standard deviation of 8 uV. An unshielded recording of a moving
  person is louder: S001R03 of eegmmidb has 9 uV^2/Hz at 10 Hz where this participant has 0.5.
- blinks: 17 a minute (Bentivoglio et al. 1997, Mov Disord 12:1028), about 150 uV at Fp1 and Fp2.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import mne
import numpy as np

from pipeline.simulation import Participant
from pipeline.types import Array

# The 64 electrodes of a common 10-10 cap; it records against FCz.
_CAP = """
Fp1 Fz F3 F7 FT9 FC5 FC1 C3 T7 TP9 CP5 CP1 Pz P3 P7 O1 Oz O2 P4 P8 TP10 CP6 CP2 Cz C4 T8 FT10 FC6 FC2 F4 F8 Fp2 AF7 AF3
AFz F1 F5 FT7 FC3 C1 C5 TP7 CP3 P1 P5 PO7 PO3 POz PO4 PO8 P6 P2 CPz CP4 TP8 C6 C2 FC4 FT8 F6 AF8 AF4 F2 Iz
"""
ELECTRODES = tuple(_CAP.split())
REFERENCE = "FCz"

AREAS_MNI_MM: dict[str, tuple[float, float, float]] = {
    "V1": (10, -92, 0),
    "V3A": (26, -84, 24),
    "LOC": (43, -72, -10),
    "EBA": (46, -70, 2),
    "FFA": (40, -54, -18),
    "PPA": (26, -46, -10),
    "IPS": (26, -64, 46),
}
EYES_MNI_MM = ((32.0, 70.0, -30.0), (-32.0, 70.0, -30.0))
DEEPEST, SHALLOWEST = 0.55, 0.85  # of the head's radius; the inner skull of MNE's sphere model lies at 0.90

N_DESCRIPTORS = 8
TUNING_SD = 1.0  # of an area's answer over categories, relative to its mean answer
OBJECT_SD = 0.5  # an object departs half as far from its category as categories from one another
INDIVIDUAL = 0.5  # share of the tuning's variance that is a participant's own
LATENCY_TUNING_S = 0.006
SILENT_S = 0.04  # nothing reaches the cortex sooner (Di Russo et al. 2002: C1 begins at 50 ms)
RESPONSE_S = 0.9

BACKGROUND_SOURCES = 80
BACKGROUND_UV2_HZ = 0.5
EXPONENT = 1.0


@dataclass(frozen=True)
class Stimulus:
    """A picture: `object` of `category`. `target` marks what the protocol asks the participant to look out for."""

    category: str
    object: str
    target: bool = False

    @property
    def label(self) -> str:
        """What the marker stream says when it comes on the screen."""
        return f"stim/{self.category}/{self.object}"

    @property
    def descriptors(self) -> Array:
        """(N_DESCRIPTORS,) z-scores, the same for every participant and every run."""
        return _named_normal(self.category) + OBJECT_SD * _named_normal(f"{self.category}/{self.object}")


@dataclass(frozen=True)
class Component:
    """One wave of the evoked response: where it peaks, when, and which areas make it."""

    name: str
    latency_s: float
    sd_s: float
    peak_uv: float
    electrodes: tuple[str, ...]
    areas: tuple[str, ...]
    targets_only: bool = False


COMPONENTS = (
    Component("C1", 0.075, 0.010, 1.5, ("POz", "Oz", "Iz"), ("V1",)),
    Component("P1", 0.105, 0.014, 6.0, ("O1", "O2", "PO7", "PO8"), ("V1", "V3A", "LOC")),
    Component("N170", 0.168, 0.018, -6.5, ("P7", "P8", "PO7", "PO8"), ("LOC", "EBA", "FFA", "PPA")),
    Component("P2", 0.225, 0.024, 5.0, ("PO3", "PO4", "POz"), ("V3A", "LOC", "IPS")),
    Component("N250", 0.280, 0.030, -3.5, ("P7", "P8", "TP9", "TP10"), ("EBA", "FFA", "PPA")),
    Component("late", 0.420, 0.090, 3.5, ("Pz", "P1", "P2"), ("LOC", "PPA", "IPS")),
    Component("P3b", 0.400, 0.075, 6.0, ("Pz", "CPz"), ("IPS",), targets_only=True),
)


def make_participant(
    seed: int, stimuli: Sequence[Stimulus], *, sfreq_hz: float = 250.0, line_hz: float = 50.0
) -> Participant:
    """The participant named `seed`: the same anatomy, tuning and habits for any stimuli at any rate.

    Responses are (64, n) microvolts against FCz, from the onset to `RESPONSE_S`. Thread: any.
    """
    head = _Head(np.random.default_rng([seed, 10]))
    responses = _Responses(head, np.random.default_rng([seed, 11]), sfreq_hz)
    rng = np.random.default_rng([seed, 12])
    sensor_uv = np.full(len(ELECTRODES), 0.7)
    line_uv = 1.0 * rng.lognormal(0.0, 0.5, len(ELECTRODES))
    bad = [int(rng.integers(len(ELECTRODES)))] if rng.random() < 0.5 else []
    sensor_uv[bad], line_uv[bad] = 40.0, 30.0
    return Participant(
        seed=seed,
        sfreq_hz=sfreq_hz,
        names=ELECTRODES,
        positions_m=head.positions_m,
        responses_uv={s.label: responses.to(s) for s in stimuli},
        background_uv=head.background_uv,
        exponent=EXPONENT,
        alpha_uv=head.alpha_uv,
        alpha_hz=float(np.clip(rng.normal(10.0, 0.8), 8.5, 11.8)),  # Klimesch 1999, Brain Res Rev 29:169
        alpha_width_hz=1.5,
        blink_uv=head.blink_uv,
        blinks_per_min=17.0,
        line_uv=line_uv,
        line_phase_rad=rng.normal(0.0, 0.5, len(ELECTRODES)),
        line_hz=line_hz,
        sensor_uv=sensor_uv,
        drift_uv=15.0,
        drift_hz=0.003,
        offset_uv=rng.uniform(-2000.0, 2000.0, len(ELECTRODES)),
        gain_sd=0.3,
        latency_sd_s=0.005,
        facts={"reference": REFERENCE, "bad channels": " ".join(ELECTRODES[i] for i in bad) or "none"},
    )


class _Head:
    """Electrodes on a sphere, and what they see of each source, in microvolts against `REFERENCE`.

    Every topography is scaled in the average reference, where the cited sizes hold without regard to FCz.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self.info = mne.create_info([*ELECTRODES, REFERENCE], 250.0, "eeg")
        montage = mne.channels.make_standard_montage("colin27_1005")
        self.info.set_montage(montage)
        self.positions_m = np.array([c["loc"][:3] for c in self.info["chs"]])[:-1]
        sphere = mne.make_sphere_model("auto", "auto", self.info, verbose="ERROR")
        self._centre_m, self._radius_m = sphere["r0"], sphere["layers"][-1]["rad"]
        to_head = mne.transforms.apply_trans(mne.channels.compute_native_head_t(montage), _areas_m())
        areas_m = self._inside(to_head)
        background_m, background_towards = self._scattered(rng)
        outward = _unit(areas_m - self._centre_m)
        # The folding of the cortex is one's own: about half a radian off the radial direction. Eyes have none.
        n_areas = 2 * len(AREAS_MNI_MM)
        folding = np.vstack([0.4 * rng.standard_normal((n_areas, 3)), np.zeros((2, 3))])
        towards = _unit(outward + folding)
        seen = self._lead_field(sphere, np.vstack([areas_m, background_m]), np.vstack([towards, background_towards]))
        self.area = dict(zip(_area_names(), seen[:, :n_areas].T, strict=True))
        self.blink_uv = self.recorded(_scaled(seen[:, n_areas : n_areas + 2].sum(axis=1), self.at("Fp1", "Fp2"), 150.0))
        alpha = np.array([self.area[f"{a} {s}"] for a in ("V1", "V3A", "IPS") for s in ("left", "right")])
        self.alpha_uv = self.recorded(_rms_scaled(alpha.T, self.at("O1", "Oz", "O2", "POz"), 4.0))
        background = seen[:, n_areas + 2 :]
        self.background_uv = self.recorded(_rms_scaled(background, np.arange(len(seen)), np.sqrt(BACKGROUND_UV2_HZ)))

    def at(self, *electrodes: str) -> np.ndarray:
        """Indices of electrodes."""
        return np.array([ELECTRODES.index(e) for e in electrodes])

    def recorded(self, average_uv: Array) -> Array:
        """From the average reference (65, ...) to what the amplifier gives (64, ...)."""
        return np.asarray(average_uv[:-1] - average_uv[-1])

    def _inside(self, points_m: Array) -> Array:
        """Points drawn to depths at which the sphere model holds; the directions stay."""
        out = points_m - self._centre_m
        depth = np.linalg.norm(out, axis=1, keepdims=True)
        return np.asarray(
            self._centre_m + out / depth * np.clip(depth / self._radius_m, DEEPEST, SHALLOWEST) * self._radius_m
        )

    def _scattered(self, rng: np.random.Generator) -> tuple[Array, Array]:
        """Dipoles all over the cortex, in any direction."""
        where = _unit(rng.standard_normal((BACKGROUND_SOURCES, 3)))
        where[:, 2] = np.abs(where[:, 2]) - 0.4 * (rng.random(BACKGROUND_SOURCES) < 0.3)
        depth = rng.uniform(DEEPEST, SHALLOWEST, (BACKGROUND_SOURCES, 1)) * self._radius_m
        return self._centre_m + _unit(where) * depth, _unit(rng.standard_normal((BACKGROUND_SOURCES, 3)))

    def _lead_field(self, sphere: mne.bem.ConductorModel, at_m: Array, towards: Array) -> Array:
        """What 65 electrodes see of unit dipoles, average reference, (65, n_dipoles)."""
        space = mne.setup_volume_source_space(pos={"rr": at_m, "nn": towards}, sphere=sphere, verbose="ERROR")
        forward = mne.make_forward_solution(
            self.info, trans=None, src=space, bem=sphere, meg=False, eeg=True, mindist=0.0, verbose="ERROR"
        )
        fixed = mne.convert_forward_solution(forward, force_fixed=True, verbose="ERROR")
        seen = np.asarray(fixed["sol"]["data"], dtype=np.float64)
        return np.asarray(seen - seen.mean(axis=0))


class _Responses:
    """A participant's tuning, and the evoked response to any stimulus."""

    def __init__(self, head: _Head, rng: np.random.Generator, sfreq_hz: float) -> None:
        self._head = head
        self._times_s = np.arange(round(RESPONSE_S * sfreq_hz)) / sfreq_hz
        self._waves = [_Wave(head, component, rng) for component in COMPONENTS]

    def to(self, stimulus: Stimulus) -> Array:
        """The evoked response (64, n) in microvolts as recorded."""
        waves = [w for w in self._waves if stimulus.target or not w.component.targets_only]
        evoked = sum(w.evoked(stimulus.descriptors, self._times_s) for w in waves)
        since_s = np.clip((self._times_s - SILENT_S) / 0.02, 0, 1)
        left_s = np.clip((RESPONSE_S - self._times_s) / 0.1, 0, 1)
        return self._head.recorded(evoked * np.sin(np.pi / 2 * since_s) ** 2 * np.sin(np.pi / 2 * left_s) ** 2)


class _Wave:
    """One component in one participant: topographies of its areas, their tuning to descriptors, its latency."""

    def __init__(self, head: _Head, component: Component, rng: np.random.Generator) -> None:
        self.component = component
        names = [f"{a} {s}" for a in component.areas for s in ("left", "right")]
        topographies = np.array([head.area[n] / np.linalg.norm(head.area[n]) for n in names]).T
        size = rng.lognormal(-0.03, 0.25)
        mean = _scaled(topographies.sum(axis=1), head.at(*component.electrodes), component.peak_uv * size)
        self._topographies = topographies * (mean[0] / topographies.sum(axis=1)[0])
        self._latency_s = component.latency_s + rng.normal(0.0, 0.006)
        # Both hemispheres of an area prefer the same pictures.
        tuned = [_tuned(f"{component.name} {a}", rng) for a in component.areas]
        self._tuning = np.repeat(tuned, 2, axis=0)
        self._latency_tuning = _tuned(f"{component.name} latency", rng)

    def evoked(self, descriptors: Array, times_s: Array) -> Array:
        """(65, n) microvolts in the average reference."""
        strength = np.maximum(0.0, 1 + TUNING_SD * self._tuning @ descriptors)
        latency_s = self._latency_s + LATENCY_TUNING_S * float(self._latency_tuning @ descriptors)
        course = np.exp(-0.5 * ((times_s - latency_s) / self.component.sd_s) ** 2)
        return np.asarray(np.outer(self._topographies @ strength, course))


def _tuned(name: str, rng: np.random.Generator) -> Array:
    """A direction among the descriptors along which an answer grows, partly everybody's, partly one's own."""
    own, shared = rng.standard_normal(N_DESCRIPTORS), _named_normal(f"tuning {name}")
    return np.asarray((np.sqrt(1 - INDIVIDUAL) * shared + np.sqrt(INDIVIDUAL) * own) / np.sqrt(N_DESCRIPTORS))


def _area_names() -> list[str]:
    return [f"{area} {side}" for area in AREAS_MNI_MM for side in ("left", "right")]


def _areas_m() -> Array:
    """Both hemispheres of every area, then the eyes, (n, 3) metres in MNI space."""
    areas = [(side * x, y, z) for x, y, z in AREAS_MNI_MM.values() for side in (-1, 1)]
    return np.array([*areas, *EYES_MNI_MM]) / 1000


def _named_normal(name: str) -> Array:
    """(N_DESCRIPTORS,) normal numbers that belong to a name, on every machine and in every run."""
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")
    return np.random.default_rng(number).standard_normal(N_DESCRIPTORS)


def _unit(vectors: Array) -> Array:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True))


def _scaled(topography: Array, rows: np.ndarray, to_uv: float) -> Array:
    """A topography whose mean over `rows` is `to_uv`."""
    return np.asarray(topography * (to_uv / topography[rows].mean()))


def _rms_scaled(mixing: Array, rows: np.ndarray, to_uv: float) -> Array:
    """A mixing matrix whose sources together give the median of `rows` a standard deviation of `to_uv`."""
    return np.asarray(mixing * (to_uv / np.median(np.sqrt(np.sum(mixing[rows] ** 2, axis=1)))))
