import json

import numpy as np
import pytest

from calibration.datasets.eeg3d import Eeg3d, signed_colours
from calibration.datasets.eeg3d_names import Label
from calibration.datasets.eeg3d_write import write_colours
from calibration.sets.errors import SetUnusable
from calibration.stimuli import Item
from tests.calibration.sets import made

PLANE = Item("airplane", "06")


@pytest.fixture
def folder(tmp_path):
    """Two objects as the published folder has them."""
    for number, key in ((1, "airplane_06"), (16, "Christmas_tree_00")):
        category = key[:-3]
        made.picture(tmp_path / "image" / category / f"{number:02d}_{key}.png")
        made.video(tmp_path / "video_new" / f"{number:02d}_{key}.mp4")
        points(tmp_path / "point_cloud_simple" / f"{key}.npy")
    write_colours(tmp_path / "color_label.xlsx", {"airplane_06": 2, "Christmas_tree_00": 0})
    described = {"airplane_06": {"uid": "a" * 32, "description": "A toy airplane."}}
    (tmp_path / "description.json").write_text(json.dumps(described))
    return tmp_path


def points(path, colours=1.0):
    path.parent.mkdir(exist_ok=True)
    rng = np.random.default_rng(0)
    np.save(path, np.column_stack([rng.normal(2, 3, (8192, 3)), colours * rng.random((8192, 3))]))


def test_objects_stand_in_the_order_of_their_numbers(folder):
    stimuli = Eeg3d(folder)
    assert stimuli.items == (PLANE, Item("Christmas_tree", "00"))
    assert (stimuli.name, stimuli.simulated, stimuli.origin) == ("EEG-3D", False, None)


def test_everything_known_of_an_object_is_given(folder):
    stimuli = Eeg3d(folder)
    assert stimuli.picture(PLANE).shape == (8, 12, 3)
    assert stimuli.turn(PLANE)[0].shape == (6, 32, 32, 3)
    assert stimuli.colour_label(PLANE) == 2
    assert stimuli.description(PLANE) == "A toy airplane."
    assert stimuli.description(Item("Christmas_tree", "00")) is None
    assert stimuli.mesh(PLANE) is None
    stimuli.verify(PLANE)


def test_a_point_cloud_is_centred_on_its_mean_within_the_unit_sphere(folder):
    cloud = Eeg3d(folder).point_cloud(PLANE)
    np.testing.assert_allclose(cloud[:, :3].mean(axis=0), 0, atol=1e-12)
    assert np.linalg.norm(cloud[:, :3], axis=1).max() == pytest.approx(1.0)
    assert 0 <= cloud[:, 3:].min() < 0.01 < 0.99 < cloud[:, 3:].max() <= 1
    signed = signed_colours(cloud)
    np.testing.assert_allclose(signed[:, 3:], (cloud[:, 3:] - 0.5) * 2)
    np.testing.assert_array_equal(signed[:, :3], cloud[:, :3])


def test_published_arrays_are_offline_only_and_say_why(folder):
    stimuli = Eeg3d(folder)
    assert stimuli.offline_only
    assert "zero phase" in stimuli.offline_reason
    assert stimuli.offline_reason in stimuli.warnings[0]


def test_without_pictures_the_videos_first_frame_is_shown_and_told(folder):
    for path in (folder / "image").rglob("*.png"):
        path.unlink()
    stimuli = Eeg3d(folder)
    assert stimuli.picture(PLANE).shape == (32, 32, 3)
    assert any("image/ lacks 2 of 2" in warning for warning in stimuli.warnings)


def test_what_is_not_there_is_none(folder):
    (folder / "color_label.xlsx").unlink()
    (folder / "description.json").unlink()
    (folder / "point_cloud_simple" / "airplane_06.npy").unlink()
    (folder / "video_new" / "01_airplane_06.mp4").unlink()
    stimuli = Eeg3d(folder)
    assert [ask(PLANE) for ask in (stimuli.colour_label, stimuli.description, stimuli.point_cloud, stimuli.turn)] == [
        None
    ] * 4


def test_an_object_known_only_from_the_recordings_cannot_be_shown(tmp_path):
    place = tmp_path / "EEGdata" / "sub01"
    place.mkdir(parents=True)
    np.save(place / "name_label.npy", np.array(["01_airplane_06"]))
    stimuli = Eeg3d(tmp_path)
    assert stimuli.items == (PLANE,)
    with pytest.raises(SetUnusable, match=r"neither image/airplane/01_airplane_06\.png nor video_new"):
        stimuli.picture(PLANE)


@pytest.mark.parametrize(
    "text", ["airplane_06", "1_airplane_06", "01_airplane_6", "01_airplane", "01__06", "01-airplane-06", ""]
)
def test_another_form_of_name_is_refused(text):
    with pytest.raises(SetUnusable, match="NN_category_NN"):
        Label.parse(text)


def test_a_name_in_parts_is_the_name_again():
    label = Label.parse("07_grand_piano_02")
    assert (label.category, label.object, label.key, str(label)) == (
        "grand_piano",
        "02",
        "grand_piano_02",
        "07_grand_piano_02",
    )


def test_one_object_under_two_numbers_is_refused(folder):
    made.picture(folder / "image" / "airplane" / "02_airplane_06.png")
    with pytest.raises(SetUnusable, match="one object"):
        Eeg3d(folder)


def test_a_folder_with_nothing_in_it_is_refused(tmp_path):
    (tmp_path / "EEGdata").mkdir()
    with pytest.raises(SetUnusable, match="no object"):
        Eeg3d(tmp_path)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (np.zeros((8192, 6)), "all points are one"),
        (np.ones((8192, 3)), r"expected float32 or float64 \(8192, 6\), came float64 \(8192, 3\)"),
        (np.ones((2048, 6)), r"\(2048, 6\)"),
        (np.ones((8192, 6), int), "int64"),
        (np.full((8192, 6), np.nan), "outside"),
        (255 * np.random.default_rng(0).random((8192, 6)), "red green blue from 0 to 1"),
    ],
)
def test_points_of_another_form_are_refused(folder, values, told):
    np.save(folder / "point_cloud_simple" / "airplane_06.npy", values)
    with pytest.raises(SetUnusable, match=told):
        Eeg3d(folder).point_cloud(PLANE)


def test_a_pickle_named_as_an_array_is_refused(folder):
    np.save(folder / "point_cloud_simple" / "airplane_06.npy", np.array([{}, None], object))
    with pytest.raises(SetUnusable, match="plain array"):
        Eeg3d(folder).point_cloud(PLANE)


def test_colours_beyond_the_six_and_missing_ones_are_refused(folder):
    write_colours(folder / "color_label.xlsx", {"airplane_06": 6})
    with pytest.raises(SetUnusable, match="0 to 5"):
        Eeg3d(folder).colour_label(PLANE)
    write_colours(folder / "color_label.xlsx", {"apple_00": 1})
    with pytest.raises(SetUnusable, match="no row for airplane_06"):
        Eeg3d(folder).colour_label(PLANE)


@pytest.mark.parametrize("text", ["[]", "{", '{"airplane_06": {"uid": 1}}', '{"airplane_06": 3}'])
def test_a_description_of_another_form_is_refused(folder, text):
    (folder / "description.json").write_text(text)
    with pytest.raises(SetUnusable, match="uid, description"):
        Eeg3d(folder).description(PLANE)


@pytest.mark.parametrize("text", ["{}", "no json", '{"made_by": "x", "simulated": true, "causal": true, "more": 1}'])
def test_an_origin_of_another_form_is_refused(folder, text):
    (folder / "origin.json").write_text(text)
    with pytest.raises(SetUnusable, match=r"origin\.json"):
        Eeg3d(folder)


def test_subject_folders_keep_their_names_and_unknown_ones_are_refused(folder):
    for name in ("sub30", "sub02"):
        (folder / "EEGdata" / name).mkdir(parents=True)
        np.save(folder / "EEGdata" / name / "name_label.npy", np.array(["01_airplane_06"]))
    stimuli = Eeg3d(folder)
    assert stimuli.subjects == ("sub02", "sub30")
    with pytest.raises(SetUnusable, match="sub02, sub30"):
        stimuli.trials("sub01")
    with pytest.raises(SetUnusable, match="no subject"):
        stimuli.trials("../EEGdata/sub02")


def test_a_cut_off_video_is_found_by_verifying(folder):
    made.cut(folder / "video_new" / "01_airplane_06.mp4")
    with pytest.raises(SetUnusable, match=r"01_airplane_06\.mp4"):
        Eeg3d(folder).verify(PLANE)
