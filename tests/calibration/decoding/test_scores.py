import numpy as np
import pytest
from scipy import stats

from calibration.decoding.scores import (
    Measure,
    between_starts,
    interval,
    mean_interval,
    over_both,
    over_participants,
    score,
    shuffles,
)
from calibration.stats import balanced_accuracy, top_k_credit
from engines.errors import InputError


def answers(rng, n_items=40, n_repeats=4, n_classes=10, effect=0.0):
    """Logits with a common share for all trials of one item, as EEG has it, and some truth."""
    item = np.repeat(np.arange(n_items), n_repeats)
    truth = np.arange(n_items) % n_classes
    logits = rng.standard_normal((n_items, n_classes))[item] + rng.standard_normal((len(item), n_classes))
    logits[np.arange(len(item)), truth[item]] += effect
    return item, truth, logits


def test_the_mean_is_that_of_the_hits():
    item, truth, logits = answers(np.random.default_rng(0), effect=1.0)
    taken = score(Measure("top-1", top_k_credit(logits, 1), truth, 0.1), shuffles(item, item, 19))
    assert taken.mean == pytest.approx(np.mean(logits.argmax(axis=1) == truth[item]))
    assert taken.n == 160 and taken.chance == 0.1 and taken.p == 0.05


def test_balanced_accuracy_is_that_of_trials():
    rng = np.random.default_rng(1)
    item, truth, logits = answers(rng, n_classes=6)
    truth = rng.choice(6, 40, p=[0.5, 0.3, 0.05, 0.05, 0.05, 0.05])
    taken = score(Measure("balanced", top_k_credit(logits, 1), truth, None, balanced=True), shuffles(item, item, 99))
    assert taken.mean == pytest.approx(balanced_accuracy(truth[item], logits.argmax(axis=1), 6))
    assert taken.chance == pytest.approx(taken.null.mean())


def test_permutations_move_whole_items():
    item = np.repeat(np.arange(5), 3)
    block = np.tile([0, 1, 2], 5)
    moved = shuffles(item, block, 30)
    assert moved.to.shape == (30, 5)
    assert all(sorted(one) == list(range(5)) for one in moved.to)
    assert len(np.unique(moved.to, axis=0)) > 20


def test_items_are_exchanged_among_those_of_the_same_blocks():
    item, block = np.repeat(np.arange(6), 2), np.repeat([0, 1], 6)
    assert all(sorted(one[:3]) == [0, 1, 2] for one in shuffles(item, block, 30).to)


def test_where_every_item_has_blocks_of_its_own_all_are_exchanged():
    item = np.repeat(np.arange(6), 2)
    assert any(sorted(one[:3]) != [0, 1, 2] for one in shuffles(item, np.arange(12), 30).to)


def test_p_is_even_where_nothing_is_to_be_found_though_trials_of_an_item_are_alike():
    p = []
    for seed in range(200):
        item, truth, logits = answers(np.random.default_rng(seed), n_items=20, n_repeats=4, n_classes=5)
        measure = Measure("2-way", top_k_credit(logits, 1, 2), truth, 0.5)
        p.append(score(measure, shuffles(item, np.zeros_like(item), 99, seed)).p)
    assert stats.kstest(p, "uniform").pvalue > 0.01


def test_shuffling_trials_instead_of_items_would_find_too_much():
    """The reason for whole items: with trials taken one by one the same data give too many small p."""
    p = []
    for seed in range(200):
        item, truth, logits = answers(np.random.default_rng(seed), n_items=20, n_repeats=4, n_classes=5)
        measure = Measure("2-way", top_k_credit(logits, 1, 2), truth[item], 0.5)
        p.append(score(measure, shuffles(np.arange(80), np.zeros(80, dtype=int), 99, seed)).p)
    assert np.mean(np.array(p) <= 0.05) > 0.1


def test_items_without_a_known_truth_are_left_out_everywhere():
    item, truth, logits = answers(np.random.default_rng(2), n_items=8, n_classes=4)
    unknown = truth.copy()
    unknown[[1, 5]] = -1
    credit = top_k_credit(logits, 1)
    taken = score(Measure("colour", credit, unknown, None), shuffles(item, item * 0, 50))
    rows = unknown[item] >= 0
    assert taken.n == rows.sum() == 24
    assert taken.mean == pytest.approx(credit[rows, truth[item][rows]].mean())
    assert len(taken.null) == 50 and np.isfinite(taken.null).all()


def test_no_known_truth_at_all_is_refused():
    item, _, logits = answers(np.random.default_rng(2), n_items=4, n_classes=4)
    with pytest.raises(InputError, match="colour: expected trials whose truth is known"):
        score(Measure("colour", top_k_credit(logits, 1), np.full(4, -1), None), shuffles(item, item * 0, 5))


def test_without_repeats_the_interval_is_wilsons():
    rng = np.random.default_rng(3)
    earned = (rng.random(4000) < 0.07).astype(float)
    low, high = interval(earned, np.arange(4000), np.zeros(4000, dtype=int))
    known = stats.binomtest(int(earned.sum()), 4000).proportion_ci(method="wilson")
    assert (low, high) == pytest.approx((known.low, known.high), rel=2e-3)


def test_repeats_that_say_the_same_count_as_one():
    earned = np.array([1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0])
    once = interval(earned, np.arange(10), np.zeros(10, dtype=int))
    assert interval(np.repeat(earned, 4), np.repeat(np.arange(10), 4), np.zeros(40, dtype=int)) == pytest.approx(once)


def test_no_hit_at_all_still_leaves_an_interval():
    low, high = interval(np.zeros(576), np.repeat(np.arange(144), 4), np.zeros(576, dtype=int))
    assert low == 0.0 and high == pytest.approx(0.026, abs=0.002)


@pytest.mark.parametrize("balanced", [False, True])
def test_the_interval_covers_as_often_as_it_says_though_trials_of_an_item_are_alike(balanced):
    rng = np.random.default_rng(4)
    item, covered = np.repeat(np.arange(144), 4), 0
    groups = np.repeat(np.arange(144) % 6 if balanced else np.zeros(144, dtype=int), 4)
    for _ in range(400):
        easy = rng.beta(0.5, 4.5, 144)
        low, high = interval((rng.random(576) < easy[item]).astype(float), item, groups)
        covered += low <= 0.1 <= high
    assert 0.92 <= covered / 400 <= 0.98


def test_participants_are_the_units_where_there_are_several():
    means = [0.05, 0.07, 0.10]
    known = stats.ttest_1samp(means, 0.0).confidence_interval(0.95)
    assert mean_interval(means) == pytest.approx((known.low, known.high))
    assert over_participants(means) == pytest.approx((max(0.0, known.low), known.high))
    assert over_participants([0.0, 1.0]) == (0.0, 1.0)


def test_one_participant_has_no_interval_over_participants():
    with pytest.raises(InputError, match="two participants"):
        over_participants([0.1])


def crossed(rng, participants=0.02, starts=0.0, left=0.01, shape=(5, 3)):
    """Accuracies around 0.2 of participants from starts, each start the same for all."""
    return (
        0.2
        + participants * rng.standard_normal((shape[0], 1))
        + starts * rng.standard_normal((1, shape[1]))
        + left * rng.standard_normal(shape)
    )


def covered(interval_of, **spreads):
    rng = np.random.default_rng(8)
    found = [interval_of(crossed(rng, **spreads)) for _ in range(400)]
    return np.mean([low <= 0.2 <= high for low, high in found])


@pytest.mark.parametrize("spreads", [{}, {"starts": 0.02}, {"participants": 0.005, "starts": 0.02}])
def test_the_interval_over_both_holds_the_truth_as_often_as_it_says(spreads):
    assert covered(over_both, **spreads) > 0.93


def test_where_starts_differ_participants_alone_promise_too_much():
    spreads = {"participants": 0.005, "starts": 0.02}
    assert covered(lambda values: mean_interval(values.mean(axis=1).tolist()), **spreads) < 0.8


def test_the_interval_over_both_is_that_of_two_way_random_effects_and_never_narrower_than_over_participants():
    rng = np.random.default_rng(3)
    for _ in range(50):
        values = crossed(rng, starts=0.01, shape=(4, 6))
        alone, both = mean_interval(values.mean(axis=1).tolist()), over_both(values)
        assert both[0] <= alone[0] and both[1] >= alone[1]
    values = np.array([[0.1, 0.3], [0.2, 0.5]])  # by hand: squares 0.0225, 0.0625, 0.0025
    together = 0.0225 + 0.0625 - 0.0025
    dof = together**2 / (0.0225**2 + 0.0625**2 + 0.0025**2)
    reach = max(np.sqrt(together / 4) * stats.t.ppf(0.975, dof), 0.075 * stats.t.ppf(0.975, 1))
    assert over_both(values) == pytest.approx((0.275 - reach, 0.275 + reach))


def test_starts_apart_are_pooled_over_participants():
    values = crossed(np.random.default_rng(4), participants=0.3, shape=(6, 4))
    assert between_starts(list(values)) == pytest.approx(np.sqrt(values.var(axis=1, ddof=1).mean()))
    assert between_starts([[0.1], [0.2]]) is None


@pytest.mark.parametrize("shape", [(1, 3), (3, 1)])
def test_one_participant_or_one_start_has_no_interval_over_both(shape):
    with pytest.raises(InputError, match="two participants and two starts"):
        over_both(np.zeros(shape))
