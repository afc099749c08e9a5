from dataclasses import replace

import numpy as np
import pytest

from calibration.decoding.fit import require_apart
from calibration.decoding.splits import split
from engines.errors import InputError
from tests.calibration.decoding.planted import planted


def test_the_last_object_judges_the_one_before_chooses_the_others_train():
    parts = split(planted(numbers=(0, 2, 5, 7, 9), n_repeats=2, n_static=5, n_dynamic=5))
    assert parts.by == "objects" and not parts.warnings
    assert set(parts.training.number) == {0, 2, 5}
    assert set(parts.selection.number) == {7} and set(parts.validation.number) == {9}
    require_apart(parts.training, parts.selection)


def test_every_category_has_a_last_object_of_its_own():
    trials = planted(numbers=(0, 1, 2, 3), n_repeats=2, n_static=5, n_dynamic=5)
    without = trials.take(~((trials.category == 1) & (trials.number == 3)))
    judged = split(without).validation
    assert {(int(c), int(n)) for c, n in zip(judged.category, judged.number, strict=True)} == {
        (k, 2 if k == 1 else 3) for k in range(6)
    }


def test_with_fewer_than_three_objects_time_decides_and_says_so():
    trials = planted(numbers=(8, 9), n_repeats=20, n_static=5, n_dynamic=5)
    parts = split(trials)
    assert parts.by == "time" and "never seen" in parts.warnings[0]
    lengths = [len(part) for part in (parts.training, parts.selection, parts.validation)]
    assert lengths == [143, 47, 48], "one trial is purged at each of the two borders of 240"
    assert np.array_equal(parts.training.static, trials.static[:143])
    assert np.array_equal(parts.validation.static, trials.static[192:])
    require_apart(parts.training, parts.selection)
    for part in (parts.training, parts.selection, parts.validation):
        own = [part.items[item].category for item in part.item]
        assert own == [trials.categories[k] for k in part.category]


def test_a_category_that_is_not_in_every_part_is_named():
    trials = planted(numbers=(8,), n_categories=2, n_repeats=10, n_static=5, n_dynamic=5)
    order = np.argsort(trials.category, kind="stable")
    with pytest.raises(InputError, match="for selection; got none of c00"):
        split(trials.take(order))


def test_one_category_cannot_be_told_apart():
    trials = planted(n_categories=1, n_static=5, n_dynamic=5)
    with pytest.raises(InputError, match="two categories"):
        split(replace(trials, categories=("only",)))
