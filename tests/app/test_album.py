from dataclasses import replace

import numpy as np
import pytest
import trimesh
from PIL import Image

from app.album import Album
from app.making import Making
from calibration.objects.builtin import BuiltIn
from engines.errors import WorkError
from tests.app.pretend_engines import generators
from tests.pipeline.pretend_generators import wish

TRUTH, LABELS = {0: "chair", 1: "dog"}, {0: "stim/chair/08", 1: "stim/dog/09"}


def parts(trial, stage="static", **fails):
    return list(Making(generators(**fails))(wish(trial, "chair", "red", stage)))


@pytest.fixture
def album(tmp_path):
    return Album(tmp_path)


def test_of_each_trial_the_last_that_came_whole_is_written(album, tmp_path):
    for made in (*parts(0), *parts(0, "refined"), *parts(0, "fused")[:2], *parts(1)):
        album.add(made)
    assert sorted(p.name for p in (tmp_path / "reconstructions").iterdir()) == [
        "trial-0000-refined.glb",
        "trial-0000-refined.png",
    ], "the next trial has begun, and is open"
    album.write()
    rows = album.rows(TRUTH, LABELS)
    assert [(r["trial"], r["stage"], r["true"], r["shown"], r["caption"]) for r in rows] == [
        (0, "refined", "chair", "chair/08", "a red chair"),
        (1, "static", "dog", "dog/09", "a red chair"),
    ]
    with Image.open(tmp_path / rows[1]["picture"]) as written:
        assert (np.asarray(written) == parts(1)[0].picture).all()
    assert len(trimesh.load(tmp_path / rows[1]["mesh"], force="mesh").faces) == 4
    assert album.ledger.summary_ms()["mesh"]["n"] == 3


def test_a_failure_takes_no_others_place_and_stands_where_there_is_no_other(album):
    for made in (*parts(0), *parts(0, "fused", shape=WorkError("no surface")), *parts(1, picture=WorkError("none"))):
        album.add(made)
    album.write()
    first, second = album.rows({}, {})
    assert (first["stage"], first["error"]) == ("static", "")
    assert second["error"] == "picture: none" and second["picture"] is None and second["mesh"]
    assert second["true"] is None and second["shown"] == ""


def test_a_trial_that_comes_again_leaves_no_older_files(album, tmp_path):
    for made in (*parts(0), *parts(1), *parts(0, "fused")):
        album.add(made)
    album.write()
    assert sorted(p.name for p in (tmp_path / "reconstructions").glob("*.png")) == [
        "trial-0000-fused.png",
        "trial-0001-static.png",
    ]


def test_the_sheet_has_truth_beside_reconstruction_in_picture_and_shape(album, tmp_path):
    for made in (*parts(0), *parts(1)):
        album.add(made)
    album.write()
    marks = ["simulated participant", "pocket generators: noise"]
    whole = album.sheet(BuiltIn(), LABELS, "P07", marks)
    named = album.sheet(None, LABELS, "P07", marks)
    assert whole.shape[1] == named.shape[1] and whole.std() > 0
    assert whole[: named.shape[0]].shape != named.shape or (whole[: named.shape[0]] != named).any()
    with Image.open(tmp_path / album.save_sheet(whole)) as written:
        assert (np.asarray(written) == whole).all()


def test_only_the_first_trials_stand_on_the_sheet(album):
    for trial in range(30):
        album.add(replace(parts(trial)[0], complete=True))
    album.write()
    assert len(album) == 30 and album.sheet(None, {}, "", []).shape[0] < 14 * 220
