import numpy as np
from scipy import stats

from pipeline.encode import inputs, standardised

RNG = np.random.default_rng(4)
STATIC, TURN = RNG.standard_normal((4, 250)) * 12 + 3, RNG.standard_normal((4, 600)) * 7 - 1


def test_an_epoch_is_standardised_by_one_mean_and_deviation_over_everything() -> None:
    got = standardised(STATIC)
    assert got.dtype == np.float32
    assert np.allclose(got, stats.zscore(STATIC, axis=None), atol=1e-6)


def test_a_flat_epoch_stays_flat() -> None:
    assert np.array_equal(standardised(np.full((2, 10), 3.0)), np.zeros((2, 10), np.float32))


def test_a_beginning_counts_by_itself_with_zeros_behind_it() -> None:
    got = inputs(STATIC, TURN[:, :120], 600)
    assert {name: (a.shape, a.dtype) for name, a in got.items()} == {
        "static": ((1, 4, 250), np.float32),
        "dynamic": ((1, 4, 600), np.float32),
        "n_dynamic": ((1,), np.int64),
    }
    assert got["n_dynamic"][0] == 120
    assert np.allclose(got["dynamic"][0, :, :120], stats.zscore(TURN[:, :120], axis=None), atol=1e-6)
    assert not got["dynamic"][0, :, 120:].any()


def test_what_comes_later_changes_nothing_of_a_beginning() -> None:
    other = TURN.copy()
    other[:, 120:] = 1e6
    one, another = (inputs(STATIC, turn[:, :120], 600) for turn in (TURN, other))
    assert all(np.array_equal(one[name], another[name]) for name in one)


def test_without_a_turn_nothing_of_it_is_there() -> None:
    for nothing in (None, np.empty((4, 0))):
        got = inputs(STATIC, nothing, 600)
        assert got["n_dynamic"][0] == 0 and not got["dynamic"].any()
    assert np.allclose(got["static"][0], stats.zscore(STATIC, axis=None), atol=1e-6)
