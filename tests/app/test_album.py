from dataclasses import replace

import numpy as np
import pytest
import trimesh
from PIL import Image

from app.album import Album, SheetWanted
from app.making import Making
from app.sheet import MOST, TILE_PX, chosen, drawn
from app.sheet_process import drawn_beside
from engines.errors import AfterimageError, WorkError
from engines.generators.meshes import read_surface
from pipeline.reconstruction import MeshComes, Shaped
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


def later(trial, stage="fused"):
    """An answer whose mesh takes long, and the same once more with it."""
    whole = parts(trial, stage)[-1]
    without = replace(whole, mesh=None, ms=whole.ms[:1], mesh_comes=MeshComes.LATER)
    return without, without.with_mesh(Shaped(whole.mesh, 9000.0), 1.0)


def test_a_mesh_that_comes_late_joins_its_answer_written_or_not(album, tmp_path):
    (first, late_first), (second, late_second) = later(0), later(1)
    overtaken, too_late = later(2, "refined")
    for made in (first, second, late_first, late_second, overtaken, *parts(2, "fused"), too_late):
        album.add(made)
    album.write()
    rows = album.rows(TRUTH, LABELS)
    assert [(row["trial"], row["stage"]) for row in rows] == [(0, "fused"), (1, "fused"), (2, "fused")]
    assert all((tmp_path / row[name]).is_file() for row in rows for name in ("picture", "mesh"))
    assert sorted(p.name for p in (tmp_path / "reconstructions").glob("trial-0002*")) == [
        "trial-0002-fused.glb",
        "trial-0002-fused.png",
    ]
    told = album.ledger.summary_ms()
    assert told["picture"]["n"] == 4 and told["mesh"]["n"] == 4 and told["mesh"]["max"] == 9000.0


def test_a_late_mesh_that_failed_leaves_its_picture_and_says_why(album):
    first, _ = later(0)
    for made in (first, *parts(1), first.with_mesh(Shaped(error="mesh: out of memory"), 1.0)):
        album.add(made)
    album.write()
    row, _ = album.rows({}, {})
    assert row["picture"] and row["mesh"] is None and row["error"] == "mesh: out of memory"


def test_meshes_are_written_in_every_format_asked_for_and_the_first_is_drawn_again(tmp_path):
    album = filled(Album(tmp_path, ("npy", "ply", "obj", "glb")), *parts(0))
    (row,) = album.rows(TRUTH, LABELS)
    assert [name[-3:] for name in row["mesh_files"]] == ["npy", "ply", "obj", "glb"] and row["mesh"].endswith("ply")
    surfaces = [read_surface(tmp_path / name) for name in row["mesh_files"][1:]]
    for surface in surfaces:
        np.testing.assert_allclose(surface.vertices, parts(0)[-1].mesh.vertices, atol=1e-6)
    assert np.load(tmp_path / row["mesh_files"][0]).shape == (8192, 6)
    (row,) = filled(Album(tmp_path / "clouds", ("npy",)), *parts(0)).rows({}, {})
    assert row["mesh"] is None and len(row["mesh_files"]) == 1


def test_apart_the_files_are_those_that_are_written_at_once_and_none_is_left_behind(tmp_path):
    apart, here = Album(tmp_path / "apart", apart=True), Album(tmp_path / "here")
    for album in (apart, here):
        for made in (*parts(0), *parts(1), *parts(0, "fused")):
            album.add(made)
        album.close()
        album.close()
    assert apart.rows(TRUTH, LABELS) == here.rows(TRUTH, LABELS)
    files = [sorted((tmp_path / name / "reconstructions").iterdir()) for name in ("apart", "here")]
    assert [path.name for path in files[0]] == [path.name for path in files[1]]
    assert all(one.read_bytes() == other.read_bytes() for one, other in zip(*files, strict=True))


def wanted(album, stimuli="builtin", labels=LABELS):
    return SheetWanted(album.out, album.rows(TRUTH, labels), stimuli, "P07", ("simulated participant",))


def filled(album, *made):
    for one in made:
        album.add(one)
    album.write()
    return album


def test_the_sheet_has_truth_beside_reconstruction_in_picture_and_shape(album, tmp_path):
    wish = wanted(filled(album, *parts(0), *parts(1)))
    whole, named = drawn(wish), drawn(replace(wish, stimuli="/nowhere"))
    n_columns = (whole.shape[1] - 32) / (TILE_PX + 6)
    assert 7.9 < n_columns < 8.3, "two trials beside one another, each four tiles"
    assert named.shape[1] < 0.6 * whole.shape[1], "without the set there is no column for what was shown"
    with Image.open(tmp_path / album.save_sheet(whole)) as written:
        assert (np.asarray(written) == whole).all()


def test_what_was_not_made_of_any_trial_has_no_column(album):
    whole = wanted(filled(album, *parts(0)))
    without = {kind: replace(whole, rows=[{**row, kind: None} for row in whole.rows]) for kind in ("picture", "mesh")}
    heights = [drawn(without[kind]).shape[1] for kind in without]
    assert all(0.45 * drawn(whole).shape[1] < width < 0.55 * drawn(whole).shape[1] for width in heights)
    assert drawn(replace(whole, rows=[{**row, "picture": None, "mesh": None} for row in whole.rows])) is None


def test_of_many_trials_the_sheet_shows_some_evenly_from_the_first_to_the_last():
    assert [row["trial"] for row in chosen([{"trial": n} for n in range(3)])] == [0, 1, 2]
    some = [row["trial"] for row in chosen([{"trial": n} for n in range(500)])]
    assert len(some) == MOST and (some[0], some[-1]) == (0, 499) and set(np.diff(some)) <= {10, 11}
    assert chosen([]) == []


def test_beside_a_window_the_sheet_is_drawn_by_a_process_of_its_own(album):
    wish = wanted(filled(album, *[replace(part, mesh=None) for part in parts(0)]))
    assert (drawn_beside(wish) == drawn(wish)).all()
    with pytest.raises(AfterimageError, match="FileNotFoundError"):
        drawn_beside(replace(wish, out=album.out / "elsewhere"))
