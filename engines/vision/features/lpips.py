"""LPIPS: how different two pictures look, learned from people (Zhang et al. 2018, arXiv:1801.03924, version 0.1).

    d = sum over layers l of the mean over places of  w_l . (f_l(a) / |f_l(a)| - f_l(b) / |f_l(b)|)^2

f_l are AlexNet's five rectified convolutions of pictures from -1 to 1, lengths are over channels, w_l the published
linear weights. The size is not stated where EEG papers use it; here it is 256 px.
"""

from pathlib import Path
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from engines.errors import InputError
from engines.vision.base import Pictures
from engines.vision.features.checkpoints import found, read
from engines.vision.features.resize import resized
from engines.vision.features.trunk import Trunk, load_alexnet
from engines.weights import how_to_get, part

SIZE_PX = 256

_LEVELS = {"relu1": 1, "relu2": 4, "relu3": 7, "relu4": 9, "relu5": 11}
# Its own statistics, of pictures from -1 to 1.
_SHIFT, _SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
_NO_LENGTH = 1e-10


class Lpips:
    """AlexNet and its linear weights, one vector (channels,) a layer.

    Thread: any, one at a time.
    """

    name = "LPIPS (AlexNet)"

    def __init__(self, net: nn.Sequential, linear: list[Tensor]) -> None:
        self._trunk = Trunk("AlexNet", net, _LEVELS, _prepared, pocket=False)
        self._linear = linear

    @classmethod
    def load(cls, alexnet: Path | None = None, linear: Path | None = None) -> Self:
        """From torchvision's AlexNet and the linear weights of the `lpips` package.

        Raises:
            InputError: one of them is not there, or something else.
        """
        net = load_alexnet(alexnet)
        path = found("lpips", linear)
        state = read(path)
        names = [f"lin{number}.model.1.weight" for number in range(len(_LEVELS))]
        channels = [net[number - 1].out_channels for number in _LEVELS.values()]
        if any(name not in state or state[name].numel() != size for name, size in zip(names, channels, strict=True)):
            raise InputError(
                f"{path}: expected {names[0]} to {names[-1]} for {channels} channels; {how_to_get(part('lpips'))}"
            )
        return cls(net, [state[name].reshape(-1) for name in names])

    def distances(self, truth: Pictures, made: Pictures) -> NDArray[np.float64]:
        """(n,) of (n, height, width, 3) pictures; 0 for equal ones.

        Raises:
            InputError: not as many pictures made as true ones.
        """
        if len(truth) != len(made):
            raise InputError(f"expected one picture made for each true one, got {len(made)} for {len(truth)}")
        with torch.inference_mode():
            pairs = zip(truth, made, strict=True)
            return np.array([float(self._distance(_prepared(a[None]), _prepared(b[None]))) for a, b in pairs])

    def _distance(self, a: Tensor, b: Tensor) -> Tensor:
        levels = zip(self._trunk.tensors(a), self._trunk.tensors(b), self._linear, strict=True)
        apart = [
            weight @ ((_directions(one) - _directions(other)) ** 2).mean(dim=(2, 3))[0] for one, other, weight in levels
        ]
        return torch.stack(apart).sum()


def _prepared(pictures: Pictures) -> Tensor:
    shift, scale = (torch.tensor(each).reshape(3, 1, 1) for each in (_SHIFT, _SCALE))
    return (2 * resized(pictures, SIZE_PX) - 1 - shift) / scale


def _directions(features: Tensor) -> Tensor:
    return features / (features.square().sum(dim=1, keepdim=True).sqrt() + _NO_LENGTH)
