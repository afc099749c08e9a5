"""SDXL-Turbo with an IP-Adapter: embeddings of pictures to pictures, in one to four steps, without guidance.

    embedding -> IP-Adapter -> 4 tokens --.
    seed -> noise -> UNet (x steps, beside the empty prompt) -> latents -> VAE -> picture

SDXL-Turbo (Sauer et al. 2023, arXiv:2311.17042), IP-Adapter (Ye et al. 2023, arXiv:2308.06721). Any folder in the
layout of an SDXL pipeline loads, the small one that Afterimage comes with too, through diffusers' own classes, from
safetensors alone, with no text encoder.

diffusers' pipeline repeats the embedding that it is given over the whole batch, so that different embeddings could not
share a batch; below it, its own UNet takes one embedding a picture, and nothing else differs.
"""

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from diffusers import AutoencoderKL, AutoencoderTiny, StableDiffusionXLPipeline, UNet2DConditionModel, schedulers
from safetensors import SafetensorError
from torch import Tensor

from engines.errors import InputError, WorkError
from engines.generators import empty_prompt, ip_adapter
from engines.generators.cuda_graph import GraphedUnet
from engines.generators.empty_prompt import EmptyPrompt
from engines.vision.base import Floats, Pictures

FILES = ("model_index.json", "unet/config.json", "vae/config.json", "scheduler/scheduler_config.json")
MOST_STEPS = 4

Unet = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Latents (n, 4, h, w), the time (), embeddings (n, dim) to what the scheduler steps with."""


class SdxlTurbo:
    """An SDXL pipeline with an IP-Adapter in its UNet; `PictureGenerator`.

    On a GPU the UNet is in half precision and its steps are recorded once as a CUDA graph; on a processor all is in
    single. The VAE is in single precision unless its configuration says that half is safe.

    Thread: any, one at a time.
    """

    def __init__(
        self, pipeline: StableDiffusionXLPipeline, prompt: EmptyPrompt, *,
        name: str, pocket: bool, encoder: str, steps: int,
    ) -> None:  # fmt: skip
        self.name = name
        self.pocket = pocket
        self.encoder = encoder
        self.steps = steps
        self.pipeline = pipeline
        self.pipeline.set_progress_bar_config(disable=True)
        for part in (pipeline.unet, pipeline.vae):
            part.eval().requires_grad_(False)
        self._prompt = EmptyPrompt(*(value.to(self._device, self._dtype) for value in (prompt.embeds, prompt.pooled)))
        self._unet: Unet = GraphedUnet(self.predicted) if self._device.type == "cuda" else self.predicted

    @classmethod
    def load(
        cls, folder: Path, adapter: Path, *, name: str, pocket: bool, encoder: str, steps: int,
        tiny_vae: Path | None = None, device: str = "cpu", prompt: Path | None = None,
    ) -> Self:  # fmt: skip
        """Read the SDXL pipeline in `folder` and the IP-Adapter file `adapter`, which takes embeddings of `encoder`.

        `tiny_vae` is the folder of an AutoencoderTiny, which decodes a dozen times faster and a little worse;
        `prompt` the file of the empty prompt's embeddings, beside the pipeline where None.

        Raises:
            InputError: one of them is missing, or does not fit the others.
            WorkError: there is not enough memory.
        """
        _require_steps(steps)
        empty = EmptyPrompt.load(prompt or folder / empty_prompt.NAME)
        weights = ip_adapter.read(adapter)
        with _memory_watched(name), _quiet():
            pipeline = _pipeline(folder, _dtype_on(torch.device(device)), tiny_vae)
            ip_adapter.require_fits(weights, pipeline.unet, adapter)
            _require_prompt(empty, pipeline.unet, folder)
            pipeline.load_ip_adapter(weights, subfolder="", weight_name="", image_encoder_folder=None)
            pipeline.to(device)
            return cls(pipeline, empty, name=name, pocket=pocket, encoder=encoder, steps=steps)

    @property
    def dim(self) -> int:
        """Length of the embeddings it takes."""
        return int(self._projection.image_embeds.in_features)

    @property
    def size_px(self) -> int:
        """Width and height of its pictures."""
        return int(self.pipeline.unet.config.sample_size * self.pipeline.vae_scale_factor)

    def pictures(self, embeddings: Floats, seeds: Sequence[int]) -> Pictures:
        """(n, dim) raw to (n, size_px, size_px, 3), in one batch; each picture depends on its own seed alone.

        Raises:
            InputError: embeddings of another length, or as many seeds as embeddings did not come.
            WorkError: there was not enough memory.
        """
        self._require(embeddings, seeds)
        if not len(embeddings):
            return np.empty((0, self.size_px, self.size_px, 3), dtype=np.uint8)
        with torch.inference_mode(), _memory_watched(self.name):
            latents = self._denoised(torch.from_numpy(embeddings).to(self._device, self._dtype), seeds)
            return self._decoded(latents)

    def warm_up(self) -> None:
        """Draw one picture, which records the CUDA graph where there is a GPU.

        Raises:
            WorkError: there was not enough memory.
        """
        self.pictures(np.zeros((1, self.dim), dtype=np.float32), [0])

    def predicted(self, latents: Tensor, time: Tensor, embeddings: Tensor) -> Tensor:
        """One pass through the UNet, each picture beside its own embedding.

        `latents` (n, channels, h, w) scaled as the scheduler scales them, `time` () or (n,), `embeddings` (n, dim).
        """
        n = len(latents)
        told = {
            "text_embeds": self._prompt.pooled.expand(n, -1),
            "time_ids": self._size_ids.expand(n, -1),
            "image_embeds": [embeddings[:, None]],
        }
        predicted: Tensor = self.pipeline.unet(
            latents, time, encoder_hidden_states=self._prompt.embeds.expand(n, -1, -1), added_cond_kwargs=told,
            return_dict=False,
        )[0]  # fmt: skip
        return predicted

    def _denoised(self, embeddings: Tensor, seeds: Sequence[int]) -> Tensor:
        """Latents, step for step as the pipeline's own call makes them."""
        scheduler = self.pipeline.scheduler
        # On the processor whatever the device, so that a seed draws the same picture everywhere.
        random = [torch.Generator().manual_seed(seed) for seed in seeds]
        scheduler.set_timesteps(self.steps, device=self._device)
        latents = self.pipeline.prepare_latents(
            len(embeddings), self.pipeline.unet.config.in_channels, self.size_px, self.size_px, self._dtype,
            self._device, random,
        )  # fmt: skip
        stepping = self.pipeline.prepare_extra_step_kwargs(random, 0.0)
        for time in scheduler.timesteps:
            predicted = self._unet(scheduler.scale_model_input(latents, time), time, embeddings)
            latents = scheduler.step(predicted, time, latents, **stepping, return_dict=False)[0]
        return latents

    def _decoded(self, latents: Tensor) -> Pictures:
        vae = self.pipeline.vae
        decoded = vae.decode((latents / vae.config.scaling_factor).to(vae.dtype), return_dict=False)[0]
        shown = self.pipeline.image_processor.postprocess(decoded.float(), output_type="np")
        return np.asarray(np.round(shown * 255), dtype=np.uint8)

    @property
    def _device(self) -> torch.device:
        return torch.device(self.pipeline.unet.device)

    @property
    def _dtype(self) -> torch.dtype:
        return _dtype_on(self._device)

    @property
    def _projection(self) -> Any:
        return self.pipeline.unet.encoder_hid_proj.image_projection_layers[0]

    @property
    def _size_ids(self) -> Tensor:
        """SDXL is told the size of the original, where it was cut and the size wanted: all of it, at its own size."""
        size = (self.size_px, self.size_px)
        return torch.tensor([[*size, 0, 0, *size]], device=self._device, dtype=self._dtype)

    def _require(self, embeddings: Floats, seeds: Sequence[int]) -> None:
        if embeddings.ndim != 2 or embeddings.shape[1] != self.dim or embeddings.dtype != np.float32:
            raise InputError(
                f"{self.name} takes raw float32 embeddings (n, {self.dim}) of {self.encoder}, got "
                f"{embeddings.dtype} {embeddings.shape}; decode into that encoder's space"
            )
        if len(seeds) != len(embeddings):
            raise InputError(f"{self.name} takes one seed a picture, got {len(seeds)} for {len(embeddings)} embeddings")


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


def _pipeline(folder: Path, dtype: torch.dtype, tiny_vae: Path | None) -> StableDiffusionXLPipeline:
    """The pipeline without text encoders and adapter, on the processor."""
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise InputError(f"{folder}: expected an SDXL pipeline in diffusers' layout, {', '.join(missing)} missing")
    unet = _part(UNet2DConditionModel, folder / "unet", dtype)
    vae = _part(AutoencoderKL, folder / "vae", dtype) if tiny_vae is None else _part(AutoencoderTiny, tiny_vae, dtype)
    if vae.config.force_upcast and dtype != torch.float32:
        vae = _part(AutoencoderKL, folder / "vae", torch.float32)  # the VAE of SDXL overflows in half precision
    return StableDiffusionXLPipeline(
        vae=vae, unet=unet, scheduler=_scheduler(folder / "scheduler"), text_encoder=None, text_encoder_2=None,
        tokenizer=None, tokenizer_2=None, add_watermarker=False,
    )  # fmt: skip


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
    named = json.loads((folder / "scheduler_config.json").read_text(encoding="utf-8")).get("_class_name")
    kind = getattr(schedulers, str(named), None)
    if kind is None:
        raise InputError(f"{folder}: expected a scheduler of diffusers, got {named!r}; install a newer diffusers")
    return kind.from_pretrained(folder, local_files_only=True, timestep_spacing="trailing")


def _dtype_on(device: torch.device) -> torch.dtype:
    """Of the UNet."""
    return torch.float32 if device.type == "cpu" else torch.float16


def _require_steps(steps: int) -> None:
    if not 1 <= steps <= MOST_STEPS:
        raise InputError(f"expected 1 to {MOST_STEPS} steps, which is what SDXL-Turbo was distilled for, got {steps}")


def _require_prompt(prompt: EmptyPrompt, unet: Any, folder: Path) -> None:
    """Refuse embeddings of the empty prompt that were made for another UNet."""
    ids = 6 * unet.config.addition_time_embed_dim
    expected = unet.config.cross_attention_dim, unet.config.projection_class_embeddings_input_dim - ids
    found = prompt.embeds.shape[-1], prompt.pooled.shape[-1]
    if found != expected:
        raise InputError(
            f"{folder}: expected embeddings of the empty prompt of widths {expected}, got {found}; "
            f"{empty_prompt.HOW_TO_MAKE}"
        )


@contextmanager
def _memory_watched(name: str) -> Iterator[None]:
    """Not enough memory, on either device, is a WorkError."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise WorkError(f"{name}: not enough memory ({_first_line(error)}); {_WHAT_TO_DO}") from error
    except RuntimeError as error:
        if "allocate memory" not in str(error):  # how torch says it of the processor's
            raise
        raise WorkError(f"{name}: not enough memory ({_first_line(error)}); {_WHAT_TO_DO}") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Diffusers warns in its log of what is meant here: no picture encoder, precisions of our choice."""
    logger = logging.getLogger("diffusers")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


_WHAT_TO_DO = "end what else is using it, choose a tiny autoencoder, or the pocket generator"


def _first_line(error: BaseException) -> str:
    return str(error).split("\n", 1)[0]
