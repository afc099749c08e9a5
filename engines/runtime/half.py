"""Half precision, written into the graph: what TensorRT 11 needs, where every network is strongly typed.

Matrix products and convolutions become float16; operators that add up many numbers, divide, or raise to powers stay
float32, with casts between them; inputs and outputs stay float32. Whole parts of a network stay float32 by their
module's name: an index made of logarithms of small probabilities, such as coupling, has no place in eleven bits.

The conversion is `onnxruntime.transformers.float16`, which is maintained and comes with ONNX Runtime; its parent
onnxconverter-common is not regularly maintained (docs/decisions/0138-half-precision.md). Thread: any.
"""

import json
from collections.abc import Sequence

import onnx
import onnxruntime
from onnxruntime.transformers.float16 import DEFAULT_OP_BLOCK_LIST, convert_float_to_float16
from onnxruntime.transformers.onnx_model import OnnxModel

from engines.errors import InputError
from engines.runtime.agreement import TOLERANCES, Agreement, compare, require, worst
from engines.runtime.files import sha256, write_whole
from engines.runtime.folder import MODELS, Exported, Graph
from engines.runtime.ort import CPU, OnnxRuntime, session_options
from engines.runtime.seeded import seeded
from engines.runtime.types import Options

# Sums, quotients and powers lose digits in eleven bits, or leave float16's range (6e-8 to 65504).
KEPT_OPERATORS = (
    *("LayerNormalization", "InstanceNormalization", "GroupNormalization", "BatchNormalization"),
    *("ReduceMean", "ReduceSum", "ReduceMax", "ReduceL2", "Softmax", "LogSoftmax", "CumSum"),
    *("Pow", "Sqrt", "Div", "Reciprocal", "Exp", "Log", "Atan", "Sin", "Cos", "Erf"),
)
_SCOPES = "pkg.torch.onnx.name_scopes"  # where torch's exporter writes which modules a node comes from
_BATCHES = (1, 5)
_SEEDS = (0, 1)


def add_half(exported: Exported, keep: Sequence[str] = ()) -> Exported:
    """Write `model.float16.onnx` beside the float32 graph.

    Args:
        exported: what `export` wrote.
        keep: modules of the network, by their dotted names, that stay float32.

    Raises:
        InputError: no node comes from a module named in `keep`.
        Disagreement: the graph is too far from float32; nothing was written.
    """
    content = half_of(onnx.load_model(exported.graph_path("float32")), keep).SerializeToString()
    agreement = _against_float32(exported, content)
    require(
        agreement,
        TOLERANCES["float16"],
        f"{exported.network} in half precision, against float32",
        "nothing was written; keep the modules of these outputs in float32",
    )
    write_whole(exported.folder / MODELS["float16"], content)
    graph = Graph(
        sha256(exported.folder / MODELS["float16"]),
        tuple(a.to_json() for a in agreement),
        (*KEPT_OPERATORS, *keep),
    )
    found = exported.with_graph("float16", graph)
    found.write_spec()
    return found


def half_of(model: onnx.ModelProto, keep: Sequence[str] = ()) -> onnx.ModelProto:
    """The graph in half precision; `model` is changed.

    Raises:
        InputError: no node comes from a module named in `keep`.
    """
    operators = [*DEFAULT_OP_BLOCK_LIST, *KEPT_OPERATORS]
    _without_types_of_weights(model)
    half = convert_float_to_float16(
        model, keep_io_types=True, op_block_list=operators, node_block_list=_nodes_of(model, keep)
    )
    _each_cast_once(half)
    _not_there_and_back(half)
    OnnxModel(half).topological_sort()  # the converter puts its casts at the end
    onnx.checker.check_model(half, full_check=True)
    return half


def _against_float32(exported: Exported, content: bytes) -> tuple[Agreement, ...]:
    reference = OnnxRuntime(exported, Options())
    session = onnxruntime.InferenceSession(content, session_options(1), providers=[CPU])
    names = [tensor.name for tensor in exported.spec.outputs]
    found: tuple[Agreement, ...] = ()
    for batch in _BATCHES:
        for seed in _SEEDS:
            inputs = seeded(exported.spec, batch, seed, exported.ranges)
            came = dict(zip(names, session.run(names, inputs), strict=True))
            now = compare(exported.spec, reference(inputs), came)
            found = worst(found, now) if found else now
    return found


def _without_types_of_weights(model: onnx.ModelProto) -> None:
    """Forget the types that the exporter writes beside weights: the converter takes them for float16 activations."""
    weights = {weight.name for weight in model.graph.initializer}
    typed = [info for info in model.graph.value_info if info.name not in weights]
    del model.graph.value_info[:]
    model.graph.value_info.extend(typed)


def _each_cast_once(model: onnx.ModelProto) -> None:
    """The converter writes the same cast again for every kept operator that reads one value."""
    nodes = {node.output[0]: node for node in reversed(model.graph.node)}
    once = [node for node in model.graph.node if node.op_type != "Cast" or node is nodes[node.output[0]]]
    typed = {info.name: info for info in model.graph.value_info}
    del model.graph.node[:], model.graph.value_info[:]
    model.graph.node.extend(once)
    model.graph.value_info.extend(typed.values())


def _not_there_and_back(model: onnx.ModelProto) -> None:
    """Between two kept operators, and from an input to one, nothing passes through float16."""
    halved = {node.output[0]: node.input[0] for node in model.graph.node if _casts_to(node, onnx.TensorProto.FLOAT16)}
    for node in model.graph.node:
        if _casts_to(node, onnx.TensorProto.FLOAT) and node.input[0] in halved:
            node.input[0] = halved[node.input[0]]
    used = {name for node in model.graph.node for name in node.input} | {out.name for out in model.graph.output}
    kept = [node for node in model.graph.node if node.op_type != "Cast" or node.output[0] in used]
    made = {name for node in kept for name in node.output}
    typed = [info for info in model.graph.value_info if info.name in made]
    del model.graph.node[:], model.graph.value_info[:]
    model.graph.node.extend(kept)
    model.graph.value_info.extend(typed)


def _casts_to(node: onnx.NodeProto, element: int) -> bool:
    return node.op_type == "Cast" and any(a.name == "to" and a.i == element for a in node.attribute)


def _nodes_of(model: onnx.ModelProto, modules: Sequence[str]) -> list[str]:
    scopes = {node.name: _scopes(node) for node in model.graph.node}
    for module in modules:
        if not any(_within(scope, module) for scope in scopes.values()):
            raise InputError(f"expected modules that the graph has nodes of; got {module!r}, which has none")
    return [name for name, scope in scopes.items() if any(_within(scope, module) for module in modules)]


def _scopes(node: onnx.NodeProto) -> list[str]:
    written = {p.key: p.value for p in node.metadata_props}.get(_SCOPES, "[]")
    found: list[str] = json.loads(written.replace("'", '"'))
    return found


def _within(scopes: list[str], module: str) -> bool:
    return any(scope == module or scope.startswith(f"{module}.") for scope in scopes)
