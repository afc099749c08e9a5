import os
from pathlib import Path

import pytest

from app.writing import Writing


def test_jobs_are_done_in_order_by_a_process_behind_all_others(tmp_path):
    writing, path = Writing(), tmp_path / "written"
    for text in ("first", "second"):
        writing.put(Path.write_text, path, text)
    writing.put(_niceness, tmp_path / "nice")
    writing.finish()
    writing.finish()
    assert path.read_text() == "second" and int((tmp_path / "nice").read_text()) == min(os.nice(0) + 10, 19)


def test_what_failed_is_told_with_a_later_job_or_at_the_end_and_others_are_done(tmp_path):
    writing = Writing()
    writing.put(Path.rmdir, tmp_path / "missing")
    writing.put(Path.mkdir, tmp_path / "made")
    with pytest.raises(FileNotFoundError, match="missing"):
        writing.finish()
    assert (tmp_path / "made").is_dir()
    writing.put(os._exit, 1)
    with pytest.raises(OSError, match="died"):
        writing.finish()


def _niceness(path: Path) -> None:
    path.write_text(str(os.nice(0)))
