"""Filters against scipy, and against their own claims."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from pipeline.errors import StreamMismatch
from pipeline.filters import (
    Cascade,
    Resampler,
    Samples,
    anti_alias,
    design,
    group_delay_s,
    notched_hz,
    rate_ratio,
    settling_samples,
)


def samples(data, times_s):
    n = data.shape[1]
    return Samples(data, times_s, np.ones(n, dtype=bool), np.ones(n, dtype=bool))


def resampled(resampler, data, sfreq_hz, cuts=()):
    times_s = np.arange(data.shape[1]) / sfreq_hz
    parts = [
        resampler.push(samples(d, t))
        for d, t in zip(np.split(data, cuts, axis=1), np.split(times_s, cuts), strict=True)
        if t.size
    ]
    return np.concatenate([p.data for p in parts], axis=1), np.concatenate([p.times_s for p in parts])


@pytest.mark.parametrize("mains_hz", [50.0, 60.0])
def test_the_band_passes_and_mains_is_gone(mains_hz):
    sos = design(500.0, 0.5, 45.0, 2, 4, mains_hz)
    freqs_hz = [0.5, 10.0, 40.0, mains_hz, 2 * mains_hz]
    response = signal.sosfreqz(sos, worN=freqs_hz, fs=500.0)[1]
    db = dict(zip(freqs_hz, 20 * np.log10(np.abs(response) + 1e-300), strict=True))
    assert db[0.5] == pytest.approx(-3.0, abs=0.1)
    assert db[10.0] == pytest.approx(0.0, abs=0.1)
    assert db[40.0] > -3.5
    assert max(db[mains_hz], db[2 * mains_hz]) < -38.0


def test_harmonics_get_a_notch_only_where_the_low_pass_leaves_them():
    assert notched_hz(500.0, 45.0, 4, 50.0) == [50.0, 100.0]
    assert notched_hz(500.0, None, 4, 50.0) == [50.0, 100.0, 150.0, 200.0]
    assert notched_hz(100.0, 40.0, 4, 50.0) == []
    assert notched_hz(500.0, 45.0, 4, None) == []


def test_every_filter_is_minimum_phase():
    sos = design(500.0, 0.5, 45.0, 2, 4, 50.0)
    zeros = np.concatenate([np.roots(s[:3]) for s in sos])
    assert np.abs(zeros).max() <= 1 + 1e-9
    taps = anti_alias(Fraction(1, 2), 500.0, 45.0)
    assert np.abs(np.roots(taps)).max() <= 1 + 1e-3


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 399), max_size=30))
def test_filtering_is_bit_identical_to_one_offline_pass(cuts):
    data = np.random.default_rng(0).standard_normal((3, 400)) + 1e4
    sos = design(250.0, 0.5, 45.0, 2, 4, 50.0)
    cascade = Cascade(sos)
    ours = np.concatenate([cascade.push(part) for part in np.split(data, sorted(set(cuts)), axis=1)], axis=1)
    zi = signal.sosfilt_zi(sos)[:, None, :] * data[None, :, :1]
    np.testing.assert_array_equal(ours, signal.sosfilt(sos, data, axis=1, zi=zi)[0])


def test_without_sections_nothing_changes():
    data = np.ones((2, 5))
    assert Cascade(design(250.0, None, None, 2, 4, None)).push(data) is data


@pytest.mark.parametrize("low_hz", [0.1, 0.5, 1.0, None])
def test_the_impulse_response_has_decayed_when_the_filter_counts_as_settled(low_hz):
    sos = design(250.0, low_hz, 45.0, 2, 4, 50.0)
    n = settling_samples(sos)
    step = signal.sosfilt(sos, np.ones(n + 20_000))
    assert np.abs(step[n:] - step[-1]).max() <= 0.01 < np.abs(step[n - 1] - step[-1])
    impulse = signal.sosfilt(sos, np.r_[1.0, np.zeros(n + 20_000)])
    assert np.abs(impulse[n:]).max() < 0.05 * np.abs(impulse).max()


def test_group_delay_is_the_slope_of_the_phase():
    sos = design(500.0, 0.5, 45.0, 2, 4, 50.0)
    freqs_hz = np.array([9.999, 10.001, 29.999, 30.001])
    phase = np.unwrap(np.angle(signal.sosfreqz(sos, worN=freqs_hz, fs=500.0)[1]))
    slopes_s = -np.diff(phase)[[0, 2]] / (2 * np.pi * 0.002)
    np.testing.assert_allclose(group_delay_s(sos, np.array([10.0, 30.0]), 500.0), slopes_s, rtol=1e-4)


@pytest.mark.parametrize(
    ("rate_in_hz", "rate_out_hz"), [(500.0, 250.0), (256.0, 250.0), (160.0, 100.0), (512.0, 100.0)]
)
def test_resampling_is_scipys_polyphase_with_the_same_taps(rate_in_hz, rate_out_hz):
    data = np.random.default_rng(1).standard_normal((3, 1200))
    ours, times_s = resampled(Resampler(rate_in_hz, rate_out_hz, 45.0), data, rate_in_hz)
    ratio = Fraction(int(rate_out_hz), int(rate_in_hz))
    taps = anti_alias(ratio, rate_in_hz, 45.0)
    # As if the first sample had always been there.
    lead = 2 * len(taps) // ratio.numerator // ratio.denominator * ratio.denominator + ratio.denominator
    led = np.concatenate([np.repeat(data[:, :1], lead, axis=1), data], axis=1)
    theirs = signal.upfirdn(taps, led, ratio.numerator, ratio.denominator, axis=1)
    first = lead * ratio.numerator // ratio.denominator
    np.testing.assert_allclose(ours, theirs[:, first : first + ours.shape[1]], atol=1e-12)
    np.testing.assert_allclose(times_s, np.arange(len(times_s)) / rate_out_hz, atol=1e-12)
    assert times_s[-1] > 1199 / rate_in_hz - 1 / rate_out_hz


def test_a_tone_in_the_band_survives_resampling_and_what_would_alias_does_not():
    t_s = np.arange(5000) / 500.0
    tones = np.stack([np.sin(2 * np.pi * f * t_s) for f in (10.0, 95.0, 205.0)])
    out, _ = resampled(Resampler(500.0, 100.0, 45.0), tones, 500.0)
    amplitude = np.sqrt(2) * out[:, 200:].std(axis=1)
    assert amplitude[0] == pytest.approx(1.0, abs=1e-3)
    assert amplitude[1:].max() < 2e-4


def test_interior_agrees_with_resample_poly_after_the_known_delay():
    t_s = np.arange(4000) / 500.0
    wave = np.sin(2 * np.pi * 8.0 * t_s)[None]
    resampler = Resampler(500.0, 250.0, 45.0)
    ours, times_s = resampled(resampler, wave, 500.0)
    theirs = signal.resample_poly(wave, 1, 2, axis=1)[:, : ours.shape[1]]
    delay_s = resampler.group_delay_s(np.array([8.0]))[0]
    moved = np.interp(times_s, times_s - delay_s, ours[0])
    assert np.abs(moved - theirs[0])[100:-100].max() < 5e-3


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 599), max_size=40), st.sampled_from([(500.0, 250.0), (256.0, 250.0), (500.0, 100.0)]))
def test_resampling_is_bit_identical_for_any_chunking(cuts, rates):
    data = np.random.default_rng(2).standard_normal((4, 600)) + 100
    whole = resampled(Resampler(*rates, 45.0), data, rates[0])
    pieces = resampled(Resampler(*rates, 45.0), data, rates[0], sorted(set(cuts)))
    for a, b in zip(whole, pieces, strict=True):
        np.testing.assert_array_equal(a, b)


def test_output_times_lie_between_the_times_of_the_inputs_around_them():
    times_s = np.cumsum(np.random.default_rng(3).uniform(0.0035, 0.0045, 500))
    out = Resampler(256.0, 250.0, 45.0).push(samples(np.zeros((1, 500)), times_s))
    expected_s = np.interp(np.arange(out.n) * 256 / 250, np.arange(500), times_s)
    np.testing.assert_allclose(out.times_s, expected_s, atol=1e-12)


def test_one_unusable_sample_makes_every_output_that_saw_it_unusable():
    resampler = Resampler(500.0, 250.0, 45.0)
    usable = np.ones(400, dtype=bool)
    usable[200] = False
    out = resampler.push(Samples(np.zeros((1, 400)), np.arange(400) / 500, np.ones(400, dtype=bool), usable))
    hurt = np.flatnonzero(~out.usable)
    assert hurt[0] == 100
    assert hurt[-1] == (200 + resampler.n_memory - 1) // 2


@pytest.mark.parametrize(("rates", "says"), [((250.0, 256.0), "faster stream"), ((249.9973, 100.0), "ratio")])
def test_an_impossible_ratio_is_refused(rates, says):
    with pytest.raises(StreamMismatch, match=says):
        rate_ratio(*rates)
