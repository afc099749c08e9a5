"""What every runtime is: arrays by name in, arrays by name out, and words for what runs. Numpy alone. Thread: any."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from engines.errors import InputError
from engines.runtime.folder import MODELS
from engines.spec import Spec

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Description:
    """What runs, for logs, reports and the window."""

    runtime: str
    version: str
    device: str
    precision: str
    model: str

    def __str__(self) -> str:
        """As in "onnx (onnxruntime 1.31.1, CPU, 1 thread), float32, BrainSsd 1a2b3c4d5e6f"."""
        return f"{self.runtime} ({self.version}, {self.device}), {self.precision}, {self.model}"


class Runtime(Protocol):
    """Arrays by name in, arrays by name out.

    Thread: whichever opened it, one call at a time.
    """

    @property
    def name(self) -> str:
        """One of the names above."""
        ...

    @property
    def spec(self) -> Spec:
        """What goes in and comes out."""
        ...

    def __call__(self, inputs: Arrays) -> dict[str, NDArray[Any]]:
        """One step; the arrays that come out are the caller's.

        Raises:
            InputError: inputs that do not fit the specification.
        """
        ...

    def warm_up(self, batch: int = 1) -> None:
        """Pay for what only the first call of this batch size needs (buffers, captured graphs, lazy loading)."""
        ...

    def describe(self) -> Description:
        """What runs, on what."""
        ...


@dataclass(frozen=True)
class Options:
    """How a runtime is opened. `threads` is of the CPU; `most` is the largest batch an engine is built for.

    `cache` is where engines are kept; None stands for the user's own cache folder.
    """

    precision: str = "float32"
    threads: int = 1
    most: int = 64
    cache: Path | None = None

    def __post_init__(self) -> None:
        """Refuse what no runtime takes."""
        if self.precision not in MODELS:
            raise InputError(f"expected a precision among {', '.join(MODELS)}; got {self.precision!r}")
        if self.threads < 1 or self.most < 1:
            raise InputError(f"expected at least one thread and a batch of one; got {self.threads} and {self.most}")


@dataclass(frozen=True)
class Choice:
    """The runtime taken, and why those before it were not."""

    name: str
    passed_over: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """As in "onnx (not tensorrt: ...)"."""
        return self.name + "".join(f" (not {name}: {why})" for name, why in self.passed_over.items())
