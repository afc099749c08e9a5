"""A tiny SDXL with an IP-Adapter, untrained, saved as the hub keeps SDXL-Turbo and IP-Adapter."""

from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    AutoencoderTiny,
    EulerAncestralDiscreteScheduler,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)

from engines.generators import ip_adapter
from engines.generators.empty_prompt import NAME, EmptyPrompt
from engines.generators.sdxl_parts import pipeline_without_text, put_in
from engines.generators.sdxl_turbo import SdxlTurbo

DIM, WIDTH, POOLED, SIZE_PX = 12, 16, 10, 16
TIME_WIDTH = 4
ADAPTER = "sdxl_models/ip-adapter_sdxl_vit-h.safetensors"


def small_pipeline(seed: int = 0) -> StableDiffusionXLPipeline:
    """SDXL's own blocks, few and narrow: latents of 8 x 8 for pictures of 16 x 16."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        unet = UNet2DConditionModel(
            sample_size=8, block_out_channels=(8, 16), layers_per_block=1, norm_num_groups=4,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), attention_head_dim=(1, 2),
            transformer_layers_per_block=(1, 1), use_linear_projection=True, cross_attention_dim=WIDTH,
            addition_embed_type="text_time", addition_time_embed_dim=TIME_WIDTH,
            projection_class_embeddings_input_dim=6 * TIME_WIDTH + POOLED,
        )  # fmt: skip
        vae = AutoencoderKL(
            block_out_channels=(8, 8), norm_num_groups=4, sample_size=SIZE_PX,
            down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2,
        )  # fmt: skip
    scheduler = EulerAncestralDiscreteScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", steps_offset=1, timestep_spacing="trailing"
    )
    return StableDiffusionXLPipeline(
        vae=vae, unet=unet, scheduler=scheduler, text_encoder=None, text_encoder_2=None, tokenizer=None,
        tokenizer_2=None, add_watermarker=False,
    )  # fmt: skip


def small_adapter(pipeline: StableDiffusionXLPipeline, seed: int = 0, dim: int = DIM) -> ip_adapter.Weights:
    """An adapter that shows: its values are not zero."""
    weights = ip_adapter.random_weights(pipeline.unet, dim, seed)
    random = torch.Generator().manual_seed(seed + 1)
    for name, value in weights["ip_adapter"].items():
        if "to_v" in name:
            weights["ip_adapter"][name] = torch.randn(value.shape, generator=random)
    return weights


def small_tiny_vae() -> AutoencoderTiny:
    """For latents and pictures of the same sizes."""
    return AutoencoderTiny(
        encoder_block_out_channels=(8, 8), decoder_block_out_channels=(8, 8), num_encoder_blocks=(1, 1),
        num_decoder_blocks=(1, 1),
    )  # fmt: skip


def in_half(folder: Path, steps: int = 1) -> SdxlTurbo:
    """What was `saved` in `folder` beside its adapter, in the precisions that a GPU gets, on the processor."""
    adapter, pipeline = folder / "ip-adapter.safetensors", pipeline_without_text(folder, torch.float16, None)
    put_in(ip_adapter.read(adapter), pipeline, adapter)
    prompt = EmptyPrompt.load(folder / NAME)
    return SdxlTurbo(pipeline, prompt, name="small", pocket=True, encoder="test", steps=steps)


def saved(folder: Path, variant: str | None = None, seed: int = 0) -> Path:
    """Write the pipeline with its empty prompt to `folder`."""
    pipeline = small_pipeline(seed)
    pipeline.save_pretrained(folder, variant=variant)
    random = torch.Generator().manual_seed(seed)
    EmptyPrompt(torch.randn(1, 7, WIDTH, generator=random), torch.randn(1, POOLED, generator=random)).save(
        folder / NAME
    )
    return folder


def saved_adapter(path: Path, seed: int = 0, dim: int = DIM) -> Path:
    """Write an adapter that fits `saved` of the same seed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    ip_adapter.write(path, small_adapter(small_pipeline(seed), seed, dim))
    return path


def hub_cache(folder: Path) -> Path:
    """A hub cache in `folder`, as huggingface_hub lays it out; names of revisions are made up."""
    for repository, revision in (("stabilityai--sdxl-turbo", "71153311"), ("h94--IP-Adapter", "018e4027")):
        home = folder / f"models--{repository}"
        (home / "refs").mkdir(parents=True)
        (home / "refs" / "main").write_text(revision)
    saved(folder / "models--stabilityai--sdxl-turbo" / "snapshots" / "71153311", variant="fp16")
    saved_adapter(folder / "models--h94--IP-Adapter" / "snapshots" / "018e4027" / ADAPTER)
    return folder
