"""CLIP's picture tower with its projection, from a folder that holds it alone or both towers. Light to import."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from engines.errors import InputError
from engines.generators.hub import readable

if TYPE_CHECKING:
    from transformers import CLIPVisionModelWithProjection


def load_tower(folder: Path, how_to_get: str) -> "CLIPVisionModelWithProjection":
    """Read config.json and model.safetensors in `folder`.

    Raises:
        InputError: they describe something else than a CLIP picture tower, or do not fit each other.
    """
    from transformers import CLIPVisionModelWithProjection  # takes seconds

    with readable(folder, how_to_get):
        config = _config(folder, how_to_get)
        model, loading = CLIPVisionModelWithProjection.from_pretrained(
            folder, config=config, local_files_only=True, use_safetensors=True, output_loading_info=True,
            dtype=torch.float32,
        )  # fmt: skip
    if loading["missing_keys"]:
        raise InputError(
            f"{folder}: model.safetensors lacks {len(loading['missing_keys'])} tensors of a CLIP picture tower, "
            f"{min(loading['missing_keys'])} the first; {how_to_get}"
        )
    return model.eval().requires_grad_(False)


def _config(folder: Path, how_to_get: str) -> Any:
    """Of both towers that of pictures, which need not repeat the length of embeddings: then it would count as 512."""
    from transformers import AutoConfig

    told = AutoConfig.from_pretrained(folder, local_files_only=True)
    vision = getattr(told, "vision_config", told)
    if vision.model_type != "clip_vision_model":
        raise InputError(f"{folder}: expected CLIP, got a model of type {told.model_type}; {how_to_get}")
    vision.projection_dim = told.projection_dim
    return vision
