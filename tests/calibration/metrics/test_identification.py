import numpy as np
import pytest

from calibration.decoding.scores import Measure, score, shuffles
from calibration.metrics.identification import likeness, n_way_credit, two_way
from engines.errors import InputError


def crowd(n=12, d=40, noise=1.0, seed=0):
    """Features of truths, and of reconstructions that keep some of them."""
    rng = np.random.default_rng(seed)
    truth = rng.standard_normal((n, d))
    return truth, truth + noise * rng.standard_normal((n, d))


def counted(truth, made):
    """#{i != j: r_ij < r_jj} / (N - 1), word by word."""
    n = len(truth)
    r = np.array([[np.corrcoef(truth[i], made[j])[0, 1] for j in range(n)] for i in range(n)])
    return [sum(r[i, j] < r[j, j] for i in range(n) if i != j) / (n - 1) for j in range(n)]


def test_two_way_identification_is_the_published_count():
    truth, made = crowd(noise=4.0)
    assert two_way(truth, made) == pytest.approx(counted(truth, made))
    assert 0.5 < np.mean(two_way(truth, made)) < 1


def test_what_is_the_truth_itself_is_always_identified():
    truth, _ = crowd()
    assert two_way(truth, 3 * truth + 1).tolist() == [1.0] * 12


def test_the_same_reconstruction_of_everything_stands_at_chance():
    truth, _ = crowd()
    assert two_way(truth, np.repeat(truth.mean(axis=0)[None], 12, axis=0)).mean() == pytest.approx(0.5)


def test_features_without_spread_stand_at_chance_each():
    truth, _ = crowd()
    assert two_way(truth, np.full((12, 40), 0.1)).tolist() == [0.5] * 12


def test_equal_truths_count_one_half_of_each_other():
    truth, _ = crowd()
    twice = np.concatenate([truth, truth])
    assert two_way(twice, twice) == pytest.approx(np.full(24, 22.5 / 23))


def test_n_way_is_what_many_draws_of_distractors_come_to():
    truth, made = crowd(n=20, noise=4.0)
    r, rng = likeness(truth, made), np.random.default_rng(1)
    draws = [
        [np.sum(r[j, rng.choice(np.delete(np.arange(20), j), 9, replace=False)] > r[j, j]) < 3 for j in range(20)]
        for _ in range(400)
    ]
    assert np.diagonal(n_way_credit(truth, made, 10, 3)).mean() == pytest.approx(np.mean(draws), abs=0.02)


def test_shuffled_pairings_tell_what_could_be_luck():
    own = np.arange(12)
    found = {}
    for noise in (1.0, 1e6):
        truth, made = crowd(noise=noise)
        measure = Measure("two-way", n_way_credit(truth, made), own, 0.5)
        found[noise] = score(measure, shuffles(own, np.zeros(12, dtype=np.int64), 199))
    assert found[1.0].p < 0.01 and found[1.0].ci95[0] > 0.5
    assert found[1e6].p > 0.05 and found[1e6].ci95[0] < 0.5 < found[1e6].ci95[1]
    assert found[1.0].null.mean() == pytest.approx(0.5, abs=0.03)


def test_several_reconstructions_of_one_truth_are_refused_by_the_paired_score():
    truth, made = crowd()
    with pytest.raises(InputError, match="got 24 for 12"):
        two_way(truth, np.concatenate([made, made]))
    with pytest.raises(InputError, match="one length"):
        two_way(truth, made[:, :-1])
