import json

import pytest

from app.stimulus.director import Director, Marker, Onset
from app.stimulus.flips import FlipLog, Refresh
from app.stimulus.outcome import LIGHT_UNMEASURED, UNHEARD, outcome
from app.stimulus.show import Shown, show
from calibration.protocol import load, steps, trials
from calibration.protocols.steps import Screen, Step
from calibration.report import to_json
from calibration.stimuli import Item
from tests.app.stimulus.test_show import FakeDisplay

SYNCED = Refresh(60.0, 59.94, synced=True)


def fields(refresh=SYNCED, heard=True, missed=()):
    chosen = load("flicker", n_categories=2, repeats=1)
    run = steps(chosen, trials(chosen, 0))
    return outcome(
        show(Director(run, 60.0), FakeDisplay(missed=missed), lambda m: None, lambda: False), run, refresh, {}, heard
    )


def test_it_can_be_written_as_json_and_counts_trials_and_markers():
    found = json.loads(to_json(fields()))
    assert len({t["trial"] for t in found["trials"]}) == 6
    assert sum(n for label, n in found["markers"].items() if label.startswith("flicker/")) == 6
    assert found["ended"] == "finished" and found["onset_error_ms"]["max"] < 1000 / 60


def test_a_flicker_is_told_at_the_rate_of_the_screen():
    assert fields()["flicker_hz"] == pytest.approx({"10": 9.99, "12": 11.988, "15": 14.985})


def test_a_good_run_warns_only_of_what_was_never_measured():
    assert fields()["warnings"] == [LIGHT_UNMEASURED]


def test_what_went_wrong_is_said():
    told = fields(Refresh(60.0, 873.0, synced=False), heard=False, missed=[700, 900])["warnings"]
    assert told[0] == UNHEARD and "no real vertical sync" in told[1] and told[2].startswith("2 of ")


def test_times_count_from_the_first_onset():
    step = Step(Screen.PICTURE, 1.0, ("stim/cup/00",), 0, Item("cup", "00"))
    shown = Shown(FlipLog(1 / 60), [Onset(step, 100.0, 0.0), Onset(step, 101.5, 0.01)], [Marker("x", 100.0)], [101.25])
    found = outcome(shown, (step,), SYNCED, {}, True)
    assert [t["onset_s"] for t in found["trials"]] == [0.0, 1.5] and found["late_s"] == [1.25]
    assert found["started_s"] == 100.0 and found["onset_error_ms"]["max"] == pytest.approx(10.0)
