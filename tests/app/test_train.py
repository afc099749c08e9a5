import json

import pytest
import torch

from app.cli import main
from calibration.recipes import pocket_vision
from engines.vision.pocket import PocketConfig, PocketNet, PocketOrigin, PocketVision

TINY = PocketConfig(size_px=32, channels=(4, 8), cell_channels=2, dim=8)


@pytest.fixture
def seeds(monkeypatch):
    """Training that takes no time, and the seeds it was asked for."""
    asked = []

    def train(seed, cache, progress):
        asked.append(seed)
        progress(1.0)
        return PocketVision(TINY, PocketNet(TINY), PocketOrigin("a", "b", seed, {"front": 0.75}))

    monkeypatch.setattr(pocket_vision, "train", train)
    threads = torch.get_num_threads()
    yield asked
    torch.set_num_threads(threads)


def test_trained_weights_and_a_report_are_written(seeds, tmp_path, capsys):
    assert main(["train", "pocket-vision", "--seed", "4", "--out", str(tmp_path / "new"), "--json"]) == 0
    assert seeds == [4]
    assert PocketVision.load(tmp_path / "new" / "pocket.safetensors").origin.scores == {"front": 0.75}
    report = json.loads(capsys.readouterr().out)
    assert report == json.loads((tmp_path / "new" / "report.json").read_text())
    assert (report["seed"], report["scores"], report["trained_on"]) == (4, {"front": 0.75}, "a")


def test_an_unknown_system_is_refused_with_those_that_can_be_trained(capsys):
    assert main(["train", "brain"]) == 2
    assert "pocket-vision" in capsys.readouterr().err
