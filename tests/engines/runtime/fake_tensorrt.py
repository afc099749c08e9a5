"""A stand-in for the package `tensorrt`, with the names in `engines.runtime.trt.NAMES` and no others.

An "engine" is the graph's bytes; executing it reads the inputs at the addresses it was given, runs the graph by ONNX
Runtime, and writes the outputs where they belong. It keeps TensorRT's rules of order: shapes and addresses of all
tensors before a step, timings of its own version only. It proves nothing about TensorRT itself.
"""

import ctypes
import enum
import json

import numpy as np
import onnxruntime
import torch

__version__ = "11.4.0"
calls: list[str] = []
faults: set[str] = set()


def _called(name: str, *arguments: object) -> None:
    calls.append(name + "".join(f" {a}" for a in arguments))


class DataType(enum.Enum):
    FLOAT, INT64, BOOL, UINT8 = range(4)


class BuilderFlag(enum.Enum):
    TF32 = 7


class NetworkDefinitionCreationFlag(enum.IntEnum):
    STRONGLY_TYPED = 1


class ILogger:
    class Severity(enum.Enum):
        INTERNAL_ERROR, ERROR, WARNING, INFO, VERBOSE = range(5)


class ITimingCache:
    def __init__(self, content: bytes) -> None:
        self.content = content

    def serialize(self) -> bytes:
        return json.dumps({"version": __version__, "timings": len(self.content)}).encode()


class IOptimizationProfile:
    def set_shape(self, input: str, min: tuple, opt: tuple, max: tuple) -> None:
        _called("set_shape", input, min, opt, max)


class IBuilderConfig:
    def __init__(self) -> None:
        self._cache = None

    def clear_flag(self, flag: BuilderFlag) -> None:
        _called("clear_flag", flag.name)

    def add_optimization_profile(self, profile: IOptimizationProfile) -> int:
        _called("add_optimization_profile")
        return -1 if "profile" in faults else 0

    def create_timing_cache(self, serialized_timing_cache: bytes) -> ITimingCache:
        return ITimingCache(serialized_timing_cache)

    def set_timing_cache(self, cache: ITimingCache, ignore_mismatch: bool) -> bool:
        fits = not cache.content or json.loads(cache.content)["version"] == __version__
        _called("set_timing_cache", len(cache.content) > 0, fits)
        self._cache = cache if fits else self._cache
        return fits

    def get_timing_cache(self) -> ITimingCache | None:
        return self._cache


class INetworkDefinition:
    graph = b""


class Builder:
    def __init__(self, logger: ILogger) -> None:
        self._logger = logger

    def create_network(self, flags: int = 0) -> INetworkDefinition:
        _called("create_network", flags)
        return INetworkDefinition()

    def create_builder_config(self) -> IBuilderConfig:
        return IBuilderConfig()

    def create_optimization_profile(self) -> IOptimizationProfile:
        return IOptimizationProfile()

    def build_serialized_network(self, network: INetworkDefinition, config: IBuilderConfig) -> bytes | None:
        _called("build_serialized_network")
        if "build" in faults:
            self._logger.log(ILogger.Severity.ERROR, "Could not find any implementation for node foreign")
            return None
        return network.graph


class ParserError:
    def __init__(self, n: int) -> None:
        self._n = n

    def desc(self) -> str:
        return f"no importer ({self._n})"

    def node_name(self) -> str:
        return f"node_{self._n}"

    def node_operator(self) -> str:
        return "Erfinv"


class OnnxParser:
    def __init__(self, network: INetworkDefinition, logger: ILogger) -> None:
        self._network = network
        self.num_errors = 2 if "parse" in faults else 0

    def parse(self, model: bytes) -> bool:
        _called("parse")
        self._network.graph = model
        return not self.num_errors

    def get_error(self, index: int) -> ParserError:
        return ParserError(index)


class IExecutionContext:
    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        self._session = session
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._addresses: dict[str, int] = {}

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        _called("set_input_shape", name, shape)
        self._shapes[name] = shape
        return "shape" not in faults

    def set_tensor_address(self, name: str, memory: int) -> bool:
        _called("set_tensor_address", name)
        self._addresses[name] = memory
        return True

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        batch = next(iter(self._shapes.values()))[0]
        (tensor,) = [t for t in _tensors(self._session) if t.name == name]
        return tuple(size if isinstance(size, int) else batch for size in tensor.shape)

    def execute_async_v3(self, stream_handle: int) -> bool:
        _called("execute_async_v3", stream_handle)
        if "execute" in faults:
            return False
        inputs = {t.name: self._at(t).copy() for t in self._session.get_inputs()}
        outputs = self._session.run(None, inputs)
        for tensor, value in zip(self._session.get_outputs(), outputs, strict=True):
            self._at(tensor)[...] = value * _off_by(len(value))
        return True

    def _at(self, tensor: onnxruntime.NodeArg) -> np.ndarray:
        dtype, shape = np.dtype(_DTYPES[tensor.type][1]), self.get_tensor_shape(tensor.name)
        raw = (ctypes.c_char * (int(np.prod(shape)) * dtype.itemsize)).from_address(self._addresses[tensor.name])
        return np.frombuffer(raw, dtype).reshape(shape)


class ICudaEngine:
    def __init__(self, graph: bytes) -> None:
        self._session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
        self.num_io_tensors = len(_tensors(self._session))

    def get_tensor_name(self, index: int) -> str:
        return _tensors(self._session)[index].name

    def get_tensor_dtype(self, name: str) -> DataType:
        (tensor,) = [t for t in _tensors(self._session) if t.name == name]
        return DataType.BOOL if "dtype" in faults else _DTYPES[tensor.type][0]

    def create_execution_context(self) -> IExecutionContext | None:
        return None if "context" in faults else IExecutionContext(self._session)


class Runtime:
    def __init__(self, logger: ILogger) -> None:
        _called("Runtime")

    def deserialize_cuda_engine(self, serialized_engine: bytes) -> ICudaEngine:
        _called("deserialize_cuda_engine")
        return ICudaEngine(serialized_engine)


class FakeDevice:
    """The CPU's memory as the GPU's; copies happen when the stream is waited for, or when a step needs them."""

    gpu, driver, stream = "Fake GPU, compute 0.0", "1.0", 77

    def empty(self, shape: tuple[int, ...], dtype: str) -> torch.Tensor:
        return torch.zeros(shape, dtype=getattr(torch, dtype))

    pinned = empty

    def copy(self, source: torch.Tensor, target: torch.Tensor) -> None:
        _called("copy")
        target.copy_(source)

    def wait(self) -> None:
        _called("wait")


_DTYPES = {"tensor(float)": (DataType.FLOAT, "float32"), "tensor(int64)": (DataType.INT64, "int64")}


def _off_by(batch: int) -> float:
    if "half numbers" in faults:
        return 1.1
    return 1.01 if "numbers" in faults or ("batches" in faults and batch > 1) else 1.0


def _tensors(session: onnxruntime.InferenceSession) -> list[onnxruntime.NodeArg]:
    return [*session.get_inputs(), *session.get_outputs()]
