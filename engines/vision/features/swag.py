"""ViT-H/14 trained by SWAG, which generation accuracy is published with (Singh et al. 2022; CC BY-NC 4.0).

At 518 px, bicubic, 633 million parameters, 1,000 classes of ImageNet; the definition is torchvision's.
"""

from pathlib import Path
from typing import Self

from torch import Tensor, nn

from engines.vision.base import Floats, Pictures
from engines.vision.features.checkpoints import fill, found, read
from engines.vision.features.pooled import in_batches, torchvision_models
from engines.vision.features.resize import IMAGENET, resized, scaled

SIZE_PX = 518


class Swag:
    """A classifier of ImageNet's classes.

    Thread: any, one at a time.
    """

    name, pocket = "ViT-H/14 (SWAG)", False

    def __init__(self, net: nn.Module, size_px: int = SIZE_PX) -> None:
        self._net = net.eval().requires_grad_(False)
        self._size_px = size_px

    @classmethod
    def load(cls, weights: Path | None = None) -> Self:
        """From torchvision's file.

        Raises:
            InputError: torchvision does not load, or the weights are not there.
        """
        path = found("swag", weights)
        net = torchvision_models().vit_h_14(weights=None, image_size=SIZE_PX)
        fill(net, read(path), path)
        return cls(net)

    def logits(self, pictures: Pictures) -> Floats:
        """(n, height, width, 3) to (n, 1000).

        Raises:
            InputError: not (n, height, width, 3) uint8.
        """
        return in_batches(pictures, self._classified)

    def _classified(self, pictures: Pictures) -> Tensor:
        logits: Tensor = self._net(scaled(resized(pictures, self._size_px, "bicubic"), IMAGENET))
        return logits
