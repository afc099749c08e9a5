import json
from enum import StrEnum
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from calibration.report import plain, to_json, write_report
from pipeline.errors import RecordingFailed
from tests.calibration.test_report_page import REPLAY


class Colour(StrEnum):
    RED = "red"


class Tags(HTMLParser):
    """Collects what a page would load from elsewhere, and which elements stay open."""

    def __init__(self):
        super().__init__()
        self.links, self.open = [], []

    def handle_starttag(self, tag, attrs):
        self.links += [value for key, value in attrs if key in ("src", "href") and not value.startswith("data:")]
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def strict(text):
    def refuse(name):
        raise AssertionError(f"{name} is no JSON")

    return json.loads(text, parse_constant=refuse)


def test_both_files_are_written_and_the_path_of_the_page_comes_back(tmp_path):
    page = write_report(tmp_path / "new" / "folder", REPLAY)
    assert page == tmp_path / "new" / "folder" / "report.html" and page.is_file()
    assert strict(page.with_name("report.json").read_text()) == plain(REPLAY)


def test_the_page_loads_nothing_and_closes_its_elements(tmp_path):
    page = write_report(tmp_path, REPLAY)
    tags = Tags()
    tags.feed(page.read_text())
    assert tags.links == [] and tags.open == []
    assert "<script" not in page.read_text()


def test_json_is_strict_whatever_numbers_came(tmp_path):
    report = {"nan": float("nan"), "inf": -np.inf, "deep": [{"x": np.float32("nan")}], "array": np.array([1.0, np.nan])}
    assert strict(to_json(report)) == {"nan": None, "inf": None, "deep": [{"x": None}], "array": [1.0, None]}


def test_values_of_numpy_enumerations_paths_and_tuples_become_plain():
    assert plain({Colour.RED: (np.int64(3), Path("a"), Colour.RED, {"b"}), 1: np.bool_(True)}) == {
        "red": [3, "a", "red", ["b"]],
        "1": True,
    }


def test_what_json_does_not_know_is_refused_by_name():
    with pytest.raises(TypeError, match="complex"):
        plain({"x": 1j})


def test_an_older_report_is_replaced_whole_and_no_draft_stays(tmp_path):
    write_report(tmp_path, {**REPLAY, "warnings": ["yesterday"] * 1000})
    write_report(tmp_path, REPLAY)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["report.html", "report.json"]
    assert "yesterday" not in (tmp_path / "report.json").read_text()


def test_a_failed_write_leaves_the_older_report_whole(tmp_path, monkeypatch):
    write_report(tmp_path, REPLAY)
    before = (tmp_path / "report.json").read_text()

    def full(_fd):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("calibration.report.os.fsync", full)
    with pytest.raises(RecordingFailed, match="No space left"):
        write_report(tmp_path, {**REPLAY, "samples_received": 1})
    assert (tmp_path / "report.json").read_text() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["report.html", "report.json"]


def test_text_in_any_writing_survives(tmp_path):
    page = write_report(tmp_path, {**REPLAY, "markers": {"椅子 µV": 3}})
    assert "椅子 µV" in page.read_text(encoding="utf-8")
    assert strict((tmp_path / "report.json").read_text(encoding="utf-8"))["markers"] == {"椅子 µV": 3}


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RecordingFailed, match="cannot create"):
        write_report(tmp_path / "file" / "out", REPLAY)
