import numpy as np
import pytest

from pipeline.offsets import MarkerClock, OffsetTrack
from pipeline.types import ClockOffset


def track(*measured):
    made = OffsetTrack()
    for at_s, value_s in measured:
        made.add(ClockOffset("", at_s, value_s))
    return made


def test_before_any_measurement_stamps_stay_as_they_are():
    np.testing.assert_array_equal(OffsetTrack().corrected_s(np.array([1.0, 2.0]), 0), [1.0, 2.0])


def test_the_median_of_the_last_three_counts_from_a_second_after_their_collection():
    measured = track((10.0, 0.1), (15.0, 0.5), (20.0, 0.2), (25.0, 0.3))
    stamps_s = np.array([0.0, 10.999, 15.999, 16.0, 20.999, 21.0, 25.999, 26.0, 1000.0])
    expected = [0.1, 0.1, 0.1, 0.1, 0.1, 0.2, 0.2, 0.3, 0.3]
    np.testing.assert_allclose(measured.corrected_s(stamps_s, 0) - stamps_s, expected, atol=1e-9)


def test_a_measurement_that_is_none_is_left_out():
    measured = track((10.0, 0.1), (15.0, float("nan")), (float("inf"), 0.7))
    np.testing.assert_allclose(measured.corrected_s(np.array([90.0]), 0), [90.1])


def test_measurements_of_a_restarted_clock_form_their_own_epoch():
    measured = track((5000.0, 10.0), (5005.0, 10.0), (3.0, 5010.0), (8.0, 5010.0))
    assert measured.epoch_after(2.0, 0) == 1
    assert measured.epoch_after(5004.0, 1) is None
    np.testing.assert_allclose(measured.corrected_s(np.array([1.0, 9.0]), 1), [5011.0, 5019.0])
    np.testing.assert_allclose(measured.corrected_s(np.array([5009.0]), 0), [5019.0])


def test_a_garbage_measurement_with_its_garbage_collection_time_does_not_end_the_epoch():
    measured = track((100.0, 1.0), (105.0, 1.0), (110.0 - 2e5, 1.0 + 2e5), (115.0, 1.0), (120.0, 1.0))
    np.testing.assert_allclose(measured.corrected_s(np.array([130.0]), 0), [131.0])
    assert measured.confirms(119.0, 0)


def test_markers_are_moved_to_this_machines_clock():
    clock = MarkerClock()
    clock.offset(ClockOffset("m", 10.0, 2.0))
    assert clock.time_of(9.0) == 11.0
    assert clock.time_of(12.5) == 14.5


def test_markers_without_offsets_keep_their_stamps():
    assert MarkerClock().time_of(12.5) == 12.5


def test_markers_follow_a_reset_of_their_clock():
    clock = MarkerClock()
    clock.offset(ClockOffset("m", 5000.0, 10.0))
    assert clock.time_of(5003.0) == 5013.0
    clock.offset(ClockOffset("m", 4.0, 5020.0))
    assert clock.time_of(6.0) == 5026.0
    clock.offset(ClockOffset("m", 9.0, 5020.0))
    assert clock.time_of(11.0) == 5031.0


def test_markers_follow_a_clock_that_was_set_forward():
    clock = MarkerClock()
    clock.offset(ClockOffset("m", 100.0, 0.0))
    assert clock.time_of(104.0) == 104.0
    clock.offset(ClockOffset("m", 805.0, -700.0))
    assert clock.time_of(807.0) == pytest.approx(107.0)


def test_a_marker_sent_ahead_or_late_stays_on_its_clock():
    clock = MarkerClock()
    for at_s in (100.0, 105.0, 110.0):
        clock.offset(ClockOffset("m", at_s, 1.0))
    assert [clock.time_of(s) for s in (112.0, 111.5, 119.0, 113.0)] == [113.0, 112.5, 120.0, 114.0]


def test_a_marker_without_a_stamp_gets_the_time_of_the_one_before():
    clock = MarkerClock()
    assert np.isnan(clock.time_of(0.0))
    assert clock.time_of(3.0) == 3.0
    assert clock.time_of(float("nan")) == 3.0
