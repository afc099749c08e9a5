import numpy as np
import pytest

from calibration.recipes.feature_map import _left_out, fit
from engines.errors import InputError
from engines.generators.feature_map import FeatureMap
from engines.vision.base import Embeddings


def related(n, rank, noise=0.0, seed=0):
    """Embeddings (n, 20) and features (n, 3, 7) that depend on them by `rank` numbers."""
    rng = np.random.default_rng(seed)
    embeddings = rng.normal(2, 3, (n, 20))
    features = 5 + embeddings @ rng.normal(size=(20, rank)) @ rng.normal(size=(rank, 21))
    features += noise * rng.normal(size=features.shape)
    return embeddings.astype(np.float32), features.reshape(n, 3, 7).astype(np.float32)


def test_a_linear_relation_is_found_and_holds_for_pictures_it_was_not_fitted_on():
    embeddings, features = related(60, rank=4)
    fitted = fit(Embeddings("e", embeddings[:50]), features[:50], "captioner", rank=4)
    np.testing.assert_allclose(fitted.features(embeddings[50:]), features[50:], rtol=1e-3, atol=1e-2)
    assert fitted.components.shape == (4, 3, 7) and fitted.origin.unexplained < 1e-6


def test_with_all_ranks_it_is_ridge_regression():
    embeddings, features = related(40, rank=6, noise=20)
    fitted = fit(Embeddings("e", embeddings), features, "captioner", rank=21)
    x, y = embeddings - embeddings.mean(axis=0), (features - features.mean(axis=0)).reshape(40, -1)
    given = np.random.default_rng(3).normal(size=(5, 20)).astype(np.float32)
    found = fitted.features(given + embeddings.mean(axis=0)).reshape(5, -1) - features.mean(axis=0).ravel()
    ridge = [
        given @ np.linalg.solve(x.T @ x + share * np.trace(x @ x.T) / 40 * np.eye(20), x.T @ y)
        for share in 10.0 ** np.arange(-6, 3)
    ]
    assert min(np.abs(found - wanted).max() for wanted in ridge) < 1e-3 * np.abs(found).max()


def test_a_low_rank_keeps_the_directions_in_which_predictions_vary_most():
    embeddings, features = related(40, rank=6, noise=1)
    whole, low = (fit(Embeddings("e", embeddings), features, "c", rank).features(embeddings) for rank in (21, 2))
    centred = (whole - whole.mean(axis=0)).reshape(40, -1)
    u, s, vt = np.linalg.svd(centred, full_matrices=False)
    wanted = (u[:, :2] * s[:2]) @ vt[:2]
    np.testing.assert_allclose((low - low.mean(axis=0)).reshape(40, -1), wanted, atol=1e-3 * np.abs(wanted).max())


def test_the_error_on_pictures_left_out_is_that_of_really_leaving_them_out():
    embeddings, features = (a.astype(np.float64).reshape(12, -1) for a in related(12, rank=3, noise=5))
    penalty, wanted = 30.0, 0.0
    for left in range(12):
        others = np.arange(12) != left
        x, y = embeddings[others], features[others]
        xc = x - x.mean(axis=0)
        slope = np.linalg.solve(xc.T @ xc + penalty * np.eye(20), xc.T @ (y - y.mean(axis=0)))
        wanted += np.sum((features[left] - y.mean(axis=0) - (embeddings[left] - x.mean(axis=0)) @ slope) ** 2)
    x, y = embeddings - embeddings.mean(axis=0), features - features.mean(axis=0)
    assert _left_out(x @ x.T, y @ y.T, penalty) == pytest.approx(wanted, rel=1e-9)


def test_what_was_fitted_is_written_and_read_again(tmp_path):
    embeddings, features = related(30, rank=3)
    fitted = fit(Embeddings("e", embeddings), features, "captioner")
    fitted.save(tmp_path / "map.safetensors")
    read = FeatureMap.load(tmp_path / "map.safetensors")
    assert read.origin == fitted.origin
    np.testing.assert_allclose(read.features(embeddings), fitted.features(embeddings), rtol=2e-3, atol=0.05)


def test_too_few_or_equal_pictures_are_refused():
    embeddings, features = related(4, rank=2)
    with pytest.raises(InputError, match="at least 3"):
        fit(Embeddings("e", embeddings[:2]), features[:2], "c")
    with pytest.raises(InputError, match="as many features"):
        fit(Embeddings("e", embeddings), features[:3], "c")
    with pytest.raises(InputError, match="differ"):
        fit(Embeddings("e", embeddings), np.ones_like(features), "c")


def test_files_and_embeddings_of_another_kind_are_refused(tmp_path):
    with pytest.raises(InputError, match="map from embeddings"):
        FeatureMap.load(tmp_path / "none.safetensors")
    embeddings, features = related(4, rank=2)
    with pytest.raises(InputError, match=r"\(n, 20\)"):
        fit(Embeddings("e", embeddings), features, "c").features(embeddings[:, :3])
