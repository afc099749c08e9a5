from dataclasses import replace

import numpy as np
import pytest
import torch
from tqdm import tqdm

from calibration.decoding.checkpoint import NAME, Checkpoint
from calibration.objects import build as building
from calibration.objects.catalogue import CATEGORIES, SELECTION, TRAINING
from calibration.objects.colours import sentence
from calibration.recipes import pictures_write, pocket_pictures
from calibration.recipes.object_views import digest_of, solids_of, views_of
from calibration.recipes.pictures_data import Choice, Kept, as_pictures, batches, fronts, mixed
from calibration.recipes.pictures_fit import Denoising, Looks, Stage, Weights, autoencoding, decoded, descending
from calibration.recipes.pictures_nets import Drawing, NetsConfig, new_vae, turbo_scheduler
from calibration.recipes.pictures_score import correlation, identified
from calibration.recipes.pictures_words import merges_of, nearest, new_tokenizer
from calibration.recipes.pocket_pictures import Course, Material, Recipe, trained_pair
from engines.generators.pocket import PicturesOrigin, pocket_words
from engines.generators.pocket import pocket_pictures as opened
from engines.vision.pocket import PocketVision

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(autouse=True)
def no_thread_of_progress_bars(monkeypatch):
    monkeypatch.setattr(tqdm, "monitor_interval", 0)  # diffusers' bar, shown or not, would leave a thread


TINY = NetsConfig(
    size_px=32, widths=(16, 16), n_plain=1, width=16, heads=(2, 2), groups=4, vae_widths=(8, 8, 8), vae_groups=4,
    words_widths=(8, 8), words_heads=(2, 2), text_width=16,
)  # fmt: skip
ONCE = Stage(1, 4, 2e-3)
BRIEF = Recipe(
    autoencoder=ONCE, latents=ONCE, pixels=Stage(2, 4, 1e-3), words=ONCE, n_kept=8, n_tries=2, n_checks=1
)  # fmt: skip
NAMES = ("cup", "ladder", "donut")
CAME = PicturesOrigin("a", "b", "pocket-vision-1", 0, {"identified": 0.5}, "tiny")


@pytest.fixture(scope="module")
def encoder():
    return PocketVision.load()


@pytest.fixture(scope="module")
def views(tmp_path_factory):
    return views_of(solids_of(NAMES, range(2)), 32, tmp_path_factory.mktemp("views"))


@pytest.fixture(scope="module")
def material(views, encoder):
    return Material(views, views, encoder)


def quiet(share):
    """No progress is shown."""


def test_the_autoencoder_learns(views, encoder):
    torch.manual_seed(0)
    vae, stage, weights = new_vae(TINY), Stage(25, 6, 5e-3), Weights()
    loss = autoencoding(vae, Looks(encoder, weights), weights, torch.Generator().manual_seed(0))
    losses = list(descending([vae], loss, batches(views, encoder, 6, 25, 0, Choice()), stage, quiet))
    assert np.mean(losses[-5:]) < 0.8 * np.mean(losses[:5])


def test_from_embeddings_the_latents_are_learned(views, encoder):
    """Of latents that are the shrunk pictures themselves."""

    def shrunk(pictures):
        small = torch.nn.functional.adaptive_avg_pool2d(pictures, 8)
        return 4 * torch.cat([small, small[:, :1]], dim=1)

    drawing, random = Drawing(TINY, encoder.dim, 0), torch.Generator().manual_seed(0)
    denoising = Denoising(drawing, turbo_scheduler(), last=1.0)

    def loss(shown):
        made = denoising.at_once(torch.randn(shown.latents.shape, generator=random), shown.embeddings)
        return torch.nn.functional.mse_loss(made, shown.latents)

    shown = batches(views, encoder, 8, 40, 0, Choice(fronts=1.0, moved=False), shrunk)
    losses = list(descending([drawing.unet], loss, shown, Stage(40, 8, 5e-3), quiet))
    assert np.mean(losses[-5:]) < 0.6 * np.mean(losses[:5])


def test_the_same_seed_gives_the_same_weights(material):
    def weights(seed):
        made = trained_pair(TINY, BRIEF, material, seed, quiet, Course(Checkpoint(None, {})))
        return {**made.drawing.unet.state_dict(), **made.vae.state_dict()}

    first, again, other = weights(1), weights(1), weights(2)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)


@pytest.fixture(scope="module")
def untrained(encoder):
    torch.manual_seed(0)
    return new_vae(TINY), Drawing(TINY, encoder.dim, 0)


def test_the_pipeline_draws_what_training_saw(untrained, encoder, views, tmp_path):
    """The scheduler's one step is the formula that was trained."""
    vae, drawing = untrained
    pictures_write.sdxl(tmp_path, vae, drawing, TINY, CAME)
    generator = opened(folder=tmp_path)
    given = fronts(views, encoder).embeddings[:3]
    noise = torch.cat([torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(seed)) for seed in (3, 4, 5)])
    with torch.no_grad():
        latents = Denoising(drawing, turbo_scheduler(), 1.0).at_once(noise, given)
        expected = as_pictures(decoded(vae, latents)).astype(int)
    drawn = generator.pictures(given.numpy(), (3, 4, 5)).astype(int)
    assert (generator.pocket, generator.size_px, generator.encoder) == (True, 32, "pocket-vision-1")
    assert np.abs(drawn - expected).mean() < 1  # weights in half precision, training in bfloat16
    assert expected.std() > 1


def test_every_word_is_one_token_with_the_same_number_each_time():
    tokenizer, again = new_tokenizer(CATEGORIES), new_tokenizer(CATEGORIES)
    assert tokenizer.get_vocab() == again.get_vocab()
    assert sorted(tokenizer.get_vocab().values()) == list(range(len(tokenizer)))
    assert {len(tokenizer.tokenize(sentence(category, 0))) for category in CATEGORIES} == {3}


def test_the_most_frequent_pair_of_letters_is_joined_first_then_by_the_alphabet():
    joined = merges_of(["pug", "hug", "mug"])
    assert joined == [("u", "g</w>"), ("h", "ug</w>"), ("m", "ug</w>"), ("p", "ug</w>")]


def test_what_takes_words_is_a_pipeline_of_its_own(untrained, tmp_path):
    vae, _ = untrained
    telling = pocket_pictures.new_telling(TINY, NAMES, 0)
    pictures_write.sd15(tmp_path, vae, telling, replace(CAME, encoder=""))
    pipeline = pocket_words(folder=tmp_path)
    told = [sentence("cup", 2), sentence("donut", 1)]
    assert pipeline.tokenizer.tokenize(told[0]) == ["a</w>", "red</w>", "cup</w>"]
    random = [torch.Generator().manual_seed(seed) for seed in (0, 0)]
    drawn = pipeline(told, num_inference_steps=1, guidance_scale=0.0, generator=random, output_type="np").images
    assert drawn.shape == (2, 32, 32, 3)
    assert np.abs(drawn[0] - drawn[1]).max() > 0  # words matter


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The folder of a training, what it returned, and the numbers of the objects that it opened."""
    folder, opened_numbers = tmp_path_factory.mktemp("whole"), set()

    def noting(category, number):
        opened_numbers.add(number)
        return building.build(category, number)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("calibration.recipes.object_views.build", noting)
        patch.setattr(tqdm, "monitor_interval", 0)
        origins = pocket_pictures.train(0, folder / "views", folder / "out", BRIEF, TINY, NAMES[:2])
    return folder, origins, opened_numbers


def test_training_writes_both_and_opens_neither_held_out_object(whole):
    folder, origins, opened_numbers = whole
    assert opened_numbers == {*TRAINING, *SELECTION}
    assert {came.trained_on for came in origins.values()} == {digest_of(solids_of(NAMES[:2], TRAINING))}
    assert {path.name for path in (folder / "out").iterdir()} == {"pocket-sdxl", "pocket-sd15"} == set(origins)


def test_training_that_was_stopped_goes_on_from_the_last_whole_stage_and_ends_the_same(whole, tmp_path):
    folder, origins, _ = whole

    def trained(progress):
        return pocket_pictures.train(0, folder / "views", tmp_path, BRIEF, TINY, NAMES[:2], progress)

    def weights(place):
        return {file.relative_to(place): file.read_bytes() for file in place.rglob("*.safetensors")}

    def stop_in_pixels(share):
        if share > 0.8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained(stop_in_pixels)
    assert list(torch.load(tmp_path / NAME, weights_only=True)["state"]) == ["autoencoder", "latents"]
    assert trained(quiet) == origins
    assert weights(tmp_path) == weights(folder / "out") != {}
    assert not (tmp_path / NAME).exists()


def test_every_view_that_is_kept_comes_once_before_any_comes_again():
    numbers = torch.arange(10.0)
    shown = Kept(numbers[:, None], numbers[:, None, None, None]).batches(4, 5, seed=0)
    order = torch.cat([batch.embeddings[:, 0] for batch in shown])
    assert sorted(order[:10].tolist()) == sorted(order[10:].tolist()) == numbers.tolist()
    assert not torch.equal(order[:10], order[10:])


def test_an_untrained_generator_varies_from_place_to_place_more_than_with_its_noise(encoder):
    """What it knows of places comes from the margins of its input, which noise would drown."""
    drawing, random = Drawing(TINY, encoder.dim, 0), torch.Generator().manual_seed(0)
    noise, given = torch.randn(16, 4, 8, 8, generator=random), torch.randn(1, encoder.dim, generator=random)
    with torch.no_grad():
        drawn = drawing(noise, torch.full((16,), 999), given.expand(16, -1))
    assert drawn.mean(dim=0).var(dim=(1, 2)).mean() > 4 * drawn.var(dim=0).mean()


def test_every_second_embedding_gets_an_error(encoder):
    clear = torch.randn(64, 16, generator=torch.Generator().manual_seed(0))
    given = mixed(clear, 0.7, torch.Generator().manual_seed(1))
    assert torch.equal(given[::2], clear[::2])
    assert (given[1::2] != clear[1::2]).float().mean() > 0.9


def test_rare_colours_come_as_often_as_frequent_ones(views, encoder):
    def spread(even):
        shown = next(batches(views, encoder, 300, 1, 0, Choice(even=even)))
        return torch.bincount(shown.colours, minlength=6).float().std()

    assert spread(even=True) < 0.8 * spread(even=False)


def test_noise_that_comes_nearest_is_kept():
    def predict(latents, times, tokens):
        return -latents

    denoising, random = Denoising(predict, turbo_scheduler(), 1.0), torch.Generator().manual_seed(0)
    clean = torch.ones(5, 4, 2, 2)

    def far(n_tries):
        kept = nearest(denoising, clean, torch.zeros(5), n_tries, random)
        return (denoising.at_once(kept, None) - clean).square().mean()

    assert far(50) < 0.8 * far(1)


def test_identification_counts_how_often_the_own_truth_is_nearest():
    true = np.eye(4, dtype=np.float32)
    assert identified(true, true) == 1.0
    assert identified(true, np.roll(true, 1, axis=0)) < 0.5
    assert identified(true, np.tile(true[:1], (4, 1))) == 0.5


def test_correlation_is_the_mean_over_pictures():
    ramp = np.arange(12, dtype=np.uint8).reshape(1, 2, 2, 3)
    assert correlation(np.concatenate([ramp, ramp]), np.concatenate([ramp, 11 - ramp])) == pytest.approx(0.0)
    assert correlation(ramp, 3 * ramp) == pytest.approx(1.0)
