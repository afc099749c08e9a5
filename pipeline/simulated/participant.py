"""All a player knows of a simulated participant: plain arrays.

Axes are (channel, time), (channel, source) or (source, time). Where the numbers come from is the business of
`calibration/participant.py`.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.stream_xml import SIMULATED_MANUFACTURER
from pipeline.types import Array, Channel, Kind, StreamInfo

Course = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Response:
    """What one label evokes at an SNR of 1, from the onset on, on a time grid of its own.

    `evoked` (n_sources, n) in units of the columns of `Evoked.sources_uv`; `gaze_deg` (2, n) right and up; the gains of
    ongoing rhythms change by `rhythm` (n_controls, n_courses) times `rhythm_courses` (n_courses, n), in the order of
    `Rhythms.n_controls`. `jitter_s` is the standard deviation of its latency from trial to trial. `held` responses end
    when the screen changes. `flicker` (n_sources,) is the steady response to an amplitude-modulated picture: size and
    phase at the fundamental.
    """

    rate_hz: float
    evoked: Course
    gaze_deg: Course
    rhythm: Course
    rhythm_courses: Course
    jitter_s: float
    held: bool = False
    flicker: NDArray[np.complex128] | None = None

    @cached_property
    def first(self) -> int:
        """The first column that holds anything; before it the brain cannot know."""
        parts = (self.evoked, self.gaze_deg, self.rhythm_courses)
        active = np.any([np.any(part, axis=0) for part in parts], axis=0)
        return int(np.argmax(active)) if active.any() else active.size


@dataclass(frozen=True, eq=False)
class Evoked:
    """Responses by label, and how sources are seen, (n_channels, n_sources) microvolts.

    `flicker_gain` over `flicker_hz` is how well the cortex follows a frequency; `harmonics` the sizes of its multiples
    relative to the fundamental, the fundamental first. `gain_sd` is the spread of the log gain over trials.
    """

    responses: dict[str, Response]
    sources_uv: Array
    gain_sd: float
    gaze_gain_sd: float
    flicker_hz: Array
    flicker_gain: Array
    harmonics: Array


@dataclass(frozen=True, eq=False)
class Rhythms:
    """Ongoing activity. Mixing matrices hold microvolts per unit: an aperiodic source has 1 unit²/Hz at 10 Hz and
    falls with `exponent`; every other source has a standard deviation of 1.

    Each of `theta_uv`'s sources (n_channels, n_theta) modulates gamma at its own place, `gamma_uv` (n_channels,
    n_theta): the amplitude of noise in the bands `gamma_hz` (n_bands, 2), of relative sizes `gamma_sizes`, is
    1 + depth cos(phase - preferred). The preferred phase counts from theta's peak at the source.
    """

    background_uv: Array
    exponent: float
    alpha_uv: Array
    alpha_hz: float
    alpha_width_hz: float
    theta_uv: Array
    theta_hz: float
    theta_width_hz: float
    gamma_uv: Array
    gamma_hz: Array
    gamma_sizes: Array
    depth: Array
    preferred_rad: Array

    @property
    def n_controls(self) -> int:
        """Rows of `Response.rhythm`: alpha's gains, gamma's gains, coupling along the cosine, along the sine."""
        return int(self.alpha_uv.shape[1] + 3 * self.theta_uv.shape[1])


@dataclass(frozen=True, eq=False)
class Eyes:
    """`gaze_uv` (n_channels, 2) microvolts a degree to the right and upwards; `spike_uv` (n_channels,) of the eye
    muscles at a saccade of one degree; blinks and fixational saccades come whatever is shown.
    """

    gaze_uv: Array
    spike_uv: Array
    blink_uv: Array
    blinks_per_min: float
    saccades_per_s: float
    saccade_deg: float


@dataclass(frozen=True, eq=False)
class Contact:
    """What amplifier, electrodes and muscles add: mains, noise, drift, offsets; `muscle_uv` (n_channels, n_muscles).

    Now and then an electrode goes bad for a while, or its lead pops: `faults_per_min`, `pops_per_min`, over all.
    """

    line_uv: Array
    line_phase_rad: Array
    line_hz: float
    sensor_uv: Array
    drift_uv: float
    drift_hz: float
    offset_uv: Array
    muscle_uv: Array
    faults_per_min: float
    pops_per_min: float


@dataclass(frozen=True, eq=False)
class Fatigue:
    """What time on task does: each size is approached with `time_s`, as 1 - exp(-t / time_s)."""

    time_s: float
    alpha_rise: float
    blink_rise: float
    evoked_fall: float

    def at(self, since_s: float) -> float:
        """0 rested, 1 as tired as this participant gets."""
        return float(1 - np.exp(-since_s / self.time_s))


@dataclass(frozen=True, eq=False)
class Participant:
    """A simulated participant; `facts` are told with the stream."""

    seed: int
    sfreq_hz: float
    names: tuple[str, ...]
    positions_m: Array
    evoked: Evoked
    rhythms: Rhythms
    eyes: Eyes
    contact: Contact
    fatigue: Fatigue
    facts: dict[str, str] = field(default_factory=dict)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over every number of the participant: it names the participant in tables of results."""
        digest = hashlib.sha256()
        for name, value in _leaves("", self):
            digest.update(f"{name}:".encode())
            digest.update(value.tobytes() if isinstance(value, np.ndarray) else repr(value).encode())
        return digest.hexdigest()


def stream_infos(participant: Participant, *, snr: float, run: int, source_id: str) -> tuple[StreamInfo, StreamInfo]:
    """The EEG stream and the marker stream a participant sends, both declared as simulated."""
    channels = tuple(
        Channel(name, Kind.EEG, "microvolts", (float(x), float(y), float(z)))
        for name, (x, y, z) in zip(participant.names, participant.positions_m, strict=True)
    )
    common: dict[str, Any] = {"manufacturer": SIMULATED_MANUFACTURER, "simulated": True}
    known = {"SNR": f"{snr:g}", "seed": participant.seed, "run": run, **participant.facts}
    eeg = StreamInfo(
        name="AfterimageSimulated",
        type="EEG",
        n_channels=len(channels),
        sfreq_hz=participant.sfreq_hz,
        dtype="float32",
        source_id=f"{source_id}-eeg",
        channels=channels,
        extra={
            "model": ", ".join(f"{key} {value}" for key, value in known.items()),
            "serial_number": participant.digest,
        },
        **common,
    )
    markers = StreamInfo(
        name="AfterimageSimulatedMarkers",
        type="Markers",
        n_channels=1,
        sfreq_hz=0.0,
        dtype="string",
        source_id=f"{source_id}-markers",
        **common,
    )
    return eeg, markers


def _leaves(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Arrays and plain values with their paths, in an order that does not depend on the machine."""
    if is_dataclass(value):
        parts = [(one.name, getattr(value, one.name)) for one in fields(value)]
    elif isinstance(value, dict):
        parts = sorted(value.items())
    else:
        yield name, value
        return
    for key, part in parts:
        yield from _leaves(f"{name}/{key}", part)
