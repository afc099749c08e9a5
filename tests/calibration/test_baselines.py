import numpy as np
import pytest
from sklearn.covariance import ledoit_wolf_shrinkage

from calibration.baselines import (
    RANK_TOLERANCE,
    bad_channels,
    fit_evoked,
    fit_tangent,
    ledoit_wolf_intensity,
    metrics_of,
    noise_whitening,
)
from calibration.candidates import class_means, discriminants
from engines.errors import InputError
from tests.calibration.synthetic import EVOKED, FS, LONG, mixed_noise

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(30, 8), (8, 30)])
def test_the_shrinkage_is_that_of_scikit_learn(shape):
    x = RNG.standard_normal(shape) @ np.diag(np.linspace(1, 3, shape[1]))
    x -= x.mean(axis=0)
    assert ledoit_wolf_intensity(x) == pytest.approx(ledoit_wolf_shrinkage(x, assume_centered=True))


@pytest.mark.parametrize("shape", [(60, 10), (20, 50)])
def test_for_two_classes_the_rule_is_discriminant_analysis_within_classes(shape):
    n, d = shape
    labels = np.arange(n) % 3 % 2
    x = RNG.standard_normal(shape) + 0.5 * labels[:, None]
    penalty = 0.3
    metric = metrics_of(x, (penalty,))[0]
    means = class_means(metric(x), np.ones(n), labels[None], 2)
    head = metric.head(means[0], 1.0)
    centred = x - x.mean(axis=0)
    within = sum(
        (x[labels == c] - x[labels == c].mean(0)).T @ (x[labels == c] - x[labels == c].mean(0)) for c in (0, 1)
    )
    ridge = penalty * np.sum(centred**2) / n / d * np.eye(d)
    direction = np.linalg.solve(within / n + ridge, x[labels == 1].mean(0) - x[labels == 0].mean(0))
    midpoint = (x[labels == 1].mean(0) + x[labels == 0].mean(0)) / 2
    new = RNG.standard_normal((200, d))
    scores = new @ head.weights.T + head.bias
    expected = (new - midpoint) @ direction
    assert np.corrcoef(scores[:, 1] - scores[:, 0], expected)[0, 1] > 1 - 1e-9
    assert np.array_equal(scores.argmax(axis=1), (expected > 0).astype(int))


def test_the_head_gives_the_discriminants_of_the_whitened_space():
    x, labels = RNG.standard_normal((30, 5)), np.arange(30) % 3
    metric = metrics_of(x, (None,))[0]
    means = class_means(metric(x), np.ones(30), labels[None], 3)
    head = metric.head(means[0], 1.0)
    expected = discriminants(means, metric(x))[0]
    got = x @ head.weights.T + head.bias
    np.testing.assert_allclose(got - got[:, :1], expected - expected[:, :1], atol=1e-9)


def test_a_class_without_trials_never_wins():
    means = class_means(RNG.standard_normal((4, 3)), np.ones(4), np.array([[0, 0, 1, 1]]), 3)
    assert set(discriminants(means, RNG.standard_normal((50, 3)))[0].argmax(axis=1)) <= {0, 1}


def test_noise_is_white_on_the_rank_of_the_data():
    epochs = mixed_noise(RNG, 60, 8, 50)
    epochs -= epochs.mean(axis=1, keepdims=True)  # average reference: one direction less
    matrix = noise_whitening(epochs)
    assert matrix.shape == (7, 8)
    white = matrix @ (epochs - epochs.mean(axis=0))
    np.testing.assert_allclose(np.mean(white @ white.swapaxes(1, 2) / 50, axis=0), np.eye(7), atol=0.2)


def test_flat_and_wild_channels_are_left_out():
    epochs = RNG.standard_normal((20, 12, 50))
    epochs[:, 3] = 0.0
    epochs[:, 7] *= 300.0
    assert np.flatnonzero(bad_channels(epochs)).tolist() == [3, 7]
    assert not noise_whitening(epochs)[:, [3, 7]].any()
    with pytest.raises(InputError, match="flat channels only"):
        noise_whitening(np.zeros((5, 4, 20)))


def test_few_channels_of_ordinary_spread_are_all_kept():
    assert not bad_channels(RNG.standard_normal((20, 4, 50)) * np.array([1.0, 1.4, 2.0, 1.1])[:, None]).any()


def test_features_start_at_the_onset():
    features = fit_evoked(0.1)(mixed_noise(RNG, 10, 4, 60), FS, EVOKED)
    assert features.edges[0] == 10 and features.edges[-1] == 60 and len(features.edges) == 6


def test_tangent_features_of_the_mean_covariance_are_about_zero():
    epochs = mixed_noise(RNG, 40, 5, LONG.n_samples(FS))
    features = fit_tangent(epochs, FS, LONG)
    vectors = features(epochs)
    assert np.abs(vectors.mean(axis=0)).max() < 0.1 * np.abs(vectors).max()
    assert features.spatial.shape[1] == 4  # against the average, on its rank


def test_bands_that_an_epoch_cannot_show_are_refused():
    with pytest.raises(InputError, match="choose an evoked system"):
        fit_tangent(mixed_noise(RNG, 10, 4, 20), FS, LONG)


def test_the_rank_tolerance_is_far_above_rounding():
    assert 1e3 * np.finfo(float).eps < RANK_TOLERANCE
