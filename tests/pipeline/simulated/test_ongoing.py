import numpy as np
import pytest
from scipy.signal import welch

from pipeline.simulated.ongoing import BLOCK, Ongoing
from tests.pipeline.simulated.people import SFREQ_HZ, quiet


def made(participant, seconds, run=0):
    ongoing = Ongoing(participant, run)
    return np.hstack([ongoing.next_block().out for _ in range(round(seconds * SFREQ_HZ / BLOCK))])


def power(x, low, high):
    hz, density = welch(x, SFREQ_HZ, nperseg=500)
    return density[(hz >= low) & (hz <= high)].sum() * (hz[1] - hz[0])


def test_the_mains_hum_is_where_it_should_be_after_any_number_of_blocks():
    got = made(quiet(line_uv=np.array([1.0, 2.0, 3.0])), 20)
    t = np.arange(got.shape[1]) / SFREQ_HZ
    np.testing.assert_allclose(got, np.outer([1, 2, 3], np.sin(2 * np.pi * 50 * t)), atol=1e-5)


def test_alpha_peaks_at_its_frequency_and_rises_with_fatigue():
    one = np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 0.0]])
    got = made(quiet(alpha_uv=one, alpha_hz=9.2, alpha_rise=0.5, time_s=200.0), 1200)
    hz, density = welch(got[0], SFREQ_HZ, nperseg=1000)
    assert hz[np.argmax(density)] == pytest.approx(9.2, abs=0.4)
    early, late = got[0, : 250 * 60].std(), got[0, -250 * 200 :].std()
    assert late / early == pytest.approx(1.5 / 1.07, rel=0.15)


def test_theta_has_its_size_and_place():
    one = np.array([[2.0, 0.0], [0.0, 0.0], [0.0, 0.0]])
    got = made(quiet(theta_uv=one), 200)
    assert got[0].std() == pytest.approx(2.0, rel=0.15) and not got[1].any()
    hz, density = welch(got[0], SFREQ_HZ, nperseg=1000)
    assert hz[np.argmax(density)] == pytest.approx(6.0, abs=0.4)


def test_gamma_stays_within_its_band():
    one = np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 0.0]])
    got = made(quiet(gamma_uv=one, depth=np.zeros(2)), 60)[0]
    assert got.std() == pytest.approx(1.0, rel=0.1)
    assert power(got, 28, 47) > 0.9 * power(got, 0, 125)


def test_muscles_are_loud_above_20_hz_and_wax_and_wane():
    one = np.array([[2.0, 0.0], [0.0, 0.0], [0.0, 0.0]])
    got = made(quiet(muscle_uv=one), 300)[0]
    assert power(got, 20, 125) > 10 * power(got, 0, 15)
    seconds = got[: 250 * 290].reshape(-1, 250 * 5).std(axis=1)
    assert seconds.max() / seconds.min() > 2


def test_the_drift_stays_near_the_offset():
    got = made(quiet(drift_uv=10.0, offset_uv=np.array([100.0, -100.0, 0.0])), 600)
    assert np.abs(got - np.array([[100.0], [-100.0], [0.0]])).max() < 60
    assert np.abs(np.diff(got)).max() < 1.0
