from collections.abc import Sequence

import numpy as np
import pytest

from pipeline.lived import AsLived, LivedLog, LivedWriter, stream_key
from pipeline.sources.base import SourceEnded
from pipeline.types import ClockOffset, EegChunk, Item, MarkerChunk, StreamInfo
from tests.scripted import EEG, MARKERS, ScriptedSource, chunk


def log_of(items: Sequence[Item]) -> LivedLog:
    writer = LivedWriter({"m": MARKERS})
    lines = [line for item in items for line in writer.lines(item)] + writer.last_lines()
    log = LivedLog.parse(lines)
    assert log is not None
    return log


def replayed(items: Sequence[Item], log: LivedLog) -> list[Item]:
    source = AsLived(ScriptedSource(EEG, items, {"m": MARKERS}), log)
    source.open()
    got: list[Item] = []
    with pytest.raises(SourceEnded):
        while True:
            got += source.read(0.0)
    return got


def numbers(items: Sequence[Item]) -> list[float]:
    return [v for i in items if isinstance(i, EegChunk) for v in i.data[0]]


def test_a_replay_begins_with_the_first_sample_the_live_session_received() -> None:
    lived = [chunk(30, 20), chunk(50, 20)]
    recorded = [chunk(0, 33), chunk(33, 40)]
    assert numbers(replayed(recorded, log_of(lived))) == list(range(30, 70))


def test_samples_that_only_the_recorder_received_after_a_reconnection_are_left_out() -> None:
    lived = [chunk(0, 50), chunk(130, 50)]
    recorded = [chunk(0, 50), chunk(120, 60)]
    assert numbers(replayed(recorded, log_of(lived))) == [*range(50), *range(130, 180)]


def test_the_live_clock_offsets_replace_the_recorders() -> None:
    lived = [ClockOffset("", 1.0, 0.5), ClockOffset("m", 1.0, 0.25), chunk(0, 10)]
    recorded = [ClockOffset("", 1.1, 0.6), ClockOffset("m", 1.1, 0.7), chunk(0, 10)]
    offsets = [i for i in replayed(recorded, log_of(lived)) if isinstance(i, ClockOffset)]
    assert offsets == lived[:2]


def test_markers_before_the_first_one_the_live_session_saw_are_left_out() -> None:
    lived = [chunk(0, 10), MarkerChunk("m", ("b",), (5.0,))]
    recorded = [MarkerChunk("m", ("a", "b"), (4.0, 5.0)), chunk(0, 10), MarkerChunk("m", ("c",), (6.0,))]
    labels = [i.labels for i in replayed(recorded, log_of(lived)) if isinstance(i, MarkerChunk)]
    assert labels == [("b",), ("c",)]


def test_a_session_that_was_killed_left_its_last_run_open() -> None:
    writer = LivedWriter({})
    log = LivedLog.parse(writer.lines(chunk(10, 5)))
    assert log is not None
    assert numbers(replayed([chunk(0, 100)], log)) == list(range(10, 100))


def test_lines_of_other_kinds_and_damaged_lines_are_passed_over() -> None:
    assert LivedLog.parse(["{", "[1]", '{"kind": "annotation", "text": "x"}']) is None


def test_a_stream_is_known_by_name_and_source() -> None:
    assert stream_key(StreamInfo("a", "EEG", 1, 100.0, source_id="s", stream_id="7")) == "a|s"


def test_equal_stamps_of_bursty_senders_end_a_run_with_their_last_sample() -> None:
    stamps = np.repeat([1.0, 2.0, 3.0], 4)
    bursty = EegChunk(np.arange(12.0)[None].repeat(2, axis=0), stamps)
    assert numbers(replayed([bursty], log_of([bursty]))) == list(range(12))
