"""BrainSSD on one trial, in every runtime that is here, beside eager torch and beside its own arithmetic.

Each runtime answers in a process of its own (`python -m tests.bench.encoders RUNTIME FOLDER`), on one thread, in turn.
The floor is what the network's multiply-adds alone would take at the rate of the fastest large matrix product of the
same rounds; sines, exponentials, norms and the bins of the coupling are not in it.
"""

import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from engines.runtime.base import open_runtime, runtimes, why_not
from engines.runtime.folder import Exported
from engines.runtime.seeded import seeded
from tests.bench.measure import in_turn, show
from tests.bench.programs import Program, asked_once, serve
from tests.bench.rows import Row

SIZES = ("full", "pocket")
CALLS = 40
PRODUCT = 1024  # rows and columns of the large matrices
PEER = "torch"
PEER_NAME = "eager torch"


def product() -> None:
    """Serve the rate of large products of float32, in multiply-adds a second."""
    one = np.random.default_rng(0).standard_normal((PRODUCT, PRODUCT), dtype=np.float32)

    def rate() -> float:
        taken_s = []
        for _ in range(5):
            began = time.perf_counter()
            one @ one
            taken_s.append(time.perf_counter() - began)
        return PRODUCT**3 / min(taken_s)

    serve({"rate": rate})


def runtime(name: str, folder: Path) -> None:
    """Serve the milliseconds of single trials."""
    exported = Exported.read(folder)
    opened = open_runtime(exported, [name])
    opened.warm_up()
    inputs = seeded(exported.spec, 1, 0, exported.ranges) | {"n_dynamic": np.array([exported.ranges["n_dynamic"][1]])}

    def times_ms(n: int) -> list[float]:
        taken_ms = []
        for _ in range(n):
            began = time.perf_counter()
            opened(inputs)
            taken_ms.append((time.perf_counter() - began) * 1e3)
        return taken_ms

    serve({"times": times_ms})


def measured(folder: Path) -> tuple[dict[str, np.ndarray], float]:
    """Milliseconds of all calls by runtime, and the median rate of large products."""
    exported = Exported.read(folder)
    here = [name for name in runtimes() if why_not(name, exported) is None]
    with ExitStack() as stack:
        programs = {name: stack.enter_context(Program("tests.bench.encoders", name, folder)) for name in here}
        large = stack.enter_context(Program("tests.bench.encoders", "product"))
        calls = {name: lambda one=program: one.ask(do="times", n=CALLS) for name, program in programs.items()}
        rounds = in_turn({**calls, "rate": lambda: large.ask(do="rate")})
    rate = float(np.median(rounds.pop("rate")))
    return {name: np.concatenate(taken) for name, taken in rounds.items()}, rate


def report(size: str, made: dict[str, int], taken_ms: dict[str, np.ndarray], rate: float) -> None:
    """Rows of one size. Goals are of the published size."""
    floor_ms = made["multiply_adds"] / rate * 1e3
    p50 = {name: float(np.median(ms)) for name, ms in taken_ms.items()}
    network = f"BrainSSD {size}, {made['parameters'] / 1e6:.2f} M parameters, one trial"
    goal = {True: "ratio <= 0.5", False: ""}
    for name, ms in taken_ms.items():
        is_goal = size == "full" and name != PEER
        if name != PEER:
            show(Row("encoders", f"{network}, {name} p50", p50[name], "ms", p50[PEER], PEER_NAME, goal[is_goal]))
        note = f"{made['multiply_adds'] / 1e6:.0f} M multiply-adds at {rate / 1e9:.0f} G a second"
        limit = "ratio <= 1.5" if is_goal and name == "onnx" else ""
        show(Row("encoders", f"{network}, {name} p50", p50[name], "ms", floor_ms, "its arithmetic", limit, note))
        tail = float(np.percentile(ms, 99))
        limit = "ratio <= 1.3" if is_goal else ""
        show(Row("encoders", f"{network}, {name} p99", tail, "ms", p50[name], "its p50", limit))


def main() -> None:
    if sys.argv[1:] == ["product"]:
        product()
        return
    if sys.argv[1:]:
        runtime(sys.argv[1], Path(sys.argv[2]))
        return
    for size in SIZES:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name) / "model"
            made = asked_once("tests.bench.networks", size, folder)
            report(size, made, *measured(folder))


if __name__ == "__main__":
    main()
