"""What the chain learns on calibration data."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from engines.errors import InputError
from pipeline import asr
from pipeline.errors import StreamMismatch
from pipeline.fit_chain import fit_frozen
from pipeline.preprocess import EOG_WEIGHTS, Chain, ChainConfig
from pipeline.types import Boundary, BoundaryKind, Channel, Kind
from tests.pipeline.test_preprocess import NAMES, SFREQ_HZ, brain, gap, run, stream, together

EYES = (Channel("VEOG", Kind.EOG, "uV"), Channel("HEOG", Kind.EOG, "uV"))


def blinking(n, seed=0):
    """16 EEG channels with blinks and glances in them, and two eye channels; (18, n) microvolts, and the leak."""
    rng = np.random.default_rng(seed)
    eyes = np.zeros((2, n))
    for start in range(200, n - 200, 333):
        eyes[rng.integers(2), start : start + 100] += 150 * np.hanning(100)
    leak = np.random.default_rng(7).uniform(-0.6, 0.6, (16, 2))
    eeg = brain(n, seed=seed) * 1.0
    return np.vstack([eeg + leak @ eyes, eyes + rng.standard_normal((2, n))]), leak


def whole(data):
    return [(data, np.arange(data.shape[1]) / SFREQ_HZ, None)]


def test_eye_weights_are_found_and_blinks_go():
    data, leak = blinking(20_000)
    config = ChainConfig(eog_regression=True, reference="none", interpolate_bads=False)
    frozen = fit_frozen(config, stream(extra=EYES), whole(data))
    assert list(frozen) == [EOG_WEIGHTS]
    np.testing.assert_allclose(frozen[EOG_WEIGHTS], leak, atol=0.05)
    fresh, _ = blinking(5000, seed=3)
    with_it, _, settled = together(run(Chain(config, stream(extra=EYES), frozen), fresh))
    pure = brain(5000, seed=3)
    without, _, _ = together(run(Chain(ChainConfig(reference="none", interpolate_bads=False), stream()), pure))
    assert np.abs(with_it - without)[:, settled].max() < 0.1 * 150


def test_nothing_is_fitted_when_nothing_is_needed():
    assert fit_frozen(ChainConfig(), stream(), []) == {}


def test_eye_regression_without_eye_channels_is_refused():
    with pytest.raises(StreamMismatch, match="no EOG channel"):
        Chain(ChainConfig(eog_regression=True), stream())


def test_weights_of_another_montage_are_refused():
    with pytest.raises(StreamMismatch, match="16, 2"):
        Chain(ChainConfig(eog_regression=True), stream(extra=EYES), {EOG_WEIGHTS: np.zeros((4, 1))})


def test_too_little_data_is_refused():
    config = ChainConfig(eog_regression=True)
    with pytest.raises(InputError, match="settled data"):
        fit_frozen(config, stream(extra=EYES), whole(blinking(600)[0]))
    with pytest.raises(InputError, match="30 s"):
        fit_frozen(ChainConfig(asr=True), stream(), whole(brain(2500)))


CLEANING = ChainConfig(asr=True, rate_hz=125.0, asr_cutoff_sd=10.0, interpolate_bads=False)


@pytest.fixture(scope="module")
def cleaned():
    return fit_frozen(CLEANING, stream(), whole(brain(60 * 250)))


def test_artifact_subspaces_of_another_montage_are_refused(cleaned):
    with pytest.raises(StreamMismatch, match="14 channels"):
        Chain(CLEANING, stream(NAMES[:-2]), cleaned)
    with pytest.raises(StreamMismatch, match="got none"):
        Chain(CLEANING, stream())


def test_a_burst_is_removed_and_clean_signal_is_kept(cleaned):
    data = brain(5000, seed=5)
    burst = np.zeros_like(data)
    burst[2:4, 3000:3250] = 3000 * np.sin(np.arange(250) / 2.5) * np.hanning(250)
    with_it = Chain(CLEANING, stream(), cleaned)
    out, times_s, _ = together(run(with_it, data + burst))
    plain_config = ChainConfig(rate_hz=125.0, interpolate_bads=False)
    pure, pure_times_s, _ = together(run(Chain(plain_config, stream()), data))
    dirty, _, _ = together(run(Chain(plain_config, stream()), data + burst))
    n = out.shape[1]
    np.testing.assert_array_equal(times_s, pure_times_s[:n])
    during = (times_s > 12.1) & (times_s < 13.0)
    assert np.abs(out - pure[:, :n])[:, during].std() < 0.3 * np.abs(dirty - pure)[:, :n][:, during].std()
    quiet = (times_s > 4) & (times_s < 11.5)
    assert np.corrcoef(out[:, quiet].ravel(), pure[:, :n][:, quiet].ravel())[0, 1] > 0.99
    assert with_it.withheld_s == pytest.approx(0.104)


def test_a_frozen_threshold_that_nothing_reaches_leaves_every_sample_as_it_was(cleaned):
    data = brain(2500, seed=8)
    lax = {asr.MIXING: cleaned[asr.MIXING], asr.THRESHOLD: cleaned[asr.THRESHOLD] * 1e6}
    out, _, _ = together(run(Chain(CLEANING, stream(), lax), data, cuts=range(0, 2500, 37)))
    plain, _, _ = together(run(Chain(ChainConfig(rate_hz=125.0, interpolate_bads=False), stream()), data))
    np.testing.assert_allclose(out, plain[:, : out.shape[1]], atol=1e-9)


def test_cleaning_agrees_with_meegkits_own_streaming_on_a_burst(cleaned):
    from meegkit.asr import ASR

    plain_config = ChainConfig(rate_hz=125.0, interpolate_bads=False)
    calibration, _, settled = together(run(Chain(plain_config, stream()), brain(60 * 250)))
    data = brain(5000, seed=5)
    data[2, 3000:3500] += 4000 * np.sin(np.arange(500) / 2.5) * np.hanning(500)
    out, _, _ = together(run(Chain(CLEANING, stream(), cleaned), data))
    plain, _, _ = together(run(Chain(plain_config, stream()), data))
    model = ASR(sfreq=125.0, cutoff=10.0, method="euclid", memory=62)
    model.fit(calibration[:, settled] / asr.SCALE_UV)
    blocks = [plain[:, i : i + 12] / asr.SCALE_UV for i in range(0, out.shape[1], 12)]
    theirs = np.concatenate([model.transform(b) for b in blocks], axis=1) * asr.SCALE_UV
    middle = slice(1560, 1700)
    left = np.abs(out[2, middle]).max()
    assert np.abs(plain[2, middle]).max() > 20 * left
    assert left < 2 * np.abs(theirs[2, middle]).max() + 10


@settings(max_examples=5, deadline=None)
@given(cuts=st.lists(st.integers(1, 1999), max_size=40))
def test_cleaning_is_bit_identical_for_any_chunking(cleaned, cuts):
    data = brain(2000, seed=6)
    data[3, 900:1100] += 2000 * signal.windows.hann(200)
    boundaries = [gap(700, 5), Boundary(1300, BoundaryKind.RESET, 5.196, 5.2, jump_s=1.0)]
    one = together(run(Chain(CLEANING, stream(), cleaned), data, boundaries=boundaries))
    many = together(run(Chain(CLEANING, stream(), cleaned), data, cuts, boundaries))
    for a, b in zip(one, many, strict=True):
        np.testing.assert_array_equal(a, b)
