"""Blinks, fixational saccades, electrodes that go bad for a while, leads that pop: they come whatever is shown."""

import numpy as np
from scipy.signal import sosfilt

from pipeline.simulated.filters import low_pass_sos
from pipeline.simulated.overlay import Overlay
from pipeline.simulated.participant import Participant
from pipeline.types import Array

BLINK_S = 0.35
SACCADE_RISE_S = 0.02  # a microsaccade of 0.3 degrees lasts 10 to 25 ms (Martinez-Conde et al. 2004)
BACK_S = 0.8  # the eye drifts back to what it looks at
SPIKE_S = 0.016
FAULT_S = (5.0, 40.0)
EDGE_S = 0.5


class Artefacts:
    """Thread: one only."""

    def __init__(self, participant: Participant) -> None:
        self._who = participant
        self._overlay = Overlay()

    def onto(self, out: Array, at: int, rng: np.random.Generator) -> None:
        """Begin what begins in this block, then add everything under way to `out`."""
        n = out.shape[1]
        self._maybe_blink(rng, at, n)
        self._saccades(rng, at, n)
        self._maybe_fault(rng, at, n)
        self._maybe_pop(rng, at, n)
        self._overlay.onto(out, at)

    def _begins(self, rng: np.random.Generator, per_min: float, n: int) -> bool:
        """At most one begins in a block, with the chance that gives the rate."""
        return bool(rng.random() < per_min / 60 * n / self._who.sfreq_hz)

    def _maybe_blink(self, rng: np.random.Generator, at: int, n: int) -> None:
        eyes, fatigue, sfreq_hz = self._who.eyes, self._who.fatigue, self._who.sfreq_hz
        tired = fatigue.at(at / sfreq_hz)
        happens = self._begins(rng, eyes.blinks_per_min * (1 + fatigue.blink_rise * tired), n)
        where, strength = rng.integers(n), rng.uniform(0.7, 1.3)
        if happens:
            length = round(BLINK_S * sfreq_hz)
            lid = np.sin(np.pi * np.arange(1, length + 1) / (length + 1)) ** 3
            self._overlay.add(at + int(where), strength * eyes.blink_uv[:, None] * lid)

    def _saccades(self, rng: np.random.Generator, at: int, n: int) -> None:
        eyes, sfreq_hz = self._who.eyes, self._who.sfreq_hz
        for _ in range(rng.poisson(eyes.saccades_per_s * n / sfreq_hz)):
            where, towards = rng.integers(n), rng.uniform(0, 2 * np.pi)
            size_deg = eyes.saccade_deg * rng.lognormal(-0.125, 0.5)
            # Fixational saccades are mostly horizontal (Engbert & Kliegl 2003, Vision Res 43:1035).
            gaze_uv = size_deg * eyes.gaze_uv @ np.array([np.cos(towards), 0.4 * np.sin(towards)])
            wave = np.outer(gaze_uv, _step(sfreq_hz))
            spike = _spike(sfreq_hz)
            wave[:, : len(spike)] += np.sqrt(size_deg) * np.outer(eyes.spike_uv, spike)
            self._overlay.add(at + int(where), wave)

    def _maybe_fault(self, rng: np.random.Generator, at: int, n: int) -> None:
        """An electrode loses its gel: it picks up mains and drifts about, until it is seen to."""
        contact, sfreq_hz = self._who.contact, self._who.sfreq_hz
        if not self._begins(rng, contact.faults_per_min, n):
            return
        where, channel = int(rng.integers(n)), int(rng.integers(len(self._who.names)))
        length = round(rng.uniform(*FAULT_S) * sfreq_hz)
        size_uv = 40.0 * rng.lognormal(0.0, 0.5)
        hum = np.sin(2 * np.pi * np.mod(np.arange(length) * contact.line_hz / sfreq_hz, 1.0))
        wander = sosfilt(low_pass_sos(1.0, sfreq_hz), rng.standard_normal(length))
        edge = np.clip(np.minimum(np.arange(length), np.arange(length)[::-1]) / (EDGE_S * sfreq_hz), 0, 1)
        noise = size_uv * edge * (hum + wander + 0.5 * rng.standard_normal(length))
        self._overlay.add(at + where, noise[None], rows=slice(channel, channel + 1))

    def _maybe_pop(self, rng: np.random.Generator, at: int, n: int) -> None:
        contact, sfreq_hz = self._who.contact, self._who.sfreq_hz
        if not self._begins(rng, contact.pops_per_min, n):
            return
        where, channel = int(rng.integers(n)), int(rng.integers(len(self._who.names)))
        size_uv, back_s = rng.choice([-1, 1]) * rng.uniform(80, 300), rng.uniform(0.2, 1.0)
        fall = size_uv * np.exp(-np.arange(round(6 * back_s * sfreq_hz)) / (back_s * sfreq_hz))
        self._overlay.add(at + where, fall[None], rows=slice(channel, channel + 1))


def _step(sfreq_hz: float) -> Array:
    """A saccade of size 1 and the way back."""
    since_s = np.arange(1, round(4 * BACK_S * sfreq_hz) + 1) / sfreq_hz
    return np.asarray(np.clip(since_s / SACCADE_RISE_S, 0, 1) * np.exp(-since_s / BACK_S))


def _spike(sfreq_hz: float) -> Array:
    """Biphasic, about 16 ms, its larger phase of size 1 (Keren et al. 2010, NeuroImage 49:2248)."""
    phase = np.arange(1, max(4, round(SPIKE_S * sfreq_hz)) + 1) / (max(4, round(SPIKE_S * sfreq_hz)) + 1)
    return np.asarray(np.where(phase < 0.5, 1.0, -0.4) * np.abs(np.sin(2 * np.pi * phase)))
