from dataclasses import replace

import numpy as np
import pytest
import torch

from calibration.decoding.controls import (
    CONTROLS,
    TRAINED,
    coupled,
    coupled_to,
    eyes_only,
    of_another_category,
    other_pictures,
    shuffled_eeg,
)
from calibration.decoding.fitted import FittedNetwork, Scaling, prototypes_of
from calibration.decoding.wiring import BrainSsdWiring
from engines.errors import InputError
from engines.models.brainssd import BrainSsd, BrainSsdConfig
from tests.calibration.decoding.planted import Templates, planted

TINY = BrainSsdConfig(
    n_channels=4, levels=1, pyramid=False, width=8, heads=2, feed_forward=8, cross_feed_forward=8, tokens=5,
    token_width=2, gate_width=8, dim=16, categories=6,
)  # fmt: skip


def brainssd(config=TINY):
    torch.manual_seed(0)
    trials, network = planted(), BrainSsd(config)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.startswith("gates"):
                parameter.mul_(20.0)  # so that what coupling says can be seen
    scaling = Scaling.of(trials.targets)
    means = prototypes_of(scaling.forward(trials.targets), trials)
    return FittedNetwork(network, BrainSsdWiring(), scaling, *means, trials.channels)


def test_every_trial_gets_one_of_another_category():
    category = np.repeat(np.arange(5), 3)
    for seed in range(20):
        source = of_another_category(category, np.random.default_rng(seed))
        assert sorted(source) == list(range(15))
        assert (category[source] != category).all()


def test_two_categories_of_one_size_are_exchanged():
    source = of_another_category(np.array([0, 1, 0, 1]), np.random.default_rng(0))
    assert set(source[[0, 2]]) == {1, 3}


def test_a_category_with_more_than_half_of_the_trials_cannot_be_exchanged():
    with pytest.raises(InputError, match="3 of 5"):
        of_another_category(np.array([0, 0, 0, 1, 2]), np.random.default_rng(0))


def test_shuffling_moves_both_streams_together_and_no_label():
    trials = planted()
    moved = shuffled_eeg(trials, np.random.default_rng(0))
    source = [int(np.flatnonzero((trials.static == one).all(axis=(1, 2)))[0]) for one in moved.static]
    assert sorted(source) == list(range(len(trials))) and source != sorted(source)
    assert (moved.dynamic == trials.dynamic[source]).all()
    assert (moved.item == trials.item).all()


def test_a_control_drawn_several_times_answers_each_time_to_another_draw():
    trials = planted()
    five = CONTROLS[0].predict(Templates(), trials, averaged=False, seed=0).category.reshape(5, len(trials), -1)
    assert len(np.unique(five, axis=0)) == 5
    assert all((np.sort(one, axis=0) == np.sort(five[0], axis=0)).all() for one in five)


def test_only_the_pictures_stream_is_taken_from_others():
    trials = planted()
    moved = other_pictures(trials, np.random.default_rng(0))
    assert (moved.dynamic == trials.dynamic).all()
    assert not (moved.static == trials.static).all(axis=(1, 2)).any()


def test_eyes_only_leaves_the_foremost_channels():
    trials = eyes_only(planted())
    assert trials.static[:, 0].any() and not trials.static[:, 1:].any() and not trials.dynamic[:, 1:].any()


def test_eyes_only_needs_such_channels():
    with pytest.raises(InputError, match="FP1"):
        eyes_only(replace(planted(), channels=("a", "b", "c", "d")))


def test_coupling_from_other_trials_changes_the_gates_and_not_what_is_attended():
    fitted, trials = brainssd(), planted(n_repeats=6)  # 72 trials: more than one batch
    seen = []
    fitted.network.static.register_forward_pre_hook(lambda _, args: seen.append(args[0].clone()))
    own = fitted.predict(trials).category
    others = trials.static[of_another_category(trials.category, np.random.default_rng(0))]
    with coupled_to(fitted, others):
        changed = fitted.predict(trials).category
    assert np.abs(own - changed).max() > 1e-6
    assert torch.equal(torch.cat(seen[: len(seen) // 2]), torch.cat(seen[len(seen) // 2 :]))
    assert np.array_equal(fitted.predict(trials).category, own)


def test_coupling_with_a_trials_own_phase_changes_nothing():
    fitted, trials = brainssd(), planted(n_repeats=6)
    own = fitted.predict(trials).category
    with coupled_to(fitted, trials.static):
        assert np.array_equal(fitted.predict(trials).category, own)


def test_the_coupling_handed_in_is_that_of_the_other_trial():
    fitted, trials = brainssd(), planted(n_repeats=1)
    others = trials.static[::-1].copy()
    heard = []
    fitted.network.coupling.register_forward_hook(lambda _, args, out: heard.append(out.clone()))
    with coupled_to(fitted, others):
        fitted.predict(trials)
    fitted.predict(replace(trials, static=others))
    assert torch.equal(heard[0], heard[1])


@pytest.mark.parametrize("change", [{"pac": False}, {"coupling": "within"}, {"streams": "static", "pac": False}])
def test_without_coupling_across_the_streams_there_is_none_to_exchange(change):
    fitted = brainssd(replace(TINY, **change))
    assert not coupled(fitted)
    with pytest.raises(InputError, match="coupling"), coupled_to(fitted, planted().static):
        pass


def test_a_control_answers_in_the_order_of_the_trials_it_was_asked_about():
    trials = planted()
    turn = next(one for one in CONTROLS if one.name == "turn alone")
    decoder = Templates(("dynamic",))
    assert np.array_equal(turn.predict(decoder, trials, False, 0).category, decoder.predict(trials).category)
    means = trials.averaged()
    assert np.array_equal(turn.predict(decoder, trials, True, 0).category, decoder.predict(means).category)


def test_every_control_says_what_it_means():
    assert all(one.meaning.endswith(".") for one in (*CONTROLS, *TRAINED.values()))
