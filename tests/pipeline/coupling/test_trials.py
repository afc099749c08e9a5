import numpy as np
import pytest

from engines.errors import InputError
from pipeline.coupling import CouplingBands, modulation_index_from
from pipeline.coupling.trials import TrialWindow, excess, pooled_index, sliding, trial_window
from pipeline.types import Array
from tests.pipeline.coupling.signals import coupled

BANDS = CouplingBands()
FS = 250.0


def window(n: int, seed: int, n_channels: int = 2) -> TrialWindow:
    rng = np.random.default_rng(seed)
    bins = rng.integers(0, 18, (n_channels, n)).astype(np.uint8)
    return TrialWindow(bins, rng.gamma(2.0, 3.0, (n_channels, n)).astype(np.float32))


def centres(one: TrialWindow) -> Array:
    return (one.bins + 0.5) * 2 * np.pi / 18 - np.pi


def test_windows_of_one_length_are_paired_sample_by_sample() -> None:
    one, other = window(250, 1), window(250, 2)
    expected = modulation_index_from(centres(one), other.amplitude)
    assert pooled_index(one, other) == pytest.approx(expected, abs=1e-12)


def test_the_longer_window_is_cut_into_pieces_of_the_shorter_and_pooled() -> None:
    """1 s with 6.1 s: six pieces, what is left is dropped."""
    static, dynamic = window(100, 1), window(610, 2)
    tiled = np.tile(centres(static), 6)
    expected = modulation_index_from(tiled, dynamic.amplitude[:, :600])
    assert pooled_index(static, dynamic) == pytest.approx(expected, abs=1e-12)
    reverse = modulation_index_from(centres(dynamic)[:, :600], np.tile(static.amplitude, 6))
    assert pooled_index(dynamic, static) == pytest.approx(reverse, abs=1e-12)


def test_the_excess_is_above_the_mean_of_both_shuffles_with_every_other_trial() -> None:
    one, others = window(100, 1), [window(100, 2), window(100, 3)]
    shuffles = [pooled_index(one, o) for o in others] + [pooled_index(o, one) for o in others]
    found = excess(one, one, [(o, o) for o in others])
    assert found == pytest.approx(pooled_index(one, one) - np.mean(shuffles, axis=0), abs=1e-12)
    assert np.isnan(excess(one, one, [])).all()


def test_a_channel_that_is_bad_in_some_trials_is_shuffled_with_the_rest() -> None:
    one, good, bad = window(100, 1), window(100, 2), window(100, 3)
    bad.amplitude[1] = np.nan
    mixed = excess(one, one, [(good, good), (bad, bad)])
    assert np.isfinite(mixed).all()
    alone = excess(bad, bad, [(one, one), (good, good)])
    assert np.isfinite(alone[0]) and np.isnan(alone[1])


def test_within_a_trial_coupling_stands_above_the_shuffles_and_across_trials_it_does_not() -> None:
    def trials(depth: float) -> list[TrialWindow]:
        return [trial_window(coupled(depth, 3.0, FS, seed=s), FS, BANDS, (125, 125)) for s in range(20)]

    def mean_excess(windows: list[TrialWindow]) -> float:
        others = [(w, w) for w in windows]
        return float(np.mean([excess(w, w, [o for o in others if o[0] is not w]) for w in windows]))

    with_coupling, without = mean_excess(trials(1.0)), mean_excess(trials(0.0))
    assert with_coupling > 0.01
    assert abs(without) < with_coupling / 5


def test_sliding_windows_follow_coupling_that_comes_and_goes() -> None:
    data = np.hstack([coupled(0.0, 20.0, FS, seed=1), coupled(1.0, 20.0, FS, seed=2)])
    whole = trial_window(data, FS, BANDS)
    found = sliding(whole, 1250, 625)
    assert found.starts[:3].tolist() == [0, 625, 1250] and found.mi.shape == found.excess.shape == (15, 1)
    assert found.mi[found.starts >= 5000].min() > found.mi[found.starts <= 3750].max()
    second = slice(625, 625 + 1250)
    phase, amplitude = centres(whole)[:, second], whole.amplitude[:, second]
    assert found.mi[1] == pytest.approx(modulation_index_from(phase, amplitude), abs=1e-12)
    assert found.excess[0] == pytest.approx(
        excess(*[TrialWindow(whole.bins[:, :1250], whole.amplitude[:, :1250])] * 2, [
            (TrialWindow(whole.bins[:, s : s + 1250], whole.amplitude[:, s : s + 1250]),) * 2
            for s in range(1250, 8751, 625)
        ]),
        abs=1e-12,
    )  # fmt: skip
    assert found.excess[-1] > 0.01 > abs(found.excess[0])


def test_windows_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match="does not fit"):
        sliding(window(50, 1), 51, 10)
    with pytest.raises(InputError, match="same channels"):
        pooled_index(window(50, 1, 2), window(50, 1, 3))
