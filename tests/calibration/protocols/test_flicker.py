import pytest

from calibration.protocols.flicker import frames_per_cycle, lit
from engines.errors import InputError


@pytest.mark.parametrize(("hz", "refresh_hz", "frames"), [(10, 60, 6), (15, 60, 4), (12, 59.94, 5), (9.6, 144, 15)])
def test_a_frequency_of_whole_frames_is_shown(hz, refresh_hz, frames):
    assert frames_per_cycle(hz, refresh_hz) == frames


def test_another_is_refused_with_the_nearest_that_can_be():
    with pytest.raises(InputError, match=r"12 or 15 Hz"):
        frames_per_cycle(13, 60)
    with pytest.raises(InputError, match=r"9\.6 or 10\.286 Hz"):
        frames_per_cycle(10, 144)


def test_a_cycle_is_half_light_and_half_dark():
    assert [lit(k, 6) for k in range(8)] == [True] * 3 + [False] * 3 + [True] * 2
    assert [lit(k, 5) for k in range(5)] == [True] * 3 + [False] * 2
