"""A simulated participant's EEG, sample by sample: ongoing activity, artefacts, and answers to what is shown.

Everything ongoing is made in blocks of `BLOCK` samples on the sample counter, each from a generator seeded with
(seed, run, block number), through filters that carry their state. Whatever pieces the samples are asked for
in, they are the same bits, so a file written at full speed equals the stream sent live.

The player knows of a picture what the marker says, and nothing else: labels that the participant has a response for
evoke it, all others nothing. What the responses are is the business of `calibration/participant.py`.
"""

import hashlib
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import sosfilt

from pipeline.stream_xml import SIMULATED_MANUFACTURER
from pipeline.types import Array, Channel, Kind, StreamInfo

BLOCK = 256
BLINK_S = 0.35
WARM_UP_S = 30.0  # the slowest pole of the aperiodic filter (0.1 Hz) has forgotten its start by then


@dataclass(frozen=True)
class Shown:
    """A marker, and when it is sent: `at_s` seconds after the first sample."""

    label: str
    at_s: float


@dataclass(frozen=True, eq=False)
class Participant:
    """All a player knows of a participant: plain arrays, axes (channel, time) or (channel, source).

    `responses_uv` maps a marker label to what it evokes at an SNR of 1, (n_channels, n) microvolts from the onset on,
    the same n for all. Mixing matrices hold microvolts per unit of source activity: an aperiodic source has 1 unit²/Hz
    at 10 Hz and falls with `exponent`; an alpha source has a standard deviation of 1.
    """

    seed: int
    sfreq_hz: float
    names: tuple[str, ...]
    positions_m: Array
    responses_uv: dict[str, Array]
    background_uv: Array
    exponent: float
    alpha_uv: Array
    alpha_hz: float
    alpha_width_hz: float
    blink_uv: Array
    blinks_per_min: float
    line_uv: Array
    line_phase_rad: Array
    line_hz: float
    sensor_uv: Array
    drift_uv: float
    drift_hz: float
    offset_uv: Array
    gain_sd: float
    latency_sd_s: float
    facts: dict[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """SHA-256 over every number of the participant: it names the participant in tables of results."""
        digest = hashlib.sha256()
        for one in fields(self):
            value = getattr(self, one.name)
            for key, part in sorted(value.items()) if isinstance(value, dict) else [("", value)]:
                digest.update(f"{one.name}/{key}:".encode())
                digest.update(part.tobytes() if isinstance(part, np.ndarray) else repr(part).encode())
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


class Player:
    """Plays a participant: `show` what comes on the screen, take the samples with `next`.

    Another `run` of the same participant has other ongoing activity and other single-trial answers.

    Thread: one only.
    """

    def __init__(self, participant: Participant, *, snr: float = 1.0, run: int = 0) -> None:
        if not snr >= 0:
            raise ValueError(f"an SNR of 0 or more was expected, {snr} came")
        self._participant = participant
        self._snr = snr
        self._run = run
        self._ongoing = _Ongoing(participant, run)
        self._block = np.empty((len(participant.names), 0))
        self._evoked = _Overlay()
        self._n_shown = 0
        self._at = 0

    @property
    def at(self) -> int:
        """The number of the next sample."""
        return self._at

    def show(self, shown: Shown) -> None:
        """Something comes on the screen. Labels without a response evoke nothing.

        Raises:
            ValueError: samples that should carry the response were already taken.
        """
        response_uv = self._participant.responses_uv.get(shown.label)
        if response_uv is None:
            return
        start, evoked_uv = self._single_trial(response_uv, shown.at_s)
        if start < self._at:
            raise ValueError(
                f"{shown.label} was shown at sample {start}, but samples up to {self._at} were already taken"
            )
        self._evoked.add(start, evoked_uv)

    def next(self, n: int) -> NDArray[np.float32]:
        """The next `n` samples, (n_channels, n) in microvolts."""
        out = np.empty((len(self._participant.names), n))
        filled = 0
        while filled < n:
            if self._block.shape[1] == 0:
                self._block = self._ongoing.next_block()
            take = min(n - filled, self._block.shape[1])
            out[:, filled : filled + take] = self._block[:, :take]
            self._block = self._block[:, take:]
            filled += take
        self._evoked.onto(out, self._at)
        self._at += n
        return out.astype(np.float32)

    def _single_trial(self, response_uv: Array, at_s: float) -> tuple[int, Array]:
        """One trial's answer: a gain and a latency of its own, placed between the samples where the onset falls.

        The response's leading zeros are left out, so that a picture may come on the screen within samples already
        taken; the latency is bounded for the same reason.
        """
        who = self._participant
        rng = np.random.default_rng([who.seed, self._run, 1, self._n_shown])
        self._n_shown += 1
        gain = np.exp(who.gain_sd * rng.standard_normal() - who.gain_sd**2 / 2)
        late_s = float(np.clip(rng.standard_normal(), -2, 2)) * who.latency_sd_s
        first = int(np.argmax(np.any(response_uv != 0, axis=0)))
        position = (at_s + late_s) * who.sfreq_hz + first
        start = int(np.floor(position))
        fraction = position - start
        padded = np.pad(response_uv[:, first:], ((0, 0), (1, 1)))
        evoked = (1 - fraction) * padded[:, 1:] + fraction * padded[:, :-1]
        return start, self._snr * gain * evoked


class _Overlay:
    """Waveforms that begin at given samples, added onto whatever stretch of samples comes by."""

    def __init__(self) -> None:
        self._active: list[tuple[int, Array]] = []

    def add(self, start: int, wave_uv: Array) -> None:
        """`wave_uv` (n_channels, n) begins at sample `start`."""
        self._active.append((start, wave_uv))

    def onto(self, out: Array, at: int) -> None:
        """Add in place to `out`, whose first sample has number `at`; forget what is over."""
        stop = at + out.shape[1]
        for start, wave in self._active:
            first, last = max(at, start), min(stop, start + wave.shape[1])
            if first < last:
                out[:, first - at : last - at] += wave[:, first - start : last - start]
        self._active = [(start, wave) for start, wave in self._active if start + wave.shape[1] > stop]


class _Filter:
    """A filter that carries its state over the blocks."""

    def __init__(self, sos: Array, n_rows: int) -> None:
        self._sos = sos
        self._zi = np.zeros((len(sos), n_rows, 2))

    def __call__(self, x: Array) -> Array:
        y, self._zi = sosfilt(self._sos, x, axis=1, zi=self._zi)
        return np.asarray(y)


class _Ongoing:
    """What goes on whatever is shown: aperiodic background, alpha, mains, blinks, drift, noise of the electrodes."""

    def __init__(self, participant: Participant, run: int) -> None:
        self._run = run
        who = self._who = participant
        n_background, n_alpha = who.background_uv.shape[1], who.alpha_uv.shape[1]
        self._aperiodic = _Filter(aperiodic_sos(who.exponent, who.sfreq_hz), n_background)
        self._alpha = _Filter(resonator_sos(who.alpha_hz, who.alpha_width_hz, who.sfreq_hz), n_alpha)
        self._drift = _Filter(_low_pass_sos(who.drift_hz, who.sfreq_hz), len(who.names))
        self._blinks = _Overlay()
        self._k = 0
        self._warm_up()

    def _warm_up(self) -> None:
        rng = np.random.default_rng([self._who.seed, self._run, 2, 0])
        n = int(WARM_UP_S * self._who.sfreq_hz)
        self._aperiodic(rng.standard_normal((self._who.background_uv.shape[1], n)))
        self._alpha(rng.standard_normal((self._who.alpha_uv.shape[1], n)))

    def next_block(self) -> Array:
        """The next `BLOCK` samples, (n_channels, BLOCK)."""
        who = self._who
        rng = np.random.default_rng([who.seed, self._run, 0, self._k])
        at = self._k * BLOCK

        def white(n_rows: int) -> Array:
            return rng.standard_normal((n_rows, BLOCK))

        out = _mixed(who.background_uv, self._aperiodic(white(who.background_uv.shape[1])))
        out += _mixed(who.alpha_uv, self._alpha(white(who.alpha_uv.shape[1])))
        out += who.sensor_uv[:, None] * white(len(who.names))
        out += who.offset_uv[:, None] + who.drift_uv * self._drift(white(len(who.names)))
        # The phase is reduced on the counter: after hours it is as exact as at the start.
        turns = np.mod((at + np.arange(BLOCK)) * (who.line_hz / who.sfreq_hz), 1.0)
        out += who.line_uv[:, None] * np.sin(2 * np.pi * turns + who.line_phase_rad[:, None])
        self._maybe_blink(rng, at)
        self._blinks.onto(out, at)
        self._k += 1
        return out

    def _maybe_blink(self, rng: np.random.Generator, at: int) -> None:
        """At most one blink begins in a block, with the chance that gives the participant's rate."""
        happens, where, strength = rng.random(), rng.integers(BLOCK), rng.uniform(0.7, 1.3)
        if happens < self._who.blinks_per_min / 60 * BLOCK / self._who.sfreq_hz:
            n = round(BLINK_S * self._who.sfreq_hz)
            lid = np.sin(np.pi * np.arange(1, n + 1) / (n + 1)) ** 3
            self._blinks.add(at + int(where), strength * self._who.blink_uv[:, None] * lid)


def aperiodic_sos(exponent: float, sfreq_hz: float, lowest_hz: float = 0.1) -> Array:
    """A filter that gives white noise of variance 1 a power density of 1/Hz at 10 Hz, falling as f**-exponent.

    Poles and zeros alternate along log frequency, one pair an octave, each zero `exponent / 2` octaves above its pole
    (Corsini & Saletti 1988, IEEE Trans Instrum Meas 37(4)); below `lowest_hz` the density is flat.
    """
    n = 2 * int(np.ceil(np.log2(sfreq_hz / 2 / lowest_hz) / 2))
    poles_hz = lowest_hz * 2.0 ** np.arange(n)
    poles = np.exp(-2 * np.pi * poles_hz / sfreq_hz)
    zeros = np.exp(-2 * np.pi * poles_hz * 2 ** (exponent / 2) / sfreq_hz)
    sos = np.array([_pair(zeros[i : i + 2], poles[i : i + 2]) for i in range(0, n, 2)])
    sos[0, :3] *= np.sqrt(sfreq_hz / 2) / _gain_at(sos, 10.0, sfreq_hz)
    return sos


def resonator_sos(centre_hz: float, width_hz: float, sfreq_hz: float) -> Array:
    """Two poles at `centre_hz`: white noise of variance 1 comes out as a waxing and waning rhythm of variance 1."""
    radius = np.exp(-np.pi * width_hz / sfreq_hz)
    sos = np.array([[1.0, 0.0, -1.0, 1.0, -2 * radius * np.cos(2 * np.pi * centre_hz / sfreq_hz), radius**2]])
    impulse = np.zeros(int(20 / width_hz * sfreq_hz))
    impulse[0] = 1.0
    sos[0, :3] /= np.sqrt(np.sum(sosfilt(sos, impulse) ** 2))
    return sos


def _mixed(mixing_uv: Array, sources: Array) -> Array:
    """`mixing_uv @ sources`, but not by BLAS, whose threads would round differently and fight for a small machine."""
    return np.asarray(np.einsum("cs,st->ct", mixing_uv, sources))


def _low_pass_sos(corner_hz: float, sfreq_hz: float) -> Array:
    """One pole; white noise of variance 1 comes out with variance 1."""
    pole = np.exp(-2 * np.pi * corner_hz / sfreq_hz)
    return np.array([[np.sqrt(1 - pole**2), 0.0, 0.0, 1.0, -pole, 0.0]])


def _pair(zeros: Array, poles: Array) -> Array:
    return np.concatenate([np.poly(zeros), np.poly(poles)])


def _gain_at(sos: Array, at_hz: float, sfreq_hz: float) -> float:
    z = np.exp(-2j * np.pi * at_hz / sfreq_hz * np.arange(3))
    return float(np.prod(np.abs(sos[:, :3] @ z) / np.abs(sos[:, 3:] @ z)))
