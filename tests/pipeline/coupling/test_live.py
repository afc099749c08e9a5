import numpy as np
import pytest

from engines.errors import InputError
from pipeline.coupling import CouplingBands, LiveEstimator, modulation_index_from
from pipeline.coupling.analytic import phase_and_amplitude
from pipeline.coupling.surrogates import even_shifts
from pipeline.types import Array
from tests.pipeline.coupling.signals import coupled, looped_index

BANDS = CouplingBands()


def channels_of_every_depth(sfreq_hz: float, seconds: float = 20.0) -> Array:
    return np.vstack([coupled(depth, seconds, sfreq_hz, seed=9 + i) for i, depth in enumerate(np.linspace(0, 1, 24))])


@pytest.mark.parametrize("sfreq_hz", [160.0, 250.0, 1000.0])
def test_the_fast_map_agrees_with_the_butterworth_map(sfreq_hz: float) -> None:
    """Correlation over channels, window by window; the reference is filtered in one piece, around the windows too."""
    data = channels_of_every_depth(sfreq_hz)
    phase, _ = phase_and_amplitude(data, sfreq_hz, BANDS.phase_hz, BANDS.mains_hz)
    _, amplitude = phase_and_amplitude(data, sfreq_hz, BANDS.amplitude_hz, BANDS.mains_hz)
    n, margin = round(2.5 * sfreq_hz), round(0.25 * sfreq_hz)
    estimate = LiveEstimator(BANDS, sfreq_hz, n, n_surrogates=0)
    for first in range(round(2 * sfreq_hz), data.shape[1] - n, n):
        kept = slice(first + margin, first + n - margin)
        reference = modulation_index_from(phase[:, kept], amplitude[:, kept])
        fast = estimate(data[:, first : first + n]).mi
        assert np.corrcoef(fast, reference)[0, 1] > 0.98


def test_its_index_is_that_of_a_plain_loop_over_its_own_phases() -> None:
    data = channels_of_every_depth(250.0, 2.5)
    estimator = LiveEstimator(BANDS, 250.0, 625, n_surrogates=0)
    phase, amplitude = estimator._analytic(data)
    looped = [looped_index(p, a) for p, a in zip(phase.astype(float), amplitude.astype(float), strict=True)]
    assert estimator(data).mi == pytest.approx(looped, abs=1e-6)


def test_a_channel_is_unaffected_by_the_others() -> None:
    data = channels_of_every_depth(250.0, 2.5)
    estimator = LiveEstimator(BANDS, 250.0, 625)
    whole, part = estimator(data), estimator(data[5:8])
    assert part.mi == pytest.approx(whole.mi[5:8], abs=1e-7)
    assert part.significance.z == pytest.approx(whole.significance.z[5:8], abs=1e-3)


def test_its_surrogates_are_circular_shifts_within_the_window() -> None:
    data = channels_of_every_depth(250.0, 2.5)[:3]
    estimator = LiveEstimator(BANDS, 250.0, 625, n_surrogates=50)
    bins, amplitude = estimator.binned(data)
    centres = (bins + 0.5) * 2 * np.pi / 18 - np.pi
    shifts = even_shifts(bins.shape[1], 50, round(200 / 6))
    rolled = np.array([modulation_index_from(centres, np.roll(amplitude, -s, axis=1)) for s in shifts])
    found = estimator(data)
    assert found.significance.surrogate_mean == pytest.approx(rolled.mean(axis=0), abs=1e-6)
    assert found.significance.z == pytest.approx((found.mi - rolled.mean(axis=0)) / rolled.std(axis=0), abs=1e-3)


def test_strong_coupling_stands_out_of_its_surrogates() -> None:
    data = np.vstack([coupled(d, 60.0, 250.0, seed=3 + i) for i, d in enumerate((0.0, 0.0, 1.0, 1.0))])
    estimator = LiveEstimator(BANDS, 250.0, 625)
    z = np.array([estimator(data[:, k : k + 625]).significance.z for k in range(0, 14000, 625)])
    assert z[:, 2:].mean() > 2 > 0.5 > z[:, :2].mean()


def test_the_full_map_has_the_local_one_on_its_diagonal() -> None:
    data = channels_of_every_depth(250.0, 2.5)[:6]
    estimator = LiveEstimator(BANDS, 250.0, 625, n_surrogates=20)
    mi, z = estimator.full(data)
    local = estimator(data)
    assert mi.shape == z.shape == (6, 6)
    assert np.diag(mi) == pytest.approx(local.mi, abs=1e-6)
    assert np.diag(z) == pytest.approx(local.significance.z, abs=1e-2)


def test_bands_and_windows_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match="carry 36 Hz"):
        LiveEstimator(BANDS, 80.0, 200)
    with pytest.raises(InputError, match="longer window"):
        LiveEstimator(BANDS, 250.0, 160)
