import numpy as np
import pytest
from sklearn.linear_model import Ridge as Reference

from engines.errors import InputError
from engines.models.ridge import fit_ridge

ALPHAS = (0.1, 10.0, 1000.0)


def problem(n=24, n_features=40, dim=3, repeats=2, noise=1.0, seed=0):
    """Trials of n / repeats pictures, shown `repeats` times."""
    random = np.random.default_rng(seed)
    groups = np.repeat(np.arange(n // repeats), repeats)
    targets = random.standard_normal((n // repeats, dim))[groups] + 5
    features = targets @ random.standard_normal((dim, n_features)) + noise * random.standard_normal((n, n_features))
    return features, targets, groups


def test_the_fit_is_that_of_scikit_learn():
    features, targets, _ = problem()
    ours = fit_ridge(features, targets, alphas=(10.0,))
    theirs = Reference(alpha=10.0).fit(features, targets)
    np.testing.assert_allclose(ours.weight, theirs.coef_.T, atol=1e-10)
    np.testing.assert_allclose(ours(features), theirs.predict(features), atol=1e-10)


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("n_features", [5, 40])
def test_errors_left_out_are_those_of_refitting_without_each_group(grouped, n_features):
    features, targets, groups = problem(n_features=n_features)
    ours = fit_ridge(features, targets, groups if grouped else None, ALPHAS)
    groups = groups if grouped else np.arange(len(features))
    for alpha, error in zip(ALPHAS, ours.errors, strict=True):
        residuals = [
            targets[groups == g]
            - Reference(alpha=alpha).fit(features[groups != g], targets[groups != g]).predict(features[groups == g])
            for g in np.unique(groups)
        ]
        assert error == pytest.approx(np.mean(np.concatenate(residuals) ** 2), rel=1e-9)
    assert ours.alpha == ALPHAS[int(np.argmin(ours.errors))]


def test_noisier_features_are_shrunk_more():
    chosen = [fit_ridge(*problem(n=60, noise=noise)).alpha for noise in (0.01, 30.0)]
    assert chosen[0] < chosen[1]


def test_repeats_left_out_one_by_one_look_better_than_they_are():
    features, targets, groups = problem(n=60, n_features=80, dim=20, noise=0.5)
    assert min(fit_ridge(features, targets).errors) < 0.9 * min(fit_ridge(features, targets, groups).errors)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"targets": np.zeros((3, 2))}, r"got \(24, 40\), \(3, 2\)"),
        ({"groups": np.zeros(24, np.int64)}, "two groups or more"),
        ({"alphas": (0.0,)}, "above zero"),
    ],
)
def test_what_cannot_be_fitted_is_refused(changed, message):
    features, targets, _ = problem()
    with pytest.raises(InputError, match=message):
        fit_ridge(**{"features": features, "targets": targets} | changed)


def test_other_features_than_it_was_fitted_for_are_refused():
    features, targets, _ = problem()
    with pytest.raises(InputError, match=r"expected \(n, 40\) features"):
        fit_ridge(features, targets)(features[:, 1:])
