from pathlib import Path

import numpy as np
import pytest
import torch
from tqdm import tqdm

from engines.generators.sdxl_turbo import SdxlTurbo
from tests.engines.generators.small_sdxl import DIM, SIZE_PX, saved, saved_adapter

# torch's tensors still answer numpy's `__array__` in the old way, and diffusers' schedulers ask it.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = saved(tmp_path_factory.mktemp("sdxl"))
    saved_adapter(made / "ip-adapter.safetensors")
    return made


def loaded(folder: Path, steps: int = 1, **more) -> SdxlTurbo:
    return SdxlTurbo.load(
        folder, folder / "ip-adapter.safetensors", name="small", pocket=True, encoder="test", steps=steps, **more
    )


@pytest.fixture(scope="module")
def embeddings():
    return np.random.default_rng(0).normal(size=(3, DIM)).astype(np.float32)


def test_different_embeddings_share_a_batch(folder, embeddings):
    generator = loaded(folder, steps=2)
    together = generator.pictures(embeddings, [5, 6, 7])
    alone = np.concatenate([generator.pictures(embeddings[i : i + 1], [5 + i]) for i in range(3)])
    assert together.shape == (3, SIZE_PX, SIZE_PX, 3) and together.dtype == np.uint8
    assert np.abs(together.astype(int) - alone).max() <= 1
    assert np.abs(together[0].astype(int) - together[1]).max() > 20


@pytest.mark.parametrize("steps", [1, 4])
def test_a_picture_is_that_of_diffusers_own_call(folder, embeddings, steps, monkeypatch):
    monkeypatch.setattr(tqdm, "monitor_interval", 0)  # diffusers' bar, shown or not, would leave a thread
    generator = loaded(folder, steps)
    theirs = generator.pipeline(
        prompt_embeds=generator._prompt.embeds, pooled_prompt_embeds=generator._prompt.pooled,
        ip_adapter_image_embeds=[torch.from_numpy(embeddings[:1])[:, None]], guidance_scale=0.0,
        num_inference_steps=steps, generator=[torch.Generator().manual_seed(11)],
    ).images[0]  # fmt: skip
    np.testing.assert_array_equal(generator.pictures(embeddings[:1], [11])[0], np.asarray(theirs))
