import torch
from diffusers import AutoencoderKL, UNet2DConditionModel

from tests.bench.pictures import UNET, VAE


def test_what_is_timed_on_a_gpu_has_the_size_of_sdxl_turbo():
    with torch.device("meta"):
        parts = UNet2DConditionModel(**UNET), AutoencoderKL(**VAE)
    n_unet, n_vae = (sum(value.numel() for value in part.parameters()) for part in parts)
    assert n_unet == 2_567_463_684  # as published
    assert n_vae == 83_653_863
