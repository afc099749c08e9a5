import logging
import threading
from dataclasses import replace

import numpy as np
import pytest

from engines.errors import InputError
from pipeline.errors import RecordingFailed, StreamMissing
from pipeline.recorder.record import record, record_source
from pipeline.recorder.recorder import Recorder, RecorderState, RecorderStatus, StreamState
from pipeline.types import ClockOffset, MarkerChunk, SourceEvent, StreamInfo
from tests.recordings import load_by_name, wait_for
from tests.scripted import EEG, MARKERS, ScriptedSource, chunk
from tests.senders import Sender, values


@pytest.fixture
def recorders():
    made: list[Recorder] = []

    def make(*arguments, **options) -> Recorder:
        made.append(Recorder(*arguments, **options))
        return made[-1]

    yield make
    for recorder in made:
        recorder.stop()


NUMERIC = {"float32": 250.0, "float64": 100.0, "int16": 500.0, "int8": 50.0, "int64": 1000.0}


@pytest.mark.slow
def test_what_is_pushed_is_recorded_sample_by_sample_and_nothing_is_printed(tmp_path, recorders, capfd):
    senders = {d: Sender(name=d, source_id=d, dtype=d, rate_hz=rate) for d, rate in NUMERIC.items()}
    senders["string"] = Sender(name="string", type="Markers", source_id="s", dtype="string", rate_hz=0.0, n_channels=2)
    senders["int32"] = Sender(name="int32", type="Markers", source_id="i", dtype="int32", rate_hz=0.0, n_channels=1)
    try:
        recorder = recorders(tmp_path / "a.xdf", [{"name": name} for name in senders])
        assert recorder.start() == tmp_path / "a.xdf"
        sent = {name: [sender.push(300), sender.push(1)] for name, sender in senders.items()}
        senders["int64"].run()
        wait_for(recorder, lambda s: any(t.name == "int64" and t.n_samples > 600 for t in s.streams))
        sent["int64"].append(senders["int64"].hold())
        status = recorder.stop()
    finally:
        for sender in senders.values():
            sender.kill()
    loaded = load_by_name(recorder.status.path)
    for name, parts in sent.items():
        stream, expected = loaded[name], np.concatenate([p.values for p in parts], axis=1)
        np.testing.assert_array_equal(np.array(stream["time_series"]).T, expected)
        assert stream["time_stamps"].tobytes() == np.concatenate([p.stamps_s for p in parts]).tobytes()
        assert stream["footer"]["info"]["sample_count"] == [str(expected.shape[1])]
        assert len(stream["clock_times"]) >= 1 and all(abs(v) < 0.05 for v in stream["clock_values"])
    assert status.state is RecorderState.FINISHED
    assert {s.name: s.n_samples for s in status.streams} == {
        n: sum(p.stop - p.start for p in ps) for n, ps in sent.items()
    }
    assert status.bytes_written == status.path.stat().st_size
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
def test_the_senders_description_is_kept_to_the_letter(tmp_path, recorders):
    with Sender(name="amp", source_id="x-9", n_channels=2, labels="Fz,C3'", unit="µV"):
        recorder = recorders(tmp_path / "a.xdf", [{"source_id": "x-9"}])
        recorder.start()
        recorder.stop()
    info = load_by_name(tmp_path / "a.xdf")["amp"]["info"]
    channels = info["desc"][0]["channels"][0]["channel"]
    assert [(c["label"][0], c["unit"][0]) for c in channels] == [("Fz", "µV"), ("C3'", "µV")]
    assert info["source_id"] == ["x-9"] and info["uid"] and info["created_at"]


@pytest.mark.slow
def test_a_missing_stream_is_told_with_what_was_seen_and_no_file_is_made(tmp_path, recorders):
    with Sender(name="amp", source_id="a-1"):
        recorder = recorders(tmp_path / "a.xdf", [{"name": "amp"}, {"name": "nobody"}], find_within_s=2.0)
        with pytest.raises(StreamMissing, match=r"(?s)lsl:name=nobody; seen .*name=amp.*source_id=a-1"):
            recorder.start()
    assert list(tmp_path.iterdir()) == []
    assert recorder.status.state is RecorderState.FAILED


def test_a_selector_that_means_nothing_is_refused_at_once(tmp_path):
    with pytest.raises(InputError, match="came nmae"):
        Recorder(tmp_path / "a.xdf", [{"nmae": "amp"}])


@pytest.mark.slow
def test_a_stream_that_two_selectors_choose_is_recorded_once(tmp_path, recorders):
    with Sender(name="amp", source_id="a-1"), Sender(name="other", source_id="b-1", type="EEG"):
        recorder = recorders(tmp_path / "a.xdf", [{"name": "amp"}, {"type": "EEG"}])
        recorder.start()
        assert sorted(s.name for s in recorder.stop().streams) == ["amp", "other"]


@pytest.mark.slow
def test_a_stream_that_appears_later_can_be_added(tmp_path, recorders):
    with Sender(name="amp", source_id="a-1") as amp:
        recorder = recorders(tmp_path / "a.xdf", [{"name": "amp"}])
        recorder.start()
        recorder.add_inlet({"type": "Markers"})
        assert wait_for(recorder, lambda s: bool(s.waiting_for)).waiting_for == ("lsl:type=Markers",)
        with Sender(name="stim", type="Markers", source_id="m-1", dtype="string", rate_hz=0.0, n_channels=1) as stim:
            status = wait_for(recorder, lambda s: len(s.streams) == 2)
            assert status.waiting_for == ()
            stamp_s = stim.mark("face/01")
            sent = amp.push(10)
            recorder.stop()
    loaded = load_by_name(tmp_path / "a.xdf")
    assert loaded["stim"]["time_series"] == [["face/01"]] and loaded["stim"]["time_stamps"].tolist() == [stamp_s]
    np.testing.assert_array_equal(loaded["amp"]["time_stamps"], sent.stamps_s)


@pytest.mark.slow
def test_silence_shows_and_so_does_its_end(tmp_path, recorders):
    def state(status: RecorderStatus) -> StreamState:
        return status.streams[0].state

    with Sender(name="amp", source_id="a-1") as amp:
        recorder = recorders(tmp_path / "a.xdf", [{"name": "amp"}])
        recorder.start()
        amp.run()
        wait_for(recorder, lambda s: state(s) is StreamState.RECORDING and s.streams[0].n_samples > 0)
        before = amp.hold()
        wait_for(recorder, lambda s: state(s) is StreamState.SILENT)
        status = wait_for(recorder, lambda s: state(s) is StreamState.LOST)
        assert "no data from amp" in status.text and status.streams[0].silent_s > 3.0
        after = amp.push(10)
        wait_for(recorder, lambda s: s.streams[0].n_samples == before.stop + 10)
        recorder.stop()
    loaded = load_by_name(tmp_path / "a.xdf")["amp"]
    np.testing.assert_array_equal(loaded["time_stamps"], np.r_[before.stamps_s, after.stamps_s])


BOARD = StreamInfo("board", "EEG", 8, 250.0, "float64", "board-1")
EVENTS = StreamInfo("AfterimageEvents", "Events", 1, 0.0, "string", "afterimage")


def test_streams_without_an_inlet_are_recorded_through_the_pipe(tmp_path, recorders, capfd):
    recorder = recorders(tmp_path / "a.xdf")
    recorder.start()
    board, events = recorder.open_stream(BOARD), recorder.open_stream(EVENTS)
    data, stamps_s = values("float64", 8, 0, 1000).copy(), np.arange(1000) / 250 + 7
    for start in range(0, 1000, 25):
        recorder.write(board, stamps_s[start : start + 25], data[:, start : start + 25])
    expected = data.copy()
    data[:] = -1  # the caller's buffer is the caller's
    recorder.offset(board, 7.5, 0.125)
    recorder.write(events, [8.0, 9.0], ['{"started": true}', "µ"])
    assert recorder.flush()
    status = recorder.stop()
    loaded = load_by_name(tmp_path / "a.xdf")
    assert loaded["board"]["time_series"].T.tobytes() == expected.tobytes()
    np.testing.assert_array_equal(loaded["board"]["time_stamps"], stamps_s)
    assert (loaded["board"]["clock_times"], loaded["board"]["clock_values"]) == ([7.5], [0.125])
    assert loaded["AfterimageEvents"]["time_series"] == [['{"started": true}'], ["µ"]]
    assert [(s.key, s.n_samples, s.n_offsets) for s in status.streams] == [(board, 1000, 1), (events, 2, 0)]
    assert capfd.readouterr() == ("", "")


def test_an_existing_file_stays_and_the_recording_takes_the_next_free_name(tmp_path, recorders):
    (tmp_path / "a.xdf").write_bytes(b"precious")
    recorder = recorders(tmp_path / "a.xdf")
    assert recorder.start() == tmp_path / "a_2.xdf"
    assert recorder.stop().path == tmp_path / "a_2.xdf"
    assert (tmp_path / "a.xdf").read_bytes() == b"precious"
    assert load_by_name(tmp_path / "a_2.xdf") == {}


def test_what_does_not_fit_its_stream_is_refused_here_and_the_recording_goes_on(tmp_path, recorders):
    recorder = recorders(tmp_path / "a.xdf")
    recorder.start()
    board = recorder.open_stream(BOARD)
    with pytest.raises(ValueError, match="declared float64, came float32"):
        recorder.write(board, [1.0], np.zeros((8, 1), np.float32))
    with pytest.raises(ValueError, match="XDF stores string"):
        recorder.open_stream(replace(BOARD, dtype="uint8"))
    recorder.write(board, [1.0], np.zeros((8, 1)))
    assert recorder.stop().streams[0].n_samples == 1
    with pytest.raises(RecordingFailed, match="nothing can be recorded any more"):
        recorder.write(board, [2.0], np.zeros((8, 1)))


def test_a_folder_that_is_not_there_is_told_before_anything_starts(tmp_path, recorders):
    recorder = recorders(tmp_path / "nowhere" / "a.xdf")
    with pytest.raises(RecordingFailed, match="make the folder"):
        recorder.start()


def test_stopping_a_recorder_that_never_started_is_harmless(tmp_path):
    assert Recorder(tmp_path / "a.xdf").stop().state is RecorderState.STARTING


def test_a_whole_source_is_recorded_with_its_markers_and_offsets(tmp_path):
    items = [
        ClockOffset("", 0.5, 0.25),
        chunk(0, 130),
        MarkerChunk("m", ("face", "house"), (0.4, 0.9)),
        SourceEvent("package_loss", "20 lost", n=20),
        chunk(150, 50),
    ]
    source = ScriptedSource(EEG, items, {"m": MARKERS})
    seen: list[RecorderStatus] = []
    report = record_source(source, tmp_path / "a.xdf", None, threading.Event(), seen.append)
    loaded = load_by_name(tmp_path / "a.xdf")
    assert source.closed and report["state"] == "finished" and seen[-1].final
    np.testing.assert_array_equal(loaded["scripted"]["time_series"][:, 1], np.r_[0:130, 150:200])
    np.testing.assert_array_equal(loaded["scripted"]["time_stamps"], np.r_[items[1].stamps_s, items[4].stamps_s])
    assert loaded["markers"]["time_series"] == [["face"], ["house"]]
    assert loaded["scripted"]["clock_values"] == [0.25]
    assert [e["kind"] for e in report["events"]] == ["package_loss"]
    assert {s["name"]: s["n_samples"] for s in report["streams"]} == {"scripted": 180, "markers": 2}


@pytest.mark.slow
def test_recording_from_the_network_ends_when_it_is_asked_to(tmp_path):
    stop = threading.Event()

    def stop_at_30(status: RecorderStatus) -> None:
        if status.streams and status.streams[0].n_samples == 30:
            stop.set()
        elif not status.streams[0].n_samples:
            amp.push(30)

    with Sender(name="amp", source_id="a-1") as amp:
        report = record([{"name": "amp"}], [], tmp_path / "a.xdf", 60.0, stop, stop_at_30)
    assert report["state"] == "finished" and stop.is_set()
    assert len(load_by_name(tmp_path / "a.xdf")["amp"]["time_stamps"]) == report["streams"][0]["n_samples"] >= 30


@pytest.mark.slow
def test_recording_from_the_network_ends_after_its_seconds(tmp_path):
    with Sender(name="amp", source_id="a-1"):
        report = record([{"name": "amp"}], [], tmp_path / "a.xdf", 0.3, threading.Event(), lambda status: None)
    assert report["state"] == "finished"


@pytest.mark.slow
def test_remarks_of_the_recorder_arrive_in_the_applications_log(tmp_path, recorders, caplog):
    with caplog.at_level(logging.INFO, "pipeline.recorder.recorder"), Sender(name="amp", source_id="a-1") as amp:
        recorder = recorders(tmp_path / "a.xdf", [{"name": "amp"}])
        recorder.start()
        amp.kill()  # liblsl complains on standard error
        wait_for(recorder, lambda s: s.streams[0].state is StreamState.LOST)
        recorder.stop()
    assert any("sends nothing any more" in r.getMessage() for r in caplog.records)
    assert any("broke off" in r.getMessage() for r in caplog.records)
