from collections.abc import Sequence

import numpy as np
import pytest

from pipeline.lived import AsLived, LivedLog, LivedWriter, stream_key
from pipeline.sources.base import SourceEnded
from pipeline.types import ClockOffset, EegChunk, Item, MarkerChunk, SourceEvent, StreamInfo
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
    lived = [chunk(10, 50), chunk(130, 50)]
    recorded = [chunk(10, 50), chunk(120, 60)]
    assert numbers(replayed(recorded, log_of(lived))) == [*range(10, 60), *range(130, 180)]


def test_a_reconnection_inside_a_chunk_is_noticed() -> None:
    joined = EegChunk(np.hstack([chunk(10, 50).data, chunk(130, 50).data]), np.r_[10:60, 130:180] / 100)
    assert numbers(replayed([chunk(10, 50), chunk(120, 60)], log_of([joined]))) == [*range(10, 60), *range(130, 180)]


def test_a_run_whose_first_sample_the_recorder_missed_begins_well_inside_it() -> None:
    lived = [chunk(10, 50), chunk(130, 200), chunk(500, 20)]
    recorded = [chunk(10, 50), chunk(150, 180), chunk(490, 40)]
    assert numbers(replayed(recorded, log_of(lived))) == [*range(10, 60), *range(181, 330), *range(500, 520)]


def test_a_run_whose_last_sample_the_recorder_missed_ends_before_the_next_one() -> None:
    lived = [chunk(10, 50), chunk(230, 50)]
    recorded = [chunk(10, 47), chunk(200, 80)]
    assert numbers(replayed(recorded, log_of(lived))) == [*range(10, 57), *range(230, 280)]


def test_stamps_that_are_none_break_no_run() -> None:
    whole = chunk(10, 100)
    whole.stamps_s[[20, 40, 41]] = [0.0, np.nan, np.inf]
    assert log_of([whole]).runs == ((whole.stamps_s[0], whole.stamps_s[-1]),)
    assert len(numbers(replayed([chunk(0, 10), whole, chunk(110, 10)], log_of([whole])))) == 100


def test_samples_that_overflowed_in_the_live_session_only_are_left_out() -> None:
    lived = [chunk(10, 50), SourceEvent("overrun", "20 lost", n=20), chunk(80, 50)]
    assert numbers(replayed([chunk(10, 120)], log_of(lived))) == [*range(10, 60), *range(80, 130)]


def test_the_live_clock_offsets_replace_the_recorders() -> None:
    lived = [ClockOffset("", 1.0, 0.5), ClockOffset("m", 1.0, 0.25), chunk(0, 10)]
    recorded = [ClockOffset("", 1.1, 0.6), ClockOffset("m", 1.1, 0.7), chunk(0, 10)]
    offsets = [i for i in replayed(recorded, log_of(lived)) if isinstance(i, ClockOffset)]
    assert offsets == lived[:2]


def test_markers_are_those_of_the_live_session_in_its_order_whatever_the_recorder_had() -> None:
    late = MarkerChunk("m", ("d",), (4.5,))
    lived = [chunk(10, 10), MarkerChunk("m", ("b", "c"), (5.0, 5.0)), chunk(20, 10), late, chunk(30, 10)]
    recorded = [MarkerChunk("m", ("a", "b", "c"), (4.0, 5.0, 5.0)), *(chunk(n, 10) for n in (10, 20, 30))]
    items = replayed(recorded, log_of(lived))
    assert [i for i in items if isinstance(i, MarkerChunk)] == [lived[1], late]
    assert numbers(items[: items.index(late)]) == list(range(10, 20))  # before the samples that came with or after it


def test_markers_after_the_last_sample_are_not_forgotten() -> None:
    lived = [chunk(10, 10), MarkerChunk("m", ("end",), (9.0,))]
    lone = LivedWriter({"m": MARKERS})
    lines = [line for item in lived for line in lone.lines(item)]
    log = LivedLog.parse([*lines, lines[-1].replace('"after": 10', '"after": 99')])
    assert log is not None
    assert [i.labels for i in replayed([chunk(10, 10)], log) if isinstance(i, MarkerChunk)] == [("end",), ("end",)]


def test_markers_of_a_stream_that_was_not_chosen_stay_out() -> None:
    log = LivedLog.parse(['{"kind": "received_from", "stamp_s": 0.1}', *other_markers()])
    assert log is not None and len(log.markers) == 1
    assert all(isinstance(i, EegChunk) for i in replayed([chunk(10, 10)], log))


def other_markers() -> list[str]:
    entry = '{"kind": "markers", "stream": "other|x", "labels": ["a"], "stamps_s": [0.1], "after": 0}'
    return [entry, entry.replace('["a"]', '["a", "b"]'), entry.replace("[0.1]", '["soon"]')]


def test_a_session_that_was_killed_left_its_last_run_open() -> None:
    writer = LivedWriter({})
    log = LivedLog.parse(writer.lines(chunk(10, 5)))
    assert log is not None
    assert numbers(replayed([chunk(0, 100)], log)) == list(range(10, 100))


def test_lines_of_other_kinds_and_damaged_lines_are_passed_over() -> None:
    lines = ["{", "[1]", '{"kind": "annotation", "text": "x"}', '{"kind": "received_from", "stamp_s": "now"}']
    assert LivedLog.parse([*lines, '{"kind": "offset"}', '{"kind": "markers", "stream": 3}']) is None


def test_a_stream_is_known_by_name_and_source() -> None:
    assert stream_key(StreamInfo("a", "EEG", 1, 100.0, source_id="s", stream_id="7")) == "a|s"


def test_equal_stamps_of_bursty_senders_end_a_run_with_their_last_sample() -> None:
    stamps = np.repeat([1.0, 2.0, 3.0], 4)
    bursty = EegChunk(np.arange(12.0)[None].repeat(2, axis=0), stamps)
    assert numbers(replayed([bursty], log_of([bursty]))) == list(range(12))
