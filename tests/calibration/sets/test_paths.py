import os
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.sets.errors import SetUnusable
from calibration.sets.paths import checked_name, checked_path, files_below, inside


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "empty"),
        ("/etc/passwd", "absolute"),
        ("//server/share", "absolute"),
        ("C:/Windows", "drive"),
        ("c:secret", "drive"),
        ("a\\b", "backslash"),
        ("..", "'..'"),
        ("cat/../../x.jpg", "'..'"),
        ("./cat.jpg", "'.'"),
        ("cat//01.jpg", "empty part"),
        ("cat/", "empty part"),
        ("cat\0.jpg", "control"),
        ("cat\n.jpg", "control"),
        ("cat\udcff.jpg", "UTF-8"),
    ],
)
def test_a_path_that_could_mean_something_else_is_refused_with_the_reason(text, fault):
    with pytest.raises(SetUnusable, match=fault):
        checked_path(text)


@given(st.lists(st.sampled_from(["..", ".", "", "a", "b.jpg", "ä ö", "C:", "~"]), min_size=1, max_size=6).map("/".join))
def test_no_accepted_path_leaves_the_folder(tmp_path_factory, text):
    folder = tmp_path_factory.getbasetemp() / "set"
    folder.mkdir(exist_ok=True)
    try:
        path = inside(folder, text)
    except SetUnusable:
        return
    assert path.resolve().is_relative_to(folder.resolve())
    assert os.path.normpath(path) == str(path)


@given(st.text())
def test_what_is_accepted_is_its_own_plain_form(text):
    try:
        accepted = checked_path(text)
    except SetUnusable:
        return
    assert str(PurePosixPath(accepted)) == text
    assert ".." not in PurePosixPath(accepted).parts


def test_a_link_out_of_the_folder_is_refused_whether_named_or_found(tmp_path):
    (tmp_path / "secret.jpg").write_bytes(b"x")
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "cat.jpg").symlink_to(tmp_path / "secret.jpg")
    for look in (lambda: inside(folder, "cat.jpg"), lambda: files_below(folder)):
        with pytest.raises(SetUnusable, match="leads out"):
            look()


def test_a_folder_linked_from_outside_is_refused(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "cat").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    with pytest.raises(SetUnusable, match="leads out"):
        files_below(folder)


def test_a_link_within_the_folder_is_followed(tmp_path):
    (tmp_path / "cat.jpg").write_bytes(b"x")
    (tmp_path / "dog.jpg").symlink_to(tmp_path / "cat.jpg")
    assert files_below(tmp_path) == ["cat.jpg", "dog.jpg"]


def test_a_link_to_itself_and_a_folder_inside_itself_are_refused(tmp_path):
    (tmp_path / "cat.jpg").symlink_to(tmp_path / "cat.jpg")
    with pytest.raises(SetUnusable):
        files_below(tmp_path)
    (tmp_path / "cat.jpg").unlink()
    (tmp_path / "cats").symlink_to(tmp_path, target_is_directory=True)
    with pytest.raises(SetUnusable, match="holds it"):
        files_below(tmp_path)


def test_a_name_that_is_not_utf8_is_refused_and_named(tmp_path):
    (tmp_path / os.fsdecode(b"cat\xff.jpg")).write_bytes(b"x")
    with pytest.raises(SetUnusable, match=r"udcff.*UTF-8"):
        files_below(tmp_path)


def test_what_is_no_file_is_refused_before_anyone_waits_for_it(tmp_path):
    os.mkfifo(tmp_path / "cat.jpg")
    with pytest.raises(SetUnusable, match=r"cat\.jpg is no file"):
        files_below(tmp_path)
    (tmp_path / "cat.jpg").unlink()
    (tmp_path / "cat.jpg").symlink_to(tmp_path / "gone.jpg")
    with pytest.raises(SetUnusable, match=r"cat\.jpg is no file"):
        files_below(tmp_path)


@pytest.mark.parametrize("name", ["", " cat", "cat ", "a/b", "a\nb", "a\u200eb\u2028", "x" * 201])
def test_a_name_that_would_not_survive_a_marker_is_refused(name):
    with pytest.raises(SetUnusable, match="1 to 200 characters"):
        checked_name(name)


def test_hidden_files_are_left_out_and_a_missing_folder_is_told(tmp_path):
    (tmp_path / ".DS_Store").write_bytes(b"x")
    assert files_below(tmp_path) == []
    with pytest.raises(SetUnusable, match="no folder"):
        files_below(tmp_path / "none")
