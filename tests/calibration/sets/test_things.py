import pytest

from calibration.sets.errors import SetUnusable
from calibration.sets.things import Things
from calibration.stimuli import Item
from tests.calibration.sets import made

CONCEPTS = ("00001_aardvark", "00002_abacus", "00003_bat1")


@pytest.fixture
def folder(tmp_path):
    """Three training concepts of ten pictures and one test concept, names as published."""
    for concept in CONCEPTS:
        for k in range(1, 11):
            made.picture(tmp_path / "training_images" / concept / f"{concept[6:]}_{k:02d}b.jpg", size=(4, 4))
    made.picture(tmp_path / "test_images" / "00001_aircraft_carrier" / "aircraft_carrier_06s.jpg", size=(6, 4))
    return tmp_path


def test_concepts_and_pictures_are_in_the_order_of_the_arrays(folder):
    stimuli = Things(folder)
    assert [stimuli.row(item) for item in stimuli.training] == list(range(30))
    assert stimuli.training[10] == Item("abacus", "abacus_01b")
    assert stimuli.test == (Item("aircraft_carrier", "aircraft_carrier_06s"),)
    assert stimuli.row(stimuli.test[0]) == 0
    assert stimuli.items == stimuli.training + stimuli.test


def test_the_row_comes_from_the_concepts_number_so_that_part_of_the_set_is_right_too(folder):
    for path in (folder / "training_images" / CONCEPTS[0]).iterdir():
        path.unlink()
    assert [Things(folder).row(item) for item in Things(folder).training] == list(range(10, 30))


def test_pictures_only(folder):
    stimuli = Things(folder)
    item = stimuli.test[0]
    assert stimuli.picture(item).shape == (4, 6, 3)
    assert [ask(item) for ask in (stimuli.turn, stimuli.mesh, stimuli.point_cloud, stimuli.colour_label)] == [None] * 4
    stimuli.verify(item)
    with pytest.raises(SetUnusable, match="no face/01"):
        stimuli.picture(Item("face", "01"))


def test_the_database_has_concepts_and_no_rows(tmp_path):
    for name in ("aardvark/aardvark_01b.jpg", "aardvark/aardvark_02s.jpg", "zucchini/zucchini_01b.jpg"):
        made.picture(tmp_path / "object_images" / name)
    stimuli = Things(tmp_path)
    assert [item.key for item in stimuli.items] == [
        "aardvark/aardvark_01b",
        "aardvark/aardvark_02s",
        "zucchini/zucchini_01b",
    ]
    with pytest.raises(SetUnusable, match="no order"):
        stimuli.row(stimuli.items[0])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda f: next((f / "training_images" / CONCEPTS[1]).iterdir()).unlink(), "holds 9 pictures"),
        (lambda f: made.picture(f / "test_images" / "00001_aircraft_carrier" / "b.jpg"), "holds 2 pictures"),
        (lambda f: (f / "training_images" / CONCEPTS[1]).rename(f / "training_images" / "abacus"), "00001_aardvark"),
        (lambda f: made.picture(f / "test_images" / "00001_altar" / "altar_01b.jpg"), "one number"),
        (lambda f: made.picture(f / "test_images" / "loose.jpg"), "inside a concept"),
        (lambda f: made.picture(f / "test_images" / "00002_x" / "deep" / "x.jpg"), "inside a concept"),
        (lambda f: made.picture(f / "test_images" / "00002_bat1" / "bat1_03b.jpg"), "both bat1/bat1_03b"),
    ],
)
def test_a_folder_whose_rows_would_not_fit_the_arrays_is_refused(folder, change, told):
    change(folder)
    with pytest.raises(SetUnusable, match=told):
        Things(folder)


def test_a_folder_without_pictures_is_refused(tmp_path):
    (tmp_path / "training_images").mkdir()
    with pytest.raises(SetUnusable, match="no picture"):
        Things(tmp_path)
