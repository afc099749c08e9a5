"""The whole decoding chain beside bare filters: one `sosfilt` of the same sections, and MNE-LSL's three in a row."""

from collections.abc import Callable

import numpy as np
from scipy import signal

from calibration.participant import ELECTRODES
from pipeline.filters import design
from pipeline.preprocess import Chain, ChainConfig
from pipeline.types import Array, Channel, StreamInfo
from tests.bench.measure import seconds_each, show
from tests.bench.rows import Row

NOISE_UV = 20.0
CONFIG = ChainConfig()


def chain_over(sfreq_hz: float, data: Array) -> Callable[[], object]:
    """The chain, which goes on where it stopped."""
    channels = tuple(Channel(name, unit="microvolts") for name in ELECTRODES)
    info = StreamInfo("bench", "EEG", len(channels), sfreq_hz, "float64", channels=channels)
    chain = Chain(CONFIG, info)
    times_s = np.arange(data.shape[1]) / sfreq_hz

    def push() -> None:
        nonlocal times_s
        chain.process(data, times_s)
        times_s = times_s + data.shape[1] / sfreq_hz

    return push


def one_sosfilt(sos: Array, data: Array) -> Callable[[], object]:
    state = signal.sosfilt_zi(sos)[:, None, :] * data[None, :, :1]

    def push() -> None:
        nonlocal state
        _, state = signal.sosfilt(sos, data, axis=1, zi=state)

    return push


def three_sosfilts(sections: list[Array], data: Array) -> Callable[[], object]:
    """Band and two notches as `StreamLSL._acquire` (1.14) applies them, on (n, channels) with the channels picked."""
    samples, picks = np.ascontiguousarray(data.T), np.arange(data.shape[0])
    states = [signal.sosfilt_zi(sos)[..., None] * samples.mean(axis=0) for sos in sections]

    def push() -> None:
        pulled = samples.copy()
        for k, sos in enumerate(sections):
            filtered, states[k] = signal.sosfilt(sos, pulled[:, picks], zi=states[k], axis=0)
            pulled[:, picks] = filtered

    return push


def main() -> None:
    for sfreq_hz in (1000.0, 500.0):
        sos = design(sfreq_hz, CONFIG.low_hz, CONFIG.high_hz, CONFIG.low_order, CONFIG.high_order, CONFIG.mains_hz)
        n_band = (CONFIG.low_order + CONFIG.high_order) // 2
        sections = [sos[:n_band], *(sos[k : k + 1] for k in range(n_band, len(sos)))]
        for length_s, number in ((0.02, 200), (1.0, 10)):
            noise = np.random.default_rng(0).normal(0.0, NOISE_UV, (len(ELECTRODES), round(length_s * sfreq_hz)))
            calls = {
                "chain": chain_over(sfreq_hz, noise),
                "one": one_sosfilt(sos, noise),
                "three": three_sosfilts(sections, noise),
            }
            us = {name: s * 1e6 for name, s in seconds_each(calls, number).items()}
            what = f"whole chain, 64 ch, {length_s * 1e3:g} ms at {sfreq_hz:g} Hz"
            show(Row("filters", what, us["chain"], "us", us["three"], "filters only, mne-lsl's way"))
            show(Row("filters", what, us["chain"], "us", us["one"], "filters only, one sosfilt"))


if __name__ == "__main__":
    main()
