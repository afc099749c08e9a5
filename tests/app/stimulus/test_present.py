import json
import subprocess
import sys

import pytest

from app.cli import build_parser, main
from app.commands import present as command
from calibration.protocols.steps import Screen, Step, timed, within


def options(*arguments):
    return build_parser().parse_args(["present", *arguments])


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ([], "eeg3d, flicker"),
        (["smells"], "smells"),
        (["pictures", "--categories", "1000"], "72"),
        (["pictures", "--set", "nowhere"], "nowhere"),
        (["tangrams", "--set", "builtin"], "its own figures"),
    ],
)
def test_what_cannot_be_shown_is_one_clear_line(arguments, word, capsys):
    assert main(["present", *arguments]) == 2
    said = capsys.readouterr().err
    assert word in said and len(said.strip().splitlines()) == 1


def test_without_a_display_it_says_what_to_do(monkeypatch, capsys):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    assert main(["present", "quick"]) == 2
    assert "xvfb-run" in capsys.readouterr().err


def test_seed_and_run_give_the_trials_of_the_simulated_participant():
    chosen, _ = command._chosen(options("eeg3d", "--categories", "3"))
    one, other = (command._steps(chosen, options("eeg3d", "--run", run)) for run in "01")
    assert {s.item.category for s in one if s.item} == {"face", "house", "car"} and one != other
    assert command._steps(chosen, options("eeg3d", "--run", "1", "--seed", "0")) == other


def test_minutes_keep_whole_trials():
    chosen, _ = command._chosen(options("pictures"))
    run = command._steps(chosen, options("pictures", "--minutes", "0.5"))
    assert run[-1].screen is Screen.END and sum(s.duration_s for s in run) <= 30
    assert run[-2].markers == ("blank",)
    assert sum(s.duration_s for s in run) > 27


def test_a_trial_is_kept_whole_or_not_at_all():
    one = [Step(Screen.PICTURE, 1.0, trial=0), Step(Screen.BLANK, 1.0, trial=0)]
    two = [Step(Screen.PICTURE, 1.0, trial=1), Step(Screen.BLANK, 1.0, trial=1)]
    end = Step(Screen.END, 0.0)
    assert within([*one, *two, end], 3.5) == (*one, end)
    assert [at_s for at_s, _ in timed([*one, end])] == [0.0, 1.0, 2.0]


def test_held_it_begins_with_the_space_bar():
    chosen, _ = command._chosen(options("quick"))
    first = command._steps(chosen, options("quick", "--hold"))[0]
    assert first.waits and "space bar" in first.text and first.markers == ()


@pytest.mark.slow
@pytest.mark.usefixtures("screen")
def test_a_run_ends_with_a_report_that_says_how_well_it_was_shown(tmp_path, capsys):
    out = tmp_path / "shown"
    status = main(
        ["present", "quick", "--categories", "2", "--minutes", "0.17", "--window", "--out", str(out), "--json"]
    )
    assert status == 0
    report = json.loads((out / "report.json").read_text())
    assert report == json.loads(capsys.readouterr().out)
    assert report["ended"] == "finished" and report["protocol"]["name"] == "quick" and report["simulated"] is False
    assert report["markers"]["protocol/end"] == 1 and report["trials"]
    assert {"n", "n_late", "interval_p50_ms", "interval_p99_ms", "interval_max_ms"} <= set(report["flips"])
    assert "trials shown" in (out / "report.html").read_text()


@pytest.mark.slow
@pytest.mark.usefixtures("screen")
def test_the_screens_are_listed():
    # In a process of its own: Qt keeps one application for the life of a process.
    listed = subprocess.run(
        [sys.executable, "-m", "app.cli", "present", "--list-screens"], capture_output=True, text=True, timeout=60
    )
    assert listed.stdout.startswith("0: ") and "800 x 600" in listed.stdout
