import numpy as np
import pytest

from calibration.brain import cited
from calibration.brain.head import ELECTRODES, Head
from calibration.brain.responses import N_ALPHA, N_CONTROLS, N_THETA, Responses, prototype
from calibration.brain.tuning import Tuning, looks
from calibration.brain.waves import Waves, edges, sources_uv
from calibration.descriptors import Described


def by_name():
    """A table of stimuli that are only names."""
    found = [looks(f"name/{k:02d}", None) for k in range(200)]
    return Described.of((), np.array([f.still for f in found]), np.array([f.moving for f in found]))


A, B = looks("face/00", None), looks("house/00", None)


@pytest.fixture(scope="module")
def head():
    return Head(np.random.default_rng(0))


@pytest.fixture(scope="module")
def answers(head):
    tuning = Tuning(np.random.default_rng(1), by_name())
    return Responses(head, tuning, np.random.default_rng(2), np.full(N_THETA, 0.4), np.full(N_THETA, np.pi))


@pytest.mark.parametrize("wave", [*cited.PICTURE, *cited.MOTION_ONSET, *cited.TARGET, *cited.PRESS])
def test_the_mean_answer_peaks_when_where_and_as_high_as_cited(head, wave):
    tuning = Tuning(np.random.default_rng(1), by_name())
    peaks, latencies_ms = [], []
    for seed in range(40):
        courses = Waves(head, [wave], tuning, np.random.default_rng(seed), 1000.0).courses(None)
        seen = (sources_uv(head) @ courses)[[ELECTRODES.index(e) for e in wave.electrodes]].mean(axis=0)
        at = int(np.argmax(np.abs(seen)))
        peaks.append(seen[at])
        latencies_ms.append(at)
    assert np.mean(peaks) == pytest.approx(wave.peak_uv, rel=0.15)
    assert np.mean(latencies_ms) == pytest.approx(1000 * wave.latency_s, abs=5)


def test_over_a_set_answers_differ_but_their_mean_is_the_mean_answer(head):
    table = by_name()
    waves = Waves(head, cited.PICTURE[1:2], Tuning(np.random.default_rng(1), table), np.random.default_rng(3), 250.0)
    sizes = np.array([waves.sizes(z) for z in table.still])
    mean = np.abs(waves.courses(None)).max(axis=1)
    used = mean > 0
    np.testing.assert_allclose(np.abs(sizes.mean(axis=0))[used], mean[used], rtol=0.05)
    assert (sizes.std(axis=0)[used] > 0.5 * mean[used]).all()


def test_pictures_change_alpha_and_the_coupling_each_in_its_own_way(answers):
    one, other = answers.picture(A, False).rhythm, answers.picture(B, False).rhythm
    assert one.shape == (N_CONTROLS, 2)
    assert (one[:N_ALPHA, 0] < 0).all() and not one[:N_ALPHA, 1].any() and not one[N_ALPHA:, 0].any()
    assert np.abs(one[N_ALPHA + N_THETA :, 1] - other[N_ALPHA + N_THETA :, 1]).max() > 0.02


def test_coupling_never_exceeds_what_can_be(answers):
    for look in (looks(f"x/{k:02d}", None) for k in range(50)):
        changed = answers.picture(look, False).rhythm[N_ALPHA + N_THETA :, 1].reshape(2, N_THETA)
        depth = np.hypot(0.4 * np.cos(np.pi) + changed[0], changed[1])
        assert depth.max() < 0.951


def test_a_turn_follows_what_moves(answers):
    same_start = [answers.turn(look).evoked for look in (A, B)]
    assert np.abs(same_start[0][:, 100:600] - same_start[1][:, 100:600]).max() > 0.1
    assert not same_start[0][:, :4].any()


def test_one_imagines_the_mean_of_what_one_knows(answers):
    members = [looks(f"face/{k:02d}", None) for k in range(10)]
    mean = prototype(members)
    np.testing.assert_allclose(mean.still, np.mean([m.still for m in members], axis=0))
    assert not answers.imagined(mean).evoked[:2].any()  # V1 stays out of it
    assert np.abs(answers.imagined(mean).evoked).max() > 0


def test_courses_begin_after_what_the_cortex_needs_and_end_at_nothing():
    window = edges(225, 250.0)
    assert not window[:11].any() and window[30] == 1.0 and window[-1] == pytest.approx(0.0, abs=1e-12)
