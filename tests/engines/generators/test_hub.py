import pytest

from engines.errors import InputError
from engines.generators.hub import cache_folder, model_folder, name_of

HOW = "get it"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    return tmp_path


def snapshot(cache, revision, *files, main=False):
    home = cache / "models--maker--thing"
    place = home / "snapshots" / revision
    place.mkdir(parents=True)
    for name in files:
        (place / name).touch()
    if main:
        (home / "refs").mkdir()
        (home / "refs" / "main").write_text(revision)
    return place


def test_the_cache_is_where_the_hubs_own_variables_say(monkeypatch, tmp_path):
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "huggingface" / "hub"
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    assert cache_folder() == tmp_path / "home" / "hub"
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    assert cache_folder() == tmp_path / "cache"


def test_the_folder_that_is_configured_goes_first(cache, tmp_path):
    snapshot(cache, "a1", "config.json")
    own = tmp_path / "own"
    own.mkdir()
    (own / "config.json").touch()
    assert model_folder("maker/thing", ("config.json",), own, HOW) == own


def test_a_configured_folder_that_is_not_whole_is_refused_though_the_cache_has_one(cache, tmp_path):
    snapshot(cache, "a1", "config.json")
    with pytest.raises(InputError, match=r"config\.json missing; get it"):
        model_folder("maker/thing", ("config.json",), tmp_path / "nowhere", HOW)


def test_of_several_revisions_the_one_named_main_is_taken(cache):
    snapshot(cache, "a1", "config.json")
    main = snapshot(cache, "b2", "config.json", main=True)
    snapshot(cache, "c3", "config.json")
    assert model_folder("maker/thing", ("config.json",), None, HOW) == main


def test_a_revision_that_was_fetched_in_part_is_passed_over(cache):
    snapshot(cache, "b2", main=True)
    whole = snapshot(cache, "a1", "config.json")
    assert model_folder("maker/thing", ("config.json",), None, HOW) == whole


def test_a_model_that_is_nowhere_says_what_to_get(cache):
    with pytest.raises(InputError, match=r"maker/thing is not on this machine .*get it"):
        model_folder("maker/thing", ("config.json",), None, HOW)


def test_a_snapshot_is_called_as_its_repository_and_any_other_folder_by_its_own_name(cache, tmp_path):
    assert name_of(snapshot(cache, "a1")) == "thing"
    assert name_of(tmp_path / "mine") == "mine"
