"""Artifact subspace reconstruction over a stream (Mullen et al. 2015, doi:10.1109/TBME.2015.2481482), by meegkit.

The cleaning of a block depends on where the block begins and ends, so blocks have one length, counted from the start
of a segment: a sample waits up to `BLOCK_S` for its block. Thresholds are fitted on calibration data, then frozen.

meegkit's functions are called, not its `ASR.transform`: that takes the geometric median of 2 s of covariances, is slow
to notice a burst, and prints to standard output; the covariance here is the mean over 0.5 s, as in the paper.
"""

import sys
from collections import deque
from collections.abc import Mapping
from contextlib import redirect_stdout
from typing import Any

import numpy as np

from engines.errors import InputError
from pipeline.errors import StreamMismatch
from pipeline.filters import Samples, joined, no_samples
from pipeline.types import Array

BLOCK_S = 0.1
WINDOW_S = 0.5
# meegkit: the calibration data should not be much shorter.
MIN_FIT_S = 30.0
# meegkit's tolerances are absolute and meant for variances near 1; a power of two scales without rounding.
SCALE_UV = 64.0
# Keys of the frozen arrays.
MIXING = "asr_mixing"
THRESHOLD = "asr_threshold"


def fit(data_uv: Array, sfreq_hz: float, cutoff_sd: float) -> dict[str, Array]:
    """Mixing and threshold matrices, (n_channels, n_channels) each, from filtered calibration data (n_channels, n).

    Raises:
        InputError: the data are too short.
    """
    from meegkit.asr import ASR  # seconds to import, and only chains with ASR pay for it

    seconds = data_uv.shape[1] / sfreq_hz
    if seconds < MIN_FIT_S:
        raise InputError(
            f"artifact subspace reconstruction is fitted on {MIN_FIT_S:g} s of settled data or more; got {seconds:.1f}"
        )
    model = ASR(sfreq=sfreq_hz, cutoff=cutoff_sd, method="euclid")
    with redirect_stdout(sys.stderr):  # meegkit prints; standard output belongs to reports
        model.fit(data_uv / SCALE_UV)
    return {MIXING: np.asarray(model.state_["M"]), THRESHOLD: np.asarray(model.state_["T"])}


class SubspaceCleaner:
    """Cleans complete blocks with frozen matrices. Thread: one."""

    def __init__(self, frozen: Mapping[str, Array], n_channels: int, sfreq_hz: float) -> None:
        """Raises StreamMismatch when the matrices are missing or of another montage."""
        from meegkit.asr import ASR

        for key in (MIXING, THRESHOLD):
            shape = frozen[key].shape if key in frozen else "none"
            if shape != (n_channels, n_channels):
                raise StreamMismatch(
                    f"the chain needs {key} fitted on calibration data for {n_channels} channels, got {shape}; refit it"
                )
        self._frozen = frozen
        self._n_channels = n_channels
        self._sfreq_hz = sfreq_hz
        self._n_block = max(1, round(BLOCK_S * sfreq_hz))
        self._shaping = ASR(sfreq=sfreq_hz).ab_
        self.restart()

    def restart(self) -> None:
        """Forget the past."""
        self._state: dict[str, Any] = {"M": self._frozen[MIXING], "T": self._frozen[THRESHOLD], "R": None}
        self._shaping_state: Array | None = None
        self._covariances: deque[Array] = deque(maxlen=round(WINDOW_S / BLOCK_S))
        self.drop_partial()

    def drop_partial(self) -> None:
        """Drop the block under way: it would straddle a gap."""
        self._waiting = no_samples(self._n_channels)

    def push(self, new: Samples) -> Samples:
        """Take samples, give the blocks that became complete."""
        self._waiting = joined((self._waiting, new))
        n_ready = self._waiting.n // self._n_block * self._n_block
        ready = self._waiting.cut(slice(0, n_ready))
        self._waiting = self._waiting.cut(slice(n_ready, None))
        starts = range(0, n_ready, self._n_block)
        # A contiguous copy of one length per call: the same arithmetic wherever the block came from.
        blocks = [ready.data[:, start : start + self._n_block] / SCALE_UV for start in starts]
        cleaned = [np.empty((self._n_channels, 0))] + [self._clean(block) for block in blocks]
        return Samples(np.concatenate(cleaned, axis=1), ready.times_s, ready.settled, ready.usable)

    def _clean(self, block: Array) -> Array:
        """One block in units of `SCALE_UV`; microvolts come back."""
        from meegkit.asr import asr_process, yulewalk_filter

        shaped, self._shaping_state = yulewalk_filter(block, self._sfreq_hz, zi=self._shaping_state, ab=self._shaping)
        self._covariances.append(shaped @ shaped.T / block.shape[1])
        covariance = sum(self._covariances) / len(self._covariances)
        cleaned, self._state = asr_process(block, shaped, self._state, cov=covariance, method="euclid")
        return cleaned * SCALE_UV  # type: ignore[no-any-return]
