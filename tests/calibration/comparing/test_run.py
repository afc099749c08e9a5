import json
from dataclasses import replace

import numpy as np
import pytest

from calibration.comparing.run import (
    Record,
    Run,
    RunOrder,
    carry_out,
    finished,
    parts_of,
    recipe_of,
)
from calibration.decoding.evaluate import SINGLE
from calibration.report import to_json
from engines.errors import InputError
from tests.calibration.decoding.planted import planted


@pytest.fixture
def order(tmp_path):
    return RunOrder(
        Run("ridge", "sub01", 0), tmp_path / "data", "0123456789abcdef", tmp_path / "runs", n_permutations=19
    )


def objects(trials):
    return sorted(set(trials.number.tolist()))


def test_objects_train_choose_and_test_apart():
    parts = parts_of(planted(range(10), n_repeats=1), "", 0)
    assert [objects(part) for part in vars(parts).values()] == [[0, 1, 2, 3, 4, 5, 6], [7], [8, 9]]


def test_the_published_protocol_trains_on_07_too_and_chooses_on_the_test_objects():
    parts = parts_of(planted(range(10), n_repeats=4), "published", 0)
    assert [objects(part) for part in vars(parts).values()] == [[0, 1, 2, 3, 4, 5, 6, 7], [8, 9], [8, 9]]
    assert len(parts.selection) == 12 and len(parts.test) == 48


def test_shuffled_training_destroys_what_is_trained_on_and_nothing_else():
    trials = planted(range(10), n_repeats=2)
    plain, changed = parts_of(trials, "", 0), parts_of(trials, "shuffled", 0)
    assert (changed.training.item == plain.training.item).all()
    assert (changed.training.static == plain.training.static).all(axis=(1, 2)).mean() < 0.2
    assert np.array_equal(changed.test.static, plain.test.static)
    assert np.array_equal(changed.selection.static, plain.selection.static)


def test_eyes_alone_are_trained_and_tested_on():
    parts = parts_of(planted(range(10), n_repeats=1), "eyes", 0)
    assert not any(part.static[:, 1:].any() for part in vars(parts).values())


def test_a_missing_part_is_refused():
    with pytest.raises(InputError, match="expected selection trials; got none"):
        parts_of(planted((0, 1, 8)), "", 0)


@pytest.mark.parametrize(("system", "said"), [("brain", "expected a system"), ("ridge@ears", "@shuffled")])
def test_unknown_systems_and_changes_are_refused_with_what_there_is(system, said):
    with pytest.raises(InputError, match=said):
        recipe_of(system, "pocket")


def test_a_run_is_trained_evaluated_and_read_again(order):
    record = carry_out(order, planted(range(10), n_repeats=3, effect=3.0))
    row = record.evaluation.row(SINGLE, "6-way top-1")
    assert row.mean > 0.6 and row.n == 36
    assert record.about["n_trials"] == {"training": 126, "selection": 18, "test": 36}
    order.path.parent.mkdir(parents=True)
    order.path.write_text(to_json(record.to_dict()))
    again = finished(order)
    assert again.evaluation.rows == record.evaluation.rows and again.run == order.run


def test_nothing_can_be_learnt_from_shuffled_trials(order):
    shuffled = replace(order, run=Run("ridge@shuffled", "sub01", 0), n_permutations=99)
    row = carry_out(shuffled, planted(range(10), n_repeats=6, effect=3.0)).evaluation.row(SINGLE, "6-way top-1")
    assert row.p > 0.05


def test_a_run_of_other_data_or_another_size_is_never_taken(order):
    order.path.parent.mkdir(parents=True)
    order.path.write_text(to_json(carry_out(order, planted(range(10), n_repeats=1)).to_dict()))
    for other in (replace(order, digest="other"), replace(order, size="full")):
        with pytest.raises(InputError, match="choose another --out"):
            finished(other)


@pytest.mark.parametrize("text", ["{", "[]", json.dumps({"run": {"system": "a", "participant": "b", "seed": 0}})])
def test_a_file_that_is_no_run_is_refused(tmp_path, text):
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(InputError, match="expected a run"):
        Record.read(tmp_path / "run.json")


def test_runs_have_files_of_their_own(tmp_path):
    names = ["brainssd", "brainssd@eyes", "brainssd/static only", "brainssd/without coupling"]
    paths = {RunOrder(Run(n, "sub01", s), tmp_path, "", tmp_path).path for n in names for s in (0, 1)}
    assert len(paths) == 8
