"""The recording cranked by hand, in this process and without a network."""

import shutil
import threading
from collections import namedtuple
from collections.abc import Iterator

import numpy as np
import pytest

from pipeline.channels import Lossless
from pipeline.errors import RecordingFailed
from pipeline.recorder import recording as module
from pipeline.recorder.messages import OpenStream, Order, RecorderState, Samples, StreamState
from pipeline.recorder.recording import Recording
from pipeline.types import StreamInfo
from pipeline.xdf.writer import BOUNDARY_UUID
from tests.recordings import load

BOARD = StreamInfo("board", "EEG", 2, 250.0, "float32", "board-1")


@pytest.fixture
def recording(tmp_path) -> Iterator[Recording]:
    commands = Lossless()
    recording = Recording(Order(tmp_path / "a.xdf", (), 1.0), commands)
    recording.open(threading.Event())
    commands.put(OpenStream(1, BOARD))
    commands.put(Samples(1, np.arange(3.0), np.ones((2, 3), np.float32)))
    yield recording
    recording.finish()
    recording.close()


def test_a_boundary_is_written_every_ten_seconds(recording, monkeypatch):
    assert module.BOUNDARY_EVERY_S == 10.0
    recording.step()
    assert BOUNDARY_UUID not in recording.status().path.read_bytes()
    recording._due.boundary_s -= 10.0
    recording.step()
    recording.step()
    recording.finish()
    assert recording.status().path.read_bytes().count(BOUNDARY_UUID) == 1


def test_every_second_all_is_made_to_survive_a_power_cut(recording, monkeypatch):
    synced = []
    monkeypatch.setattr("os.fsync", synced.append)
    recording.step()
    recording.step()
    assert len(synced) == 1 and recording.status().synced_at_s > 0
    recording._due.sync_s -= 1.0
    recording.step()
    assert len(synced) == 2


def test_a_disk_that_gets_full_is_warned_of_once(recording, monkeypatch):
    usage = namedtuple("usage", "total used free")
    recording.step()
    assert not recording.status().disk_low
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage(10**9, 0, 250 * 17 * 60 * 30))
    for _ in range(2):
        recording._due.disk_s = 0.0
        recording.step()
    status = recording.status()
    assert status.disk_low and status.disk_left_s == pytest.approx(1800, rel=1e-6)
    assert len(status.warnings) == 1 and "enough for 30 minutes" in status.text


def test_a_failed_write_ends_the_recording_with_what_was_saved(recording, monkeypatch):
    recording.step()

    def no_room(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", no_room)
        recording._due.sync_s = 0.0
        with pytest.raises(RecordingFailed, match="No space left") as failure:
            recording.step()
    recording.fail(str(failure.value))
    recording.finish()
    status = recording.status()
    assert status.state is RecorderState.FAILED and "3 of 'board'" in status.text
    assert load(status.path)[0]["time_stamps"].tolist() == [0.0, 1.0, 2.0]


def test_a_stream_of_the_application_that_pauses_is_silent(recording):
    recording.step()
    recording._streams[0].last_s -= 1.0
    recording.step()
    assert recording.status().streams[0].state is StreamState.SILENT


def test_a_thread_that_dies_is_warned_of_and_samples_are_still_recorded(recording, monkeypatch):
    def break_down() -> bool:
        raise RuntimeError("broken")

    worker = recording._scout._worker
    worker.step = break_down
    recording._scout._wanted.set()  # the step in progress ends
    assert worker.join(5.0)
    for _ in range(2):
        recording._due.disk_s = 0.0
        recording.step()
    assert [w for w in recording.status().warnings if "scout thread died" in w] == list(recording.status().warnings)
    assert len(recording.status().warnings) == 1 and recording.status().streams[0].n_samples == 3
