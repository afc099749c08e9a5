"""What the inputs and outputs of each network mean: from a batch of trials to answers.

A wiring is its class and the plain values it was made with, `vars(wiring)`: that is how models on disk name it.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

import torch
from torch import Tensor

from calibration.decoding.vary import Varied
from calibration.losses import Answers
from engines.models.base import Network


class Wiring(Protocol):
    """One for each kind of network. `anytime`: it is told how much of the turn is there, and trained with less."""

    anytime: bool

    def outputs(self, network: Network, batch: Varied) -> Answers:
        """One step. Of what the network does not answer there are no columns: (batch, 0)."""
        ...


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
    """The picture's stream; an embedding and nothing else. Trials are one participant's, with one map."""

    anytime = False

    def outputs(self, network: Network, batch: Varied) -> Answers:
        """One step."""
        subject = torch.zeros(len(batch.static), dtype=torch.int64, device=batch.static.device)
        found = network(eeg=batch.static, subject=subject)
        nothing = found.embedding.new_zeros((len(subject), 0))
        return Answers(found.embedding, nothing, nothing)


WIRINGS: Mapping[str, type[BrainSsdWiring] | type[Neuro3dWiring] | type[EnigmaWiring]] = MappingProxyType(
    {"brainssd": BrainSsdWiring, "neuro3d": Neuro3dWiring, "enigma": EnigmaWiring}
)


def _pooled(eeg: Tensor, samples: int) -> Tensor:
    """Means over `samples` samples."""
    return eeg if samples == 1 else eeg.reshape(*eeg.shape[:2], -1, samples).mean(dim=3)
