import json
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest
import torch
from torch import nn

from calibration.baselines import linear_systems
from calibration.comparing import single
from calibration.comparing.single import compare_single, held_out
from calibration.evaluate import design_for, evaluate
from calibration.folds import Fold, blocks_of, folds
from calibration.recipes.single import Budget
from calibration.stats import balanced_accuracy
from engines.errors import InputError
from tests.calibration.synthetic import epoch_set, evoked_set

BRIEF = Budget(epochs=15, batch=16)
NAMES = ("small",)


@pytest.fixture(autouse=True)
def networks(monkeypatch):
    """One more network, which takes no time."""

    def small(window):
        network = nn.Sequential(nn.AvgPool1d(5), nn.Flatten(), nn.LazyLinear(window.n_classes))
        network(torch.zeros(1, window.n_channels, window.n_samples))
        return network

    monkeypatch.setattr(single, "NETWORKS", MappingProxyType({**single.NETWORKS, "small": small}))


def people(seed, n_people=4, n=24, effect_uv=12.0):
    """One file a person; the pattern of the effect is everybody's."""
    whole = evoked_set(seed, n_people * n, effect_uv)
    return replace(whole, file=np.repeat(np.arange(n_people), n))


def compared(epochs, leave_out="block", **changes):
    settings = {"networks": NAMES, "budget": BRIEF, "seeds": (0,), "n_permutations": 99, "n_refits": 19, **changes}
    return compare_single({"evoked": epochs}, leave_out, **settings)


def test_a_planted_difference_is_found_by_every_system():
    found = compared(evoked_set(0, effect_uv=15.0), networks=("brainssd/static only", "enigma"), n_permutations=199)
    assert [row.system for row in found.rows][-2:] == ["brainssd/static only", "enigma"]
    for row in found.rows:
        if row.system == single.CLOCK:
            continue
        assert row.mean > 0.7 and row.p == 1 / 200 and row.ci95[0] > found.chance == 0.5 and row.n == 80
    assert found.rows[0].p_refitted == 1 / 20 and found.rows[-1].p_refitted is None


def test_shuffled_labels_decode_at_chance():
    rng = np.random.default_rng(0)
    rows = []
    for seed in range(6):
        one = evoked_set(seed, n=60, effect_uv=15.0)
        rows.append(compared(replace(one, labels=rng.permutation(one.labels)), n_permutations=99).rows[-1])
    assert abs(np.mean([row.mean for row in rows]) - 0.5) < 0.09
    assert np.mean([row.p <= 0.05 for row in rows]) < 0.4


def test_networks_answer_the_folds_of_the_linear_systems(monkeypatch):
    seen: list[Fold] = []

    def spying(epochs, design, fold, *rest):
        seen.append(fold)
        return np.zeros((len(fold.test), 2))

    monkeypatch.setattr(single, "held_out", spying)
    epochs = evoked_set(1)
    compared(epochs)
    design = design_for({"evoked": epochs}, "evoked")
    expected = list(folds(design, blocks_of(design)))
    assert len(seen) == len(expected) == 5
    for one, other in zip(seen, expected, strict=True):
        assert np.array_equal(one.train, other.train) and np.array_equal(one.test, other.test)
        assert len(one.train) + len(one.test) < 80  # the borders are purged


def test_nothing_of_a_tested_trial_reaches_the_network():
    epochs = evoked_set(2, effect_uv=10.0)
    design = design_for({"evoked": epochs}, "evoked")
    fold = next(iter(folds(design, blocks_of(design))))
    first = held_out(epochs, design, fold, NAMES[0], BRIEF, 0)
    other = replace(epochs, labels=epochs.labels.copy(), data=epochs.data.copy())
    left = np.setdiff1d(np.arange(80), fold.train)
    other.labels[left] = 1 - other.labels[left]
    other.data[np.setdiff1d(left, fold.test)] *= 1e6  # purged ones too
    assert np.array_equal(first, held_out(other, design, fold, NAMES[0], BRIEF, 0))


def test_linear_rows_are_those_of_calibrate():
    epochs = evoked_set(3, effect_uv=12.0)
    found = compared(epochs).rows[:-2]
    expected = evaluate({"evoked": epochs}, linear_systems(), n_permutations=19).rows
    assert [(r.mean, r.p_refitted) for r in found] == [(r.mean, r.p_permutation) for r in expected]
    for row, its in zip(found, expected, strict=True):
        assert balanced_accuracy(epochs.labels, np.array(row.answers), 2) == pytest.approx(its.mean)


def test_what_time_alone_tells_stands_beside():
    whole = people(11, effect_uv=0.0)
    later = replace(whole, labels=np.tile(np.repeat([0, 1], 12), 4), begun=np.arange(96))
    rows = {row.system: row for row in compared(later, "participant").rows}
    clock = rows[single.CLOCK]
    assert clock.mean == 1.0 and clock.p == 0.01 and clock.p_near == 1.0 and rows["small"].mean < 0.7
    rows = {row.system: row for row in compared(whole, "participant").rows}
    assert rows[single.CLOCK].mean < 0.7


def test_neighbours_never_belong_to_two_blocks():
    blocks = np.array([0] * 7 + [1] * 3)
    found = single.neighbours(blocks)
    assert [np.flatnonzero(found == one).tolist() for one in np.unique(found)] == [[*range(6)], [6], [7, 8, 9]]


def test_participants_are_left_out_whole_and_are_what_intervals_are_over():
    found = compared(people(4), "participant")
    assert found.over == "participants" and "4 blocks" in found.scheme
    row = found.rows[-1]
    assert len(row.participants) == 4 and row.mean == pytest.approx(np.mean(row.participants)) and row.mean > 0.7
    linear = found.rows[0]
    each = np.subtract(row.participants, linear.participants)
    assert row.less_linear.mean == pytest.approx(each.mean()) and linear.less_linear is None
    reach = 3.182446 * each.std(ddof=1) / 2  # Student's t, 3 degrees of freedom
    assert row.less_linear.ci95 == pytest.approx((each.mean() - reach, each.mean() + reach), abs=1e-4)


def test_the_difference_of_equal_answers_is_nothing():
    found = compared(evoked_set(5, effect_uv=10.0))
    trials = single._Trials({"evoked": evoked_set(5, effect_uv=10.0)}, "block", 9, 0)
    answers = np.array(found.rows[0].answers)
    same = trials.difference(answers, answers)
    assert same.mean == 0.0 and same.ci95 == (0.0, 0.0)
    worse = trials.difference(1 - trials.truth, trials.truth)
    assert worse.mean == -1.0


def test_several_starts_are_averaged_and_each_is_told():
    row = compared(evoked_set(6, effect_uv=15.0), seeds=(0, 1)).rows[-1]
    assert len(row.starts) == 2 and "mean of 2 starts" in row.note


def test_windows_of_one_trial_count_once():
    whole = evoked_set(7, n=120, effect_uv=15.0)
    trial = np.arange(120) // 3
    labels = np.random.default_rng(0).permutation(np.arange(40) % 2)[trial]
    epochs = replace(epoch_set(whole.data, labels), begun=trial)
    assert compared(epochs, n_permutations=9).rows[-1].n == 40


def test_too_few_participants_and_unknown_networks_are_refused():
    with pytest.raises(InputError, match="3 participants or more, a file each; got 2"):
        compared(people(8, n_people=2), "participant")
    with pytest.raises(InputError, match="brainssd/static only, enigma, small; got 'svm'"):
        compared(evoked_set(9), networks=("svm",))


def test_what_is_reported_is_plain():
    fields = compared(people(10), "participant").fields()
    assert json.loads(json.dumps(fields, allow_nan=False)) == fields
    assert fields["rows"][-1]["less_linear"]["ci95"] and fields["trials"] == {"a": 48, "b": 48}
