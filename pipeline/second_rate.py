"""A second, slower rate of the preprocessed samples: the turn of an object is decoded at 100 Hz, its picture at 250 Hz.

The chain runs once, at the faster rate; this resamples what it gives.
"""

import numpy as np

from pipeline.filters import Blocks, Resampler, Samples, no_samples
from pipeline.types import Array, Block


class SecondRate:
    """Blocks at one rate in, blocks at a lower one out; bit-identical however the samples are cut into blocks.

    It starts anew at every boundary, and its first outputs count as settling until the anti-alias filter is filled.
    `high_hz` is the highest frequency that is wanted. Thread: decode only.

    Raises:
        StreamMismatch: the output is faster, or no ratio of small numbers.
    """

    def __init__(self, rate_in_hz: float, rate_out_hz: float, high_hz: float) -> None:
        self.sfreq_hz = rate_out_hz
        self._resampler = Resampler(rate_in_hz, rate_out_hz, high_hz)
        self._left = self._resampler.n_memory
        self._blocks = Blocks()

    def group_delay_s(self, freqs_hz: Array) -> Array:
        """What it adds to the delay of the chain, in seconds at `freqs_hz` (n,)."""
        return self._resampler.group_delay_s(freqs_hz)

    def push(self, block: Block) -> Block:
        """The outputs that became complete, perhaps none; a boundary leaves with the first sample behind it."""
        if block.boundary is not None:
            self._resampler.restart()
            self._left = self._resampler.n_memory
            self._blocks.begin_segment(block.boundary)
        n = block.times_s.size
        if n == 0:
            return self._blocks.of(no_samples(block.data.shape[0]))
        usable = np.asarray(np.isfinite(block.data).all(axis=0))
        settled = block.settled & (np.arange(n) >= self._left)
        self._left = max(0, self._left - n)
        held = Samples(np.where(usable, block.data, 0.0), block.times_s, settled, usable)
        return self._blocks.of(self._resampler.push(held))
