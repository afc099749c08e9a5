import numpy as np
import pytest

from app.stimulus.flips import FlipLog, measured, next_flip_s


def flips(hz, n=60, jitter_s=0.0, seed=0):
    return np.arange(n) / hz + jitter_s * np.random.default_rng(seed).standard_normal(n)


def test_steady_flips_at_the_declared_rate_are_synchronised():
    refresh = measured(flips(59.94, jitter_s=0.0002), 60.0)
    assert refresh.synced and refresh.hz == pytest.approx(59.94, rel=0.01)


@pytest.mark.parametrize("hz", [120.0, 30.0])
def test_a_screen_may_run_at_twice_or_half_of_what_is_declared(hz):
    assert measured(flips(hz), 60.0).synced


@pytest.mark.parametrize(("hz", "jitter_s"), [(900.0, 0.0), (113.0, 0.0), (60.0, 0.006), (43.0, 0.0)])
def test_flips_that_do_not_wait_for_the_screen_are_not(hz, jitter_s):
    refresh = measured(flips(hz, jitter_s=jitter_s), 60.0)
    assert not refresh.synced and refresh.hz == 60.0


def test_the_next_flip_is_whole_frames_after_the_last():
    assert next_flip_s(1.0, 1.001, 0.01) == pytest.approx(1.01)
    assert next_flip_s(1.0, 1.0, 0.01) == pytest.approx(1.01)
    assert next_flip_s(1.0, 1.0345, 0.01) == pytest.approx(1.04)


def test_late_flips_are_counted_with_what_was_missed():
    log = FlipLog(1 / 60)
    late = [log.add(k / 60) for k in [0, 1, 2, 4, 5, 9, 10]]
    assert late == [False, False, False, True, False, True, False]
    assert (log.n, log.n_late, log.n_missed) == (6, 2, 4)
    summary = log.summary()
    assert summary["interval_p50_ms"] == pytest.approx(16.7) and summary["interval_max_ms"] == pytest.approx(4000 / 60)


def test_percentiles_agree_with_numpy():
    intervals_s = np.random.default_rng(1).uniform(0.015, 0.018, 5000)
    log = FlipLog(1 / 60)
    for at_s in np.cumsum(intervals_s):
        log.add(at_s)
    assert log.percentile_ms(0.99) == pytest.approx(np.percentile(intervals_s[1:] * 1000, 99), abs=0.11)
