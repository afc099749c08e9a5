"""The pocket picture generators: SDXL-Turbo's and SD-1.5's classes, a few megabytes, trained on built-in objects.

They draw what they have seen, on plain grey, 96 px wide, and say `pocket` of themselves. Made by
`calibration/recipes/pocket_pictures.py`; what `origin.json` in each folder tells is read by `origin`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from engines.errors import InputError
from engines.generators import ip_adapter
from engines.generators.sdxl_parts import folder_origin
from engines.generators.sdxl_turbo import SdxlTurbo

FOLDER = Path(__file__).with_name("data")
SDXL = "pocket-sdxl"
SD15 = "pocket-sd15"
ADAPTER = "ip-adapter.safetensors"
BASE = "pocket"
NAME = "pocket pictures"
HOW_TO_MAKE = "make it anew with `afterimage train pocket-pictures`"


@dataclass(frozen=True)
class PicturesOrigin:
    """Where weights come from: `trained_on` and `selected_on` are SHA-256 over the objects' digests, `encoder` whose
    embeddings (or "" for words) they take, `scores` on the objects of `selected_on`.
    """

    trained_on: str
    selected_on: str
    encoder: str
    seed: int
    scores: Mapping[str, float]
    told: str


def pocket_pictures(device: str = "cpu", folder: Path = FOLDER / SDXL, adapter: Path | None = None) -> SdxlTurbo:
    """The generator that takes embeddings of the pocket vision encoder; one step.

    `adapter` is the configured one: used where it was fine-tuned for this generator, else it is another's.

    Raises:
        InputError: `folder` is not what the recipe writes, or `adapter` no adapter.
        WorkError: there is not enough memory.
    """
    tuned = ip_adapter.tuned_for(BASE, adapter)
    file, name = (folder / ADAPTER, NAME) if adapter is None or tuned is None else (adapter, f"{NAME}, tuned adapter")
    encoder = origin(folder).encoder if tuned is None else tuned.encoder
    return SdxlTurbo.load(folder, file, name=name, pocket=True, encoder=encoder, steps=1, device=device)


def pocket_words(device: str = "cpu", folder: Path = FOLDER / SD15) -> Any:
    """A `StableDiffusionPipeline` that takes sentences such as "a red chair"; one step, no guidance.

    Raises:
        InputError: `folder` is not what the recipe writes.
    """
    from diffusers import StableDiffusionPipeline

    origin(folder)
    try:
        pipeline = StableDiffusionPipeline.from_pretrained(
            folder, dtype=torch.float32 if device == "cpu" else torch.float16, variant="fp16", local_files_only=True,
            use_safetensors=True, safety_checker=None, feature_extractor=None, requires_safety_checker=False,
        )  # fmt: skip
    except (OSError, ValueError) as error:
        raise InputError(f"{folder}: expected an SD-1.5 pipeline in safetensors ({error}); {HOW_TO_MAKE}") from error
    pipeline.set_progress_bar_config(disable=True)
    return pipeline.to(device)


def origin(folder: Path = FOLDER / SDXL) -> PicturesOrigin:
    """Where the weights in `folder` come from.

    Raises:
        InputError: it does not say so.
    """
    told = folder_origin(folder)
    try:
        return PicturesOrigin(**told)
    except TypeError as error:
        raise InputError(f"{folder}: expected origin.json of a pocket generator ({error}); {HOW_TO_MAKE}") from error
