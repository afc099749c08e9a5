import shutil

import numpy as np
import pytest
from PIL import Image

from calibration.objects.render import BACKGROUND
from calibration.sets.errors import SetUnusable
from calibration.sets.folder import Folder, index, item_of
from calibration.sets.manifest import FILE_NAME, read_manifest
from calibration.stimuli import Item
from tests.calibration.sets import made


def names(stimuli):
    return [item.key for item in stimuli.items]


def test_a_sub_folder_is_a_category_and_a_file_an_object(tmp_path):
    for name in ("dog/01.png", "cat/02.png", "cat/01.png"):
        made.picture(tmp_path / name)
    stimuli = Folder(tmp_path)
    assert names(stimuli) == ["cat/01", "cat/02", "dog/01"]
    assert stimuli.picture(Item("cat", "01")).shape == (8, 12, 3)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("cat_01.jpg", "cat/01"),
        ("cat01.jpg", "cat/01"),
        ("cat-01.JPG", "cat/01"),
        ("cat.jpg", "cat/cat"),
        ("bed_double_A.gltf", "bed/double_A"),
        ("polar bear 3.png", "polar bear/3"),
        ("target-2083492_640.jpg", "target/2083492_640"),
        ("Bär_1.png", "Bär/1"),
        ("cat/a_b 1.png", "cat/a_b 1"),
    ],
)
def test_a_name_tells_category_and_object(name, key):
    assert item_of(name).key == key


def test_a_name_without_category_is_refused():
    with pytest.raises(SetUnusable, match="names no category"):
        item_of("01_cat.jpg")


def test_one_stem_as_picture_video_and_mesh_is_one_item(tmp_path):
    made.picture(tmp_path / "cat" / "01.png")
    made.video(tmp_path / "cat" / "01.mp4")
    made.mesh(tmp_path / "cat" / "01.glb")
    stimuli = Folder(tmp_path)
    (cat,) = stimuli.items
    assert stimuli.picture(cat).shape == (8, 12, 3)
    frames, rate_hz = stimuli.turn(cat)
    assert (frames.shape, rate_hz) == ((6, 32, 32, 3), 15.0)
    assert len(stimuli.mesh(cat).faces) == 12
    assert stimuli.point_cloud(cat).shape == (8192, 6)


def test_what_a_picture_alone_has_not_got_is_none(tmp_path):
    made.picture(tmp_path / "cat_01.png")
    stimuli = Folder(tmp_path)
    (cat,) = stimuli.items
    assert [stimuli.turn(cat), stimuli.mesh(cat), stimuli.point_cloud(cat), stimuli.colour_label(cat)] == [None] * 4


def test_a_video_alone_shows_its_first_frame(tmp_path):
    made.video(tmp_path / "cat_01.mp4")
    stimuli = Folder(tmp_path)
    (cat,) = stimuli.items
    np.testing.assert_array_equal(stimuli.picture(cat), stimuli.turn(cat)[0][0])


def test_a_mesh_alone_is_shown_in_its_colours(tmp_path):
    made.mesh(tmp_path / "box_01.glb", colour=(255, 0, 0, 255))
    stimuli = Folder(tmp_path)
    picture = stimuli.picture(stimuli.items[0])
    red = (picture[:, :, 0] > 1.5 * picture[:, :, 1]).mean()
    assert 0.05 < red < 0.5


def test_a_mesh_alone_turns_once(tmp_path, monkeypatch):
    monkeypatch.setattr("calibration.sets.shown.TURN_HZ", 2.0)
    made.mesh(tmp_path / "box_01.glb")
    stimuli = Folder(tmp_path)
    (box,) = stimuli.items
    picture = stimuli.picture(box)
    frames, rate_hz = stimuli.turn(box)
    assert len(frames) / rate_hz == 6.0
    np.testing.assert_array_equal(frames[0], picture)
    quarter = len(frames) // 4
    assert (frames[quarter] != picture).any(), "the box is not a cube: turned by a quarter it looks different"


def test_real_furniture_without_pictures_can_be_shown(data):
    stimuli = Folder(data / "mesh" / "kaykit_furniture")
    assert "bed/double_A" in names(stimuli)
    assert not any("texture" in name for name in names(stimuli)), "a texture of a mesh is no stimulus"
    assert (stimuli.picture(Item("chair", "A")) != BACKGROUND).mean() > 0.05


def test_real_photographs_in_one_folder_have_their_categories_in_their_names(data):
    stimuli = Folder(data / "mesh" / "images_cats_dogs")
    assert {item.category for item in stimuli.items} == {"target", "nontarget"}
    assert len(stimuli.items) == 8
    assert any("LICENSE.txt" in warning for warning in stimuli.warnings)


def test_an_unlisted_folder_says_that_nothing_was_checked(tmp_path):
    made.picture(tmp_path / "cat_01.png")
    assert "no file was checked" in Folder(tmp_path).warnings[0]
    index(tmp_path, "cats", "CC0-1.0")
    listed = Folder(tmp_path)
    assert (listed.name, listed.licence, listed.warnings) == ("cats", "CC0-1.0", ())


def test_an_index_lists_every_file_and_what_meshes_need(tmp_path, data):
    for path in (data / "mesh" / "kaykit_city_builder").iterdir():
        shutil.copy(path, tmp_path)
    index(tmp_path, "city", "CC0-1.0")
    listed = read_manifest(tmp_path)
    assert {entry.path for entry in listed.files} == {p.name for p in tmp_path.iterdir()} - {FILE_NAME, "LICENSE.txt"}
    assert Folder(tmp_path).warnings == ("not used: LICENSE.txt",)
    (tmp_path / "citybits_texture.png").write_bytes(b"another texture")
    with pytest.raises(SetUnusable, match=r"citybits_texture\.png has changed"):
        Folder(tmp_path)


def test_a_listed_set_is_the_list_and_nothing_that_came_later(tmp_path):
    made.picture(tmp_path / "cat_01.png")
    index(tmp_path, "cats", "CC0-1.0")
    made.picture(tmp_path / "cat_02.png")
    stimuli = Folder(tmp_path)
    assert names(stimuli) == ["cat/01"]
    assert stimuli.warnings == ("not used: cat_02.png",)
    index(tmp_path, "cats", "CC0-1.0")
    assert names(Folder(tmp_path)) == ["cat/01", "cat/02"]


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ((), "no picture"),
        (("readme.txt",), "no picture"),
        (("cat_1.png", "cat_1.jpg"), r"cat_1\.jpg and cat_1\.png are both the picture"),
        (("cat_1.png", "cat1.png"), "both the picture"),
        (("cat.png", "dog/1.png"), "one sub-folder a category"),
        (("a/b/1.png",), "one sub-folder a category"),
        (("01.png",), "names no category"),
    ],
)
def test_a_folder_that_could_be_understood_in_two_ways_is_refused(tmp_path, files, told):
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(SetUnusable, match=told):
        Folder(tmp_path)


def test_an_unknown_item_is_refused_for_every_question(tmp_path):
    made.picture(tmp_path / "cat_01.png")
    stimuli = Folder(tmp_path)
    for ask in (stimuli.picture, stimuli.turn, stimuli.mesh, stimuli.point_cloud, stimuli.colour_label):
        with pytest.raises(SetUnusable, match="dog/01"):
            ask(Item("dog", "01"))


def test_a_picture_swapped_for_a_link_after_opening_is_refused(tmp_path):
    folder = tmp_path / "set"
    path = made.picture(folder / "cat_01.png")
    stimuli = Folder(folder)
    path.rename(tmp_path / "elsewhere.png")
    path.symlink_to(tmp_path / "elsewhere.png")
    with pytest.raises(SetUnusable, match="leads out"):
        stimuli.picture(stimuli.items[0])


def test_what_may_not_be_opened_is_told_and_named():
    with made.as_nobody() as folder:
        made.picture(folder / "cat" / "01.png").chmod(0)
        with pytest.raises(SetUnusable, match=r"01\.png cannot be read"):
            Folder(folder).picture(Item("cat", "01"))
        with pytest.raises(SetUnusable, match=r"01\.png cannot be read"):
            index(folder, "cats", "CC0-1.0")
        (folder / "cat").chmod(0)
        with pytest.raises(SetUnusable, match="cat cannot be opened"):
            Folder(folder)
        (folder / "cat").chmod(0o700)


def test_the_same_content_is_the_same_picture_every_time(tmp_path):
    values = np.random.default_rng(0).integers(0, 256, (9, 7, 3), np.uint8)
    Image.fromarray(values).save(tmp_path / "cat_01.png")
    stimuli = Folder(tmp_path)
    np.testing.assert_array_equal(stimuli.picture(stimuli.items[0]), values)
    with pytest.raises(ValueError, match="read-only"):
        stimuli.picture(stimuli.items[0])[0] = 0
