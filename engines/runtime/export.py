"""From a network to an ONNX graph that gives the same numbers: one function for every network.

The graph is written with a dynamic batch at a pinned opset, checked, and run by ONNX Runtime against eager torch on
several batch sizes and seeds before anything appears in the folder: a graph that disagrees is not written.

Opset 18 is what torch 2.13's exporter writes without converting operators afterwards, and ONNX Runtime 1.31 and
TensorRT 10 and 11 read it (docs/decisions/0137-exported-graphs.md). Weights lie inside the file, which ends at 2 GB.
Thread: any; imports torch and ONNX Runtime into the process.
"""

import logging
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import onnx
import torch
from numpy.typing import NDArray
from safetensors.numpy import save as save_arrays
from torch.export import Dim
from torch.onnx import OnnxExporterError
from tqdm import tqdm

from engines.errors import InputError
from engines.models.base import Network, step, zeros
from engines.runtime.agreement import TOLERANCES, Agreement, compare, require, worst
from engines.runtime.errors import ExportFailed
from engines.runtime.files import sha256
from engines.runtime.folder import MODELS, REFERENCE, Exported, Graph, Reference
from engines.runtime.ort import OnnxRuntime
from engines.runtime.rebuild import write_network
from engines.runtime.seeded import Ranges, require_ranges, seeded
from engines.runtime.types import Options

OPSET = 18
BATCHES = (1, 2, 5)
SEEDS = (0, 1)
_TRACED = 2  # torch takes an example's batch of 1 for a constant
_REFERENCE = (3, 7)  # batch and seed of the answers that travel with the graph
_PACKAGES = ("afterimage", "torch", "onnx", "onnxscript", "onnxruntime", "numpy")


def export(
    network: Network, folder: Path, ranges: Ranges | None = None, about: Mapping[str, str] | None = None
) -> Exported:
    """Write `network` into a new `folder`; its mode is left as it was.

    Args:
        network: in memory, on the CPU.
        folder: must not exist, or be empty.
        ranges: lowest and highest value of each int64 input, by name.
        about: what whoever opens the folder should know: training data, subject, simulation.

    Raises:
        InputError: the folder holds something, or a range is missing.
        ExportFailed: the network cannot be written as a graph with a dynamic batch.
        Disagreement: the graph gives other numbers; nothing was written.
    """
    ranges = dict(ranges or {})
    require_ranges(network.spec(), ranges)
    if folder.exists() and any(folder.iterdir()):
        raise InputError(f"expected a new or empty folder; {folder} holds files; choose another")
    folder.parent.mkdir(parents=True, exist_ok=True)
    training = network.training
    network.eval()
    try:
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as made:
            exported = _written(network, Path(made) / "model", ranges, dict(about or {}))
            return _moved(exported, folder)
    finally:
        network.train(training)


def _written(network: Network, folder: Path, ranges: Ranges, about: Mapping[str, str]) -> Exported:
    folder.mkdir()
    path = folder / MODELS["float32"]
    onnx.save_model(graph_of(network), path)
    batch, seed = _REFERENCE
    answers = _eager(network, seeded(network.spec(), batch, seed, ranges))
    (folder / REFERENCE).write_bytes(save_arrays(answers))
    exported = Exported(
        folder=folder,
        network=type(network).__name__,
        spec=network.spec(),
        ranges=ranges,
        opset=OPSET,
        graphs={"float32": Graph(sha256(path), ())},
        reference=Reference(batch, seed, sha256(folder / REFERENCE)),
        versions=_versions(),
        about=about,
        source=write_network(network, folder),
    )
    agreement = parity(network, exported)
    require(
        agreement,
        TOLERANCES["float32"],
        f"ONNX Runtime on the exported {exported.network}, against eager torch",
        "nothing was written; look for operators that behave differently, such as random ones",
    )
    exported = exported.with_graph("float32", Graph(sha256(path), tuple(a.to_json() for a in agreement)))
    exported.write_spec()
    return exported


def _moved(exported: Exported, folder: Path) -> Exported:
    if folder.exists():
        folder.rmdir()  # empty; Windows moves nothing onto a folder
    exported.folder.replace(folder)
    return Exported.read(folder)


def graph_of(network: Network) -> onnx.ModelProto:
    """The network as a checked ONNX graph.

    Raises:
        ExportFailed: torch cannot trace or translate it, or makes its batch a constant.
    """
    spec = network.spec()
    batch = Dim("batch", min=1)
    inputs = zeros(spec, _TRACED)
    try:
        with _without_notes():
            program = torch.onnx.export(
                network,
                kwargs=inputs,
                dynamo=True,
                opset_version=OPSET,
                input_names=list(inputs),
                output_names=[tensor.name for tensor in spec.outputs],
                dynamic_shapes={tensor.name: dict.fromkeys(tensor.dynamic, batch) for tensor in spec.inputs},
                external_data=False,
                verbose=False,
            )
        assert program is not None  # it is only where `f` is given
        model: onnx.ModelProto = program.model_proto
        onnx.checker.check_model(model, full_check=True)
    except (OnnxExporterError, onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise ExportFailed(
            f"torch cannot write {type(network).__name__} as an ONNX graph with a dynamic batch ({_reason(error)}); "
            "look for sizes read from tensors, and for branches on their values"
        ) from error
    return model


def parity(network: Network, exported: Exported) -> tuple[Agreement, ...]:
    """The largest differences between ONNX Runtime and eager torch over `BATCHES` and `SEEDS`, by output."""
    runtime = OnnxRuntime(exported, Options())
    found: tuple[Agreement, ...] = ()
    for batch in BATCHES:
        for seed in SEEDS:
            inputs: dict[str, NDArray[Any]] = seeded(exported.spec, batch, seed, exported.ranges)
            now = compare(exported.spec, _eager(network, inputs), runtime(inputs))
            found = worst(found, now) if found else now
    return found


def _eager(network: Network, inputs: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    try:
        return step(network, inputs)
    except RuntimeError as error:  # what torch raises for shapes that do not fit
        n = len(next(iter(inputs.values())))
        raise ExportFailed(
            f"{type(network).__name__} takes no batch of {n} ({_reason(error)}); its batch must not be a constant"
        ) from error


def _versions() -> dict[str, str]:
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


@contextmanager
def _without_notes() -> Iterator[None]:
    """No warnings of the exporter about its own code, or about packages that add operators nobody here uses.

    And no thread: it counts with tqdm, whose first bar would start one that watches bars until the process ends.
    """
    logger = logging.getLogger("torch.onnx")
    level, interval = logger.level, tqdm.monitor_interval
    logger.setLevel(logging.ERROR)
    tqdm.monitor_interval = 0
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
        tqdm.monitor_interval = interval


def _reason(error: BaseException) -> str:
    """The last cause in one line: the exporter wraps what happened in pages of advice."""
    while error.__cause__ is not None:
        error = error.__cause__
    return " ".join(str(error).split())[:300] or type(error).__name__
