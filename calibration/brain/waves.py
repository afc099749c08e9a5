"""Evoked responses as courses of sources: which area answers what, when and how strongly."""

from collections.abc import Sequence

import numpy as np

from calibration.brain import cited
from calibration.brain.head import SIDES, Head
from calibration.brain.tuning import Tuning
from pipeline.types import Array

AREAS = tuple(cited.AREAS_MNI_MM)
N_SOURCES = len(SIDES) * len(AREAS)
STILL_HZ, TURN_HZ = 250.0, 100.0  # the grids of courses, enough for the fastest wave of each
RESPONSE_S = 0.9


def sources_uv(head: Head) -> Array:
    """(65, N_SOURCES) of unit norm, in the order of `rows`."""
    return np.hstack([head.areas[area] for area in AREAS])


def rows(area: str) -> slice:
    """Where an area's two sources are."""
    return slice(len(SIDES) * AREAS.index(area), len(SIDES) * (AREAS.index(area) + 1))


class WaveIn:
    """One wave in one participant: how large it is at each source, its tuning, its latency."""

    def __init__(self, head: Head, wave: cited.Wave, tuning: Tuning, rng: np.random.Generator) -> None:
        self._wave = wave
        electrodes = head.at(*wave.electrodes)
        signs = {a: np.sign(head.areas[a][electrodes].mean(axis=0)) for a in wave.areas}
        # Whatever way an area is folded, its share of the wave has the wave's own sign where the wave is largest.
        together = np.sum([head.areas[a] @ signs[a] for a in wave.areas], axis=0)
        size = wave.peak_uv * rng.lognormal(-(cited.AMPLITUDE_SD**2) / 2, cited.AMPLITUDE_SD)
        self._size = {a: signs[a] * size / together[electrodes].mean() for a in wave.areas}
        self._latency_s = wave.latency_s + rng.normal(0.0, cited.LATENCY_SD_S)
        # Both hemispheres of an area prefer the same pictures.
        self._tuning = {a: tuning.still(wave.name, a) for a in wave.areas}
        self._mean = {a: _rectified(tuning.over_set(t)).mean() for a, t in self._tuning.items()}
        self._latency_tuning = tuning.still(f"{wave.name} latency", wave.areas[0])

    def onto(self, courses: Array, rate_hz: float, z: Array | None, scale: float) -> None:
        """Add the answer to z-scores `z` (None: the mean answer) to `courses` (N_SOURCES, n) on a grid of `rate_hz`."""
        times_s = np.arange(courses.shape[1]) / rate_hz
        later = 0.0 if z is None else float(np.clip(self._latency_tuning @ z, -2, 2))
        latency_s = self._latency_s + cited.LATENCY_TUNING_S * later
        course = np.exp(-0.5 * ((times_s - latency_s) / self._wave.sd_s) ** 2)
        for area, size in self._size.items():
            courses[rows(area)] += np.outer(scale * size * self.strength(area, z), course)

    def strength(self, area: str, z: Array | None) -> float:
        """How strongly an area answers: never below 0, and 1 on average over the built-in set."""
        return 1.0 if z is None else float(_rectified(self._tuning[area] @ z) / self._mean[area])

    def sizes(self, z: Array | None) -> Array:
        """(N_SOURCES,) at its peak."""
        found = np.zeros(N_SOURCES)
        for area, size in self._size.items():
            found[rows(area)] = size * self.strength(area, z)
        return found


class Waves:
    """The waves of one kind of event."""

    def __init__(
        self, head: Head, waves: Sequence[cited.Wave], tuning: Tuning, rng: np.random.Generator, rate_hz: float
    ) -> None:
        self._waves = [WaveIn(head, wave, tuning, rng) for wave in waves]
        self._rate_hz = rate_hz

    def courses(self, z: Array | None, duration_s: float = RESPONSE_S, scale: float = 1.0) -> Array:
        """(N_SOURCES, n), silent until the cortex can know, ended gently."""
        courses = np.zeros((N_SOURCES, round(duration_s * self._rate_hz)))
        for wave in self._waves:
            wave.onto(courses, self._rate_hz, z, scale)
        return courses * edges(courses.shape[1], self._rate_hz)

    def sizes(self, z: Array | None) -> Array:
        """(N_SOURCES,) of all waves' peaks together, each with its sign."""
        return np.asarray(np.sum([wave.sizes(z) for wave in self._waves], axis=0))


def _rectified(liking: Array) -> Array:
    """A population's answer to what it likes by `liking` standard deviations."""
    return np.asarray(np.maximum(0.0, 1.0 + cited.TUNING_SD * liking))


def edges(n: int, rate_hz: float, rise_s: float = 0.02, fall_s: float = 0.1) -> Array:
    """(n,) 0 until `SILENT_S`, 1 soon after, 0 at the end."""
    times_s = np.arange(n) / rate_hz
    risen = np.clip((times_s - cited.SILENT_S) / rise_s, 0, 1)
    left = np.clip((n / rate_hz - times_s) / fall_s - 1 / (fall_s * rate_hz), 0, 1)
    return np.asarray(np.sin(np.pi / 2 * risen) ** 2 * np.sin(np.pi / 2 * left) ** 2)
