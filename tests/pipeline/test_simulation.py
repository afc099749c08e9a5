import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import butter, hilbert, sosfiltfilt

from pipeline.simulated.participant import Participant
from pipeline.simulation import Player, Shown
from tests.pipeline.simulated.people import N_CONTROLS, SFREQ_HZ, bump, noisy, quiet, response


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


SHOWN = [
    Shown(label, t)
    for label, t in (
        ("stim/face/00", 0.5),
        ("stim/face/00", 1.1003),
        ("turn/face/00", 1.3),
        ("blank", 2.0),
        ("flicker/12/face/00", 2.5),
        ("stim/face/00", 4.1),
    )
]
PICTURES = [s for s in SHOWN if s.label.startswith("stim/")]


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 400), min_size=1, max_size=12))
def test_any_chunking_gives_the_same_bits(pieces):
    pieces = [*pieces, 1500]
    together = played(noisy(), SHOWN, [sum(pieces)])
    assert np.array_equal(played(noisy(), SHOWN, pieces), together)


def test_single_samples_give_the_same_bits():
    assert np.array_equal(played(noisy(), SHOWN, [1] * 900), played(noisy(), SHOWN, [900]))


def test_the_seed_decides_everything():
    once = played(noisy(), SHOWN, [1000])
    assert np.array_equal(once, played(noisy(), SHOWN, [1000]))
    assert not np.array_equal(once, played(noisy(seed=4), SHOWN, [1000]))


def test_two_runs_of_one_participant_share_no_noise():
    calm = noisy(line_uv=np.zeros(3), faults_per_min=0.0, pops_per_min=0.0, blinks_per_min=0.0)
    first, second = (played(calm, [], [5000], run=run)[0] for run in (0, 1))
    assert abs(np.corrcoef(np.diff(first), np.diff(second))[0, 1]) < 0.1


def test_at_snr_zero_what_is_shown_leaves_no_trace():
    assert np.array_equal(played(noisy(), SHOWN, [1500], snr=0.0), played(noisy(), [], [1500], snr=0.0))


def test_a_label_without_a_response_evokes_nothing():
    for label in ("block/start", "stim/unknown/00", "flicker/x/face/00", "reading/bird"):
        assert np.array_equal(played(noisy(), [Shown(label, 1.0)], [1000]), played(noisy(), [], [1000]))


def test_a_label_is_answered_by_its_first_word_when_nothing_fits_better():
    keys = quiet(responses={"response": response(bump())})
    one, other = (played(keys, [Shown(f"response/{key}", 1.0)], [500]) for key in ("space", "y"))
    assert one.any() and np.array_equal(one, other)


def test_a_response_appears_at_its_onset_scaled_by_the_snr():
    got = played(quiet(), [Shown("stim/face/00", 1.0)], [500], snr=2.0)
    expected = np.zeros((3, 500))
    expected[:, 250:350] = 2.0 * bump()
    np.testing.assert_allclose(got, expected, atol=1e-6)


def test_an_onset_between_samples_delays_the_response_by_that_fraction():
    got = played(quiet(), [Shown("stim/face/00", 1.0 + 0.6 / SFREQ_HZ)], [500])
    on_sample = played(quiet(), [Shown("stim/face/00", 1.0)], [500])

    def centre(x: np.ndarray) -> float:
        return float(np.sum(np.arange(500) * x[2]) / np.sum(x[2]))

    assert centre(got) - centre(on_sample) == pytest.approx(0.6, abs=1e-4)


@pytest.mark.parametrize("sfreq_hz", [100.0, 500.0, 1000.0])
def test_another_rate_samples_the_same_response(sfreq_hz):
    got = played(quiet(sfreq_hz=sfreq_hz), [Shown("stim/face/00", 1.0)], [round(2 * sfreq_hz)])
    at_s = np.arange(got.shape[1]) / sfreq_hz - 1.0
    expected = np.interp(at_s, np.arange(100) / SFREQ_HZ, bump()[2], left=0, right=0)
    np.testing.assert_allclose(got[2], expected, atol=1e-5)


def test_trials_of_one_stimulus_differ_in_gain():
    got = played(quiet(gain_sd=0.3), [Shown("stim/face/00", float(t)) for t in range(1, 6)], [2000])
    peaks = [got[2, 250 * t : 250 * t + 100].max() for t in range(1, 6)]
    assert len({round(float(p), 3) for p in peaks}) == 5


def test_answers_weaken_with_time_on_task():
    tired = quiet(time_s=20.0, evoked_fall=0.5)
    got = played(tired, [Shown("stim/face/00", t) for t in (1.0, 100.0)], [250 * 102])
    early, late = got[2, 250:350].max(), got[2, 25000:25100].max()
    assert early == pytest.approx(3.0, rel=0.05) and late == pytest.approx(1.5, rel=0.05)


def test_gaze_follows_at_most_as_far_as_there_is_to_follow():
    gaze = np.vstack([bump()[2], np.zeros(100)])
    looking = quiet(
        responses={"stim/face/00": response(np.zeros((3, 100)), gaze=gaze)},
        gaze_uv=np.array([[10.0, 0.0], [0.0, 5.0], [-10.0, 0.0]]),
    )
    sizes = [np.abs(played(looking, [Shown("stim/face/00", 1.0)], [500], snr=snr)[0]).max() for snr in (0.5, 1.0, 2.0)]
    np.testing.assert_allclose(sizes, [15.0, 30.0, 30.0], rtol=0.01)


def test_a_held_response_ends_when_the_screen_changes():
    steady = np.zeros((3, 1000))
    steady[:, 20:] = 1.0
    turning = quiet(responses={"turn/a": response(steady, held=True), "blank": response(np.zeros((3, 10)))})
    got = played(turning, [Shown("turn/a", 1.0), Shown("blank", 2.0)], [1500])
    assert got[0, 400] == 1.0 and got[0, 500] == 1.0  # it takes the brain a moment
    assert not got[0, 570:].any() and 0 < got[0, 530] < 1
    undisturbed = played(turning, [Shown("turn/a", 1.0), Shown("response/y", 2.0)], [1500])
    assert undisturbed[0, 1200] == 1.0


def test_an_empty_screen_is_noticed_only_after_something_was_on_it():
    person = quiet(responses={"stim/a": response(np.zeros((3, 10))), "blank": response(bump())})
    assert played(person, [Shown("stim/a", 0.5), Shown("blank", 1.0)], [500]).any()
    assert not played(person, [Shown("blank", 1.0)], [500]).any()
    assert not played(person, [Shown("stim/a", 0.1), Shown("fixation", 0.5), Shown("blank", 1.0)], [500]).any()


def test_flicker_is_answered_at_its_frequency_and_the_second_harmonic_until_it_ends():
    person = quiet(responses={"flicker/a": response(np.zeros((3, 100)) + 0.0, flicker=np.array([2.0, 0.0, 1j]))})
    person.evoked.responses["flicker/a"].evoked[1, 10] = 1e-6
    got = played(person, [Shown("flicker/10/a", 1.0), Shown("blank", 6.0)], [250 * 8])
    size = np.abs(np.fft.rfft(got[:, 375:1375])) * 2 / 1000
    np.testing.assert_allclose(size[0, [40, 80]], [2.0, 1.0], rtol=0.01)
    assert np.delete(size[0], [40, 80]).max() < 1e-3 and size[1].max() < 1e-3
    assert not got[:, 250 * 7 :].any()


def test_showing_something_in_the_past_is_refused():
    player = Player(quiet())
    player.next(500)
    with pytest.raises(ValueError, match="already taken"):
        player.show(Shown("stim/face/00", 1.0))


def test_a_negative_snr_is_refused():
    with pytest.raises(ValueError, match="SNR"):
        Player(quiet(), snr=-1.0)


def band(x: np.ndarray, low: float, high: float) -> np.ndarray:
    return hilbert(sosfiltfilt(butter(3, [low, high], "bandpass", fs=SFREQ_HZ, output="sos"), x))


def coupling(x: np.ndarray) -> complex:
    """Mean of gamma's amplitude along theta's phase, relative to its mean: half the depth, towards the preference.

    Gamma's sidebands lie beyond its band; filters and the noise's own envelope cost a fifth of the index.
    """
    amplitude = np.abs(band(x, 20, 60))
    return complex(np.mean(amplitude * np.exp(1j * np.angle(band(x, 3, 9)))) / amplitude.mean())


def test_gamma_follows_theta_with_its_depth_at_its_preferred_phase():
    one = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    got = played(quiet(theta_uv=3 * one, gamma_uv=one), [], [250 * 200]).astype(float)
    assert coupling(got[0]) == pytest.approx(-0.2, abs=0.05)  # a depth of 0.5 at the trough
    assert coupling(got[1]) == pytest.approx(0.2, abs=0.05)  # and at the peak
    flat = played(quiet(theta_uv=3 * one, gamma_uv=one, depth=np.zeros(2)), [], [250 * 200]).astype(float)
    assert abs(coupling(flat[0])) < 0.05


def test_what_is_shown_changes_alpha_and_coupling_while_it_lasts():
    lasting = np.zeros((N_CONTROLS, 250 * 10))
    lasting[0, 10:], lasting[4, 10:] = -0.6, 1.0  # the first alpha source; coupling of the first theta source
    one = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    shown = [Shown("stim/a", t) for t in np.arange(0.0, 200.0, 10.0)]
    changes = {"stim/a": response(np.zeros((3, 250 * 10)), rhythm=lasting)}
    alpha = [
        played(quiet(alpha_uv=one, responses=changes), s, [250 * 200]).astype(float).std(axis=1) for s in ([], shown)
    ]
    assert alpha[1][0] == pytest.approx(0.4 * alpha[0][0], rel=0.02) and alpha[1][1] == alpha[0][1]
    person = quiet(theta_uv=3 * one, gamma_uv=one, responses=changes)
    turned = played(person, shown, [250 * 200]).astype(float)
    assert coupling(turned[0]) == pytest.approx(0.2, abs=0.05)  # -0.5 + 1.0
    assert coupling(turned[1]) == pytest.approx(0.2, abs=0.05)
