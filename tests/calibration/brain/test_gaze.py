import numpy as np

from calibration.brain.cited import ATTRACTED, CATCH_UP_DEG, PICTURE_DEG, PURSUIT_LAG_S
from calibration.brain.gaze import followed

RATE_HZ = 100.0


def sweep(size):
    """An object whose centre swings once across the picture in six seconds."""
    across = size * np.sin(2 * np.pi * np.arange(60) / 60)
    return np.stack([across, np.zeros(60)], axis=1)


def test_what_stays_where_it_is_is_not_followed():
    still = np.tile([0.1, -0.2], (60, 1))
    assert not followed(still, 650, RATE_HZ).any()


def test_the_eyes_follow_later_and_within_the_error_that_a_saccade_makes_up_for():
    gaze = followed(sweep(0.2), 600, RATE_HZ)
    times_s = np.arange(600) / RATE_HZ
    wanted = (
        PICTURE_DEG * ATTRACTED * 0.2 * np.sin(2 * np.pi * (times_s - PURSUIT_LAG_S) / 6) * (times_s > PURSUIT_LAG_S)
    )
    assert np.abs(gaze[0] - wanted).max() < CATCH_UP_DEG + 0.1
    assert not gaze[1].any() and not gaze[0, : round(PURSUIT_LAG_S * RATE_HZ)].any()


def test_far_movements_take_saccades_and_small_ones_do_not():
    def largest_step(size):
        return np.abs(np.diff(followed(sweep(size), 600, RATE_HZ)[0])).max()

    assert largest_step(0.02) < 0.01 and largest_step(1.2) > 0.3
