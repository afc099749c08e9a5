"""pactools' side of the coupling bench: it takes one channel at a time."""

import statistics
import time
import warnings

import numpy as np

from tests.bench.programs import serve

ROUNDS = 3
PHASE_HZ = (4.0, 13.0)


def local(sfreq_hz: float, band: tuple[float, float], n_channels: int, n_surrogates: int) -> float:
    """Milliseconds for 64 channels of 2 s, as from `n_channels`; the median of some rounds after a first."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pactools import Comodulogram

        data = np.random.default_rng(0).normal(0.0, 20.0, (n_channels, round(2 * sfreq_hz)))
        options = {
            "low_fq_range": [sum(PHASE_HZ) / 2],
            "low_fq_width": PHASE_HZ[1] - PHASE_HZ[0],
            "high_fq_range": [sum(band) / 2],
            "high_fq_width": band[1] - band[0],
            "minimum_shift": 0.2,
            "progress_bar": False,
        }
        taken_ms = []
        for _ in range(ROUNDS + 1):
            began_s = time.process_time()
            for channel in data:
                made = Comodulogram(sfreq_hz, method="tort", n_surrogates=n_surrogates, **options)
                made.fit(channel[None])
            taken_ms.append((time.process_time() - began_s) * 1e3)
    return statistics.median(taken_ms[1:]) * 64 / n_channels


if __name__ == "__main__":
    serve({"local": local})
