import numpy as np
import onnx
import pytest
import torch

from engines.errors import InputError
from engines.models.base import step
from engines.runtime import export as module
from engines.runtime.agreement import compare
from engines.runtime.errors import Disagreement, ExportFailed
from engines.runtime.export import OPSET, export
from engines.runtime.ort import OnnxRuntime
from engines.runtime.seeded import seeded
from engines.runtime.types import Options
from tests.engines.runtime.small import RANGES, Small


@pytest.mark.parametrize("batch", [1, 3, 17])
def test_onnx_runtime_gives_what_eager_torch_gives_for_any_batch(exported, batch):
    inputs = seeded(exported.spec, batch, 99, RANGES)
    for found in compare(exported.spec, step(Small().eval(), inputs), OnnxRuntime(exported, Options())(inputs)):
        assert found.relative < 1e-6
        assert found.cosine > 1 - 1e-9


def test_the_graph_is_of_the_pinned_opset_with_the_names_of_the_specification(exported):
    graph = onnx.load(exported.graph_path("float32"))
    assert [(o.domain, o.version) for o in graph.opset_import] == [("", OPSET)]
    assert [i.name for i in graph.graph.input] == ["eeg", "n"]
    assert [o.name for o in graph.graph.output] == ["embedding", "category"]
    assert {i.type.tensor_type.shape.dim[0].dim_param for i in graph.graph.input} == {"batch"}


def test_the_folder_holds_the_graph_its_reference_and_what_they_are(exported):
    assert sorted(p.name for p in exported.folder.iterdir()) == ["model.onnx", "reference.safetensors", "spec.json"]
    assert [a["output"] for a in exported.graphs["float32"].agreement] == ["embedding", "category"]
    assert set(exported.versions) >= {"torch", "onnx", "onnxscript", "onnxruntime"}


def test_the_reference_is_eager_torchs_answer(exported):
    reference = exported.reference
    answers = step(Small().eval(), seeded(exported.spec, reference.batch, reference.seed, exported.ranges))
    np.testing.assert_array_equal(exported.reference_outputs()["embedding"], answers["embedding"])


def test_a_network_in_training_is_exported_in_evaluation_and_left_in_training(tmp_path, monkeypatch):
    network = Small().train()
    modes = []
    monkeypatch.setattr(module, "_written", lambda network, *_: modes.append(network.training))
    monkeypatch.setattr(module, "_moved", lambda *_: None)
    export(network, tmp_path / "model", RANGES)
    assert (modes, network.training) == ([False], True)


def test_a_graph_that_disagrees_is_not_written(tmp_path, monkeypatch):
    other = module.graph_of(Small(seed=1).eval())
    monkeypatch.setattr(module, "graph_of", lambda _: other)
    with pytest.raises(Disagreement, match=r"embedding: .* apart .*nothing was written"):
        export(Small(), tmp_path / "model", RANGES)
    assert list(tmp_path.iterdir()) == []


def test_a_network_that_branches_on_values_says_why_it_cannot_be_exported(tmp_path):
    class Branching(Small):
        def forward(self, eeg, n):
            return super().forward(eeg if eeg.mean() > 0 else -eeg, n)

    with pytest.raises(ExportFailed, match="Branching"):
        export(Branching(), tmp_path / "model", RANGES)
    assert list(tmp_path.iterdir()) == []


def test_a_network_whose_batch_is_a_constant_is_refused(tmp_path):
    class Fixed(Small):
        def forward(self, eeg, n):
            return super().forward(eeg + torch.zeros(2, 1, 1), n)

    with pytest.raises(ExportFailed, match="batch"):
        export(Fixed(), tmp_path / "model", RANGES)


def test_a_folder_with_files_is_never_written_into(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="new or empty"):
        export(Small(), tmp_path, RANGES)


def test_integer_inputs_need_their_range(tmp_path):
    with pytest.raises(InputError, match="n"):
        export(Small(), tmp_path / "model")
