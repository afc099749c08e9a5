import numpy as np
import pytest
from scipy import signal

from engines.errors import InputError
from pipeline.coupling.analytic import WindowAnalytic, phase_and_amplitude
from pipeline.types import Array

PHASE, AMPLITUDE = (4.0, 8.0), (30.0, 45.0)


def tones(sfreq_hz: float, seconds: float = 6.0) -> tuple[Array, Array]:
    """A 6 Hz cosine, and a 37 Hz one of amplitude 2 + sin(2 pi t)."""
    t = np.arange(round(seconds * sfreq_hz)) / sfreq_hz
    return t, np.stack([np.cos(2 * np.pi * 6 * t), (2 + np.sin(2 * np.pi * t)) * np.cos(2 * np.pi * 37 * t)])


def test_phase_and_amplitude_are_those_of_the_tones() -> None:
    t, data = tones(250.0)
    inner = slice(250, -250)
    phase, _ = phase_and_amplitude(data[:1], 250.0, PHASE)
    _, amplitude = phase_and_amplitude(data[1:], 250.0, AMPLITUDE)
    off = np.angle(np.exp(1j * (phase[0] - 2 * np.pi * 6 * t)))
    assert np.abs(off[inner]).max() < 0.02
    assert amplitude[0, inner] == pytest.approx((2 + np.sin(2 * np.pi * t))[inner], rel=0.02)


@pytest.mark.parametrize("mains_hz", [None, 50.0])
def test_the_mains_are_left_out_where_they_are_asked_to_be(mains_hz: float | None) -> None:
    hum = np.cos(2 * np.pi * 50 * np.arange(2500) / 250)[None]
    _, amplitude = phase_and_amplitude(hum, 250.0, (30.0, 80.0), mains_hz)
    left = amplitude[0, 500:-500].max()
    assert left < 0.01 if mains_hz else left == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("sfreq_hz", [100.0, 160.0, 250.0, 1000.0])
@pytest.mark.parametrize("mains_hz", [None, 50.0])
def test_the_fast_signal_is_the_reference_on_a_coarser_grid(sfreq_hz: float, mains_hz: float | None) -> None:
    rng = np.random.default_rng(0)
    data = signal.lfilter([1.0], [1.0, -0.95], rng.standard_normal((4, round(7 * sfreq_hz))), axis=1)
    first, n = round(2 * sfreq_hz), round(3 * sfreq_hz)
    fast = WindowAnalytic(PHASE, AMPLITUDE, sfreq_hz, n, 0.25, mains_hz)
    found = fast(data[:, first : first + n])
    times = first / sfreq_hz + 0.25 + np.arange(fast.n_out) / fast.sfreq_out_hz
    for (wanted, band), got in zip(((0, PHASE), (1, AMPLITUDE)), found, strict=True):
        whole = phase_and_amplitude(data, sfreq_hz, band, mains_hz)[wanted]
        sampled = np.exp(1j * whole) if wanted == 0 else whole
        at = np.arange(data.shape[1]) / sfreq_hz
        there = np.array([np.interp(times, at, row) for row in sampled])
        here = np.exp(1j * got) if wanted == 0 else got
        similar = np.abs(np.vdot(there, here)) / np.linalg.norm(there) / np.linalg.norm(here)
        assert similar > 0.985


def test_an_offset_and_a_drift_of_millivolts_do_not_show() -> None:
    _, data = tones(250.0, 2.5)
    fast = WindowAnalytic(PHASE, AMPLITUDE, 250.0, 625, 0.25, 50.0)
    clean = fast(data)[1]
    drifting = fast(data + 2000 + 500 * np.linspace(0, 1, 625))[1]
    assert drifting[1] == pytest.approx(clean[1], abs=0.01)


def test_channels_do_not_touch_one_another() -> None:
    data = np.random.default_rng(0).standard_normal((7, 625)) * 10
    fast = WindowAnalytic(PHASE, AMPLITUDE, 250.0, 625, 0.25, 50.0)
    together, alone = fast(data), fast(data[3:4])
    assert np.exp(1j * together[0][3]) == pytest.approx(np.exp(1j * alone[0][0]), abs=1e-4)
    assert together[1][3] == pytest.approx(alone[1][0], rel=1e-4)


@pytest.mark.parametrize(
    ("phase_hz", "sfreq_hz", "about_hz"),
    [((4, 8), 1000.0, 200), ((13, 30), 1000.0, 390), ((13, 30), 250.0, 250), ((4, 8), 100.0, 100)],
)
def test_the_grid_is_as_fine_as_the_phase_needs_and_the_source_allows(
    phase_hz: tuple[float, float], sfreq_hz: float, about_hz: float
) -> None:
    fast = WindowAnalytic(phase_hz, AMPLITUDE, sfreq_hz, round(2.5 * sfreq_hz), 0.25, None)
    assert fast.sfreq_out_hz == pytest.approx(about_hz, rel=0.03)
    assert fast.n_out == pytest.approx(2.0 * about_hz, rel=0.05)


def test_a_window_that_is_all_margin_is_refused() -> None:
    with pytest.raises(InputError, match="all margin"):
        WindowAnalytic(PHASE, AMPLITUDE, 250.0, 100, 0.25, None)


def test_a_channel_that_is_no_signal_has_no_phase() -> None:
    _, data = tones(250.0)
    data = np.vstack([data, np.full(data.shape[1], 7.0)])
    data[0, 5] = np.inf
    phase, amplitude = phase_and_amplitude(data, 250.0, PHASE)
    assert np.isnan(phase).all(axis=1).tolist() == np.isnan(amplitude).all(axis=1).tolist() == [True, False, True]
