import numpy as np
import pytest
from scipy import signal

from app.panels.sweep import DisplayFilter, Sweep

NO_FILTER = np.empty((0, 6))


def made(
    n_columns: int = 100, span_s: float = 2.0, sfreq_hz: float = 1000.0, sections: np.ndarray = NO_FILTER
) -> Sweep:
    return Sweep(2, sfreq_hz, span_s, n_columns, sections)


def noise(n: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((2, n))


def test_each_column_holds_the_minimum_and_maximum_of_its_samples() -> None:
    sweep, data = made(), noise(1000)
    sweep.push(data, np.arange(1000) / 1000)
    trace = sweep.trace()
    blocks = data.reshape(2, 50, 20)
    np.testing.assert_array_equal(trace.y[:, 0::2], blocks.min(axis=2))
    np.testing.assert_array_equal(trace.y[:, 1::2], blocks.max(axis=2))
    np.testing.assert_allclose(trace.x_s[::2], np.arange(50) * 0.02)


@pytest.mark.parametrize("pieces", [1, 7, 33, 250])
def test_the_picture_does_not_depend_on_how_the_samples_come(pieces: int) -> None:
    data, times_s = noise(3001), np.arange(3001) / 1000
    sections = DisplayFilter(1.0, 40.0, 50.0).sections(1000.0)
    whole, cut = made(sections=sections), made(sections=sections)
    whole.push(data, times_s, [500])
    for start in range(0, 3001, pieces):
        inside = [500 - start] if start <= 500 < start + pieces else []
        cut.push(data[:, start : start + pieces], times_s[start : start + pieces], inside)
    one, other = whole.trace(), cut.trace()
    np.testing.assert_array_equal(one.y, other.y)
    np.testing.assert_array_equal(one.x_s, other.x_s)
    np.testing.assert_array_equal(one.connect, other.connect)


def test_slow_streams_are_drawn_sample_by_sample() -> None:
    sweep, data = made(n_columns=1000, sfreq_hz=100.0), noise(150)
    sweep.push(data, np.arange(150) / 100)
    np.testing.assert_array_equal(sweep.trace().y, data)


def test_the_sweep_wraps_and_leaves_a_blank_ahead_of_the_newest_sample() -> None:
    sweep = made()
    sweep.push(noise(3000), np.arange(3000) / 1000)
    trace = sweep.trace()
    assert sweep.position_s(sweep.newest_s) == pytest.approx(0.999)
    assert np.all(np.diff(trace.x_s) >= 0)
    gap = np.diff(trace.x_s).max()
    assert 0.02 <= gap <= 0.08
    broken = np.flatnonzero(~trace.connect)
    assert broken.size == 2  # at the newest sample, and at the end
    assert trace.x_s[broken[0]] == pytest.approx(0.98)


def test_a_gap_breaks_the_line_and_starts_the_filter_again() -> None:
    sections = DisplayFilter(1.0).sections(1000.0)
    sweep, data = made(n_columns=5000, sections=sections), noise(600) + 500.0
    times_s = np.concatenate((np.arange(300), np.arange(300) + 500)) / 1000
    sweep.push(data, times_s, [300])
    trace = sweep.trace()
    assert not trace.connect[299]
    start = signal.sosfilt_zi(sections)[:, None, :] * data[None, :, 300:301]
    expected, _ = signal.sosfilt(sections, data[:, 300:], axis=1, zi=start)
    np.testing.assert_allclose(trace.y[:, 300:], expected)


def test_samples_without_a_value_do_not_stay_in_the_filter() -> None:
    sweep, data = made(sections=DisplayFilter(1.0).sections(1000.0)), noise(1000)
    data[0, 100:120] = np.nan
    sweep.push(data, np.arange(1000) / 1000)
    assert np.isfinite(sweep.trace().y).all()


def test_a_moment_that_was_swept_over_has_no_place() -> None:
    sweep = made()
    sweep.push(noise(5000), np.arange(5000) / 1000)
    assert sweep.position_s(1.0) is None
    assert sweep.position_s(4.5) == pytest.approx(0.5)
    assert sweep.position_s(6.0) is None


def test_filters_beyond_the_rate_of_the_stream_are_left_out() -> None:
    assert len(DisplayFilter(1.0, 40.0, 50.0).sections(60.0)) == len(DisplayFilter(1.0).sections(60.0))
