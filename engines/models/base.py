"""What every network offers, and how its size and its arithmetic are counted.

A network is built from one frozen dataclass and has one pure step. Losses, loops, samplers and devices live elsewhere.

Rules of the count:

- parameters: every learned number once, by the network's direct children ("part"); buffers are not counted;
- multiply-adds: one for each product that is added up in matrix products, batched products and convolutions, as
  torch's flop counter sees them run. Biases, norms, softmax, activations, sines, exponentials and sums are not counted;
- FLOPs: two per multiply-add. Publications differ: many print multiply-adds and call them FLOPs, so both are given;
- the batch is one trial, and the number of tokens that a Transformer runs on is told beside it, since nearly all
  arithmetic grows with it.

Thread: any, one at a time.
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from engines.models.whitening import Whitening
from engines.spec import Spec


class Network(nn.Module, ABC):
    """An `nn.Module` that says what it takes and gives.

    `forward` takes the inputs of `spec()` by name and returns a named tuple whose fields are the outputs of `spec()`,
    in their order. It changes nothing and keeps nothing.
    """

    config: Any

    @abstractmethod
    def spec(self) -> Spec:
        """Names, axes, element types and meanings of what goes in and comes out."""

    @property
    def whitenings(self) -> Mapping[str, Whitening]:
        """The spatial whitening of each input that has one, to be set before training."""
        return {}

    @property
    @abstractmethod
    def tokens(self) -> int:
        """How many tokens the first Transformer level runs on, all streams together; time points for convolutions."""


@dataclass(frozen=True)
class Work:
    """Arithmetic of one trial."""

    multiply_adds: int
    tokens: int

    @property
    def flops(self) -> int:
        """Two per multiply-add."""
        return 2 * self.multiply_adds


def parameters_by_part(network: nn.Module) -> dict[str, int]:
    """Learned numbers in each direct child; parameters of the network itself under "own". A shared one counts once."""
    parts: Counter[str] = Counter()
    for name, parameter in network.named_parameters():
        parts[name.split(".")[0] if "." in name else "own"] += parameter.numel()
    return dict(parts)


def n_parameters(network: nn.Module) -> int:
    """All learned numbers."""
    return sum(parameters_by_part(network).values())


def work(network: Network) -> Work:
    """Arithmetic of one trial in evaluation, counted while it runs on zeros, where the network is."""
    device = next(network.parameters()).device
    given = {name: values.to(device) for name, values in zeros(network.spec(), 1).items()}
    return Work(multiply_adds(network, **given), network.tokens)


def multiply_adds(module: nn.Module, *inputs: Tensor, **named: Tensor) -> int:
    """Multiply-adds of one call in evaluation; the module is left in the mode it was in."""
    training = module.training
    counter = FlopCounterMode(display=False)
    try:
        module.eval()
        with torch.no_grad(), counter:
            module(*inputs, **named)
    finally:
        module.train(training)
    return int(counter.get_total_flops()) // 2


def zeros(spec: Spec, batch: int) -> dict[str, Tensor]:
    """Inputs that fit, by name, in order."""
    return {tensor.name: torch.from_numpy(tensor.zeros(batch)) for tensor in spec.inputs}


def step(network: Network, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """One checked step in evaluation: arrays by the names of `spec()` in, arrays by name out.

    Raises:
        InputError: an input does not fit the specification.
    """
    spec = network.spec()
    spec.require(arrays)
    with torch.inference_mode():
        outputs = network(**{name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in arrays.items()})
    return {tensor.name: value.numpy() for tensor, value in zip(spec.outputs, outputs, strict=True)}
