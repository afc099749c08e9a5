"""Pictures as an encoder wants them: shorter side resized, middle cut out, channels scaled.

The same steps as CLIP's (Radford et al. 2021; `CLIPImageProcessor`), in torch alone. Like Pillow, which those use, it
resizes the width, then the height, bicubic with antialiasing, and keeps whole grey values in between.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from engines.errors import InputError
from engines.vision.base import Pictures


@dataclass(frozen=True)
class Pixels:
    """`shorter_px` of the resized picture, `crop_px` of the square cut from it, mean and std of values / 255."""

    shorter_px: int
    crop_px: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    def __post_init__(self) -> None:
        """Refuse a crop that the resized picture does not fill."""
        if not 0 < self.crop_px <= self.shorter_px or min(self.std) <= 0:
            raise InputError(
                f"expected 0 < crop <= shorter side and std above 0, got {self.crop_px}, {self.shorter_px}, {self.std}"
            )

    def prepared(self, pictures: Pictures) -> Tensor:
        """(n, height, width, 3) of any size to float32 (n, 3, crop_px, crop_px).

        Raises:
            InputError: not (n, height, width, 3) uint8, or empty ones.
        """
        shape = pictures.shape
        if len(shape) != 4 or shape[3] != 3 or pictures.dtype != np.uint8 or 0 in shape[1:]:
            raise InputError(
                f"expected pictures (n, height, width, 3) of uint8, got {shape} of {pictures.dtype}; "
                "drop an alpha channel, and scale values to 0-255"
            )
        resized = self._resized(torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float())
        mean, std = (torch.tensor(values).reshape(3, 1, 1) for values in (self.mean, self.std))
        return (self._middle(resized) / 255 - mean) / std

    def _resized(self, pictures: Tensor) -> Tensor:
        height, width = pictures.shape[-2:]
        shorter = min(height, width)
        if shorter == self.shorter_px or len(pictures) == 0:
            return pictures
        new_height, new_width = (int(self.shorter_px * side / shorter) for side in (height, width))
        return _rescaled(_rescaled(pictures, (height, new_width)), (new_height, new_width))

    def _middle(self, pictures: Tensor) -> Tensor:
        top, left = ((side - self.crop_px) // 2 for side in pictures.shape[-2:])
        return pictures[..., top : top + self.crop_px, left : left + self.crop_px]


def _rescaled(pictures: Tensor, size: tuple[int, int]) -> Tensor:
    changed = functional.interpolate(pictures, size=size, mode="bicubic", antialias=True, align_corners=False)
    return changed.round().clamp(0, 255)
