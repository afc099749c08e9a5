"""One person's ongoing activity, eyes, electrodes and fatigue, drawn from what people have."""

import numpy as np

from calibration.brain import cited
from calibration.brain.head import ELECTRODES, RIM, Head, rms_scaled, scaled
from calibration.brain.responses import N_THETA, alpha_columns, theta_columns
from pipeline.simulated.participant import Contact, Eyes, Fatigue, Rhythms
from pipeline.types import Array

NYQUIST_SHARE = 0.45  # a band of gamma must end below this share of the rate


def rhythms_of(head: Head, rng: np.random.Generator, sfreq_hz: float) -> Rhythms:
    """Background, alpha, theta, and gamma that theta modulates."""
    bands = [k for k, (_, high) in enumerate(cited.GAMMA_HZ) if high < NYQUIST_SHARE * sfreq_hz]
    alpha_uv = cited.ALPHA_UV[0] * rng.lognormal(0.0, cited.ALPHA_UV[1])
    background = rms_scaled(head.scattered, np.arange(len(head.scattered)), np.sqrt(cited.BACKGROUND_UV2_HZ))
    theta = theta_columns(head)
    return Rhythms(
        background_uv=head.recorded(background),
        exponent=_drawn(cited.EXPONENT, rng),
        alpha_uv=head.recorded(rms_scaled(alpha_columns(head), head.at("O1", "Oz", "O2", "POz"), alpha_uv)),
        alpha_hz=_drawn(cited.ALPHA_HZ, rng),
        alpha_width_hz=1.5,
        theta_uv=head.recorded(_each_best(theta, cited.THETA_UV)),
        theta_hz=_drawn(cited.THETA_HZ, rng),
        theta_width_hz=1.0,
        gamma_uv=head.recorded(_each_best(theta, 1.0)),
        gamma_hz=np.array([cited.GAMMA_HZ[k] for k in bands]).reshape(len(bands), 2),
        gamma_sizes=np.array([cited.GAMMA_UV[k] for k in bands]),
        depth=np.clip(rng.normal(*cited.COUPLING_DEPTH, N_THETA), 0.1, 0.9),
        preferred_rad=rng.normal(*cited.PREFERRED_RAD, N_THETA),
    )


def eyes_of(head: Head) -> Eyes:
    """Corneo-retinal dipoles, muscle spikes and blinks."""
    right, up = head.gaze.T
    across = right[head.at("F8")] - right[head.at("F7")]
    above = up[head.at("Fp1", "Fp2")].mean() - up[head.at("Oz")]
    return Eyes(
        gaze_uv=head.recorded(head.gaze * np.array(cited.GAZE_UV_DEG) / np.concatenate([across, above])),
        spike_uv=head.recorded(scaled(head.spike, head.at("Fp1", "Fp2", "AF7", "AF8"), cited.SPIKE_UV)),
        blink_uv=head.recorded(scaled(head.blink, head.at("Fp1", "Fp2"), cited.BLINK_UV)),
        blinks_per_min=cited.BLINKS_PER_MIN,
        saccades_per_s=cited.SACCADES_PER_S,
        saccade_deg=cited.SACCADE_DEG,
    )


def contact_of(head: Head, rng: np.random.Generator, line_hz: float) -> tuple[Contact, str]:
    """Amplifier, electrodes and muscles; and the name of the electrode that is bad all along, or "none"."""
    n = len(ELECTRODES)
    sensor_uv = np.full(n, 0.7)
    line_uv = 1.0 * rng.lognormal(0.0, 0.5, n)
    bad = [int(rng.integers(n))] if rng.random() < 0.5 else []
    sensor_uv[bad], line_uv[bad] = 40.0, 30.0
    rim = np.array([ELECTRODES.index(e) for e in RIM])
    contact = Contact(
        line_uv=line_uv,
        line_phase_rad=rng.normal(0.0, 0.5, n),
        line_hz=line_hz,
        sensor_uv=sensor_uv,
        drift_uv=15.0,
        drift_hz=0.003,
        offset_uv=rng.uniform(-2000.0, 2000.0, n),
        muscle_uv=head.recorded(rms_scaled(head.muscles, rim, cited.MUSCLE_UV)),
        faults_per_min=cited.FAULTS_PER_MIN,
        pops_per_min=cited.POPS_PER_MIN,
    )
    return contact, " ".join(ELECTRODES[i] for i in bad) or "none"


def fatigue_of() -> Fatigue:
    """The same for everybody: people differ, but how much is not known well."""
    return Fatigue(cited.FATIGUE_S, cited.ALPHA_TIRED, cited.BLINKS_TIRED, cited.EVOKED_TIRED)


def _drawn(of: tuple[float, float, float, float], rng: np.random.Generator) -> float:
    mean, sd, least, most = of
    return float(np.clip(rng.normal(mean, sd), least, most))


def _each_best(columns: Array, to_uv: float) -> Array:
    """Every source reaches `to_uv` at its own best electrode."""
    return np.asarray(columns * (to_uv / np.abs(columns).max(axis=0)))
