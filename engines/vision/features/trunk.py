"""Networks that are a row of layers, looked into at some of them: AlexNet, VGG-19 and the pocket encoder.

AlexNet (Krizhevsky et al. 2012, as in 2014's "one weird trick") and VGG-19 (Simonyan & Zisserman 2015) are plain rows
of convolutions, so they are written here with torchvision's numbering and load its files; torchvision is not needed.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from engines.vision.base import Floats, Pictures
from engines.vision.features.checkpoints import fill, found, read, under
from engines.vision.features.resize import IMAGENET, resized, scaled
from engines.vision.pocket import PocketVision

ALEXNET_PX, VGG19_PX = 256, 224
ALEXNET_LEVELS = {"AlexNet 2": 4, "AlexNet 5": 11}
VGG19_LEVELS = {"relu1_2": 3, "relu2_2": 8, "relu3_4": 17, "relu4_4": 26, "relu5_4": 35}
POCKET_LEVELS = {"stem": 0, "stage 1": 2, "stage 2": 4, "stage 3": 6, "stage 4": 8}
POCKET_EARLY, POCKET_LATE = "stage 1", "stage 3"

_VGG19_CHANNELS = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4))
_BATCH = 16


class Trunk:
    """A row of layers and the places, by number, where it is looked into; `levels` in the order of the row.

    Thread: any, one at a time.
    """

    def __init__(
        self,
        name: str,
        net: nn.Sequential,
        levels: Mapping[str, int],
        prepared: Callable[[Pictures], Tensor],
        pocket: bool,
    ) -> None:
        self.name, self.pocket = name, pocket
        self.levels = dict(levels)
        self._prepared = prepared
        self._net = net[: max(levels.values()) + 1].eval().requires_grad_(False)

    def layers(self, pictures: Pictures) -> list[Floats]:
        """What each level gives for (n, height, width, 3): (n, channels, height, width) each.

        Raises:
            InputError: not (n, height, width, 3) uint8.
        """
        batches = np.split(pictures, range(_BATCH, len(pictures), _BATCH))
        with torch.inference_mode():
            parts = [self.tensors(self._prepared(batch)) for batch in batches]
        return [np.concatenate([one.numpy() for one in level]) for level in zip(*parts, strict=True)]

    def features(self, pictures: Pictures) -> dict[str, Floats]:
        """Each level by name, flat: (n, d)."""
        flat = (level.reshape(len(level), -1) for level in self.layers(pictures))
        return dict(zip(self.levels, flat, strict=True))

    def tensors(self, values: Tensor) -> list[Tensor]:
        """The same for prepared pictures (n, 3, height, width)."""
        wanted, given = set(self.levels.values()), []
        for number, layer in enumerate(self._net.children()):
            values = layer(values)
            if number in wanted:
                given.append(values)
        return given


def alexnet(weights: Path | None = None) -> Trunk:
    """AlexNet's convolutions at 256 px, after the second and the fifth ("AlexNet 2", "AlexNet 5").

    Raises:
        InputError: its weights are not there.
    """
    return Trunk("AlexNet", load_alexnet(weights), ALEXNET_LEVELS, _imagenet_at(ALEXNET_PX), pocket=False)


def vgg19(weights: Path | None = None) -> Trunk:
    """VGG-19's convolutions at 224 px, after the last of each of the five blocks.

    Raises:
        InputError: its weights are not there.
    """
    return Trunk("VGG-19", _loaded(vgg19_net(), "vgg19", weights), VGG19_LEVELS, _imagenet_at(VGG19_PX), pocket=False)


def pocket_trunk(encoder: PocketVision | None = None, levels: Mapping[str, int] = POCKET_LEVELS) -> Trunk:
    """The pocket encoder's stem and stages, at its own 96 px."""
    encoder = PocketVision.load() if encoder is None else encoder
    return Trunk("pocket encoder", encoder.net.trunk, levels, encoder.config.pixels.prepared, pocket=True)


def load_alexnet(weights: Path | None) -> nn.Sequential:
    """AlexNet's convolutions with torchvision's weights.

    Raises:
        InputError: they are not there.
    """
    return _loaded(alexnet_net(), "alexnet", weights)


def alexnet_net() -> nn.Sequential:
    """`features` of torchvision's AlexNet, without weights."""
    return nn.Sequential(
        nn.Conv2d(3, 64, 11, stride=4, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(3, 2),
        nn.Conv2d(64, 192, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(3, 2),
        nn.Conv2d(192, 384, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(384, 256, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(256, 256, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(3, 2),
    )


def vgg19_net() -> nn.Sequential:
    """`features` of torchvision's VGG-19, without weights."""
    layers: list[nn.Module] = []
    before = 3
    for channels, count in _VGG19_CHANNELS:
        for _ in range(count):
            layers += [nn.Conv2d(before, channels, 3, padding=1), nn.ReLU()]
            before = channels
        layers.append(nn.MaxPool2d(2, 2))
    return nn.Sequential(*layers)


def _loaded(net: nn.Sequential, name: str, weights: Path | None) -> nn.Sequential:
    path = found(name, weights)
    fill(net, under(read(path), "features."), path)
    return net


def _imagenet_at(size_px: int) -> Callable[[Pictures], Tensor]:
    return lambda pictures: scaled(resized(pictures, size_px), IMAGENET)
