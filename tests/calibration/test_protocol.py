from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from calibration import protocol
from calibration.protocol import BLOCK_START, BREAK, END, load, markers, trials
from engines.errors import InputError


@pytest.mark.parametrize("name", ["pictures", "quick", "oddball"])
def test_built_in_protocols_load_and_run(name):
    assert name in protocol.built_in()
    run = trials(load(name), seed=1)
    onsets = [t.onset_s for t in run]
    assert onsets == sorted(onsets) and [t.number for t in run] == list(range(len(run)))


def test_every_block_shows_every_category_once():
    chosen = load("pictures", n_categories=5, repeats=12)
    run = trials(chosen, seed=3)
    for block in range(12):
        shown = Counter(t.stimulus.category for t in run if t.block == block)
        assert shown == dict.fromkeys(chosen.categories[:5], 1)


def test_class_and_time_are_independent():
    # Over many runs each class stands at each place of a block equally often.
    places = np.zeros((4, 4))
    chosen = load("pictures", n_categories=4, repeats=30)
    for seed in range(40):
        for trial in trials(chosen, seed):
            places[chosen.categories.index(trial.stimulus.category), trial.number % 4] += 1
    expected = places.sum() / 16
    chi2 = np.sum((places - expected) ** 2 / expected)
    assert chi2 < 27.9  # 0.1 % of a chi-square with 9 degrees of freedom


def test_objects_of_a_category_come_equally_often():
    run = trials(load("pictures", n_categories=2, repeats=20), seed=0)
    assert set(Counter(t.stimulus.label for t in run).values()) == {2}


def test_the_blank_is_jittered_within_its_limits():
    run = trials(load("pictures", n_categories=4, repeats=5), seed=0)
    blanks = [b.onset_s - a.offset_s for a, b in pairwise(run)]
    assert min(blanks) >= 0.5 and max(blanks) <= 0.7 and np.std(blanks) > 0.03


def test_the_seed_fixes_the_run():
    chosen = load("pictures")
    assert trials(chosen, 7) == trials(chosen, 7) != trials(chosen, 8)
    assert trials(chosen, [7, 1]) != trials(chosen, [7, 0])


def test_an_oddball_has_one_target_in_five():
    run = trials(load("oddball"), seed=0)
    assert Counter(t.stimulus.target for t in run) == {False: 120, True: 30}


def test_markers_tell_blocks_pictures_breaks_and_the_end_in_order_of_time():
    chosen = load("pictures", n_categories=2, repeats=20)
    run = trials(chosen, 0)
    shown = markers(chosen, run)
    labels = Counter(s.label.split("/")[0] if s.label.startswith("stim/") else s.label for s in shown)
    assert labels == {"stim": 40, BLOCK_START: 20, BREAK: 1, END: 1}
    assert [s.at_s for s in shown] == sorted(s.at_s for s in shown)
    assert [s.at_s for s in shown if s.label.startswith("stim/")] == [t.onset_s for t in run]


def test_a_run_cut_short_keeps_only_what_can_be_answered():
    chosen = load("pictures")
    cut = protocol.shortened(markers(chosen, trials(chosen, 0)), 60.0)
    assert cut[-1] == protocol.Shown(END, 60.0)
    assert all(s.at_s < 59.0 for s in cut[:-1]) and len(cut) > 20


def test_an_unknown_name_says_which_there_are():
    with pytest.raises(InputError, match="oddball, pictures, quick"):
        load("nothing")


def test_a_file_of_ones_own_is_read_and_its_faults_are_named(tmp_path):
    good = tmp_path / "mine.toml"
    text = """
lead_in_s = 1
picture_s = 0.2
blank_s = [0.1, 0.1]
repeats = 2
blocks_per_break = 9
break_s = 0
n_categories = 2
n_objects = 1
categories = ["a", "b"]
"""
    good.write_text(text)
    assert load(str(good)).name == "mine"
    (tmp_path / "bad.toml").write_text(text.replace("picture_s = 0.2", "picture_s = -1"))
    with pytest.raises(InputError, match="picture_s"):
        load(str(tmp_path / "bad.toml"))
    (tmp_path / "torn.toml").write_text("lead_in_s = [")
    with pytest.raises(InputError, match=r"torn\.toml"):
        load(str(tmp_path / "torn.toml"))


@pytest.mark.parametrize("asked", [{"n_categories": 1}, {"n_categories": 99}, {"repeats": 0}])
def test_numbers_that_do_not_fit_are_refused(asked):
    with pytest.raises(InputError):
        load("pictures", **asked)
