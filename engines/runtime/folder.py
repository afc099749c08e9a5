"""An exported network on disk: a folder with the graph, what it takes and gives, and answers to compare with.

    model.onnx               the graph in float32
    model.float16.onnx       the same with half precision written into it, where it was made (engines/runtime/half.py)
    reference.safetensors    eager torch's answers to seeded inputs, from the machine that exported
    network.safetensors      what the network learned, for torch, where it is one of ours (engines/runtime/rebuild.py)
    spec.json                names, axes, element types, meanings, versions, agreement, and the hash of every file

Read with numpy and json alone. Every file is checked against its hash when it is opened. Thread: any.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays

from engines.errors import InputError
from engines.runtime.errors import BadModel
from engines.runtime.files import sha256, write_whole
from engines.runtime.seeded import Ranges, require_ranges
from engines.spec import Axis, Spec, TensorSpec

FORMAT = 1
SPEC = "spec.json"
REFERENCE = "reference.safetensors"
NETWORK = "network.safetensors"
MODELS = {"float32": "model.onnx", "float16": "model.float16.onnx"}


@dataclass(frozen=True)
class Graph:
    """One graph of a folder: its hash, and how far it is from its reference, by output."""

    sha256: str
    agreement: tuple[Mapping[str, Any], ...]
    kept_float32: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reference:
    """Which seeded inputs `reference.safetensors` answers."""

    batch: int
    seed: int
    sha256: str


@dataclass(frozen=True)
class Source:
    """What torch builds the network from: the values of its configuration, and `network.safetensors`."""

    config: Mapping[str, Any]
    sha256: str


@dataclass(frozen=True)
class Exported:
    """An exported network.

    `network` names its class, `about` is what whoever exported it wants known (training data, subject, simulation).
    `source` is None where torch cannot rebuild the network.
    """

    folder: Path
    network: str
    spec: Spec
    ranges: Mapping[str, tuple[int, int]]
    opset: int
    graphs: Mapping[str, Graph]
    reference: Reference
    versions: Mapping[str, str]
    about: Mapping[str, str]
    source: Source | None = None

    @classmethod
    def read(cls, folder: Path) -> "Exported":
        """What `spec.json` says.

        Raises:
            InputError: no such folder, or not an exported network.
            BadModel: `spec.json` cannot be understood.
        """
        path = folder / SPEC
        if not path.is_file():
            raise InputError(f"expected an exported network in {folder}; there is no {SPEC}; export one into it first")
        try:
            return _from_json(folder, json.loads(path.read_text("utf-8")))
        except (ValueError, KeyError, TypeError, AttributeError, InputError) as error:
            reason = f"{type(error).__name__}: {error}"
            raise BadModel(f"{path} is damaged or of another version ({reason}); export the network again") from error

    def write_spec(self) -> None:
        """Write `spec.json`, whole."""
        write_whole(self.folder / SPEC, (json.dumps(_to_json(self), indent=2) + "\n").encode())

    def with_graph(self, precision: str, graph: Graph) -> "Exported":
        """The same with one graph more, or another one."""
        return replace(self, graphs={**self.graphs, precision: graph})

    def graph_path(self, precision: str) -> Path:
        """The graph of this precision, checked.

        Raises:
            InputError: there is none.
            BadModel: it is missing, or its bytes are not those that were exported.
        """
        graph = self.graphs.get(precision)
        if graph is None:
            raise InputError(
                f"{self.folder} holds {', '.join(self.graphs)}; got {precision!r}; "
                f"make it with: afterimage engines build {self.folder} --half"
            )
        return self._checked(MODELS[precision], graph.sha256)

    def reference_outputs(self) -> dict[str, NDArray[Any]]:
        """Eager torch's answers to `seeded(spec, reference.batch, reference.seed, ranges)`.

        Raises:
            BadModel: the file is missing or was altered.
        """
        try:
            arrays: dict[str, NDArray[Any]] = load_arrays(self._checked(REFERENCE, self.reference.sha256).read_bytes())
            self.spec.require_outputs(arrays)
        except (SafetensorError, InputError) as error:
            raise BadModel(f"{self.folder / REFERENCE}: {error}; export the network again") from error
        return arrays

    def network_bytes(self, source: Source) -> bytes:
        """What the network learned, as safetensors.

        Raises:
            BadModel: the file is missing or was altered.
        """
        return self._checked(NETWORK, source.sha256).read_bytes()

    def _checked(self, name: str, expected: str) -> Path:
        path = self.folder / name
        if not path.is_file():
            raise BadModel(f"expected {path}, which {SPEC} lists; it is not there; export the network again")
        came = sha256(path)
        if came != expected:
            raise BadModel(
                f"{path} was altered: expected the hash {expected[:12]}... of {SPEC}, got {came[:12]}...; "
                "export the network again"
            )
        return path


def _to_json(exported: Exported) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "network": exported.network,
        "inputs": [asdict(tensor) for tensor in exported.spec.inputs],
        "outputs": [asdict(tensor) for tensor in exported.spec.outputs],
        "ranges": exported.ranges,
        "opset": exported.opset,
        "graphs": {precision: asdict(graph) for precision, graph in exported.graphs.items()},
        "reference": asdict(exported.reference),
        "versions": exported.versions,
        "about": exported.about,
        "source": None if exported.source is None else asdict(exported.source),
    }


def _from_json(folder: Path, told: dict[str, Any]) -> Exported:
    if told["format"] != FORMAT:
        raise ValueError(f"format {told['format']}, expected {FORMAT}")
    spec = Spec(tuple(map(_tensor, told["inputs"])), tuple(map(_tensor, told["outputs"])))
    ranges: Ranges = {name: (int(low), int(high)) for name, (low, high) in told["ranges"].items()}
    require_ranges(spec, ranges)
    unknown = set(told["graphs"]) - set(MODELS)
    if unknown or "float32" not in told["graphs"]:
        raise ValueError(f"graphs {', '.join(told['graphs'])}, expected float32 and perhaps float16")
    return Exported(
        folder=folder,
        network=str(told["network"]),
        spec=spec,
        ranges=ranges,
        opset=int(told["opset"]),
        graphs={precision: _graph(graph) for precision, graph in told["graphs"].items()},
        reference=Reference(**told["reference"]),
        versions=dict(told["versions"]),
        about=dict(told["about"]),
        source=Source(**told["source"]) if told.get("source") else None,
    )


def _tensor(told: dict[str, Any]) -> TensorSpec:
    axes = tuple(Axis(axis["name"], axis["size"]) for axis in told["axes"])
    return TensorSpec(told["name"], axes, told["dtype"], told["meaning"])


def _graph(told: dict[str, Any]) -> Graph:
    return Graph(str(told["sha256"]), tuple(told["agreement"]), tuple(told["kept_float32"]))
