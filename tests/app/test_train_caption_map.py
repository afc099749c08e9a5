"""`train caption-map` with a small captioner: the file it writes is the one that captions by embeddings take."""

import json

import numpy as np
import pytest
from PIL import Image

from app.cli import main
from app.config import load
from calibration.objects.builtin import BuiltIn
from calibration.recipes import caption_map
from calibration.stimuli import Only
from engines.generators.base import Seen
from engines.generators.caption import open_captioner
from engines.vision.pocket import PocketVision
from tests.engines.generators import tiny_captioners


@pytest.fixture(scope="module")
def git(tmp_path_factory):
    return tiny_captioners.git(tmp_path_factory.mktemp("captioners") / "tiny-git")


@pytest.fixture
def config(git, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "nothing"))
    path = tmp_path / "config.toml"
    path.write_text(f"[reconstruction]\ngit = {str(git)!r}\n")
    return path


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Five pictures of different sizes, two categories."""
    folder, rng = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)
    for name in ("cat_1", "cat_2", "cat_3", "dog_1", "dog_2"):
        values = rng.integers(0, 256, (int(rng.integers(40, 80)), 60, 3), dtype=np.uint8)
        Image.fromarray(values).save(folder / f"{name}.png")
    return folder


def test_the_map_of_a_folder_captions_embeddings(config, pictures, tmp_path, capsys):
    out = tmp_path / "out"
    call = ["train", "caption-map", "--config", str(config), "--pictures", str(pictures), "--out", str(out), "--json"]
    assert main(call) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["captioner"], report["encoder"], report["n_pictures"]) == ("tiny-git", "pocket-vision-1", 5)
    assert report["unexplained_07"] is None and report["unexplained"] > 0
    config.write_text(
        f'{config.read_text()}caption_route = "embedding"\ncaption_map = {str(out / "caption-map.safetensors")!r}\n'
    )
    captioner = open_captioner("git", load(config).reconstruction.generators())
    said = captioner.caption(Seen(PocketVision.load().embed(np.zeros((1, 96, 96, 3), np.uint8))[0]))
    assert said.text and said.route == "embedding"


def test_of_the_built_in_set_training_objects_are_fitted_and_objects_07_judge(git, config, tmp_path, monkeypatch):
    few = [item for item in BuiltIn().items if item.category in ("chair", "car")]
    stimuli = Only(BuiltIn(), few)
    monkeypatch.setattr(caption_map, "BuiltIn", Only)
    fitted_on, judged_on = caption_map.chosen(stimuli)
    assert {item.object for item in fitted_on} == {f"0{number}" for number in range(7)}
    assert {item.object for item in judged_on} == {"07"}
    captioner = open_captioner("git", load(config).reconstruction.generators())
    shares = []
    made = caption_map.train(captioner, PocketVision.load(), stimuli, shares.append)
    assert made.fitted.origin.n_pictures == 14
    assert shares[-1] == 1 and shares == sorted(shares)
    pictures = np.stack([stimuli.picture(item) for item in judged_on])
    wanted = captioner.features(pictures)
    given = made.fitted.features(PocketVision.load().embed(pictures))
    missed = np.sum((given - wanted) ** 2) / np.sum((made.fitted.mean - wanted) ** 2)
    assert made.unexplained_07 == pytest.approx(missed, rel=1e-3)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--data", "folder"], "--pictures DIR"),
        (["--pictures", "nowhere"], "nowhere"),
        (["--encoder", "brain"], "expected a picture encoder"),
        (["--encoder", "openclip"], "expected the folder of its weights"),
    ],
)
def test_a_wrong_call_is_one_line(config, more, told, capsys):
    assert main(["train", "caption-map", "--config", str(config), *more]) == 2
    err = capsys.readouterr().err
    assert told in err and err.count("\n") == 1


def test_without_a_captioner_it_says_how_to_get_one(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    assert main(["train", "caption-map"]) == 2
    err = capsys.readouterr().err
    assert "microsoft/git-large-coco on huggingface.co" in err and err.count("\n") == 1
    (tmp_path / "words.toml").write_text('[reconstruction]\ncaptions = ["words"]\n')
    assert main(["train", "caption-map", "--config", str(tmp_path / "words.toml")]) == 2
    assert "captions allows none" in capsys.readouterr().err


def test_pictures_belong_to_the_map_alone(capsys):
    assert main(["train", "ridge", "--data", "folder", "--pictures", "folder"]) == 2
    assert "--pictures belongs to caption-map" in capsys.readouterr().err
