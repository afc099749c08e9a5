"""Reading the newest seconds while the stream runs, beside MNE-LSL; and what keeping them costs."""

import uuid
from contextlib import ExitStack

import numpy as np

from pipeline.ring import Ring
from tests.bench.measure import seconds_each, show
from tests.bench.programs import Program
from tests.bench.rows import Row

WINDOWS_S = {1: "ratio <= 0.01", 10: "ratio <= 0.00167"}
N_CHANNELS, SFREQ_HZ, CHUNK, BUFFER_S = 65, 1000, 20, 10


def reads_us() -> dict[str, dict[str, float]]:
    """Microseconds by consumer and window; each consumer in a process of its own, one after the other."""
    name = f"bench-{uuid.uuid4().hex[:8]}"
    found = {}
    with ExitStack() as stack:
        stack.enter_context(Program("tests.bench.lsl_sender", name, SFREQ_HZ, CHUNK))
        for kind in ("ours", "mne-lsl"):
            with Program("tests.bench.lsl_consumers", kind, name, CHUNK) as consumer:
                found[kind] = consumer.ask(do="windows", seconds=list(WINDOWS_S))
    return found


def writes_s() -> dict[str, float]:
    """Seconds to keep one chunk: our ring of 60 s, and the buffer of 10 s rolled as MNE-LSL rolls it."""
    chunk, times_s = np.ones((N_CHANNELS, CHUNK)), np.arange(CHUNK) / SFREQ_HZ
    ring = Ring(N_CHANNELS, 60 * SFREQ_HZ)
    buffer = np.zeros((BUFFER_S * SFREQ_HZ, N_CHANNELS), np.float32)

    def roll() -> None:
        nonlocal buffer
        buffer = np.roll(buffer, -CHUNK, axis=0)
        buffer[-CHUNK:] = chunk.T

    return seconds_each({"ours": lambda: ring.write(chunk, times_s), "mne-lsl": roll}, number=500)


def main() -> None:
    reads = reads_us()
    for seconds, goal in WINDOWS_S.items():
        ours, peer = (reads[kind][str(seconds)] for kind in ("ours", "mne-lsl"))
        show(Row("windows", f"newest {seconds} s with times", ours, "us", peer, "mne-lsl get_data", goal))
    writes = writes_s()
    ours_us, peer_us = writes["ours"] * 1e6, writes["mne-lsl"] * 1e6
    show(Row("windows", "keeping 20 samples", ours_us, "us", peer_us, "mne-lsl's roll"))


if __name__ == "__main__":
    main()
