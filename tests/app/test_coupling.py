"""`afterimage coupling` on small recordings."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from app.cli import main
from pipeline.coupling import modulation_index
from pipeline.types import Array, Channel, StreamInfo
from pipeline.xdf.writer import XdfWriter
from tests.pipeline.coupling.signals import coupled

FS = 250.0
NAMES = ("F3", "Fz", "F4", "C3", "Cz", "C4", "Pz", "Oz", "flat")
DEPTH = {"Cz": 1.0}


def recording(seconds: float = 30.0) -> Array:
    data = [coupled(DEPTH.get(name, 0.0), seconds, FS, seed=i)[0] for i, name in enumerate(NAMES)]
    data[-1] = np.full(data[0].size, 3.0)
    return np.stack(data).astype(np.float32)


def write(
    path: Path, data: Array, markers: Sequence[tuple[float, str]] = (), unit: str | None = "uV", simulated: bool = False
) -> Path:
    info = StreamInfo(
        "amp", "EEG", len(NAMES), FS, "float32", "amp", channels=tuple(Channel(n, unit=unit) for n in NAMES),
        simulated=simulated,
    )  # fmt: skip
    with XdfWriter(path) as writer:
        eeg = writer.add_stream(info)
        stream = writer.add_stream(StreamInfo("markers", "Markers", 1, 0.0, "string", "markers"))
        for first in range(0, data.shape[1], 50):
            chunk = data[:, first : first + 50]
            writer.write_samples(eeg, 100 + np.arange(first, first + chunk.shape[1]) / FS, chunk)
        for at_s, label in markers:
            writer.write_samples(stream, [100 + at_s], [label])
    return path


def measured(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict:
    assert main(["coupling", *map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_whole_recording_is_measured_where_no_event_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = recording()
    path = write(tmp_path / "a.xdf", data, [(5.0, "stim/a/0")], simulated=True)
    report = measured(capsys, path, "--out", tmp_path / "out", "--surrogates", 99)
    assert report["channels"] == list(NAMES)
    assert report["phase_hz"] == [4, 8] and report["amplitude_hz"] == [30, 45]
    assert report["n_surrogates"] == 99 and report["n_trials"] is None and report["seconds_used"] == 30.0
    whole = modulation_index(data, data, FS, (4, 8), (30, 45))
    assert report["mi"][:-1] == pytest.approx(whole[:-1], rel=0.05, abs=1e-4)
    assert report["mi"][-1] is report["z"][-1] is report["p"][-1] is None
    assert int(np.argmax(report["mi"][:-1])) == NAMES.index("Cz") and report["p"][4] == 0.01
    assert report["comodulogram"]["channel"] == "Cz"
    assert report["over_time"]["start_s"] == pytest.approx([0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28])
    assert np.mean(report["over_time"]["excess"]) > 0.01
    assert report["simulated"] is True and "numpy" in report["versions"]
    assert any("flat" in text for text in report["warnings"])
    assert any("follows phases up to 7.5 Hz" in text for text in report["warnings"])
    assert "Whitham" in report["caveat"] and "Tort" in report["estimator"] and "shifted" in report["null"]
    page = (tmp_path / "out" / "report.html").read_text()
    assert json.loads((tmp_path / "out" / "report.json").read_text()) == report
    assert "Yuval-Greenberg" in page and "Simulated participant" in page and page.count("<img") == 5


def test_trials_are_measured_against_their_shuffles(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    markers = [(2.0 + k, ("stim/a/0", "stim/b/0")[k % 2]) for k in range(26)] + [(29.9, "stim/a/0")]
    path = write(tmp_path / "a.xdf", recording(), markers)
    report = measured(
        capsys, path, "--event", "a=stim/a/*", "--event", "b=stim/b/*", "--window", "0", "0.9", "--out", tmp_path / "o"
    )
    assert report["n_trials"] == 26 and report["trials"]["rejected"] == {"end of data": 1}
    assert report["window_s"] == [0, 0.9] and "one trial with the amplitude of another" in report["null"]
    assert report["over_time"] is None
    assert {name: c["n_trials"] for name, c in report["by_class"].items()} == {"a": 13, "b": 13}
    assert int(np.argmax(report["z"][:-1])) == NAMES.index("Cz")


def test_the_same_seed_gives_the_same_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "a.xdf", recording(12.0))
    one, same, other = (measured(capsys, path, "--out", tmp_path / "o", "--seed", s) for s in (1, 1, 2))
    assert one == same and one["z"] != other["z"] and one["mi"] == other["mi"]


def test_no_unit_is_needed_and_none_of_the_surrogates_may_be_wanted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "a.xdf", recording(12.0), unit=None)
    report = measured(capsys, path, "--surrogates", 0, "--seconds", 6, "--out", tmp_path / "o")
    assert report["mi"][4] > 0 and report["z"] == [None] * len(NAMES)
    assert report["seconds_used"] < 8


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--amplitude", "30-200"], "112.5 Hz"),
        (["--phase", "4-13"], "17 Hz wide"),
        (["--phase", "8-4"], "goes up"),
        (["--phase", "fast"], "LOW-HIGH"),
        (["--phase", "4-12", "--amplitude", "10-60"], "overlap"),
        (["--event", "a=nothing/*"], "no marker matches"),
        (["--window", "0", "1"], "--event"),
        (["--event", "a=stim/*"], "two trials"),
        (["--event", "a=stim/*", "--window", "1", "0"], "ends after it starts"),
        (["--surrogates", "-1"], "0 or more"),
    ],
)
def test_what_says_nothing_is_refused_in_one_line(
    arguments: list[str], word: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "a.xdf", recording(4.0), [(2.0, "stim/a/0")])
    assert main(["coupling", str(path), "--out", str(tmp_path / "o"), *arguments]) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert said[-1].startswith("afterimage: ") and word in said[-1]
    assert not (tmp_path / "o").exists()


def test_a_recording_at_60_hz_mains_says_so_in_its_configuration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "a.xdf", recording(8.0))
    (tmp_path / "c.toml").write_text("[chain]\nmains_hz = 60\n")
    report = measured(capsys, path, "--config", tmp_path / "c.toml", "--out", tmp_path / "o")
    assert report["mains_hz"] == 60
    greyed = report["comodulogram"]["why_not"]
    column = report["comodulogram"]["amplitude_hz"].index(60.0)
    assert "mains leave" in greyed[-1][column]
