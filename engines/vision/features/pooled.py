"""Networks of torchvision whose one vector a picture is compared.

    Inception    avgpool of Inception-v3 at 342 px, 2048-d            (Szegedy et al. 2016)
    EfficientNet avgpool of EfficientNet-B1 at 255 px, 1280-d          (Tan & Le 2019)
    SwAV         avgpool of a ResNet-50 trained by SwAV at 224 px, 2048-d (Caron et al. 2020; CC BY-NC 4.0)

Sizes are those of Scotti et al. 2023 (arXiv:2305.18274). torchvision is an extra (`pip install afterimage[features]`):
it is imported when one of its networks is asked for, and nowhere else.
"""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
from torch import Tensor, nn

from engines.errors import InputError
from engines.vision.base import Floats, Pictures
from engines.vision.features.checkpoints import fill, found, read, under
from engines.vision.features.resize import IMAGENET, resized, scaled

_BATCH = 16


class Pooled:
    """A network whose module `tap` is looked at; `size_px` of its pictures, scaled as ImageNet's.

    Thread: any, one at a time.
    """

    pocket = False

    def __init__(self, name: str, net: nn.Module, tap: nn.Module, size_px: int) -> None:
        self.name = name
        self.size_px = size_px
        self._net = net.eval().requires_grad_(False)
        self._seen: list[Tensor] = []
        tap.register_forward_hook(lambda module, given, out: self._seen.append(out.flatten(1)))

    def features(self, pictures: Pictures) -> dict[str, Floats]:
        """(n, d) under its own name.

        Raises:
            InputError: not (n, height, width, 3) uint8.
        """
        return {self.name: in_batches(pictures, self._pooled)}

    def _pooled(self, pictures: Pictures) -> Tensor:
        self._net(scaled(resized(pictures, self.size_px), IMAGENET))
        return self._seen.pop()


class InceptionV3(Pooled):
    """Inception-v3, which also names what it sees.

    Thread: any, one at a time.
    """

    def logits(self, pictures: Pictures) -> Floats:
        """(n, 1000), of ImageNet's classes.

        Raises:
            InputError: not (n, height, width, 3) uint8.
        """
        return in_batches(pictures, self._classified)

    def _classified(self, pictures: Pictures) -> Tensor:
        logits: Tensor = self._net(scaled(resized(pictures, self.size_px), IMAGENET))
        self._seen.clear()
        return logits


def inception(weights: Path | None = None) -> InceptionV3:
    """Inception-v3.

    Raises:
        InputError: torchvision does not load, or the weights are not there.
    """
    path = found("inception", weights)
    net = torchvision_models().inception_v3(weights=None, aux_logits=True, transform_input=True, init_weights=False)
    fill(net, read(path), path)
    return InceptionV3("Inception", net, net.avgpool, 342)


def efficientnet_b1(weights: Path | None = None) -> Pooled:
    """EfficientNet-B1.

    Raises:
        InputError: torchvision does not load, or the weights are not there.
    """
    path = found("efficientnet-b1", weights)
    net = torchvision_models().efficientnet_b1(weights=None)
    fill(net, read(path), path)
    return Pooled("EfficientNet-B1", net, net.avgpool, 255)


def swav(weights: Path | None = None) -> Pooled:
    """ResNet-50 as SwAV trained it; its classifier is not used.

    Raises:
        InputError: torchvision does not load, or the weights are not there.
    """
    path = found("swav", weights)
    net = torchvision_models().resnet50(weights=None)
    net.fc = nn.Identity()
    fill(net, under(read(path), "module."), path)
    return Pooled("SwAV", net, net.avgpool, 224)


def torchvision_models() -> ModuleType:
    """The definitions of torchvision's networks.

    Raises:
        InputError: torchvision is not installed, or is built for another torch.
    """
    try:
        from torchvision import models
    except (ImportError, RuntimeError) as error:  # its operators refuse a torch they were not built for
        raise InputError(
            f"torchvision does not load ({error}); install the extra `features` with the torch it is built for"
        ) from error
    found_models: ModuleType = models
    return found_models


def in_batches(pictures: Pictures, features: Callable[[Pictures], Tensor]) -> Floats:
    """(n, d) of (n, height, width, 3), some pictures at a time."""
    batches = np.split(pictures, range(_BATCH, len(pictures), _BATCH))
    with torch.inference_mode():
        return np.concatenate([features(batch).float().numpy() for batch in batches])
