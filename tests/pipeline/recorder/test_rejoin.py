"""After a sender came back, without a network: what the session takes, and when."""

from pipeline.clock import FakeClock
from pipeline.recorder.rejoin import PATIENCE_S, Rejoin
from pipeline.types import EegChunk, Item, MarkerChunk, SourceEvent
from tests.scripted import chunk

BACK = SourceEvent("recovered", "the sender is back")


class Bench:
    """A rejoin with a recorder that is told what to say."""

    def __init__(self) -> None:
        self.recorded_from_s, self.recording, self.clock = 0.05, True, FakeClock()
        self.rejoin = Rejoin(self.clock, lambda: self.recorded_from_s, lambda: self.recording)
        self.numbers(chunk(10, 20))

    def numbers(self, *items: Item) -> list[float]:
        """The samples that pass, by their numbers."""
        return [n for i in self.rejoin.take(items) if isinstance(i, EegChunk) for n in i.data[0]]


def test_samples_pass_as_long_as_nobody_came_back() -> None:
    bench = Bench()
    assert bench.numbers(chunk(30, 10)) == [*range(30, 40)]
    assert bench.numbers(chunk(300, 10)) == [*range(300, 310)]  # a gap: both inlets lack the same samples


def test_a_returned_sender_is_taken_from_the_recorders_first_sample_on() -> None:
    bench = Bench()
    assert bench.numbers(BACK, chunk(300, 10)) == []
    bench.recorded_from_s = float(chunk(305, 1).stamps_s[0])
    assert bench.numbers(chunk(310, 10)) == [*range(305, 320)]
    assert bench.numbers(chunk(320, 10)) == [*range(320, 330)]


def test_nothing_is_left_out_when_the_recorder_was_earlier() -> None:
    bench = Bench()
    bench.recorded_from_s = 2.9
    assert bench.numbers(BACK, chunk(300, 10)) == [*range(300, 310)]


def test_a_recorder_that_is_later_than_all_that_is_held_is_waited_for() -> None:
    bench = Bench()
    assert bench.numbers(BACK, chunk(300, 10)) == []
    bench.recorded_from_s = float(chunk(325, 1).stamps_s[0])
    assert bench.numbers(chunk(310, 10)) == []
    assert bench.numbers(chunk(320, 10)) == [*range(325, 330)]


def test_a_frozen_sender_that_thaws_is_taken_at_once() -> None:
    assert Bench().numbers(BACK, chunk(30, 10)) == [*range(30, 40)]


def test_markers_never_wait() -> None:
    bench = Bench()
    marker = MarkerChunk("m", ("a",), (1.0,))
    assert marker in bench.rejoin.take([BACK, chunk(300, 10), marker])


def test_without_a_recording_nothing_waits() -> None:
    bench = Bench()
    bench.recording = False
    assert bench.numbers(BACK, chunk(300, 10)) == [*range(300, 310)]


def test_a_recorder_that_receives_nothing_is_told_and_no_longer_waited_for() -> None:
    bench = Bench()
    assert bench.numbers(BACK, chunk(300, 10)) == []
    bench.clock.advance(PATIENCE_S)
    items = bench.rejoin.take([chunk(310, 10)])
    assert [i.kind for i in items if isinstance(i, SourceEvent)] == ["not_recorded"]
    assert [n for i in items if isinstance(i, EegChunk) for n in i.data[0]] == [*range(300, 320)]
    assert bench.numbers(chunk(320, 1)) == [320]
