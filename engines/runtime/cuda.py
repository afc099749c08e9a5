"""The NVIDIA GPU that TensorRT runs on, through torch: memory, one stream, and which GPU and driver it is.

**Never ran where Afterimage was made**: no GPU was at hand. Thread: whichever made it.
"""

import shutil
import subprocess

import torch
from torch import Tensor

from engines.runtime.errors import EngineFailed

_QUERY_S = 20.0  # a GPU that sleeps takes seconds to answer


class CudaDevice:
    """The current CUDA GPU."""

    name = "cuda"

    def __init__(self) -> None:
        self._stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]

    @property
    def gpu(self) -> str:
        """As in "NVIDIA RTX 4090, compute 8.9"."""
        major, minor = torch.cuda.get_device_capability()
        return f"{torch.cuda.get_device_name()}, compute {major}.{minor}"

    @property
    def driver(self) -> str:
        """The driver's version."""
        return driver_version()

    @property
    def stream(self) -> int:
        """Handle of the stream that everything here is queued on."""
        return int(self._stream.cuda_stream)

    def empty(self, shape: tuple[int, ...], dtype: str) -> Tensor:
        """Memory of the GPU."""
        return torch.empty(shape, dtype=getattr(torch, dtype), device="cuda")

    def pinned(self, shape: tuple[int, ...], dtype: str) -> Tensor:
        """Memory of the CPU that the GPU can copy to and from by itself."""
        return torch.empty(shape, dtype=getattr(torch, dtype), pin_memory=True)

    def copy(self, source: Tensor, target: Tensor) -> None:
        """Queue a copy."""
        with torch.cuda.stream(self._stream):
            target.copy_(source, non_blocking=True)

    def wait(self) -> None:
        """Until all that was queued is done."""
        self._stream.synchronize()


def driver_version() -> str:
    """Version of NVIDIA's driver, which all GPUs of a machine share.

    Raises:
        EngineFailed: `nvidia-smi` is missing or does not tell.
    """
    program = shutil.which("nvidia-smi")
    if program is None:
        raise EngineFailed("expected nvidia-smi, which comes with NVIDIA's driver, on the PATH; reinstall the driver")
    command = [program, "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        told = subprocess.run(command, capture_output=True, text=True, timeout=_QUERY_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise EngineFailed(f"nvidia-smi did not answer within {_QUERY_S:g} s; restart the driver") from error
    if told.returncode or not told.stdout.strip():
        raise EngineFailed(f"nvidia-smi does not tell the driver's version: {told.stderr.strip() or told.stdout}")
    return told.stdout.splitlines()[0].strip()
