import hashlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from engines import shipped
from engines.errors import InputError
from engines.generators.config import GeneratorsConfig
from engines.parts import PARTS
from engines.weights import Absent, Found, check, find, git_hash, part, said, size

NOWHERE = GeneratorsConfig()
GIT_FILES = {"config.json": b"{}", "preprocessor_config.json": b"{}", "tokenizer.json": b"{}"}
WEIGHTS = b"weights of a captioner"


@pytest.fixture(autouse=True)
def empty_home(tmp_path, monkeypatch):
    """Caches of this test alone."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("U2NET_HOME", str(tmp_path / "u2net"))
    return tmp_path


def in_hub_cache(home, content=WEIGHTS):
    """GIT as huggingface_hub keeps it: files that point to blobs, named by their SHA-256 or git's hash."""
    model = home / "hub" / "models--microsoft--git-large-coco"
    snapshot = model / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (model / "blobs").mkdir()
    for name, right in {**GIT_FILES, "model.safetensors": WEIGHTS}.items():
        blob = model / "blobs" / "new"
        blob.write_bytes(right)
        digest = hashlib.sha256(right).hexdigest() if right is WEIGHTS else git_hash(blob)
        blob = blob.replace(model / "blobs" / digest)
        if right is WEIGHTS:
            blob.write_bytes(content)
        (snapshot / name).symlink_to(f"../../blobs/{digest}")
    return snapshot


def test_every_part_has_a_name_of_its_own_a_use_a_licence_and_a_way_to_get_it():
    assert len({one.name for one in PARTS}) == len(PARTS)
    for one in PARTS:
        assert one.use and one.licence and one.source and bool(one.size) == (one.kind != "shipped")
        assert bool(one.files) == (one.kind != "unused")
        assert not one.setting or hasattr(NOWHERE, one.setting)


@pytest.mark.parametrize("name", ["sdxl-turbo", "swav", "swag", "shikra"])
def test_parts_that_forbid_commercial_use_say_so(name):
    assert "no commercial use" in part(name).restriction


def test_research_only_code_of_trellis_and_the_reason_against_shikra_are_told():
    assert "nvdiffrast is for research only" in part("trellis").restriction
    assert part("shikra").kind == "unused" and "not used" in part("shikra").note


def test_no_module_but_the_table_names_a_published_repository_or_file():
    """Names, licences and sizes of published parts stand in `engines.parts` alone."""
    published = [one.source for one in PARTS if one.kind == "hub"]
    published += [Path(one.files[0]).name for one in PARTS if one.kind in ("torch", "u2net")]
    found = {
        (name, path.relative_to(shipped.ROOT).as_posix())
        for path in shipped.ROOT.rglob("*.py")
        for name in published
        if name in path.read_text(encoding="utf-8") and path.name != "parts.py"
    }
    assert not found


def test_the_digits_that_torchvision_puts_into_names_are_those_of_the_table():
    named = {one.name: re.search(r"-([0-9a-f]{8})\.pth$", one.files[0]) for one in PARTS if one.kind == "torch"}
    assert {name for name, found in named.items() if found} > {"vgg19", "alexnet", "swag"}
    for name, found in named.items():
        assert part(name).sha256 == (found[1] if found else "")


def test_what_ships_is_here_and_unharmed():
    found = find(part("pocket-vision"), NOWHERE)
    assert isinstance(found, Found) and size(found) > 1e6
    assert [checked.right for checked in check(found)] == [True]


def test_the_list_of_hashes_is_of_what_ships():
    there = {path.relative_to(shipped.ROOT).as_posix() for path in shipped.DATA.rglob("*") if path.is_file()}
    there = there - {shipped.LIST.relative_to(shipped.ROOT).as_posix()} | {"vision/pocket.safetensors"}
    assert set(shipped.hashes()) == there, "write it anew: python -m engines.shipped"
    for one in PARTS:
        found = find(one, NOWHERE)
        if one.kind == "shipped" and isinstance(found, Found):
            assert all(checked.right for checked in check(found)), "write it anew: python -m engines.shipped"


def test_a_shipped_file_that_changed_or_vanished_is_damaged(tmp_path, monkeypatch):
    data = tmp_path / "generators" / "data"
    (data / "pocket-sdxl").mkdir(parents=True)
    for name in ("one", "two"):
        (data / "pocket-sdxl" / name).write_text(name)
    for name, value in {"ROOT": tmp_path, "DATA": data, "LIST": data / "list", "_PLACES": (data,)}.items():
        monkeypatch.setattr(shipped, name, value)
    shipped.hashes.cache_clear()
    try:
        shipped.write_list()
        (data / "pocket-sdxl" / "one").write_text("another")
        (data / "pocket-sdxl" / "two").unlink()
        changed, vanished = check(find(part("pocket-pictures"), NOWHERE))
    finally:
        shipped.hashes.cache_clear()
    assert (changed.right, vanished.right) == (False, False)
    assert "expected" in changed.told and "missing" in vanished.told


def test_a_part_in_the_hub_cache_is_found_and_compared_with_the_names_of_its_blobs(empty_home):
    snapshot = in_hub_cache(empty_home)
    found = find(part("git"), NOWHERE)
    assert isinstance(found, Found) and found.place == snapshot
    assert [checked.right for checked in check(found)] == [True] * 4
    assert size(found) == len(WEIGHTS) + 6
    (known,) = said(found)  # small files are named by git's hash
    assert (known.path.name, known.sha256) == ("model.safetensors", hashlib.sha256(WEIGHTS).hexdigest())


def test_a_damaged_file_of_the_hub_cache_is_noticed(empty_home):
    in_hub_cache(empty_home, content=b"weights of a captioneR")
    damaged = [checked for checked in check(find(part("git"), NOWHERE)) if checked.right is False]
    assert [checked.path.name for checked in damaged] == ["model.safetensors"]
    assert hashlib.sha256(WEIGHTS).hexdigest() in damaged[0].told


def test_git_hashes_are_those_of_git(tmp_path):
    (tmp_path / "file").write_bytes(b"some\ncontent\n")
    theirs = subprocess.run(
        ["git", "hash-object", "--no-filters", str(tmp_path / "file")], capture_output=True, check=True, text=True
    )
    assert git_hash(tmp_path / "file") == theirs.stdout.strip()


def test_a_configured_folder_is_the_only_place_and_its_record_of_download_is_believed(empty_home, tmp_path):
    in_hub_cache(empty_home)
    mine = tmp_path / "mine"
    record = mine / ".cache" / "huggingface" / "download"
    record.mkdir(parents=True)
    for name, content in {**GIT_FILES, "model.safetensors": WEIGHTS}.items():
        (mine / name).write_bytes(content)
    (record / "model.safetensors.metadata").write_text(f"c0\n{hashlib.sha256(b'other').hexdigest()}\n17.5\n")
    found = find(part("git"), GeneratorsConfig(git=mine))
    assert isinstance(found, Found) and found.looked == (mine,)
    assert {checked.path.name: checked.right for checked in check(found)} == {
        "config.json": None, "preprocessor_config.json": None, "tokenizer.json": None, "model.safetensors": False,
    }  # fmt: skip


def test_of_a_configured_folder_that_is_not_whole_the_missing_files_are_named(tmp_path):
    (tmp_path / "config.json").write_bytes(b"{}")
    absent = find(part("git"), GeneratorsConfig(git=tmp_path))
    assert isinstance(absent, Absent) and absent.looked == (tmp_path,)
    assert absent.missing == ("preprocessor_config.json", "tokenizer.json", "model*.safetensors")


def test_a_configured_file_is_its_own_place(tmp_path):
    (tmp_path / "mine.safetensors").write_bytes(b"adapter")
    found = find(part("ip-adapter"), GeneratorsConfig(adapter=tmp_path / "mine.safetensors"))
    assert isinstance(found, Found) and size(found) == 7
    assert [checked.right for checked in check(found)] == [None]


def test_torchvisions_files_are_compared_with_the_digits_that_it_publishes(tmp_path):
    cache = tmp_path / "torch" / "hub" / "checkpoints"
    cache.mkdir(parents=True)
    (cache / "vgg19-dcbb9e9d.pth").write_bytes(b"no VGG")
    checked = list(check(find(part("vgg19"), NOWHERE)))
    assert [one.right for one in checked] == [False] and "expected dcbb9e9d as in what its makers publish" in checked[
        0
    ].told
    (tmp_path / "mine.pth").write_bytes(b"no VGG either")
    mine = find(part("vgg19"), GeneratorsConfig(vgg19=tmp_path / "mine.pth"))
    assert [one.right for one in check(mine)] == [False]
    (cache / "swav_800ep_pretrain.pth.tar").write_bytes(b"no name")
    assert [one.right for one in check(find(part("swav"), NOWHERE))] == [None]


def test_of_dinov2_both_weights_and_code_must_be_here(tmp_path):
    hub = tmp_path / "torch" / "hub"
    (hub / "checkpoints").mkdir(parents=True)
    (hub / "checkpoints" / "dinov2_vitl14_reg4_pretrain.pth").touch()
    absent = find(part("dinov2"), NOWHERE)
    assert isinstance(absent, Absent) and absent.missing == ("../facebookresearch_dinov2_main/hubconf.py",)
    (hub / "facebookresearch_dinov2_main").mkdir()
    (hub / "facebookresearch_dinov2_main" / "hubconf.py").touch()
    found = find(part("dinov2"), NOWHERE)
    assert isinstance(found, Found) and [one.right for one in check(found)] == [None, None]


def test_u2net_is_looked_for_where_rembg_keeps_it(tmp_path, monkeypatch):
    monkeypatch.delenv("U2NET_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert find(part("u2net"), NOWHERE).looked == (tmp_path / "data" / ".u2net",)
    monkeypatch.delenv("XDG_DATA_HOME")
    assert find(part("u2net"), NOWHERE).looked == (Path.home() / ".u2net",)


@pytest.mark.parametrize("one", [one for one in PARTS if one.kind != "shipped"], ids=lambda one: one.name)
def test_what_is_not_here_tells_how_to_get_it(one):
    absent = find(one, NOWHERE)
    assert isinstance(absent, Absent)
    assert one.source in absent.remedy or one.kind == "unused"
    assert bool(absent.looked) == (one.kind != "unused")


def test_an_unknown_part_is_refused_with_those_that_are_known():
    with pytest.raises(InputError, match=r"sdxl-turbo.*got 'dall-e'"):
        part("dall-e")


def test_looking_for_parts_imports_neither_torch_nor_transformers():
    code = "import sys, engines.weights; sys.exit(bool({'torch', 'transformers', 'diffusers'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
