"""The index against a plain loop, documented values, and its own promises."""

import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal
from scipy.io import loadmat

from engines.errors import InputError
from pipeline.coupling import modulation_index, modulation_index_from, modulation_map
from pipeline.coupling.index import bin_centres, bin_sums, binned, index_of, mean_amplitude, phase_bins, preferred_phase
from pipeline.types import Array
from tests.pipeline.coupling.signals import coupled, looped_index


def phases_and_amplitudes(n_channels: int = 6, n: int = 900, seed: int = 1) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    return rng.uniform(-np.pi, np.pi, (n_channels, n)), rng.gamma(2.0, 5.0, (n_channels, n))


@pytest.mark.parametrize("n_bins", [2, 18, 20])
def test_the_index_is_that_of_a_plain_loop(n_bins: int) -> None:
    phase, amplitude = phases_and_amplitudes()
    amplitude *= 1 + np.linspace(0, 1, 6)[:, None] * np.cos(phase)
    looped = [looped_index(p, a, n_bins) for p, a in zip(phase, amplitude, strict=True)]
    assert modulation_index_from(phase, amplitude, n_bins) == pytest.approx(looped, abs=1e-12)


def test_filtering_first_is_butterworth_there_and_back_then_hilbert() -> None:
    data = coupled(1.0, 8.0, 250.0, n_channels=3)

    def analytic(band: tuple[float, float]) -> Array:
        b, a = signal.butter(3, band, "bandpass", fs=250.0)
        return signal.hilbert(signal.filtfilt(b, a, data, axis=1, padlen=21), axis=1)

    phase, amplitude = np.angle(analytic((4, 8))), np.abs(analytic((30, 45)))
    looped = [looped_index(p, a) for p, a in zip(phase, amplitude, strict=True)]
    assert modulation_index(data, data, 250.0, (4, 8), (30, 45)) == pytest.approx(looped, abs=1e-6)


def test_a_channel_is_unaffected_by_the_others() -> None:
    phase, amplitude = phases_and_amplitudes()
    together = modulation_index_from(phase, amplitude)
    alone = [modulation_index_from(p[None], a[None])[0] for p, a in zip(phase, amplitude, strict=True)]
    assert together.tolist() == alone


@settings(deadline=None, max_examples=40)
@given(st.integers(2, 400), st.integers(2, 24), st.integers(0, 2**31))
def test_the_index_lies_between_0_and_1(n: int, n_bins: int, seed: int) -> None:
    index = modulation_index_from(*phases_and_amplitudes(3, n, seed), n_bins)
    assert ((index >= 0) & (index <= 1)).all()


def test_all_amplitude_in_one_bin_is_1_and_a_constant_amplitude_0() -> None:
    phase = np.tile(np.linspace(-np.pi, np.pi, 1800, endpoint=False) + 1e-6, (2, 1))
    amplitude = np.stack([np.ones(1800), (np.abs(phase[0] - 0.1) < 0.05).astype(float)])
    assert modulation_index_from(phase, amplitude) == pytest.approx([0.0, 1.0], abs=1e-12)


def test_scale_of_the_amplitude_and_whole_turns_of_the_phase_change_nothing() -> None:
    phase, amplitude = phases_and_amplitudes()
    there = modulation_index_from(phase, amplitude)
    assert modulation_index_from(phase + 2 * np.pi, 1e-6 * amplitude) == pytest.approx(there, abs=1e-9)


def test_across_streams_the_phase_is_of_one_and_the_amplitude_of_the_other() -> None:
    slow, fast = coupled(1.0, 60.0, 250.0, seed=1), coupled(1.0, 60.0, 250.0, seed=2)
    own = modulation_index(slow, slow, 250.0, (4, 8), (30, 45))
    across = modulation_index(slow, fast, 250.0, (4, 8), (30, 45))
    assert across[0] < own[0] / 10
    mixed = modulation_index(slow, slow * 0 + fast, 250.0, (4, 8), (30, 45))
    assert mixed == pytest.approx(across)


def test_a_channel_without_numbers_or_without_amplitude_has_no_index_and_leaves_the_others_alone() -> None:
    phase, amplitude = phases_and_amplitudes(4)
    whole = modulation_index_from(phase, amplitude)
    amplitude[1, 7], amplitude[2] = np.nan, 0.0
    index = modulation_index_from(phase, amplitude)
    assert np.isnan(index[[1, 2]]).all()
    assert index[[0, 3]].tolist() == whole[[0, 3]].tolist()


def test_a_flat_channel_has_no_index() -> None:
    data = coupled(1.0, 8.0, 250.0, n_channels=2)
    data[1] = 42.0
    index = modulation_index(data, data, 250.0, (4, 8), (30, 45))
    assert np.isfinite(index[0]) and np.isnan(index[1])


def test_sums_of_windows_add_up_to_the_whole() -> None:
    phase, amplitude = phases_and_amplitudes()
    parts = [binned(phase[:, cut], amplitude[:, cut]) for cut in (slice(0, 400), slice(400, 900))]
    pooled = mean_amplitude(*(sum(one[k] for one in parts) for k in (0, 1)))
    assert index_of(pooled) == pytest.approx(modulation_index_from(phase, amplitude), abs=1e-12)


def test_the_map_has_the_index_on_its_diagonal_and_the_loop_everywhere() -> None:
    phase, amplitude = phases_and_amplitudes(3, 300)
    found = modulation_map(phase, amplitude)
    assert np.diag(found) == pytest.approx(modulation_index_from(phase, amplitude), abs=1e-12)
    assert found[0, 2] == pytest.approx(looped_index(phase[0], amplitude[2]), abs=1e-12)


def test_the_preferred_phase_is_where_the_amplitude_is_largest() -> None:
    phase = np.tile(np.linspace(-np.pi, np.pi, 5000), (3, 1))
    at = np.array([-2.0, 0.3, 3.0])
    sums, counts = bin_sums(phase_bins(phase), 1 + np.cos(phase - at[:, None]), 18)
    assert preferred_phase(mean_amplitude(sums, counts)) == pytest.approx(at, abs=0.01)
    assert bin_centres(4) == pytest.approx([-3 * np.pi / 4, -np.pi / 4, np.pi / 4, 3 * np.pi / 4])


def test_what_does_not_fit_is_refused() -> None:
    phase, amplitude = phases_and_amplitudes(2, 50)
    with pytest.raises(InputError, match="as many amplitudes as phases"):
        modulation_index_from(phase, amplitude[:, 1:])
    with pytest.raises(InputError, match="2 bins or more"):
        modulation_index_from(phase, amplitude, n_bins=1)
    with pytest.raises(InputError, match=r"112\.5 Hz"):
        modulation_index(phase, phase, 250.0, (4, 8), (80, 120))
    with pytest.raises(InputError, match="take a longer window"):
        modulation_index(phase[:, :20], phase[:, :20], 250.0, (4, 8), (30, 45))
    with pytest.raises(InputError, match="numbers everywhere"):
        modulation_map(phase, amplitude * np.nan)


def test_the_index_of_pacpy_s_example_is_the_documented_one(data: Path) -> None:
    """pacpy's own filters, as its tests use them: FIR of three cycles there and back, its length cut off each end."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # written by Python 2
        recording = np.load(data / "pac" / "pacpy_exampledata.npy").ravel()

    def filtered(low: float, high: float) -> Array:
        taps = signal.firwin(int(3 * 1000 / low), (low, high), pass_zero=False, fs=1000)
        return signal.filtfilt(taps, [1.0], recording)

    cut = slice(int(3 * 1000 / 13), -int(3 * 1000 / 13))
    phase = np.angle(signal.hilbert(filtered(13, 30)[cut]))
    amplitude = np.abs(signal.hilbert(filtered(80, 200)[cut]))
    assert modulation_index_from(phase, amplitude, n_bins=20) == pytest.approx(0.00363, abs=5e-6)


@pytest.mark.parametrize(("name", "peak_hz", "documented"), [("LFP-1", 100, 0.0498), ("LFP-3", 40, 0.089)])
def test_the_peak_of_the_case_studies_is_the_documented_one(
    data: Path, name: str, peak_hz: float, documented: float
) -> None:
    """The index at the peak and beside it; documented were the values and not the filters, so within 2 %."""
    lfp = loadmat(data / "pac" / f"casestudies_{name}.mat")["LFP"].reshape(1, -1)
    found = {
        (slow, fast): modulation_index(lfp, lfp, 1000.0, (slow - 1, slow + 1), (fast - 10, fast + 10))[0]
        for slow in (4, 6, 8)
        for fast in (peak_hz - 20, peak_hz, peak_hz + 20)
    }
    assert max(found, key=found.__getitem__) == (6, peak_hz)
    assert found[6, peak_hz] == pytest.approx(documented, rel=0.02)
