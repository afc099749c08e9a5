"""Faulty electrodes are told apart from good ones."""

import mne
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from pipeline.quality import BAD_AFTER, GOOD_AFTER, Monitor, Quality, measure, verdicts

SFREQ_HZ = 250.0
N = 250
NAMES = tuple(f"E{i}" for i in range(12))


def healthy(n_blocks=1, seed=0, n_channels=12):
    rng = np.random.default_rng(seed)
    n = n_blocks * N
    sources = signal.lfilter([1], [1, -0.95], rng.standard_normal((3, n)), axis=1) * 5
    mixing = np.random.default_rng(99).uniform(0.5, 1.5, (n_channels, 3))
    return mixing @ sources + rng.standard_normal((n_channels, n))


def judged(data, unit=True, settled=True):
    filtered = data - data.mean(axis=1, keepdims=True) if settled else None
    return verdicts(measure(data, filtered, SFREQ_HZ, 50.0), data.shape[1], unit)


def fed(monitor, data, settled=True):
    for cut in monitor.cuts(data.shape[1]):
        monitor.push(data[:, cut], data[:, cut], settled)


def test_healthy_channels_are_good():
    for seed in range(20):
        assert set(judged(healthy(seed=seed))) == {Quality.GOOD}


def flat(x):
    x[5] = 3.0


def railed(x):
    x[5] = np.clip(x[5], x[5].mean() - 0.3 * x[5].std(), None)


def lost(x):
    x[5, 30:90] = np.nan


def noisy(x):
    x[5] *= 6


def hum(x):
    x[5] += 40 * np.sin(2 * np.pi * 50 * np.arange(x.shape[1]) / SFREQ_HZ)


def uncorrelated(x):
    x[5] = np.random.default_rng(5).standard_normal(x.shape[1]) * x[4].std()


@pytest.mark.parametrize(
    ("fault", "quality"),
    [
        (flat, Quality.FLAT),
        (railed, Quality.RAILED),
        (lost, Quality.LOST),
        (noisy, Quality.NOISY),
        (hum, Quality.NOISY),
        (uncorrelated, Quality.UNCORRELATED),
    ],
)
def test_a_fault_is_named_and_the_other_channels_stay_good(fault, quality):
    data = healthy()
    fault(data)
    found = judged(np.where(np.isfinite(data), data, np.nan)) if fault is not lost else _lost_verdicts(data)
    assert found[5] is quality
    assert {q for i, q in enumerate(found) if i != 5} == {Quality.GOOD}


def _lost_verdicts(data):
    filled = np.where(np.isfinite(data), data, 0.0)
    return verdicts(measure(data, filled, SFREQ_HZ, 50.0), N, True)


@pytest.mark.parametrize(
    ("fault", "quality"),
    [(flat, Quality.FLAT), (railed, Quality.RAILED), (noisy, Quality.GOOD), (uncorrelated, Quality.UNCORRELATED)],
)
def test_without_a_unit_only_what_needs_none_is_judged(fault, quality):
    data = healthy() * 1e-4
    fault(data)
    assert judged(data, unit=False)[5] is quality


def test_while_filters_settle_only_hard_faults_show():
    data = healthy()
    flat(data)
    found = judged(data, settled=False)
    assert found[5] is Quality.FLAT
    assert found[4] is Quality.UNKNOWN


def test_the_mains_ratio_is_the_amplitude_ratio():
    t_s = np.arange(500) / 500.0
    data = (3 * np.sin(2 * np.pi * 50 * t_s) + 2 * np.sin(2 * np.pi * 10 * t_s))[None]
    assert measure(data, None, 500.0, 50.0).mains_ratio[0] == pytest.approx(1.5, rel=1e-3)
    assert np.isnan(measure(data, None, 100.0, 50.0).mains_ratio[0])
    assert np.isnan(measure(data, None, 500.0, None).mains_ratio[0])


def test_a_soft_fault_must_last_and_must_be_gone_for_a_while():
    monitor = Monitor(NAMES, SFREQ_HZ, 50.0, True)
    states = []
    for block in range(20):
        data = healthy(seed=block)
        if 3 <= block < 9:
            noisy(data)
        fed(monitor, data)
        states.append(monitor.channels[5].state)
    first = states.index(Quality.NOISY)
    assert first == 3 + BAD_AFTER - 1
    assert states[8] is Quality.NOISY
    assert states.index(Quality.GOOD, first) == 9 + GOOD_AFTER - 1
    assert monitor.channels[5].bad_fraction == pytest.approx((9 + GOOD_AFTER - 1 - first) / 20)
    assert monitor.channels[4].bad_fraction == 0.0


def test_a_single_noisy_second_is_forgiven():
    monitor = Monitor(NAMES, SFREQ_HZ, 50.0, True)
    for block in range(9):
        data = healthy(seed=block)
        if block % 3 == 1:
            noisy(data)
        fed(monitor, data)
        assert monitor.bad == frozenset()


def test_a_flat_channel_is_bad_at_once_and_non_finite_samples_are_counted():
    monitor = Monitor(NAMES, SFREQ_HZ, 50.0, True)
    data = healthy()
    flat(data)
    data[2, :7] = np.nan
    for cut in monitor.cuts(N):
        monitor.push(data[:, cut], np.nan_to_num(data[:, cut]), True)
    assert monitor.bad == {5}
    assert monitor.channels[2].n_not_finite == 7
    assert monitor.channels[2].state is Quality.GOOD


def test_a_block_never_straddles_a_gap():
    monitor = Monitor(NAMES, SFREQ_HZ, 50.0, True)
    fed(monitor, healthy()[:, :200])
    monitor.restart_block()
    fed(monitor, healthy()[:, :200])
    assert monitor.channels[0].state is Quality.UNKNOWN
    fed(monitor, healthy()[:, 200:])
    assert monitor.channels[0].state is Quality.GOOD


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 6 * N - 1), max_size=20))
def test_judging_does_not_depend_on_chunks(cuts):
    data = healthy(6)
    noisy(data)
    flat(data[:, 4 * N :])
    whole, pieces = (Monitor(NAMES, SFREQ_HZ, 50.0, True) for _ in range(2))
    fed(whole, data)
    for part in np.split(data, sorted(set(cuts)), axis=1):
        fed(pieces, part)
    assert repr(whole.channels) == repr(pieces.channels)  # NaN differs from itself, its text does not
    assert whole.bad == pieces.bad == {5}


def test_a_real_amplifier_with_drifting_electrodes_is_not_all_bad(data):
    raw = mne.io.read_raw_edf(data / "eeg" / "eegmmidb64" / "S001R03.edf", preload=True, verbose=False)
    raw.filter(0.5, 45, verbose=False)
    monitor = Monitor(raw.ch_names, raw.info["sfreq"], 60.0, True)
    microvolts = raw.get_data() * 1e6
    fed(monitor, microvolts)
    fractions = [c.bad_fraction for c in monitor.channels]
    assert np.median(fractions) == 0.0
    worst = microvolts.copy()
    worst[20] = np.random.default_rng(0).standard_normal(worst.shape[1]) * 400
    spoilt = Monitor(raw.ch_names, raw.info["sfreq"], 60.0, True)
    fed(spoilt, worst)
    assert spoilt.channels[20].bad_fraction > 0.9
