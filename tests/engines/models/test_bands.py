import pytest

from engines.errors import InputError
from engines.models.bands import AMPLITUDE_HZ, PHASE_HZ, coupling_of, pairs
from engines.models.brainssd import BrainSsdConfig

ALLOWED_AT_100_HZ = {
    ("delta", "beta-gamma"),
    ("delta", "gamma"),
    ("theta", "beta-gamma"),
    ("theta", "gamma"),
    ("alpha", "beta-gamma"),
    ("theta-alpha", "beta-gamma"),
}


def test_there_are_five_bands_of_phase_and_three_of_amplitude():
    assert (len(PHASE_HZ), len(AMPLITUDE_HZ)) == (5, 3)
    assert set(pairs(250.0, 250.0)) == {(phase, amplitude) for phase in PHASE_HZ for amplitude in AMPLITUDE_HZ}


def test_a_rate_of_100_hz_carries_six_pairs_and_250_hz_all_but_four():
    assert {pair for pair, reason in pairs(250.0, 100.0).items() if reason is None} == ALLOWED_AT_100_HZ
    refused = {pair for pair, reason in pairs(250.0, 250.0).items() if reason is not None}
    assert refused == {("alpha", "gamma"), ("theta-alpha", "gamma"), ("beta", "beta-gamma"), ("beta", "gamma")}


@pytest.mark.parametrize(
    ("pair", "reason"),
    [
        (("theta", "high-gamma"), "0.45 x the stream's 100 Hz"),
        (("theta-alpha", "gamma"), "15 Hz wide: modulation by a phase of 13 Hz"),
        (("beta", "beta-gamma"), "expected one above the phase band"),
    ],
)
def test_a_refused_pair_says_why(pair, reason):
    assert reason in pairs(250.0, 100.0)[pair]
    with pytest.raises(InputError, match=reason):
        BrainSsdConfig(phase=pair[0], amplitude=pair[1])


def test_a_band_nobody_named_is_refused_with_the_names():
    with pytest.raises(InputError, match="among delta, theta, alpha, theta-alpha, beta; got 'mu'"):
        coupling_of("mu", "gamma", 250.0, 100.0, 4)


def test_the_amplitude_window_shortens_for_faster_phases():
    assert coupling_of("theta", "gamma", 250.0, 100.0, 4).amplitude_window_s == 0.076
    assert coupling_of("beta", "high-gamma", 250.0, 250.0, 4).amplitude_window_s == pytest.approx(1 / 30)
