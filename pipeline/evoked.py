"""Mean evoked responses, summed while the epochs come."""

from collections import Counter
from dataclasses import dataclass

from pipeline.types import Array

# Summed for the classes that come first, so that free-text labels cannot fill the memory.
MAX_CLASSES = 12


@dataclass(frozen=True)
class Evoked:
    """Mean response of one class over `n` epochs; `mean_uv` (n_channels, n_samples), as the causal chain gives it."""

    label: str
    n: int
    mean_uv: Array


class EvokedMeans:
    """Thread: `add` one; `means` any."""

    def __init__(self) -> None:
        self._sums: dict[str, Array] = {}
        self._counts: Counter[str] = Counter()

    def add(self, label: str, epoch_uv: Array) -> None:
        """One more epoch of a class."""
        if label in self._sums:
            self._sums[label] += epoch_uv
        elif len(self._sums) < MAX_CLASSES:
            self._sums[label] = epoch_uv.copy()
        else:
            return
        self._counts[label] += 1

    @property
    def means(self) -> tuple[Evoked, ...]:
        """So far."""
        return tuple(Evoked(label, n, self._sums[label] / n) for label, n in self._counts.items())
