"""True captions: whose they are, and what is refused."""

import json

import pytest

from calibration.datasets.eeg3d import Eeg3d
from calibration.objects.builtin import BuiltIn
from calibration.objects.colours import LABELS
from calibration.sets.errors import SetUnusable
from calibration.stimuli import Item
from calibration.true_captions import BY_EEG3D, BY_RULE, NOBODY_SAYS, true_captions

ITEMS = (Item("airplane", "06"), Item("car", "08"))


def folder(path, simulated):
    """Two objects; nothing in it is opened but texts."""
    for label in ("01_airplane_06", "02_car_08"):
        (path / "image" / label.split("_")[1]).mkdir(parents=True)
        (path / "image" / label.split("_")[1] / f"{label}.png").write_bytes(b"")
    if simulated:
        (path / "origin.json").write_text(json.dumps({"made_by": "us", "simulated": True, "causal": True}))
    return path


@pytest.fixture
def published(tmp_path):
    return folder(tmp_path, simulated=False)


def test_nobody_wrote_of_a_published_folder_without_descriptions(published):
    assert true_captions(Eeg3d(published)) is None


def test_built_in_objects_are_told_of_by_rule(tmp_path):
    found = true_captions(Eeg3d(folder(tmp_path, simulated=True)))
    assert found is not None and found.author == BY_RULE
    colour = LABELS[BuiltIn().colour_label(ITEMS[1])]
    assert found.of(ITEMS)[1] == (f"a {colour} car",)


def test_descriptions_of_the_data_set_are_its_authors(published):
    told = {"airplane_06": {"uid": "x", "description": "a toy plane"}, "car_08": {"uid": "y", "description": "a van"}}
    (published / "description.json").write_text(json.dumps(told))
    found = true_captions(Eeg3d(published))
    assert found is not None and found.author == BY_EEG3D
    assert found.of(ITEMS) == (("a toy plane",), ("a van",))
    del told["car_08"]
    (published / "description.json").write_text(json.dumps(told))
    assert true_captions(Eeg3d(published)) is None


def test_a_table_of_captions_comes_before_everything_else(tmp_path):
    path = folder(tmp_path, simulated=True)
    (path / "captions.csv").write_text(
        "item,caption,author\nairplane/06,a plane,Ann\nairplane/06,an aircraft,Ann\ncar/08,a car,git-large-coco\n"
    )
    found = true_captions(Eeg3d(path))
    assert found is not None and found.author == "Ann, git-large-coco"
    assert found.of(ITEMS) == (("a plane", "an aircraft"), ("a car",))


def test_a_mapping_of_captions_says_who_wrote_them(published):
    (published / "captions.json").write_text(
        json.dumps({"author": "Ben", "captions": {"airplane/06": ["a", "b"], "car/08": "c"}})
    )
    found = true_captions(Eeg3d(published))
    assert found is not None and (found.author, found.of(ITEMS)) == ("Ben", (("a", "b"), ("c",)))


def test_an_author_who_is_not_named_is_not_made_up(published):
    (published / "captions.csv").write_text("item,caption\nairplane/06,a plane\n")
    found = true_captions(Eeg3d(published))
    assert found is not None and found.author == NOBODY_SAYS
    with pytest.raises(SetUnusable, match="1 have none, car/08"):
        found.of(ITEMS)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("captions.csv", "name,text\nairplane,a plane\n"),
        ("captions.csv", "item,caption\nairplane/06,\n"),
        ("captions.json", "{"),
        ("captions.json", '{"airplane/06": "a plane"}'),
        ("captions.json", '{"captions": {"airplane": "a plane"}}'),
        ("captions.json", '{"captions": {"airplane/06": 3}}'),
    ],
)
def test_files_of_another_form_are_refused(published, name, text):
    (published / name).write_text(text)
    with pytest.raises(SetUnusable, match="expected"):
        true_captions(Eeg3d(published))
