"""Anytime decoding: a first answer from the picture, better ones as the object turns, the last when it has turned.

A trial is the picture (static) and, soon after it, the turn of the same object (dynamic), as in EEG-3D (Guo et al.,
Neuro-3D, CVPR 2025). The dynamic window is decoded as far as it has come.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, runtime_checkable

from engines.errors import InputError
from pipeline.epochs import EpochBuilder, EpochConfig
from pipeline.preprocess import BAND_LIMIT, ChainConfig
from pipeline.second_rate import SecondRate
from pipeline.types import NOT_YET_S, Array, Block, Decision, Epoch, Nearest, Onset

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
    the most alike first; `embedding` (dim,) is the decoded picture embedding, raw and as long as true ones are, for
    generators: its direction, not its length, was decoded. `certainty` is the correlation with true ones that such
    embeddings had before.
    """

    probabilities: Array
    colour_probabilities: Array
    nearest: tuple[Nearest, ...]
    embedding: Array
    certainty: float = 1.0


@runtime_checkable
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
        window, None for none of it; both baseline-corrected microvolts. Thread: decode.
        """
        ...


@dataclass
class _Trial:
    """What is known of a trial whose turn is to come: its picture, and what of the turn came before that was whole."""

    static: Epoch | None = None
    turns: bool = False
    held: list[Epoch] = field(default_factory=list)


class TrialWindows:
    """Turns blocks and onsets of parts into epochs of both windows, the second at its own rate and as it grows.

    A trial's static epoch leaves first, then beginnings of its turn, the whole of it last or the reason why there is
    none; each turn carries the static epoch of its trial. Where the picture's window is rejected, so is the trial, and
    nothing more of it comes. Used in the place of an `EpochBuilder`. `high_hz` is where the chain's band ends, None for
    a chain without a low-pass. Thread: decode only.

    Raises:
        StreamMismatch: the rate of the turn cannot be made of the one that comes.
    """

    def __init__(self, windows: Windows, n_channels: int, sfreq_hz: float, high_hz: float | None) -> None:
        self.windows = windows
        self._static = EpochBuilder(windows.static, n_channels, sfreq_hz)
        highest_hz = BAND_LIMIT * windows.dynamic_hz
        self.second_rate = SecondRate(sfreq_hz, windows.dynamic_hz, min(high_hz or highest_hz, highest_hz))
        self._dynamic = EpochBuilder(windows.dynamic, n_channels, windows.dynamic_hz, windows.steps[:-1])
        self._trials: dict[int, _Trial] = {}

    def onset(self, onset: Onset) -> None:
        """Queue the onset of a picture (part "static") or of a turn ("dynamic")."""
        if onset.part == "static":
            # A turn belongs to the newest picture: of older ones only those count that are turning.
            self._trials = {n: trial for n, trial in self._trials.items() if trial.turns}
            self._trials[onset.trial] = _Trial()
            self._static.onset(onset)
        elif (trial := self._trials.get(onset.trial)) is not None:
            trial.turns = True
            self._dynamic.onset(onset)

    def push(self, block: Block) -> list[Epoch]:
        """Take preprocessed samples; return what became complete or impossible, in the order of its last sample."""
        return list(self._in_order([*self._static.push(block), *self._dynamic.push(self.second_rate.push(block))]))

    def finish(self) -> list[Epoch]:
        """No more data will come: what still waits is rejected."""
        return list(self._in_order([*self._static.finish(), *self._dynamic.finish()]))

    def drop(self, trial: int) -> None:
        """Nothing more of this trial is wanted."""
        self._trials.pop(trial, None)
        self._dynamic.drop(trial)

    def _in_order(self, epochs: Sequence[Epoch]) -> Iterator[Epoch]:
        for epoch in sorted(epochs, key=lambda e: e.window_stop_s):
            if epoch.part == "static":
                yield from self._of_picture(epoch)
            elif epoch.trial in self._trials:
                yield from self._of_turn(epoch)

    def _of_picture(self, epoch: Epoch) -> Iterator[Epoch]:
        yield epoch
        if epoch.rejected is not None:
            self.drop(epoch.trial)
        elif (trial := self._trials.get(epoch.trial)) is not None:
            trial.static = epoch
            for held in trial.held:
                yield from self._of_turn(held)

    def _of_turn(self, epoch: Epoch) -> Iterator[Epoch]:
        trial = self._trials[epoch.trial]
        if trial.static is None:
            trial.held.append(epoch)
            return
        if not epoch.beginning:
            del self._trials[epoch.trial]
        yield replace(epoch, static=trial.static)


def answered(decoder: AnytimeDecoder, epoch: Epoch, pick: Sequence[int]) -> Decision:
    """The decoder's answer to a picture, or to a turn as far as it has come, from the rows `pick` of the epoch."""
    static = epoch if epoch.static is None else epoch.static
    dynamic_uv = None if epoch.static is None else epoch.data[pick]
    answer = decoder.answer(static.data[pick], dynamic_uv)
    stage = "static" if dynamic_uv is None else "refined" if epoch.beginning else "fused"
    return Decision(
        trial=epoch.trial,
        stage=stage,
        onset_s=static.onset_s,
        window_stop_s=epoch.window_stop_s,
        decided_s=NOT_YET_S,
        classes=decoder.classes,
        probabilities=tuple(answer.probabilities.tolist()),
        colours=decoder.colours,
        colour_probabilities=tuple(answer.colour_probabilities.tolist()),
        nearest=answer.nearest,
        n_dynamic=0 if dynamic_uv is None else dynamic_uv.shape[1],
        embedding=answer.embedding,
        certainty=answer.certainty,
    )
