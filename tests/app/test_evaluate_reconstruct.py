"""`evaluate --reconstruct` on small folders: tables, sheets, and what it refuses."""

import json

import numpy as np
import pytest
import trimesh

from app.cli import main
from app.commands import reconstruct
from calibration.comparing import run as compare_run
from calibration.decoding import reconstruct_scores
from calibration.decoding.models import making_of, save_model
from calibration.decoding.read import from_eeg3d
from calibration.recipes.systems import systems
from calibration.surface_view import surface_of
from engines.generators.choose import Generators
from engines.generators.words import Words
from tests.calibration.decoding.folders import small_folder


class Painter:
    """A plain picture, as bright as the embedding's first feature says."""

    name, pocket, encoder, size_px = "painter", True, "pocket-vision-1", 48

    def pictures(self, embeddings, seeds):
        bright = np.clip(120 + 60 * embeddings[:, :3], 0, 255).astype(np.uint8)
        ramp = np.linspace(0.3, 1, 48)[None, :, None, None]
        return np.broadcast_to((bright[:, None, None] * ramp), (len(embeddings), 48, 48, 3)).astype(np.uint8)


class Potter:
    """A box, as high as the embedding's first feature says."""

    name, pocket, encoder = "potter", True, "pocket-vision-1"

    def surface(self, seen):
        return surface_of(trimesh.creation.box((1, 1, 0.5 + abs(float(seen.embedding[0])))))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return small_folder(tmp_path_factory.mktemp("data") / "eeg3d", effect=0.5, categories=2)


@pytest.fixture(scope="module")
def models(data, tmp_path_factory):
    folders = []
    for participant in ("sub01", "sub02"):
        parts = compare_run.parts_of(from_eeg3d(data, participant), "", 0)
        fitted = systems("pocket")["ridge"].fit(parts.training, parts.selection, 0)
        making = making_of(parts.training, parts.selection, system="ridge", size="pocket", seed=0, data="d")
        folders.append(tmp_path_factory.mktemp("models") / participant)
        save_model(folders[-1], fitted, making)
    return folders


@pytest.fixture
def fakes(monkeypatch):
    """Generators of a few lines; shapes stay where they are, because aligning has tests of its own and takes long."""
    monkeypatch.setattr(reconstruct_scores, "aligned", lambda made, truth: made)
    monkeypatch.setattr(
        reconstruct, "open_generators", lambda config, encoder: Generators(Painter(), Potter(), Words())
    )


def call(models, data, out, *more):
    return ["evaluate", *map(str, models), "--data", str(data), "--permutations", "19", "--reconstruct",
            "--out", str(out), *more]  # fmt: skip


@pytest.mark.slow
def test_models_of_several_participants_are_reconstructed_and_pooled(data, models, fakes, tmp_path, capsys):
    assert main(call(models, data, tmp_path, "--json")) == 0
    report = json.loads(capsys.readouterr().out)
    told = report["reconstructions"]
    assert told["participants"] == ["sub01", "sub02"]
    assert told["generators"] == {"picture": "painter", "mesh": "potter", "caption": "words"}
    assert "simulated participant" in told["marks"][0]
    assert "potter" in told["marks"][1]
    pooled = {(one["row"], one["metric"]): one["mean"] for one in told["scores"]}
    each = [{(one["row"], one["metric"]): one["mean"] for one in some} for some in told["by_participant"].values()]
    for row in (
        "both streams",
        "picture alone",
        "turn alone",
        "true embedding",
        "nearest neighbour",
        "mean",
        "nothing decoded",
    ):
        for metric in ("SSIM", "2-way pocket", "F 0.05, as made", "F 0.05, aligned", "FID pocket", "IS pocket"):
            assert pooled[row, metric] == pytest.approx(np.mean([one[row, metric] for one in each]))
    looks = {row: mean for (row, metric), mean in pooled.items() if metric == "3D 2-way top-1 pocket"}
    assert looks["what was seen"] > 0.9 and looks["mean"] == 0.5
    drawn = [one for one in told["scores"] if one["metric"].endswith("50 repeats")]
    assert drawn and all(one["spread"] is not None for one in drawn)
    assert set(told["not_made"]["sub01"].values()) == {0} and len(told["not_made"]["sub01"]) == 7
    assert "vit_h_14_swag" in told["not_measured"]["ViT-H/14 (SWAG)"]
    captions = told["captions"]
    assert captions["about"]["route"] == "words" and "by rule" in captions["about"]["true captions by"]
    for row in ("both streams", "picture alone", "turn alone", "nearest neighbour"):
        assert {one["metric"] for one in captions["scores"] if one["row"] == row} == {"BLEU-1", "BLEU-4", "METEOR"}
    assert all(text["true"][0].startswith("a ") for text in captions["texts"]["sub01"])
    assert {"own EEG", "another trial's EEG"} == set(told["dependency"][0])
    for kind in ("pictures", "shapes", "dependency"):
        assert (tmp_path / f"{kind}-sub01.png").stat().st_size > 1000
    page = (tmp_path / "report.html").read_text()
    assert page.count("data:image/png") >= 6
    assert "never how much" in page
    assert "how often category and colour were right" in page
    assert "covariance has no full rank" in page


def test_true_captions_that_lack_an_object_are_refused_with_its_name(data, models, fakes, tmp_path, capsys):
    path = data / "captions.csv"
    path.write_text("item,caption\nface/08,a face\n")
    try:
        assert main(call(models[:1], data, tmp_path)) == 2
    finally:
        path.unlink()
    err = capsys.readouterr().err
    assert "a true caption of each of 4 objects; 3 have none" in err


def test_models_that_cannot_be_pooled_are_refused(data, models, tmp_path, capsys):
    assert main(call([models[0], models[0]], data, tmp_path)) == 2
    assert "each of another participant" in capsys.readouterr().err
    assert main(call(models, data, tmp_path, "--participant", "1")) == 2
    assert "one model with --participant" in capsys.readouterr().err
