"""What can be measured on a simulated participant's finished EEG, as one would on a person's."""

from functools import lru_cache

import numpy as np
from scipy.signal import butter, sosfiltfilt, welch

from calibration.participant import ELECTRODES, Stimulus, make_participant
from pipeline.coupling import modulation_index
from pipeline.simulation import Player, Shown

SFREQ_HZ = 250.0
STIMULI = [Stimulus(c, f"{n:02d}") for c in ("face", "house", "car", "dog", "cup", "tree") for n in range(10)]
EVERY_S = 1.3


@lru_cache(maxsize=8)
def person(seed):
    return make_participant(seed, STIMULI)


def recorded(seed, shown, seconds, snr=1.0, run=0):
    """(64, n) in the median reference, as `of`."""
    return of(person(seed), shown, seconds, snr, run)


def of(participant, shown, seconds, snr=1.0, run=0):
    """(64, n) in the median reference, the channel that is bad all along silenced."""
    player = Player(participant, snr=snr, run=run)
    for one in shown:
        player.show(one)
    data = player.next(round(seconds * SFREQ_HZ)).astype(float)
    data -= data.mean(axis=1, keepdims=True)
    if (bad := participant.facts["bad channels"]) != "none":
        data[ELECTRODES.index(bad)] = 0.0
    return data - np.median(data, axis=0)


def rows(*electrodes):
    return [ELECTRODES.index(e) for e in electrodes]


def evoked(data, onsets_s, seconds):
    """Mean over trials, 2 to 30 Hz, from the onset, trials with blinks left out; baseline of 100 ms."""
    x = sosfiltfilt(butter(2, [0.5, 30.0], "bandpass", fs=SFREQ_HZ, output="sos"), data, axis=1)
    starts = [round(t * SFREQ_HZ) for t in onsets_s]
    n = round(seconds * SFREQ_HZ)
    trials = np.array([x[:, k : k + n] - x[:, k - 25 : k].mean(axis=1, keepdims=True) for k in starts])
    clean = np.median(np.abs(trials).max(axis=2), axis=1) < 40
    return trials[clean].mean(axis=0)


def peak(wave, from_ms, to_ms, sign):
    """Latency in ms and size of the largest point of a sign."""
    first, last = (round(ms * SFREQ_HZ / 1000) for ms in (from_ms, to_ms))
    at = first + int(np.argmax(sign * wave[first : last + 1]))
    return 1000 * at / SFREQ_HZ, float(wave[at])


def of_pictures(seed, n=240):
    """Latencies and sizes of P1 and N170 over pictures of six categories."""
    onsets_s = 2.0 + EVERY_S * np.arange(n)
    shown = [Shown(STIMULI[k % len(STIMULI)].label, t) for k, t in enumerate(onsets_s)]
    mean = evoked(recorded(seed, shown, onsets_s[-1] + 2), onsets_s, 0.8)
    p1 = peak(mean[rows("O1", "O2", "PO7", "PO8")].mean(axis=0), 80, 135, 1)
    n170 = peak(mean[rows("P7", "P8", "PO7", "PO8")].mean(axis=0), 140, 205, -1)
    return {
        "P1 latency, ms": p1[0],
        "P1 amplitude, uV": p1[1],
        "N170 latency, ms": n170[0],
        "N170 amplitude, uV": n170[1],
    }


def at_rest(seed, seconds=240):
    """Alpha's peak, the aperiodic exponent, coupling of theta and gamma and what it is by chance."""
    data = recorded(seed, [], seconds)
    hz, density = welch(data, SFREQ_HZ, nperseg=1000)
    posterior = density[rows("O1", "Oz", "O2", "POz", "PO3", "PO4")].mean(axis=0)
    around = (hz >= 7) & (hz <= 14)
    central = np.median(density[rows("Cz", "CPz", "C1", "C2", "CP1", "CP2", "FC1", "FC2")], axis=0)
    smooth = ((hz >= 1.5) & (hz <= 4)) | ((hz >= 15) & (hz <= 22))
    slope = np.polyfit(np.log(hz[smooth]), np.log(central[smooth]), 1)[0]
    index, chance = coupling(data)
    return {
        "alpha peak, Hz": float(hz[around][np.argmax(posterior[around])]),
        "aperiodic exponent": float(-slope),
        "coupling, index": index,
        "coupling over chance": index / chance,
    }


def coupling(data):
    """Mean index over posterior electrodes, and with gamma's amplitude taken 20 s and more from theta's phase."""
    x = data[rows("POz", "PO3", "PO4", "Oz", "P1", "P2", "Pz", "PO7", "PO8")]

    def index(of):
        return float(np.mean(modulation_index(x, of, SFREQ_HZ, (4.0, 8.0), (28.0, 46.0))))

    return index(x), float(np.mean([index(np.roll(x, round(s * SFREQ_HZ), axis=1)) for s in (23, 57, 101)]))


def of_turns(seed, n=40):
    """Latency and size of the motion N2, and how far the eyes move, in uV between F8 and F7 for a degree."""
    onsets_s = 2.0 + 2.0 * np.arange(n)
    shown = [s for t in onsets_s for s in (Shown(f"turn/{STIMULI[int(t) % 60].key}", t), Shown("blank", t + 1.5))]
    mean = evoked(recorded(seed, shown, onsets_s[-1] + 3), onsets_s, 0.5)
    latency_ms, size_uv = peak(mean[rows("P7", "P8", "PO7", "PO8")].mean(axis=0), 130, 215, -1)
    return {"motion N2 latency, ms": latency_ms, "motion N2 amplitude, uV": size_uv}


def of_flicker(seed, hz=12.0, n=12):
    """Amplitude at the flicker's frequency over posterior electrodes, coherent over trials."""
    onsets_s = 2.0 + 6.0 * np.arange(n)
    shown = [
        s
        for k, t in enumerate(onsets_s)
        for s in (Shown(f"flicker/{hz:g}/{STIMULI[5 * k].key}", t), Shown("blank", t + 5.0))
    ]
    data = recorded(seed, shown, onsets_s[-1] + 6)
    trials = [data[:, k : k + 1000] for k in (round((t + 1) * SFREQ_HZ) for t in onsets_s)]
    size = np.abs(np.fft.rfft(np.median(trials, axis=0), axis=1)) * 2 / 1000
    return {f"SSVEP at {hz:g} Hz, uV": float(size[rows("O1", "Oz", "O2", "POz"), round(4 * hz)].mean())}


def everything(seed):
    return {**of_pictures(seed), **at_rest(seed), **of_turns(seed), **of_flicker(seed)}
