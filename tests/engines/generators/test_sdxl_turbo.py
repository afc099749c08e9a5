import json
import shutil
import socket
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from tqdm import tqdm

from engines.errors import InputError, WorkError
from engines.generators import ip_adapter
from engines.generators.config import GeneratorsConfig
from engines.generators.cuda_graph import GraphedUnet, Recording
from engines.generators.published import ENCODER, open_sdxl_turbo
from engines.generators.sdxl_parts import pipeline_without_text
from engines.generators.sdxl_turbo import SdxlTurbo
from engines.weights import part
from tests.engines.generators.small_sdxl import (
    DIM,
    SIZE_PX,
    hub_cache,
    in_half,
    saved,
    saved_adapter,
    small_tiny_vae,
)

# torch's tensors still answer numpy's `__array__` in the old way, and diffusers' schedulers ask it.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    made = saved(tmp_path_factory.mktemp("sdxl"))
    saved_adapter(made / "ip-adapter.safetensors")
    return made


@pytest.fixture(scope="module")
def cache(tmp_path_factory) -> Path:
    return hub_cache(tmp_path_factory.mktemp("hub"))


def loaded(folder: Path, steps: int = 1, **more) -> SdxlTurbo:
    adapter = more.pop("adapter", folder / "ip-adapter.safetensors")
    return SdxlTurbo.load(folder, adapter, name="small", pocket=True, encoder="test", steps=steps, **more)


@pytest.fixture(scope="module")
def generator(folder):
    return loaded(folder, steps=2)


@pytest.fixture(scope="module")
def embeddings():
    return np.random.default_rng(0).normal(size=(3, DIM)).astype(np.float32)


def apart(one, other) -> int:
    return int(np.abs(one.astype(int) - other).max())


def test_different_embeddings_share_a_batch(generator, embeddings):
    together = generator.pictures(embeddings, [5, 6, 7])
    alone = np.concatenate([generator.pictures(embeddings[i : i + 1], [5 + i]) for i in range(3)])
    assert together.shape == (3, SIZE_PX, SIZE_PX, 3) and together.dtype == np.uint8
    assert apart(together, alone) <= 1
    assert apart(together[0], together[1]) > 20


def test_a_picture_depends_on_its_embedding_and_its_seed(generator, embeddings):
    first = generator.pictures(embeddings[:1], [5])
    np.testing.assert_array_equal(generator.pictures(embeddings[:1], [5]), first)
    assert apart(generator.pictures(embeddings[1:2], [5]), first) > 5
    assert apart(generator.pictures(embeddings[:1], [6]), first) > 20


@pytest.mark.parametrize("steps", [1, 4])
def test_a_picture_is_that_of_diffusers_own_call(folder, embeddings, steps, monkeypatch):
    monkeypatch.setattr(tqdm, "monitor_interval", 0)  # diffusers' bar, shown or not, would leave a thread
    generator = loaded(folder, steps)
    theirs = generator.pipeline(
        prompt_embeds=generator.prompt.embeds, pooled_prompt_embeds=generator.prompt.pooled,
        ip_adapter_image_embeds=[torch.from_numpy(embeddings[:1])[:, None]], guidance_scale=0.0,
        num_inference_steps=steps, generator=[torch.Generator().manual_seed(11)],
    ).images[0]  # fmt: skip
    np.testing.assert_array_equal(generator.pictures(embeddings[:1], [11])[0], np.asarray(theirs))


def test_no_embeddings_make_no_pictures(generator):
    assert generator.pictures(np.zeros((0, DIM), np.float32), []).shape == (0, SIZE_PX, SIZE_PX, 3)


@pytest.mark.parametrize("shape", [(1, DIM + 1), (DIM,)])
def test_embeddings_of_another_length_are_refused(generator, shape):
    with pytest.raises(InputError, match=rf"\(n, {DIM}\) of test"):
        generator.pictures(np.zeros(shape, np.float32), [1])


def test_as_many_seeds_as_pictures_are_wanted(generator, embeddings):
    with pytest.raises(InputError, match="2 for 3"):
        generator.pictures(embeddings, [1, 2])


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("CUDA out of memory. Tried"), RuntimeError("can't allocate memory: you tried")]
)
def test_not_enough_memory_is_said(generator, embeddings, monkeypatch, error):
    def full(*args, **kwargs):
        raise error

    monkeypatch.setattr(generator.pipeline.unet, "forward", full)
    with pytest.raises(WorkError, match="small: not enough memory"):
        generator.pictures(embeddings, [1, 2, 3])


def test_a_fault_of_another_kind_is_not_called_a_lack_of_memory(generator, embeddings, monkeypatch):
    def broken(*args, **kwargs):
        raise RuntimeError("shapes cannot be multiplied")

    monkeypatch.setattr(generator.pipeline.unet, "forward", broken)
    with pytest.raises(RuntimeError, match="multiplied"):
        generator.pictures(embeddings, [1, 2, 3])


def test_a_tiny_autoencoder_decodes_where_one_is_given(folder, generator, embeddings, tmp_path):
    small_tiny_vae().save_pretrained(tmp_path)
    pictures = loaded(folder, steps=2, tiny_vae=tmp_path).pictures(embeddings, [5, 6, 7])
    assert pictures.shape == (3, SIZE_PX, SIZE_PX, 3)
    assert apart(pictures, generator.pictures(embeddings, [5, 6, 7])) > 5


@pytest.mark.parametrize("steps", [0, 5])
def test_no_other_number_of_steps_than_it_was_distilled_for(folder, steps):
    with pytest.raises(InputError, match="1 to 4 steps"):
        loaded(folder, steps)


@pytest.mark.parametrize(
    "part", ["unet/config.json", "vae/diffusion_pytorch_model.safetensors", "empty_prompt.safetensors"]
)
def test_a_part_that_is_missing_is_named(folder, tmp_path, part):
    broken = shutil.copytree(folder, tmp_path / "broken")
    (broken / part).unlink()
    with pytest.raises(InputError, match=Path(part).parts[0].removesuffix(".safetensors")):
        loaded(broken)


def test_an_adapter_of_another_unet_is_refused(folder, tmp_path):
    weights = ip_adapter.read(folder / "ip-adapter.safetensors")
    weights["ip_adapter"].pop("3.to_k_ip.weight")
    ip_adapter.write(tmp_path / "other.safetensors", weights)
    with pytest.raises(InputError, match=r"3\.to_k_ip\.weight"):
        loaded(folder, adapter=tmp_path / "other.safetensors")


def test_an_adapter_of_another_kind_is_refused(folder, tmp_path):
    weights = ip_adapter.read(folder / "ip-adapter.safetensors")
    weights["image_proj"]["latents"] = torch.zeros(1, 16, 8)
    ip_adapter.write(tmp_path / "plus.safetensors", weights)
    with pytest.raises(InputError, match="plain IP-Adapter"):
        loaded(folder, adapter=tmp_path / "plus.safetensors")


def test_the_published_files_are_found_in_the_hubs_cache_and_nothing_is_asked_of_the_network(
    cache, embeddings, monkeypatch
):
    def connected(*args):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", connected)
    monkeypatch.setenv("HF_HUB_CACHE", str(cache))
    generator = open_sdxl_turbo(GeneratorsConfig(device="cpu"))
    generator.warm_up()
    assert (generator.name, generator.encoder) == ("SDXL-Turbo with IP-Adapter", ENCODER)
    assert not generator.pocket
    assert generator.pictures(embeddings, [1, 2, 3]).std() > 5


def test_the_adapters_encoder_is_the_one_that_openclip_is_loaded_from():
    assert f"openclip-{part('openclip').source.split('/')[1]}" == ENCODER


def test_what_is_not_there_says_what_to_get(tmp_path, cache, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(InputError, match="no commercial use"):
        open_sdxl_turbo(GeneratorsConfig())
    shutil.copytree(cache, tmp_path, dirs_exist_ok=True)
    shutil.rmtree(tmp_path / "models--h94--IP-Adapter")
    with pytest.raises(InputError, match=part("ip-adapter").files[0]):
        open_sdxl_turbo(GeneratorsConfig())


def test_an_adapter_fine_tuned_for_another_pipeline_is_refused(cache, folder, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(cache))
    origin = ip_adapter.AdapterOrigin("pocket", "test", "a", "b", 0, True, {})
    path = tmp_path / "tuned.safetensors"
    ip_adapter.write(path, ip_adapter.read(folder / "ip-adapter.safetensors"), origin)
    with pytest.raises(InputError, match="fine-tuned for pocket"):
        open_sdxl_turbo(GeneratorsConfig(adapter=path))


class Devices(TorchDispatchMode):
    """Where every tensor that is worked on lies."""

    def __init__(self):
        super().__init__()
        self.found = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        answer = func(*args, **(kwargs or {}))
        leaves = tree_leaves((args, kwargs, answer))
        self.found |= {leaf.device.type for leaf in leaves if isinstance(leaf, torch.Tensor)}
        return answer


def test_what_a_graph_records_takes_nothing_from_the_processor_and_asks_nothing_of_the_device(folder, monkeypatch):
    on_the_processor = loaded(folder)
    pipeline = on_the_processor.pipeline.to("meta")  # as any other device, but for answers
    generator = SdxlTurbo(pipeline, on_the_processor.prompt, name="meta", pocket=True, encoder="test", steps=1)
    given = [torch.empty(shape, device="meta") for shape in ((2, 4, 8, 8), (), (2, DIM))]

    def made(*args, **kwargs):
        raise AssertionError("a tensor was made of what the processor has")

    for name in ("tensor", "as_tensor", "asarray", "from_numpy"):
        monkeypatch.setattr(torch, name, made)
    with torch.inference_mode(), Devices() as devices:
        assert generator.predicted(*given).shape == (2, 4, 8, 8)
    assert devices.found == {"meta"}


def test_what_was_recorded_of_other_weights_is_forgotten(folder, embeddings, monkeypatch):
    """Recordings are played back by networks here, which read the weights that they were made of."""
    generator, recorded = loaded(folder), []
    weights = generator.pipeline.unet.conv_out.weight

    def record(self, latents, time, given):
        recorded.append(len(latents))
        old, predicted = weights.data, torch.empty_like(latents)

        class Graph:
            def replay(self):
                now, weights.data = weights.data, old
                predicted.copy_(generator.predicted(latents, time, given))
                weights.data = now

        return Recording(Graph(), latents, time, given, predicted)

    monkeypatch.setattr(GraphedUnet, "_recorded", record)
    generator.unet = GraphedUnet(generator.predicted)
    before = [generator.pictures(embeddings, [5, 6, 7]) for _ in range(2)]
    weights.data = -weights.data
    stale = generator.pictures(embeddings, [5, 6, 7])
    generator.forget_recorded()
    after = generator.pictures(embeddings, [5, 6, 7])
    generator.unet = generator.predicted
    np.testing.assert_array_equal(after, generator.pictures(embeddings, [5, 6, 7]))
    assert apart(before[0], before[1]) == apart(before[0], stale) == 0 and apart(before[0], after) > 20
    assert recorded == [3, 3]


@pytest.mark.parametrize(("upcast", "expected"), [(True, torch.float32), (False, torch.float16)])
def test_beside_a_unet_in_half_precision_the_autoencoder_is_in_single_unless_half_is_safe(
    folder, tmp_path, upcast, expected
):
    told = shutil.copytree(folder, tmp_path / "told") / "vae" / "config.json"
    told.write_text(json.dumps(json.loads(told.read_text()) | {"force_upcast": upcast}))
    pipeline = pipeline_without_text(tmp_path / "told", torch.float16, None)
    assert (pipeline.unet.dtype, pipeline.vae.dtype) == (torch.float16, expected)


def test_a_tiny_autoencoder_stays_in_half_precision(folder, tmp_path):
    small_tiny_vae().save_pretrained(tmp_path)
    assert pipeline_without_text(folder, torch.float16, tmp_path).vae.dtype == torch.float16


def test_in_half_precision_it_draws_what_it_draws_in_single(folder, generator, embeddings):
    half = in_half(folder, steps=2)
    assert {value.dtype for value in half.pipeline.unet.parameters()} == {torch.float16}
    assert apart(half.pictures(embeddings, [5, 6, 7]), generator.pictures(embeddings, [5, 6, 7])) <= 3


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU: CUDA graphs have never run")
def test_a_recorded_graph_draws_what_the_unet_draws(folder, embeddings):
    generator = loaded(folder, steps=2, device="cuda")
    recorded = generator.pictures(embeddings, [5, 6, 7])
    generator.unet = generator.predicted
    assert apart(recorded, generator.pictures(embeddings, [5, 6, 7])) <= 2
