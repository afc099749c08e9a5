"""Receiving a stream over LSL: CPU and latency beside MNE-LSL and beside the least that pylsl can do."""

import uuid
from contextlib import ExitStack
from dataclasses import dataclass

from tests.bench.lsl_consumers import CONSUMERS
from tests.bench.measure import in_turn, medians, show
from tests.bench.programs import Program
from tests.bench.rows import Row

SECONDS = 3.0


@dataclass(frozen=True)
class Load:
    """A stream of 65 channels, and what is aimed at with it."""

    what: str
    rate_hz: float
    chunk: int
    rounds: int
    latency_goal: str
    cpu_goal: str = ""


LOADS = (
    Load("1 kHz in 20s", 1000.0, 20, 5, "ratio <= 0.2", cpu_goal="ratio <= 0.05"),
    Load("1 kHz in 1s", 1000.0, 1, 3, "ratio <= 0.125"),
    Load("2048 Hz in 32s", 2048.0, 32, 3, "ratio <= 0.2"),
)


def measured(load: Load) -> dict[str, dict[str, float]]:
    """Medians by consumer."""
    name = f"bench-{uuid.uuid4().hex[:8]}"
    with ExitStack() as stack:
        stack.enter_context(Program("tests.bench.lsl_sender", name, load.rate_hz, load.chunk))
        consumers = {
            k: stack.enter_context(Program("tests.bench.lsl_consumers", k, name, load.chunk)) for k in CONSUMERS
        }
        asking = {k: lambda c=c: c.ask(do="ingest", seconds=SECONDS) for k, c in consumers.items()}
        return {k: medians(rounds) for k, rounds in in_turn(asking, load.rounds).items()}


def main() -> None:
    for load in LOADS:
        m = measured(load)
        ours, filtered, peer, bare = m["ours"], m["ours filtered"], m["mne-lsl"], m["bare"]
        at = f"64 ch, {load.what}"
        theirs = "mne-lsl, unfiltered"
        show(Row("ingest", f"CPU, filtered, {at}", filtered["cpu"], "% of a core", peer["cpu"], theirs, load.cpu_goal))
        show(Row("ingest", f"CPU, {at}", ours["cpu"], "% of a core", peer["cpu"], "mne-lsl"))
        show(Row("ingest", f"CPU, {at}", ours["cpu"], "% of a core", bare["cpu"], "bare pull"))
        show(Row("ingest", f"latency p50, filtered, {at}", filtered["p50"], "ms", peer["p50"], theirs))
        show(Row("ingest", f"latency p50, {at}", ours["p50"], "ms", peer["p50"], "mne-lsl", load.latency_goal))
        show(Row("ingest", f"latency p50, {at}", ours["p50"], "ms", bare["p50"], "bare pull", "ratio <= 1.25"))
        show(Row("ingest", f"latency p99, {at}", ours["p99"], "ms", peer["p99"], "mne-lsl"))


if __name__ == "__main__":
    main()
