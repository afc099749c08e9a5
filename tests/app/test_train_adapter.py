import json
from pathlib import Path

import pytest

from app.cli import main
from app.commands import train as command
from calibration.tuning import AdapterOrder
from tests.app.test_train import Here

FIELDS = {
    "command": "train", "system": "adapter", "verdict": {"text": "better", "colour": ""}, "warnings": ["simulated"],
}  # fmt: skip


@pytest.fixture
def orders(monkeypatch):
    """Fine-tuning that takes no time, and what was ordered."""
    asked: list[AdapterOrder] = []

    def done(self, progress):
        asked.append(self)
        return dict(FIELDS)

    monkeypatch.setattr(command, "TrainingProcess", Here)
    monkeypatch.setattr(AdapterOrder, "check", lambda self: None)
    monkeypatch.setattr(AdapterOrder, "__call__", done)
    return asked


def test_an_adapter_is_ordered_as_it_was_called_for(orders, tmp_path, capsys):
    config = tmp_path / "config.toml"
    config.write_text('[reconstruction]\nsdxl_turbo = "turbo"\nsteps = 2\n')
    call = ["--data", "data", "--model", "model", "--generator", "sdxl-turbo", "--epochs", "3", "--seed", "5"]
    out = tmp_path / "out"
    assert main(["train", "adapter", *call, "--config", str(config), "--out", str(out), "--json"]) == 0
    (order,) = orders
    assert (order.data, order.model, order.out) == (Path("data"), Path("model"), out)
    assert (order.generator, order.epochs, order.seed) == ("sdxl-turbo", 3, 5)
    assert (order.generators.sdxl_turbo, order.generators.steps) == (Path("turbo"), 2)
    told = capsys.readouterr()
    assert json.loads(told.out)["finished"] and "simulated" in told.err
    assert (out / "report.html").exists()


def test_an_adapter_needs_a_decoder_and_trials(capsys):
    assert main(["train", "adapter", "--data", "data"]) == 2
    assert "--model DIR" in capsys.readouterr().err
