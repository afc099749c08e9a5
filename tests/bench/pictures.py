"""From an embedding to a picture: the pocket generator on one thread, and SDXL-Turbo's size on a GPU if there is one.

Beside diffusers' own call of the same pipeline in the same rounds. SDXL-Turbo's network has random numbers for weights:
how fast it is does not depend on them.
"""

import sys
from collections.abc import Callable

import numpy as np
import torch
from diffusers import (
    AutoencoderKL,
    AutoencoderTiny,
    EulerAncestralDiscreteScheduler,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)

from engines.generators import ip_adapter
from engines.generators.empty_prompt import EmptyPrompt
from engines.generators.pocket import pocket_pictures
from engines.generators.sdxl_turbo import SdxlTurbo
from tests.bench.measure import seconds_each, show
from tests.bench.rows import Row

BATCH = 8
PEER_NAME = "diffusers' pipeline"
DIM = 1024  # of OpenCLIP ViT-H-14
# The configuration of stabilityai/sdxl-turbo's UNet and VAE.
UNET = {
    "sample_size": 64,
    "block_out_channels": (320, 640, 1280),
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    "transformer_layers_per_block": (1, 2, 10),
    "attention_head_dim": (5, 10, 20),
    "cross_attention_dim": 2048,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 2816,
    "use_linear_projection": True,
}
VAE = {
    "block_out_channels": (128, 256, 512, 512),
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "layers_per_block": 2,
    "scaling_factor": 0.13025,
}


def embeddings(n: int, dim: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((n, dim), dtype=np.float32)


def theirs(generator: SdxlTurbo, n: int) -> Callable[[], None]:
    """Pictures of `n` different embeddings by diffusers' own call, which takes one at a time."""
    pipeline, rows = generator.pipeline, torch.from_numpy(embeddings(n, generator.dim)).to(generator.device)

    def call() -> None:
        for seed, row in enumerate(rows):
            pipeline(
                prompt_embeds=generator.prompt.embeds, pooled_prompt_embeds=generator.prompt.pooled,
                ip_adapter_image_embeds=[row[None, None].to(generator.prompt.embeds.dtype)], guidance_scale=0.0,
                num_inference_steps=generator.steps, generator=[torch.Generator().manual_seed(seed)],
            )  # fmt: skip

    return call


def ours(generator: SdxlTurbo, n: int) -> Callable[[], None]:
    rows = embeddings(n, generator.dim)
    return lambda: generator.pictures(rows, range(n))


def pocket() -> None:
    torch.set_num_threads(1)
    generator = pocket_pictures()
    for n, goal in ((1, "ours <= 150"), (BATCH, "ratio <= 1")):
        taken_s = seconds_each({"ours": ours(generator, n), "theirs": theirs(generator, n)})
        what = "pocket pictures, one" if n == 1 else f"pocket pictures, {n} in a batch, each"
        mine, other = (taken_s[name] * 1e3 / n for name in ("ours", "theirs"))
        show(Row("pictures", what, mine, "ms", other, PEER_NAME, goal, f"{generator.size_px} px, one thread"))


def full_size(vae: AutoencoderKL | AutoencoderTiny, unet: UNet2DConditionModel) -> SdxlTurbo:
    """SDXL-Turbo's pipeline on the GPU around these parts."""
    scheduler = EulerAncestralDiscreteScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", steps_offset=1, timestep_spacing="trailing"
    )
    pipeline = StableDiffusionXLPipeline(
        vae=vae, unet=unet, scheduler=scheduler, text_encoder=None, text_encoder_2=None, tokenizer=None,
        tokenizer_2=None, add_watermarker=False,
    )  # fmt: skip
    if unet.encoder_hid_proj is None:
        weights = ip_adapter.random_weights(unet, DIM, 0)
        pipeline.load_ip_adapter(weights, subfolder="", weight_name="", image_encoder_folder=None)
    prompt = EmptyPrompt(torch.zeros(1, 77, 2048), torch.zeros(1, 1280))
    return SdxlTurbo(pipeline, prompt, name="SDXL-Turbo's size", pocket=False, encoder="none", steps=1)


def on_a_gpu() -> None:
    with torch.device("cuda"):
        unet = UNet2DConditionModel(**UNET).half()
        half, vae, tiny = AutoencoderKL(**VAE).half(), AutoencoderKL(**VAE), AutoencoderTiny().half()
    # diffusers' call wants an autoencoder in half precision, and makes it single each time.
    peer, whole, small, compiled = (full_size(part, unet) for part in (half, vae, tiny, tiny))
    compiled.unet = torch.compile(compiled.predicted, mode="max-autotune")
    calls = {"theirs": theirs(peer, 1), "whole": ours(whole, 1), "tiny": ours(small, 1), "compiled": ours(compiled, 1)}
    taken_ms = {name: taken_s * 1e3 for name, taken_s in seconds_each(calls).items()}
    for name, what, goal in (
        ("whole", "CUDA graph, its own autoencoder", ""),
        ("tiny", "CUDA graph, tiny autoencoder", "ratio <= 0.5"),
        ("compiled", "compiled, tiny autoencoder", ""),
    ):
        row = Row("pictures", f"SDXL-Turbo's size, {what}", taken_ms[name], "ms", taken_ms["theirs"], PEER_NAME, goal)
        show(row)


def main() -> None:
    pocket()
    if torch.cuda.is_available():
        on_a_gpu()
    else:
        sys.stderr.write("pictures: no GPU here; SDXL-Turbo's size was not timed\n")


if __name__ == "__main__":
    main()
