import json

import numpy as np
import onnx
import pytest
from onnx import helper

from engines.errors import InputError
from engines.runtime import half as module
from engines.runtime.errors import Disagreement
from engines.runtime.folder import Exported
from engines.runtime.half import KEPT_OPERATORS, add_half, half_of
from engines.runtime.ort import OnnxRuntime
from engines.runtime.seeded import seeded
from engines.runtime.types import Options
from tests.engines.runtime.small import RANGES


def types_of(model: onnx.ModelProto) -> dict[str, int]:
    """Element type of every value, by onnx's own inference, which fails where types do not fit."""
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True, check_type=True)
    values = [*inferred.graph.value_info, *inferred.graph.input, *inferred.graph.output]
    return {v.name: v.type.tensor_type.elem_type for v in values} | {
        w.name: w.data_type for w in inferred.graph.initializer
    }


@pytest.fixture(scope="module")
def graph(exported) -> onnx.ModelProto:
    return half_of(onnx.load(exported.graph_path("float32")))


def test_products_are_half_precision_and_the_kept_operators_are_not(graph):
    types = types_of(graph)
    products = [n for n in graph.graph.node if n.op_type in ("MatMul", "Gemm")]
    kept = [n for n in graph.graph.node if n.op_type in KEPT_OPERATORS]
    assert products
    assert kept
    assert {types[n.output[0]] for n in products} == {onnx.TensorProto.FLOAT16}
    assert {types[n.output[0]] for n in kept} == {onnx.TensorProto.FLOAT}


def test_inputs_and_outputs_keep_their_types(exported, graph):
    types = types_of(graph)
    names = {"float32": onnx.TensorProto.FLOAT, "int64": onnx.TensorProto.INT64}
    for tensor in (*exported.spec.inputs, *exported.spec.outputs):
        assert types[tensor.name] == names[tensor.dtype]


def test_no_value_is_written_twice_and_every_one_before_it_is_read(graph):
    onnx.checker.check_model(graph, full_check=True)
    names = [name for node in graph.graph.node for name in node.output]
    assert len(set(names)) == len(names)


def test_a_module_kept_in_float32_has_no_half_precision_inside(exported):
    plain = half_of(onnx.load(exported.graph_path("float32")))
    kept = half_of(onnx.load(exported.graph_path("float32")), ["embed"])

    def halved(model: onnx.ModelProto) -> bool:
        types = types_of(model)
        (node,) = [n for n in model.graph.node if n.op_type == "MatMul" and is_of(n, "embed")]
        return types[node.output[0]] == onnx.TensorProto.FLOAT16

    assert halved(plain)
    assert not halved(kept)


def is_of(node: onnx.NodeProto, module: str) -> bool:
    return any(f"'{module}'" in p.value for p in node.metadata_props if p.key.endswith("name_scopes"))


def test_between_kept_operators_and_from_an_input_to_one_nothing_passes_through_half_precision():
    vector = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["batch", 3]) for name in "xy"]
    nodes = [helper.make_node("Exp", ["x"], ["e"], "exp"), helper.make_node("Log", ["e"], ["y"], "log")]
    graph = helper.make_graph(nodes, "kept", [vector[0]], [vector[1]])
    half = half_of(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10))
    assert onnx.TensorProto.FLOAT16 not in types_of(half).values()


def test_an_unknown_module_is_refused(exported):
    with pytest.raises(InputError, match="couplings"):
        half_of(onnx.load(exported.graph_path("float32")), ["couplings"])


def test_the_half_graph_is_written_beside_with_a_parity_report_of_its_own(copied):
    written = add_half(copied, ["norm"])
    read = Exported.read(copied.folder)
    assert read == written
    report = read.graphs["float16"]
    assert {a["output"] for a in report.agreement} == {"embedding", "category"}
    assert 1e-7 < max(a["relative"] for a in report.agreement) < 1e-2
    assert report.kept_float32 == (*KEPT_OPERATORS, "norm")
    inputs = seeded(read.spec, 4, 3, RANGES)
    half, whole = (OnnxRuntime(read, Options(precision=p))(inputs) for p in ("float16", "float32"))
    assert 0 < np.abs(half["embedding"] - whole["embedding"]).max() < 1e-2
    assert half["embedding"].dtype == np.float32


def test_a_half_graph_that_is_too_far_away_is_not_written(copied, monkeypatch):
    def spoiled(model: onnx.ModelProto, keep: object) -> onnx.ModelProto:
        half = half_of(model)
        weight = next(w for w in half.graph.initializer if w.data_type == onnx.TensorProto.FLOAT16 and len(w.dims) == 2)
        weight.raw_data = (onnx.numpy_helper.to_array(weight) * np.float16(1.5)).tobytes()
        return half

    monkeypatch.setattr(module, "half_of", spoiled)
    before = json.loads((copied.folder / "spec.json").read_text())
    with pytest.raises(Disagreement, match="half precision"):
        add_half(copied)
    assert not (copied.folder / "model.float16.onnx").exists()
    assert json.loads((copied.folder / "spec.json").read_text()) == before
