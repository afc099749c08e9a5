"""What the shipped pocket pictures can do, on objects that neither their training nor their selection has opened."""

import shutil

import numpy as np
import pytest
from tqdm import tqdm

from calibration.objects.builtin import BuiltIn
from calibration.objects.catalogue import HELD_OUT
from calibration.objects.embeddings import builtin_embeddings
from calibration.objects.shipped import ITEMS
from calibration.recipes.pictures_score import identified
from engines.errors import InputError
from engines.generators.pocket import FOLDER, SD15, SDXL, origin, pocket_pictures, pocket_words
from engines.vision.pocket import PocketVision

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SOME = [i for i, item in enumerate(ITEMS) if int(item.object) in HELD_OUT][::12]


@pytest.fixture(scope="module", autouse=True)
def no_thread_of_progress_bars():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tqdm, "monitor_interval", 0)  # diffusers' bar, shown or not, would leave a thread
        yield


@pytest.fixture(scope="module")
def shipped(no_thread_of_progress_bars):
    return pocket_pictures()


@pytest.fixture(scope="module")
def drawn(shipped):
    return shipped.pictures(builtin_embeddings().raw[SOME], range(len(SOME)))


@pytest.mark.parametrize("name", [SDXL, SD15])
def test_the_shipped_weights_were_trained_on_the_objects_that_there_are(name):
    """Those of the vision encoder, whose own test makes both digests anew."""
    came, vision = origin(FOLDER / name), PocketVision.load().origin
    assert (came.trained_on, came.selected_on) == (vision.trained_on, vision.selected_on)


def test_unseen_objects_are_told_apart_by_what_is_drawn_of_their_embeddings(shipped, drawn):
    """By chance, or if always the same picture came, 0.5."""
    assert (shipped.pocket, shipped.encoder, shipped.steps) == (True, "pocket-vision-1", 1)
    assert identified(builtin_embeddings().raw[SOME], PocketVision.load().embed(drawn)) > 0.8


def test_what_is_drawn_has_the_colours_of_what_was_seen(drawn):
    """Of each pixel that is not ground, which channel is strongest, as in the true picture more than in another's."""
    shown = BuiltIn()
    true = np.stack([_hue(shown.picture(ITEMS[i])) for i in SOME])
    assert identified(true, np.stack([_hue(picture) for picture in drawn])) > 0.8


def test_the_same_seed_draws_the_same_bits_whatever_else_is_drawn(shipped, drawn):
    again = shipped.pictures(builtin_embeddings().raw[SOME], range(len(SOME)))
    assert np.array_equal(drawn, again)
    alone = shipped.pictures(builtin_embeddings().raw[SOME[2:3]], [2])
    assert np.abs(alone[0].astype(int) - drawn[2]).max() <= 1


def test_words_choose_colours():
    pipeline = pocket_words()
    drawn = pipeline(
        ["a red cup", "a blue cup"], num_inference_steps=1, guidance_scale=0.0, output_type="np"
    ).images  # fmt: skip
    red, blue = (picture.mean(axis=(0, 1)) for picture in drawn)
    assert red[0] - red[2] > blue[0] - blue[2] + 0.02


def test_the_shipped_files_are_small():
    sizes = {name: sum(p.stat().st_size for p in (FOLDER / name).rglob("*") if p.is_file()) for name in (SDXL, SD15)}
    assert sizes[SDXL] <= 10_500_000 and sizes[SD15] <= 6_000_000


def test_a_folder_that_is_not_there_says_how_to_make_it(tmp_path):
    with pytest.raises(InputError, match="afterimage train pocket-pictures"):
        pocket_pictures(folder=tmp_path / "none")


def test_a_pipeline_with_a_part_missing_is_refused(tmp_path):
    shutil.copytree(FOLDER / SDXL, tmp_path / "some", ignore=shutil.ignore_patterns("vae"))
    with pytest.raises(InputError, match="vae"):
        pocket_pictures(folder=tmp_path / "some")


def _hue(picture):
    """(3,) how much more than the ground each channel has, of its own mean."""
    excess = picture.astype(np.float32) - picture[0, 0]
    mean = excess.mean(axis=(0, 1))
    return mean - mean.mean()
