import multiprocessing
import os
import stat
from dataclasses import fields, replace
from pathlib import Path

import pytest

from engines.runtime.cache import EngineCache, EngineKey
from engines.runtime.errors import EngineFailed

KEY = EngineKey("0" * 64, "eeg (1, 64) (1, 64) (8, 64)", "float16", "NVIDIA L4, compute 8.9", "580.1", "11.4.0")


def loaded(content: bytes) -> bytes:
    return content


class Builder:
    """Counts."""

    def __init__(self, content: bytes = b"engine") -> None:
        self.content, self.n_built = content, 0

    def __call__(self) -> bytes:
        self.n_built += 1
        return self.content


def test_an_engine_is_built_once_and_then_kept(tmp_path):
    build = Builder(b"en\ngine")
    for _ in range(3):
        assert EngineCache(tmp_path / "engines").get_or_build(KEY, build, loaded) == b"en\ngine"
    assert build.n_built == 1


@pytest.mark.parametrize("field", [field.name for field in fields(EngineKey)])
def test_every_ingredient_of_the_key_makes_another_engine(tmp_path, field):
    other = replace(KEY, **{field: getattr(KEY, field) + "x"})
    assert other.digest != KEY.digest
    cache, build = EngineCache(tmp_path), Builder()
    cache.get_or_build(KEY, build, loaded)
    cache.get_or_build(other, build, loaded)
    assert build.n_built == 2


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda b: b[:-1], "cut short"),
        (lambda b: b[:-1] + b"x", "altered"),
        (lambda b: b"", "no engine of ours"),
        (lambda b: b"\x7fELF" + b, "no engine of ours"),
        (lambda b: b.replace(b'"key"', b'"kex"'), "head is damaged"),
        (lambda b: b.replace(b"580.1", b"580.2"), "something else"),
    ],
)
def test_a_corrupt_or_foreign_engine_is_refused_and_built_again(tmp_path, caplog, damage, told):
    cache, build = EngineCache(tmp_path), Builder()
    cache.get_or_build(KEY, build, loaded)
    path = cache.path(KEY)
    path.write_bytes(damage(path.read_bytes()))
    assert cache.get_or_build(KEY, build, loaded) == b"engine"
    assert build.n_built == 2
    assert told in caplog.text
    caplog.clear()
    cache.get_or_build(KEY, build, loaded)
    assert (build.n_built, caplog.text) == (2, "")


def test_an_engine_that_the_runtime_does_not_take_is_built_again(tmp_path):
    cache = EngineCache(tmp_path)
    cache.get_or_build(KEY, Builder(b"old"), loaded)
    assert cache.get_or_build(KEY, Builder(b"new"), lambda c: None if c == b"old" else c) == b"new"


def test_a_fresh_engine_that_does_not_load_is_an_error_and_not_kept(tmp_path):
    cache = EngineCache(tmp_path)
    with pytest.raises(EngineFailed, match="does not load the engine it just built"):
        cache.get_or_build(KEY, Builder(), lambda _: None)
    assert not cache.path(KEY).exists()


def test_a_build_that_fails_leaves_nothing_and_the_next_one_may_try(tmp_path):
    def fails() -> bytes:
        raise EngineFailed("no memory")

    cache = EngineCache(tmp_path)
    with pytest.raises(EngineFailed, match="no memory"):
        cache.get_or_build(KEY, fails, loaded)
    assert cache.get_or_build(KEY, Builder(), loaded) == b"engine"


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps access in lists, and the cache under the user's profile")
def test_only_its_user_may_read_the_folder(tmp_path):
    EngineCache(tmp_path / "engines").get_or_build(KEY, Builder(), loaded)
    assert stat.S_IMODE((tmp_path / "engines").stat().st_mode) == 0o700


def build_beside(folder: Path, both_there, told) -> None:
    def build() -> bytes:
        (folder / f"built-{os.getpid()}").touch()
        return b"engine"

    both_there.wait(60)
    told.put(EngineCache(folder).get_or_build(KEY, build, loaded))


def dies_while_building(folder: Path) -> None:
    EngineCache(folder).get_or_build(KEY, lambda: os._exit(3), loaded)


def test_of_two_processes_that_need_an_engine_one_builds_and_both_get_it(tmp_path):
    context = multiprocessing.get_context("spawn")
    both_there, told = context.Barrier(2), context.Queue()
    processes = [context.Process(target=build_beside, args=(tmp_path, both_there, told)) for _ in range(2)]
    for process in processes:
        process.start()
    assert [told.get(timeout=60) for _ in processes] == [b"engine", b"engine"]
    for process in processes:
        process.join(60)
    told.close()
    told.join_thread()
    assert len(list(tmp_path.glob("built-*"))) == 1


def test_a_process_that_dies_while_building_blocks_nobody(tmp_path):
    process = multiprocessing.get_context("spawn").Process(target=dies_while_building, args=(tmp_path,))
    process.start()
    process.join(60)
    assert process.exitcode == 3
    assert EngineCache(tmp_path).get_or_build(KEY, Builder(), loaded) == b"engine"
