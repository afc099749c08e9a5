"""SDXL-Turbo with an IP-Adapter: embeddings of pictures to pictures, in one to four steps, without guidance.

    embedding -> IP-Adapter -> 4 tokens --.
    seed -> noise -> UNet (x steps, beside the empty prompt) -> latents -> VAE -> picture

SDXL-Turbo (Sauer et al. 2023, arXiv:2311.17042), IP-Adapter (Ye et al. 2023, arXiv:2308.06721). Any folder in the
layout of an SDXL pipeline loads, the small one that Afterimage comes with too, through diffusers' own classes, from
safetensors alone, with no text encoder.

diffusers' pipeline repeats the embedding that it is given over the whole batch, so that different embeddings could not
share a batch; below it, its own UNet takes one embedding a picture, and nothing else differs.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from diffusers import StableDiffusionXLPipeline
from torch import Tensor

from engines.errors import InputError
from engines.generators import empty_prompt, ip_adapter
from engines.generators.cuda_graph import GraphedUnet
from engines.generators.empty_prompt import EmptyPrompt
from engines.generators.memory import memory_watched
from engines.generators.sdxl_parts import pipeline_without_text, put_in
from engines.vision.base import Floats, Pictures

MOST_STEPS = 4

_MEMORY = "end what else is using it, choose a tiny autoencoder, or the pocket generator"

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
        self.dtype: torch.dtype = pipeline.unet.dtype
        # Once and for all: in what a CUDA graph records, nothing may come from the processor.
        self.prompt = EmptyPrompt(*(value.to(self.device, self.dtype) for value in (prompt.embeds, prompt.pooled)))
        self._size_ids = self._told_sizes()
        self.unet: Unet = GraphedUnet(self.predicted) if self.device.type == "cuda" else self.predicted

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
        with memory_watched(name, _MEMORY):
            pipeline = pipeline_without_text(folder, _dtype_on(torch.device(device)), tiny_vae)
            put_in(weights, pipeline, adapter)
            _require_prompt(empty, pipeline.unet, folder)
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
        with torch.inference_mode(), memory_watched(self.name, _MEMORY):
            latents = self._denoised(torch.from_numpy(embeddings).to(self.device, self.dtype), seeds)
            return self._decoded(latents)

    def warm_up(self) -> None:
        """Draw one picture, which records the CUDA graph where there is a GPU.

        Raises:
            WorkError: there was not enough memory.
        """
        self.pictures(np.zeros((1, self.dim), dtype=np.float32), [0])

    def predicted(self, latents: Tensor, time: Tensor, embeddings: Tensor) -> Tensor:
        """One pass through the UNet, each picture beside its own embedding; all of it on the device.

        `latents` (n, channels, h, w) scaled as the scheduler scales them, `time` () or (n,), `embeddings` (n, dim).
        """
        n = len(latents)
        told = {
            "text_embeds": self.prompt.pooled.expand(n, -1),
            "time_ids": self._size_ids.expand(n, -1),
            "image_embeds": [embeddings[:, None]],
        }
        predicted: Tensor = self.pipeline.unet(
            latents, time, encoder_hidden_states=self.prompt.embeds.expand(n, -1, -1), added_cond_kwargs=told,
            return_dict=False,
        )[0]  # fmt: skip
        return predicted

    def forget_recorded(self) -> None:
        """To be called when other tensors stand for the UNet's weights: a recording reads those that it was made of."""
        if isinstance(self.unet, GraphedUnet):
            self.unet.forget()

    def _denoised(self, embeddings: Tensor, seeds: Sequence[int]) -> Tensor:
        """Latents, step for step as the pipeline's own call makes them."""
        scheduler = self.pipeline.scheduler
        # On the processor whatever the device, so that a seed draws the same picture everywhere.
        random = [torch.Generator().manual_seed(seed) for seed in seeds]
        scheduler.set_timesteps(self.steps, device=self.device)
        latents: Tensor = self.pipeline.prepare_latents(
            len(embeddings), self.pipeline.unet.config.in_channels, self.size_px, self.size_px, self.dtype,
            self.device, random,
        )  # fmt: skip
        stepping = self.pipeline.prepare_extra_step_kwargs(random, 0.0)
        for time in scheduler.timesteps:
            predicted = self.unet(scheduler.scale_model_input(latents, time), time, embeddings)
            latents = scheduler.step(predicted, time, latents, **stepping, return_dict=False)[0]
        return latents

    def _decoded(self, latents: Tensor) -> Pictures:
        vae = self.pipeline.vae
        decoded = vae.decode((latents / vae.config.scaling_factor).to(vae.dtype), return_dict=False)[0]
        shown = self.pipeline.image_processor.postprocess(decoded.float(), output_type="np")
        return np.asarray(np.round(shown * 255), dtype=np.uint8)

    @property
    def device(self) -> torch.device:
        """Where its UNet is."""
        return torch.device(self.pipeline.unet.device)

    @property
    def _projection(self) -> Any:
        return self.pipeline.unet.encoder_hid_proj.image_projection_layers[0]

    def _told_sizes(self) -> Tensor:
        """SDXL is told the size of the original, where it was cut and the size wanted: all of it, at its own size."""
        size = (self.size_px, self.size_px)
        return torch.tensor([[*size, 0, 0, *size]], device=self.device, dtype=self.dtype)

    def _require(self, embeddings: Floats, seeds: Sequence[int]) -> None:
        if embeddings.ndim != 2 or embeddings.shape[1] != self.dim or embeddings.dtype != np.float32:
            raise InputError(
                f"{self.name} takes raw float32 embeddings (n, {self.dim}) of {self.encoder}, got "
                f"{embeddings.dtype} {embeddings.shape}; decode into that encoder's space"
            )
        if len(seeds) != len(embeddings):
            raise InputError(f"{self.name} takes one seed a picture, got {len(seeds)} for {len(embeddings)} embeddings")


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
