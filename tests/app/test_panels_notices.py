from pathlib import Path

from app.panels.notices import Level, Notice, NoticeStack, notices
from pipeline.recorder.messages import RecorderState, RecorderStatus, StreamState, StreamStatus
from pipeline.types import SourceEvent
from pipeline.worker import Health, State
from tests.app.scripted import START_S, frame, info, stream, view


def keys(found: list[Notice]) -> list[str]:
    return [notice.key for notice in found]


def status(state: RecorderState = RecorderState.RECORDING, **changes: object) -> RecorderStatus:
    return RecorderStatus(state, Path("a.xdf"), **changes)  # type: ignore[arg-type]


def test_a_healthy_stream_needs_no_words() -> None:
    assert notices(frame(recording=status())) == []


def test_settling_says_how_long() -> None:
    (notice,) = notices(frame(seen=view(settling_left_s=1.43)))
    assert notice.level is Level.INFO
    assert "1.4 s" in notice.text


def test_a_stalled_stream_is_a_warning_and_a_lost_one_an_error() -> None:
    (stalled,) = notices(frame(seen=view(state="stalled", settling_left_s=1.0), silent_s=0.7))
    (lost,) = notices(frame(seen=view(state="lost"), silent_s=12.3))
    assert (stalled.level, lost.level) == (Level.WARNING, Level.ERROR)
    assert "0.7 s" in stalled.text
    assert "12.3 s" in lost.text


def test_recovered_is_said_for_ten_seconds() -> None:
    came = SourceEvent("recovered", "amp is back", at_s=START_S)
    assert keys(notices(frame(seen=view(events=(came,)), now_s=START_S + 9))) == ["stream"]
    assert notices(frame(seen=view(events=(came,)), now_s=START_S + 11)) == []


def test_a_changed_stream_offers_to_connect_again() -> None:
    (notice,) = notices(frame(seen=view(state="changed", events=(SourceEvent("changed", "rate 500"),))))
    assert notice.action == "Connect Again"
    assert "rate 500" in notice.text


def test_without_a_unit_it_says_what_is_off_and_offers_to_declare_one() -> None:
    without = stream(info(unit=None), unit_known=False, off="no unit")
    (notice,) = notices(frame(without))
    assert notice.action == "Declare Unit…"
    assert "no unit" in notice.text
    assert "decoding are off" in notice.text


def test_a_dead_worker_comes_first_with_the_last_line_of_its_traceback() -> None:
    text = "Traceback (most recent call last):\n  File x\npipeline.errors.SourceFailed: it died:\nkilled"
    dead = Health("decode", State.FAILED, text, n_restarts=1)
    found = notices(frame(seen=view(state="stalled", workers=(dead,))))
    assert keys(found) == ["worker:decode", "stream"]
    assert found[0].text == "SourceFailed: it died: killed. It has been restarted 1 times."


def test_when_nobody_reads_the_stream_nothing_is_claimed_of_it() -> None:
    dead = Health("acquire", State.FAILED, "ValueError: odd")
    assert keys(notices(frame(seen=view(state="stalled", workers=(dead,))))) == ["worker:acquire"]


def test_a_recording_says_when_the_disk_is_low_a_stream_missing_or_when_it_failed() -> None:
    lost = StreamStatus(1, None, "amp", "EEG", "amp-1", 10, 1, 4.0, StreamState.LOST)
    low = status(disk_low=True, disk_free_bytes=2**30, disk_left_s=1200.0, streams=(lost,))
    missing, disk = notices(frame(recording=low))
    assert (missing.level, disk.level) == (Level.ERROR, Level.WARNING)
    assert "amp" in missing.text
    assert "20 minutes" in disk.text
    (failed,) = notices(frame(recording=status(RecorderState.FAILED, text="disk full")))
    assert (failed.level, failed.text) == (Level.ERROR, "disk full")


def test_a_notice_that_only_changes_its_words_keeps_its_row(qtbot) -> None:
    stack = NoticeStack()
    qtbot.addWidget(stack)
    stack.set_notices([Notice("a", Level.INFO, "A", "1 s")])
    row = stack._rows[0]
    stack.set_notices([Notice("a", Level.INFO, "A", "2 s")])
    assert stack._rows[0] is row
    assert stack.shown[0].text == "2 s"
    stack.set_notices([])
    assert stack.isHidden()
