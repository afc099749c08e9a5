"""What runtimes of an exported graph have in common. Thread: whichever opened one, one call at a time."""

from abc import ABC, abstractmethod
from typing import Any

from numpy.typing import NDArray

from engines.runtime.folder import Exported
from engines.runtime.seeded import seeded
from engines.runtime.types import Arrays, Options
from engines.spec import Spec


class GraphRuntime(ABC):
    """Runs the graph of one precision of a folder."""

    def __init__(self, exported: Exported, options: Options) -> None:
        self._exported, self._options = exported, options

    @property
    def spec(self) -> Spec:
        """What goes in and comes out."""
        return self._exported.spec

    @abstractmethod
    def __call__(self, inputs: Arrays) -> dict[str, NDArray[Any]]:
        """One step."""

    def warm_up(self, batch: int = 1) -> None:
        """One call: it makes the buffers of this batch size, or fills the arena."""
        self(seeded(self.spec, batch, 0, self._exported.ranges))

    @property
    def _model(self) -> str:
        """As in "BrainSsd 1a2b3c4d5e6f"."""
        return f"{self._exported.network} {self._exported.graphs[self._options.precision].sha256[:12]}"
