import json
import threading

import pytest
import torch

from app.cli import main
from app.commands import train as command
from calibration.decoding.process import Finished, Standing
from calibration.decoding.steps import Step
from calibration.recipes import pocket_pictures, pocket_shape, pocket_vision
from engines.generators.pocket import SD15, SDXL, PicturesOrigin
from engines.generators.shape import Drawing, PocketShape, ShapeConfig, ShapeNet, ShapeOrigin
from engines.vision.pocket import PocketConfig, PocketNet, PocketOrigin, PocketVision
from tests.calibration.decoding.folders import small_folder

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


def test_a_trained_shape_decoder_is_written_with_a_report(monkeypatch, tmp_path):
    def train(seed, cache, progress, snapshot):
        progress(1.0)
        net = ShapeNet(ShapeConfig(dim=8, hidden=8, side=2, channels=(4, 4), features=8, grid=8))
        return PocketShape(net, Drawing(0.5, 0.2, 2.0), ShapeOrigin("a", "b", seed, {"f_score": 0.5}))

    monkeypatch.setattr(pocket_shape, "train", train)
    threads = torch.get_num_threads()
    assert main(["train", "pocket-shape", "--seed", "4", "--out", str(tmp_path / "new")]) == 0
    torch.set_num_threads(threads)
    assert PocketShape.load(tmp_path / "new" / "pocket-shape.safetensors").origin.seed == 4
    assert json.loads((tmp_path / "new" / "report.json").read_text())["scores"] == {"f_score": 0.5}


def test_both_picture_generators_are_written_with_a_report(monkeypatch, tmp_path, capsys):
    def train(seed, cache, out, progress):
        progress(1.0)
        return {name: PicturesOrigin("a", "b", "some", seed, {"identified": 0.5}, "") for name in (SDXL, SD15)}

    monkeypatch.setattr(pocket_pictures, "train", train)
    threads = torch.get_num_threads()
    assert main(["train", "pocket-pictures", "--seed", "4", "--out", str(tmp_path / "new")]) == 0
    torch.set_num_threads(threads)
    report = json.loads((tmp_path / "new" / "report.json").read_text())
    assert report["weights"] == str(tmp_path / "new" / "pocket-sdxl")
    assert {came["seed"] for came in report["origins"].values()} == {4}
    assert "identified 0.500" in capsys.readouterr().out


def test_an_unknown_system_is_refused_with_those_that_can_be_trained(capsys):
    assert main(["train", "brain"]) == 2
    assert "pocket-vision" in capsys.readouterr().err


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return small_folder(tmp_path_factory.mktemp("data") / "eeg3d", subjects=("sub01",), repeats=1)


class Here:
    """A training process that is none: everything at once, in this one."""

    def __init__(self, order):
        self.order = order

    def __enter__(self):
        self.said = []
        result = self.order(lambda step: self.said.append(Standing(step, 100.0)))
        self.said.append(Finished(result))
        return self

    def __exit__(self, *exception):
        pass

    def poll(self, timeout_s):
        return self.said.pop(0)


@pytest.fixture
def here(monkeypatch):
    monkeypatch.setattr(command, "TrainingProcess", Here)


def call(data, out, *more):
    return main(["train", "brainssd/static only", "--data", str(data), "--epochs", "2", "--out", str(out), *more])


def test_a_decoder_is_trained_and_reported(here, data, tmp_path, capsys):
    out = tmp_path / "static"
    assert call(data, out, "--json") == 0
    said = capsys.readouterr()
    report = json.loads(said.out)
    told = [line for line in said.err.splitlines() if line.startswith(("multiply-adds", "FLOPs", "tokens"))]
    assert len(told) == 3 and f"{report['work']['flops']:,}" in told[1] and "torch's counter" in told[1]
    assert report == json.loads((out / "report.json").read_text())
    assert report["finished"] and report["simulated"] and len(report["history"]) == 2
    page = (out / "report.html").read_text()
    assert "Loss and score of selection by epoch" in page and "FLOPs of one trial" in page
    assert call(data, out) == 2
    assert "holds a trained model already" in capsys.readouterr().err


@pytest.mark.slow
def test_a_real_process_trains(data, tmp_path, capsys):
    assert call(data, tmp_path / "real") == 0
    said = capsys.readouterr()
    assert "no measure of accuracy" in said.out
    assert (tmp_path / "real" / "model.json").is_file()


def test_a_signal_stops_it_and_the_next_call_says_that_it_goes_on(monkeypatch, data, tmp_path, capsys):
    class Stopping(Here):
        def __enter__(self):
            try:
                self.order(self.stopped)
            except KeyboardInterrupt:
                return self

        def stopped(self, step):
            raise KeyboardInterrupt

        def poll(self, timeout_s):
            signalled.set()
            return Standing(Step(0.5, 1, 2, 1.0, 0.5), None)

    signalled, out = threading.Event(), tmp_path / "stopped"

    class Signals:
        def __enter__(self):
            return signalled

        def __exit__(self, *exception):
            pass

    monkeypatch.setattr(command, "stop_on_signals", Signals)
    monkeypatch.setattr(command, "TrainingProcess", Stopping)
    assert call(data, out) == 0
    assert "goes on from the last whole epoch" in capsys.readouterr().out
    monkeypatch.undo()
    monkeypatch.setattr(command, "TrainingProcess", Here)
    assert call(data, out, "--json") == 0
    said = capsys.readouterr()
    assert "going on from" in said.err
    assert json.loads(said.out)["resumed_after_epoch"] == 1


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["brainssd"], "--data"),
        (["pocket-vision", "--data", "."], "leave out --data"),
        (["pocket-pictures", "--data", "."], "leave out --data"),
        (["brainssd", "--data", "nowhere"], "nowhere"),
        (["brainssd/without wings", "--data", "."], "brainssd/without coupling"),
        (["brainssd", "--data", ".", "--epochs", "0"], "above 0"),
        (["brainssd", "--data", ".", "--learning-rate", "0"], "above 0"),
        (["pocket-shape", "--learning-rate", "1e-3"], "belongs to decoders"),
    ],
)
def test_a_wrong_call_is_refused(arguments, word, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["train", *arguments]) == 2
    assert word in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
