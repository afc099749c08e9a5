import numpy as np
import pytest
import torch

from calibration.decoding.vary import Variation, shortened, varied
from pipeline.encode import inputs, standardised
from tests.calibration.decoding.planted import planted

NOTHING = Variation(mean=0.0, noise=0.0, noise_sd=0.0, channels=0.0, beginning=0.0, nothing=0.0)


@pytest.fixture(scope="module")
def trials():
    return planted(range(7), 3, 3)


def batch(trials, variation, anytime=True, seed=0):
    rows = np.random.default_rng(1).permutation(len(trials))
    return rows, varied(trials, trials.averaged(), rows, variation, anytime, np.random.default_rng(seed))


def test_without_variation_trials_stay_as_they_are(trials):
    rows, found = batch(trials, NOTHING, anytime=False)
    assert torch.equal(found.static, torch.from_numpy(trials.static[rows]))
    assert torch.equal(found.dynamic, torch.from_numpy(trials.dynamic[rows]))
    assert (found.n_dynamic == 600).all() and found.n_dynamic.dtype == torch.int64


def test_the_set_itself_is_never_changed(trials):
    before = trials.digest()
    batch(trials, Variation(mean=0.5, noise=1.0, channels=0.5, beginning=0.5, nothing=0.3))
    assert trials.digest() == before


def test_a_mean_is_that_of_the_own_object(trials):
    rows, found = batch(trials, Variation(1.0, 0.0, 0.0, 0.0, 0.0, 0.0), anytime=False)
    for row, static, dynamic in zip(rows[:10], found.static.numpy(), found.dynamic.numpy(), strict=False):
        own = trials.item == trials.item[row]
        np.testing.assert_array_equal(static, standardised(trials.static[own].mean(axis=0)))
        np.testing.assert_array_equal(dynamic, standardised(trials.dynamic[own].mean(axis=0)))


def test_noise_is_a_share_of_another_trial_in_both_streams(trials):
    rows, found = batch(trials, Variation(0.0, 1.0, 0.2, 0.0, 0.0, 0.0), anytime=False)
    static = (found.static.numpy() - trials.static[rows]) / 0.2
    dynamic = (found.dynamic.numpy() - trials.dynamic[rows]) / 0.2
    for k in range(10):
        source = np.argmin(np.abs(trials.static - static[k]).sum(axis=(1, 2)))
        np.testing.assert_allclose(static[k], trials.static[source], atol=1e-5)
        np.testing.assert_allclose(dynamic[k], trials.dynamic[source], atol=1e-5)


def test_channels_are_left_out_of_both_streams_at_once(trials):
    _, found = batch(trials, Variation(0.0, 0.0, 0.0, 0.5, 0.4, 0.0))
    static, there = (found.static == 0).all(dim=2), found.n_dynamic > 0
    assert torch.equal(static[there], (found.dynamic == 0).all(dim=2)[there])
    assert 0.2 < static.float().mean() < 0.8


def test_beginnings_are_drawn_as_often_as_said_and_standardised_by_themselves(trials):
    rows = np.tile(np.arange(len(trials)), 20)
    found = varied(
        trials, trials.averaged(), rows, Variation(0.0, 0.0, 0.0, 0.0, 0.3, 0.2), True, np.random.default_rng(0)
    )
    counts = found.n_dynamic.numpy()
    assert np.mean(counts == 0) == pytest.approx(0.2, abs=0.04)
    part = (counts > 0) & (counts < 600)
    assert part.mean() == pytest.approx(0.3, abs=0.04)
    assert np.mean(counts[part]) == pytest.approx(300, abs=40)  # evenly
    for k in np.flatnonzero(part)[:5]:
        n = counts[k]
        np.testing.assert_array_equal(found.dynamic[k, :, :n].numpy(), standardised(trials.dynamic[rows[k], :, :n]))
        assert not found.dynamic[k, :, n:].any()


def test_networks_that_need_whole_turns_get_them(trials):
    _, found = batch(trials, Variation(beginning=0.5, nothing=0.5), anytime=False)
    assert (found.n_dynamic == 600).all() and found.dynamic[..., -1].any(dim=1).all()


def test_the_same_generator_gives_the_same_batch(trials):
    one, other, third = (batch(trials, Variation(), seed=seed)[1] for seed in (0, 0, 1))
    assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))
    assert not torch.equal(one.static, third.static)


@pytest.mark.parametrize("n", [1, 50, 599])
def test_a_shortened_trial_is_what_the_network_gets_live(trials, n):
    """From microvolts cut off live, and from a whole trial that was standardised and then shortened."""
    static_uv, dynamic_uv = trials.static[0] * 7.0 + 2.0, trials.dynamic[0] * 12.0 - 3.0
    live = inputs(static_uv, dynamic_uv[:, :n], 600)
    cut, counts = shortened(standardised(dynamic_uv)[None], n)
    np.testing.assert_allclose(cut, live["dynamic"], atol=2e-5)
    assert counts.tolist() == live["n_dynamic"].tolist() == [n]
