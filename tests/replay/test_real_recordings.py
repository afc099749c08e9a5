"""`replay` of every real recording: the samples that pyxdf finds, what is wrong with them said, or a clear refusal."""

import json
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import pyxdf

from app.cli import main
from tests.conftest import data_folder

FOLDER = data_folder()
FILES = sorted((FOLDER / "xdf").glob("*.xdf")) if FOLDER else []


def replayed(path, tmp_path, capsys, *more):
    """Status, report and what was said."""
    capsys.readouterr()
    status = main(["replay", str(path), "--json", "--out", str(tmp_path), *more])
    said = capsys.readouterr()
    return status, json.loads(said.out) if status == 0 else None, said.err


def streams_of(path):
    """Raw streams as pyxdf reads them; none of a file that it cannot read."""
    try:
        return pyxdf.load_xdf(path, synchronize_clocks=False, dejitter_timestamps=False, verbose=False)[0]
    except Exception:  # noqa: BLE001 - whatever another reader makes of a damaged file
        return []


def labels_of(streams):
    """Every label of every marker stream, counted."""
    found = Counter()
    for stream in streams:
        info = stream["info"]
        if float(info["nominal_srate"][0]) == 0 and info["channel_format"][0] == "string":
            found.update("|".join(row) for row in stream["time_series"])
    return dict(found)


@pytest.mark.slow
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_recording_is_replayed_with_the_samples_that_pyxdf_finds_or_refused_in_one_line(path, tmp_path, capsys):
    status, report, said = replayed(path, tmp_path, capsys)
    streams = streams_of(path)
    regular = [s for s in streams if float(s["info"]["nominal_srate"][0]) > 0 and len(s["time_stamps"])]
    if status:
        assert status == 2 and said.startswith("afterimage: ") and len(said.splitlines()) == 1
        assert not regular or "malformed" in path.name
        return
    chosen = [s for s in regular if s["info"]["name"][0] == report["source"]["name"]]
    eeg = [s for s in chosen if s["info"]["type"][0].lower() == "eeg"] or chosen
    (stream,) = eeg
    assert report["samples_received"] == len(stream["time_stamps"])
    assert report["source"]["n_channels"] == int(stream["info"]["channel_count"][0])
    assert report["source"]["sfreq_nominal_hz"] == float(stream["info"]["nominal_srate"][0])
    strings = labels_of(streams)
    assert {label: n for label, n in report["markers"].items() if label in strings} == strings
    assert (tmp_path / "report.json").is_file() and (tmp_path / "report.html").is_file()


def test_a_truncated_recording_says_so_and_keeps_what_it_has(data, tmp_path, capsys):
    status, report, _ = replayed(data / "xdf" / "openbci16_truncated.xdf", tmp_path, capsys)
    assert (status, report["samples_received"]) == (0, 2760)
    warnings = " ".join(report["warnings"])
    assert "ends inside a chunk" in warnings and "no footer" in warnings


def test_a_missing_footer_is_told(data, tmp_path, capsys):
    _, report, _ = replayed(data / "xdf" / "usbamp16_MISwitch_run-001.xdf", tmp_path, capsys)
    assert any("no footer" in text for text in report["warnings"])


def test_a_clock_reset_is_told_with_its_jump(data, tmp_path, capsys):
    _, report, _ = replayed(data / "xdf" / "ref_clock_resets.xdf", tmp_path, capsys)
    (reset,) = report["clock_resets"]
    assert reset["jump_s"] == pytest.approx(-653461.45, abs=0.01)
    assert any("93" in text or "92.9" in text for text in report["warnings"])


def test_gaps_are_told_with_what_is_missing(data, tmp_path, capsys):
    _, report, _ = replayed(data / "xdf" / "openbci16_mi_2111001.xdf", tmp_path, capsys)
    assert sum(g["n_lost"] for g in report["gaps"]) == report["samples_lost"] > 0
    for gap in report["gaps"]:  # the stamps of this board jitter by 100 ms
        assert (gap["stop_s"] - gap["start_s"]) * 125 == pytest.approx(gap["n_lost"] + 1, abs=0.15 * 125)


def test_an_empty_marker_stream_is_told(data, tmp_path, capsys):
    _, report, _ = replayed(data / "xdf" / "ref_empty_streams.xdf", tmp_path, capsys)
    assert any("holds no markers" in text for text in report["warnings"])


def test_markers_that_die_are_told(tmp_path, capsys):
    from pipeline.types import Channel, StreamInfo
    from pipeline.xdf.writer import XdfWriter

    path = tmp_path / "dead.xdf"
    with XdfWriter(path) as writer:
        eeg = writer.add_stream(StreamInfo("amp", "EEG", 1, 50.0, "float32", channels=(Channel("Cz", unit="uV"),)))
        stim = writer.add_stream(StreamInfo("stim", "Markers", 1, 0.0, "string"))
        writer.write_samples(eeg, 10 + np.arange(6000) / 50, np.zeros((1, 6000), np.float32))
        writer.write_samples(stim, 11 + np.arange(5.0), ["a"] * 5)
    _, report, _ = replayed(path, tmp_path / "out", capsys)
    assert any("fell silent" in text for text in report["warnings"])


def test_seconds_stop_a_replay(data, tmp_path, capsys):
    status, report, _ = replayed(data / "xdf" / "usbamp16_T1_run-002.xdf", tmp_path, capsys, "--seconds", "10")
    assert status == 0
    assert 10 * 256 <= report["samples_received"] < 12 * 256


@pytest.mark.slow
def test_64_channels_go_over_lsl_and_every_sample_arrives(data, tmp_path, capsys):
    import mne

    path = data / "eeg" / "eegmmidb64" / "S001R03.edf"
    raw = mne.io.read_raw_edf(path, verbose="error")
    status, report, _ = replayed(path, tmp_path, capsys, "--over-lsl", "--speed", "8")
    assert status == 0
    assert report["source"]["n_channels"] == 64
    assert report["samples_received"] == raw.n_times
    assert report["samples_lost"] == 0 and report["gaps"] == []
    assert sum(report["markers"].values()) == len(raw.annotations)


def test_nothing_is_written_where_there_is_no_recording(tmp_path, capsys):
    assert main(["replay", str(Path(os.sep) / "nowhere" / "rec.xdf"), "--out", str(tmp_path / "out")]) == 2
    assert not (tmp_path / "out").exists()
