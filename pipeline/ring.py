"""The ring between the acquiring thread and everybody who looks at the samples.

Every sample is written twice, a capacity apart, so that any window of up to one capacity lies in one piece and is
handed out as a view: reading costs the same for a millisecond as for a minute. Samples are counted from the first one
on; the counter never wraps. The writer announces what it is about to overwrite before it writes and says what it has
written afterwards (the two counters of Lamport, "Concurrent reading and writing", CACM 20, 1977), so that a reader can
tell, before and after, whether its window is whole.
"""

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import Overrun
from pipeline.types import Array


class Ring:
    """The last `capacity` samples of `n_channels` channels, in microvolts, with their times.

    Args:
        n_channels: rows of every block written.
        capacity: samples kept; also the longest window that can be viewed.

    Raises:
        ValueError: fewer than one channel or sample.

    Thread: one writer; any number of readers.
    """

    def __init__(self, n_channels: int, capacity: int) -> None:
        if n_channels < 1 or capacity < 1:
            raise ValueError(f"a ring needs at least 1 channel and 1 sample, not {n_channels} and {capacity}")
        self.n_channels = n_channels
        self.capacity = capacity
        self._data_uv: Array = np.zeros((n_channels, 2 * capacity))
        self._times_s: Array = np.zeros(2 * capacity)
        self._data_shown = self._data_uv.view()
        self._times_shown = self._times_s.view()
        self._data_shown.flags.writeable = False
        self._times_shown.flags.writeable = False
        self._announced = 0  # every sample below announced - capacity may be gone
        self._written = 0  # every sample below is in place

    @property
    def written(self) -> int:
        """How many samples have ever been written; the next one gets this number."""
        return self._written

    @property
    def oldest(self) -> int:
        """The number of the oldest sample that is still safe to read."""
        return max(0, self._announced - self.capacity)

    def write(self, data_uv: NDArray[np.floating], times_s: Array) -> None:
        """Append samples. Of more than `capacity` at once the last ones stay, and all are counted.

        Args:
            data_uv: (n_channels, n) microvolts.
            times_s: (n,) seconds on the LSL clock.

        Raises:
            ValueError: the shapes do not fit.

        Thread: the writer only.
        """
        n = len(times_s)
        if data_uv.shape != (self.n_channels, n):
            raise ValueError(f"expected data of shape ({self.n_channels}, {n}) for {n} times, got {data_uv.shape}")
        self._announced = end = self._written + n
        first = max(self._written, end - self.capacity)
        skipped = n - (end - first)
        while first < end:
            at = first % self.capacity
            stop = min(self.capacity, at + end - first)
            taken = slice(skipped, skipped + stop - at)
            for half in (0, self.capacity):
                self._data_uv[:, half + at : half + stop] = data_uv[:, taken]
                self._times_s[half + at : half + stop] = times_s[taken]
            first += stop - at
            skipped += stop - at
        self._written = end

    def view(self, start: int, stop: int) -> tuple[Array, Array]:
        """Samples `start` to `stop` (exclusive, by number) as read-only views, without copying.

        The writer goes on meanwhile: after using the views, call `check(start)`.

        Returns:
            data_uv (n_channels, stop - start) and times_s (stop - start,).

        Raises:
            Overrun: samples from `start` on have been overwritten.
            ValueError: samples are asked for that are not written yet, or `stop` lies before `start`.
        """
        if not 0 <= start <= stop <= self._written:
            raise ValueError(f"samples {start} to {stop} were asked for, samples 0 to {self._written} are written")
        self.check(start)
        at = start % self.capacity
        end = at + stop - start
        return self._data_shown[:, at:end], self._times_shown[at:end]

    def check(self, start: int) -> None:
        """Say whether a view that began at sample `start` is still whole; call it after using the view.

        Raises:
            Overrun: the writer has overwritten, or is overwriting, samples from `start` on; what was read is not to be
                used.
        """
        if start < self.oldest:
            raise Overrun(self.oldest - start)

    def copy(self, start: int, stop: int) -> tuple[Array, Array]:
        """Like `view`, copied and checked: what is returned is whole and stays so.

        Raises:
            Overrun, ValueError: as `view`.
        """
        data_uv, times_s = self.view(start, stop)
        copied = data_uv.copy(), times_s.copy()
        self.check(start)
        return copied
