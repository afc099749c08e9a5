import numpy as np
import pytest
from scipy.signal import sosfilt, sosfreqz, welch

from pipeline.simulated.filters import Rotor, aperiodic_sos, band_sos, high_pass_sos, resonator_sos

SFREQ_HZ = 250.0


@pytest.mark.parametrize("exponent", [1.0, 1.4, 2.0])
@pytest.mark.parametrize("sfreq_hz", [250.0, 1000.0])
def test_the_background_falls_with_its_exponent_and_has_its_density_at_10_hz(exponent, sfreq_hz):
    hz = np.geomspace(1, 40, 50)
    _, gain = sosfreqz(aperiodic_sos(exponent, sfreq_hz), worN=hz, fs=sfreq_hz)
    density = np.abs(gain) ** 2 * 2 / sfreq_hz  # of white noise with variance 1, one-sided
    slope, _ = np.polyfit(np.log(hz), np.log(density), 1)
    assert slope == pytest.approx(-exponent, abs=0.1)
    assert np.interp(10, hz, density) == pytest.approx(1.0, rel=0.02)


def test_the_alpha_rhythm_has_variance_one_and_peaks_at_its_frequency():
    x = sosfilt(resonator_sos(10.0, 1.5, SFREQ_HZ), np.random.default_rng(0).standard_normal(250 * 400))
    hz, density = welch(x, SFREQ_HZ, nperseg=1000)
    assert np.std(x) == pytest.approx(1.0, rel=0.1)
    assert hz[np.argmax(density)] == pytest.approx(10.0, abs=0.5)


@pytest.mark.parametrize("sos", [band_sos(30, 45, SFREQ_HZ), high_pass_sos(20, SFREQ_HZ)])
def test_bands_have_variance_one(sos):
    x = sosfilt(sos, np.random.default_rng(0).standard_normal(250 * 100))
    assert np.std(x) == pytest.approx(1.0, rel=0.03)


def test_a_rotor_turns_at_its_frequency_with_variance_one_and_the_same_bits_in_any_blocks():
    rng = np.random.default_rng(0)
    real, imaginary = rng.standard_normal((2, 3, 250 * 400))
    whole = Rotor(6.0, 1.0, SFREQ_HZ, 3)(real, imaginary)
    assert np.std(whole.real, axis=1) == pytest.approx(np.ones(3), rel=0.1)
    turned_hz = np.angle(np.mean(whole[:, 1:] * whole[:, :-1].conj(), axis=1)) * SFREQ_HZ / (2 * np.pi)
    assert turned_hz == pytest.approx(np.full(3, 6.0), abs=0.2)
    rotor = Rotor(6.0, 1.0, SFREQ_HZ, 3)
    pieces = [rotor(real[:, a:b], imaginary[:, a:b]) for a, b in ((0, 7), (7, 300), (300, 1000))]
    assert np.array_equal(np.hstack(pieces), whole[:, :1000])
