"""Markers out of a trigger channel: the value lines of an amplifier's parallel port, sampled with the EEG.

A value counts once it has stood for the debounce time, and is stamped with the first sample it stood at; so lines that
switch a sample apart give one marker with the final value, and shorter glitches give none. What the channel shows first
is its state, not an event; neither is what it shows first after a gap, because nobody knows when that began.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.types import Array

ALL_BITS = -1
BIOSEMI_BITS = 0xFFFF  # the 16 trigger lines; above them CMS in range, battery, speed mode (BioSemi FAQ, BDF status)


class Edge(StrEnum):
    """Which transitions are markers.

    RISING: to any value but the baseline, labelled with it. FALLING: back to the baseline, labelled with the value that
    ends. BOTH: these two. CHANGE: every transition, the one to the baseline too, labelled with the new value.
    """

    RISING = "rising"
    FALLING = "falling"
    BOTH = "both"
    CHANGE = "change"


@dataclass(frozen=True)
class TriggerConfig:
    """How to read a trigger channel.

    `bits` is the mask of the lines that count (after rounding to whole numbers, two's complement); `baseline` the
    masked value at rest, None for whatever stands first; `debounce_s` how long a value must stand to count.
    """

    bits: int = ALL_BITS
    edge: Edge = Edge.RISING
    debounce_s: float = 0.0
    baseline: int | None = 0


@dataclass(frozen=True)
class Trigger:
    """One marker: the value as a decimal number, and the stamp and number of the sample it began with."""

    label: str
    stamp_s: float
    sample: int


@dataclass(frozen=True)
class _Stand:
    """A value standing since sample `first`."""

    value: int
    first: int
    stamp_s: float


class TriggerReader:
    """Reads one channel; the result does not depend on how the samples are chunked.

    Args:
        config: what counts.
        sfreq_hz: sampling rate, by which the debounce time is counted in samples.

    `n_unknown` counts the values that began within a gap. Thread: the one that reads the source.
    """

    def __init__(self, config: TriggerConfig, sfreq_hz: float) -> None:
        if config.debounce_s < 0 or not sfreq_hz > 0:
            raise ValueError(f"expected debounce >= 0 s and a rate > 0 Hz, got {config.debounce_s} and {sfreq_hz}")
        self._config = config
        self._needed = max(1, round(config.debounce_s * sfreq_hz))
        self._baseline = config.baseline
        self._counted: int | None = None  # the value that counts; None before any and after a gap
        self._before_gap: int | None = None
        self._stand: _Stand | None = None
        self._n = 0
        self.n_unknown = 0

    def gap(self) -> None:
        """Samples are missing before the next one pushed."""
        if self._counted is not None:
            self._before_gap = self._counted
        self._counted = self._stand = None

    def push(self, values: NDArray[Any], stamps_s: Array) -> list[Trigger]:
        """Take in samples of the channel, in order.

        Args:
            values: (n,) of any numeric type; NaN and infinity read as the value before.
            stamps_s: (n,) their stamps, on whatever clock; handed on as they are.

        Raises:
            ValueError: the lengths differ.
        """
        if values.shape != stamps_s.shape or values.ndim != 1:
            raise ValueError(f"expected n values and n stamps, got shapes {values.shape} and {stamps_s.shape}")
        if not len(values):
            return []
        found = []
        masked = self._masked(values)
        firsts = np.flatnonzero(np.concatenate(([True], masked[1:] != masked[:-1])))
        for first, stop in zip(firsts.tolist(), [*firsts[1:].tolist(), len(masked)], strict=True):
            value = int(masked[first])
            if self._stand is None or self._stand.value != value:
                self._stand = _Stand(value, self._n + first, float(stamps_s[first]))
            if self._n + stop - self._stand.first >= self._needed and value != self._counted:
                found += self._count(self._stand)
        self._n += len(masked)
        return found

    def _masked(self, values: NDArray[Any]) -> NDArray[np.int64]:
        if np.issubdtype(values.dtype, np.integer):
            return values.astype(np.int64) & self._config.bits
        whole = np.rint(values.astype(np.float64))
        finite = np.isfinite(whole)
        masked = np.where(finite, whole, 0.0).astype(np.int64) & self._config.bits
        if not finite.all():
            before = self._stand.value if self._stand else self._baseline or 0
            known = np.maximum.accumulate(np.where(finite, np.arange(len(whole)), -1))
            masked = np.where(known >= 0, masked[known], before)
        return masked

    def _count(self, stand: _Stand) -> list[Trigger]:
        """The value counts from now on; the markers that makes."""
        before, self._counted = self._counted, stand.value
        if self._baseline is None:
            self._baseline = stand.value
        if before is None:
            if self._before_gap is not None and stand.value not in (self._before_gap, self._baseline):
                self.n_unknown += 1
            return []
        labels = {
            Edge.RISING: [stand.value] if stand.value != self._baseline else [],
            Edge.FALLING: [before] if stand.value == self._baseline else [],
            Edge.BOTH: [before if stand.value == self._baseline else stand.value],
            Edge.CHANGE: [stand.value],
        }[self._config.edge]
        return [Trigger(str(label), stand.stamp_s, stand.first) for label in labels]
