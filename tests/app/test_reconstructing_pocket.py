"""`replay --reconstruct` with the generators that come with Afterimage."""

import json

import numpy as np
import pytest
import trimesh
from PIL import Image

from app.cli import main
from calibration.simulate import SimulateConfig, plan, to_file
from tests.app.visible_subject import visible

pytestmark = pytest.mark.slow
SHOWN = SimulateConfig(seed=3, run=1, n_categories=1, repeats=1, protocol="eeg3d", objects=("08",))
CONFIG = '[reconstruction]\npictures = ["pocket"]\nshapes = ["pocket"]\ncaptions = ["words"]\n'


def test_a_replay_draws_meshes_and_tells_with_pocket_generators(tmp_path, monkeypatch):
    subject = visible(plan(SHOWN).infos[0], "pocket-vision-1", dim=1024)
    monkeypatch.setattr("app.commands.run.load_subject", lambda *_: subject)
    recording, config, out = tmp_path / "shown.xdf", tmp_path / "lab.toml", tmp_path / "out"
    to_file(SHOWN, recording, lambda share: None)
    config.write_text(CONFIG)
    call = ["replay", str(recording), "--subject", "P3", "--reconstruct", "--config", str(config), "--out", str(out)]
    assert main(call) == 0
    told = json.loads((out / "report.json").read_text())["reconstruction"]
    assert (told["made"], told["failed"]) == (1, 0) and set(told["ms"]) == {"picture", "mesh", "caption"}
    assert len(told["pocket"]) == 2 and "pocket generators" in told["told"]
    (trial,) = told["trials"]
    with Image.open(out / trial["picture"]) as picture:
        assert picture.size == (96, 96) and np.asarray(picture).std() > 0
    assert len(trimesh.load(out / trial["mesh"], force="mesh").faces) > 100
    assert trial["caption_route"] == "words" and trial["caption"]
