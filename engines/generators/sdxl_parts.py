"""The parts of an SDXL pipeline from a folder in diffusers' layout, without its text encoders; nothing is downloaded.

model_index.json
unet/  vae/      config.json, diffusion_pytorch_model.safetensors (or .fp16.safetensors, which is preferred)
scheduler/       scheduler_config.json
origin.json      of Afterimage's own: where the weights come from
"""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, AutoencoderTiny, StableDiffusionXLPipeline, UNet2DConditionModel, schedulers
from safetensors import SafetensorError

from engines.errors import InputError
from engines.generators import ip_adapter
from engines.generators.ip_adapter import Weights

FILES = ("model_index.json", "unet/config.json", "vae/config.json", "scheduler/scheduler_config.json")


def folder_origin(folder: Path) -> dict[str, Any]:
    """What `origin.json` of a folder says of where its weights come from; empty where there is none.

    Raises:
        InputError: it is not JSON.
    """
    path = folder / "origin.json"
    if not path.is_file():
        return {}
    try:
        told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path}: expected JSON ({error}); take the folder whole from where it came") from error
    return told


def pipeline_without_text(folder: Path, dtype: torch.dtype, tiny_vae: Path | None) -> StableDiffusionXLPipeline:
    """The pipeline without text encoders and adapter, on the processor; `tiny_vae` instead of its own VAE.

    Raises:
        InputError: something is missing, or of another format.
    """
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise InputError(f"{folder}: expected an SDXL pipeline in diffusers' layout, {', '.join(missing)} missing")
    unet = _part(UNet2DConditionModel, folder / "unet", dtype)
    vae = _vae(folder / "vae", AutoencoderKL, dtype) if tiny_vae is None else _vae(tiny_vae, AutoencoderTiny, dtype)
    return StableDiffusionXLPipeline(
        vae=vae, unet=unet, scheduler=_scheduler(folder / "scheduler"), text_encoder=None, text_encoder_2=None,
        tokenizer=None, tokenizer_2=None, add_watermarker=False,
    )  # fmt: skip


def put_in(weights: Weights, pipeline: StableDiffusionXLPipeline, path: Path) -> None:
    """Put the adapter of file `path` into the pipeline's UNet.

    Raises:
        InputError: it was made for another UNet.
    """
    ip_adapter.require_fits(weights, pipeline.unet, path)
    with _quiet():
        pipeline.load_ip_adapter(weights, subfolder="", weight_name="", image_encoder_folder=None)


def _vae(folder: Path, kind: Any, dtype: torch.dtype) -> Any:
    """In single precision where its configuration wants that: SDXL's own overflows in half precision."""
    vae = _part(kind, folder, dtype)
    return _part(kind, folder, torch.float32) if vae.config.force_upcast and dtype != torch.float32 else vae


def _part(kind: Any, folder: Path, dtype: torch.dtype) -> Any:
    """One network; from the file in half precision where there is one, which is a part of the size."""
    half = (folder / "diffusion_pytorch_model.fp16.safetensors").is_file()
    try:
        return kind.from_pretrained(
            folder, variant="fp16" if half else None, dtype=dtype, local_files_only=True, use_safetensors=True
        )
    except (OSError, ValueError, SafetensorError) as error:
        raise InputError(
            f"{folder}: expected an {kind.__name__} in diffusers' layout, in safetensors ({_first_line(error)}); "
            "take the folder whole from where it came"
        ) from error


def _scheduler(folder: Path) -> Any:
    """The one that the folder names, beginning at pure noise, as SDXL-Turbo was distilled."""
    try:
        named = json.loads((folder / "scheduler_config.json").read_text(encoding="utf-8")).get("_class_name")
    except ValueError as error:
        raise InputError(f"{folder}: scheduler_config.json is not JSON ({error}); take it anew") from error
    kind = getattr(schedulers, str(named), None)
    if kind is None:
        raise InputError(f"{folder}: expected a scheduler of diffusers, got {named!r}; install a newer diffusers")
    return kind.from_pretrained(folder, local_files_only=True, timestep_spacing="trailing")


@contextmanager
def _quiet() -> Iterator[None]:
    """What diffusers warns of in its log then is meant here: no picture encoder, precisions of our choice."""
    logger = logging.getLogger("diffusers")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def _first_line(error: BaseException) -> str:
    return str(error).split("\n", 1)[0]
