"""A simulated participant's EEG, sample by sample: ongoing activity, artefacts, and answers to what is shown.

Whatever pieces the samples are asked for in, they are the same bits, so a file written at full speed equals the stream
sent live: ongoing activity is made in blocks (`pipeline/simulated/ongoing.py`), an answer is computed once, when its
marker comes, and what both make together is worked out sample by sample.

The player knows of a picture what the marker says, and nothing else. A label is answered by the response of that name,
else by the one named by its first word (`response/space` by `response`), else not at all. At an SNR of 0 no marker
leaves any trace. An SNR scales the brain's answers; eyes follow a picture fully from an SNR of 1 on.
"""

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.simulated.ongoing import Ongoing, Stretch, at_rest, coupled_gain, mixed
from pipeline.simulated.overlay import Overlay
from pipeline.simulated.participant import Participant, Response
from pipeline.types import Array

FADE_S = 0.15  # how a held response ends once the screen has changed: chosen, near the offset response's rise
REACTION_S = 0.05  # before which it cannot
FLICKER_S = 60.0  # the longest a picture flickers
FLICKER_RISE_S = 0.3

_FLICKER = re.compile(r"flicker/(?P<hz>\d+(\.\d+)?)/(?P<key>.+)")
_LIT = {"stim", "turn", "flicker", "cue", "catch"}
_CHANGES = {*_LIT, "blank", "fixation", "imagine", "break", "protocol"}


@dataclass(frozen=True)
class Shown:
    """A marker, and when it is sent: `at_s` seconds after the first sample."""

    label: str
    at_s: float


class Player:
    """Plays a participant: `show` what comes on the screen, take the samples with `next`.

    Another `run` of the same participant has other ongoing activity and other single-trial answers.

    Thread: one only.
    """

    def __init__(self, participant: Participant, *, snr: float = 1.0, run: int = 0) -> None:
        if not snr >= 0:
            raise ValueError(f"an SNR of 0 or more was expected, {snr} came")
        self._who, self._snr, self._run = participant, snr, run
        self._ongoing = Ongoing(participant, run)
        self._stretch: Stretch | None = None
        self._evoked, self._controls = Overlay(), Overlay()
        self._rest = at_rest(participant.rhythms)
        self._rhythm_columns = np.hstack([participant.rhythms.alpha_uv, participant.rhythms.gamma_uv]).T[:, :, None]
        self._lit = False
        self._n_shown = 0
        self._at = 0

    @property
    def at(self) -> int:
        """The number of the next sample."""
        return self._at

    def show(self, shown: Shown) -> None:
        """Something comes on the screen, or happens. Labels without a response evoke nothing.

        Raises:
            ValueError: samples that should carry the response were already taken.
        """
        if self._snr == 0:
            return
        kind = shown.label.split("/")[0]
        if kind in _CHANGES:
            self._end_held(shown)
            was_lit, self._lit = self._lit, kind in _LIT
            if kind == "blank" and not was_lit:
                return
        flicker_hz, response = self._answer_to(shown.label)
        if response is not None:
            self._respond(shown, response, flicker_hz)
        self._n_shown += response is not None

    def next(self, n: int) -> NDArray[np.float32]:
        """The next `n` samples, (n_channels, n) in microvolts."""
        out = np.empty((len(self._who.names), n))
        filled = 0
        while filled < n:
            if self._stretch is None or self._stretch.n == 0:
                self._stretch = self._ongoing.next_block()
            take = min(n - filled, self._stretch.n)
            now, self._stretch = self._stretch.part(0, take), self._stretch.part(take, self._stretch.n)
            piece = out[:, filled : filled + take]
            piece[:] = now.out
            self._evoked.onto(piece, self._at)
            self._modulate(piece, now)
            filled += take
            self._at += take
        return out.astype(np.float32)

    def _answer_to(self, label: str) -> tuple[float, Response | None]:
        """The response, and at how many hertz the picture flickers (0: it does not)."""
        responses = self._who.evoked.responses
        if found := _FLICKER.fullmatch(label):
            return float(found["hz"]), responses.get(f"flicker/{found['key']}")
        return 0.0, responses.get(label, responses.get(label.split("/")[0]))

    def _end_held(self, shown: Shown) -> None:
        at = int(np.ceil((shown.at_s + REACTION_S) * self._who.sfreq_hz))
        n_fade = round(FADE_S * self._who.sfreq_hz)
        for overlay in (self._evoked, self._controls):
            overlay.cut(at, n_fade)

    def _respond(self, shown: Shown, response: Response, flicker_hz: float) -> None:
        """One trial's answer: a gain and a latency of its own.

        The response's leading zeros are left out, so that a picture may come on the screen within samples already
        taken; the latency is bounded for the same reason.
        """
        rng = np.random.default_rng([self._who.seed, self._run, 1, self._n_shown])
        tired = 1 - self._who.fatigue.evoked_fall * self._who.fatigue.at(shown.at_s)
        gain = self._snr * tired * _log_normal(self._who.evoked.gain_sd, rng)
        gaze_gain = min(1.0, self._snr) * _log_normal(self._who.evoked.gaze_gain_sd, rng)
        onset_s = shown.at_s + float(np.clip(rng.standard_normal(), -2, 2)) * response.jitter_s
        start, courses = self._sampled(response, onset_s)
        if start < self._at:
            raise ValueError(
                f"{shown.label} was shown at sample {start}, but samples up to {self._at} were already taken"
            )
        n_sources, n_gaze = len(response.evoked), len(response.gaze_deg)
        evoked, gaze, rhythm = np.split(courses, [n_sources, n_sources + n_gaze])
        controls = mixed(response.rhythm.astype(np.float64), rhythm)
        seen = gain * mixed(self._who.evoked.sources_uv, evoked) + gaze_gain * mixed(self._who.eyes.gaze_uv, gaze)
        self._evoked.add(start, seen, held=response.held)
        self._controls.add(start, gain * controls, held=response.held)
        if flicker_hz and response.flicker is not None:
            steady = self._flickering(response.flicker, flicker_hz, start / self._who.sfreq_hz - shown.at_s)
            self._evoked.add(start, gain * steady, held=True)

    def _sampled(self, response: Response, onset_s: float) -> tuple[int, Array]:
        """The response at the samples it falls between, linearly interpolated on its own grid; and its first sample."""
        courses = np.concatenate([response.evoked, response.gaze_deg, response.rhythm_courses]).astype(np.float64)
        n, rate_hz, sfreq_hz = courses.shape[1], response.rate_hz, self._who.sfreq_hz
        start = int(np.ceil((onset_s + max(0, response.first - 1) / rate_hz) * sfreq_hz))
        stop = int(np.floor((onset_s + n / rate_hz) * sfreq_hz)) + 1
        position = np.maximum(0.0, (np.arange(start, stop) / sfreq_hz - onset_s) * rate_hz)
        left = np.minimum(position.astype(np.intp), n)
        fraction = position - left
        padded = np.pad(courses, ((0, 0), (0, 2)))
        return start, np.asarray((1 - fraction) * padded[:, left] + fraction * padded[:, left + 1])

    def _flickering(self, source: NDArray[np.complex128], hz: float, since_s: float) -> Array:
        """(n_channels, n) microvolts of the steady response, from `since_s` after the onset."""
        evoked, sfreq_hz = self._who.evoked, self._who.sfreq_hz
        since = since_s + np.arange(round(FLICKER_S * sfreq_hz)) / sfreq_hz
        size = float(np.interp(hz, evoked.flicker_hz, evoked.flicker_gain))
        rise = np.clip((since - since_s) / FLICKER_RISE_S, 0, 1)
        course = np.zeros((len(source), len(since)))
        for k, share in enumerate(evoked.harmonics, start=1):
            if k * hz < 0.45 * sfreq_hz:
                turned = 2 * np.pi * np.mod(k * hz * since, 1.0) + k * np.angle(source)[:, None]
                course += share * np.abs(source)[:, None] * np.sin(turned)
        return mixed(evoked.sources_uv, size * rise * course)

    def _modulate(self, out: Array, now: Stretch) -> None:
        """Add what the gains of the rhythms change, row by row: sums over channels would round with the length."""
        controls = np.zeros((self._who.rhythms.n_controls, now.n))
        if not self._controls.onto(controls, self._at):
            return
        n_alpha, n_theta = len(now.alpha), len(now.cosine)
        alpha, gain = controls[:n_alpha], controls[n_alpha : n_alpha + n_theta]
        cosine, sine = controls[n_alpha + n_theta : n_alpha + 2 * n_theta], controls[n_alpha + 2 * n_theta :]
        rest_cosine, rest_sine = self._rest
        gamma = coupled_gain(1.0 + gain, rest_cosine + cosine, rest_sine + sine, now.cosine, now.sine) - now.rest
        changed = np.concatenate([now.alpha * (np.maximum(0.0, 1.0 + alpha) - 1.0), now.gamma * gamma])
        for each in self._rhythm_columns * changed[:, None, :]:
            out += each


def _log_normal(sd: float, rng: np.random.Generator) -> float:
    """A factor around 1; exactly 1 without spread."""
    return float(np.exp(sd * rng.standard_normal() - sd**2 / 2))
