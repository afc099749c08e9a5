"""Text, video and shape embeddings as EEG-3D ships them: `clip_feature.pth`, and of grey objects
`clip_feature_gray.pth`.

{airplane_06: {"text": (1024,), "video": (1024,), "point": (768,)}} as torch wrote it. The authors divide the shape
embedding by POINT_SCALE before training (EEGdataset.py). Their loader demands the grey file; the dataset card does not
list it.
"""

import pickle
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from calibration.sets.errors import SetUnusable

COLOUR_FILE, GREY_FILE = "clip_feature.pth", "clip_feature_gray.pth"
POINT_SCALE = 8.0
# What torch raises when it meets a damaged file.
_DAMAGE = (
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    pickle.UnpicklingError,
    struct.error,
)
_LENGTHS = {"text": 1024, "video": 1024, "point": 768}


@dataclass(frozen=True, eq=False)
class Features:
    """Raw embeddings of one object: `text` (1024,), `video` (1024,), `point` (768,)."""

    text: NDArray[np.float32]
    video: NDArray[np.float32]
    point: NDArray[np.float32]


def read_features(path: Path) -> dict[str, Features]:
    """Features by key (`airplane_06`). Nothing but tensors and containers is unpickled (`weights_only`).

    Raises:
        SetUnusable: missing, damaged, a pickle of anything else, or vectors of other lengths.
    """
    try:
        values = torch.load(path, map_location="cpu", weights_only=True)
    except _DAMAGE as error:
        told = (str(error) or type(error).__name__).splitlines()[0]
        raise SetUnusable(f"{path} cannot be read as tensors only: {told}") from error
    if not isinstance(values, Mapping):
        raise SetUnusable(f"{path}: expected {{name: {{text, video, point}}}}, came {type(values).__name__}")
    return {
        str(key): Features(**{kind: _vector(path, key, entry, kind) for kind in _LENGTHS})
        for key, entry in values.items()
    }


def write_features(path: Path, features: Mapping[str, Features]) -> None:
    """Write `features` in the same form.

    Raises:
        OSError: the file cannot be written.
    """
    torch.save(
        {key: {kind: torch.from_numpy(getattr(one, kind)) for kind in _LENGTHS} for key, one in features.items()}, path
    )


def _vector(path: Path, key: Any, entry: Any, kind: str) -> NDArray[np.float32]:
    value = entry.get(kind) if isinstance(entry, Mapping) else None
    if not isinstance(value, torch.Tensor) or value.numel() != _LENGTHS[kind]:
        came = f"a tensor {tuple(value.shape)}" if isinstance(value, torch.Tensor) else type(value).__name__
        raise SetUnusable(f"{path}: {key}: expected {kind} of {_LENGTHS[kind]} numbers, came {came}")
    return np.asarray(value.detach().float().reshape(-1).numpy())
