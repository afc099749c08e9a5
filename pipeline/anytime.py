"""Anytime decoding: a first answer from the picture, better ones as the object turns, the last when it has turned.

A trial is the picture (static) and, soon after it, the turn of the same object (dynamic), as in EEG-3D (Guo et al.,
Neuro-3D, CVPR 2025). The dynamic window is decoded as far as it has come.
"""

from dataclasses import dataclass
from typing import Any, Protocol

from engines.errors import InputError
from pipeline.epochs import EpochConfig
from pipeline.preprocess import ChainConfig
from pipeline.types import Array, Nearest

# A turn belongs to the picture before it when it begins this soon after.
TURN_WITHIN_S = 10.0
# As in EEG-3D.
PICTURE = EpochConfig(-0.2, 0.8, (-0.2, 0.0))
TURN = EpochConfig(-0.2, 5.8, (-0.2, 0.0))


@dataclass(frozen=True)
class Windows:
    """The two windows of a trial, `static` at the rate of the chain and `dynamic` at `dynamic_hz`.

    A refined answer is due whenever another `every_s` of the turn is complete. `turn` is a glob on the markers with
    which an object begins to turn.
    """

    static: EpochConfig = PICTURE
    dynamic: EpochConfig = TURN
    dynamic_hz: float = 100.0
    every_s: float = 0.5
    turn: str = "turn/*"

    def __post_init__(self) -> None:
        if self.dynamic.baseline_s is not None and self.dynamic.baseline_s[1] > self.every_s:
            raise InputError(f"the baseline {self.dynamic.baseline_s} s ends after the first answer, {self.every_s} s")
        if self.every_s * self.dynamic_hz < 1:
            raise InputError(f"answers every {self.every_s} s are closer than the samples at {self.dynamic_hz} Hz")

    @property
    def n_dynamic(self) -> int:
        """Samples of the whole dynamic window."""
        return self.dynamic.n_samples(self.dynamic_hz)

    @property
    def steps(self) -> tuple[int, ...]:
        """Samples of the dynamic window that answers are given from; the last is the whole window."""
        n_steps = int((self.dynamic.tmax_s + 1e-9) / self.every_s)
        onset = self.dynamic.onset_index(self.dynamic_hz)
        partial = (onset + round(k * self.every_s * self.dynamic_hz) for k in range(1, n_steps + 1))
        return (*(n for n in partial if n < self.n_dynamic), self.n_dynamic)

    def seen_s(self, n_dynamic: int) -> float:
        """Seconds of the turn behind its onset in `n_dynamic` samples; 0 for none."""
        return max(0.0, (n_dynamic - self.dynamic.onset_index(self.dynamic_hz)) / self.dynamic_hz)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "static": self.static.to_dict(),
            "dynamic": self.dynamic.to_dict(),
            "dynamic_hz": self.dynamic_hz,
            "every_s": self.every_s,
            "turn": self.turn,
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Windows":
        """The inverse of `to_dict`."""
        windows = {name: EpochConfig.from_dict(values[name]) for name in ("static", "dynamic")}
        return cls(**{**values, **windows})


@dataclass(frozen=True)
class Answer:
    """What a decoder makes of one trial, as far as it has come.

    `probabilities` (n_classes,) and `colour_probabilities` (n_colours,) each sum to 1; `nearest` are known pictures,
    the most alike first; `embedding` (dim,) is the decoded picture embedding.
    """

    probabilities: Array
    colour_probabilities: Array
    nearest: tuple[Nearest, ...]
    embedding: Array


class AnytimeDecoder(Protocol):
    """A fitted decoder of two streams, with everything that must be the same live as it was in calibration."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names, in the order of the probabilities."""
        ...

    @property
    def colours(self) -> tuple[str, ...]:
        """Colour names, in the order of their probabilities."""
        ...

    @property
    def channels(self) -> tuple[str, ...]:
        """Channels of the windows, in order."""
        ...

    @property
    def sfreq_hz(self) -> float:
        """Rate of the chain and of the static window."""
        ...

    @property
    def chain(self) -> ChainConfig:
        """The frozen decoding chain."""
        ...

    @property
    def windows(self) -> Windows:
        """The two windows and how often to answer."""
        ...

    def answer(self, static_uv: Array, dynamic_uv: Array | None) -> Answer:
        """Decode one trial as far as it has come; a pure function of its arguments.

        `static_uv` (n_channels, n_static) whole; `dynamic_uv` (n_channels, n) the first n samples of the dynamic
        window, None for none of it; both baseline-corrected microvolts, read-only. Thread: decode.
        """
        ...
