"""What each label evokes in one participant: courses of sources, gains of rhythms, gaze.

Pictures, turns, flicker and imagined categories are answered by what they look like; words, questions, crosses, empty
screens and key presses always the same, whatever they are about.
"""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from scipy.ndimage import gaussian_filter1d

from calibration.brain import cited
from calibration.brain.gaze import followed
from calibration.brain.head import SIDES, Head
from calibration.brain.tuning import AREA_MOVING, Looks, Tuning
from calibration.brain.waves import N_SOURCES, STILL_HZ, TURN_HZ, Waves, edges, rows
from calibration.descriptors import MOVING_HZ
from pipeline.simulated.participant import Response
from pipeline.types import Array

ALPHA_AREAS = ("V1", "V3A", "IPS")
N_ALPHA, N_THETA = len(SIDES) * len(ALPHA_AREAS), len(cited.THETA_AREAS)
N_CONTROLS = N_ALPHA + 3 * N_THETA
RHYTHM_S = 1.0  # a picture changes rhythms for longer than it evokes waves
TURN_S = 6.0 + 0.5
IMAGINED = ("LOC", "EBA", "FFA", "PPA", "IPS")


class Responses:
    """One participant's answers to anything. `rest_depth` and `rest_rad` (N_THETA,) are the coupling at rest, which
    stimuli change. Thread: any.
    """

    def __init__(
        self, head: Head, tuning: Tuning, rng: np.random.Generator, rest_depth: Array, rest_rad: Array
    ) -> None:
        self._picture = Waves(head, cited.PICTURE, tuning, rng, STILL_HZ)
        self._target = Waves(head, cited.TARGET, tuning, rng, STILL_HZ)
        self._onset = Waves(head, cited.MOTION_ONSET, tuning, rng, TURN_HZ)
        self._offset = Waves(head, cited.OFFSET, tuning, rng, STILL_HZ)
        self._press = Waves(head, cited.PRESS, tuning, rng, STILL_HZ)
        flicker = cited.Wave("flicker", 0.1, 0.02, cited.FLICKER_UV, cited.FLICKER_AT, cited.FLICKER_AREAS)
        self._flicker = Waves(head, (flicker,), tuning, rng, STILL_HZ)
        self._lags_rad = np.repeat(rng.normal(0.0, 0.4, N_SOURCES // 2), 2)
        self._sustained = {a: (_sustained_size(head, a), tuning.moving("turn", a)) for a in AREA_MOVING}
        self._alpha = [tuning.still("alpha", area) for area in ALPHA_AREAS]
        self._depth = [tuning.still("coupling depth", area) for area in cited.THETA_AREAS]
        self._preferred = [tuning.still("coupling phase", area) for area in cited.THETA_AREAS]
        self._imagined_alpha = [tuning.still("imagined alpha", area) for area in ALPHA_AREAS]
        self._rest_depth, self._rest_rad = rest_depth, rest_rad

    def picture(self, look: Looks, target: bool) -> Response:
        """A picture comes on."""
        n = round(RHYTHM_S * STILL_HZ)
        courses = self._picture.courses(look.still, RHYTHM_S)
        if target:
            courses += self._target.courses(None, RHYTHM_S)
        rhythm_courses = np.array([_bump(n, STILL_HZ, 0.15, 0.35), _bump(n, STILL_HZ, 0.1, 0.2)])
        return _response(STILL_HZ, courses, self._rhythm(look.still, cited.ALPHA_FALLS), rhythm_courses)

    def turn(self, look: Looks) -> Response:
        """The object starts to turn, for six seconds."""
        n = round(TURN_S * TURN_HZ)
        courses = self._onset.courses(look.still, TURN_S)
        for area, (size, direction) in self._sustained.items():
            courses[rows(area)] += size * self._followed(look.moving @ direction, n)
        rhythm = self._rhythm(look.still, cited.ALPHA_FALLS_TURN)
        rhythm_courses = np.array([_bump(n, TURN_HZ, 0.15, 0.35)] * 2)
        gaze = followed(look.centre, n, TURN_HZ) * edges(n, TURN_HZ)
        courses *= edges(n, TURN_HZ, 0.05, 0.4)
        return _response(TURN_HZ, courses, rhythm, rhythm_courses, gaze=gaze, held=True)

    def flicker(self, look: Looks, onset: Response) -> Response:
        """A flickering picture: its `onset`, then the steady response, which the player makes for any frequency.

        Half of it is for the flicker itself, whatever flickers.
        """
        steady = 0.5 * (self._flicker.sizes(None) + self._flicker.sizes(look.still))
        return replace(onset, flicker=steady * np.exp(1j * self._lags_rad))

    def imagined(self, look: Looks) -> Response:
        """Late, weak, without the early waves, and never twice at the same moment; most of it is in alpha."""
        rise_s, last_s = cited.IMAGERY_S
        n = round((last_s + 0.5) * TURN_HZ)
        course = _bump(n, TURN_HZ, rise_s, 0.4)
        peaks = cited.IMAGERY * self._picture.sizes(look.still)
        wanted = np.zeros(N_SOURCES)
        for area in IMAGINED:
            wanted[rows(area)] = peaks[rows(area)]
        rhythm = np.zeros((N_CONTROLS, 1))
        gains = [cited.IMAGERY_ALPHA * float(t @ look.still) for t in self._imagined_alpha]
        rhythm[:N_ALPHA, 0] = np.repeat(gains, len(SIDES))
        jitter_s = cited.IMAGERY_JITTER_S
        return _response(TURN_HZ, np.outer(wanted, course), rhythm, course[None], jitter_s=jitter_s, held=True)

    def unspecific(self) -> dict[str, Response]:
        """Whatever comes on that is no picture, and a key that is pressed."""
        plain = self._picture.courses(None, scale=cited.PLAIN_SCREEN)
        press, off = self._press.courses(None), self._offset.courses(None)
        press[rows("M1").start + 1] = 0.0  # the right hand: the left hand area
        screen = _response(STILL_HZ, plain)
        return {
            **dict.fromkeys(("cue", "catch", "fixation"), screen),
            "blank": _response(STILL_HZ, off),
            "response": _response(STILL_HZ, press),
        }

    def _rhythm(self, z: Array, alpha_falls: float) -> Array:
        """(N_CONTROLS, 2): alpha falls along the first course, gamma rises and coupling deepens or shifts along the
        second, each as much as the stimulus asks.
        """
        falls = [-alpha_falls + cited.ALPHA_TUNING * float(t @ z) for t in self._alpha]
        deeper = np.array([cited.COUPLING_TUNING * float(t @ z) for t in self._depth])
        later_rad = np.array([cited.PREFERRED_TUNING_RAD * float(t @ z) for t in self._preferred])
        depth = np.clip(self._rest_depth * (1 + deeper), 0.0, 0.95)
        wanted, rest = depth * np.exp(1j * (self._rest_rad + later_rad)), self._rest_depth * np.exp(1j * self._rest_rad)
        changed = wanted - rest
        rhythm = np.zeros((N_CONTROLS, 2))
        rhythm[:N_ALPHA, 0] = np.repeat(falls, len(SIDES))
        rhythm[N_ALPHA:, 1] = np.concatenate([np.full(N_THETA, cited.GAMMA_RISES), changed.real, changed.imag])
        return rhythm

    def _followed(self, drive: Array, n: int) -> Array:
        """A drive at MOVING_HZ as the cortex follows it: later and smoother, on the grid of turns."""
        times_s = np.arange(n) / TURN_HZ - cited.SUSTAINED_LAG_S
        sampled = np.interp(times_s, np.arange(len(drive)) / MOVING_HZ, drive)
        return np.asarray(gaussian_filter1d(sampled, cited.SUSTAINED_SMOOTH_S * TURN_HZ, mode="nearest"))


def prototype(seen: Iterable[Looks]) -> Looks:
    """What one imagines of a category: the mean of its members that one knows."""
    members = list(seen)
    still = np.mean([look.still for look in members], axis=0)
    return Looks(still, members[0].moving, members[0].centre, all(look.known for look in members))


def _sustained_size(head: Head, area: str) -> float:
    """Of both sources of unit norm, so that together they reach `SUSTAINED_UV` where they are seen best."""
    return float(cited.SUSTAINED_UV / np.abs(head.areas[area].sum(axis=1)).max())


def _response(
    rate_hz: float,
    courses: Array,
    rhythm: Array | None = None,
    rhythm_courses: Array | None = None,
    *,
    gaze: Array | None = None,
    jitter_s: float = cited.JITTER_S,
    held: bool = False,
) -> Response:
    n = courses.shape[1]
    return Response(
        rate_hz,
        courses.astype(np.float32),
        (np.zeros((2, n)) if gaze is None else gaze).astype(np.float32),
        (np.zeros((N_CONTROLS, 0)) if rhythm is None else rhythm).astype(np.float32),
        (np.zeros((0, n)) if rhythm_courses is None else rhythm_courses).astype(np.float32),
        jitter_s,
        held,
    )


def _bump(n: int, rate_hz: float, starts_s: float, rise_s: float) -> Array:
    """(n,) 0 until it starts, 1 after the rise, back to 0 in the last quarter of a second."""
    times_s = np.arange(n) / rate_hz
    risen, left = np.clip((times_s - starts_s) / rise_s, 0, 1), np.clip((n / rate_hz - times_s) / 0.25, 0, 1)
    return np.asarray(np.sin(np.pi / 2 * risen) ** 2 * np.sin(np.pi / 2 * left) ** 2)


def alpha_columns(head: Head) -> Array:
    """(65, N_ALPHA) of unit norm."""
    return np.hstack([head.areas[area] for area in ALPHA_AREAS])


def theta_columns(head: Head) -> Array:
    """(65, N_THETA): both hemispheres of an area share one theta, with the sign in which they add up."""
    sides = [head.areas[area] for area in cited.THETA_AREAS]
    return np.stack([left + np.sign(left @ right) * right for left, right in (s.T for s in sides)], axis=1)
