"""A network run by torch as it is.

`Eager` is the reference on the CPU. `Graphed` replays a captured CUDA graph, one for each batch size, which spares the
launch of every kernel; a step of a small network on a GPU is little else. cuDNN's TF32, which is on unless somebody
switches it off, is off while kernels are chosen and captured, so that float32 means float32.

**`Graphed` never ran on a GPU where Afterimage was made**; a test drives it with a stand-in for torch.cuda.
Thread: whichever opened it, one call at a time.
"""

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engines.errors import InputError
from engines.models.base import Network, zeros
from engines.runtime.types import Arrays, Description, Options
from engines.spec import Spec

# Kernels choose their algorithms and libraries their workspaces in the first calls; PyTorch's notes on CUDA graphs
# ask for a few on a side stream before the capture.
_CALLS_BEFORE_CAPTURE = 3


class _Torch(ABC):
    """What both ways share; the network is put into evaluation."""

    name: str

    def __init__(self, network: Network, options: Options) -> None:
        if options.precision != "float32":
            raise InputError(f"torch runs a network in the precision it has, float32; got {options.precision!r}")
        self._network, self._spec = network.eval(), network.spec()

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
        tensors = {name: torch.from_numpy(np.require(array, requirements=["C", "W"])) for name, array in inputs.items()}
        outputs = self._outputs(tensors)
        return {tensor.name: output.numpy() for tensor, output in zip(self._spec.outputs, outputs, strict=True)}

    def warm_up(self, batch: int = 1) -> None:
        """One call on zeros."""
        self({name: tensor.numpy() for name, tensor in zeros(self._spec, batch).items()})

    def describe(self) -> Description:
        """What runs."""
        version = f"torch {torch.__version__}"
        return Description(self.name, version, self._where(), "float32", type(self._network).__name__)

    @abstractmethod
    def _outputs(self, inputs: dict[str, Tensor]) -> tuple[Tensor, ...]:
        """One step from and to the CPU."""

    @abstractmethod
    def _where(self) -> str:
        """The device, in words."""


class Eager(_Torch):
    """torch on the CPU; `options.threads` sets torch's threads, process-wide."""

    name = "torch"

    def __init__(self, network: Network, options: Options) -> None:
        super().__init__(network, options)
        torch.set_num_threads(options.threads)

    def _outputs(self, inputs: dict[str, Tensor]) -> tuple[Tensor, ...]:
        with torch.inference_mode():
            return tuple(self._network(**inputs))

    def _where(self) -> str:
        threads = torch.get_num_threads()
        return f"CPU, {threads} thread{'s' if threads > 1 else ''}"


class Graphed(_Torch):
    """torch on a CUDA GPU, by captured graphs; the network is moved there. The first call of a batch size captures."""

    name = "torch-cuda"

    def __init__(self, network: Network, options: Options, device: str = "cuda") -> None:
        super().__init__(network.to(device), options)
        self._device = device
        self._captured: dict[int, _Captured] = {}

    def _outputs(self, inputs: dict[str, Tensor]) -> tuple[Tensor, ...]:
        batch = len(next(iter(inputs.values())))
        if batch not in self._captured:
            self._captured[batch] = _Captured(self._network, self._spec, batch, self._device)
        return self._captured[batch].replay(inputs)

    def _where(self) -> str:
        return torch.cuda.get_device_name()


class _Captured:
    """One step at one batch size, recorded on inputs and outputs that stay where they are in the GPU's memory."""

    def __init__(self, network: Network, spec: Spec, batch: int, device: str) -> None:
        self._inputs = {name: tensor.to(device) for name, tensor in zeros(spec, batch).items()}
        with torch.inference_mode(), _float32():
            side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
            side.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(side):
                for _ in range(_CALLS_BEFORE_CAPTURE):
                    network(**self._inputs)
            torch.cuda.current_stream().wait_stream(side)
            self._graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self._graph):
                self._outputs: tuple[Tensor, ...] = tuple(network(**self._inputs))

    def replay(self, inputs: dict[str, Tensor]) -> tuple[Tensor, ...]:
        """The outputs, on the CPU; copying them there waits for the GPU."""
        for name, tensor in inputs.items():
            self._inputs[name].copy_(tensor)
        self._graph.replay()
        return tuple(output.cpu() for output in self._outputs)


def _float32() -> AbstractContextManager[None]:
    """Convolutions in float32 proper; matrix products are unless somebody asks otherwise."""
    now = torch.backends.cudnn
    return torch.backends.cudnn.flags(
        enabled=True, benchmark=now.benchmark, deterministic=now.deterministic, allow_tf32=False
    )
