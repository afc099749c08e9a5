"""CLIP ViT-L/14 as a measure looks through it: 224 px, bilinear (Radford et al. 2021; sizes of arXiv:2305.18274).

Apart from `engines.vision.openclip`, which prepares pictures as CLIP itself does, bicubic and in whole grey values.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Self

from torch import Tensor

from engines.errors import InputError
from engines.vision.base import Floats, Pictures
from engines.vision.clip_tower import load_tower
from engines.vision.features.pooled import in_batches
from engines.vision.features.resize import CLIP, resized, scaled
from engines.weights import how_to_get, part

if TYPE_CHECKING:
    from transformers import CLIPVisionModelWithProjection

REPOSITORY, HOW_TO_GET = part("clip-l").source, how_to_get(part("clip-l"))
FILES = ("config.json", "model.safetensors")  # the tokenizer is for texts


class ClipPictures:
    """CLIP's picture tower with its projection: a `PictureEncoder`, looked through as a measure does.

    Thread: any, one at a time.
    """

    name, pocket = "CLIP", False

    def __init__(self, model: "CLIPVisionModelWithProjection") -> None:
        self._model = model

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read config.json and model.safetensors in `folder`.

        Raises:
            InputError: there is no whole picture tower in it.
        """
        missing = [name for name in FILES if not (folder / name).is_file()]
        if missing:
            raise InputError(f"{folder}: expected CLIP's weights, {', '.join(missing)} missing; {HOW_TO_GET}")
        return cls(load_tower(folder, HOW_TO_GET))

    @property
    def dim(self) -> int:
        """Length of an embedding."""
        return int(self._model.config.projection_dim)

    def embed(self, pictures: Pictures) -> Floats:
        """(n, dim) projected, raw.

        Raises:
            InputError: not (n, height, width, 3) uint8.
        """
        return in_batches(pictures, self._embedded)

    def features(self, pictures: Pictures) -> dict[str, Floats]:
        """The same under its own name.

        Raises:
            InputError: not (n, height, width, 3) uint8.
        """
        return {self.name: self.embed(pictures)}

    def _embedded(self, pictures: Pictures) -> Tensor:
        values = scaled(resized(pictures, self._model.config.image_size), CLIP)
        embedded: Tensor = self._model(pixel_values=values).image_embeds
        return embedded
