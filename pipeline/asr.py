"""Artifact subspace reconstruction over a stream (Mullen et al. 2015, doi:10.1109/TBME.2015.2481482), by meegkit.

meegkit's cleaning depends on how the data are cut, so it always gets blocks of the same length, counted from the start
of a segment. A sample therefore waits up to `BLOCK_S` for its block. Fitted on calibration data, frozen afterwards.
"""

from collections.abc import Mapping

import numpy as np

from engines.errors import InputError
from pipeline.errors import StreamMismatch
from pipeline.filters import Samples, joined, no_samples
from pipeline.types import Array

BLOCK_S = 0.1
# meegkit: the calibration data should not be much shorter.
MIN_FIT_S = 30.0
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
    model.fit(data_uv)
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
        self._n_block = max(1, round(BLOCK_S * sfreq_hz))
        self._model = ASR(sfreq=sfreq_hz, method="euclid")
        self.restart()

    def restart(self) -> None:
        """Forget the past."""
        self._model.reset()
        self._model.state_ = {"M": self._frozen[MIXING], "T": self._frozen[THRESHOLD], "R": None}
        self._model._fitted = True  # meegkit sets it in `fit` only
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
        blocks = [ready.data[:, start : start + self._n_block].copy() for start in starts]
        cleaned = [np.empty((self._n_channels, 0))] + [self._model.transform(block) for block in blocks]
        return Samples(np.concatenate(cleaned, axis=1), ready.times_s, ready.settled, ready.usable)
