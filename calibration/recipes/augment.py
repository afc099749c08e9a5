"""What may happen to a picture of an object without making it another object.

Thread: any.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from calibration.objects.render import BACKGROUND

TARGET_PX = 24


@dataclass(frozen=True)
class Augmentation:
    """Largest changes: `turn_rad` in the picture's plane, `zoom` as a factor, `stretch` of width against height as a
    factor, `shift` as a share of half the picture, `grey` of the background, `light` as a factor, `noise` of 1.
    A mirrored picture, blur and another background come in half of all.
    """

    turn_rad: float = 0.2
    zoom: float = 1.25
    stretch: float = 1.15
    shift: float = 0.15
    grey: float = 0.25
    light: float = 0.15
    noise: float = 0.03


class Augmented(NamedTuple):
    """`pictures` (n, 3, size, size) from 0 to 1, and `clean` (n, 4, TARGET_PX, TARGET_PX): the same without change of
    background, light, blur and noise, colours and coverage.
    """

    pictures: Tensor
    clean: Tensor


def augmented(
    pictures: Tensor, parts: Tensor, gains: Tensor, change: Augmentation, random: torch.Generator
) -> Augmented:
    """Uint8 `pictures` (n, size, size, 3) and `parts` (n, size, size), `gains` (n, 1 + part, 3) to new pictures."""
    n = len(pictures)

    def uniform(most: float, *shape: int) -> Tensor:
        return most * (2 * torch.rand(n, *shape, generator=random) - 1)

    def sometimes(*shape: int) -> Tensor:
        return torch.rand(n, *shape, generator=random) < 0.5

    zoom = change.zoom ** uniform(1.0)[:, None] * change.stretch ** (uniform(0.5)[:, None] * torch.tensor([1.0, -1.0]))
    zoom[:, 0] *= 1 - 2 * sometimes().float()
    layers = moved(repainted(pictures, parts, gains), uniform(change.turn_rad), zoom, uniform(change.shift, 2))
    colour, cover = layers[:, :3], layers[:, 3:]
    usual, around = BACKGROUND / 255, 1 - cover
    clean = functional.adaptive_avg_pool2d(torch.cat([colour + usual * around, cover], dim=1), TARGET_PX)
    seen = colour + (usual + sometimes(1, 1, 1) * uniform(change.grey, 1, 1, 1)) * around
    blurred = sometimes()
    seen[blurred] = functional.avg_pool2d(seen[blurred], 3, stride=1, padding=1, count_include_pad=False)
    noise = torch.randn(seen.shape, generator=random).mul_(change.noise * torch.rand(n, 1, 1, 1, generator=random))
    return Augmented(seen.mul_(1 + uniform(change.light, 1, 1, 1)).add_(noise).clamp_(0, 1), clean)


def repainted(pictures: Tensor, parts: Tensor, gains: Tensor) -> Tensor:
    """(n, 4, size, size): colours from 0 to 1 where the object is, 0 elsewhere; and where it is."""
    factors = torch.cat([torch.zeros_like(gains[:, :1]), gains[:, 1:] / 255], dim=1)
    factor = factors[torch.arange(len(pictures))[:, None, None], parts.long()]
    colour = factor.mul_(pictures).clamp_(0, 1)
    return torch.cat([colour, (parts > 0).float()[..., None]], dim=-1).permute(0, 3, 1, 2)


def moved(layers: Tensor, turn_rad: Tensor, zoom: Tensor, shift: Tensor) -> Tensor:
    """`layers` (n, channel, size, size) turned, enlarged and shifted; nothing comes in from outside.

    `turn_rad` (n,); `zoom` (n, 2) of width and height, below 0 mirrored; `shift` (n, 2) right and down.
    """
    turn = torch.stack([turn_rad.cos(), -turn_rad.sin(), turn_rad.sin(), turn_rad.cos()], dim=-1).reshape(-1, 2, 2)
    rows = torch.cat([turn / zoom[:, :, None], -shift[:, :, None]], dim=-1)  # where each pixel comes from
    grid = functional.affine_grid(rows, list(layers.shape), align_corners=False)
    return functional.grid_sample(layers, grid, align_corners=False)
