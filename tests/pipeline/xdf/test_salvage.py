import hashlib
import logging

import numpy as np
import pytest
import pyxdf

from pipeline.errors import FileUnreadable, RecordingFailed
from pipeline.xdf.file import XdfFile
from pipeline.xdf.salvage import salvage
from tests.pipeline.xdf import xdf_bytes as xb


def by_pyxdf(path):
    logging.getLogger("pyxdf.pyxdf").setLevel(logging.CRITICAL)
    streams, _ = pyxdf.load_xdf(path, synchronize_clocks=False, dejitter_timestamps=False)
    return {s["info"]["name"][0] + s["info"]["type"][0]: s for s in streams}


@pytest.mark.parametrize("name", ["openbci16_truncated", "usbamp16_T1_run-001_old1", "muse5_P001", "ref_clock_resets"])
def test_the_copy_holds_what_pyxdf_reads_of_the_original_and_is_complete(data, tmp_path, name):
    source, copy = data / "xdf" / f"{name}.xdf", tmp_path / "copy.xdf"
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    report = salvage(source, copy)
    theirs, ours = by_pyxdf(source), by_pyxdf(copy)
    assert set(theirs) == set(ours)
    for key, stream in theirs.items():
        np.testing.assert_array_equal(ours[key]["time_stamps"], stream["time_stamps"])
        np.testing.assert_array_equal(ours[key]["time_series"], stream["time_series"])
        assert ours[key]["clock_times"] == stream["clock_times"]
        assert ours[key]["clock_values"] == stream["clock_values"]
        assert int(ours[key]["footer"]["info"]["sample_count"][0]) == len(stream["time_stamps"])
        assert ours[key]["info"].get("desc") == stream["info"].get("desc")
    assert [s["n_samples"] for s in report["streams"]] == [len(s["time_stamps"]) for s in theirs.values()]
    assert hashlib.sha256(source.read_bytes()).hexdigest() == digest
    with XdfFile(copy) as file:
        assert file.warnings == []


def test_a_copy_never_overwrites(tmp_path):
    source, copy = tmp_path / "a.xdf", tmp_path / "b.xdf"
    source.write_bytes(xb.session())
    copy.write_bytes(b"precious")
    with pytest.raises(RecordingFailed, match="exists"):
        salvage(source, copy)
    assert copy.read_bytes() == b"precious"
    with pytest.raises(RecordingFailed, match="exists"):
        salvage(source, source)


def test_of_nothing_nothing_is_made(tmp_path):
    source, copy = tmp_path / "a.xdf", tmp_path / "b.xdf"
    source.write_bytes(b"XDF:" + b"\0" * 50)
    with pytest.raises(FileUnreadable, match="no readable stream header"):
        salvage(source, copy)
    assert not copy.exists()


def test_the_report_tells_what_was_wrong(data, tmp_path):
    report = salvage(data / "xdf" / "openbci16_truncated.xdf", tmp_path / "copy.xdf")
    assert any("ends inside a chunk" in text for text in report["warnings"])
    assert report["streams"][0] == {
        "id": "2",
        "name": "obci_eeg1",
        "type": "EEG",
        "n_channels": 16,
        "n_samples": 2760,
        "n_offsets": 2,
    }


def test_a_long_copy_has_boundaries_to_recover_at(tmp_path):
    source, copy = tmp_path / "a.xdf", tmp_path / "b.xdf"
    source.write_bytes(xb.session(n_seconds=60, rate=500, n_channels=32))
    salvage(source, copy)
    assert copy.read_bytes().count(xb.UUID) >= 3
