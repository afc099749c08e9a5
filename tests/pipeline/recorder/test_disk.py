import shutil
from collections import namedtuple

import pytest

from pipeline.errors import RecordingFailed
from pipeline.recorder.disk import bytes_per_s, checked_room, free_name
from pipeline.types import StreamInfo

EEG = StreamInfo("amp", "EEG", 64, 1000.0, "float32")
MARKERS = StreamInfo("stim", "Markers", 1, 0.0, "string")


def test_a_name_that_is_taken_gets_the_next_free_number(tmp_path):
    path = tmp_path / "run.xdf"
    assert free_name(path) == path
    path.touch()
    assert free_name(path) == tmp_path / "run_2.xdf"
    (tmp_path / "run_2.xdf").symlink_to(tmp_path / "nowhere")
    assert free_name(path) == tmp_path / "run_3.xdf"


def test_an_hour_of_64_channels_at_1_khz_is_close_to_a_gigabyte():
    assert bytes_per_s([EEG]) * 3600 == pytest.approx(0.954e9, rel=0.01)
    assert bytes_per_s([EEG, MARKERS]) > bytes_per_s([EEG])


@pytest.mark.parametrize(("minutes", "low"), [(11, True), (59, True), (61, False)])
def test_less_than_an_hour_is_low(tmp_path, monkeypatch, minutes, low):
    pretend_free(monkeypatch, bytes_per_s([EEG]) * 60 * minutes)
    assert checked_room(tmp_path, [EEG]).low is low


def test_less_than_ten_minutes_is_refused(tmp_path, monkeypatch):
    pretend_free(monkeypatch, bytes_per_s([EEG]) * 60 * 9)
    with pytest.raises(RecordingFailed, match="enough for 9 minutes"):
        checked_room(tmp_path, [EEG])


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(RecordingFailed, match="make the folder"):
        checked_room(tmp_path / "nowhere", [EEG])


def pretend_free(monkeypatch, free: float) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage(int(1e12), 0, int(free)))
