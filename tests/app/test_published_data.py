"""Whoever has EEG-3D: the folder as published, from training to the table, and no further."""

import json

import numpy as np
import pytest
import torch

from app.cli import main
from app.commands import compare, train
from calibration.comparing import run as compare_run
from calibration.comparing.plan import Outcome
from calibration.datasets.eeg3d import OFFLINE_REASON
from calibration.decoding.read import from_eeg3d
from tests.app.test_train import Here
from tests.calibration.decoding.folders import small_folder

SYSTEM = "brainssd/static only"


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """Nothing in it is ours: no file says who made it; the authors' embeddings lie beside."""
    folder = small_folder(tmp_path_factory.mktemp("data") / "eeg3d", subjects=("sub01",), repeats=1)
    (folder / "origin.json").unlink()
    rng = np.random.default_rng(0)
    keys = [path.stem.partition("_")[2] for path in sorted(folder.glob("image/*/*.png"))]
    lengths = {"text": 1024, "video": 1024, "point": 768}
    features = {
        key: {kind: torch.from_numpy(rng.standard_normal(n).astype(np.float32)) for kind, n in lengths.items()}
        for key in keys
    }
    torch.save(features, folder / "clip_feature.pth")
    return folder


@pytest.fixture(scope="module")
def model(published, tmp_path_factory):
    """Trained by the command, in this process."""
    out = tmp_path_factory.mktemp("model") / "static"
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(train, "TrainingProcess", Here)
        assert main(["train", SYSTEM, "--data", str(published), "--epochs", "1", "--out", str(out)]) == 0
    return out


def test_a_model_of_it_is_trained_towards_the_authors_embeddings_and_is_offline_only(model):
    report = json.loads((model / "report.json").read_text())
    assert report["data"] == "EEG-3D" and not report["simulated"]
    assert report["encoder"] == "EEG-3D clip_feature.pth video"
    assert report["warnings"] == [f"offline only: {OFFLINE_REASON}"]


def test_it_is_evaluated_with_its_leaky_counterpart_of_the_same_budget_beside_it(published, model, tmp_path, capsys):
    call = ["evaluate", str(model), "--data", str(published), "--as-published", "--permutations", "19", "--json"]
    assert main([*call, "--out", str(tmp_path)]) == 0
    report = json.loads(capsys.readouterr().out)
    (table,) = (one for one in report["tables"] if one["title"].startswith("The published protocol"))
    assert {row[1] for row in table["rows"]} == {SYSTEM, "ridge"}
    assert all("not run" not in row[3] for row in table["rows"] if row[1] == SYSTEM)
    budgets = [row for one in report["tables"] if one["title"].startswith("Cost of a run") for row in one["rows"]]
    assert {row[5] for row in budgets} == {"by torch's counter", "by hand, one a weight"}
    passes = {row[0]: next(cell for cell in row if " x " in cell) for row in budgets if row[0].startswith(SYSTEM)}
    assert passes == {SYSTEM: "1 x 21", f"{SYSTEM}@published": "1 x 24"}
    assert any(OFFLINE_REASON in text for text in report["warnings"])


def test_one_call_makes_the_table_and_its_counterpart(published, tmp_path, capsys, monkeypatch):
    asked = []

    def linear_ones(orders, jobs, told, stopped):
        asked.extend(order.run.system for order in orders)
        for order in (one for one in orders if one.run.system.startswith("ridge")):
            record = compare_run.carry_out(order, from_eeg3d(order.data, order.run.participant))
            told(Outcome(order, record))

    monkeypatch.setattr(compare, "carry_out", linear_ones)
    call = ["compare", "--data", str(published), "--seeds", "0", "--permutations", "19", "--out", str(tmp_path)]
    assert main([*call, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert {"brainssd", "neuro3d", "brainssd@published", "neuro3d@published", "ridge@published"} <= set(asked)
    assert report["data"]["size"] == "full" and report["data"]["encoder"] == "EEG-3D clip_feature.pth video"
    (table,) = (one for one in report["tables"] if one["title"].startswith("The published protocol"))
    assert table["rows"] and all("not run" not in row[3] for row in table["rows"])


def test_live_refuses_a_model_of_it_with_the_reason(model, capsys):
    assert main(["live", "--source", "sim", "--subject", str(model)]) == 2
    assert f"may not decode live: {OFFLINE_REASON}" in capsys.readouterr().err
