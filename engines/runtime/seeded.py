"""Inputs to compare runtimes on, the same on every machine and for ever.

Built from the raw words of PCG64, whose stream numpy promises never to change, by exact arithmetic: floats are uniform
with mean 0 and variance 1 (white, like standardised EEG without its spectrum), integers uniform over their range.
Thread: any.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines.errors import InputError
from engines.spec import Spec, TensorSpec

Ranges = Mapping[str, tuple[int, int]]

_WIDTH = float(np.sqrt(12.0))  # of a uniform distribution of variance 1
_OWN = {"uint8": (0, 255), "bool": (0, 1)}


def require_ranges(spec: Spec, ranges: Ranges) -> None:
    """Pass ranges that say what every integer input may be.

    Raises:
        InputError: one is missing, empty, or of a tensor that is no integer input.
    """
    integers = [tensor.name for tensor in spec.inputs if tensor.dtype == "int64"]
    if sorted(integers) != sorted(ranges):
        raise InputError(
            f"expected the range of each int64 input ({', '.join(integers) or 'none'}); "
            f"got {', '.join(ranges) or 'none'}; give them as ranges={{name: (lowest, highest)}}"
        )
    for name, (low, high) in ranges.items():
        if low > high:
            raise InputError(f"expected a range of {name} from low to high; got {low} to {high}")


def seeded(spec: Spec, batch: int, seed: int, ranges: Ranges) -> dict[str, NDArray[Any]]:
    """Inputs that fit `spec`; each by a generator of its own, so that no input depends on another's size."""
    return {tensor.name: _drawn(tensor, batch, (seed, i), ranges) for i, tensor in enumerate(spec.inputs)}


def _drawn(tensor: TensorSpec, batch: int, seed: tuple[int, int], ranges: Ranges) -> NDArray[Any]:
    shape = tensor.shape(batch)
    words = np.random.PCG64(seed).random_raw(int(np.prod(shape))).reshape(shape)
    uniform = (words >> np.uint64(11)) * 2.0**-53  # [0, 1)
    if tensor.dtype.startswith("float"):
        return np.asarray((uniform - 0.5) * _WIDTH, dtype=tensor.dtype)
    low, high = ranges.get(tensor.name) or _OWN[tensor.dtype]
    return np.asarray(low + np.floor(uniform * (high - low + 1)), dtype=tensor.dtype)
