import json
from pathlib import Path

import pytest

from app.cli import build_parser, main

COMMANDS = (
    "doctor",
    "demo",
    "simulate",
    "present",
    "import",
    "info",
    "record",
    "salvage",
    "replay",
    "calibrate",
    "coupling",
    "live",
)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main([command, "--help"])
    assert exit_.value.code == 0
    assert "--debug" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["replay"], "FILE"),
        (["nonsense"], "nonsense"),
        (["replay", "no-such-file.xdf"], "no such file"),
        (["live", "--source", "carrier-pigeon"], "carrier-pigeon"),
        (["simulate", "--snr", "loud"], "loud"),
        (["simulate", "--to", "there.xdf"], "never overwritten"),
        (["simulate", "--to", "new.xdf", "--categories", "1000"], "72"),
        (["replay", "there.xdf", "--unit", "parsec"], "parsec"),
        (["replay", "there.xdf", "--seconds", "-3"], "-3"),
        (["replay", "there.xdf", "--config", "bytes.toml"], "TOML"),
        (["replay", "there.xdf", "--config", "unit.toml"], "parsec"),
    ],
)
def test_a_wrong_call_is_one_clear_line_and_status_2(
    arguments: list[str], word: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.xdf").write_bytes(b"XDF:")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    (tmp_path / "unit.toml").write_text('unit = "parsec"\n')
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert said.err.startswith("afterimage: ")
    assert word in said.err
    assert len(said.err.strip().splitlines()) == 1
    assert said.out == ""


def test_live_leaves_no_empty_folder_when_it_never_began(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["live", "--source", "carrier-pigeon", "--out", "today"]) == 2
    assert list(tmp_path.iterdir()) == []


def test_options_without_a_command_are_the_windows(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--headless"]) == 2
    assert "a window cannot be headless" in capsys.readouterr().err


def test_options_that_stand_everywhere_stand_everywhere() -> None:
    for command in ("doctor", "demo"):
        options = build_parser().parse_args(
            [command, "--out", "x", "--json", "--seed", "3", "--unit", "uV", "--seconds", "2"]
        )
        assert (options.out, options.json, options.seed, options.unit, options.seconds) == (
            Path("x"),
            True,
            3,
            "uV",
            2.0,
        )


def test_the_doctor_names_what_is_there_and_what_never_ran(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    parts = {finding["part"]: finding["ok"] for finding in report["findings"]}
    assert parts["LSL"] is True
    assert parts["BrainFlow"] is True
    assert any("amplifier" in text for text in report["never_run"])


def test_a_configuration_with_an_unknown_key_is_refused_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "lab.toml"
    config.write_text("[chain]\nlow_hertz = 1.0\n")
    recording = tmp_path / "any.xdf"
    recording.write_bytes(b"XDF:")
    assert main(["replay", str(recording), "--config", str(config)]) == 2
    assert "chain.low_hertz" in capsys.readouterr().err


def test_an_interruption_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("app.commands.doctor.doctor", interrupted)
    assert main(["doctor"]) == 130
    assert capsys.readouterr().err == "afterimage: interrupted\n"
