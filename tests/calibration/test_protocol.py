from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from calibration import protocol
from calibration.objects.catalogue import CATEGORIES
from calibration.protocol import BLOCK_START, BREAK, END, load, markers, steps, trials
from calibration.stimuli import Item
from engines.errors import InputError

MINE = """
kind = "pictures"
lead_in_s = 1
picture_s = 0.2
blank_s = 0.1
repeats = 2
block_trials = 9
break_s = 0
categories = ["face", "house"]
"""
ALL = ("eeg3d", "flicker", "imagery-active", "imagery-passive", "oddball", "pictures", "quick", "rsvp", "tangrams")


def onsets_s(chosen, run, prefix="stim/"):
    return [s.at_s for s in markers(chosen, run) if s.label.startswith(prefix)]


def test_the_built_in_protocols_are_the_documented_ones():
    assert protocol.built_in() == ALL


@pytest.mark.parametrize("name", ALL)
def test_a_built_in_protocol_runs_from_its_first_fixation_to_its_end(name):
    chosen = load(name)
    run = trials(chosen, seed=1)
    shown = markers(chosen, run)
    assert [t.number for t in run] == list(range(len(run)))
    assert [s.at_s for s in shown] == sorted(s.at_s for s in shown)
    assert (shown[0].label, shown[0].at_s, shown[-1].label) == ("fixation", 0.0, END)
    assert {t.item for t in run} <= set(chosen.items)


@pytest.mark.parametrize("name", ALL)
def test_every_category_comes_as_often_as_its_weight_says(name):
    chosen = load(name)
    shown = Counter(t.item.category for t in trials(chosen, seed=2))
    per_category = Counter(category for category, _ in chosen.tokens())
    assert shown == {category: n * chosen.repeats for category, n in per_category.items()}


def test_objects_come_equally_often_over_the_runs_of_a_participant():
    chosen = load("pictures", n_categories=2, repeats=5)
    seen = Counter(t.item for run in range(4) for t in trials(chosen, 3, run))
    assert set(seen.values()) == {2} and len(seen) == 20


def test_eeg3d_is_24_sessions_of_72_with_the_test_objects_four_times():
    chosen = load("eeg3d")
    sessions = [trials(chosen, seed=5, run=n) for n in range(24)]
    assert [len(s) for s in sessions] == [72] * 24
    seen = Counter(t.item for s in sessions for t in s)
    assert {i.object: n for i, n in seen.items()} == {f"{n:02d}": 2 if n < 8 else 4 for n in range(10)}
    assert sum(seen.values()) == 1728 and len(seen) == 720


def test_an_eeg3d_trial_is_a_picture_its_turn_and_a_blank():
    chosen = load("eeg3d", n_categories=2, repeats=1)
    shown = [s for s in markers(chosen, trials(chosen, 0)) if s.label != BLOCK_START]
    first, turn, blank, following = shown[1:5]
    assert turn.label == first.label.replace("stim/", "turn/") and blank.label == "blank"
    np.testing.assert_allclose([turn.at_s, blank.at_s, following.at_s], first.at_s + np.array([1.0, 7.0, 7.5]))


def test_pictures_of_a_rapid_sequence_are_200_ms_apart():
    chosen = load("rsvp", repeats=20)
    run = trials(chosen, 0)
    gaps = np.diff(onsets_s(chosen, run))
    within = [gap for gap, following in zip(gaps, run[1:], strict=True) if not following.opens]
    np.testing.assert_allclose(within, 0.2)
    assert sum(t.opens for t in run) == 10 and min(set(gaps) - set(within)) > 2.0


def test_imagining_follows_the_cue_and_a_flicker_tells_its_frequency():
    active, passive, flicker = (load(f"{n}") for n in ("imagery-active", "imagery-passive", "flicker"))
    heads = [
        {s.label.split("/")[0] for s in markers(p, trials(p, 0))} & {"cue", "stim", "imagine", "flicker"}
        for p in (active, passive, flicker)
    ]
    assert heads == [{"cue", "imagine"}, {"stim", "imagine"}, {"flicker"}]
    shown = Counter(s.label.split("/")[1] for s in markers(flicker, trials(flicker, 0)) if s.label[0:2] == "fl")
    assert shown == {"10": 16, "12": 16, "15": 16}


def test_the_blank_is_jittered_within_its_limits():
    chosen = load("pictures", n_categories=4, repeats=5)
    blanks = [b - a - 1.0 for a, b in pairwise(onsets_s(chosen, trials(chosen, 0)))]
    assert min(blanks) >= 0.5 and max(blanks) <= 0.7 and np.std(blanks) > 0.03


def test_seed_and_run_fix_the_trials():
    chosen = load("pictures")
    assert trials(chosen, 7) == trials(chosen, 7) != trials(chosen, 8)
    assert trials(chosen, 7, 1) != trials(chosen, 7, 0)


def test_an_oddball_has_one_target_in_five_and_only_there_the_key_is_right():
    chosen = load("oddball")
    run = trials(chosen, seed=0)
    assert Counter(t.target for t in run) == {False: 120, True: 30}
    right = Counter((s.item.category, s.correct) for s in steps(chosen, run) if s.item)
    assert right == {("cup", ""): 120, ("guitar", "space"): 30}


def test_markers_tell_blocks_pictures_breaks_and_the_end_in_order_of_time():
    chosen = load("pictures", n_categories=2, repeats=40)
    labels = Counter(s.label.split("/")[0] if "/" in s.label else s.label for s in markers(chosen, trials(chosen, 0)))
    assert labels == {"stim": 80, "blank": 80, "block": 2, BREAK: 1, "fixation": 2, "protocol": 1}


def test_a_run_cut_short_keeps_only_what_can_be_answered():
    chosen = load("pictures")
    cut = protocol.shortened(markers(chosen, trials(chosen, 0)), 60.0)
    assert (cut[-1].label, cut[-1].at_s) == (END, 60.0)
    assert all(s.at_s < 59.0 for s in cut[:-1]) and len(cut) > 20


def test_questions_are_balanced_between_yes_and_no_and_over_categories():
    chosen = load("imagery-passive", n_categories=4, repeats=20)
    asked = [t for t in trials(chosen, 4) if t.catch]
    assert Counter(t.catch.yes for t in asked) == {True: 4, False: 4}
    assert Counter(t.item.category for t in asked) == dict.fromkeys(chosen.chosen, 2)
    for trial in asked:
        assert (trial.catch.category == trial.item.category) == trial.catch.yes
        assert trial.catch.label == f"catch/{'yes' if trial.catch.yes else 'no'}/{trial.catch.category}"


def test_a_set_of_ones_own_gives_categories_and_objects():
    items = [Item("oak", "a"), Item("oak", "b"), Item("elm", "a")]
    chosen = load("pictures", n_categories=2, repeats=2, items=items)
    assert set(chosen.items) == set(items)
    with pytest.raises(InputError, match="guitar"):
        load("oddball", items=items)


def test_an_unknown_name_says_which_there_are():
    with pytest.raises(InputError, match="oddball, pictures, quick"):
        load("nothing")


def test_a_file_of_ones_own_is_read_and_its_faults_are_named(tmp_path):
    good = tmp_path / "mine.toml"
    good.write_text(MINE)
    assert load(str(good)).name == "mine"
    wrong = {
        "picture_s": MINE.replace("picture_s = 0.2", "picture_s = -1"),
        "colour": MINE + 'colour = "red"\n',
        "kind": MINE.replace("pictures", "smells"),
        "has no objects": MINE.replace('"face"', '"dragon"'),
        "knows only": MINE + 'set = "elsewhere"\n',
        "not TOML": "lead_in_s = [",
    }
    for fault, text in wrong.items():
        good.write_text(text)
        with pytest.raises(InputError, match=fault):
            load(str(good))


@pytest.mark.parametrize("asked", [{"n_categories": 0}, {"n_categories": 99}, {"repeats": 0}])
def test_numbers_that_do_not_fit_are_refused(asked):
    with pytest.raises(InputError):
        load("pictures", **asked)


def test_more_categories_than_there_are_names_how_many_there_are():
    with pytest.raises(InputError, match=str(len(CATEGORIES))):
        load("pictures", n_categories=1000)
