import numpy as np
import pytest
import torch
from torch import nn

from calibration.recipes.single import NETWORKS, Budget, Window, trained, varied

BRIEF = Budget(epochs=4, batch=16)
RNG = np.random.default_rng(0)
EPOCHS = RNG.standard_normal((40, 5, 60)) * np.array([1.0, 5.0, 20.0, 1.0, 0.1])[:, None] + 100.0
LABELS = np.arange(40) % 2


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("n_samples", [184, 256, 101])
def test_a_network_fits_any_window(name, n_samples):
    network = NETWORKS[name](Window(4, n_samples, 256.0, 3)).eval()
    assert network(torch.zeros(2, 4, n_samples)).shape == (2, 3)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_same_seed_gives_the_same_answers_and_leaves_the_world_as_it_was(name):
    state = torch.random.get_rng_state()
    first, again, other = (trained(NETWORKS[name], EPOCHS, LABELS, 2, 100.0, BRIEF, seed)(EPOCHS) for seed in (0, 0, 1))
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert torch.equal(state, torch.random.get_rng_state())


def test_answers_are_log_probabilities_and_no_trial_depends_on_another():
    classifier = trained(NETWORKS["enigma"], EPOCHS, LABELS, 2, 100.0, BRIEF, 0)
    together = classifier(EPOCHS)
    assert np.allclose(np.exp(together).sum(axis=1), 1.0)
    assert np.allclose(classifier(EPOCHS[3:4]), together[3:4], atol=1e-5)


def test_channels_are_scaled_by_the_training_windows_alone():
    classifier = trained(NETWORKS["enigma"], EPOCHS, LABELS, 2, 100.0, BRIEF, 0)
    assert classifier.mean[:, 0] == pytest.approx(EPOCHS.mean(axis=(0, 2)))
    assert classifier.deviation[:, 0] == pytest.approx(EPOCHS.std(axis=(0, 2)))
    before = classifier.mean.copy()
    classifier(EPOCHS * 100)
    assert np.array_equal(classifier.mean, before)


def test_a_flat_channel_is_no_trouble():
    flat = EPOCHS.copy()
    flat[:, 2] = 7.0
    assert np.isfinite(trained(NETWORKS["brainssd/static only"], flat, LABELS, 2, 100.0, BRIEF, 0)(flat)).all()


def test_a_rare_class_is_not_forgotten():
    """Of noise that says nothing, a tenth would be called rare if every trial counted the same."""
    labels = (np.arange(300) % 10 == 0).astype(np.int64)
    noise, fresh = np.random.default_rng(1).standard_normal((2, 300, 3, 20))

    def linear(window):
        return nn.Sequential(nn.Flatten(), nn.Linear(window.n_channels * window.n_samples, window.n_classes))

    answers = trained(linear, noise, labels, 2, 100.0, Budget(epochs=20, learning_rate=0.02), 0)(fresh).argmax(axis=1)
    assert 0.25 < np.mean(answers == 1) < 0.75


def test_variation_moves_drops_and_adds_noise_as_told():
    torch.manual_seed(0)
    eeg = torch.arange(50.0).expand(400, 6, 50)
    moved = varied(eeg, 3, Budget(left_out=0.0, noise_sd=0.0))
    assert set((moved[:, 0, 25] - 25).tolist()) == {-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0}
    assert torch.equal(moved[:, 0], moved[:, 5])  # channels stay together
    assert moved.min() == 0 and moved.max() == 49
    dropped = varied(eeg + 1, 0, Budget(left_out=0.25, noise_sd=0.0))
    silent = (dropped == 0).all(dim=2)
    assert 0.2 < silent.float().mean() < 0.3 and torch.equal(dropped[~silent], (eeg + 1)[~silent])
    noisy = varied(torch.zeros(400, 6, 50), 0, Budget(left_out=0.0, noise_sd=0.2))
    assert noisy.std() == pytest.approx(0.2, rel=0.05)
