import numpy as np
import pytest

from calibration.participant import ELECTRODES, Stimulus, make_participant

STIMULI = [Stimulus(c, o) for c in ("face", "house", "car") for o in ("00", "01")]


@pytest.fixture(scope="module")
def person():
    return make_participant(1, STIMULI)


def average_reference(response_uv):
    with_reference = np.vstack([response_uv, np.zeros(response_uv.shape[1])])  # FCz, which it was recorded against
    return response_uv - with_reference.mean(axis=0)


def at(response_uv, electrodes, ms):
    rows = [ELECTRODES.index(e) for e in electrodes]
    return average_reference(response_uv)[rows, round(ms / 4)].mean()


def mean_response(people):
    return np.mean([r for p in people for r in p.responses_uv.values()], axis=0)


def test_it_has_64_electrodes_with_positions_on_a_head(person):
    assert len(set(person.names)) == 64 and person.positions_m.shape == (64, 3)
    assert np.all((np.linalg.norm(person.positions_m, axis=1) > 0.07) & (np.abs(person.positions_m) < 0.16).all(axis=1))


def test_the_mean_response_has_a_positive_p1_then_a_negative_n170():
    everybody = mean_response([make_participant(seed, STIMULI) for seed in range(8)])
    assert 3.0 < at(everybody, ("O1", "O2", "PO7", "PO8"), 104) < 10.0
    assert -12.0 < at(everybody, ("P7", "P8", "PO7", "PO8"), 168) < -2.0


def test_nothing_is_answered_before_the_cortex_can_know(person):
    for response in person.responses_uv.values():
        assert not response[:, :10].any()
        assert np.abs(response[:, -1]).max() < 1e-3  # and it has died away
        assert response.shape == (64, 225)


def test_categories_differ_more_than_objects_of_one_category(person):
    face, other_face = person.responses_uv["stim/face/00"], person.responses_uv["stim/face/01"]
    house = person.responses_uv["stim/house/00"]
    assert 0 < np.linalg.norm(face - other_face) < np.linalg.norm(face - house)


def test_categories_differ_in_topography_and_not_in_size_alone(person):
    face, house = (person.responses_uv[f"stim/{c}/00"][:, 42] for c in ("face", "house"))
    assert np.corrcoef(face, house)[0, 1] < 0.99


def test_people_differ_and_a_seed_names_one(person):
    again, other = make_participant(1, STIMULI), make_participant(2, STIMULI)
    assert again.digest == person.digest != other.digest
    assert not np.allclose(other.responses_uv["stim/face/00"], person.responses_uv["stim/face/00"], atol=0.5)


def test_a_stimulus_is_answered_the_same_whatever_else_may_come(person):
    alone = make_participant(1, [Stimulus("face", "00")])
    assert np.array_equal(alone.responses_uv["stim/face/00"], person.responses_uv["stim/face/00"])
    assert np.array_equal(alone.background_uv, person.background_uv)


def test_another_rate_samples_the_same_response(person):
    fast = make_participant(1, STIMULI, sfreq_hz=500.0)
    np.testing.assert_allclose(fast.responses_uv["stim/car/01"][:, ::2], person.responses_uv["stim/car/01"], atol=1e-9)


def test_only_a_target_evokes_a_p3b():
    person = make_participant(1, [Stimulus("a", "00", target=True), Stimulus("a", "01")])
    other = make_participant(1, [Stimulus("a", "00")])
    gained = person.responses_uv["stim/a/00"] - other.responses_uv["stim/a/00"]
    assert 3.0 < at(gained, ("Pz", "CPz"), 400) < 12.0


def test_blinks_are_frontal_and_alpha_is_posterior(person):
    def size(mixing, electrodes):
        seen = average_reference(mixing.reshape(64, -1))
        return np.sqrt(np.sum(seen[[ELECTRODES.index(e) for e in electrodes]] ** 2, axis=1)).mean()

    assert size(person.blink_uv, ("Fp1", "Fp2")) == pytest.approx(150.0, rel=0.05)
    assert size(person.blink_uv, ("O1", "O2")) < 30.0
    assert size(person.alpha_uv, ("O1", "O2")) > 2 * size(person.alpha_uv, ("F3", "F4"))


def test_some_participants_have_a_bad_channel_and_say_which():
    people = [make_participant(seed, STIMULI[:1]) for seed in range(8)]
    bad = [p.facts["bad channels"] for p in people]
    assert 0 < sum(b != "none" for b in bad) < 8
    for person, name in zip(people, bad, strict=True):
        if name != "none":
            assert person.sensor_uv[ELECTRODES.index(name)] > 10 * np.median(person.sensor_uv)
