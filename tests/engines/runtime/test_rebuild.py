import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from engines.errors import InputError
from engines.models.base import step
from engines.models.enigma import Enigma, EnigmaConfig
from engines.runtime.base import open_runtime, why_not
from engines.runtime.bench import timed
from engines.runtime.check import check
from engines.runtime.errors import BadModel
from engines.runtime.export import export
from engines.runtime.folder import NETWORK, SPEC, Exported
from engines.runtime.rebuild import NETWORKS, network_of
from engines.runtime.seeded import seeded
from engines.runtime.types import Options

RANGES = {"subject": (0, 1)}


@pytest.fixture(autouse=True)
def threads():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def enigma() -> Enigma:
    torch.manual_seed(0)
    return Enigma(EnigmaConfig(n_channels=4, n_samples=60, subjects=2, filters=3, dim=8)).eval()


@pytest.fixture
def folder(tmp_path):
    return export(enigma(), tmp_path / "enigma", RANGES).folder


def test_torch_rebuilds_the_network_of_a_folder_and_gives_its_numbers(folder):
    exported = Exported.read(folder)
    runtime = open_runtime(folder, ["torch"])
    inputs = seeded(exported.spec, 3, 5, RANGES)
    np.testing.assert_array_equal(runtime(inputs)["embedding"], step(enigma(), inputs)["embedding"])
    assert runtime.describe().model == "Enigma"


def test_a_folder_is_checked_and_timed_in_torch_too(folder):
    found = {c.runtime: c for c in check(Exported.read(folder), names=["torch"])}
    assert (found["torch"].refused, found["torch"].absent) == ("", "")
    assert found["torch"].agreement
    assert timed(folder, "torch", Options(), 3, 1).runtime == "torch"


def test_every_network_that_can_be_rebuilt_has_sizes_that_survive_json():
    for name, (module, of_config) in NETWORKS.items():
        there = __import__(module, fromlist=[name])
        config = getattr(there, of_config)()
        assert getattr(there, of_config)(**json.loads(json.dumps(vars(config)))) == config
        assert hasattr(there, name)


def test_a_network_that_is_none_of_ours_runs_as_a_graph_alone(exported):
    assert exported.source is None
    assert "holds the graph alone" in (why_not("torch", exported) or "")
    with pytest.raises(InputError, match="graph alone"):
        network_of(exported)


def test_altered_weights_are_refused(folder):
    path = folder / NETWORK
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(BadModel, match="altered"):
        open_runtime(folder, ["torch"])


@pytest.mark.parametrize("change", [{"dim": 9}, {"heads": 2}, {"n_samples": 1}])
def test_sizes_that_are_not_those_of_the_weights_are_refused(folder, change):
    told = json.loads((folder / SPEC).read_text())
    told["source"]["config"].update(change)
    (folder / SPEC).write_text(json.dumps(told))
    with pytest.raises(BadModel, match="not of the network"):
        open_runtime(folder, ["torch"])


def test_an_export_leaves_no_thread_behind(tmp_path):
    code = (
        "import sys, threading; from pathlib import Path; from engines.runtime.export import export;"
        "from tests.engines.runtime.small import RANGES, Small;"
        "export(Small(), Path(sys.argv[1]), RANGES); print([t.name for t in threading.enumerate()])"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "small")]
    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert told.stdout.strip().endswith("['MainThread']")
