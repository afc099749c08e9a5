"""What goes on in a simulated participant whatever is shown, in blocks of `BLOCK` samples on the sample counter.

Each block comes from a generator seeded with (seed, run, block number), through filters that carry their state. With
the signal go the rhythms' carriers, so that what is shown can change their gains afterwards: a picture may come on the
screen within a block that is already made.
"""

from dataclasses import dataclass

import numpy as np

from pipeline.simulated.artefacts import Artefacts
from pipeline.simulated.filters import (
    Filter,
    Rotor,
    aperiodic_sos,
    band_sos,
    high_pass_sos,
    low_pass_sos,
    resonator_sos,
)
from pipeline.simulated.participant import Participant, Rhythms
from pipeline.types import Array

BLOCK = 256
WARM_UP_S = 30.0  # the slowest pole of the aperiodic filter (0.1 Hz) has forgotten its start by then
MUSCLE_FROM_HZ = 20.0  # Whitham et al. 2007: scalp EEG above 20 Hz is contaminated by EMG
MUSCLE_WAXES_HZ, MUSCLE_SPREAD = 0.1, 0.7  # muscles tense and relax over seconds: chosen


@dataclass(frozen=True, eq=False)
class Stretch:
    """`out` (n_channels, n) at rest; carriers `alpha` (n_alpha, n) and `gamma` (n_theta, n); cosine and sine of theta's
    phase (n_theta, n), and what gamma's gain is for them at rest.
    """

    out: Array
    alpha: Array
    gamma: Array
    cosine: Array
    sine: Array
    rest: Array

    @property
    def n(self) -> int:
        """Samples."""
        return int(self.out.shape[1])

    def part(self, start: int, stop: int) -> "Stretch":
        """Some of its samples; views."""
        every = (self.out, self.alpha, self.gamma, self.cosine, self.sine, self.rest)
        return Stretch(*(x[:, start:stop] for x in every))


def coupled_gain(gain: Array, along_cosine: Array, along_sine: Array, cosine: Array, sine: Array) -> Array:
    """Gamma's amplitude at each theta source, never below zero; all broadcast to (n_theta, n)."""
    return np.asarray(np.maximum(0.0, gain + along_cosine * cosine + along_sine * sine))


def at_rest(rhythms: Rhythms) -> tuple[Array, Array]:
    """Coupling along the cosine and the sine of theta's phase when nothing is shown, (n_theta, 1) each."""
    wanted = (rhythms.depth * np.exp(1j * rhythms.preferred_rad))[:, None]
    return wanted.real.copy(), wanted.imag.copy()


def mixed(mixing_uv: Array, sources: Array) -> Array:
    """`mixing_uv @ sources`, but not by BLAS, whose threads would round differently and fight for a small machine."""
    return np.asarray(np.einsum("cs,st->ct", mixing_uv, sources))


class Ongoing:
    """Thread: one only."""

    def __init__(self, participant: Participant, run: int) -> None:
        self._who, self._run, self._k = participant, run, 0
        rhythms, sfreq_hz = participant.rhythms, participant.sfreq_hz
        n_theta, n_muscles = rhythms.theta_uv.shape[1], participant.contact.muscle_uv.shape[1]
        self._aperiodic = Filter(aperiodic_sos(rhythms.exponent, sfreq_hz), rhythms.background_uv.shape[1])
        alpha_sos = resonator_sos(rhythms.alpha_hz, rhythms.alpha_width_hz, sfreq_hz)
        self._alpha = Filter(alpha_sos, rhythms.alpha_uv.shape[1])
        self._theta = Rotor(rhythms.theta_hz, rhythms.theta_width_hz, sfreq_hz, n_theta)
        self._gamma = [Filter(band_sos(low, high, sfreq_hz), n_theta) for low, high in rhythms.gamma_hz]
        self._muscles = Filter(high_pass_sos(MUSCLE_FROM_HZ, sfreq_hz), n_muscles)
        self._tension = Filter(low_pass_sos(MUSCLE_WAXES_HZ, sfreq_hz), n_muscles)
        self._drift = Filter(low_pass_sos(participant.contact.drift_hz, sfreq_hz), len(participant.names))
        self._artefacts = Artefacts(participant)
        self._warm_up()

    def _warm_up(self) -> None:
        rng = np.random.default_rng([self._who.seed, self._run, 2, 0])
        rhythms, n = self._who.rhythms, int(WARM_UP_S * self._who.sfreq_hz)
        self._aperiodic(rng.standard_normal((rhythms.background_uv.shape[1], n)))
        self._alpha(rng.standard_normal((rhythms.alpha_uv.shape[1], n)))
        self._theta(*rng.standard_normal((2, rhythms.theta_uv.shape[1], n)))
        self._tension(rng.standard_normal((self._who.contact.muscle_uv.shape[1], n)))

    def next_block(self) -> Stretch:
        """The next `BLOCK` samples."""
        rng = np.random.default_rng([self._who.seed, self._run, 0, self._k])
        at = self._k * BLOCK
        stretch = self._brain(rng, at)
        self._add_contact(stretch.out, rng, at)
        self._artefacts.onto(stretch.out, at, np.random.default_rng([self._who.seed, self._run, 3, self._k]))
        self._k += 1
        return stretch

    def _brain(self, rng: np.random.Generator, at: int) -> Stretch:
        rhythms = self._who.rhythms
        n_theta = rhythms.theta_uv.shape[1]
        out = mixed(
            rhythms.background_uv, self._aperiodic(rng.standard_normal((rhythms.background_uv.shape[1], BLOCK)))
        )
        tired = self._who.fatigue.at(at / self._who.sfreq_hz)
        alpha = self._alpha(rng.standard_normal((rhythms.alpha_uv.shape[1], BLOCK)))
        alpha *= 1 + self._who.fatigue.alpha_rise * tired
        theta = self._theta(*rng.standard_normal((2, n_theta, BLOCK)))
        unit = theta / np.abs(theta)
        gamma = np.zeros((n_theta, BLOCK))
        for band, size in zip(self._gamma, rhythms.gamma_sizes, strict=True):
            gamma += size * band(rng.standard_normal((n_theta, BLOCK)))
        cosine, sine = unit.real.copy(), unit.imag.copy()
        rest = coupled_gain(np.ones((n_theta, 1)), *at_rest(rhythms), cosine, sine)
        out += mixed(rhythms.alpha_uv, alpha)
        out += mixed(rhythms.theta_uv, theta.real)
        out += mixed(rhythms.gamma_uv, rest * gamma)
        return Stretch(out, alpha, gamma, cosine, sine, rest)

    def _add_contact(self, out: Array, rng: np.random.Generator, at: int) -> None:
        contact, n_channels, sfreq_hz = self._who.contact, len(self._who.names), self._who.sfreq_hz
        n_muscles = contact.muscle_uv.shape[1]
        tension = np.exp(MUSCLE_SPREAD * self._tension(rng.standard_normal((n_muscles, BLOCK))) - MUSCLE_SPREAD**2)
        out += mixed(contact.muscle_uv, tension * self._muscles(rng.standard_normal((n_muscles, BLOCK))))
        out += contact.sensor_uv[:, None] * rng.standard_normal((n_channels, BLOCK))
        out += contact.offset_uv[:, None] + contact.drift_uv * self._drift(rng.standard_normal((n_channels, BLOCK)))
        # The phase is reduced on the counter: after hours it is as exact as at the start.
        turns = np.mod((at + np.arange(BLOCK)) * (contact.line_hz / sfreq_hz), 1.0)
        out += contact.line_uv[:, None] * np.sin(2 * np.pi * turns + contact.line_phase_rad[:, None])
