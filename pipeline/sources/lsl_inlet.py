"""What liblsl has received, taken out without bending a stamp: processing is off, values are copied once.

pylsl 1.18.2's `pull_chunk` with a timeout waits until its buffer is full or the time is up. So the pull here waits for
one sample and then takes what else is there: one wake-up and two calls for a sender's chunk of any size.
"""

import ctypes
from collections.abc import Iterator

import numpy as np
import pylsl
from numpy.typing import NDArray
from pylsl.inlet import free_char_p_array_memory

from pipeline.types import Array

DTYPES = {
    pylsl.cf_float32: np.float32,
    pylsl.cf_double64: np.float64,
    pylsl.cf_int8: np.int8,
    pylsl.cf_int16: np.int16,
    pylsl.cf_int32: np.int32,
    pylsl.cf_int64: np.int64,
}
BUFFER_S = 60.0  # what a stalled reader may be late by before liblsl drops the oldest samples
BUFFER_IRREGULAR = 655  # liblsl counts in hundreds for irregular streams: 65,500 markers
BATCH_BYTES = 8 * 2**20


class NumericInlet:
    """The samples of one regular numeric stream.

    Thread: `pull` from one; the bare `inlet` may answer `time_correction` in another.
    """

    def __init__(self, found: pylsl.StreamInfo, buffer_s: float = BUFFER_S) -> None:
        seconds = max(1, int(np.ceil(buffer_s)))
        self.inlet = pylsl.StreamInlet(found, max_buflen=seconds, recover=True, processing_flags=pylsl.proc_none)
        self._capacity = int(seconds * found.nominal_srate())
        n_channels, dtype = found.channel_count(), np.dtype(DTYPES[found.channel_format()])
        rows = int(np.clip(found.nominal_srate(), 64, max(64, BATCH_BYTES // (n_channels * dtype.itemsize))))
        self._batch = np.empty((rows, n_channels), dtype)

    @property
    def full(self) -> bool:
        """True when liblsl's buffer has no room left, so that it may have dropped samples."""
        return bool(self.inlet.samples_available() >= self._capacity)

    def pull(self, timeout_s: float) -> tuple[NDArray[np.generic], Array] | None:
        """Data (n_channels, n) and raw stamps (n,) in seconds; None when `timeout_s` passed without a sample.

        Raises:
            pylsl.util.LostError: the sender is gone and liblsl cannot find it again.
        """
        _, stamps = self.inlet.pull_chunk(timeout_s, 1, self._batch[:1])
        if not stamps:
            return None
        _, more = self.inlet.pull_chunk(0.0, len(self._batch) - 1, self._batch[1:])
        stamps += more
        return self._batch[: len(stamps)].T.copy(), np.array(stamps)


class MarkerInlet:
    """The markers of one irregular string or integer stream. Several channels are joined by commas.

    Thread: `poll` from one; the bare `inlet` may answer `time_correction` in another.
    """

    def __init__(self, found: pylsl.StreamInfo) -> None:
        self.inlet = pylsl.StreamInlet(
            found, max_buflen=BUFFER_IRREGULAR, recover=True, processing_flags=pylsl.proc_none
        )
        self._take = self._take_text if found.channel_format() == pylsl.cf_string else self._take_numbers

    def poll(self) -> Iterator[tuple[str, float]]:
        """Labels and raw stamps of what waits, without blocking.

        Raises:
            pylsl.util.LostError: the sender is gone and liblsl cannot find it again.
        """
        while self.inlet.samples_available():
            yield from self._take()

    def _take_numbers(self) -> Iterator[tuple[str, float]]:
        values, stamps = self.inlet.pull_chunk(0.0)
        for row, stamp_s in zip(values, stamps, strict=True):
            yield ",".join(str(value) for value in row), stamp_s

    def _take_text(self) -> Iterator[tuple[str, float]]:
        """As pylsl 1.18.2 does it, but a label that is not UTF-8 (MATLAB on Windows sends such) is read as Latin-1
        where pylsl raises and loses it, and the strings are given back to liblsl.
        """
        inlet, status = self.inlet, ctypes.c_int()
        stamp_s = inlet.do_pull_sample(
            inlet.obj, ctypes.byref(inlet.sample), inlet.channel_count, ctypes.c_double(0.0), ctypes.byref(status)
        )
        pylsl.util.handle_error(status)
        label = ",".join(_text(value) for value in inlet.sample)
        free_char_p_array_memory(inlet.sample, inlet.channel_count)
        yield label, float(stamp_s)


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")
