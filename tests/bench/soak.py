"""A session of eight hours, replayed fast: what grows?

The samples are made on the fly, with gaps, clock offsets and a marker every two seconds; nothing lies on disk. They go
through sample times, ring, decoding chain, epochs and a decoder, as in a live session.
"""

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import psutil

from calibration.subjects import load
from pipeline.clock import FakeClock
from pipeline.decode import Decoder
from pipeline.session import Session, Setup
from pipeline.sources.base import SourceEnded
from pipeline.types import Channel, ClockOffset, EegChunk, Item, MarkerChunk, StreamInfo
from tests.bench.measure import show
from tests.bench.programs import asked_once
from tests.bench.rows import Row

HOURS = 8
SFREQ_HZ = 250.0
CHUNK_S = 1.0
MARKER_EVERY_S, OFFSET_EVERY_S, GAP_EVERY_S, GAP_S = 2, 5, 600, 0.5
LOOK_EVERY_S = 300
SETTLED_S = 3600  # caches, buffers and the latency ledger are full by then


class EightHours:
    """A live source without waiting: it turns the clock."""

    live = True

    def __init__(self, clock: FakeClock, decoder: Decoder) -> None:
        channels = tuple(Channel(name, unit="microvolts") for name in decoder.channels)
        self.info = StreamInfo("soak", "EEG", len(channels), SFREQ_HZ, "float32", "soak", channels=channels)
        self.marker_streams = {"markers": StreamInfo("markers", "Markers", 1, 0.0, "string", "soak-markers")}
        self.second = 0
        self._clock = clock
        self._classes = decoder.classes
        self._n = round(CHUNK_S * SFREQ_HZ)
        noise = np.random.default_rng(0).normal(0.0, 10.0, (len(channels), 16 * self._n))
        self._noise = noise.astype(np.float32)

    def open(self) -> None:
        pass

    def close(self) -> None:
        pass

    def read(self, timeout_s: float) -> Sequence[Item]:
        if self.second >= HOURS * 3600:
            raise SourceEnded
        second, self.second = self.second, self.second + 1
        self._clock.advance(CHUNK_S)
        items: list[Item] = []
        if second % OFFSET_EVERY_S == 0:
            items += [ClockOffset(stream, float(second), 0.25) for stream in ("", "markers")]
        if second % MARKER_EVERY_S == 0:
            name = self._classes[second // MARKER_EVERY_S % len(self._classes)]
            items.append(MarkerChunk("markers", (f"stim/{name}/00",), (second + 0.1,), self._clock.now_s()))
        return [*items, self._chunk(second)]

    def _chunk(self, second: int) -> EegChunk:
        lost = round(GAP_S * SFREQ_HZ) if second % GAP_EVERY_S == GAP_EVERY_S - 1 else 0
        at = second % 16 * self._n
        stamps_s = second + np.arange(lost, self._n) / SFREQ_HZ
        return EegChunk(self._noise[:, at + lost : at + self._n], stamps_s, self._clock.now_s())


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        asked_once("tests.bench.subject", folder, SFREQ_HZ)
        subject = load(Path(folder))
    decoder = subject.decoder
    clock = FakeClock()
    source = EightHours(clock, decoder)
    session = Session(
        source, lambda _: Setup(decoder.chain, decoder.epoch, subject.patterns), decoder=decoder, clock=clock
    )
    session.open()
    me, looks, began = psutil.Process(), [], time.perf_counter()
    while session.crank():
        if source.second % LOOK_EVERY_S == 0:
            looks.append((source.second, me.memory_info().rss / 1e6, me.num_threads(), me.num_fds()))
    session.finish()
    session.close()
    took_s = time.perf_counter() - began
    seconds, rss_mb, threads, handles = np.array(looks).T
    late = seconds > SETTLED_S
    slope = np.polyfit(seconds[late] / 3600, rss_mb[late], 1)[0]
    what = f"{HOURS} h of 64 ch at {SFREQ_HZ:g} Hz"
    answered = f"{len(session.decisions)} answers, {len(session.acquisition.aligner.boundaries) - 1} gaps"
    show(Row("soak", f"speed, {what}", HOURS * 3600 / took_s, "x real time", note=answered))
    show(Row("soak", f"memory at the end, {what}", rss_mb[-1], "MB", rss_mb[0], "after 5 minutes", "ours <= 300"))
    show(Row("soak", "growth of memory after the first hour", slope, "MB/h", goal="ours <= 2"))
    show(Row("soak", "threads", threads[-1], "at the end", threads[0], "after 5 minutes", "ratio <= 1"))
    show(Row("soak", "open handles", handles[-1], "at the end", handles[0], "after 5 minutes", "ratio <= 1"))


if __name__ == "__main__":
    main()
