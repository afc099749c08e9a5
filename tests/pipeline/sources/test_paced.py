import numpy as np
import pytest

from pipeline.clock import FakeClock
from pipeline.sources.base import SourceEnded
from pipeline.sources.paced import PacedSource
from pipeline.types import ClockOffset, EegChunk, MarkerChunk, SourceEvent, StreamInfo

RATE = 100.0


class Listed:
    """A source that hands over prepared batches."""

    live = False
    info = StreamInfo("amp", "EEG", 1, RATE)
    marker_streams: dict = {}  # noqa: RUF012

    def __init__(self, *batches):
        self.batches = list(batches)
        self.closed = False

    def open(self):
        pass

    def read(self, timeout_s):
        if not self.batches:
            raise SourceEnded
        return self.batches.pop(0)

    def close(self):
        self.closed = True


def eeg(start_s, seconds=1.0):
    n = round(seconds * RATE)
    return EegChunk(np.arange(n)[np.newaxis], start_s + np.arange(n) / RATE)


def released(source, clock, timeout_s=0.5):
    """(clock time, item) of everything."""
    source.open()
    out = []
    try:
        while True:
            out += [(clock.now_s(), item) for item in source.read(timeout_s)]
    except SourceEnded:
        source.close()
    return out


def seconds_taken(out):
    times = [at for at, item in out if isinstance(item, EegChunk)]
    return times[-1] - times[0]


@pytest.mark.parametrize(("speed", "seconds"), [(1.0, 2.98), (4.0, 0.745)])
def test_samples_come_in_small_pieces_at_their_own_pace_times_the_speed(speed, seconds):
    clock = FakeClock(50.0)
    out = released(PacedSource(Listed([eeg(7.0)], [eeg(8.0)], [eeg(9.0)]), clock, speed), clock)
    chunks = [item for _, item in out]
    np.testing.assert_allclose(np.hstack([c.stamps_s for c in chunks]), 7.0 + np.arange(300) / RATE, rtol=1e-12)
    assert max(len(c.stamps_s) for c in chunks) == 2
    assert seconds_taken(out) == pytest.approx(seconds)


def test_a_marker_comes_at_its_own_time_among_the_samples():
    clock = FakeClock()
    out = released(PacedSource(Listed([MarkerChunk("2", ("go",), (1.5,)), eeg(1.0)]), clock), clock)
    at = next(when for when, item in out if isinstance(item, MarkerChunk))
    before = next(when for when, item in out if isinstance(item, EegChunk) and item.stamps_s[-1] >= 1.5)
    assert at == pytest.approx(0.49)
    assert at <= before


def test_clock_offsets_bring_the_streams_together():
    clock = FakeClock()
    offsets = [ClockOffset("", 1.0, 100.0), ClockOffset("2", 51.0, 50.0)]
    out = released(PacedSource(Listed(offsets, [MarkerChunk("2", ("go",), (51.5,)), eeg(1.0)]), clock), clock)
    assert next(when for when, item in out if isinstance(item, MarkerChunk)) == pytest.approx(0.49)


def test_a_pause_in_the_recording_is_a_pause():
    clock = FakeClock()
    assert seconds_taken(released(PacedSource(Listed([eeg(0.0)], [eeg(10.0)]), clock), clock)) == pytest.approx(10.98)


@pytest.mark.parametrize("jump_s", [-600_000.0, 600_000.0])
def test_a_clock_reset_takes_no_time(jump_s):
    clock = FakeClock()
    out = released(PacedSource(Listed([eeg(0.0)], [eeg(jump_s)]), clock), clock)
    assert seconds_taken(out) == pytest.approx(1.96, abs=0.021)


def test_a_jitter_backwards_never_adds_up():
    clock = FakeClock()
    out = released(PacedSource(Listed(*([eeg(k - 0.05)] for k in range(30))), clock), clock)
    assert seconds_taken(out) == pytest.approx(29.98)


@pytest.mark.parametrize("stamp_s", [-1e9, 1e9])
def test_a_marker_far_off_the_samples_delays_nothing(stamp_s):
    clock = FakeClock()
    out = released(PacedSource(Listed([MarkerChunk("2", ("x",), (stamp_s,)), eeg(0.0)], [eeg(1.0)]), clock), clock)
    assert seconds_taken(out) == pytest.approx(1.98)


def test_nothing_is_lost_reordered_within_a_stream_or_held_back_at_the_end():
    clock = FakeClock()
    markers = [MarkerChunk("2", (str(k),), (s,)) for k, s in enumerate((0.3, 0.1, 0.6))]
    last = [MarkerChunk("2", ("late",), (99.0,)), SourceEvent("damaged_file", "x")]
    out = [item for _, item in released(PacedSource(Listed([*markers, eeg(0.0)], last), clock), clock)]
    assert [m.labels[0] for m in out if isinstance(m, MarkerChunk)] == ["0", "1", "2", "late"]
    assert out[-2:] == last


def test_a_read_never_waits_longer_than_asked():
    clock = FakeClock()
    source = PacedSource(Listed([eeg(0.0)], [eeg(30.0)]), clock)
    source.open()
    while clock.now_s() < 5.0:
        before = clock.now_s()
        source.read(0.25)
        assert clock.now_s() - before <= 0.25 + 1e-9


def test_closing_closes_the_wrapped_source():
    inner = Listed()
    PacedSource(inner, FakeClock()).close()
    assert inner.closed
