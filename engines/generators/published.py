"""SDXL-Turbo and its IP-Adapter as they are published, found on this machine.

    stabilityai/sdxl-turbo    sai-nc-community: no commercial use without the maker's membership; about 7 GB
    h94/IP-Adapter            Apache-2.0, one file of it, 698 MB
    madebyollin/taesdxl       MIT, a tiny autoencoder, used where it is there

Looking for them does not import diffusers, which takes seconds.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from engines.errors import InputError
from engines.generators import empty_prompt, hub, ip_adapter
from engines.generators.config import GeneratorsConfig

if TYPE_CHECKING:
    from engines.generators.sdxl_turbo import SdxlTurbo

NAME = "sdxl-turbo"
REPOSITORY, ADAPTERS, TINY = "stabilityai/sdxl-turbo", "h94/IP-Adapter", "madebyollin/taesdxl"
ADAPTER = "sdxl_models/ip-adapter_sdxl_vit-h.safetensors"
# What the adapter was trained with; a folder of these weights is called so (engines/vision/openclip.py).
ENCODER = "openclip-CLIP-ViT-H-14-laion2B-s32B-b79K"
FILES = ("model_index.json", "unet", "vae", "scheduler")

HOW_TO_GET = (
    f"get {REPOSITORY} from huggingface.co (about 7 GB, the files *.fp16.safetensors suffice; no commercial use "
    "without Stability AI's membership) and name its folder as [reconstruction] sdxl_turbo, or let it lie in the hub's "
    "cache"
)
HOW_TO_GET_ADAPTER = (
    f"get {ADAPTER} of {ADAPTERS} from huggingface.co (698 MB, Apache-2.0) and name it as [reconstruction] adapter, "
    "or let it lie in the hub's cache"
)


@dataclass(frozen=True)
class PublishedFiles:
    """Where everything is; `encoder` is whose embeddings the adapter takes, `tuned` whether it is a fine-tuned one."""

    folder: Path
    adapter: Path
    prompt: Path
    tiny_vae: Path | None
    encoder: str
    tuned: bool


def find(config: GeneratorsConfig) -> PublishedFiles:
    """What `config` names, and what it does not name in the hub's cache.

    Raises:
        InputError: something is missing; the message says what to get. The adapter was fine-tuned for another pipeline.
    """
    folder = hub.model_folder(REPOSITORY, FILES, config.sdxl_turbo, HOW_TO_GET)
    prompt = folder / empty_prompt.NAME
    if not prompt.is_file():
        raise InputError(f"{prompt} is missing; {empty_prompt.HOW_TO_MAKE}, where FOLDER is {folder}")
    adapter = config.adapter or hub.model_folder(ADAPTERS, (ADAPTER,), None, HOW_TO_GET_ADAPTER) / ADAPTER
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
        InputError: as `find`; files that do not fit each other.
        WorkError: not enough memory.
    """
    found = find(config)
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


def _tiny(config: GeneratorsConfig) -> Path | None:
    if config.tiny_vae is not None:
        return config.tiny_vae
    try:
        return hub.model_folder(TINY, ("config.json",), None, "")
    except InputError:
        return None  # it is not asked for


def _name(found: PublishedFiles) -> str:
    adapter = "fine-tuned IP-Adapter" if found.tuned else "IP-Adapter"
    return f"SDXL-Turbo with {adapter}" + (", tiny autoencoder" if found.tiny_vae else "")
