"""SDXL-Turbo and its IP-Adapter as they are published, found on this machine; a tiny autoencoder, where one is there.

What they are, and on what terms, stands in `engines.parts`: sdxl-turbo, ip-adapter, taesdxl.

Looking for them does not import diffusers, which takes seconds.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from engines.errors import InputError
from engines.generators import empty_prompt, ip_adapter
from engines.generators.config import GeneratorsConfig
from engines.weights import Found, find, part, require_here

if TYPE_CHECKING:
    from engines.generators.sdxl_turbo import SdxlTurbo

NAME = "sdxl-turbo"
# What the adapter was trained with; a folder of these weights is called so (engines/vision/openclip.py).
ENCODER = "openclip-CLIP-ViT-H-14-laion2B-s32B-b79K"


@dataclass(frozen=True)
class PublishedFiles:
    """Where everything is; `encoder` is whose embeddings the adapter takes, `tuned` whether it is a fine-tuned one."""

    folder: Path
    adapter: Path
    prompt: Path
    tiny_vae: Path | None
    encoder: str
    tuned: bool


def published_files(config: GeneratorsConfig) -> PublishedFiles:
    """What `config` names, and what it does not name in the hub's cache.

    Raises:
        InputError: something is missing; the message says what to get. The adapter was fine-tuned for another pipeline.
    """
    folder = require_here(part(NAME), config).place
    prompt = folder / empty_prompt.NAME
    if not prompt.is_file():
        raise InputError(f"{prompt} is missing; {empty_prompt.HOW_TO_MAKE}, where FOLDER is {folder}")
    adapter = _adapter(require_here(part("ip-adapter"), config))
    tuned = ip_adapter.origin(adapter)
    if tuned is not None and tuned.base != NAME:
        raise InputError(f"{adapter} was fine-tuned for {tuned.base}, not for {NAME}; leave it out, or train another")
    return PublishedFiles(
        folder, adapter, prompt, _tiny(config), ENCODER if tuned is None else tuned.encoder, tuned is not None
    )


def open_sdxl_turbo(config: GeneratorsConfig, tiny: bool = True) -> "SdxlTurbo":
    """SDXL-Turbo, on the GPU where `config.device` is "auto" and there is one. Written to its files; never ran on them.

    Without `tiny` its own autoencoder decodes whatever is there: a tiny one cannot encode what an adapter learns from.

    Raises:
        InputError: as `published_files`; files that do not fit each other.
        WorkError: not enough memory.
    """
    found = published_files(config)
    if not tiny:
        found = replace(found, tiny_vae=None)
    from engines.generators.sdxl_parts import folder_origin
    from engines.generators.sdxl_turbo import SdxlTurbo

    return SdxlTurbo.load(
        found.folder, found.adapter, name=_name(found), pocket=bool(folder_origin(found.folder)),
        encoder=found.encoder, steps=config.steps, tiny_vae=found.tiny_vae, device=device_of(config.device),
        prompt=found.prompt,
    )  # fmt: skip


def device_of(wanted: str) -> str:
    """The GPU where `wanted` is "auto" and there is one."""
    if wanted != "auto":
        return wanted
    return "cuda" if torch.cuda.is_available() else "cpu"


def _adapter(found: Found) -> Path:
    """The file, in a folder or configured as it is."""
    return found.place if found.place.is_file() else found.place / found.part.files[0]


def _tiny(config: GeneratorsConfig) -> Path | None:
    """Where one is configured it must be there; else it is not asked for."""
    wanted = part("taesdxl")
    found = find(wanted, config) if config.tiny_vae is None else require_here(wanted, config)
    return found.place if isinstance(found, Found) else None


def _name(found: PublishedFiles) -> str:
    adapter = "fine-tuned IP-Adapter" if found.tuned else "IP-Adapter"
    return f"SDXL-Turbo with {adapter}" + (", tiny autoencoder" if found.tiny_vae else "")
