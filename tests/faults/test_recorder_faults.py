"""What a recording survives: real processes are killed, frozen and starved of disk, and the file is read by pyxdf."""

import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pylsl
import pytest

from pipeline.errors import RecordingFailed
from pipeline.recorder.inlets import BUFFER_S, RecordedInlet, find_all
from pipeline.recorder.messages import RecorderStatus
from pipeline.recorder.process import N_ANSWERS, Line
from pipeline.recorder.recorder import Recorder, RecorderState, StreamState
from pipeline.types import StreamInfo
from tests.recordings import load, load_by_name, wait_for
from tests.senders import Sender

pytestmark = pytest.mark.slow

BOARD = StreamInfo("board", "EEG", 8, 250.0, "float64", "board-1")


@pytest.fixture
def recorder(tmp_path) -> Iterator[Recorder]:
    recorder = Recorder(tmp_path / "a.xdf", [{"source_id": "amp-1"}])
    yield recorder
    recorder.stop()


def n_samples(status: RecorderStatus) -> int:
    return sum(stream.n_samples for stream in status.streams)


def test_a_recorder_that_is_killed_leaves_a_readable_file_that_lacks_two_seconds_at_most(recorder):
    with Sender(source_id="amp-1") as amp:
        recorder.start()
        amp.run()
        wait_for(recorder, lambda s: n_samples(s) > 500)
        os.kill(recorder.pid, signal.SIGKILL)
        killed_s = pylsl.local_clock()
        status = wait_for(recorder, lambda s: s.final)
        sent = amp.hold()
    assert status.state is RecorderState.FAILED and "died (exit status -9)" in status.text
    stream = load_by_name(recorder.status.path)["amp"]
    n = len(stream["time_stamps"])
    np.testing.assert_array_equal(stream["time_stamps"], sent.stamps_s[:n])
    np.testing.assert_array_equal(stream["time_series"].T, sent.values[:, :n])
    assert killed_s - stream["time_stamps"][-1] < 2.0


APPLICATION = """
import sys
from pathlib import Path
import numpy as np
from pipeline.recorder.recorder import Recorder
from pipeline.types import StreamInfo

recorder = Recorder(Path(sys.argv[1]), [{"source_id": "amp-1"}])
recorder.start()
key = recorder.open_stream(StreamInfo("AfterimageEvents", "Events", 1, 0.0, "string"))
for k in range(5000):
    recorder.write(key, [k], [f"event {k}"])
recorder.flush(10.0)
sys.stdout.write(f"{recorder.pid}\\n")
sys.stdout.flush()
sys.stdin.read()
"""


def test_when_the_application_is_killed_everything_sent_is_recorded_and_the_file_gets_its_footers(tmp_path):
    path = tmp_path / "a.xdf"
    with Sender(source_id="amp-1") as amp:
        application = subprocess.Popen(
            [sys.executable, "-c", APPLICATION, str(path)],
            cwd=Path(__file__).resolve().parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        child = psutil.Process(int(application.stdout.readline()))
        sent = amp.push(2000)
        application.kill()
        application.wait()
        psutil.wait_procs([child], timeout=10.0)
        assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
        application.stdin.close()
        application.stdout.close()
    loaded = load_by_name(path)
    np.testing.assert_array_equal(loaded["amp"]["time_stamps"], sent.stamps_s)
    np.testing.assert_array_equal(loaded["amp"]["time_series"].T, sent.values)
    assert [row[0] for row in loaded["AfterimageEvents"]["time_series"]] == [f"event {k}" for k in range(5000)]
    assert all("footer" in stream for stream in loaded.values())


def test_an_application_that_ends_without_stopping_its_recorder_leaves_a_whole_file(tmp_path):
    with Sender(source_id="amp-1"):
        application = [sys.executable, "-c", APPLICATION, str(tmp_path / "a.xdf")]
        folder = Path(__file__).resolve().parents[2]
        ended = subprocess.run(application, cwd=folder, input=b"", capture_output=True, timeout=30.0, check=True)
    assert ended.stderr == b""
    assert all("footer" in stream for stream in load(tmp_path / "a.xdf"))


def test_a_termination_signal_ends_the_file_properly_and_a_keyboard_interrupt_is_the_applications_business(recorder):
    with Sender(source_id="amp-1") as amp:
        recorder.start()
        os.kill(recorder.pid, signal.SIGINT)
        sent = amp.push(100)
        wait_for(recorder, lambda s: n_samples(s) == 100)
        os.kill(recorder.pid, signal.SIGTERM)
        status = wait_for(recorder, lambda s: s.final)
    assert status.state is RecorderState.FINISHED
    stream = load_by_name(status.path)["amp"]
    np.testing.assert_array_equal(stream["time_stamps"], sent.stamps_s)
    assert stream["footer"]["info"]["sample_count"] == ["100"]
    with pytest.raises(RecordingFailed):
        recorder.open_stream(BOARD)


def test_a_full_disk_is_told_at_once_and_what_was_saved_stays_readable(recorder):
    with Sender(source_id="amp-1") as amp:
        recorder.start()
        psutil.Process(recorder.pid).rlimit(psutil.RLIMIT_FSIZE, (100_000, 100_000))
        sent = [amp.push(100)]
        wait_for(recorder, lambda s: n_samples(s) == 100)
        sent.append(amp.push(10_000))
        status = wait_for(recorder, lambda s: s.final)
        recorder.stop()
    assert status.state is RecorderState.FAILED and "Free some space" in status.text
    stream = load_by_name(status.path)["amp"]
    n = len(stream["time_stamps"])
    assert n == n_samples(recorder.status) >= 100 and status.path.stat().st_size <= 100_000
    np.testing.assert_array_equal(stream["time_stamps"], np.concatenate([s.stamps_s for s in sent])[:n])
    assert stream["footer"]["info"]["sample_count"] == [str(n)]


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    if not sys.platform.startswith("linux") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a small disk is not permitted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_small_disk_that_fills_up_is_warned_of_and_then_told(small_disk, tmp_path):
    recorder = Recorder(small_disk / "a.xdf", [{"source_id": "amp-1"}])
    sent = []
    try:
        with Sender(source_id="amp-1", rate_hz=100.0, n_channels=4) as amp:
            recorder.start()
            at_start = recorder.status
            while not recorder.status.final:
                sent.append(amp.push(12_000))
                wait_for(recorder, lambda s: s.final or n_samples(s) == sent[-1].stop)
    finally:
        status = recorder.stop()
        saved = tmp_path / "saved.xdf"
        shutil.copy(status.path, saved)  # the disk goes with the test
    assert at_start.disk_low and "nearly full" in at_start.text
    assert status.state is RecorderState.FAILED and "No space left" in status.text
    (stream,) = load(saved)
    n = len(stream["time_stamps"])
    assert 60_000 < n < sent[-1].stop  # 25 bytes a sample in 2 MiB
    np.testing.assert_array_equal(stream["time_stamps"], np.concatenate([s.stamps_s for s in sent])[:n])


def test_a_disk_without_room_for_ten_minutes_is_refused(small_disk):
    recorder = Recorder(small_disk / "a.xdf", [{"source_id": "amp-1"}])
    with (
        Sender(source_id="amp-1", rate_hz=1000.0),
        pytest.raises(RecordingFailed, match="expected at least 10 minutes"),
    ):
        recorder.start()
    assert list(small_disk.iterdir()) == []


def test_a_sender_that_is_killed_and_restarted_goes_on_in_the_same_stream_and_nothing_received_is_lost(recorder):
    with Sender(source_id="amp-1") as amp:
        recorder.start()
        before = amp.push(500)
        wait_for(recorder, lambda s: n_samples(s) == 500)
    wait_for(recorder, lambda s: s.streams[0].state is StreamState.LOST)
    with Sender(source_id="amp-1", counter=1000) as amp:
        assert amp.wait_for_consumer()
        after = amp.push(500)
        status = wait_for(recorder, lambda s: n_samples(s) == 1000)
        recorder.stop()
    assert any("'amp' is back" in w for w in wait_for(recorder, lambda s: s.final).warnings)
    (stream,) = load(status.path)
    np.testing.assert_array_equal(stream["time_stamps"], np.r_[before.stamps_s, after.stamps_s])
    np.testing.assert_array_equal(stream["time_series"].T, np.c_[before.values, after.values])


@pytest.mark.parametrize(
    "change",
    [{"rate_hz": 500.0}, {"n_channels": 6}, {"dtype": "int16"}, {"labels": "A,B,C,D"}],
    ids=["rate", "channels", "type", "labels"],
)
def test_a_sender_that_comes_back_changed_begins_a_stream_of_its_own(recorder, change):
    with Sender(source_id="amp-1") as amp:
        recorder.start()
        before = amp.push(500)
        wait_for(recorder, lambda s: n_samples(s) == 500)
    with Sender(source_id="amp-1", **change) as amp:
        assert amp.wait_for_consumer(20.0)
        after = amp.push(300)
        status = wait_for(recorder, lambda s: n_samples(s) == 800)
        recorder.stop()
    assert [(s.n_samples, s.state) for s in status.streams] == [(500, StreamState.ENDED), (300, StreamState.RECORDING)]
    assert any("came back changed" in w for w in recorder.status.warnings)
    first, second = load(status.path)
    np.testing.assert_array_equal(first["time_series"].T, before.values)
    np.testing.assert_array_equal(second["time_series"].T, after.values)
    np.testing.assert_array_equal(second["time_stamps"], after.stamps_s)
    assert float(second["info"]["nominal_srate"][0]) == amp.script.rate_hz


@pytest.mark.parametrize("source_ids", [("", ""), ("invented-1", "invented-2")], ids=["none", "invented"])
def test_a_sender_without_a_lasting_identity_that_comes_back_begins_a_stream_of_its_own(tmp_path, source_ids):
    recorder = Recorder(tmp_path / "a.xdf", [{"name": "amp"}])
    with Sender(source_id=source_ids[0]) as amp:
        recorder.start()
        amp.push(500)
        wait_for(recorder, lambda s: n_samples(s) == 500)
    with Sender(source_id=source_ids[1]) as amp:
        assert amp.wait_for_consumer(20.0)
        amp.push(300)
        wait_for(recorder, lambda s: n_samples(s) == 800)
        recorder.stop()
    assert [len(s["time_stamps"]) for s in load(recorder.status.path)] == [500, 300]


def test_a_frozen_sender_is_silent_and_loses_nothing_when_it_goes_on(recorder):
    with Sender(source_id="amp-1") as amp:
        recorder.start()
        amp.run()
        wait_for(recorder, lambda s: n_samples(s) > 100)
        amp.freeze()
        wait_for(recorder, lambda s: s.streams[0].state is StreamState.SILENT)
        amp.thaw()
        wait_for(recorder, lambda s: s.streams[0].state is StreamState.RECORDING)
        sent = amp.hold()
        recorder.stop()
    np.testing.assert_array_equal(load_by_name(recorder.status.path)["amp"]["time_stamps"], sent.stamps_s)


def test_the_clock_of_a_sender_that_is_gone_is_not_measured_again():
    with Sender(source_id="amp-1"):
        (found,) = find_all([{"source_id": "amp-1"}], 10.0, threading.Event())
        inlet = RecordedInlet(found)
        at_s, value_s = inlet.measure(5.0)
        assert abs(value_s) < 0.05 and abs(at_s - pylsl.local_clock()) < 5.0
        assert inlet.measured and inlet.answers
    # liblsl still answers, with the old value: that is no measurement
    assert inlet.measure(0.5) is None and not inlet.answers
    inlet.close()


def test_a_buffer_that_overflowed_shows():
    with Sender(source_id="amp-1", rate_hz=10.0) as amp:
        (found,) = find_all([{"source_id": "amp-1"}], 10.0, threading.Event())
        inlet = RecordedInlet(found)
        assert not inlet.full
        amp.push(2 * 10 * BUFFER_S)
        while not inlet.full:
            threading.Event().wait(0.01)
        n = sum(len(stamps_s) for stamps_s, _data in inlet.pull())
        assert n < 2 * 10 * BUFFER_S and not inlet.full
        inlet.close()


def test_text_that_is_not_utf8_is_recorded_byte_for_byte(tmp_path):
    recorder = Recorder(tmp_path / "a.xdf", [{"name": "matlab"}])
    outlet = pylsl.StreamOutlet(pylsl.StreamInfo("matlab", "Markers", 1, 0.0, "string", "m-1"))
    recorder.start()
    sent = "Größe".encode("latin-1")
    outlet.push_sample([sent.decode("latin-1")])  # as UTF-8
    push_bytes = (pylsl.lib.ctypes.c_char_p * 1)(sent)
    outlet.do_push_sample(outlet.obj, push_bytes, pylsl.lib.ctypes.c_double(5.0), pylsl.lib.ctypes.c_int(1))
    wait_for(recorder, lambda s: n_samples(s) == 2)
    recorder.stop()
    raw = recorder.status.path.read_bytes()
    assert bytes([1, len(sent)]) + sent in raw and "Größe".encode() in raw


def test_an_application_that_hangs_does_not_hold_up_the_recording():
    ours, theirs = multiprocessing.Pipe()
    line = Line(theirs)
    for k in range(5 * N_ANSWERS):  # far more than the pipe takes while nobody reads
        line.answer(RecorderStatus(RecorderState.RECORDING, Path("a.xdf"), text="x" * 1000, bytes_written=k))
    ours.close()
    assert line.ended.wait(5.0)
    line.close()
    theirs.close()
