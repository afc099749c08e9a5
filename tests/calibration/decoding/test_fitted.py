from dataclasses import replace

import numpy as np
import pytest

from calibration.decoding.fitted import Scaling, features_of, prototypes_of, towards
from calibration.recipes.systems import systems
from engines.errors import InputError
from engines.models.ridge import fit_ridge
from pipeline.encode import standardised
from tests.calibration.decoding.trained import BUDGET, fit, sets


@pytest.fixture(scope="module")
def trials():
    return sets(n_repeats=1)


@pytest.fixture(scope="module")
def fitted(trials):
    return fit(*trials, BUDGET)


def same(one, other):
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in vars(one))


@pytest.mark.parametrize("n", [0, 1, 59, 120, 300])
def test_what_lies_behind_the_known_beginning_cannot_change_the_answer(n, fitted, trials):
    selection = trials[1].take(np.arange(4))
    changed = selection.take(np.arange(4))  # a copy
    changed.dynamic[:, :, n:] = np.random.default_rng(0).standard_normal(changed.dynamic[:, :, n:].shape)
    assert same(fitted.predict(changed, n), fitted.predict(selection, n))
    assert not same(fitted.predict(changed), fitted.predict(selection))


def test_each_trial_is_answered_by_itself(fitted, trials):
    whole = fitted.predict(trials[1])
    for k in (0, 5):
        one = fitted.predict(trials[1].take(np.array([k])))
        np.testing.assert_allclose(one.embedding[0], whole.embedding[k], rtol=1e-4, atol=1e-4)


def test_other_channels_are_refused(fitted, trials):
    with pytest.raises(InputError, match="FP1, OZ, O1, O2"):
        fitted.predict(replace(trials[1], channels=("A", "B", "C", "D")))


def test_scaling_there_and_back_changes_nothing():
    raw = np.random.default_rng(0).normal(3, 7, (50, 8)).astype(np.float32)
    scaling = Scaling.of(raw)
    scaled = scaling.forward(raw)
    assert scaled.dtype == np.float32
    assert abs(scaled.mean()) < 1e-5 and scaled.std() == pytest.approx(1, rel=1e-5)
    np.testing.assert_allclose(scaling.back(scaled), raw, atol=1e-5)


def test_embeddings_that_are_all_alike_are_not_divided_by_zero():
    raw = np.full((3, 4), 2.0, dtype=np.float32)
    assert not Scaling.of(raw).forward(raw).any()


def test_prototypes_count_each_item_once_and_are_zero_where_none_was_shown(trials):
    training = trials[0]
    often = training.take(np.concatenate([np.arange(len(training)), np.flatnonzero(training.item == 0).repeat(5)]))
    category, colour = prototypes_of(often.targets, often)
    shown = [training.targets[i] for i in np.unique(training.item) if training.items[i].category == "c01"]
    np.testing.assert_allclose(category[1], np.mean(shown, axis=0), rtol=1e-5)
    assert category.shape == (3, 16) and colour.shape == (6, 16)
    assert not prototypes_of(often.targets, often.take(often.category == 1))[0][0].any()
    assert (towards(np.ones((2, 16), np.float32), np.zeros((3, 16), np.float32)) == 0).all()


def test_the_ridge_recipe_is_the_ridge_of_the_engines(trials):
    training, selection = trials
    fitted = systems("pocket")["ridge"].fit(training, selection, 0)
    targets = training.targets[np.unique(training.item)]
    scale = (targets - targets.mean(axis=0)).std()
    y = ((training.targets - targets.mean(axis=0)) / scale)[training.item].astype(np.float64)
    x, new = (
        np.concatenate(
            [
                part.static.reshape(len(part), 4, 50, 5).mean(axis=3).reshape(len(part), -1),
                part.dynamic.reshape(len(part), 4, 60, 10).mean(axis=3).reshape(len(part), -1),
            ],
            axis=1,
        ).astype(np.float64)
        for part in trials
    )
    ridge = fit_ridge((x - x.mean(axis=0)) / x.std(axis=0), y, groups=training.item)
    expected = ridge((new - x.mean(axis=0)) / x.std(axis=0)) * scale + targets.mean(axis=0)
    np.testing.assert_allclose(fitted.predict(selection).embedding, expected, rtol=1e-3, atol=1e-3)


def test_features_of_a_beginning_are_those_of_the_beginning_standardised_by_itself(trials):
    trial = trials[0].take(np.array([0]))
    found = features_of(trial, 300, True)[0, 200:].reshape(4, 60)
    expected = standardised(trial.dynamic[0, :, :300]).reshape(4, 30, 10).mean(axis=2)
    np.testing.assert_allclose(found[:, :30], expected, atol=1e-5)
    assert not found[:, 30:].any()
