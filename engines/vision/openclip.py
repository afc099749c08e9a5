"""OpenCLIP's picture encoder from a folder on this machine; nothing is ever downloaded.

The published systems condition on ViT-H-14 trained on LAION-2B (Schuhmann et al. 2022, arXiv:2210.08402), 1024-d.
Any folder in Hugging Face's format with a CLIP vision tower and its projection loads, from safetensors alone.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch

from engines.errors import InputError
from engines.generators.hub import name_of
from engines.vision.base import Floats, Pictures
from engines.vision.clip_tower import load_tower
from engines.vision.pixels import Pixels
from engines.weights import how_to_get, part

if TYPE_CHECKING:
    from transformers import CLIPVisionModelWithProjection

PART = part("openclip")
HOW_TO_GET = f"{how_to_get(PART)}; or use the built-in encoder `pocket`, which needs nothing"
_BICUBIC = 3
_BATCH = 16


class OpenClip:
    """A CLIP vision tower with its projection.

    Thread: any, one at a time.
    """

    def __init__(self, name: str, model: "CLIPVisionModelWithProjection", pixels: Pixels) -> None:
        self.name = name
        self.pixels = pixels
        self.model = model

    @property
    def dim(self) -> int:
        """Length of an embedding, 1024 for ViT-H-14."""
        return int(self.model.config.projection_dim)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read config.json, preprocessor_config.json and model.safetensors in `folder`.

        Raises:
            InputError: one of them is missing, or describes something else than a CLIP vision tower.
        """
        missing = [name for name in PART.files if not (folder / name).is_file()]
        if missing:
            raise InputError(f"{folder}: expected the weights of OpenCLIP, {', '.join(missing)} missing; {HOW_TO_GET}")
        pixels = _pixels_from(_read(folder / "preprocessor_config.json"), folder)
        model = load_tower(folder, HOW_TO_GET)
        size = model.config.image_size
        if pixels.crop_px != size:
            raise InputError(
                f"{folder}: pictures are cut to {pixels.crop_px} px by preprocessor_config.json, the model "
                f"expects {size} px by config.json; take both files from one place"
            )
        return cls(f"openclip-{name_of(folder)}", model, pixels)

    def embed(self, pictures: Pictures) -> Floats:
        """(n, height, width, 3) to (n, dim), raw `image_embeds`.

        Raises:
            InputError: not (n, height, width, 3) uint8.
        """
        batches = np.split(pictures, range(_BATCH, len(pictures), _BATCH))
        with torch.inference_mode():
            parts = [self.model(pixel_values=self.pixels.prepared(batch)).image_embeds.numpy() for batch in batches]
        return np.concatenate(parts)


def _read(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path}: not JSON ({error}); {HOW_TO_GET}") from error
    if not isinstance(values, dict):
        raise InputError(f"{path}: expected a JSON object, got {type(values).__name__}; {HOW_TO_GET}")
    return values


def _pixels_from(told: dict[str, Any], folder: Path) -> Pixels:
    """CLIP's preprocessing; anything else than shorter side, bicubic, middle, / 255, mean and std is refused."""
    size, crop = told.get("size", 224), told.get("crop_size", 224)
    shorter = size.get("shortest_edge") if isinstance(size, dict) else size
    height, width = (crop.get("height"), crop.get("width")) if isinstance(crop, dict) else (crop, crop)
    usual = {"do_resize": True, "do_center_crop": True, "do_rescale": True, "do_normalize": True, "resample": _BICUBIC}
    other = {name: told[name] for name, value in usual.items() if told.get(name, value) != value}
    if other or shorter is None or height is None or height != width or "image_mean" not in told:
        raise InputError(
            f"{folder}: preprocessor_config.json asks for something else than CLIP's preprocessing "
            f"(size {size}, crop {crop}, {other or 'no image_mean'}); {HOW_TO_GET}"
        )
    return Pixels(shorter, height, tuple(told["image_mean"]), tuple(told["image_std"]))
