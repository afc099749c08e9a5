from dataclasses import replace

import numpy as np
import pytest
import torch
from diffusers import DDPMScheduler

from calibration.recipes import adapter
from calibration.recipes.adapter import AdapterBudget, Pairs, fitted_pictures, target_of, tune
from engines.errors import InputError, WorkError
from engines.generators import ip_adapter
from engines.generators.sdxl_turbo import SdxlTurbo
from tests.engines.generators.small_sdxl import DIM, SIZE_PX, in_half, saved, saved_adapter

# torch's tensors still answer numpy's `__array__` in the old way, and diffusers' schedulers ask it.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

BUDGET = AdapterBudget(epochs=2, batch=8, learning_rate=3e-3, drop=0.05)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = saved(tmp_path_factory.mktemp("sdxl"))
    saved_adapter(made / "ip-adapter.safetensors")
    return made


@pytest.fixture
def generator(folder):
    return opened(folder)


def opened(folder):
    return SdxlTurbo.load(folder, folder / "ip-adapter.safetensors", name="small", pocket=True, encoder="test", steps=1)


def pairs(seed, n=16):
    """Two pictures, dark and bright, and embeddings that tell which."""
    rng = np.random.default_rng(seed)
    item = np.arange(n) % 2
    embeddings = rng.normal(size=(n, DIM)) + 4 * (item[:, None] - 0.5)
    pictures = np.stack([np.full((SIZE_PX, SIZE_PX, 3), level, np.uint8) for level in (20, 230)])
    return Pairs(embeddings.astype(np.float32), item.astype(np.int64), pictures, "test")


TRAINING, SELECTION = pairs(0), pairs(1, 8)


def flat(tuned):
    return {f"{part}.{name}": value for part, some in tuned.weights.items() for name, value in some.items()}


def test_the_loss_goes_down_on_pairs_that_taught_nothing_too(generator):
    tuned = tune(generator, pairs(0, 24), pairs(1, 10), replace(BUDGET, epochs=4, learning_rate=3e-2), 0)
    assert tuned.history[-1].loss < tuned.history[0].loss
    assert min(tuned.losses) < 0.96 * tuned.losses[0]
    assert tuned.history[-1].score == pytest.approx(1 - tuned.losses[-1] / tuned.losses[0])
    assert len(tuned.losses) == 5 and tuned.losses[tuned.kept_epoch] == min(tuned.losses)


def test_the_adapter_learns_and_the_unet_stays_as_it_is(generator):
    own = ip_adapter.parameters(generator.pipeline.unet)
    theirs = {
        name: value.clone()
        for name, value in [*generator.pipeline.unet.named_parameters(), *generator.pipeline.vae.named_parameters()]
        if not any(value is one for one in own.values())
    }
    before = {name: value.clone() for name, value in own.items()}
    tuned = flat(tune(generator, TRAINING, SELECTION, BUDGET, 0))
    after = dict([*generator.pipeline.unet.named_parameters(), *generator.pipeline.vae.named_parameters()])
    assert all(torch.equal(after[name], value) for name, value in theirs.items())
    assert set(tuned) == set(before)
    assert not any(torch.equal(tuned[name], value) for name, value in before.items())


@pytest.mark.parametrize("opened", [opened, in_half], ids=["single", "half"])
def test_what_was_interrupted_goes_on_to_the_same_adapter_bit_for_bit(opened, folder, tmp_path):
    whole = tune(opened(folder), TRAINING, SELECTION, BUDGET, 3)
    path, said = tmp_path / "checkpoint.pt", []

    def interrupted(step):
        if step.epoch == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tune(opened(folder), TRAINING, SELECTION, BUDGET, 3, interrupted, path)
    resumed = tune(opened(folder), TRAINING, SELECTION, BUDGET, 3, said.append, path)
    assert [step.epoch for step in said] == [1, 2]
    assert resumed.losses == whole.losses and resumed.history == whole.history
    again = flat(resumed)
    assert all(torch.equal(again[name], value) for name, value in flat(whole).items())


def test_beside_a_unet_in_half_precision_it_learns_in_single_and_draws_in_half_again(folder, tmp_path):
    generator, single = in_half(folder), opened(folder)
    own, precisions, forgotten = ip_adapter.parameters(generator.pipeline.unet), set(), []
    generator.forget_recorded = lambda: forgotten.append({value.dtype for value in own.values()})
    tuned = tune(
        generator, TRAINING, SELECTION, BUDGET, 0, lambda step: precisions.update(p.dtype for p in own.values())
    )
    np.testing.assert_allclose(tuned.losses, tune(single, TRAINING, SELECTION, BUDGET, 0).losses, rtol=2e-3)
    assert tuned.losses[-1] < tuned.losses[0] and precisions == {torch.float32}
    unet = generator.pipeline.unet
    assert {value.dtype for value in unet.parameters()} == {torch.float16}
    assert not any(value.requires_grad for value in unet.parameters())
    # Recordings are of weights where they were: after they moved away, and after they moved back.
    assert forgotten == [{torch.float32}, {torch.float16}]
    drawn = (one.pictures(TRAINING.embeddings[:2], [1, 2]).astype(int) for one in (generator, single))
    assert np.abs(np.subtract(*drawn)).max() <= 4


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU: tuning has never run on one")
def test_on_a_gpu_it_draws_afterwards_by_what_was_kept_and_not_by_what_was_recorded(folder):
    path = folder / "ip-adapter.safetensors"
    generator = SdxlTurbo.load(folder, path, name="small", pocket=True, encoder="test", steps=1, device="cuda")
    before = generator.pictures(TRAINING.embeddings[:2], [1, 2]).astype(int)
    tuned = tune(generator, TRAINING, SELECTION, BUDGET, 0)
    after = generator.pictures(TRAINING.embeddings[:2], [1, 2]).astype(int)
    generator.unet = generator.predicted
    assert tuned.losses[-1] < tuned.losses[0] and np.abs(after - before).max() > 5
    assert np.abs(after - generator.pictures(TRAINING.embeddings[:2], [1, 2])).max() <= 2


def test_what_the_blocks_computed_is_computed_again_for_the_same_gradients(folder, monkeypatch):
    generator, whole = opened(folder), tune(opened(folder), TRAINING, SELECTION, replace(BUDGET, epochs=1), 0)
    calls, checkpoint = [], torch.utils.checkpoint.checkpoint

    def counted(*args, **kwargs):
        calls.append(args)
        return checkpoint(*args, **kwargs)

    monkeypatch.setattr(torch.utils.checkpoint, "checkpoint", counted)
    monkeypatch.setattr(adapter, "_COMPUTED_AGAIN", ("cpu",))
    again = tune(generator, TRAINING, SELECTION, replace(BUDGET, epochs=1), 0)
    assert len(calls) >= 2 * 5  # of every batch, each block with its attentions
    assert again.losses == whole.losses
    assert all(torch.equal(flat(again)[name], value) for name, value in flat(whole).items())
    assert not generator.pipeline.unet.is_gradient_checkpointing


def test_a_checkpoint_of_other_pairs_is_not_gone_on_from(folder, tmp_path):
    path = tmp_path / "checkpoint.pt"
    tune(opened(folder), TRAINING, SELECTION, replace(BUDGET, epochs=1), 0, None, path)
    with pytest.raises(InputError, match="another training pairs"):
        tune(opened(folder), pairs(5), SELECTION, replace(BUDGET, epochs=1), 0, None, path)


def test_an_epoch_that_makes_it_worse_is_not_kept(generator, monkeypatch):
    measured = iter([1.0, 1.5])
    monkeypatch.setattr(adapter._Tuning, "_selection_loss", lambda self: next(measured))
    before = {name: value.clone() for name, value in ip_adapter.parameters(generator.pipeline.unet).items()}
    tuned = tune(generator, TRAINING, SELECTION, replace(BUDGET, epochs=1), 0)
    assert tuned.kept_epoch == 0 and tuned.history[0].score == -0.5
    assert all(torch.equal(flat(tuned)[name], value) for name, value in before.items())


def test_training_that_diverges_says_so(generator):
    with pytest.raises(WorkError, match="diverged in epoch 1"):
        tune(generator, TRAINING, SELECTION, replace(BUDGET, learning_rate=1e30), 0)


def test_the_adapter_is_read_back_from_its_file_with_its_origin(folder, generator, tmp_path):
    tuned = tune(generator, TRAINING, SELECTION, replace(BUDGET, epochs=1), 0)
    origin = ip_adapter.AdapterOrigin(
        "small", "test", TRAINING.digest(), SELECTION.digest(), 0, True, {"loss": min(tuned.losses)}
    )
    path = tmp_path / "adapter.safetensors"
    ip_adapter.write(path, tuned.weights, origin)
    assert ip_adapter.origin(path) == origin
    again = SdxlTurbo.load(folder, path, name="small", pocket=True, encoder="test", steps=1)
    drawn = (one.pictures(TRAINING.embeddings[:2], [1, 2]).astype(int) for one in (again, generator))
    assert np.abs(np.subtract(*drawn)).max() <= 3  # the file is in half precision


def test_embeddings_of_another_length_are_refused(generator):
    short = Pairs(TRAINING.embeddings[:, 1:], TRAINING.item, TRAINING.pictures, "other")
    with pytest.raises(InputError, match=f"length {DIM}, got {DIM - 1}"):
        tune(generator, short, SELECTION, BUDGET, 0)


def test_pictures_of_any_size_are_cut_square_in_the_middle():
    wide = np.zeros((10, 30, 3), np.uint8)
    wide[:, 10:20] = 200
    cut, same = fitted_pictures([wide, wide[:, 10:20]], 10)
    assert (cut == 200).all() and (same == 200).all()
    assert fitted_pictures([wide], 4).shape == (1, 4, 4, 3)


def test_the_network_is_asked_for_what_its_scheduler_takes_its_answers_for():
    clean, noise, times = torch.randn(2, 4, 3, 3), torch.randn(2, 4, 3, 3), torch.tensor([10, 900])
    targets = {}
    for kind in ("epsilon", "sample", "v_prediction"):
        schedule = DDPMScheduler(prediction_type=kind)
        targets[kind] = target_of(schedule, clean, noise, times)
    kept = schedule.alphas_cumprod[times].reshape(2, 1, 1, 1)
    torch.testing.assert_close(targets["epsilon"], noise)
    torch.testing.assert_close(targets["sample"], clean)
    # Salimans & Ho 2022, arXiv:2202.00512.
    torch.testing.assert_close(targets["v_prediction"], kept.sqrt() * noise - (1 - kept).sqrt() * clean)
