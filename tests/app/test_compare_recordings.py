import json
from pathlib import Path
from types import MappingProxyType

import pytest
import torch
from torch import nn

from app.cli import main
from calibration.comparing import single
from tests.calibration.smni import archive

EVENTS = ["--event", "match=S2 match", "--event", "nomatch=S2 nomatch"]
QUICK = ["--systems", "small", "--seeds", "0,1", "--permutations", "19"]


@pytest.fixture(autouse=True)
def networks(monkeypatch):
    """A network that takes no time."""

    def small(window):
        network = nn.Sequential(nn.AvgPool1d(16), nn.Flatten(), nn.LazyLinear(window.n_classes))
        network(torch.zeros(1, window.n_channels, window.n_samples))
        return network

    monkeypatch.setattr(single, "NETWORKS", MappingProxyType({"small": small}))


@pytest.fixture(scope="module")
def archives(tmp_path_factory):
    folder = tmp_path_factory.mktemp("smni")
    return [str(archive(folder, person, seed)) for seed, person in enumerate("abc")]


@pytest.fixture(autouse=True)
def few_refits(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "few.toml").write_text("[calibrate]\nn_permutations = 19\n")
    return ["--config", "few.toml", "--out", "out"]


def test_participants_are_compared_and_the_report_says_what_it_rests_on(archives, few_refits, capsys):
    assert main(["compare", *archives, *EVENTS, "--leave-out", "participant", *QUICK, *few_refits]) == 0
    said = capsys.readouterr()
    assert "match 30, nomatch 30; 4 channels, 0 to 1 s; 3 blocks held out in turn" in said.out
    assert "Each participant left out" in said.out and "offline only" in said.err
    assert "no embeddings of these pictures exist" in said.err
    report = json.loads(Path("out/report.json").read_text())
    assert report["offline_only"] and not report["simulated"] and report["over"] == "participants"
    row = report["rows"][-1]
    assert row["system"] == "small" and row["mean"] > 0.6 and len(row["participants"]) == 3 and len(row["starts"]) == 2
    assert report["validation"][-1]["p_permutation"] == row["p"] == 0.05
    assert "small" in Path("out/report.html").read_text()


def test_json_is_the_report_and_nothing_else(archives, few_refits, capsys):
    assert main(["compare", archives[0], *EVENTS, *QUICK, *few_refits, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["over"] == "trials" and report["files"] == ["a.tar"] and len(report["tables"]) == 1


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ([], "neither"),
        (["there.xdf", "--data", "."], "both"),
        (["nothing.xdf", *EVENTS], "no such file"),
        (["ARCHIVE", "there.xdf", *EVENTS], "compare them apart"),
        (["ARCHIVES", *EVENTS], "--leave-out participant"),
        (["ARCHIVE", *EVENTS, "--leave-out", "participant"], "3 participants or more"),
        (["ARCHIVE", *EVENTS, "--systems", "svm"], "svm"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_one_line(arguments, word, archives, tmp_path, capsys):
    (tmp_path / "there.xdf").write_bytes(b"XDF:")
    given = [one for a in arguments for one in {"ARCHIVE": archives[:1], "ARCHIVES": archives}.get(a, [a])]
    assert main(["compare", *given]) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert word in said[-1] and said[-1].startswith("afterimage: ")
