import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from calibration.sets.errors import SetUnusable
from calibration.sets.manifest import (
    FILE_NAME,
    ItemEntry,
    Manifest,
    file_entry,
    read_manifest,
    write_manifest,
)
from tests.calibration.sets import made

DIGEST = "0" * 64


@pytest.fixture
def folder(tmp_path):
    """Two pictures and their manifest."""
    for name in ("cat/01.png", "dog/01.png"):
        made.picture(tmp_path / name, colour=(len(name), 0, ord(name[0])))
    write_manifest(tmp_path, manifest(tmp_path))
    return tmp_path


def manifest(folder):
    entries = [
        ItemEntry(category=name, object="01", picture=file_entry(folder, f"{name}/01.png")) for name in ("cat", "dog")
    ]
    return Manifest(name="two", licence="CC0-1.0", items=tuple(entries))


def rewrite(folder, change):
    """The manifest with something done to its values."""
    values = manifest(folder).model_dump(exclude_none=True, mode="json")
    change(values)
    (folder / FILE_NAME).write_text(tomli_w.dumps(values))


def test_what_was_written_is_read(folder):
    assert read_manifest(folder) == manifest(folder)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda v: v.update(colour="red"), "colour"),
        (lambda v: v["items"][0].update(sound={"path": "a.wav", "sha256": DIGEST}), "sound"),
        (lambda v: v["items"][0]["picture"].update(size=3), "size"),
        (lambda v: v.update(format=2), "format"),
        (lambda v: v.pop("licence"), "licence"),
        (lambda v: v.update(licence=""), "licence"),
        (lambda v: v.update(items=[]), "items"),
        (lambda v: v["items"][0]["picture"].update(sha256="abc"), "sha256"),
        (lambda v: v["items"][0]["picture"].update(sha256=DIGEST.upper() + "0"), "sha256"),
        (lambda v: v["items"][1].update(category="cat"), "cat/01 stands there 2 times"),
        (lambda v: v["items"][1].update(picture=v["items"][0]["picture"]), "cat/01.png stands there 2 times"),
        (lambda v: v["items"][0].pop("picture"), "cat/01 has no file"),
        (lambda v: v["items"][0].update(category="a/b"), "without '/'"),
        (lambda v: v["items"][0].update(object=" 01"), "space around"),
        (lambda v: v["items"][0].update(object="0\n1"), "line breaks"),
        (lambda v: v["items"][0]["picture"].update(path="../cat/01.png"), "'..'"),
        (lambda v: v["items"][0]["picture"].update(path="/etc/passwd"), "absolute"),
        (lambda v: v["items"][0]["picture"].update(path="C:/cat.png"), "drive"),
        (lambda v: v["items"][0]["picture"].update(path="cat\\01.png"), "backslash"),
        (lambda v: v["items"][0]["picture"].update(path="cat/\x0001.png"), "control"),
        (lambda v: v["items"][0]["picture"].update(path="cat/02.png"), "not on disk"),
        (lambda v: v.update(parts=[{"path": "cat/02.bin", "sha256": DIGEST}]), "not on disk"),
    ],
)
def test_a_manifest_that_is_not_whole_and_plain_is_refused_with_the_place(folder, change, told):
    rewrite(folder, change)
    with pytest.raises(SetUnusable, match=told):
        read_manifest(folder)


def test_a_changed_file_is_refused_and_named(folder):
    content = bytearray((folder / "cat" / "01.png").read_bytes())
    content[-20] ^= 1
    (folder / "cat" / "01.png").write_bytes(bytes(content))
    with pytest.raises(SetUnusable, match=r"cat/01\.png has changed"):
        read_manifest(folder)


def test_a_file_replaced_by_a_link_out_of_the_folder_is_refused_even_with_the_same_content(folder, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "01.png"
    (folder / "cat" / "01.png").rename(outside)
    (folder / "cat" / "01.png").symlink_to(outside)
    with pytest.raises(SetUnusable, match="leads out"):
        read_manifest(folder)


def test_what_may_not_be_read_is_refused_and_named():
    with made.as_nobody() as folder:
        for name in ("cat", "dog"):
            made.picture(folder / name / "01.png")
        write_manifest(folder, manifest(folder))
        for name in ("cat/01.png", FILE_NAME):
            (folder / name).chmod(0)
            with pytest.raises(SetUnusable, match=f"{name} cannot be read"):
                read_manifest(folder)


@given(st.binary(max_size=200))
def test_no_content_of_a_manifest_raises_anything_else(tmp_path_factory, content):
    folder = tmp_path_factory.getbasetemp() / "any"
    folder.mkdir(exist_ok=True)
    (folder / FILE_NAME).write_bytes(content)
    with pytest.raises(SetUnusable):
        read_manifest(folder)


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_accepted_name_comes_back_through_toml(category, object_):
    try:
        entry = ItemEntry(category=category, object=object_)
    except ValueError:
        return
    assert entry.item.key.split("/") == [category, object_]
