import numpy as np
import pytest

from calibration.descriptors import MOVING, N_MOVING, STILL, Described
from calibration.participant import ELECTRODES, Stimulus, make_participant

STIMULI = [Stimulus(c, o) for c in ("face", "house", "car") for o in ("00", "01")]


@pytest.fixture(scope="module")
def person():
    return make_participant(1, STIMULI)


def seen(person, label):
    """A response as recorded, (64, n), and in the average reference."""
    recorded = person.evoked.sources_uv @ person.evoked.responses[label].evoked
    with_reference = np.vstack([recorded, np.zeros(recorded.shape[1])])  # FCz, which it was recorded against
    return with_reference - with_reference.mean(axis=0)


def at(person, label, electrodes, ms):
    rate_hz = person.evoked.responses[label].rate_hz
    return seen(person, label)[[ELECTRODES.index(e) for e in electrodes], round(ms * rate_hz / 1000)].mean()


def test_it_has_64_electrodes_with_positions_on_a_head_of_its_own(person):
    assert len(set(person.names)) == 64 and person.positions_m.shape == (64, 3)
    assert np.all((np.linalg.norm(person.positions_m, axis=1) > 0.06) & (np.abs(person.positions_m) < 0.16).all(axis=1))
    other = make_participant(2, STIMULI[:1])
    assert 0.001 < np.abs(other.positions_m - person.positions_m).max() < 0.03


def test_it_answers_what_the_markers_can_say(person):
    labels = set(person.evoked.responses)
    assert {"cue", "catch", "fixation", "blank", "response"} < labels
    assert {f"{kind}/face/00" for kind in ("stim", "turn", "flicker")} < labels
    assert {label for label in labels if label.startswith("imagine/")} == {
        f"imagine/{c}" for c in ("face", "house", "car")
    }


def test_nothing_is_answered_before_the_cortex_can_know(person):
    for label, response in person.evoked.responses.items():
        # One column less is played; the earliest trial is two spreads of the latency early, bounded.
        earliest_s = (response.first - 1) / response.rate_hz - 2 * response.jitter_s
        assert earliest_s > 0.02, label  # the chunk in which a marker may come


def test_a_response_dies_away(person):
    for label in ("stim/face/00", "turn/face/00", "imagine/face", "response"):
        assert np.abs(seen(person, label)[:, -1]).max() < 0.02, label


def test_categories_differ_in_topography_and_not_in_size_alone(person):
    waves = [seen(person, f"stim/{c}/00")[:, [26, 42, 56, 70, 105]] for c in ("face", "house", "car")]
    alike = [np.corrcoef(a, b)[0, 1] for k in range(3) for a, b in zip(waves[k].T, waves[k - 1].T, strict=True)]
    assert min(alike) < 0.95


def test_people_differ_and_a_seed_names_one(person):
    again, other = make_participant(1, STIMULI), make_participant(2, STIMULI)
    assert again.digest == person.digest != other.digest
    assert np.abs(seen(other, "stim/face/00") - seen(person, "stim/face/00")).max() > 1.0


def test_a_stimulus_is_answered_the_same_whatever_else_may_come(person):
    alone = make_participant(1, [Stimulus("face", "00")])
    for label in ("stim/face/00", "turn/face/00", "flicker/face/00"):
        ours, theirs = person.evoked.responses[label], alone.evoked.responses[label]
        assert np.array_equal(ours.evoked, theirs.evoked) and np.array_equal(ours.rhythm, theirs.rhythm)
    assert np.array_equal(alone.rhythms.background_uv, person.rhythms.background_uv)


def test_the_rate_changes_nothing_of_the_person_but_the_highest_band(person):
    slow = make_participant(1, STIMULI, sfreq_hz=125.0)
    assert np.array_equal(slow.evoked.responses["stim/car/01"].evoked, person.evoked.responses["stim/car/01"].evoked)
    assert (len(slow.rhythms.gamma_hz), len(person.rhythms.gamma_hz)) == (1, 2)
    assert np.array_equal(slow.rhythms.depth, person.rhythms.depth)


def test_only_a_target_evokes_a_p3b():
    def p300(target):
        people = [make_participant(seed, [Stimulus("face", "00", target=target)]) for seed in range(6)]
        return np.array([at(person, "stim/face/00", ("Pz", "CPz"), 400) for person in people])

    gained = p300(True) - p300(False)
    assert (gained > 2.0).all() and 4.0 < gained.mean() < 8.0


def test_a_turn_is_followed_for_six_seconds_with_eyes_and_cortex(person):
    turn = person.evoked.responses["turn/car/00"]
    whole = seen(person, "turn/car/00")[:, 100:600]
    assert turn.held and turn.evoked.shape[1] / turn.rate_hz == pytest.approx(6.5)
    assert 0.3 < np.abs(whole).std(axis=1).max() < 5.0
    assert 0.02 < np.ptp(turn.gaze_deg[0]) < 4.0


def test_imagery_is_late_weak_and_mostly_in_alpha(person):
    imagined, picture = seen(person, "imagine/face"), seen(person, "stim/face/00")
    assert not imagined[:, :49].any()
    assert 0.02 < np.abs(imagined).max() / np.abs(picture).max() < 0.4
    gains = person.evoked.responses["imagine/face"].rhythm
    assert 0.01 < np.abs(gains[:6]).max() < 0.6 and not gains[6:].any()


def test_what_is_no_picture_is_answered_the_same_whatever_it_is_about(person):
    # The player falls back on the first word: no cue, question or key has an answer of its own.
    assert not [
        label
        for label in person.evoked.responses
        if label.split("/")[0] in ("cue", "catch", "response") and "/" in label
    ]


def test_a_key_is_pressed_with_the_right_hand(person):
    press = seen(person, "response")[:, 25]
    assert (
        press[ELECTRODES.index("C3")] < -1.5
        and abs(press[ELECTRODES.index("C4")]) < abs(press[ELECTRODES.index("C3")]) / 2
    )


def test_blinks_are_frontal_and_alpha_is_posterior(person):
    def size(mixing, electrodes):
        columns = np.vstack([mixing.reshape(64, -1), np.zeros((1, mixing.size // 64))])
        average = columns - columns.mean(axis=0)
        return np.sqrt(np.sum(average[[ELECTRODES.index(e) for e in electrodes]] ** 2, axis=1)).mean()

    assert size(person.eyes.blink_uv, ("Fp1", "Fp2")) == pytest.approx(150.0, rel=0.05)
    assert size(person.eyes.blink_uv, ("O1", "O2")) < 45.0
    assert size(person.rhythms.alpha_uv, ("O1", "O2")) > 2 * size(person.rhythms.alpha_uv, ("F3", "F4"))
    assert size(person.contact.muscle_uv, ("T7", "T8")) > 3 * size(person.contact.muscle_uv, ("Cz", "CPz"))


def test_some_participants_have_a_bad_channel_and_say_which():
    people = [make_participant(seed, STIMULI[:1]) for seed in range(8)]
    bad = [p.facts["bad channels"] for p in people]
    assert 0 < sum(b != "none" for b in bad) < 8
    for person, name in zip(people, bad, strict=True):
        if name != "none":
            assert person.contact.sensor_uv[ELECTRODES.index(name)] > 10 * np.median(person.contact.sensor_uv)


def test_stimuli_of_ones_own_are_answered_by_their_looks_or_by_their_names_and_it_says_so():
    mine = [Stimulus("mug", "a"), Stimulus("pot", "a")]
    by_name = make_participant(1, mine)
    assert by_name.facts["stimuli known by name only"] == "2 of 2"
    assert np.abs(seen(by_name, "stim/mug/a") - seen(by_name, "stim/pot/a")).max() > 0.5
    rng = np.random.default_rng(0)
    table = Described.of(
        ("mug/a",), rng.standard_normal((1, len(STILL))), rng.standard_normal((1, N_MOVING, len(MOVING)))
    )
    assert make_participant(1, mine, described=table).facts["stimuli known by name only"] == "1 of 2"
    assert make_participant(1, STIMULI).facts["stimuli known by name only"] == "0 of 6"


def test_the_whole_set_fits_in_memory():
    person = make_participant(1, [Stimulus("face", f"{k:02d}") for k in range(10)])
    parts = [p for r in person.evoked.responses.values() for p in (r.evoked, r.rhythm, r.rhythm_courses, r.gaze_deg)]
    assert 72 * sum({id(part): part.nbytes for part in parts}.values()) < 100e6
