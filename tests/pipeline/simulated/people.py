"""Participants of three electrodes: one whose every ongoing activity is off, one with everything on."""

from dataclasses import replace
from typing import Any

import numpy as np

from pipeline.simulated.participant import Contact, Evoked, Eyes, Fatigue, Participant, Response, Rhythms

SFREQ_HZ = 250.0
N_CONTROLS = 2 + 3 * 2  # two alpha sources, two theta sources


def response(evoked, *, rhythm=None, gaze=None, rate_hz=SFREQ_HZ, jitter_s=0.0, held=False, flicker=None):
    """From (3, n) source courses."""
    n = evoked.shape[1]
    rhythm = np.zeros((0, n)) if rhythm is None else rhythm
    gaze = np.zeros((2, n)) if gaze is None else gaze
    parts = (x.astype(np.float32) for x in (evoked, gaze, np.eye(N_CONTROLS, len(rhythm)), rhythm))
    return Response(rate_hz, *parts, jitter_s, held, flicker)


def bump():
    """(3, 100): silent for ten samples, then a wave of fifty."""
    wave = np.zeros((3, 100))
    wave[:, 10:60] = np.array([1.0, -2.0, 3.0])[:, None] * np.hanning(50)
    return wave


def modulating():
    """(N_CONTROLS, 100): alpha falls, gamma rises, coupling turns round."""
    wave = np.zeros((N_CONTROLS, 100))
    wave[:, 15:90] = np.array([-0.5, -0.3, 0.5, 0.4, 0.6, -0.6, 0.3, 0.2])[:, None] * np.hanning(75)
    return wave


def changed(whole: Any, **changes: Any) -> Any:
    """A copy with fields changed wherever they are in its parts."""
    own = {k: v for k, v in changes.items() if k in whole.__dataclass_fields__}
    rest = {k: v for k, v in changes.items() if k not in own}
    for name in ("evoked", "rhythms", "eyes", "contact", "fatigue"):
        part = getattr(whole, name)
        inside = {k: rest.pop(k) for k in list(rest) if k in part.__dataclass_fields__}
        if inside:
            own[name] = replace(part, **inside)
    assert not rest, f"no such fields: {rest}"
    return replace(whole, **own)


def quiet(**changes: Any) -> Participant:
    """Every ongoing activity is off."""
    silent = Participant(
        seed=3,
        sfreq_hz=SFREQ_HZ,
        names=("O1", "Oz", "O2"),
        positions_m=np.array([[-0.03, -0.1, 0.0], [0.0, -0.11, 0.0], [0.03, -0.1, 0.0]]),
        evoked=Evoked(
            responses={"stim/face/00": response(bump())},
            sources_uv=np.eye(3),
            gain_sd=0.0,
            gaze_gain_sd=0.0,
            flicker_hz=np.array([1.0, 10.0, 60.0]),
            flicker_gain=np.array([0.0, 1.0, 0.0]),
            harmonics=np.array([1.0, 0.5]),
        ),
        rhythms=Rhythms(
            background_uv=np.zeros((3, 4)),
            exponent=1.0,
            alpha_uv=np.zeros((3, 2)),
            alpha_hz=10.0,
            alpha_width_hz=1.5,
            theta_uv=np.zeros((3, 2)),
            theta_hz=6.0,
            theta_width_hz=1.0,
            gamma_uv=np.zeros((3, 2)),
            gamma_hz=np.array([[30.0, 45.0]]),
            gamma_sizes=np.array([1.0]),
            depth=np.array([0.5, 0.5]),
            preferred_rad=np.array([np.pi, 0.0]),
        ),
        eyes=Eyes(
            gaze_uv=np.zeros((3, 2)),
            spike_uv=np.zeros(3),
            blink_uv=np.zeros(3),
            blinks_per_min=0.0,
            saccades_per_s=0.0,
            saccade_deg=0.3,
        ),
        contact=Contact(
            line_uv=np.zeros(3),
            line_phase_rad=np.zeros(3),
            line_hz=50.0,
            sensor_uv=np.zeros(3),
            drift_uv=0.0,
            drift_hz=0.003,
            offset_uv=np.zeros(3),
            muscle_uv=np.zeros((3, 2)),
            faults_per_min=0.0,
            pops_per_min=0.0,
        ),
        fatigue=Fatigue(time_s=600.0, alpha_rise=0.0, blink_rise=0.0, evoked_fall=0.0),
    )
    return changed(silent, **changes)


def noisy(**changes: Any) -> Participant:
    """Everything is on."""
    rng = np.random.default_rng(0)
    rich = response(bump(), rhythm=modulating(), gaze=bump()[:2], jitter_s=0.005)
    on = {
        "responses": {
            "stim/face/00": rich,
            "turn/face/00": replace(rich, rate_hz=60.0, held=True),
            "flicker/face/00": replace(rich, flicker=np.array([1.0, 1j, 0.5])),
            "blank": response(bump()),
        },
        "background_uv": rng.standard_normal((3, 4)),
        "alpha_uv": rng.standard_normal((3, 2)),
        "theta_uv": rng.standard_normal((3, 2)),
        "gamma_uv": rng.standard_normal((3, 2)),
        "gaze_uv": rng.standard_normal((3, 2)),
        "spike_uv": np.array([3.0, 2.0, 1.0]),
        "blink_uv": np.array([100.0, 50.0, 10.0]),
        "blinks_per_min": 60.0,
        "saccades_per_s": 1.5,
        "line_uv": np.ones(3),
        "sensor_uv": np.ones(3),
        "drift_uv": 10.0,
        "offset_uv": np.array([100.0, -100.0, 5.0]),
        "muscle_uv": rng.standard_normal((3, 2)),
        "faults_per_min": 20.0,
        "pops_per_min": 20.0,
        "alpha_rise": 0.3,
        "blink_rise": 0.5,
        "evoked_fall": 0.2,
        "gain_sd": 0.3,
        "gaze_gain_sd": 0.5,
    }
    return quiet(**{**on, **changes})
