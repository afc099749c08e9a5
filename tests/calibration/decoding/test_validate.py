from dataclasses import replace

import numpy as np
import pytest

from calibration.decoding.splits import split
from calibration.decoding.validate import linear_scores, temperatures, validate
from calibration.recipes.ridge import RidgeRecipe
from pipeline.anytime import Windows
from tests.calibration.decoding.planted import Templates, planted

WINDOWS = Windows()


class Retold(Templates):
    """The same of trials whose items are told apart by when they were shown."""

    def predict(self, trials, n_dynamic=None):
        items, targets = trials.items[:60], trials.targets[:60]
        return super().predict(replace(trials, item=trials.item % 60, items=items, targets=targets), n_dynamic)


def validated(effect: float, numbers=tuple(range(6)), n_repeats=4):
    trials = planted(numbers=numbers, n_repeats=n_repeats, effect=effect)
    parts, decoder = split(trials), Retold()
    floor = RidgeRecipe().fit(parts.training, parts.selection, 0)
    softened = temperatures(decoder, parts.selection, WINDOWS)
    return parts, softened, validate("planted", decoder, floor, parts, WINDOWS, 250.0, softened, 99)


@pytest.fixture(scope="module")
def found():
    return validated(3.0)


def test_the_chosen_system_comes_first_and_the_linear_ones_beside_it(found):
    _, _, result = found
    assert [(row.system, row.scheme.partition(",")[0]) for row in result.rows] == [
        ("planted", "whole turn"), ("planted", "picture alone"), ("linear map to embeddings", "whole turn"),
        ("linear map to embeddings", "picture alone"), ("lda", "picture alone"),
    ]  # fmt: skip
    assert all(row.n == 24 and row.chance == pytest.approx(1 / 6) for row in result.rows)
    first = result.rows[0]
    assert first.mean > 0.9 and first.ci95[0] > first.chance and first.p_permutation < 0.05


def test_the_curve_ends_with_the_whole_turn_and_begins_without_it(found):
    _, _, result = found
    stages = [(stage["stage"], stage["n_dynamic"]) for stage in result.by_stage]
    assert stages[0] == ("static", 0) and stages[-1] == ("fused", 600)
    assert [n for _, n in stages[1:]] == list(WINDOWS.steps) and {s for s, _ in stages[1:-1]} == {"refined"}
    assert result.by_stage[-1]["mean"] == result.rows[0].mean
    assert result.by_stage[0]["mean"] == result.rows[1].mean


def test_confusion_counts_the_validation_trials(found):
    parts, _, result = found
    assert np.array_equal(result.confusion.sum(axis=1), np.bincount(parts.validation.category))
    assert np.trace(result.confusion) / 24 == pytest.approx(result.rows[0].mean)


def test_temperatures_come_from_selection_and_answer_for_every_step(found):
    _, softened, result = found
    assert softened.n_dynamic == (0, *WINDOWS.steps)
    assert set(result.reliability) == {"picture alone", "whole turn"}
    assert all(sum(bins["count"]) == 24 for bins in result.reliability.values())


def test_nothing_is_found_where_nothing_is():
    _, _, result = validated(0.0)
    assert all(row.p_permutation > 0.02 for row in result.rows)
    assert all(row.ci95[0] <= row.chance for row in result.rows)


def test_the_linear_picture_baseline_learns_what_is_in_the_picture():
    parts = split(planted(numbers=tuple(range(6)), n_repeats=6, effect=6.0))
    answers = linear_scores(parts, WINDOWS, 250.0).argmax(axis=1)
    assert np.mean(answers == parts.validation.category) > 0.6


def test_where_time_tells_trials_are_the_units():
    _, _, result = validated(3.0, numbers=(8, 9), n_repeats=20)
    assert result.rows[0].p_permutation == pytest.approx(0.01), (
        "2 objects of 6 categories could not reach this as items"
    )
