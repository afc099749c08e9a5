"""Trials with a planted answer, and a decoder that reads it, for the tests of evaluation."""

from dataclasses import dataclass

import numpy as np

from calibration.decoding.fitted import Predictions
from calibration.decoding.trials import TrialSet
from calibration.decoding.vary import shortened
from calibration.stimuli import Item

CHANNELS = ("FP1", "OZ", "O1", "O2")


def planted(
    numbers=(8, 9), n_categories=6, n_repeats=4, effect=3.0, seed=0, n_static=250, n_dynamic=600, participant="1"
) -> TrialSet:
    """Every category has a topography and course of its own in both streams; the picture's begins at its start."""
    rng = np.random.default_rng(seed)
    fixed = np.random.default_rng(99)
    names = tuple(f"c{k:02d}" for k in range(n_categories))
    items = tuple(Item(name, f"{number:02d}") for name in names for number in range(10))
    targets = fixed.standard_normal((n_categories, 1, 16)) + 0.5 * fixed.standard_normal((n_categories, 10, 16)) + 5.0
    shown = np.array([(k, number) for _ in range(n_repeats) for k in range(n_categories) for number in numbers])
    shown = shown[rng.permutation(len(shown))]
    category, number = shown[:, 0], shown[:, 1]
    static = rng.standard_normal((len(shown), len(CHANNELS), n_static))
    dynamic = rng.standard_normal((len(shown), len(CHANNELS), n_dynamic))
    static += effect * fixed.standard_normal((n_categories, len(CHANNELS), n_static))[category] / 10
    dynamic += effect * fixed.standard_normal((n_categories, len(CHANNELS), n_dynamic))[category] / 10
    item = category * 10 + number
    return TrialSet(
        participant=participant, static=static.astype(np.float32), dynamic=dynamic.astype(np.float32), item=item,
        items=items, category=category, categories=names, colour=item % 6, number=number,
        block=np.arange(len(shown)) // n_categories, targets=targets.reshape(-1, 16).astype(np.float32),
        encoder="made up", channels=CHANNELS, simulated=True,
    )  # fmt: skip


@dataclass
class Templates:
    """A decoder that knows the planted courses: correlates each stream with them, as much of the turn as there is."""

    streams: tuple[str, ...] = ("static", "dynamic")

    def predict(self, trials: TrialSet, n_dynamic: int | None = None) -> Predictions:
        fixed = np.random.default_rng(99)
        n_categories, shape = len(trials.categories), trials.static.shape[1:]
        fixed.standard_normal((n_categories, 1, 16)), fixed.standard_normal((n_categories, 10, 16))
        static = fixed.standard_normal((n_categories, *shape))
        dynamic = fixed.standard_normal((n_categories, *trials.dynamic.shape[1:]))
        n_samples = trials.dynamic.shape[2] if n_dynamic is None else n_dynamic
        logits = np.zeros((len(trials), n_categories))
        if "static" in self.streams:
            logits += np.einsum("nct,kct->nk", trials.static, static)
        if "dynamic" in self.streams:
            logits += np.einsum("nct,kct->nk", shortened(trials.dynamic, n_samples)[0], dynamic)
        centre = trials.targets.mean(axis=0)
        means = trials.targets.reshape(n_categories, 10, -1).mean(axis=1)
        shares = np.exp((logits - logits.max(axis=1, keepdims=True)) / 20)
        colour = np.eye(6)[0][None].repeat(len(trials), axis=0)
        return Predictions(
            shares @ (means - centre) / shares.sum(axis=1, keepdims=True) + centre, logits / 20, colour, centre
        )
