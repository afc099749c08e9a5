"""The machine's own noise, to be read beside every other figure: a fixed piece of arithmetic, and sleeping."""

import time
from collections.abc import Iterator

import numpy as np

from tests.bench.measure import show
from tests.bench.rows import Row

UNITS = 400
SLEEPS = 400
SLEEP_S = 1e-3


def fft_units_us() -> Iterator[float]:
    """The same transform of the same numbers, again and again."""
    data = np.random.default_rng(0).normal(size=(64, 1024))
    for _ in range(UNITS):
        began = time.perf_counter()
        np.fft.irfft(np.fft.rfft(data))
        yield (time.perf_counter() - began) * 1e6


def overshoots_us() -> Iterator[float]:
    """How much longer than asked a sleep takes."""
    for _ in range(SLEEPS):
        began = time.perf_counter()
        time.sleep(SLEEP_S)
        yield (time.perf_counter() - began - SLEEP_S) * 1e6


def main() -> None:
    for what, came in (("fixed FFT unit", fft_units_us()), ("overshoot of a 1 ms sleep", overshoots_us())):
        values = np.array(list(came))[10:]
        for name, share in (("p50", 50), ("p99", 99), ("max", 100)):
            show(Row("machine", f"{what}, {name}", float(np.percentile(values, share)), "us"))


if __name__ == "__main__":
    main()
