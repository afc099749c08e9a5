import numpy as np

from pipeline.simulated.ongoing import BLOCK, Ongoing
from tests.pipeline.simulated.people import SFREQ_HZ, quiet


def made(participant, seconds):
    ongoing = Ongoing(participant, 0)
    return np.hstack([ongoing.next_block().out for _ in range(round(seconds * SFREQ_HZ / BLOCK))])


def starts(x, threshold):
    return np.flatnonzero((x[1:] > threshold) & (x[:-1] <= threshold))


def test_blinks_come_at_their_rate_with_their_topography():
    got = made(quiet(blink_uv=np.array([100.0, 50.0, 0.0]), blinks_per_min=17.0), 300)
    assert 50 < len(starts(got[0], 10)) < 120
    np.testing.assert_allclose(got[1], got[0] / 2, atol=1e-4)
    assert not got[2].any()


def test_blinks_come_more_often_with_time_on_task():
    tired = quiet(blink_uv=np.ones(3) * 100, blinks_per_min=20.0, blink_rise=1.0, time_s=100.0)
    got = made(tired, 900)[0]
    assert 1.5 < len(starts(got[-250 * 600 :], 10)) / 10 / 20 < 2.5


def test_fixational_saccades_step_and_drift_back_with_a_spike_at_their_start():
    looking = quiet(gaze_uv=np.array([[10.0, 0.0], [0.0, 10.0], [0.0, 0.0]]), saccades_per_s=1.2, saccade_deg=0.3)
    got = made(looking, 300)
    jumps = np.abs(np.diff(got[0])) > 0.12
    assert 0.5 * 360 < len(starts(jumps.astype(float), 0.5)) < 1.2 * 360
    assert got[0].std() > got[1].std()  # mostly horizontal
    assert 1.0 < np.percentile(np.abs(got[0]), 90) < 8.0  # 0.3 degrees at 10 uV each
    spiky = made(quiet(spike_uv=np.array([4.0, 0.0, 0.0]), saccades_per_s=1.2), 60)
    assert 1.0 < np.abs(spiky[0]).max() < 8.0 and np.mean(spiky[0] != 0) < 0.05


def test_an_electrode_goes_bad_for_a_while_and_recovers():
    got = made(quiet(faults_per_min=1.0), 1200)
    loud = np.abs(got) > 1.0
    bad_share = loud.mean(axis=1)
    assert (bad_share > 0).all() and (bad_share < 0.5).all()
    lasting = np.convolve(loud.any(axis=0), np.ones(250), "same") > 0
    ends = np.flatnonzero(np.diff(lasting.astype(int)))
    assert 10 < len(ends) / 2 < 30
    assert np.abs(got[loud]).max() > 50


def test_a_lead_pops_and_settles_within_seconds():
    got = made(quiet(pops_per_min=2.0), 600)
    jumps = [starts(np.abs(np.diff(row)), 60) for row in got]
    assert 8 < sum(len(j) for j in jumps) < 35
    channel = int(np.argmax([len(j) for j in jumps]))
    lonely = [j for j in jumps[channel] if not any(abs(j - k) < 2000 for k in jumps[channel] if k != j)]
    assert abs(got[channel, lonely[0] + 1900]) < 0.15 * np.abs(got[channel, lonely[0] : lonely[0] + 5]).max()
