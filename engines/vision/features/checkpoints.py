"""Where published weights are on this machine, and reading them. The network is never asked.

They are looked for at a configured path, else where `torch.hub` and torchvision keep what they fetched. A `.pth` file
is a pickle; torch reads it with `weights_only`, which admits tensors and plain containers and runs nothing.
"""

from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from engines.errors import InputError
from engines.weights import how_to_get, part


def found(name: str, configured: Path | None) -> Path:
    """`configured`, else the file of the part `name` (`engines.parts`) in the cache of torch.hub.

    Raises:
        InputError: it is not there.
    """
    wanted = part(name)
    path = configured if configured is not None else Path(torch.hub.get_dir()) / "checkpoints" / wanted.files[0]
    if not path.is_file():
        raise InputError(f"{path}: expected weights, there is no such file; {how_to_get(wanted)}")
    return path


def read(path: Path) -> dict[str, Tensor]:
    """Tensors by name from a safetensors file or a torch state dict (also one under the key `state_dict`).

    Raises:
        InputError: it is something else.
    """
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, UnpicklingError, RuntimeError, EOFError) as error:
        raise InputError(
            f"{path}: expected safetensors or a torch state dict ({error}); fetch the file again"
        ) from error
    if isinstance(state, Mapping) and isinstance(state.get("state_dict"), Mapping):
        state = state["state_dict"]
    if not isinstance(state, Mapping) or not all(isinstance(value, Tensor) for value in state.values()):
        raise InputError(f"{path}: expected a dictionary of tensors, got {type(state).__name__}; give a state dict")
    return {str(name): value for name, value in state.items()}


def under(state: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Those tensors whose name starts with `prefix`, without it."""
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}


def fill(net: nn.Module, state: Mapping[str, Tensor], path: Path) -> None:
    """Load what `net` has of `state`; what `state` has beyond it stays out.

    Raises:
        InputError: a tensor is missing, or of another shape.
    """
    wanted = {name: value.shape for name, value in net.state_dict().items() if not name.endswith("num_batches_tracked")}
    wrong = [name for name, shape in wanted.items() if name not in state or state[name].shape != shape]
    if wrong:
        raise InputError(
            f"{path}: {len(wrong)} of {len(wanted)} tensors are missing or of another shape, {wrong[0]} the first; "
            "give the file that torchvision names"
        )
    net.load_state_dict({name: value for name, value in state.items() if name in net.state_dict()}, strict=False)
