"""From a simulated recording to answers as the object turns, by the commands a user gives."""

import argparse
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.cli import build_parser, main
from app.commands.demo import Extent, demo
from app.sheet import TILE_PX
from calibration.decoding.subject import AnytimeSubject
from calibration.simulate import SimulateConfig, to_file
from calibration.subjects import load
from engines.generators.meshes import read_surface
from pipeline.anytime import Windows

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
STEPS = (0, *Windows().steps)


def simulated(path: Path, run: int, objects: tuple[str, ...], repeats: int) -> Path:
    config = SimulateConfig(seed=3, run=run, n_categories=2, repeats=repeats, protocol="eeg3d", objects=objects)
    to_file(config, path, lambda share: None)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("calibrated")
    recording = simulated(made / "first.xdf", 0, ("00", "01", "02"), 6)
    assert main(["calibrate", str(recording), "--system", "brainssd", "--epochs", "1", "--out", str(made / "P3")]) == 0
    return made


def test_the_report_of_a_calibration_tells_all_of_it(folder):
    report = json.loads((folder / "P3" / "report.json").read_text())
    assert report["classes"] == ["face", "house"] and report["n_epochs"] == 12 and report["simulated"]
    assert [row["system"] for row in report["validation"]][:2] == ["brainssd", "brainssd"]
    assert {row["system"] for row in report["validation"]} >= {"lda", "linear map to embeddings"}
    assert all(row["n"] == 4 for row in report["validation"]), "the last object of two categories, twice each"
    assert [stage["n_dynamic"] for stage in report["by_stage"]] == list(STEPS)
    assert 0 < report["training"]["seconds"] < report["seconds"]
    assert len(report["coupling"]["mi"]) == 64 and sum(map(sum, report["confusion"])) == 4
    page = (folder / "P3" / "report.html").read_text()
    for part in ("As the object turns", "Confusion", "Coupling", "Share of right answers over their confidence"):
        assert part in page


def test_the_subject_knows_which_objects_taught_it(folder):
    subject = load(folder / "P3")
    assert isinstance(subject, AnytimeSubject)
    shown = {known.key: known.shown for known in subject.manifest.gallery}
    assert len(shown) == 20
    assert [shown[f"face/{n:02d}"] for n in range(4)] == ["training", "selection", "validation", "never"]
    assert subject.was_calibrated_on(folder / "first.xdf")


def test_a_replay_answers_every_trial_by_stages(folder):
    other = simulated(folder / "other.xdf", 1, ("08", "09"), 2)
    out = folder / "replayed"
    assert main(["replay", str(other), "--subject", str(folder / "P3"), "--out", str(out)]) == 0
    report = json.loads((out / "report.json").read_text())
    decisions = report["decisions"]
    assert [(d["trial"], d["n_dynamic"]) for d in decisions] == [(trial, n) for trial in range(4) for n in STEPS]
    assert {d["stage"] for d in decisions} == {"static", "refined", "fused"}
    assert all(abs(sum(d["probabilities"].values()) - 1) < 1e-9 for d in decisions)
    assert all({n["key"].split("/")[0] for n in d["nearest"]} <= {"face", "house"} for d in decisions)
    assert [row["n"] for row in report["accuracy"]["by_stage"]] == [4] * len(STEPS)


def test_the_demo_ends_with_the_same_answers_in_its_replay(tmp_path, capsys):
    options = build_parser().parse_args(["demo", "--headless", "--out", str(tmp_path / "demo"), "--json"])
    options = argparse.Namespace(**vars(options), epochs=1)
    out = tmp_path / "demo"
    assert demo(options, Extent(categories=2, calibration_repeats=9, live_repeats=1)) == 0
    captured = capsys.readouterr()
    report = json.loads(captured.out)
    assert "the same" in captured.err and "NOT the same" not in captured.err
    assert report["epochs"]["accepted"] == 2
    assert {d["stage"] for d in report["decisions"]} >= {"static", "fused"}
    told = report["reconstruction"]
    assert set(told["generators"]) == {"picture", "mesh", "caption"} and "simulated participant" in told["told"]
    assert told["made"] > 0 and (told["failed"], told["restarts"]) == (0, 0)
    assert all(told["ms"][kind]["n"] == told["made"] for kind in ("picture", "mesh", "caption"))
    assert told["trials"] and {row["trial"] for row in told["trials"]} <= {d["trial"] for d in report["decisions"]}
    for trial in told["trials"]:
        with Image.open(out / trial["picture"]) as picture:
            assert np.ptp(np.asarray(picture.convert("RGB"))) > 0, "not one colour all over"
        assert len(read_surface(out / trial["mesh"]).faces) > 0 and trial["caption"] and not trial["error"]
    with Image.open(out / "reconstructions.png") as sheet:
        assert sheet.width > 4 * TILE_PX and np.ptp(np.asarray(sheet)) > 0
