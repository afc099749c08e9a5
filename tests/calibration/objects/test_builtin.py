import hashlib
import json
import shutil

import numpy as np
import pytest

from calibration.descriptors import MOVING, STILL
from calibration.objects.build import build
from calibration.objects.builtin import BuiltIn
from calibration.objects.render import Renderer
from calibration.objects.shipped import DESCRIPTORS, FOLDER, MANIFEST, SetDamaged, Shipped, picture_file
from calibration.stimuli import Item, StimulusSet
from engines.errors import InputError

CHAIR = Item("chair", "03")


@pytest.fixture(scope="module")
def stimuli():
    return BuiltIn()


def test_it_is_a_stimulus_set_of_720_items(stimuli):
    as_set: StimulusSet = stimuli
    assert as_set.name == "built-in objects"
    assert len(set(as_set.items)) == 720 and CHAIR in as_set.items


def test_an_item_is_shown_as_picture_mesh_points_and_descriptors(stimuli):
    picture = stimuli.picture(CHAIR)
    assert picture.shape == (224, 224, 3) and picture.dtype == np.uint8
    assert len(stimuli.mesh(CHAIR).faces) == len(build("chair", 3).faces)
    assert stimuli.point_cloud(CHAIR).shape == (8192, 6)
    assert stimuli.colour_label(CHAIR) == build("chair", 3).colour_label
    still, moving = stimuli.descriptors(CHAIR)
    assert still.shape == (len(STILL),) and moving.shape == (60, len(MOVING))
    assert np.isfinite(still).all() and np.isfinite(moving).all()


def test_a_shipped_picture_is_the_object_as_rendered_now(stimuli):
    with Renderer(224) as renderer:
        for item in (CHAIR, Item("tree", "00"), Item("ring", "09")):
            difference = stimuli.picture(item).astype(int) - renderer.picture(stimuli.solid(item))
            assert np.abs(difference).mean() < 2


def test_a_turn_begins_with_the_picture_and_takes_six_seconds(stimuli, monkeypatch):
    monkeypatch.setattr("calibration.objects.builtin.TURN_HZ", 2.0)
    frames, rate_hz = stimuli.turn(CHAIR)
    assert frames.shape == (12, 224, 224, 3) and len(frames) / rate_hz == 6
    assert np.abs(frames[0].astype(int) - stimuli.picture(CHAIR)).mean() < 2
    assert np.abs(frames[3].astype(int) - frames[0]).mean() > 2


@pytest.mark.parametrize("item", [Item("chair", "10"), Item("chair", "3"), Item("unicorn", "00")])
def test_an_item_that_it_has_not_is_refused(stimuli, item):
    for ask in (stimuli.picture, stimuli.mesh, stimuli.colour_label, stimuli.descriptors):
        with pytest.raises(InputError, match=item.key):
            ask(item)


def test_every_shipped_file_is_in_the_manifest_and_unchanged():
    shipped = Shipped()
    names = {path.name for path in FOLDER.iterdir()} - {MANIFEST}
    assert names == set(shipped.manifest["files"])
    for name in names:
        assert shipped.checked(name) == FOLDER / name


def test_all_that_ships_is_at_most_eight_megabytes():
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) <= 8e6


@pytest.mark.parametrize("number", range(2))
def test_a_few_objects_are_those_that_were_shipped(number):
    objects = Shipped().manifest["objects"]
    for category in ("apple", "piano", "windmill"):
        assert build(category, number).digest == objects[f"{category}/{number:02d}"]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_object_is_that_which_was_shipped():
    objects = Shipped().manifest["objects"]
    assert len(objects) == 720
    assert {key: build(key[:-3], int(key[-2:])).digest for key in objects} == objects


@pytest.fixture
def copy(tmp_path):
    for name in (MANIFEST, DESCRIPTORS, picture_file("chair")):
        shutil.copy(FOLDER / name, tmp_path / name)
    return tmp_path


def test_a_changed_picture_is_refused(copy):
    path = copy / picture_file("chair")
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(SetDamaged, match=r"chair\.webp has SHA-256 .* the manifest says"):
        BuiltIn(copy).picture(CHAIR)


def test_a_missing_file_is_told(copy):
    (copy / DESCRIPTORS).unlink()
    with pytest.raises(SetDamaged, match="cannot be read"):
        BuiltIn(copy).descriptors(CHAIR)


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "is no JSON"), ('{"format": 9}', "format 9"), ('{"format": 1, "files": {}, "objects": {}}', "lists no")],
)
def test_a_manifest_that_is_none_is_told(copy, text, message):
    (copy / MANIFEST).write_text(text)
    with pytest.raises(SetDamaged, match=message):
        BuiltIn(copy).picture(CHAIR)


def test_sealing_lists_what_lies_in_the_folder(copy, monkeypatch):
    monkeypatch.setattr("calibration.objects.shipped.ITEMS", (CHAIR,))
    from calibration.objects.shipped import seal

    (copy / "more.bin").write_bytes(b"more")
    seal(copy)
    manifest = json.loads((copy / MANIFEST).read_text())
    assert manifest["files"]["more.bin"] == hashlib.sha256(b"more").hexdigest()
    assert manifest["objects"] == {CHAIR.key: build("chair", 3).digest}
    np.testing.assert_array_equal(BuiltIn(copy).picture(CHAIR), BuiltIn().picture(CHAIR))
