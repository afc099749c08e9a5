"""What a batch of training trials goes through, so that beginnings decode and no single channel is trusted.

Read in public code of Neuro-3D: a trial is replaced by the mean over its object's showings (one in four), and noise of
a fifth of a channel's deviation is added (six in ten). Our own: that noise is a fifth of another trial, whose
background has the colour and the spread over the head that backgrounds have; a beginning of the turn instead of the
whole, or none of it; channels left out.

What is done is exactly what happens live: a beginning is standardised by itself (`pipeline/encode.py`).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from calibration.decoding.trials import Floats, Numbers, TrialSet
from pipeline.encode import standardised


@dataclass(frozen=True)
class Variation:
    """Chances and sizes. `beginning`: of a beginning drawn evenly, `nothing`: of no turn at all."""

    mean: float = 0.25
    noise: float = 0.6
    noise_sd: float = 0.2
    channels: float = 0.03
    beginning: float = 0.3
    nothing: float = 0.2


class Varied(NamedTuple):
    """One batch: `static` and `dynamic` (batch, channel, time) float32, `n_dynamic` (batch,) int64."""

    static: Tensor
    dynamic: Tensor
    n_dynamic: Tensor


def varied(
    trials: TrialSet, means: TrialSet, rows: Numbers, variation: Variation, anytime: bool, rng: np.random.Generator
) -> Varied:
    """The trials `rows`, varied one by one; `means` holds one averaged trial an item. Whole turns unless `anytime`."""
    static, dynamic = trials.static[rows].copy(), trials.dynamic[rows].copy()
    at = np.searchsorted(means.item, trials.item[rows])
    replaced = rng.random(len(rows)) < variation.mean
    static[replaced], dynamic[replaced] = means.static[at[replaced]], means.dynamic[at[replaced]]
    noisy = np.flatnonzero(rng.random(len(rows)) < variation.noise)
    others = rng.integers(len(trials), size=len(noisy))
    static[noisy] += variation.noise_sd * trials.static[others]
    dynamic[noisy] += variation.noise_sd * trials.dynamic[others]
    left_out = rng.random((len(rows), static.shape[1])) < variation.channels * rng.random((len(rows), 1)) * 2
    n_samples = dynamic.shape[2]
    counts = np.full(len(rows), n_samples, dtype=np.int64)
    if anytime:
        drawn = rng.random(len(rows))
        part = drawn < variation.nothing + variation.beginning
        counts[part] = rng.integers(1, n_samples, part.sum())
        counts[drawn < variation.nothing] = 0
        dynamic = _cut(dynamic, counts)
    static[left_out], dynamic[left_out] = 0.0, 0.0
    return Varied(torch.from_numpy(static), torch.from_numpy(dynamic), torch.from_numpy(counts))


def shortened(dynamic: Floats, n_samples: int) -> tuple[Floats, Numbers]:
    """The first `n_samples` of each trial (n, channel, time), standardised by themselves, zeros behind; and counts."""
    counts = np.full(len(dynamic), n_samples, dtype=np.int64)
    return (dynamic if n_samples == dynamic.shape[2] else _cut(dynamic, counts)), counts


def _cut(dynamic: Floats, counts: Numbers) -> Floats:
    out = np.zeros_like(dynamic)
    for trial, n in enumerate(counts):
        if n:
            out[trial, :, :n] = standardised(dynamic[trial, :, :n])
    return out
