"""How much pictures drawn from embeddings are like the pictures that were embedded.

Thread: any.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from calibration.recipes.pictures_data import Shown, as_pictures
from engines.vision.base import Floats, Pictures
from engines.vision.pocket import PocketVision

Draw = Callable[[Tensor, Shown], Tensor]
"""Noise (n, 4, side, side) and what is to be drawn to pictures (n, 3, size, size) from -1 to 1."""

_SEED = 0
_MIX = 0.5
"""Share of another picture's embedding in one with an error."""


@torch.no_grad()
def scored(draw: Draw, asked: Shown, known: Shown, encoder: PocketVision, side: int) -> dict[str, float]:
    """Scores of pictures drawn in one step.

    `identified` is two-way identification by the encoder's embedding, `pixel correlation` the mean over pictures; both
    again for embeddings with an error; and the correlation of the mean picture of `known`, which knows nothing.
    """
    random = torch.Generator().manual_seed(_SEED)
    noise = torch.randn(len(asked), 4, side, side, generator=random)
    others = asked.embeddings[torch.randperm(len(asked), generator=random)]
    blurred = replace(asked, embeddings=(1 - _MIX) * asked.embeddings + _MIX * others)
    true, told = as_pictures(asked.pictures), asked.embeddings.numpy()
    clear, unclear = (as_pictures(draw(noise, shown)) for shown in (asked, blurred))
    mean = np.broadcast_to(as_pictures(known.pictures.mean(dim=0, keepdim=True)), true.shape)
    return {
        "identified": identified(told, encoder.embed(clear)),
        "pixel correlation": correlation(true, clear),
        "identified with an error": identified(told, encoder.embed(unclear)),
        "pixel correlation with an error": correlation(true, unclear),
        "pixel correlation of the mean picture": correlation(true, mean),
    }


def identified(true: Floats, made: Floats) -> float:
    """How often what was made is more like its own truth than like another's, by Pearson's correlation; 0.5 by chance.

    `true`, `made` (n, dim). Takagi & Nishimoto 2023, arXiv:2306.11536.
    """
    n = len(true)
    alike = _standardised(made) @ _standardised(true).T
    own = np.diag(alike)[:, None]
    return float((np.sum(own > alike) + 0.5 * (np.sum(own == alike) - n)) / (n * (n - 1)))


def correlation(true: Pictures, made: Pictures) -> float:
    """Mean over pictures (n, ...) of Pearson's correlation of their values."""
    a, b = (_standardised(np.reshape(values, (len(values), -1)).astype(np.float32)) for values in (true, made))
    return float(np.mean(np.sum(a * b, axis=1)))


def _standardised(rows: Floats) -> Floats:
    centred = rows - rows.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(centred, axis=1, keepdims=True)
    return np.asarray(centred / np.where(lengths > 0, lengths, 1))
