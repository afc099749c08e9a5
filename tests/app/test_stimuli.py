import json
from pathlib import Path

import pytest
from PIL import Image

from app.cli import main
from tests.calibration.sets import made

ACTIONS = ("list", "check", "index", "build", "sheet")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("cat/01.png", "cat/02.png", "dog/01.png"):
        made.picture(tmp_path / "set" / name, colour=(len(name), 80, ord(name[5])))
    return tmp_path / "set"


def reported(capsys: pytest.CaptureFixture[str]) -> dict:
    """The JSON on standard output, which holds nothing else."""
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_explains_itself(action: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["stimuli", action, "--help"])
    assert exit_.value.code == 0
    assert "--json" in capsys.readouterr().out


def test_the_built_in_set_is_listed_unless_another_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stimuli", "list", "--json"]) == 0
    report = reported(capsys)
    assert (report["n_items"], len(report["categories"]), report["warnings"]) == (720, 72, [])
    assert report["items"][:2] == ["face/00", "face/01"]


def test_a_folder_is_listed_with_its_categories_and_warnings(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stimuli", "list", str(folder)]) == 0
    said = capsys.readouterr()
    assert "3 items in 2 categories" in said.out
    assert "licence: unknown" in said.out
    assert "no file was checked" in said.err


def test_an_indexed_folder_is_checked_and_has_a_licence(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stimuli", "index", str(folder), "--name", "Pets", "--licence", "CC0-1.0", "--json"]) == 0
    report = reported(capsys)
    assert report["manifest"] == str(folder / "stimuli.toml")
    assert main(["stimuli", "check", str(folder), "--json"]) == 0
    report = reported(capsys)
    assert (report["set"], report["licence"], report["faults"], report["warnings"]) == ("Pets", "CC0-1.0", [], [])
    (folder / "dog" / "01.png").write_bytes(b"another")
    assert main(["stimuli", "list", str(folder)]) == 2
    assert "dog/01.png has changed" in capsys.readouterr().err


def test_check_tells_every_item_that_cannot_be_shown(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("cat/02.png", "dog/01.png"):
        made.cut(folder / name)
    assert main(["stimuli", "check", str(folder), "--json"]) == 2
    said = capsys.readouterr()
    assert [fault.split(":")[0] for fault in json.loads(said.out)["faults"]] == ["cat/02", "dog/01"]
    assert "2 of 3 items cannot be shown" in said.err.splitlines()[-1]


def test_a_sheet_is_a_picture_and_never_written_over(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sheet = folder.parent / "sheet.png"
    assert main(["stimuli", "sheet", str(folder), "--to", str(sheet), "--out", str(folder.parent / "report")]) == 0
    with Image.open(sheet) as picture:
        assert picture.height == 2 * 72
    assert json.loads((folder.parent / "report" / "report.json").read_text())["n_left_out"] == 0
    assert main(["stimuli", "sheet", str(folder), "--to", str(sheet)]) == 2
    assert "never overwritten" in capsys.readouterr().err


def test_building_goes_into_the_folder_that_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    built: list[Path] = []
    monkeypatch.setattr("app.commands.stimuli.make_data", built.append)
    assert main(["stimuli", "build", "--to", str(tmp_path / "new"), "--json"]) == 0
    assert built == [tmp_path / "new"]
    assert reported(capsys)["to"] == str(tmp_path / "new")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ([], "ACTION"),
        (["show"], "show"),
        (["check"], "SET"),
        (["list", "nowhere"], "neither a folder nor 'builtin'"),
        (["list", "empty"], "no picture"),
        (["index", "empty", "--name", "x"], "--licence"),
        (["index", "nowhere", "--name", "x", "--licence", "y"], "no folder"),
        (["sheet", "empty", "--to", "sheet.jpg"], ".png"),
    ],
)
def test_a_wrong_call_is_one_clear_line_and_status_2(
    arguments: list[str], word: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    assert main(["stimuli", *arguments]) == 2
    said = capsys.readouterr()
    assert word in said.err
    assert len(said.err.strip().splitlines()) == 1
