"""Pictures brought to the size that a measure or a network wants, as the published code does it.

Their middle square, bilinear (or bicubic) with antialiasing, never rounded in between: torchvision's `Resize` on
tensors, which the published evaluations call, gives these values for square pictures (Scotti et al. 2023,
arXiv:2305.18274, whose definitions later work took over).
"""

from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from engines.errors import InputError
from engines.vision.base import Pictures

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
CLIP = ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))
"""Mean and standard deviation of red, green and blue that networks trained on ImageNet, and CLIP, are given."""


def resized(pictures: Pictures, size_px: int, mode: Literal["bilinear", "bicubic"] = "bilinear") -> Tensor:
    """(n, height, width, 3) to (n, 3, size_px, size_px), float32 from 0 to 1.

    Raises:
        InputError: not (n, height, width, 3) uint8, or empty ones.
    """
    shape = pictures.shape
    if len(shape) != 4 or shape[3] != 3 or pictures.dtype != np.uint8 or 0 in shape:
        raise InputError(
            f"expected pictures (n, height, width, 3) of uint8, got {shape} of {pictures.dtype}; "
            "drop an alpha channel, and scale values to 0-255"
        )
    side = min(shape[1:3])
    top, left = (shape[1] - side) // 2, (shape[2] - side) // 2
    square = np.ascontiguousarray(pictures[:, top : top + side, left : left + side])
    values = torch.from_numpy(square).permute(0, 3, 1, 2).float() / 255
    if side == size_px:
        return values
    changed = functional.interpolate(values, (size_px, size_px), mode=mode, antialias=True, align_corners=False)
    return changed.clamp(0, 1)


def resized_arrays(pictures: Pictures, size_px: int) -> NDArray[np.float64]:
    """As `resized`, (n, size_px, size_px, 3) in numpy."""
    return resized(pictures, size_px).permute(0, 2, 3, 1).double().numpy()


def scaled(values: Tensor, mean_and_std: tuple[tuple[float, ...], tuple[float, ...]]) -> Tensor:
    """(n, 3, height, width) less the mean, over the standard deviation of each channel."""
    mean, std = (torch.tensor(each).reshape(3, 1, 1) for each in mean_and_std)
    return (values - mean) / std
