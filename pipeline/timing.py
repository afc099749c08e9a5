"""The latency ledger: how long each stage took, kept in bounded memory."""

import threading
from collections.abc import Mapping

import numpy as np

CAPACITY = 65_536


class Ledger:
    """Durations by stage. Keeps the newest 65,536 of each, counts them all.

    Thread: any may `add` and read.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: dict[str, np.ndarray[tuple[int], np.dtype[np.float64]]] = {}
        self._counts: dict[str, int] = {}

    def add(self, stage: str, duration_s: float) -> None:
        """Enter one duration in seconds."""
        with self._lock:
            values = self._values.setdefault(stage, np.zeros(CAPACITY))
            count = self._counts.get(stage, 0)
            values[count % CAPACITY] = duration_s
            self._counts[stage] = count + 1

    def summary_ms(self) -> Mapping[str, Mapping[str, float]]:
        """{stage: {median, p95, p99, max, n}} in milliseconds, stages in the order they were first seen."""
        with self._lock:
            kept = {stage: values[: self._counts[stage]].copy() for stage, values in self._values.items()}
            counts = dict(self._counts)
        return {stage: {**_summary(values * 1e3), "n": counts[stage]} for stage, values in kept.items()}


def _summary(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> dict[str, float]:
    median, p95, p99 = np.percentile(values, [50, 95, 99])
    return {"median": float(median), "p95": float(p95), "p99": float(p99), "max": float(values.max())}
