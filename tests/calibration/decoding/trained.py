"""Small networks and sets of trials that train in moments."""

from dataclasses import replace

import numpy as np
import torch

from calibration.decoding.fit import Budget, fit_network
from calibration.decoding.wiring import BrainSsdWiring
from calibration.losses import LossConfig, LossWeights
from engines.models.brainssd import BrainSsd, BrainSsdConfig
from pipeline.encode import standardised
from tests.calibration.decoding.planted import planted

TINY = BrainSsdConfig(
    n_channels=4, levels=1, pyramid=False, width=16, heads=2, feed_forward=8, cross_feed_forward=8, tokens=5,
    token_width=8, gate_width=8, dim=16, categories=3, dropout=0.1,
)  # fmt: skip
BUDGET = Budget(epochs=4, batch=16, learning_rate=1e-2)
WEIGHTS = LossWeights(squared_error=1.0, category=1.0, spectral=0.1, prototypes=0.1)


def sets(effect=0.7, n_repeats=3, seed=0):
    """Training and selection trials of three categories, each with a slow wave of its own topography."""
    training = planted(range(7), 3, n_repeats, 0.0, seed)
    return waved(training, effect), waved(planted([7], 3, 4 * n_repeats, 0.0, seed + 100), effect)


def waved(trials, effect):
    topography = np.random.default_rng(5).standard_normal((3, len(trials.channels), 1))[trials.category]
    streams = {}
    for name in ("static", "dynamic"):
        stream = getattr(trials, name)
        wave = np.sin(np.linspace(0, 3 * np.pi, stream.shape[2]))
        streams[name] = np.stack([standardised(one) for one in stream + effect * topography * wave])
    return replace(trials, **streams)


def network(config=TINY, seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return BrainSsd(config)


def fit(training, selection, budget=BUDGET, config=TINY, seed=0, **more):
    loss = LossConfig(dim=16, categories=3, weights=WEIGHTS)
    return fit_network(network(config), BrainSsdWiring(), loss, budget, training, selection, seed, **more)


def quick(recipe, epochs=1, batch=8):
    """A recipe with almost no budget; recipes without one as they are."""
    if not hasattr(recipe, "budget"):
        return recipe
    return replace(recipe, budget=replace(recipe.budget, epochs=epochs, batch=batch))
