"""Pocket pipelines as folders in diffusers' layout, weights in half precision.

Thread: any.
"""

import json
from copy import deepcopy
from dataclasses import asdict
from pathlib import Path
from typing import Any

from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline

from calibration.recipes.pictures_nets import (
    Drawing,
    NetsConfig,
    empty_prompt,
    sd15_scheduler,
    turbo_scheduler,
    without_adapter,
)  # fmt: skip
from calibration.recipes.pictures_words import Telling
from engines.generators import ip_adapter
from engines.generators.empty_prompt import NAME as EMPTY_PROMPT
from engines.generators.empty_prompt import EmptyPrompt
from engines.generators.pocket import ADAPTER, PicturesOrigin

TOLD_SDXL = (
    "UNet and IP-Adapter were trained together, from scratch, on built-in objects; the empty prompt is zeros, since no "
    "words were ever given. SDXL-Turbo was distilled from a model of pictures of all kinds, its adapter added later."
)

TOLD_SD15 = (
    "UNet and text model were trained together, from scratch, on sentences of one form, a colour and a category, about "
    "built-in objects; the autoencoder is that of the pocket SDXL pipeline."
)


def sdxl(folder: Path, vae: Any, drawing: Drawing, config: NetsConfig, came: PicturesOrigin) -> None:
    """Write an SDXL pipeline, its adapter, the empty prompt and where they come from."""
    pipeline = StableDiffusionXLPipeline(
        vae=deepcopy(vae).half(), text_encoder=None, text_encoder_2=None, tokenizer=None, tokenizer_2=None,
        unet=without_adapter(drawing.unet).half(), scheduler=turbo_scheduler(), add_watermarker=False,
    )  # fmt: skip
    pipeline.save_pretrained(folder, variant="fp16", safe_serialization=True)
    ip_adapter.write(folder / ADAPTER, ip_adapter.taken_from(drawing.unet))
    EmptyPrompt(*(value.half() for value in empty_prompt(config))).save(folder / EMPTY_PROMPT)
    write_origin(folder, came)


def sd15(folder: Path, vae: Any, telling: Telling, came: PicturesOrigin) -> None:
    """Write an SD-1.5 pipeline and where it comes from."""
    pipeline = StableDiffusionPipeline(
        vae=deepcopy(vae).half(), text_encoder=deepcopy(telling.text).half(), tokenizer=telling.tokenizer,
        unet=deepcopy(telling.unet).half(), scheduler=sd15_scheduler(), safety_checker=None, feature_extractor=None,
        requires_safety_checker=False,
    )  # fmt: skip
    pipeline.save_pretrained(folder, variant="fp16", safe_serialization=True)
    write_origin(folder, came)


def write_origin(folder: Path, came: PicturesOrigin) -> None:
    """Write `origin.json`."""
    (folder / "origin.json").write_text(json.dumps(asdict(came), indent=1) + "\n", encoding="utf-8")
