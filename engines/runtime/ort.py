"""An exported network through ONNX Runtime.

One thread is the default: the call then runs on the caller's thread, no pool is made that could spin beside the
decoder's other workers, and the answer is the same for any load. With more, the pool does not spin while it waits.
The arena stays on: it keeps the buffers of one call for the next.

ONNX Runtime itself falls back to the CPU in silence when a provider cannot be loaded; here that is an error.
Thread: whichever opened it, one call at a time.
"""

from typing import Any

import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as state

from engines.errors import WorkError
from engines.runtime.errors import BadModel
from engines.runtime.folder import Exported
from engines.runtime.graph import GraphRuntime
from engines.runtime.types import Arrays, Description, Options
from engines.spec import Spec

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"
_FATAL = 4  # what goes wrong comes as an exception; the library's own lines would only repeat it

# The library's exceptions share no base class but Exception.
_LOAD_ERRORS = (
    state.EPFail,
    state.EngineError,
    state.Fail,
    state.InvalidArgument,
    state.InvalidGraph,
    state.InvalidProtobuf,
    state.NoModel,
    state.NotImplemented,
    state.RuntimeException,
)

_TYPES = {
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(int64)": "int64",
    "tensor(bool)": "bool",
    "tensor(uint8)": "uint8",
}


class OnnxRuntime(GraphRuntime):
    """The graph of one precision. On a GPU TF32, which is on there, is switched off, so that float32 means float32.

    Raises:
        BadModel: the file was altered, is no ONNX graph, or does not take and give what its specification says.
        WorkError: the CUDA provider was asked for and could not be loaded.
    """

    def __init__(self, exported: Exported, options: Options, cuda: bool = False) -> None:
        super().__init__(exported, options)
        self._cuda = cuda
        path = exported.graph_path(options.precision)
        try:
            self._session = onnxruntime.InferenceSession(
                path.read_bytes(),
                session_options(options.threads),
                providers=[(CUDA, {"use_tf32": "0"}) if cuda else CPU],
                enable_fallback=0,
            )
        except _LOAD_ERRORS as error:
            remedy = "export the network again, or allow 'onnx'" if cuda else "export the network again"
            raise BadModel(f"ONNX Runtime cannot load {path} ({error}); {remedy}") from error
        if cuda and self._session.get_providers()[0] != CUDA:
            raise WorkError(
                f"ONNX Runtime was told to use {CUDA} and uses {self._session.get_providers()[0]}; "
                "check that CUDA and cuDNN of the versions that onnxruntime-gpu names are installed, or allow 'onnx'"
            )
        _require_fits(exported.spec, self._session, str(path))

    @property
    def name(self) -> str:
        """As the configuration has it."""
        return "onnx-cuda" if self._cuda else "onnx"

    def __call__(self, inputs: Arrays) -> dict[str, NDArray[Any]]:
        """One step.

        Raises:
            InputError: inputs that do not fit.
        """
        self.spec.require(inputs)
        names = [tensor.name for tensor in self.spec.outputs]
        return dict(zip(names, self._session.run(names, dict(inputs)), strict=True))

    def describe(self) -> Description:
        """What runs."""
        threads = self._options.threads
        return Description(
            self.name,
            f"onnxruntime {onnxruntime.__version__}",
            "CUDA GPU" if self._cuda else f"CPU, {threads} thread{'s' if threads > 1 else ''}",
            self._options.precision,
            self._model,
        )


def session_options(threads: int) -> onnxruntime.SessionOptions:
    """Every optimisation of the graph, one operator at a time, `threads` threads in it, none that spins."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = _FATAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _require_fits(spec: Spec, session: onnxruntime.InferenceSession, path: str) -> None:
    for told, there in ((spec.inputs, session.get_inputs()), (spec.outputs, session.get_outputs())):
        expected = [(t.name, t.dtype, tuple(axis.size for axis in t.axes)) for t in told]
        came = [(t.name, _TYPES.get(t.type, t.type), _sizes(t.shape)) for t in there]
        if expected != came:
            raise BadModel(f"{path}: expected {expected} as the specification says; got {came}; export it again")


def _sizes(shape: list[Any]) -> tuple[int | None, ...]:
    """Named axes are dynamic."""
    return tuple(size if isinstance(size, int) else None for size in shape)
