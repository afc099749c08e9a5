"""An exported network as a TensorRT engine, for TensorRT 10 and 11.

**It never ran where Afterimage was made**: TensorRT's builder could not be installed and no GPU was at hand. What
stands behind it: names and signatures of NVIDIA's own Python bindings, 10.16.1.11 and 11.4.0.106, are kept beside
`tests/engines/runtime/test_trt_names.py`, which compares `NAMES` with them, and with bindings that can be imported; the
order of calls and the copies were exercised against a stand-in that runs the graph on the CPU:
docs/decisions/0136-tensorrt-unseen.md.

Typing is strong: precision is in the graph (engines/runtime/half.py). TensorRT 10 is told so with STRONGLY_TYPED;
TensorRT 11 knows nothing else, deprecates the flag and ignores it, and has no precision flags any more (NVIDIA,
"Migrating from TensorRT 10.x to 11.x"). TF32 is switched off, so that float32 means float32.

Thread: whichever opened it, one call at a time.
"""

import logging
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray
from torch import Tensor

from engines.errors import InputError
from engines.runtime.cache import EngineCache, EngineKey
from engines.runtime.errors import EngineFailed
from engines.runtime.files import write_whole
from engines.runtime.folder import Exported
from engines.runtime.graph import GraphRuntime
from engines.runtime.types import Arrays, Description, Options
from engines.spec import Spec, TensorSpec

# Every name of TensorRT's Python bindings that this module uses; present in both 10.16.1.11 and 11.4.0.106.
NAMES = (
    "__version__",
    "Builder",
    "Builder.build_serialized_network",
    "Builder.create_builder_config",
    "Builder.create_network",
    "Builder.create_optimization_profile",
    "BuilderFlag.TF32",
    "IBuilderConfig.add_optimization_profile",
    "IBuilderConfig.clear_flag",
    "IBuilderConfig.create_timing_cache",
    "IBuilderConfig.get_timing_cache",
    "IBuilderConfig.set_timing_cache",
    "ICudaEngine.create_execution_context",
    "ICudaEngine.get_tensor_dtype",
    "ICudaEngine.get_tensor_name",
    "ICudaEngine.num_io_tensors",
    "IExecutionContext.execute_async_v3",
    "IExecutionContext.get_tensor_shape",
    "IExecutionContext.set_input_shape",
    "IExecutionContext.set_tensor_address",
    "ILogger",
    "ILogger.Severity",
    "IOptimizationProfile.set_shape",
    "ITimingCache.serialize",
    "NetworkDefinitionCreationFlag.STRONGLY_TYPED",
    "OnnxParser",
    "OnnxParser.get_error",
    "OnnxParser.num_errors",
    "OnnxParser.parse",
    "ParserError.desc",
    "ParserError.node_name",
    "ParserError.node_operator",
    "Runtime",
    "Runtime.deserialize_cuda_engine",
    "DataType.FLOAT",
    "DataType.INT64",
    "DataType.BOOL",
    "DataType.UINT8",
)  # fmt: skip

log = logging.getLogger(__name__)


class Device(Protocol):
    """Memory and a stream; `engines.runtime.cuda.CudaDevice` is the real one."""

    @property
    def gpu(self) -> str: ...  # noqa: D102
    @property
    def driver(self) -> str: ...  # noqa: D102
    @property
    def stream(self) -> int: ...  # noqa: D102
    def empty(self, shape: tuple[int, ...], dtype: str) -> Tensor: ...  # noqa: D102
    def pinned(self, shape: tuple[int, ...], dtype: str) -> Tensor: ...  # noqa: D102
    def copy(self, source: Tensor, target: Tensor) -> None: ...  # noqa: D102
    def wait(self) -> None: ...  # noqa: D102


class TensorRt(GraphRuntime):
    """The engine of one precision, taken from the cache or built, for batches from 1 to `options.most`.

    `trt` is the package `tensorrt`.

    Raises:
        EngineFailed: the graph cannot be parsed, built or loaded; the message has every error TensorRT told.
        BadModel: the graph was altered.
    """

    name = "tensorrt"

    def __init__(self, exported: Exported, options: Options, trt: Any, device: Device) -> None:
        super().__init__(exported, options)
        self._trt, self._device = trt, device
        self._logger = _logger_of(trt)
        self._runtime = trt.Runtime(self._logger)
        self._key = engine_key(exported, options, trt.__version__, device)
        self._cache = EngineCache(options.cache)
        self._engine = self._cache.get_or_build(
            self._key,
            lambda: build_engine(trt, self._logger, exported, options, self._cache.timing_path(self._key)),
            self._runtime.deserialize_cuda_engine,
        )
        _require_fits(trt, self._engine, exported.spec)
        self._context = self._engine.create_execution_context()
        if self._context is None:
            raise EngineFailed(f"TensorRT gives no execution context on {device.gpu}; free some of its memory")
        self._buffers: dict[int, _Buffers] = {}

    def __call__(self, inputs: Arrays) -> dict[str, NDArray[Any]]:
        """One step.

        Raises:
            InputError: inputs that do not fit, or a batch larger than the engine was built for.
            EngineFailed: TensorRT did not run.
        """
        self.spec.require(inputs)
        batch = len(next(iter(inputs.values())))
        if batch > self._options.most:
            raise InputError(
                f"expected a batch up to {self._options.most}; got {batch}; build an engine for larger ones"
            )
        if batch not in self._buffers:
            self._buffers[batch] = _Buffers(self.spec, batch, self._device)
        return self._run(self._buffers[batch], inputs)

    def forget(self) -> None:
        """Remove the engine from the cache: its numbers are wrong, and the next opening shall build another."""
        self._cache.remove(self._key)

    def describe(self) -> Description:
        """What runs."""
        version = f"TensorRT {self._trt.__version__}"
        return Description(self.name, version, self._device.gpu, self._options.precision, self._model)

    def _run(self, buffers: "_Buffers", inputs: Arrays) -> dict[str, NDArray[Any]]:
        buffers.upload(inputs)
        context = self._context
        for tensor in self.spec.inputs:
            _done(context.set_input_shape(tensor.name, tensor.shape(buffers.batch)), "set_input_shape", tensor)
        for tensor in (*self.spec.inputs, *self.spec.outputs):
            address = buffers.on_device[tensor.name].data_ptr()
            _done(context.set_tensor_address(tensor.name, address), "set_tensor_address", tensor)
        for tensor in self.spec.outputs:
            shape = tuple(context.get_tensor_shape(tensor.name))
            if shape != tensor.shape(buffers.batch):
                raise EngineFailed(f"expected {tensor} of {tensor.shape(buffers.batch)}; the engine gives {shape}")
        if not context.execute_async_v3(self._device.stream):
            raise EngineFailed("TensorRT did not run the engine; its log, under 'engines.runtime.trt', says why")
        return buffers.download()


class _Buffers:
    """Memory for one batch size on both sides, kept from call to call."""

    def __init__(self, spec: Spec, batch: int, device: Device) -> None:
        self.batch, self._spec, self._device = batch, spec, device
        tensors = (*spec.inputs, *spec.outputs)
        self.on_device = {t.name: device.empty(t.shape(batch), t.dtype) for t in tensors}
        self._on_host = {t.name: device.pinned(t.shape(batch), t.dtype) for t in tensors}

    def upload(self, inputs: Arrays) -> None:
        for name, array in inputs.items():
            np.copyto(self._on_host[name].numpy(), array)
            self._device.copy(self._on_host[name], self.on_device[name])

    def download(self) -> dict[str, NDArray[Any]]:
        for tensor in self._spec.outputs:
            self._device.copy(self.on_device[tensor.name], self._on_host[tensor.name])
        self._device.wait()
        return {tensor.name: self._on_host[tensor.name].numpy().copy() for tensor in self._spec.outputs}


def engine_key(exported: Exported, options: Options, version: str, device: Device) -> EngineKey:
    """What the engine depends on."""
    return EngineKey(
        onnx_sha256=exported.graphs[options.precision].sha256,
        shapes="; ".join(f"{t.name} {' '.join(map(str, _profile(t, options)))}" for t in exported.spec.inputs),
        precision=options.precision,
        gpu=device.gpu,
        driver=device.driver,
        tensorrt=version,
    )


def build_engine(trt: Any, logger: Any, exported: Exported, options: Options, timings: Path) -> bytes:
    """The serialised engine.

    Raises:
        EngineFailed: with every error of the parser, or what the builder's log says.
    """
    builder = trt.Builder(logger)
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, logger)
    path = exported.graph_path(options.precision)
    if not parser.parse(path.read_bytes()):
        raise EngineFailed(f"TensorRT {trt.__version__} cannot parse {path}: {_parser_errors(parser)}")
    config = builder.create_builder_config()
    config.clear_flag(trt.BuilderFlag.TF32)
    profile = builder.create_optimization_profile()
    for tensor in exported.spec.inputs:
        profile.set_shape(tensor.name, *_profile(tensor, options))
    if config.add_optimization_profile(profile) < 0:
        raise EngineFailed(f"TensorRT does not take the shapes {[_profile(t, options) for t in exported.spec.inputs]}")
    with FileLock(timings.with_suffix(".timings.lock")):
        _use_timings(config, timings)
        engine = builder.build_serialized_network(network, config)
        if engine is None:
            raise EngineFailed(f"TensorRT {trt.__version__} cannot build {path}; its log says why: {logger.last}")
        write_whole(timings, bytes(config.get_timing_cache().serialize()))
    return bytes(engine)


def _profile(tensor: TensorSpec, options: Options) -> tuple[tuple[int, ...], ...]:
    """Smallest, usual and largest shape; decoding live is one trial at a time."""
    return tensor.shape(1), tensor.shape(1), tensor.shape(options.most)


def _use_timings(config: Any, path: Path) -> None:
    """Timings measured before; where TensorRT refuses them (another version, a damaged file), none."""
    kept = config.create_timing_cache(path.read_bytes()) if path.exists() else None
    if kept is None or not config.set_timing_cache(kept, ignore_mismatch=False):
        config.set_timing_cache(config.create_timing_cache(b""), ignore_mismatch=False)


def _parser_errors(parser: Any) -> str:
    errors = [parser.get_error(i) for i in range(parser.num_errors)]
    return "; ".join(f"{e.node_operator()} {e.node_name()}: {e.desc()}" for e in errors) or "no reason given"


def _require_fits(trt: Any, engine: Any, spec: Spec) -> None:
    dtypes = {
        trt.DataType.FLOAT: "float32",
        trt.DataType.INT64: "int64",
        trt.DataType.BOOL: "bool",
        trt.DataType.UINT8: "uint8",
    }
    names = [engine.get_tensor_name(i) for i in range(engine.num_io_tensors)]
    came = {name: dtypes.get(engine.get_tensor_dtype(name), "another type") for name in names}
    expected = {tensor.name: tensor.dtype for tensor in (*spec.inputs, *spec.outputs)}
    if came != expected:
        raise EngineFailed(f"expected an engine with {expected}; got {came}; export the network again")


def _done(done: bool, what: str, tensor: TensorSpec) -> None:
    if not done:
        raise EngineFailed(f"TensorRT refused {what} for {tensor}; its log, under 'engines.runtime.trt', says why")


def _logger_of(trt: Any) -> Any:
    """TensorRT's own log as Python's; the last error is kept for messages."""

    class Logger(trt.ILogger):
        def __init__(self) -> None:
            trt.ILogger.__init__(self)
            self.last = "nothing"

        def log(self, severity: Any, msg: str) -> None:
            level = _LEVELS[severity.name]
            log.log(level, "%s", msg)
            if level >= logging.ERROR:
                self.last = msg

    return Logger()


_LEVELS = {
    "INTERNAL_ERROR": logging.CRITICAL,
    "ERROR": logging.ERROR,
    "WARNING": logging.WARNING,
    "INFO": logging.DEBUG,
    "VERBOSE": logging.DEBUG - 5,
}
