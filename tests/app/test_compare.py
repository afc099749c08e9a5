import json

import pytest

from app.cli import main
from app.commands import compare
from app.commands.compare import names
from app.tables import lines_of
from calibration.comparing import run as compare_run
from calibration.comparing.plan import Outcome
from calibration.decoding.models import making_of, save_model
from calibration.decoding.read import from_eeg3d
from calibration.recipes.systems import systems
from tests.calibration.decoding.folders import small_folder


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return small_folder(tmp_path_factory.mktemp("data") / "eeg3d", effect=0.2)


@pytest.fixture
def done(monkeypatch):
    """Runs are done in this process; those of `broken` fail. Answers which were asked for."""
    asked = []

    def carry_out(orders, jobs, told, stopped):
        for order in orders:
            asked.append(str(order.run))
            if order.run.system == "ridge@eyes":
                told(Outcome(order, None, "no such luck"))
                continue
            record = compare_run.carry_out(order, from_eeg3d(order.data, order.run.participant))
            order.path.parent.mkdir(parents=True, exist_ok=True)
            order.path.write_text(json.dumps(record.to_dict()))
            told(Outcome(order, record))

    monkeypatch.setattr(compare, "carry_out", carry_out)
    return asked


def test_a_comparison_is_reported_goes_on_and_says_what_failed(data, done, tmp_path, capsys):
    call = ["compare", "--data", str(data), "--participants", "1", "--seeds", "0", "--permutations", "19",
            "--out", str(tmp_path / "out"), "--note", "quiet"]  # fmt: skip
    assert main([*call, "--systems", "ridge@shuffled"]) == 0
    assert done == ["ridge, participant sub01, seed 0", "ridge@shuffled, participant sub01, seed 0"]
    capsys.readouterr()
    assert main([*call, "--systems", "ridge,ridge@eyes", "--json"]) == 0
    assert done[2:] == ["ridge@eyes, participant sub01, seed 0"]
    report = json.loads(capsys.readouterr().out)
    assert report == json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["validation"][0]["system"] == "ridge"
    assert report["data"]["note"] == "quiet" and report["simulated"]
    assert any("ridge@eyes, participant sub01, seed 0 failed: no such luck" in text for text in report["warnings"])
    assert (tmp_path / "out" / "report.html").is_file()


def test_the_tables_are_told_in_the_terminal(data, done, tmp_path, capsys):
    assert main(["compare", "--data", str(data), "--participants", "sub02", "--seeds", "0", "--systems", "ridge",
                 "--permutations", "19", "--out", str(tmp_path)]) == 0  # fmt: skip
    told = capsys.readouterr().out
    assert "a test, SNR 7; participants sub02; seeds 0; pocket size" in told
    assert "Single trials, whole turn" in told and "Cost of a run" in told


def test_a_comparison_without_any_run_has_failed(data, done, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(compare, "carry_out", lambda orders, jobs, told, stopped: None)
    assert main(["compare", "--data", str(data), "--systems", "ridge", "--out", str(tmp_path)]) == 1
    assert "not one of 6 runs is done" in capsys.readouterr().err


def test_wrong_names_are_refused_before_anything_is_done(data, done, tmp_path):
    assert main(["compare", "--data", str(data), "--systems", "brain", "--out", str(tmp_path)]) == 2
    assert main(["compare", "--data", str(data), "--participants", "9", "--out", str(tmp_path)]) == 2
    assert main(["compare", "--data", str(tmp_path), "--out", str(tmp_path)]) == 2
    assert main(["compare", "--data", str(data), "--seeds", "3-1", "--out", str(tmp_path)]) == 2
    assert main(["compare", "--data", str(data), "--encoder", "eyes", "--out", str(tmp_path)]) == 2
    assert done == []


def test_a_model_is_evaluated_beside_the_baseline(data, tmp_path, capsys):
    trials = from_eeg3d(data, "sub01")
    parts, name = compare_run.parts_of(trials, "", 0), "ridge/static only"
    fitted = systems("pocket")[name].fit(parts.training, parts.selection, 0)
    making = making_of(parts.training, parts.selection, system=name, size="pocket", seed=0, data="d")
    save_model(tmp_path / "model", fitted, making)
    assert main(["evaluate", str(tmp_path / "model"), "--data", str(data), "--permutations", "19", "--json",
                 "--out", str(tmp_path / "out")]) == 0  # fmt: skip
    report = json.loads(capsys.readouterr().out)
    assert {row["system"] for row in report["validation"]} == {"ridge", name}
    assert {"classes", "n_epochs", "validation", "warnings"} <= set(report)
    assert report["model"]["system"] == name
    assert (tmp_path / "out" / "report.html").is_file()


def test_a_folder_without_a_model_is_refused(data, tmp_path, capsys):
    assert main(["evaluate", str(tmp_path), "--data", str(data)]) == 2
    assert "holds no trained model" in capsys.readouterr().err


def test_names_stand_between_commas():
    assert names("brainssd, ridge/static only,") == ("brainssd", "ridge/static only")
    assert names(None) == ()


def test_words_stand_left_and_numbers_right():
    table = {"head": ["system", "%"], "rows": [["a", "1.0"], ["longer one", "12.0"]], "n_text": 1}
    assert list(lines_of(table)) == ["system         %", "a            1.0", "longer one  12.0"]
