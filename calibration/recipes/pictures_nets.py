"""The pocket picture generators' networks: diffusers' own classes, small.

    SDXL class     embedding -> IP-Adapter -> 4 tokens -> UNet with size conditions -> latents -> VAE -> picture
    SD-1.5 class   sentence -> CLIP text model -> UNet -> latents -> the same VAE -> picture

Their schedulers are those of SDXL-Turbo and SD-1.5 with `v_prediction`: see docs/decisions/0163-pocket-pictures.md.
"""

from dataclasses import dataclass
from typing import Any

import torch
from diffusers import AutoencoderKL, EulerAncestralDiscreteScheduler, EulerDiscreteScheduler, UNet2DConditionModel
from torch import Tensor

from calibration.recipes.pictures_start import Tokens
from engines.generators import ip_adapter

N_WORDS = 77
"""Length of prompts, as CLIP's."""

_HEARING = 0.05
"""Share of the usual first layer: all that a UNet with padded convolutions knows of where it is comes from the
picture's margins, and noise drowns it."""

_SCHEDULE = {
    "beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012,
    "prediction_type": "v_prediction", "timestep_spacing": "trailing",
}  # fmt: skip


@dataclass(frozen=True)
class NetsConfig:
    """Sizes. `widths` of the UNet's levels, `width` and `heads` of its attention, and those of the UNet of words;
    `vae_widths` from fine to coarse, of which each but the last halves the picture.
    """

    size_px: int = 96
    widths: tuple[int, ...] = (32, 48, 96, 96)
    n_plain: int = 2
    width: int = 128
    heads: tuple[int, ...] = (4, 6, 8, 8)
    groups: int = 16
    pooled: int = 16
    size_width: int = 8
    vae_widths: tuple[int, ...] = (16, 24, 48)
    vae_groups: int = 8
    words_widths: tuple[int, ...] = (32, 48, 64, 64)
    words_heads: tuple[int, ...] = (4, 6, 8, 8)
    text_width: int = 64


def new_vae(config: NetsConfig) -> Any:
    """An untrained AutoencoderKL."""
    n = len(config.vae_widths)
    return AutoencoderKL(
        sample_size=config.size_px, block_out_channels=config.vae_widths, layers_per_block=1, latent_channels=4,
        down_block_types=("DownEncoderBlock2D",) * n, up_block_types=("UpDecoderBlock2D",) * n,
        norm_num_groups=config.vae_groups, mid_block_add_attention=False, force_upcast=False,
    )  # fmt: skip


def new_xl(config: NetsConfig, dim: int, seed: int) -> Any:
    """An untrained UNet of SDXL's class with an untrained IP-Adapter for embeddings of length `dim` in it."""
    unet = UNet2DConditionModel(
        **_unet(config), cross_attention_dim=config.width, use_linear_projection=True, addition_embed_type="text_time",
        addition_time_embed_dim=config.size_width,
        projection_class_embeddings_input_dim=config.pooled + 6 * config.size_width,
    )  # fmt: skip
    adapter = ip_adapter.random_weights(unet, dim, seed)
    random = torch.Generator().manual_seed(seed)
    for name, value in adapter["ip_adapter"].items():
        if "to_v" in name:  # nothing was learned before that the adapter could disturb
            adapter["ip_adapter"][name] = torch.randn(value.shape, generator=random) / config.width**0.5
    unet._load_ip_adapter_weights(adapter, low_cpu_mem_usage=False)
    return _hard_of_hearing(unet, seed)


def new_sd15(config: NetsConfig, seed: int) -> Any:
    """An untrained UNet of SD-1.5's class."""
    return _hard_of_hearing(UNet2DConditionModel(**_unet(config), cross_attention_dim=config.text_width), seed)


def _hard_of_hearing(unet: Any, seed: int) -> Any:
    """`unet` with little weight on its input and random constants beside it."""
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        unet.conv_in.weight.mul_(_HEARING)
        unet.conv_in.bias.copy_(torch.randn(unet.conv_in.bias.shape, generator=random))
    return unet


class Drawing:
    """A UNet of SDXL's class with its adapter, in training; nearly deaf to noise in the beginning."""

    def __init__(self, config: NetsConfig, dim: int, seed: int) -> None:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.unet = new_xl(config, dim, seed)
        self._prompt, self._pooled = empty_prompt(config)
        size = float(config.size_px)
        self._size_ids = torch.tensor([[size, size, 0.0, 0.0, size, size]])  # as SDXL is told: all of it, at its size

    @property
    def width(self) -> int:
        """Of the adapter's tokens."""
        return int(self.unet.config.cross_attention_dim)

    def start_from(self, tokens: Tokens) -> None:
        """Let the adapter's tokens be `tokens`."""
        parameters = ip_adapter.parameters(self.unet)
        with torch.no_grad():
            parameters["image_proj.proj.weight"].copy_(tokens.weight)
            parameters["image_proj.proj.bias"].copy_(tokens.bias)

    def __call__(self, latents: Tensor, times: Tensor, embeddings: Tensor) -> Tensor:
        """Latents (n, 4, side, side), times (n,), embeddings (n, dim) to what the scheduler steps with."""
        n = len(latents)
        told = {
            "text_embeds": self._pooled.expand(n, -1), "time_ids": self._size_ids.expand(n, -1),
            "image_embeds": [embeddings[:, None]],
        }  # fmt: skip
        words = self._prompt.expand(n, -1, -1)
        predicted: Tensor = self.unet(latents, times, encoder_hidden_states=words, added_cond_kwargs=told).sample
        return predicted


def without_adapter(unet: Any) -> Any:
    """A copy of `unet` as it is published, beside the adapter's file."""
    plain = UNet2DConditionModel.from_config({**unet.config, "encoder_hid_dim_type": None})
    own = plain.state_dict()
    plain.load_state_dict({name: value for name, value in unet.state_dict().items() if name in own})
    return plain


def turbo_scheduler() -> Any:
    """SDXL-Turbo's."""
    return EulerAncestralDiscreteScheduler(**_SCHEDULE)


def sd15_scheduler() -> Any:
    """One that SD-1.5 is commonly run with."""
    return EulerDiscreteScheduler(**_SCHEDULE, steps_offset=1)


def empty_prompt(config: NetsConfig) -> tuple[Tensor, Tensor]:
    """What stands for the empty prompt: zeros, since nothing was ever said in words."""
    return torch.zeros(1, N_WORDS, config.width), torch.zeros(1, config.pooled)


def _unet(config: NetsConfig) -> dict[str, Any]:
    n, plain = len(config.widths), config.n_plain
    return {
        "sample_size": config.size_px // 2 ** (len(config.vae_widths) - 1), "in_channels": 4, "out_channels": 4,
        "block_out_channels": config.widths, "layers_per_block": 1, "attention_head_dim": config.heads,
        "norm_num_groups": config.groups,
        "down_block_types": ("DownBlock2D",) * plain + ("CrossAttnDownBlock2D",) * (n - plain),
        "up_block_types": ("CrossAttnUpBlock2D",) * (n - plain) + ("UpBlock2D",) * plain,
    }  # fmt: skip
