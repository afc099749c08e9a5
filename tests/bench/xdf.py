"""Loading a recording, and showing its first second, beside pyxdf: time and memory, each in a fresh interpreter.

As a program, `python -m tests.bench.xdf HOW FILE` loads it that way, once more for a warm cache, and answers.
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil

from pipeline.types import Channel, StreamInfo
from pipeline.xdf.writer import XdfWriter
from tests.bench.measure import in_turn, medians, show
from tests.bench.programs import asked_once, peak_mb, say
from tests.bench.rows import Row

N_CHANNELS, SFREQ_HZ, MINUTES, CHUNK_S = 64, 1000, 30, 0.5
ROUNDS = 3


def write(path: Path, minutes: float) -> int:
    """A recording with every sample stamped; answers the bytes its values and stamps take."""
    channels = tuple(Channel(f"E{k}", unit="microvolts") for k in range(N_CHANNELS))
    info = StreamInfo("bench", "EEG", N_CHANNELS, SFREQ_HZ, "float32", channels=channels)
    n = round(CHUNK_S * SFREQ_HZ)
    noise = np.random.default_rng(0).normal(0, 20, (N_CHANNELS, 8 * n)).astype(np.float32)
    with XdfWriter(path) as writer:
        stream = writer.add_stream(info)
        for k in range(round(minutes * 60 / CHUNK_S)):
            stamps_s = 1000.0 + np.arange(k * n, (k + 1) * n) / SFREQ_HZ
            if k % 10 == 0:
                writer.write_offset(stream, float(stamps_s[0]), 0.5)
            writer.write_samples(stream, stamps_s, noise[:, k % 8 * n :][:, :n])
    return round(minutes * 60 * SFREQ_HZ) * (4 * N_CHANNELS + 8)


def raw(path: Path) -> object:
    """The least there is: every byte read into memory."""
    return np.fromfile(path, np.uint8)


def with_pyxdf(path: Path) -> object:
    """As we load: stamps as recorded."""
    import pyxdf

    return pyxdf.load_xdf(path, synchronize_clocks=False, dejitter_timestamps=False)


def ours(path: Path) -> object:
    from pipeline.xdf.file import XdfFile

    with XdfFile(path) as file:
        return file.load(file.streams[0])


def first_second(path: Path) -> object:
    """Index the file, and read its first second as a source."""
    from pipeline.sources.xdf import XdfSource
    from pipeline.types import EegChunk

    source = XdfSource(path)
    source.open()
    while not any(isinstance(item, EegChunk) for item in source.read(0.0)):
        pass
    source.close()
    return None


HOWS = {f.__name__: f for f in (raw, with_pyxdf, ours, first_second)}


def program(how: str, path: Path) -> None:
    load = HOWS[how]
    with tempfile.TemporaryDirectory() as folder:
        tiny = Path(folder) / "tiny.xdf"
        write(tiny, 1)
        load(tiny)  # imports, and whatever else happens only once
    before = psutil.Process().memory_info().rss
    began = time.perf_counter()
    loaded = load(path)
    took_s = time.perf_counter() - began
    del loaded
    say({"s": took_s, "bytes": peak_mb() * 1e6 - before})


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.xdf"
        payload = write(path, MINUTES)
        calls = {how: lambda how=how: asked_once("tests.bench.xdf", how, path) for how in HOWS}
        found = {how: medians(rounds) for how, rounds in in_turn(calls, ROUNDS).items()}
    mb = payload / 1e6
    what = f"{MINUTES} min, 64 ch at 1 kHz, {mb:.0f} MB"
    show(Row("xdf", f"load {what}", found["ours"]["s"], "s", found["with_pyxdf"]["s"], "pyxdf", "ratio <= 0.05"))
    show(Row("xdf", f"load {what}", found["ours"]["s"], "s", found["raw"]["s"], "raw read", "ratio <= 2.5"))
    peak, theirs = found["ours"]["bytes"] / payload, found["with_pyxdf"]["bytes"] / payload
    show(Row("xdf", "peak memory of loading over payload", peak, "1", theirs, "pyxdf", "ours <= 1.1"))
    first = found["first_second"]["s"]
    show(Row("xdf", "first second shown", first, "s", found["with_pyxdf"]["s"], "pyxdf load", "ratio <= 0.00667"))


if __name__ == "__main__":
    program(sys.argv[1], Path(sys.argv[2])) if sys.argv[1:] else main()
