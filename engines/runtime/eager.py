"""A network in memory, run by torch as it is.

`Eager` is the reference on the CPU. `Graphed` replays a captured CUDA graph, one for each batch size, which spares the
launch of every kernel; a step of a small network on a GPU is little else.

**`Graphed` never ran on a GPU where Afterimage was made**; a test drives it with a stand-in for torch.cuda.
Thread: whichever opened it, one call at a time.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engines.errors import InputError
from engines.models.base import Network, zeros
from engines.runtime.base import Arrays, Description, Options
from engines.spec import Spec

# Kernels choose their algorithms and libraries their workspaces in the first calls; PyTorch's notes on CUDA graphs
# ask for a few on a side stream before the capture.
_CALLS_BEFORE_CAPTURE = 3


class Eager:
    """torch on the CPU; the network is put into evaluation. `options.threads` sets torch's threads, process-wide."""

    name = "torch"

    def __init__(self, network: Network, options: Options) -> None:
        _require_float32(options)
        self._network, self._spec = network.eval(), network.spec()
        torch.set_num_threads(options.threads)

    @property
    def spec(self) -> Spec:
        """What goes in and comes out."""
        return self._spec

    def __call__(self, inputs: Arrays) -> dict[str, NDArray[Any]]:
        """One step.

        Raises:
            InputError: inputs that do not fit.
        """
        self._spec.require(inputs)
        with torch.inference_mode():
            outputs = self._network(**{name: _tensor(array) for name, array in inputs.items()})
        return _arrays(self._spec, outputs)

    def warm_up(self, batch: int = 1) -> None:
        """One call on zeros."""
        self({name: tensor.numpy() for name, tensor in zeros(self._spec, batch).items()})

    def describe(self) -> Description:
        """What runs."""
        threads = torch.get_num_threads()
        device = f"CPU, {threads} thread{'s' if threads > 1 else ''}"
        return Description(self.name, f"torch {torch.__version__}", device, "float32", type(self._network).__name__)


class Graphed:
    """torch on a CUDA GPU, by captured graphs; the network is moved there and put into evaluation."""

    name = "torch-cuda"

    def __init__(self, network: Network, options: Options, device: str = "cuda") -> None:
        _require_float32(options)
        self._device = device
        self._network, self._spec = network.eval().to(device), network.spec()
        self._captured: dict[int, _Captured] = {}

    @property
    def spec(self) -> Spec:
        """What goes in and comes out."""
        return self._spec

    def __call__(self, inputs: Arrays) -> dict[str, NDArray[Any]]:
        """One step; the first of a batch size captures its graph.

        Raises:
            InputError: inputs that do not fit.
        """
        self._spec.require(inputs)
        batch = len(next(iter(inputs.values())))
        if batch not in self._captured:
            self._captured[batch] = _Captured(self._network, self._spec, batch, self._device)
        return _arrays(self._spec, self._captured[batch].replay(inputs))

    def warm_up(self, batch: int = 1) -> None:
        """Capture the graph of this batch size."""
        self({name: tensor.numpy() for name, tensor in zeros(self._spec, batch).items()})

    def describe(self) -> Description:
        """What runs."""
        device = torch.cuda.get_device_name()
        return Description(self.name, f"torch {torch.__version__}", device, "float32", type(self._network).__name__)


class _Captured:
    """One step at one batch size, recorded on inputs and outputs that stay where they are in the GPU's memory."""

    def __init__(self, network: Network, spec: Spec, batch: int, device: str) -> None:
        self._inputs = {name: tensor.to(device) for name, tensor in zeros(spec, batch).items()}
        with torch.inference_mode():
            side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
            side.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(side):
                for _ in range(_CALLS_BEFORE_CAPTURE):
                    network(**self._inputs)
            torch.cuda.current_stream().wait_stream(side)
            self._graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self._graph):
                self._outputs: tuple[Tensor, ...] = tuple(network(**self._inputs))

    def replay(self, inputs: Arrays) -> tuple[Tensor, ...]:
        """The outputs, on the CPU; copying them there waits for the GPU."""
        for name, array in inputs.items():
            self._inputs[name].copy_(_tensor(array))
        self._graph.replay()
        return tuple(output.cpu() for output in self._outputs)


def _tensor(array: NDArray[Any]) -> Tensor:
    return torch.from_numpy(np.require(array, requirements=["C", "W"]))


def _arrays(spec: Spec, outputs: tuple[Tensor, ...]) -> dict[str, NDArray[Any]]:
    return {tensor.name: output.numpy() for tensor, output in zip(spec.outputs, outputs, strict=True)}


def _require_float32(options: Options) -> None:
    if options.precision != "float32":
        raise InputError(f"torch runs a network in the precision it has, float32; got {options.precision!r}")
