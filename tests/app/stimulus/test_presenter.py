"""The presenter as it runs: a process of its own on a screen of Xvfb, heard over real LSL."""

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pylsl
import pytest
from PIL import Image

from app.stimulus.messages import Presentation, Progress
from app.stimulus.process import Presenter
from calibration.protocol import load, steps, trials
from calibration.protocols.steps import Screen, Step
from calibration.stimuli import Item
from engines.errors import InputError
from tests.app.stimulus.test_supply import write_video

DEADLINE_S = 90.0
PAUSE = Step(Screen.FIXATION, 2.0, ("fixation",))
FOREVER = Step(Screen.BREAK, 1.0, ("break",), until_key=True, waits=True)
END = Step(Screen.END, 0.0, ("protocol/end",))

pytestmark = pytest.mark.usefixtures("screen")


def finished(presenter):
    """The report of a presenter that ends."""
    until_s = time.monotonic() + DEADLINE_S
    while time.monotonic() < until_s:
        said = presenter.poll(1.0)
        if isinstance(said, dict):
            return said
    raise AssertionError("the presenter did not end")


def showing(presenter):
    """Return once everything is prepared."""
    until_s = time.monotonic() + DEADLINE_S
    while time.monotonic() < until_s:
        said = presenter.poll(1.0)
        if isinstance(said, Progress) and said.text == "showing":
            return
    raise AssertionError("the presenter did not begin")


@pytest.fixture
def presenters():
    started = []

    def start(run, set_name=""):
        presenter = Presenter(Presentation(tuple(run), set_name, windowed=True))
        presenter.start()
        started.append(presenter)
        return presenter

    yield start
    for presenter in started:
        presenter.stop()


def heard(inlet):
    labels, stamps = [], []
    while not labels or labels[-1] not in ("protocol/end", "protocol/aborted"):
        label, stamp_s = inlet.pull_sample(DEADLINE_S)
        assert label is not None, f"the stream went silent after {labels}"
        labels.append(label[0])
        stamps.append(stamp_s)
    return labels, stamps


def listening():
    found = pylsl.resolve_byprop("source_id", "afterimage-stimuli", 1, DEADLINE_S)
    assert found and (found[0].name(), found[0].type()) == ("AfterimageStimuli", "Markers")
    # Without recovery liblsl throws away what has already come when the sender goes.
    inlet = pylsl.StreamInlet(found[0])
    inlet.open_stream(DEADLINE_S)
    return inlet


@pytest.mark.slow
def test_every_marker_of_a_run_arrives_with_the_time_of_its_flip(presenters):
    chosen = load("eeg3d", n_categories=2, repeats=1).model_copy(update={"turn_s": 0.5, "lead_in_s": 4.0})
    run = steps(chosen, trials(chosen, 0))
    presenter = presenters(run, "builtin")
    labels, stamps = heard(listening())
    report = finished(presenter)
    expected = [label for step in run for label in step.markers]
    assert labels == expected[-len(labels) :] and len(expected) - len(labels) <= 1
    assert stamps == sorted(stamps)
    onset_s = {t["marker"]: t["onset_s"] + report["started_s"] for t in report["trials"]}
    for label, stamp_s in zip(labels, stamps, strict=True):
        if label.startswith(("stim/", "turn/")):
            assert stamp_s == pytest.approx(onset_s[label], abs=1e-6)
    assert report["ended"] == "finished" and report["screen"]["platform"] == "xcb"
    assert any("photodiode" in text for text in report["warnings"])


@pytest.mark.slow
def test_a_screen_that_does_not_wait_is_said_to_have_no_vertical_sync(presenters):
    report = finished(presenters([PAUSE, END]))
    assert report["screen"]["vertical_sync"] is False
    assert any("no real vertical sync" in text for text in report["warnings"])
    assert report["flips"]["n"] > 0 and report["flips"]["interval_max_ms"] >= report["flips"]["interval_p50_ms"]


@pytest.mark.slow
def test_asked_to_stop_it_says_that_the_run_was_cut_and_reports(presenters):
    presenter = presenters([PAUSE, FOREVER, END])
    inlet = listening()
    showing(presenter)
    presenter.ask_to_stop()
    assert heard(inlet)[0][-1] == "protocol/aborted"
    assert finished(presenter)["ended"] == "aborted"


@pytest.mark.slow
def test_what_cannot_be_shown_is_told_by_name(presenters):
    missing = Step(Screen.PICTURE, 1.0, item=Item("dragon", "00"))
    with pytest.raises(InputError, match="dragon"):
        finished(presenters([missing, END], "builtin"))


@pytest.mark.slow
def test_videos_of_a_folder_are_shown_turning_and_one_without_is_told_before_the_run(presenters, tmp_path):
    for category in ("film", "still"):
        (tmp_path / category).mkdir()
    write_video(tmp_path / "film" / "01.mp4")
    Image.new("RGB", (40, 30), (10, 200, 30)).save(tmp_path / "still" / "01.png")
    film, still = Item("film", "01"), Item("still", "01")
    picture = Step(Screen.PICTURE, 0.2, ("stim/film/01",), 0, film)
    turn = Step(Screen.TURN, 0.5, ("turn/film/01",), 0, film)
    report = finished(presenters([PAUSE, picture, turn, END], str(tmp_path)))
    assert [t["marker"] for t in report["trials"]] == ["stim/film/01", "turn/film/01"]
    with pytest.raises(InputError, match="neither mesh nor video"):
        finished(presenters([PAUSE, Step(Screen.TURN, 0.5, (), 0, still), END], str(tmp_path)))


@pytest.mark.slow
def test_a_screen_that_is_not_there_is_told_with_those_that_are():
    presenter = Presenter(Presentation((PAUSE, END), "", screen=7, windowed=True))
    presenter.start()
    try:
        with pytest.raises(InputError, match="800 x 600"):
            finished(presenter)
    finally:
        presenter.stop()


PARENT = """
if __name__ == "__main__":
    from app.stimulus.messages import Presentation, Progress
    from app.stimulus.process import Presenter
    from calibration.protocols.steps import Screen, Step

    forever = Step(Screen.BREAK, 1.0, waits=True)
    presenter = Presenter(Presentation((forever, Step(Screen.END, 0.0)), "", windowed=True))
    presenter.start()
    while getattr(presenter.poll(1.0), "text", "") != "showing":
        pass
    print(presenter.pid, flush=True)
    input()
"""


@pytest.mark.slow
def test_it_leaves_when_its_parent_is_killed(tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    parent = subprocess.Popen(
        [sys.executable, str(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )
    child = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.communicate()
    _, alive = psutil.wait_procs([child], timeout=10)
    for process in alive:
        process.kill()
    assert not alive
