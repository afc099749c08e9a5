"""Over many seeds, neither the time of a trial nor the trial before tells its class."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import binom, chi2
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier

from calibration.protocol import load, trials
from calibration.protocols.order import balanced, rounds_of, spread

SEEDS = range(150)


def orders(n, rounds, seeds=SEEDS):
    return [balanced(n, rounds, np.random.default_rng([seed, 1])) for seed in seeds]


@pytest.mark.parametrize(("n", "rounds"), [(2, 2), (2, 20), (3, 7), (4, 10), (6, 2), (72, 1), (5, 15), (1, 4)])
def test_every_number_comes_as_often_as_there_are_rounds(n, rounds):
    for order in orders(n, rounds, range(20)):
        assert Counter(order) == dict.fromkeys(range(n), rounds)


@pytest.mark.parametrize(("n", "rounds"), [(2, 20), (4, 12), (3, 9)])
def test_of_whole_sets_every_neighbour_comes_equally_often(n, rounds):
    for order in orders(n, rounds, range(20)):
        followers = Counter(pairwise([*order, order[0]]))
        assert set(followers.values()) == {rounds // n} and len(followers) == n * n


@pytest.mark.parametrize(("n", "rounds"), [(4, 10), (2, 3), (3, 4), (5, 2)])
def test_class_and_place_are_independent(n, rounds):
    places = np.zeros((n, n * rounds))
    for order in orders(n, rounds, range(600)):
        places[order, np.arange(n * rounds)] += 1
    expected = 600 / n
    statistic = np.sum((places - expected) ** 2 / expected)
    assert statistic < chi2.isf(1e-4, (n - 1) * n * rounds)


@pytest.mark.parametrize(("n", "rounds"), [(2, 20), (2, 3), (4, 10), (4, 2), (3, 5), (6, 3)])
def test_the_class_before_tells_nothing_of_the_class(n, rounds):
    followers = [pair for order in orders(n, rounds, range(600)) for pair in pairwise(order)]
    again = sum(a == b for a, b in followers)
    low, high = binom.interval(0.9999, len(followers), 1 / n)
    assert low <= again <= high


def test_with_a_single_round_nothing_repeats_and_all_others_are_equally_likely():
    followers = Counter(pair for order in orders(3, 1, range(600)) for pair in pairwise(order))
    assert not any(a == b for a, b in followers)
    assert max(followers.values()) < 1.4 * min(followers.values())


def test_time_does_not_correlate_with_class_in_whole_runs():
    chosen = load("pictures", n_categories=3, repeats=40)
    correlations = []
    for seed in SEEDS:
        classes = np.array([t.item.category == "face" for t in trials(chosen, seed)], float)
        correlations.append(np.corrcoef(classes, np.arange(len(classes)))[0, 1])
    # The mean of independent correlations of n trials: standard error 1 / sqrt(n * seeds).
    assert abs(np.mean(correlations)) < 4 / np.sqrt(120 * len(SEEDS))
    assert np.std(correlations) < 1.2 / np.sqrt(120)


def numbered(chosen, seeds):
    """Trial numbers (n, 1) and classes (n,) of several runs."""
    runs = [trials(chosen, seed) for seed in seeds]
    return np.array([[t.number] for r in runs for t in r], float), np.array([t.item.category for r in runs for t in r])


@pytest.mark.parametrize("decoder", [LinearDiscriminantAnalysis(), KNeighborsClassifier(5)])
def test_a_classifier_of_the_trial_number_is_at_chance_in_other_runs(decoder):
    chosen = load("pictures", n_categories=4, repeats=30)
    number, classes = numbered(chosen, range(100, 140))
    hits = decoder.fit(*numbered(chosen, range(40))).predict(number) == classes
    low, high = binom.interval(0.9999, len(hits), 0.25)
    assert low <= hits.sum() <= high


@pytest.mark.parametrize("decoder", [LinearDiscriminantAnalysis(), KNeighborsClassifier(5)])
def test_a_classifier_of_the_trial_number_is_not_above_chance_within_a_run(decoder):
    chosen = load("pictures", n_categories=4, repeats=30)
    hits = []
    for seed in range(40):
        number, classes = numbered(chosen, [seed])
        folds = StratifiedKFold(5, shuffle=True, random_state=seed)
        hits.append(np.mean(cross_val_predict(decoder, number, classes, cv=folds) == classes))
    # Of balanced classes it may be below: what was trained on is missing from the test.
    assert np.mean(hits) < 0.25 + 3 * np.std(hits) / np.sqrt(len(hits))


@pytest.mark.parametrize("name", ["oddball", "rsvp"])
def test_targets_come_at_any_time_and_after_any_picture(name):
    chosen = load(name)
    share = len(chosen.targets) / len(chosen.tokens())
    after, halves = Counter(), Counter()
    for seed in range(60):
        run = trials(chosen, seed)
        targets = [t.target for t in run]
        after.update(b for a, b in pairwise(targets) if a)
        halves.update(t.number < len(run) // 2 for t in run if t.target)
    low, high = binom.interval(0.9999, after.total(), share)
    assert low <= after[True] <= high
    assert 0.9 < halves[True] / halves[False] < 1.1


def test_questions_come_at_any_time():
    chosen = load("imagery-passive", n_categories=4, repeats=20)
    numbers = [t.number for seed in range(200) for t in trials(chosen, seed) if t.catch]
    # Uniform over 80 trials: mean 39.5, standard deviation 23.1.
    assert abs(np.mean(numbers) - 39.5) < 4 * 23.1 / np.sqrt(len(numbers))
    assert 0.9 < np.std(numbers) / 23.1 < 1.1


def test_rounds_hold_every_name_as_often_as_it_is_asked_for():
    rounds = rounds_of(("a", "b"), {"b": 3}, np.random.default_rng(0))
    for _ in range(5):
        assert Counter(next(rounds) for _ in range(4)) == {"a": 1, "b": 3}


def test_parts_differ_by_one_at_most():
    assert sorted(spread(25, 3)) == [8, 8, 9]
