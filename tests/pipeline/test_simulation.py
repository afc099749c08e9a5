from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import welch

from pipeline.simulation import Participant, Player, Shown, aperiodic_sos, resonator_sos, stream_infos

SFREQ_HZ = 250.0


def quiet(**changes: object) -> Participant:
    """A participant of three electrodes whose every ongoing activity is off."""
    bump = np.zeros((3, 100))
    bump[:, 10:60] = np.array([1.0, -2.0, 3.0])[:, None] * np.hanning(50)
    silent = Participant(
        seed=3,
        sfreq_hz=SFREQ_HZ,
        names=("O1", "Oz", "O2"),
        positions_m=np.array([[-0.03, -0.1, 0.0], [0.0, -0.11, 0.0], [0.03, -0.1, 0.0]]),
        responses_uv={"stim/face/00": bump},
        background_uv=np.zeros((3, 4)),
        exponent=1.0,
        alpha_uv=np.zeros((3, 2)),
        alpha_hz=10.0,
        alpha_width_hz=1.5,
        blink_uv=np.zeros(3),
        blinks_per_min=0.0,
        line_uv=np.zeros(3),
        line_phase_rad=np.zeros(3),
        line_hz=50.0,
        sensor_uv=np.zeros(3),
        drift_uv=0.0,
        drift_hz=0.003,
        offset_uv=np.zeros(3),
        gain_sd=0.0,
        latency_sd_s=0.0,
    )
    return replace(silent, **changes)  # type: ignore[arg-type]


def noisy(**changes: object) -> Participant:
    """The same with everything on."""
    rng = np.random.default_rng(0)
    on = {
        "background_uv": rng.standard_normal((3, 4)),
        "alpha_uv": rng.standard_normal((3, 2)),
        "blink_uv": np.array([100.0, 50.0, 10.0]),
        "blinks_per_min": 60.0,
        "line_uv": np.ones(3),
        "sensor_uv": np.ones(3),
        "drift_uv": 10.0,
        "offset_uv": np.array([100.0, -100.0, 5.0]),
        "gain_sd": 0.3,
        "latency_sd_s": 0.005,
    }
    return quiet(**{**on, **changes})


def played(
    participant: Participant, shown: list[Shown], pieces: list[int], snr: float = 1.0, run: int = 0
) -> np.ndarray:
    """All samples, taken in these pieces, everything shown just before it must be."""
    player = Player(participant, snr=snr, run=run)
    waiting = list(shown)
    out = []
    for n in pieces:
        while waiting and waiting[0].at_s * participant.sfreq_hz < player.at + n:
            player.show(waiting.pop(0))
        out.append(player.next(n))
    return np.hstack(out)


SHOWN = [Shown("stim/face/00", t) for t in (0.5, 1.1003, 1.3, 2.0)]


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 400), min_size=1, max_size=12))
def test_any_chunking_gives_the_same_bits(pieces):
    pieces = [*pieces, 1500]
    together = played(noisy(), SHOWN, [sum(pieces)])
    assert np.array_equal(played(noisy(), SHOWN, pieces), together)


def test_the_seed_decides_everything():
    once = played(noisy(), SHOWN, [1000])
    assert np.array_equal(once, played(noisy(), SHOWN, [1000]))
    assert not np.array_equal(once, played(noisy(seed=4), SHOWN, [1000]))


def test_two_runs_of_one_participant_share_no_noise():
    first, second = (played(noisy(line_uv=np.zeros(3)), [], [5000], run=run)[0] for run in (0, 1))
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.2


def test_at_snr_zero_what_is_shown_leaves_no_trace():
    assert np.array_equal(played(noisy(), SHOWN, [1000], snr=0.0), played(noisy(), [], [1000], snr=0.0))


def test_a_label_without_a_response_evokes_nothing():
    assert np.array_equal(played(noisy(), [Shown("block/start", 1.0)], [1000]), played(noisy(), [], [1000]))


def test_a_response_appears_at_its_onset_scaled_by_the_snr():
    participant = quiet()
    got = played(participant, [Shown("stim/face/00", 1.0)], [500], snr=2.0)
    expected = np.zeros((3, 500))
    expected[:, 250:350] = 2.0 * participant.responses_uv["stim/face/00"]
    np.testing.assert_allclose(got, expected, atol=1e-6)


def test_an_onset_between_samples_delays_the_response_by_that_fraction():
    got = played(quiet(), [Shown("stim/face/00", 1.0 + 0.6 / SFREQ_HZ)], [500])
    on_sample = played(quiet(), [Shown("stim/face/00", 1.0)], [500])

    def centre(x: np.ndarray) -> float:
        return float(np.sum(np.arange(500) * x[2]) / np.sum(x[2]))

    assert centre(got) - centre(on_sample) == pytest.approx(0.6, abs=1e-4)


def test_trials_of_one_stimulus_differ_in_gain():
    got = played(quiet(gain_sd=0.3), [Shown("stim/face/00", float(t)) for t in range(1, 6)], [2000])
    peaks = [got[2, 250 * t : 250 * t + 100].max() for t in range(1, 6)]
    assert len({round(float(p), 3) for p in peaks}) == 5


def test_showing_something_in_the_past_is_refused():
    player = Player(quiet())
    player.next(500)
    with pytest.raises(ValueError, match="already taken"):
        player.show(Shown("stim/face/00", 1.0))


def test_a_negative_snr_is_refused():
    with pytest.raises(ValueError, match="SNR"):
        Player(quiet(), snr=-1.0)


@pytest.mark.parametrize("exponent", [1.0, 1.4, 2.0])
@pytest.mark.parametrize("sfreq_hz", [250.0, 1000.0])
def test_the_background_falls_with_its_exponent_and_has_its_density_at_10_hz(exponent, sfreq_hz):
    from scipy.signal import sosfreqz

    hz = np.geomspace(1, 40, 50)
    _, gain = sosfreqz(aperiodic_sos(exponent, sfreq_hz), worN=hz, fs=sfreq_hz)
    density = np.abs(gain) ** 2 * 2 / sfreq_hz  # of white noise with variance 1, one-sided
    slope, _ = np.polyfit(np.log(hz), np.log(density), 1)
    assert slope == pytest.approx(-exponent, abs=0.1)
    assert np.interp(10, hz, density) == pytest.approx(1.0, rel=0.02)


def test_the_alpha_rhythm_has_variance_one_and_peaks_at_its_frequency():
    from scipy.signal import sosfilt

    x = sosfilt(resonator_sos(10.0, 1.5, SFREQ_HZ), np.random.default_rng(0).standard_normal(250 * 400))
    hz, density = welch(x, SFREQ_HZ, nperseg=1000)
    assert np.std(x) == pytest.approx(1.0, rel=0.1)
    assert hz[np.argmax(density)] == pytest.approx(10.0, abs=0.5)


def test_the_mains_hum_is_where_it_should_be_after_any_number_of_blocks():
    got = played(quiet(line_uv=np.array([1.0, 2.0, 3.0])), [], [250 * 20])
    t = np.arange(250 * 20) / SFREQ_HZ
    np.testing.assert_allclose(got, np.outer([1, 2, 3], np.sin(2 * np.pi * 50 * t)), atol=1e-5)


def test_blinks_come_at_their_rate_with_their_topography():
    got = played(quiet(blink_uv=np.array([100.0, 50.0, 0.0]), blinks_per_min=17.0), [], [250 * 600])
    starts = np.sum((got[0, 1:] > 10) & (got[0, :-1] <= 10))
    assert 100 < starts < 240
    np.testing.assert_allclose(got[1], got[0] / 2, atol=1e-4)
    assert not got[2].any()


def test_the_streams_say_that_they_are_simulated_and_where_the_electrodes_are():
    eeg, markers = stream_infos(quiet(), snr=1.0, run=1, source_id="x")
    assert eeg.simulated and markers.simulated and markers.is_marker
    assert (eeg.n_channels, eeg.sfreq_hz, eeg.dtype, eeg.unit, eeg.type) == (3, 250.0, "float32", "microvolts", "EEG")
    assert eeg.channels[1].name == "Oz" and eeg.channels[1].position_m == (0.0, -0.11, 0.0)
    assert (eeg.source_id, markers.source_id) == ("x-eeg", "x-markers")


def test_the_digest_names_the_participant():
    assert quiet().digest == quiet().digest
    assert quiet().digest != quiet(alpha_hz=10.1).digest
    assert quiet().digest != quiet(responses_uv={"stim/face/00": np.ones((3, 100))}).digest
