import json

import numpy as np
import pytest

from calibration.decoding.controls import CONTROLS
from calibration.decoding.evaluate import AVERAGED, SINGLE, Evaluation, evaluate, measures
from calibration.decoding.fitted import Predictions
from calibration.report import to_json
from tests.calibration.decoding.planted import Templates, planted


@pytest.fixture(scope="module")
def found():
    return evaluate(Templates(), planted((7,), seed=1), planted(effect=1.0), n_permutations=99)


def test_a_decoder_that_reads_the_trials_is_above_chance_in_every_view(found):
    for trials in (SINGLE, AVERAGED):
        for seen_s in (0.0, 2.5, None):
            row = found.row(trials, "6-way top-1", seen_s)
            assert row.mean > 0.5 and row.ci95[0] > row.chance == pytest.approx(1 / 6) and row.p == 0.01


def test_the_mean_is_that_of_the_answers(found):
    test = planted(effect=1.0)
    right = Templates().predict(test).category.argmax(axis=1) == test.category
    assert found.row(SINGLE, "6-way top-1").mean == pytest.approx(right.mean())
    means = test.averaged()
    right = Templates().predict(means, 120).category.argmax(axis=1) == means.category
    assert found.row(AVERAGED, "6-way top-1", 1.0).mean == pytest.approx(right.mean())


def test_answers_are_scored_where_they_are_given_live(found):
    seen = [row.seen_s for row in found.rows if (row.trials, row.control, row.metric) == (SINGLE, "", "6-way top-1")]
    assert seen == [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 5.5, None]


def test_averaging_helps_and_counts_objects(found):
    single, averaged = found.row(SINGLE, "6-way top-1"), found.row(AVERAGED, "6-way top-1")
    assert (single.n, averaged.n) == (48, 12)
    assert averaged.mean >= single.mean


def test_shuffled_eeg_is_at_chance_and_the_other_controls_say_where_it_was(found):
    shuffled = found.row(SINGLE, "6-way top-1", control="shuffled EEG")
    assert shuffled.p > 0.05 and shuffled.ci95[0] < 1 / 6 < shuffled.ci95[1]
    assert shuffled.n == 5 * found.row(SINGLE, "6-way top-1").n
    assert found.row(SINGLE, "6-way top-1", control="picture alone").mean == found.row(SINGLE, "6-way top-1", 0.0).mean
    only_turn = evaluate(Templates(("dynamic",)), planted((7,), seed=1), planted(effect=1.0), CONTROLS[2:3], 19)
    assert only_turn.row(SINGLE, "6-way top-1", control="turn alone").mean == only_turn.row(SINGLE, "6-way top-1").mean


def test_a_control_that_the_decoder_cannot_have_has_no_row(found):
    assert found.row(SINGLE, "6-way top-1", control="coupling of other trials") is None


def test_an_answer_that_is_always_the_same_colour_is_right_as_often_as_it_is_common(found):
    test = planted()
    row = found.row(SINGLE, "colour top-1")
    assert row.mean == pytest.approx(np.mean(test.colour == 0))
    assert row.chance == np.bincount(test.colour).max() / len(test)
    assert found.row(SINGLE, "balanced colour top-1").mean == pytest.approx(1 / np.unique(test.colour).size)


def test_pictures_are_found_among_unseen_ones_by_direction_from_the_centre():
    test = planted(n_repeats=1)
    perfect = Predictions(
        7 * (test.targets[test.item] - 5.0) + 5.0, np.eye(6)[test.category], np.eye(6)[test.colour], np.full(16, 5.0)
    )
    by_name = {one.name: one for one in measures(perfect, test)}
    assert set(by_name) >= {
        "picture of 12 top-1", "picture of 12 top-5", "picture 2-way top-1", "category of nearest picture top-1",
        "category in gallery of objects 08 top-1",
    }  # fmt: skip
    place = np.unique(test.item, return_inverse=True)[1]
    own = by_name["picture of 12 top-1"]
    assert own.credit[np.arange(12), own.truth[place]].mean() == 1.0


def test_the_gallery_of_one_object_a_category_holds_no_other():
    test = planted(n_repeats=1)
    wrong = test.targets[np.where(test.number == 9, test.item, test.item)] - 0.0
    answers = Predictions(wrong, np.eye(6)[test.category], np.eye(6)[test.colour], np.zeros(16))
    by_name = {one.name: one for one in measures(answers, test)}
    eight = by_name["category in gallery of objects 08 top-1"]
    gallery = test.targets[np.arange(6) * 10 + 8]
    unit = gallery / np.linalg.norm(gallery, axis=1, keepdims=True)
    nearest = (wrong @ unit.T).argmax(axis=1)
    assert eight.credit.argmax(axis=1).tolist() == nearest.tolist()
    assert eight.chance == pytest.approx(1 / 6)


def test_objects_without_a_colour_leave_colours_out():
    test = planted(n_repeats=1)
    answers = Templates().predict(test)
    test.colour[:] = -1
    assert not any("colour" in one.name for one in measures(answers, test))


def test_confidence_is_told_with_a_temperature_from_the_selection_objects(found):
    for view in ("picture alone", "whole turn"):
        told = found.confidence[view]
        assert told["temperature"] > 0
        assert sum(told["with temperature"]["count"]) == 48


def test_an_evaluation_survives_json(found):
    again = Evaluation.from_dict(json.loads(to_json(found.to_dict())))
    assert again.rows == found.rows
    assert again.confidence.keys() == found.confidence.keys()
