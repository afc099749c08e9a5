"""What must not decode, and what decodes with a part taken away: each control is a row with one sentence of meaning.

At test nothing is trained again: EEG is exchanged between trials, or the coupling is made of another trial's. In
training the trials are changed before a recipe sees them (`TRAINED`).

Thread: any, one at a time.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import torch
from torch import Tensor

from calibration.decoding.fitted import Fitted, FittedNetwork, Predictions, joined
from calibration.decoding.trials import Floats, Numbers, TrialSet
from engines.errors import InputError
from engines.models.brainssd import BrainSsd

# Nearest the eyes, in capitals; blinks and saccades are largest there.
FRONTAL = ("FP1", "FPZ", "FP2", "AF3", "AF4", "AF7", "AF8", "AFZ")


def unchanged(trials: TrialSet, _: np.random.Generator) -> TrialSet:
    """The trials as they are."""
    return trials


def shuffled_eeg(trials: TrialSet, rng: np.random.Generator) -> TrialSet:
    """Every trial with the EEG of a trial drawn without replacement: nothing left to decode."""
    source = rng.permutation(len(trials))
    return replace(trials, static=trials.static[source], dynamic=trials.dynamic[source])


def other_pictures(trials: TrialSet, rng: np.random.Generator) -> TrialSet:
    """Every trial with the picture's stream of a trial of another category; the turn's stays.

    Raises:
        InputError: one category has more than half of the trials.
    """
    return replace(trials, static=trials.static[of_another_category(trials.category, rng)])


def of_another_category(category: Numbers, rng: np.random.Generator) -> Numbers:
    """A permutation (n,) that gives every trial one of another category.

    Raises:
        InputError: one category has more than half of the trials.
    """
    most = int(np.bincount(category).max())
    if 2 * most > len(category):
        raise InputError(f"expected no category with more than half of the trials; one has {most} of {len(category)}")
    mixed = rng.permutation(len(category))
    names = rng.permutation(int(category.max()) + 1)
    order = mixed[np.argsort(names[category[mixed]], kind="stable")]  # categories together, both orders drawn
    source = np.empty_like(order)
    source[order] = np.roll(order, most)  # further than any category is long
    return source


@dataclass(frozen=True)
class Control:
    """A change at test. `exchange` is done to single trials, before any averaging; `n_dynamic` as in `Fitted.predict`.

    `coupling`: BrainSSD's coupling is computed from the static stream of another trial. `times`: how many changes are
    drawn, so that no row hangs on one of them.
    """

    name: str
    meaning: str
    exchange: Callable[[TrialSet, np.random.Generator], TrialSet] = unchanged
    n_dynamic: int | None = None
    coupling: bool = False
    times: int = 1

    def applies(self, fitted: Fitted) -> bool:
        """Whether the decoder has what is taken away."""
        return not self.coupling or coupled(fitted)

    def predict(self, fitted: Fitted, trials: TrialSet, averaged: bool, seed: int) -> Predictions:
        """Answers to the changed trials, in the order of `trials` or `trials.averaged()`, `times` after one another."""
        rng = np.random.default_rng(seed)
        return joined([self._once(fitted, trials, averaged, rng) for _ in range(self.times)])

    def _once(self, fitted: Fitted, trials: TrialSet, averaged: bool, rng: np.random.Generator) -> Predictions:
        changed = self.exchange(trials, rng)
        changed = changed.averaged() if averaged else changed
        if not self.coupling:
            return fitted.predict(changed, self.n_dynamic)
        others = changed.static[of_another_category(changed.category, rng)]
        with coupled_to(fitted, others):
            return fitted.predict(changed, self.n_dynamic)


CONTROLS = (
    Control(
        "shuffled EEG",
        "Every trial gets the EEG of another: nothing is left to decode, anything above chance is a leak.",
        exchange=shuffled_eeg,
        times=5,
    ),
    Control(
        "picture alone", "The answer before the turn: what the turn adds is the distance to the whole.", n_dynamic=0
    ),
    Control(
        "turn alone",
        "The picture's stream comes from a trial of another category: what is left was decoded from the turn.",
        exchange=other_pictures,
    ),
    Control(
        "coupling of other trials",
        "Attention is gated by coupling with another trial's phase: what is lost hung on this trial's coupling.",
        coupling=True,
    ),
)


@dataclass(frozen=True)
class TrainedControl:
    """A change before training: `before_training` of training trials alone, `everywhere` of all trials."""

    meaning: str
    before_training: Callable[[TrialSet, np.random.Generator], TrialSet] = unchanged
    everywhere: Callable[[TrialSet], TrialSet] = lambda trials: trials


def eyes_only(trials: TrialSet) -> TrialSet:
    """All channels but the foremost set to zero.

    Raises:
        InputError: none of them is there.
    """
    kept = np.array([name.upper() in FRONTAL for name in trials.channels])
    if not kept.any():
        raise InputError(f"expected one of the channels {', '.join(FRONTAL)}; got {', '.join(trials.channels)}")
    mask = kept[None, :, None].astype(np.float32)
    return replace(trials, static=trials.static * mask, dynamic=trials.dynamic * mask)


TRAINED: Mapping[str, TrainedControl] = MappingProxyType(
    {
        "shuffled": TrainedControl(
            "Trained on trials whose EEG was exchanged: nothing can be learnt, anything above chance is a leak.",
            before_training=shuffled_eeg,
        ),
        "eyes": TrainedControl(
            "Trained and tested on the foremost channels alone: how much eye movements and blinks could tell.",
            everywhere=eyes_only,
        ),
    }
)


def coupled(fitted: Fitted) -> bool:
    """Whether the decoder is a BrainSSD whose attention is gated by coupling across the streams."""
    if not isinstance(fitted, FittedNetwork) or not isinstance(fitted.network, BrainSsd):
        return False
    return fitted.network.config.pac and fitted.network.config.coupling == "across"


@contextmanager
def coupled_to(fitted: Fitted, static: Floats) -> Iterator[None]:
    """While open, coupling is computed from these static streams (n, channel, time), in the order trials are predicted.

    Both rows pair phase and amplitude of different trials then, as surrogates do (`engines.models.coupling.shuffled`);
    attention itself sees the trial's own streams.

    Raises:
        InputError: the decoder has no coupling across the streams.
    """
    if not coupled(fitted):
        raise InputError("expected a BrainSSD with coupling across the streams; leave out this control")
    assert isinstance(fitted, FittedNetwork)
    taken = 0

    def exchange(_: torch.nn.Module, streams: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        nonlocal taken
        own, *rest = streams
        other = torch.from_numpy(static[taken : taken + len(own)]).to(own.device)
        taken += len(own)
        return other, *rest

    handle = fitted.network.get_submodule("coupling").register_forward_pre_hook(exchange)
    try:
        yield
    finally:
        handle.remove()
