import pytest

from pipeline.clock import FakeClock
from pipeline.watchdog import StreamState, StreamWatch


def watch(marker=False, interval_s=0.02, until_s=2.0):
    """A stream that has sent chunks every `interval_s` up to `until_s`, and the changes so far."""
    watched = StreamWatch(FakeClock(0.0), "EEG", marker)
    for i in range(1, round(until_s / interval_s) + 1):
        watched.saw(10, i * interval_s)
    return watched, watched.poll(until_s)


def states(changes):
    return [change.state for change in changes]


def test_a_stream_is_waited_for_and_then_connected():
    watched = StreamWatch(FakeClock(5.0), "EEG")
    assert watched.poll(6.0) == []
    assert watched.state is StreamState.WAITING
    watched.saw(10, 6.5)
    (change,) = watched.poll(6.6)
    assert (change.name, change.state, change.at_s, change.silent_s) == ("EEG", StreamState.CONNECTED, 6.5, 1.5)
    assert change.text == "EEG is connected."


def test_a_stream_that_never_sends_is_lost_after_three_seconds():
    watched = StreamWatch(FakeClock(5.0), "EEG")
    assert states(watched.poll(8.1)) == [StreamState.LOST]


def test_regular_arrivals_change_nothing():
    watched, changes = watch()
    assert states(changes) == [StreamState.CONNECTED]
    assert watched.poll(2.4) == []


def test_silence_stalls_then_loses_and_the_first_samples_recover():
    watched, _ = watch()
    assert states(watched.poll(2.6)) == [StreamState.STALLED]
    assert watched.poll(3.0) == [], "said once"
    (lost,) = watched.poll(5.1)
    assert lost.state is StreamState.LOST
    assert lost.silent_s == pytest.approx(3.1)
    watched.saw(10, 7.0)
    (back,) = watched.poll(7.0)
    assert back.state is StreamState.RECOVERED
    assert back.text == "EEG is back after 5.0 s of silence."
    watched.saw(10, 7.02)
    assert watched.poll(7.03) == []
    assert watched.state is StreamState.CONNECTED


def test_a_silence_nobody_polled_during_is_told_afterwards():
    watched, _ = watch()
    watched.saw(10, 2.7)
    assert states(watched.poll(2.7)) == [StreamState.STALLED, StreamState.RECOVERED]


def test_slow_chunks_are_given_their_own_time():
    watched, _ = watch(interval_s=1.0, until_s=30.0)
    assert watched.poll(34.5) == []
    assert states(watched.poll(35.5)) == [StreamState.STALLED]
    assert watched.poll(49.0) == []
    assert states(watched.poll(50.5)) == [StreamState.LOST]


def test_one_long_silence_does_not_lengthen_the_next():
    watched, _ = watch()
    watched.poll(60.0)
    watched.saw(10, 60.0)
    watched.saw(10, 60.02)
    watched.poll(60.02)
    assert states(watched.poll(60.6)) == [StreamState.STALLED]


def test_a_marker_stream_may_be_silent_but_not_without_its_sender():
    watched, _ = watch(marker=True)
    assert watched.poll(3600.0) == []
    watched.gone(3700.0)
    watched.gone(3701.0)
    (lost,) = watched.poll(3701.0)
    assert lost.state is StreamState.LOST
    assert "its sender is gone" in lost.text
    watched.returned(3710.0)
    assert states(watched.poll(3710.0)) == [StreamState.RECOVERED]
    assert watched.poll(9000.0) == []


def test_a_changed_stream_says_how_and_stays_changed():
    watched, _ = watch()
    watched.changed(2.1, "500 Hz instead of 250 Hz")
    (change,) = watched.poll(2.2)
    assert change.state is StreamState.CHANGED
    assert "500 Hz instead of 250 Hz" in change.text
    watched.saw(10, 2.3)
    assert watched.poll(60.0) == []
    assert watched.state is StreamState.CHANGED


def test_empty_chunks_are_no_sign_of_life():
    watched, _ = watch()
    watched.saw(0, 2.55)
    assert states(watched.poll(2.6)) == [StreamState.STALLED]


def test_changes_are_frozen():
    _, (change,) = watch()
    with pytest.raises(AttributeError):
        change.at_s = 0.0
