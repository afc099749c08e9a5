"""From an embedding to a picture: the pocket generator on one thread, and SDXL-Turbo's size on a GPU if there is one.

Beside diffusers' own call of the same pipeline in the same rounds, with the same autoencoder. SDXL-Turbo's network has
random numbers for weights: how fast it is does not depend on them. On a GPU: its UNet alone, and pictures of 512 px in
one step, each eager, compiled and as a CUDA graph. That part was written to torch's and diffusers' documentation; it
has run on a processor only, with a small network and no CUDA graph, and torch's dynamo took that network as one graph.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

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
from engines.generators.sdxl_turbo import SdxlTurbo, Unet
from tests.bench.measure import seconds_each, show
from tests.bench.rows import Row

BATCH = 8
WARM_UPS = 3  # torch.compile compiles in the first call, and records its own graph in the second
COMPILED = "reduce-overhead"  # torch's mode with CUDA graphs; max-autotune would search for minutes more
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


@dataclass(frozen=True)
class Parts:
    """Of SDXL-Turbo's size, or of any other: `own_half` is `own` for diffusers' call.

    That wants an autoencoder in half precision, and makes it single for each picture.
    """

    unet: UNet2DConditionModel
    own: AutoencoderKL
    own_half: AutoencoderKL
    tiny: AutoencoderTiny

    @classmethod
    def of_full_size(cls) -> "Parts":
        """On the GPU."""
        with torch.device("cuda"):
            own = AutoencoderKL(**VAE)
            return cls(UNet2DConditionModel(**UNET).half(), own, AutoencoderKL(**VAE).half(), AutoencoderTiny().half())


def generator_of(unet: UNet2DConditionModel, vae: AutoencoderKL | AutoencoderTiny) -> SdxlTurbo:
    """SDXL-Turbo's pipeline around these parts, which makes CUDA graphs where they are on a GPU."""
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
    config = unet.config
    pooled = config.projection_class_embeddings_input_dim - 6 * config.addition_time_embed_dim
    prompt = EmptyPrompt(torch.zeros(1, 77, config.cross_attention_dim), torch.zeros(1, pooled))
    return SdxlTurbo(pipeline, prompt, name="SDXL-Turbo's size", pocket=False, encoder="none", steps=1)


def unet_alone(generator: SdxlTurbo) -> Callable[[], None]:
    """One pass as `generator` makes it, until it has ended."""
    size, device = generator.pipeline.unet.config.sample_size, generator.device
    with torch.inference_mode():
        latents = torch.randn(1, 4, size, size).to(device, generator.dtype)
        given = torch.from_numpy(embeddings(1, generator.dim)).to(device, generator.dtype)
        time = torch.tensor(999.0).to(device)

    def call() -> None:
        with torch.inference_mode():
            generator.unet(latents, time, given)
            if device.type == "cuda":
                torch.cuda.synchronize()

    return call


def of_large_size(parts: Parts, compiler: Callable[[Unet], Unet]) -> dict[str, Callable[[], None]]:
    """Everything that is timed, by its name in `COMPARED`; all with one UNet."""
    eager, compiled, graph = (generator_of(parts.unet, parts.tiny) for _ in range(3))
    eager.unet, compiled.unet = eager.predicted, compiler(compiled.predicted)
    kinds = {"eager": eager, "compiled": compiled, "graph": graph}
    return {
        **{f"UNet {name}": unet_alone(kind) for name, kind in kinds.items()},
        "tiny diffusers": theirs(eager, 1),
        "tiny compiled": ours(compiled, 1),
        "tiny graph": ours(graph, 1),
        "own diffusers": theirs(generator_of(parts.unet, parts.own_half), 1),
        "own graph": ours(generator_of(parts.unet, parts.own), 1),
    }


EAGER = "diffusers' UNet, eager"
WITH_TINY, WITH_OWN = f"{PEER_NAME}, tiny autoencoder", f"{PEER_NAME}, its own autoencoder"
# What is timed, beside what, under which goal: like beside like, but in the last, where a user gains both.
COMPARED = (
    ("UNet alone, CUDA graph", "UNet graph", "UNet eager", EAGER, "ratio <= 1"),
    ("UNet alone, torch.compile", "UNet compiled", "UNet eager", EAGER, ""),
    ("picture, tiny autoencoder, CUDA graph", "tiny graph", "tiny diffusers", WITH_TINY, "ratio <= 1"),
    ("picture, tiny autoencoder, torch.compile", "tiny compiled", "tiny diffusers", WITH_TINY, ""),
    ("picture, its own autoencoder, CUDA graph", "own graph", "own diffusers", WITH_OWN, "ratio <= 1"),
    ("picture, tiny beside its own autoencoder, CUDA graph", "tiny graph", "own diffusers", WITH_OWN, "ratio <= 0.5"),
)


def compared(calls: Mapping[str, Callable[[], None]], note: str) -> list[Row]:
    """A row for each line of `COMPARED`, all measured in the same rounds."""
    for call in calls.values():
        for _ in range(WARM_UPS):
            call()
    taken_ms = {name: taken_s * 1e3 for name, taken_s in seconds_each(calls).items()}
    return [
        Row("pictures", f"SDXL-Turbo's size, {what}", taken_ms[name], "ms", taken_ms[peer], peer_name, goal, note)
        for what, name, peer, peer_name, goal in COMPARED
    ]


def on_a_gpu() -> None:
    calls = of_large_size(Parts.of_full_size(), partial(torch.compile, mode=COMPILED, fullgraph=True))
    note = f"random weights, one step, 512 px, {torch.cuda.get_device_name()}; compiled: {COMPILED}"
    for row in compared(calls, note):
        show(row)


def main() -> None:
    pocket()
    if torch.cuda.is_available():
        on_a_gpu()
    else:
        sys.stderr.write("pictures: no GPU here; SDXL-Turbo's size was not timed\n")


if __name__ == "__main__":
    main()
