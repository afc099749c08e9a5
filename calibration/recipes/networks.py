"""Recipes of the networks: which one, trained how, and what its inputs and outputs mean.

"full" is the published size, for a GPU. "pocket" is the same architecture with fewer and narrower parts, trained in
minutes on two cores (docs/decisions/0149-pocket-sizes.md): what it shows of a system holds for that size alone.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import torch

from calibration.decoding.fit import Budget, fit_network
from calibration.decoding.fitted import FittedNetwork
from calibration.decoding.steps import Progress
from calibration.decoding.trials import TrialSet
from calibration.decoding.wiring import BrainSsdWiring, EnigmaWiring, Neuro3dWiring, Wiring
from calibration.losses import LossConfig, LossWeights
from engines.models.base import Network
from engines.models.brainssd import BrainSsd, BrainSsdConfig
from engines.models.enigma import Enigma, EnigmaConfig
from engines.models.neuro3d import Neuro3d, Neuro3dConfig

Size = Literal["full", "pocket"]
SIZES: tuple[Size, ...] = ("full", "pocket")


@dataclass(frozen=True)
class NetworkRecipe:
    """A network for any trials, its loss and its budget. Implements `calibration.decoding.fit.Recipe`.

    `normalised`, `exponentiated` and `log_scale` of the contrastive term are those of `calibration.losses.LossConfig`.
    """

    name: str
    make: Callable[[TrialSet], Network]
    wiring: Wiring
    weights: LossWeights
    budget: Budget
    normalised: bool = True
    exponentiated: bool = True
    log_scale: float = LossConfig.log_scale

    def fit(
        self,
        training: TrialSet,
        selection: TrialSet,
        seed: int,
        progress: Progress | None = None,
        checkpoint: Path | None = None,
    ) -> FittedNetwork:
        """See `Recipe`. On the GPU where there is one."""
        with torch.random.fork_rng(devices=()):
            torch.manual_seed(seed)
            network = self.make(training)
        return fit_network(
            network,
            self.wiring,
            self.loss(training),
            self.budget,
            training,
            selection,
            seed,
            progress,
            device="cuda" if torch.cuda.is_available() else "cpu",
            checkpoint=checkpoint,
        )

    def loss(self, training: TrialSet) -> LossConfig:
        """The weighted sum for these trials; colours weigh by the inverse root of how often they were shown."""
        n = torch.bincount(torch.from_numpy(training.colour[training.colour >= 0]), minlength=6).float()
        weights = torch.where(n > 0, n.clamp_min(1).rsqrt(), 0.0)
        return LossConfig(
            dim=training.targets.shape[1],
            categories=len(training.categories),
            weights=self.weights,
            log_scale=self.log_scale,
            normalised=self.normalised,
            exponentiated=self.exponentiated,
            colour_weights=tuple((weights / weights.max()).tolist()) if weights.any() else None,
        )


def brainssd(config: BrainSsdConfig, size: Size, name: str, weights: LossWeights, budget: Budget) -> NetworkRecipe:
    """BrainSSD or one of its ablations, `config`, in the size asked for and fitted to the trials."""

    def make(trials: TrialSet) -> Network:
        return BrainSsd(_fitting(config, size, trials))

    return NetworkRecipe(name, make, BrainSsdWiring(), weights, budget)


def _fitting(config: BrainSsdConfig, size: Size, trials: TrialSet) -> BrainSsdConfig:
    if size == "pocket":
        config = replace(config, pyramid=False, feed_forward=256, gate_width=256, tokens=25, token_width=24)
    return replace(
        config,
        n_channels=len(trials.channels),
        categories=len(trials.categories),
        dim=trials.targets.shape[1],
    )


def neuro3d(size: Size, weights: LossWeights, budget: Budget) -> NetworkRecipe:
    """BrainSSD's predecessor."""
    pool = 1 if size == "full" else 5

    def make(trials: TrialSet) -> Network:
        config = Neuro3dConfig(
            n_channels=len(trials.channels),
            static_samples=trials.static.shape[2] // pool,
            dynamic_samples=trials.dynamic.shape[2] // pool,
            dim=trials.targets.shape[1],
            categories=len(trials.categories),
        )
        if size == "pocket":
            config = replace(config, feed_forward=256, points=50, features=64)
        return Neuro3d(config)

    return NetworkRecipe("neuro3d", make, Neuro3dWiring(pool), weights, budget)


def enigma(weights: LossWeights, budget: Budget) -> NetworkRecipe:
    """The compact single-stream encoder; it has one size.

    Trained on one participant like every row beside it, so with one map over time: that several participants share all
    the rest, which is what it was made for, is in the network (`engines/models/enigma.py`) and trained by nothing here.
    """

    def make(trials: TrialSet) -> Network:
        return Enigma(
            EnigmaConfig(
                n_channels=len(trials.channels),
                n_samples=trials.static.shape[2],
                subjects=1,
                dim=trials.targets.shape[1],
            )
        )

    return NetworkRecipe("enigma", make, EnigmaWiring(), weights, budget)
