import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from tqdm import tqdm

from tests.bench import pictures
from tests.bench.pictures import COMPARED, UNET, VAE, Parts, compared, of_large_size
from tests.engines.generators.small_sdxl import small_pipeline, small_tiny_vae


def test_what_is_timed_on_a_gpu_has_the_size_of_sdxl_turbo():
    with torch.device("meta"):
        parts = UNet2DConditionModel(**UNET), AutoencoderKL(**VAE)
    n_unet, n_vae = (sum(value.numel() for value in part.parameters()) for part in parts)
    assert n_unet == 2_567_463_684  # as published
    assert n_vae == 83_653_863


# torch's tensors still answer numpy's `__array__` in the old way, and diffusers' schedulers ask it.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_everything_that_is_timed_on_a_gpu_runs_and_stands_beside_its_like(monkeypatch):
    compiled = []

    def compiler(function):  # dynamo takes seconds
        compiled.append(function)
        return function

    monkeypatch.setattr(pictures, "WARM_UPS", 1)
    monkeypatch.setattr(tqdm, "monitor_interval", 0)  # diffusers' bar, shown or not, would leave a thread
    small = small_pipeline()
    rows = compared(of_large_size(Parts(small.unet, small.vae, small.vae, small_tiny_vae()), compiler), "small")
    assert len(compiled) == 1 and all(row.ours > 0 and row.peer > 0 for row in rows)
    beside = {row.what.split(", ", 1)[1]: row.peer_name for row in rows}
    assert len(beside) == len(COMPARED)
    for autoencoder in ("tiny autoencoder", "its own autoencoder"):
        same = [peer for what, peer in beside.items() if f"picture, {autoencoder}" in what]
        assert same and all(peer.endswith(autoencoder) for peer in same)
