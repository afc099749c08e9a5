import numpy as np
import pytest
from scipy import linalg
from scipy.spatial.distance import correlation

from calibration.metrics.distances import feature_distance, frechet_distance, inception_score
from engines.errors import InputError


def test_feature_distance_is_scipys_correlation_distance():
    a, b = np.random.default_rng(0).standard_normal((2, 5, 30))
    assert feature_distance(a, b) == pytest.approx([correlation(x, y) for x, y in zip(a, b, strict=True)])


@pytest.mark.parametrize("counts", [(60, 80), (9, 7)])
def test_frechet_distance_is_that_with_a_matrix_square_root(counts):
    rng = np.random.default_rng(0)
    mixing = rng.standard_normal((12, 12))
    a, b = rng.standard_normal((counts[0], 12)) @ mixing, rng.standard_normal((counts[1], 12)) + 1
    ca, cb = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    # A little is added where the covariances have no full rank, as pytorch-fid does; its root is then right to 1e-3.
    root = linalg.sqrtm((ca + 1e-9 * np.eye(12)) @ (cb + 1e-9 * np.eye(12))).real
    expected = np.sum((a.mean(0) - b.mean(0)) ** 2) + np.trace(ca + cb - 2 * root)
    assert frechet_distance(a, b).value == pytest.approx(expected, rel=1e-3)


def test_frechet_distance_of_one_dimension_is_that_of_means_and_deviations():
    a, b = np.random.default_rng(0).standard_normal((2, 50, 1)) * np.array([[[1.0]], [[3.0]]])
    expected = (a.mean() - b.mean()) ** 2 + (a.std(ddof=1) - b.std(ddof=1)) ** 2
    assert frechet_distance(a, b).value == pytest.approx(expected)


def test_frechet_distance_says_when_there_are_too_few_pictures():
    a = np.random.default_rng(0).standard_normal((20, 8))
    assert frechet_distance(a, a[:10]).caution == ""
    few = frechet_distance(a[:, :8], a[:8])
    assert few.n == 8 and "8 pictures in 8 dimensions" in few.caution
    with pytest.raises(InputError, match="two pictures or more"):
        frechet_distance(a, a[:1])


def test_inception_score_counts_the_classes_of_sure_answers():
    sure = np.tile(np.eye(5), (8, 1))
    assert inception_score(sure, n_splits=1) == pytest.approx((5.0, 0.0))
    assert inception_score(np.full((40, 5), 0.2)) == pytest.approx((1.0, 0.0))


def test_inception_score_is_the_entropy_of_the_mean_less_the_mean_entropy():
    p = np.random.default_rng(0).dirichlet(np.full(6, 0.3), 30)
    entropies = -np.sum(p * np.log(p), axis=1)
    overall = -np.sum(p.mean(0) * np.log(p.mean(0)))
    assert inception_score(p, n_splits=1)[0] == pytest.approx(np.exp(overall - entropies.mean()))


def test_inception_score_refuses_what_is_no_probability():
    with pytest.raises(InputError, match="sum to 1"):
        inception_score(np.ones((20, 4)))
