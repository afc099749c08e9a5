"""What a model takes and gives: names, axes, element types and meanings. Numpy alone, so that any room may read it.

    spec = Spec(
        inputs=(TensorSpec("static", batch_of(("channel", 64), ("time", 250)), "float32", "EEG, ..."),),
        outputs=(TensorSpec("embedding", batch_of(("feature", 1024)), "float32", "raw embedding of the picture"),),
    )
    spec.require({"static": array})  # raises InputError: what was expected, what came, what to do

An axis without a size is dynamic; in a model's specification that is the batch, and only the batch. Frozen.
Thread: any.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines.errors import InputError

Array = NDArray[Any]

_DTYPES = ("float32", "float64", "int64", "bool", "uint8")


@dataclass(frozen=True)
class Axis:
    """One axis of a tensor; `size` None means any number from one upwards."""

    name: str
    size: int | None = None

    def __str__(self) -> str:
        """As in "channel 64" and "batch"."""
        return self.name if self.size is None else f"{self.name} {self.size}"


def batch_of(*axes: tuple[str, int]) -> tuple[Axis, ...]:
    """Axes of fixed sizes behind a dynamic batch."""
    return (Axis("batch"), *(Axis(name, size) for name, size in axes))


@dataclass(frozen=True)
class TensorSpec:
    """One tensor. `meaning` says what the numbers are, with their unit.

    Raises:
        InputError: an element type no runtime takes, or two axes of one name.
    """

    name: str
    axes: tuple[Axis, ...]
    dtype: str
    meaning: str

    def __post_init__(self) -> None:
        """Refuse what could not be checked later."""
        if self.dtype not in _DTYPES:
            raise InputError(f"{self.name}: expected an element type among {', '.join(_DTYPES)}; got {self.dtype!r}")
        names = [axis.name for axis in self.axes]
        if len(set(names)) != len(names):
            raise InputError(f"{self.name}: expected axes of different names; got {', '.join(names)}")

    @property
    def dynamic(self) -> tuple[int, ...]:
        """Positions of the axes of any size."""
        return tuple(i for i, axis in enumerate(self.axes) if axis.size is None)

    def __str__(self) -> str:
        """As in "static: float32 (batch, channel 64, time 250)"."""
        return f"{self.name}: {self.dtype} ({', '.join(map(str, self.axes))})"

    def shape(self, batch: int) -> tuple[int, ...]:
        """Sizes, with `batch` for the dynamic axes."""
        return tuple(batch if axis.size is None else axis.size for axis in self.axes)

    def zeros(self, batch: int) -> Array:
        """An array that fits."""
        return np.zeros(self.shape(batch), self.dtype)

    def require(self, array: Array) -> None:
        """Pass an array that fits.

        Raises:
            InputError: not an array, another element type, another shape, or nothing in it.
        """
        if not isinstance(array, np.ndarray):
            raise InputError(f"expected {self}; got {type(array).__name__}; hand it over as a numpy array")
        came = f"got {array.dtype} {array.shape}"
        if array.dtype != np.dtype(self.dtype):
            raise InputError(f"expected {self}; {came}; convert it with .astype({self.dtype!r})")
        if array.ndim != len(self.axes):
            hint = "; add the batch axis in front" if array.ndim == len(self.axes) - 1 else "; rearrange its axes"
            raise InputError(f"expected {self}; {came}{hint}")
        wrong = [
            f"axis {i} ({axis.name}) has {n}, not {axis.size or '1 or more'}"
            for i, (axis, n) in enumerate(zip(self.axes, array.shape, strict=True))
            if (n != axis.size if axis.size is not None else n < 1)
        ]
        if wrong:
            raise InputError(
                f"expected {self}; {came}: {', '.join(wrong)}; "
                "prepare it with the channels, rate and window the model was built for"
            )


@dataclass(frozen=True)
class Spec:
    """Everything a model takes and gives, in the order of its `forward`.

    Raises:
        InputError: two tensors of one name.
    """

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]

    def __post_init__(self) -> None:
        """Names are how runtimes find their tensors."""
        names = [tensor.name for tensor in (*self.inputs, *self.outputs)]
        if len(set(names)) != len(names):
            raise InputError(f"expected tensors of different names; got {', '.join(names)}")

    def require(self, arrays: Mapping[str, Array]) -> None:
        """Pass inputs that fit, all of one batch size.

        Raises:
            InputError: one is missing, unknown or does not fit, or their batches differ.
        """
        _require(self.inputs, arrays, "inputs")

    def require_outputs(self, arrays: Mapping[str, Array]) -> None:
        """The same for what came out.

        Raises:
            InputError: as `require`.
        """
        _require(self.outputs, arrays, "outputs")


def _require(tensors: tuple[TensorSpec, ...], arrays: Mapping[str, Array], what: str) -> None:
    expected, came = [tensor.name for tensor in tensors], list(arrays)
    if set(expected) != set(came):
        raise InputError(f"expected the {what} {', '.join(expected)}; got {', '.join(came) or 'none'}; name each once")
    for tensor in tensors:
        tensor.require(arrays[tensor.name])
    sizes = {t.name: arrays[t.name].shape[i] for t in tensors for i in t.dynamic}
    if len(set(sizes.values())) > 1:
        listed = ", ".join(f"{name} {size}" for name, size in sizes.items())
        raise InputError(f"expected {what} of one batch size; got {listed}; hand over the same trials in each")
