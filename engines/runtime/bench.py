"""How long one trial takes in each runtime.

Each runtime is timed in a process of its own: torch and ONNX Runtime in one process disturb each other
(docs/decisions/0135-one-runtime-per-process.md). The first calls are not counted. Medians of a busy machine compare
only with medians taken beside them. Thread: any; starts processes and waits for them.
"""

import multiprocessing
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engines.runtime.base import open_runtime
from engines.runtime.folder import Exported
from engines.runtime.seeded import seeded
from engines.runtime.types import Options

_WARM_UPS = 5


@dataclass(frozen=True)
class Timing:
    """One runtime: milliseconds from arrays to arrays, over `n` calls of `batch` trials each."""

    runtime: str
    precision: str
    description: str
    batch: int
    n: int
    median_ms: float
    p95_ms: float
    p99_ms: float


def bench(folder: Path, runtimes: Sequence[tuple[str, Options]], n: int = 200, batch: int = 1) -> tuple[Timing, ...]:
    """Time the exported network in `folder`, one runtime after the other.

    Raises:
        NoRuntime: one of them cannot run here.
        WorkError: one of them failed.
    """
    return tuple(_in_a_process_of_its_own(folder, name, options, n, batch) for name, options in runtimes)


def _in_a_process_of_its_own(folder: Path, name: str, options: Options, n: int, batch: int) -> Timing:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(timed, folder, name, options, n, batch).result()


def timed(folder: Path, name: str, options: Options, n: int, batch: int) -> Timing:
    """Time one runtime in this process."""
    exported = Exported.read(folder)
    runtime = open_runtime(exported, [name], options)
    inputs = seeded(exported.spec, batch, 0, exported.ranges)
    taken_ms = []
    for i in range(_WARM_UPS + n):
        began = time.perf_counter()
        runtime(inputs)
        if i >= _WARM_UPS:
            taken_ms.append((time.perf_counter() - began) * 1e3)
    median, p95, p99 = (float(value) for value in np.percentile(taken_ms, (50, 95, 99)))
    return Timing(name, options.precision, str(runtime.describe()), batch, n, median, p95, p99)
