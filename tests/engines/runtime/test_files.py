import hashlib
import multiprocessing
import os
from pathlib import Path

import pytest

from engines.runtime import files
from engines.runtime.files import remove_left_overs, sha256, write_whole


def dies_while_writing(path: Path) -> None:
    def dies(*_: object) -> None:
        os._exit(1)

    files.os.fsync = dies  # after the content was written to the file beside
    write_whole(path, b"new" * 100_000)


def test_a_process_that_dies_while_writing_leaves_what_was_there(tmp_path):
    path = tmp_path / "engine"
    write_whole(path, b"old")
    process = multiprocessing.get_context("spawn").Process(target=dies_while_writing, args=(path,))
    process.start()
    process.join(60)
    assert process.exitcode == 1
    assert path.read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 2
    remove_left_overs(path)
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_that_fails_leaves_nothing(tmp_path, monkeypatch):
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_whole(tmp_path / "engine", b"new")
    assert list(tmp_path.iterdir()) == []


def test_the_hash_is_of_the_whole_file(tmp_path):
    path = tmp_path / "big"
    path.write_bytes(b"a" * (1 << 20) + b"b")
    assert sha256(path) == hashlib.sha256(path.read_bytes()).hexdigest()
