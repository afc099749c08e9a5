"""Those who receive the stream of `lsl_sender`: we, MNE-LSL, and the least that pylsl can do.

`python -m tests.bench.lsl_consumers KIND NAME CHUNK`, KIND one of `CONSUMERS`. Asked {"do": "ingest", "seconds": s} it
connects, lets things settle, and answers the CPU time of the whole process and the latency of the chunks: LSL clock
when the last sample of a chunk (the counter tells) is in the consumer's buffer minus its stamp, which is the moment the
chunk was pushed; liblsl deduces the stamps of the others. Asked {"do": "windows", "seconds": [..]}
it answers the microseconds that reading a window of the newest seconds takes while the stream runs.
"""

import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from tests.bench.programs import serve

SETTLE_S = 0.5
WINDOW_CALLS = 200
WINDOW_ROUNDS = 15

# (LSL clock when in the buffer, push stamp, counter) of the newest sample whenever samples came, growing.
Arrivals = list[tuple[float, float, int]]


class Ours:
    """A live session: source, sample times, ring, watchdog, log; with `filtered` also the decoding chain."""

    def __init__(self, name: str, filtered: bool) -> None:
        from pipeline.preprocess import ChainConfig

        self._name = name
        self._chain = ChainConfig() if filtered else None

    @contextmanager
    def connected(self) -> Iterator[Any]:
        from pipeline.session import Session, Setup
        from pipeline.sources.lsl import LslSource
        from pipeline.types import EegChunk, Item

        newest: dict[int, tuple[float, int]] = {}  # stamp and counter, by how many samples had come
        n_received = 0

        def note(item: Item) -> None:
            nonlocal n_received
            if isinstance(item, EegChunk):
                n_received += len(item.stamps_s)
                newest[n_received] = float(item.stamps_s[-1]), int(item.data[-1, -1])

        session = Session(LslSource({"name": self._name}), lambda _: Setup(self._chain), on_item=note)
        session.open()
        self.ring = session.acquisition.ring
        self._sfreq_hz = session.acquisition.info.sfreq_hz
        self._newest, self._written = newest, []
        self._time_writes()
        session.start()
        yield
        session.stop()

    def _time_writes(self) -> None:
        from pylsl import local_clock

        ring, write, written = self.ring, self.ring.write, self._written

        def timed(data_uv: np.ndarray, times_s: np.ndarray) -> None:
            write(data_uv, times_s)
            written.append((local_clock(), ring.written))

        ring.write = timed

    def arrivals(self) -> Arrivals:
        return [(at_s, *self._newest[n]) for at_s, n in self._written if n in self._newest]

    def window(self, seconds: float) -> Callable[[], Any]:
        ring, n = self.ring, round(seconds * self._sfreq_hz)

        def read() -> None:
            stop = ring.written
            ring.view(stop - n, stop)
            ring.check(stop - n)

        return read


class MneLsl:
    """MNE-LSL's stream with a buffer of 10 s, otherwise as it comes."""

    def __init__(self, name: str) -> None:
        from mne_lsl.lsl import local_clock
        from mne_lsl.stream import StreamLSL

        class Timed(StreamLSL):
            """Notes the clock as soon as new samples are in the buffer, before anything else happens."""

            def _submit_acquisition_job(self) -> None:
                newest_s = self._timestamps[-1]
                if newest_s != self.__dict__.setdefault("seen_s", newest_s):
                    arrivals.append((local_clock(), newest_s, int(self._buffer[-1, -1])))
                    self.seen_s = newest_s
                super()._submit_acquisition_job()

        arrivals: Arrivals = []
        self._arrivals = arrivals
        self._make = lambda: Timed(bufsize=10, name=name)

    @contextmanager
    def connected(self) -> Iterator[None]:
        self._arrivals.clear()
        self._stream = self._make()
        self._stream.connect(timeout=10)
        yield
        self._stream.disconnect()

    def arrivals(self) -> Arrivals:
        return list(self._arrivals)

    def window(self, seconds: float) -> Callable[[], Any]:
        return lambda: self._stream.get_data(winsize=seconds)


class Bare:
    """pylsl and a numpy ring in which every window is contiguous, and nothing else."""

    def __init__(self, name: str) -> None:
        self._name = name

    @contextmanager
    def connected(self) -> Iterator[None]:
        import threading

        import pylsl

        inlet = pylsl.StreamInlet(pylsl.resolve_byprop("name", self._name, 1, 10.0)[0], max_buflen=60)
        inlet.open_stream(5.0)
        rows = np.empty((1000, inlet.channel_count), np.float32)
        capacity = 60 * 1000
        ring = np.zeros((inlet.channel_count, 2 * capacity))
        self._arrivals: Arrivals = []
        stop = threading.Event()

        def pull() -> None:
            at = 0
            while not stop.is_set():
                _, stamps_s = inlet.pull_chunk(0.2, 1, rows[:1])
                if not stamps_s:
                    continue
                stamps_s += inlet.pull_chunk(0.0, 999, rows[1:])[1]
                n = min(len(stamps_s), capacity - at)
                ring[:, at : at + n] = ring[:, capacity + at : capacity + at + n] = rows[:n].T
                at = (at + n) % capacity
                self._arrivals.append((pylsl.local_clock(), stamps_s[-1], int(rows[n - 1, -1])))

        thread = threading.Thread(target=pull)
        thread.start()
        yield
        stop.set()
        thread.join()

    def arrivals(self) -> Arrivals:
        return list(self._arrivals)


CONSUMERS: dict[str, Callable[[str], Ours | MneLsl | Bare]] = {
    "bare": Bare,
    "ours": lambda name: Ours(name, filtered=False),
    "ours filtered": lambda name: Ours(name, filtered=True),
    "mne-lsl": MneLsl,
}


def ingest(consumer: Ours | MneLsl | Bare, chunk: int, seconds: float) -> dict[str, float]:
    """CPU in percent of a core and latency in ms over `seconds`."""
    with consumer.connected():
        time.sleep(SETTLE_S)
        before = len(consumer.arrivals())
        cpu_s, began_s = time.process_time(), time.perf_counter()
        time.sleep(seconds)
        cpu_s, took_s = time.process_time() - cpu_s, time.perf_counter() - began_s
        came = consumer.arrivals()[before:]
    latency_s = [at_s - stamp_s for at_s, stamp_s, counter in came if counter % chunk == chunk - 1]
    p50, p99 = np.percentile(np.array(latency_s) * 1e3, [50, 99])
    return {"cpu": 100 * cpu_s / took_s, "p50": float(p50), "p99": float(p99), "n": len(latency_s)}


def windows(consumer: Ours | MneLsl, seconds: Sequence[float]) -> dict[str, float]:
    """Microseconds a window of the newest `seconds` takes; waits until the buffer holds the longest."""
    with consumer.connected():
        time.sleep(max(seconds) + SETTLE_S)
        return {str(s): statistics.median(_each_us(consumer.window(s))) for s in seconds}


def _each_us(read: Callable[[], Any]) -> Iterator[float]:
    for _ in range(WINDOW_ROUNDS):
        began = time.perf_counter()
        for _ in range(WINDOW_CALLS):
            read()
        yield (time.perf_counter() - began) / WINDOW_CALLS * 1e6


def main() -> None:
    kind, name, chunk = sys.argv[1], sys.argv[2], int(sys.argv[3])
    consumer = CONSUMERS[kind](name)
    serve(
        {
            "ingest": lambda seconds: ingest(consumer, chunk, seconds),
            "windows": lambda seconds: windows(consumer, seconds),
        }
    )


if __name__ == "__main__":
    main()
