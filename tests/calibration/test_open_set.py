import numpy as np
import pytest

from calibration.datasets.eeg3d import Eeg3d, Origin
from calibration.datasets.eeg3d_write import write_stimuli
from calibration.objects.builtin import BuiltIn
from calibration.open_set import faults_of, licence_of, open_set, warnings_of
from calibration.sets.errors import SetUnusable
from calibration.sets.folder import Folder, index
from calibration.sets.sheet import SIDE_PX, TITLE_PX, contact_sheet
from calibration.sets.things import Things
from tests.calibration.sets import made
from tests.calibration.sets.small_set import SmallSet


def test_each_layout_is_known_by_what_is_in_it(tmp_path):
    write_stimuli(tmp_path / "3d", SmallSet(), Origin(made_by="a test", simulated=True, causal=True), videos=False)
    made.picture(tmp_path / "things" / "object_images" / "cat" / "cat_01b.jpg")
    made.picture(tmp_path / "plain" / "cat" / "01.jpg")
    found = {name: open_set(str(tmp_path / name)) for name in ("3d", "things", "plain")}
    assert [type(found[name]) for name in found] == [Eeg3d, Things, Folder]
    assert isinstance(open_set("builtin"), BuiltIn)


def test_a_manifest_decides_before_the_layout(tmp_path):
    made.picture(tmp_path / "video_new" / "cat.jpg")
    index(tmp_path, "cats", "CC0-1.0")
    assert isinstance(open_set(str(tmp_path)), Folder)


def test_what_is_neither_builtin_nor_a_folder_is_refused(tmp_path):
    with pytest.raises(SetUnusable, match="neither a folder nor 'builtin'"):
        open_set(str(tmp_path / "none"))


def test_every_item_with_a_fault_is_told_and_the_others_are_not(tmp_path):
    for name in ("cat_01.png", "cat_02.png", "cat_03.png"):
        made.picture(tmp_path / name)
    made.cut(tmp_path / "cat_02.png")
    faults = list(faults_of(open_set(str(tmp_path))))
    assert [bool(fault) for fault in faults] == [False, True, False]
    assert faults[1].startswith("cat/02: ")


def test_a_set_that_the_user_brought_says_its_licence_and_warnings(tmp_path):
    made.picture(tmp_path / "cat_01.png")
    stimuli = open_set(str(tmp_path))
    assert licence_of(stimuli) == ""
    assert len(warnings_of(stimuli)) == 1
    assert warnings_of(SmallSet()) == ()
    assert licence_of(SmallSet()) == "as Afterimage itself"


def test_a_sheet_has_a_row_for_each_category_with_every_picture_in_its_place():
    stimuli = SmallSet()
    sheet, n_left_out = contact_sheet(stimuli)
    assert n_left_out == 0
    assert sheet.shape == (3 * SIDE_PX, TITLE_PX + 10 * SIDE_PX, 3)
    for item in stimuli.items:
        row, column = divmod(stimuli.items.index(item), 10)
        middle = sheet[SIDE_PX * row + SIDE_PX // 2, TITLE_PX + SIDE_PX * column + SIDE_PX // 2]
        np.testing.assert_array_equal(middle, stimuli.picture(item)[0, 0])


def test_a_sheet_says_what_found_no_place(monkeypatch):
    monkeypatch.setattr("calibration.sets.sheet.MAX_ROWS", 2)
    monkeypatch.setattr("calibration.sets.sheet.MAX_COLUMNS", 4)
    sheet, n_left_out = contact_sheet(SmallSet())
    assert n_left_out == 30 - 8
    assert sheet.shape == (2 * SIDE_PX, TITLE_PX + 4 * SIDE_PX, 3)
