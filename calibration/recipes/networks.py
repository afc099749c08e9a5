"""Recipes of the networks: which one, trained how, and what its inputs and outputs mean.

"full" is the published size, for a GPU. "pocket" is the same architecture with fewer and narrower parts, trained in
minutes on two cores (docs/decisions/0149-pocket-sizes.md): what it shows of a system holds for that size alone.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from calibration.decoding.fit import Budget, FittedNetwork, Progress, Wiring, fit_network
from calibration.decoding.trials import TrialSet
from calibration.decoding.vary import Varied
from calibration.losses import Answers, LossConfig, LossWeights
from engines.errors import InputError
from engines.models.base import Network
from engines.models.brainssd import VARIANTS, BrainSsd, BrainSsdConfig
from engines.models.enigma import Enigma, EnigmaConfig
from engines.models.neuro3d import Neuro3d, Neuro3dConfig

Size = Literal["full", "pocket"]
SIZES: tuple[Size, ...] = ("full", "pocket")


@dataclass(frozen=True)
class NetworkRecipe:
    """A network for any trials, its loss and its budget. Implements `calibration.decoding.fit.Recipe`."""

    name: str
    make: Callable[[TrialSet], Network]
    wiring: Wiring
    weights: LossWeights
    budget: Budget
    normalised: bool = True
    exponentiated: bool = True

    def fit(
        self, training: TrialSet, selection: TrialSet, seed: int, progress: Progress | None = None
    ) -> FittedNetwork:
        """See `Recipe`."""
        device = "cuda" if torch.cuda.is_available() else "cpu"
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            network = self.make(training)
        return fit_network(
            network, self.wiring, self.loss(training), self.budget, training, selection, seed, progress, device
        )

    def loss(self, training: TrialSet) -> LossConfig:
        """The weighted sum for these trials; colours weigh by the inverse root of how often they were shown."""
        n = torch.bincount(torch.from_numpy(training.colour[training.colour >= 0]), minlength=6).float()
        weights = torch.where(n > 0, n.clamp_min(1).rsqrt(), 0.0)
        return LossConfig(
            dim=training.targets.shape[1],
            categories=len(training.categories),
            weights=self.weights,
            normalised=self.normalised,
            exponentiated=self.exponentiated,
            colour_weights=tuple((weights / weights.max()).tolist()) if weights.any() else None,
        )


class BrainSsdWiring:
    """Both streams and how much of the turn is there; all three answers."""

    anytime = True

    def outputs(self, network: Network, batch: Varied) -> Answers:
        """One step."""
        given = {"static": batch.static, "dynamic": batch.dynamic, "n_dynamic": batch.n_dynamic}
        found = network(**{tensor.name: given[tensor.name] for tensor in network.spec().inputs})
        return Answers(found.embedding, found.category, found.colour)


class Neuro3dWiring:
    """Both streams, averaged over `pool` samples; the embedding is the mean of geometry and appearance."""

    anytime = False

    def __init__(self, pool: int) -> None:
        self.pool = pool

    def outputs(self, network: Network, batch: Varied) -> Answers:
        """One step."""
        found = network(static=_pooled(batch.static, self.pool), dynamic=_pooled(batch.dynamic, self.pool))
        return Answers((found.geometry + found.appearance) / 2, found.category, found.colour)


class EnigmaWiring:
    """The picture's stream, every channel standardised; an embedding and nothing else."""

    anytime = False

    def outputs(self, network: Network, batch: Varied) -> Answers:
        """One step."""
        eeg = batch.static - batch.static.mean(dim=2, keepdim=True)
        eeg = eeg / eeg.std(dim=2, keepdim=True).clamp_min(1e-6)
        found = network(eeg=eeg, subject=torch.zeros(len(eeg), dtype=torch.int64, device=eeg.device))
        nothing = found.embedding.new_zeros((len(eeg), 0))
        return Answers(found.embedding, nothing, nothing)


def brainssd(variant: str, size: Size, name: str, weights: LossWeights, budget: Budget) -> NetworkRecipe:
    """BrainSSD or one of its ablations.

    Raises:
        InputError: no such variant.
    """
    if variant not in VARIANTS:
        raise InputError(f"expected a variant among {', '.join(VARIANTS)}; got {variant!r}")

    def make(trials: TrialSet) -> Network:
        return BrainSsd(_fitting(VARIANTS[variant], size, trials))

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
    """The compact single-stream encoder; it has one size."""

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


def _pooled(eeg: Tensor, samples: int) -> Tensor:
    """Means over `samples` samples."""
    return eeg if samples == 1 else eeg.unflatten(2, (-1, samples)).mean(dim=3)
