from dataclasses import replace

import numpy as np
import pytest
import torch

from calibration.decoding.controls import shuffled_eeg
from calibration.decoding.fit import Budget, n_batches, reciprocal_rank, selection_score
from engines.errors import InputError, WorkError
from tests.calibration.decoding.trained import BUDGET, fit, sets

LONG = replace(BUDGET, epochs=8)
# Three categories ranked at random: (1 + 1/2 + 1/3) / 3.
CHANCE = 11 / 18


@pytest.fixture(scope="module")
def trials():
    return sets()


@pytest.fixture(scope="module")
def fitted(trials):
    return fit(*trials, LONG)


def share_right(fitted, trials, n_dynamic=None):
    return float((fitted.predict(trials, n_dynamic).category.argmax(axis=1) == trials.category).mean())


def weights(fitted):
    return {name: value.clone() for name, value in fitted.network.state_dict().items()}


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_a_planted_signal_is_learned_for_objects_never_seen(fitted, trials):
    selection = trials[1]
    for n_dynamic in (None, 300, 0):
        assert share_right(fitted, selection, n_dynamic) > 0.8  # chance 1/3
    assert fitted.score > 0.9


def test_nothing_is_learned_of_exchanged_eeg(fitted, trials):
    training, selection = trials
    shuffled = [
        fit(shuffled_eeg(training, np.random.default_rng(seed)), selection, BUDGET).history for seed in range(4)
    ]
    scores = np.array([[step.score for step in history] for history in shuffled])
    assert scores.mean() == pytest.approx(CHANCE, abs=0.1)
    assert scores.max() < fitted.score


def test_the_best_epoch_is_kept(fitted, trials):
    assert fitted.score == max(step.score for step in fitted.history) == selection_score(fitted, trials[1])
    assert [step.epoch for step in fitted.history] == list(range(1, LONG.epochs + 1))
    assert fitted.history[-1].share == 1.0


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(trials):
    few = Budget(epochs=1, batch=16)
    one = weights(fit(*trials, few))
    assert same(one, weights(fit(*trials, few)))
    assert not same(one, weights(fit(*trials, few, seed=1)))


def test_training_leaves_the_generator_of_others_alone(trials):
    torch.manual_seed(7)
    before = torch.get_rng_state()
    fit(*trials, Budget(epochs=1))
    assert torch.equal(torch.get_rng_state(), before)


class Interrupted(Exception):
    pass


def interrupted(after):
    def progress(step):
        if step.epoch == after:
            raise Interrupted

    return progress


def test_an_interrupted_training_ends_with_the_weights_of_one_that_was_not(trials, tmp_path):
    path, told = tmp_path / "checkpoint.pt", []
    whole = fit(*trials)
    for after in (1, 3):
        with pytest.raises(Interrupted):
            fit(*trials, checkpoint=path, progress=interrupted(after))
    resumed = fit(*trials, checkpoint=path, progress=told.append)
    assert [step.epoch for step in told] == [3, 4]
    assert same(weights(resumed), weights(whole))
    assert (resumed.score, resumed.history) == (whole.score, whole.history)
    again = fit(*trials, checkpoint=path)  # it had ended
    assert same(weights(again), weights(whole))


@pytest.fixture(scope="module")
def checkpoint(trials, tmp_path_factory):
    path = tmp_path_factory.mktemp("checkpoint") / "checkpoint.pt"
    fit(*trials, Budget(epochs=1), checkpoint=path)
    return path


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"seed": 1}, "another seed"),
        ({"budget": Budget(epochs=2)}, "another budget"),
        ({"n": 41}, "another training trials"),
    ],
)
def test_a_checkpoint_of_another_training_is_refused(change, said, trials, checkpoint):
    training = trials[0].take(np.arange(change.pop("n", len(trials[0]))))
    with pytest.raises(InputError, match=said):
        fit(training, trials[1], **({"budget": Budget(epochs=1)} | change), checkpoint=checkpoint)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 nothing", b"\x80\x02c__builtin__\neval\n."])
def test_a_damaged_checkpoint_is_refused_and_nothing_in_it_is_run(content, trials, tmp_path):
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(content)
    with pytest.raises(InputError, match="remove it to train from the beginning"):
        fit(*trials, checkpoint=path)


def test_a_checkpoint_cut_short_is_refused(trials, checkpoint, tmp_path):
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(checkpoint.read_bytes()[:-5000])
    with pytest.raises(InputError, match="damaged"):
        fit(*trials, Budget(epochs=1), checkpoint=path)


def test_selection_objects_must_not_teach(trials):
    with pytest.raises(InputError, match="1 are among the training objects too, such as c00/07"):
        fit(trials[1].take(np.flatnonzero(trials[1].category == 0)), trials[1])


def test_sets_of_other_channels_are_refused(trials):
    with pytest.raises(InputError, match="same channels"):
        fit(trials[0], replace(trials[1], channels=("A", "B", "C", "D")))


def test_embeddings_of_objects_that_do_not_train_change_nothing(trials):
    training, selection = trials
    others = np.setdiff1d(np.arange(len(training.items)), training.item)
    changed = training.targets.copy()
    changed[others] = 1e3
    few = Budget(epochs=1, batch=16)
    one = fit(training, selection, few)
    other = fit(replace(training, targets=changed), replace(selection, targets=changed), few)
    assert same(weights(one), weights(other)) and one.score == other.score
    assert np.array_equal(one.scaling.centre, other.scaling.centre)


def test_a_training_that_diverges_says_so(trials):
    with pytest.raises(WorkError, match="diverged in epoch 1 of 1"):
        fit(replace(trials[0], targets=trials[0].targets * np.float32(np.nan)), trials[1], Budget(epochs=1))


@pytest.mark.parametrize(("n", "size", "batches"), [(64, 64, 1), (96, 64, 2), (95, 64, 1), (3, 64, 1), (65, 32, 2)])
def test_a_last_batch_of_fewer_than_half_is_left_out(n, size, batches):
    assert n_batches(n, size) == batches


def test_the_reciprocal_rank_counts_ties_half():
    logits = np.array([[3, 2, 1], [3, 2, 1], [1, 1, 1]], dtype=np.float32)
    assert reciprocal_rank(logits, np.array([0, 1, 2])) == pytest.approx((1 + 1 / 2 + 1 / 2) / 3)
