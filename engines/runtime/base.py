"""One way to run a network, whatever runs it, and the one place where optional back ends are imported.

The configuration lists the allowed runtimes in order; the first that can run the model here is taken. It is logged, and
`describe` tells it. A runtime that is there and then fails is an error: nothing falls back in silence. One that gives
other numbers than the network gave when it was exported is refused as it is opened, so that nobody decodes with it
(docs/decisions/0196-compared-when-opened.md).

    tensorrt      an exported folder on an NVIDIA GPU, with TensorRT 10 or 11
    onnx-cuda     an exported folder through ONNX Runtime's CUDA provider
    onnx          an exported folder through ONNX Runtime on the CPU
    torch-cuda    a network on an NVIDIA GPU, with CUDA graphs
    torch         a network on the CPU

torch takes the network in memory, or rebuilds it from an exported folder that holds it (engines/runtime/rebuild.py).

Only `onnx` and `torch` ever ran where Afterimage was made: docs/decisions/0136-tensorrt-unseen.md.

torch and ONNX Runtime in one process slow each other down (two pools of threads on the same cores). Opening `onnx`
imports no torch, its one thread is the caller's own, and measurements give each runtime a process of its own:
docs/decisions/0135-one-runtime-per-process.md.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from engines.errors import InputError
from engines.runtime.agreement import TOLERANCES, require, with_export
from engines.runtime.errors import Disagreement, NoRuntime
from engines.runtime.folder import Exported
from engines.runtime.types import Arrays, Choice, Description, Options, Runtime

if TYPE_CHECKING:
    from engines.models.base import Network

__all__ = ["ALLOWED", "Arrays", "Choice", "Description", "Options", "Runtime", "choose", "open_chosen", "open_runtime"]

ALLOWED = ("tensorrt", "onnx", "torch")
# Those that ran where Afterimage was made; the others were only ever driven by stand-ins.
RAN = ("onnx", "torch")
# Compared with the export when that is made, and by `check`; what the others are compared with there.
REFERENCE = "onnx"
INSTALL_TENSORRT = 'python -m pip install -e ".[tensorrt]" on a machine with an NVIDIA GPU'
INSTALL_CUDA = "install torch for CUDA (https://pytorch.org/get-started) on a machine with an NVIDIA GPU"
INSTALL_ONNX = 'python -m pip install "onnxruntime==1.31.1"'
INSTALL_ONNX_CUDA = "replace onnxruntime by onnxruntime-gpu on a machine with an NVIDIA GPU"
EXPORT = "it runs exported folders; export the network first"
IN_MEMORY = "it needs the network itself, and this folder holds the graph alone; export the network again"

log = logging.getLogger(__name__)


def open_runtime(
    model: "Network | Exported | Path", allowed: Sequence[str] = ALLOWED, options: Options | None = None
) -> Runtime:
    """The first of `allowed` that can run `model` here: a network in memory, or the folder of an exported one.

    Raises:
        NoRuntime: none can; the message says why, and what to install.
        InputError: an unknown name in `allowed`, or no exported network in the folder.
        WorkError: the chosen runtime failed, or gives other numbers than the network (`Disagreement`).
    """
    if isinstance(model, Path):
        model = Exported.read(model)
    return open_chosen(model, choose(model, allowed), options)


def open_chosen(model: "Network | Exported", choice: Choice, options: Options | None = None) -> Runtime:
    """The runtime of a choice that is to be shown.

    Raises:
        Disagreement: it gives other numbers than the network gave when it was exported.
        WorkError: it failed.
    """
    options = options or Options()
    runtime = _BACKENDS[choice.name].open(model, options)
    if isinstance(model, Exported) and (choice.name, options.precision) != (REFERENCE, "float32"):
        _require_agreement(model, runtime, options.precision)
    log.info("runtime %s: %s", choice, runtime.describe())
    return runtime


@runtime_checkable
class _Keeps(Protocol):
    """A runtime that keeps on disk what it built."""

    def forget(self) -> None: ...


def _require_agreement(exported: Exported, runtime: Runtime, precision: str) -> None:
    try:
        require(
            with_export(exported, runtime),
            TOLERANCES[precision],
            f"{runtime.describe()}, against eager torch {exported.versions.get('torch', '')} at its export",
            f"it is not used; allow another runtime ([decoding] runtimes in the configuration), and report what "
            f"'afterimage engines check {exported.folder}' tells",
        )
    except Disagreement:
        if isinstance(runtime, _Keeps):
            runtime.forget()
        raise


def choose(model: "Network | Exported", allowed: Sequence[str] = ALLOWED) -> Choice:
    """Which of `allowed` would be opened, without opening it.

    Raises:
        NoRuntime, InputError: as `open_runtime`.
    """
    unknown = [name for name in allowed if name not in _BACKENDS]
    if unknown or not allowed:
        raise InputError(f"expected runtimes among {', '.join(_BACKENDS)}; got {', '.join(unknown) or 'none'}")
    passed_over: dict[str, str] = {}
    for name in allowed:
        why = why_not(name, model)
        if why is None:
            return Choice(name, passed_over)
        passed_over[name] = why
    told = "; ".join(f"{name}: {why}" for name, why in passed_over.items())
    raise NoRuntime(f"none of the allowed runtimes can run this model here: {told}")


def why_not(name: str, model: "Network | Exported | None" = None) -> str | None:
    """What is missing here for the runtime `name`, and how to get it; None when nothing is.

    Without a `model` only the machine is asked.
    """
    backend = _BACKENDS[name]
    if isinstance(model, Exported):
        if not backend.graphs and model.source is None:
            return IN_MEMORY
    elif model is not None and backend.graphs:
        return EXPORT
    return backend.missing()


def runtimes() -> tuple[str, ...]:
    """Every name there is."""
    return tuple(_BACKENDS)


def precisions(name: str, exported: Exported) -> tuple[str, ...]:
    """In which the runtime `name` runs a folder: all that it has graphs of, and torch in the network's own."""
    return tuple(exported.graphs) if _BACKENDS[name].graphs else ("float32",)


def _missing_onnx() -> str | None:
    try:
        import onnxruntime  # noqa: F401
    except ImportError as error:
        return f"ONNX Runtime is not installed ({error}); {INSTALL_ONNX}"
    return None


def _missing_onnx_cuda() -> str | None:
    missing = _missing_onnx()
    if missing:
        return missing
    import onnxruntime

    listed = onnxruntime.get_available_providers()
    if "CUDAExecutionProvider" in listed:
        return None
    return f"ONNX Runtime lists only {', '.join(listed)}; {INSTALL_ONNX_CUDA}"


def _missing_torch() -> str | None:
    try:
        import torch  # noqa: F401
    except ImportError as error:
        return f"torch is not installed ({error}); python -m pip install torch"
    return None


def _missing_cuda() -> str | None:
    missing = _missing_torch()
    if missing:
        return missing
    import torch

    return None if torch.cuda.is_available() else f"torch {torch.__version__} sees no CUDA GPU; {INSTALL_CUDA}"


def _missing_tensorrt() -> str | None:
    try:
        import tensorrt
    except (ImportError, OSError) as error:  # OSError: the bindings without their libraries
        return f"TensorRT is not installed ({error}); {INSTALL_TENSORRT}"
    major = int(tensorrt.__version__.split(".")[0])
    if major not in (10, 11):
        return f"TensorRT {tensorrt.__version__} is installed, and 10 or 11 is needed; {INSTALL_TENSORRT}"
    return _missing_cuda()


def _open_onnx(model: Any, options: Options) -> Runtime:
    from engines.runtime.ort import OnnxRuntime

    return OnnxRuntime(model, options)


def _open_onnx_cuda(model: Any, options: Options) -> Runtime:
    from engines.runtime.ort import OnnxRuntime

    return OnnxRuntime(model, options, cuda=True)


def _open_torch(model: Any, options: Options) -> Runtime:
    from engines.runtime.eager import Eager

    return Eager(_network(model), options)


def _open_torch_cuda(model: Any, options: Options) -> Runtime:
    from engines.runtime.eager import Graphed

    return Graphed(_network(model), options)


def _network(model: "Network | Exported") -> "Network":
    from engines.runtime.rebuild import network_of

    return network_of(model) if isinstance(model, Exported) else model


def _open_tensorrt(model: Any, options: Options) -> Runtime:
    import tensorrt

    from engines.runtime.cuda import CudaDevice
    from engines.runtime.trt import TensorRt

    return TensorRt(model, options, tensorrt, CudaDevice())


@dataclass(frozen=True)
class _Backend:
    graphs: bool  # runs the graphs of exported folders; otherwise networks
    missing: Callable[[], str | None]
    open: Callable[[Any, Options], Runtime]


_BACKENDS = {
    "tensorrt": _Backend(True, _missing_tensorrt, _open_tensorrt),
    "onnx-cuda": _Backend(True, _missing_onnx_cuda, _open_onnx_cuda),
    "onnx": _Backend(True, _missing_onnx, _open_onnx),
    "torch-cuda": _Backend(False, _missing_cuda, _open_torch_cuda),
    "torch": _Backend(False, _missing_torch, _open_torch),
}
