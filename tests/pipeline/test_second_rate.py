import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from pipeline.errors import StreamMismatch
from pipeline.filters import anti_alias, rate_ratio
from pipeline.second_rate import SecondRate
from pipeline.types import Array, Block, Boundary, BoundaryKind

IN_HZ, OUT_HZ, HIGH_HZ = 250.0, 100.0, 45.0
START = Boundary(0, BoundaryKind.START, 0.0, 0.0)
NOISE = np.random.default_rng(2).standard_normal((3, 1500)) * 20


def block(data: Array, first: int = 0, boundary: Boundary | None = None) -> Block:
    n = data.shape[1]
    return Block(data, (first + np.arange(n)) / IN_HZ, np.ones(n, dtype=np.bool_), boundary)


def resampled(data: Array, sizes: tuple[int, ...] = (10_000,)) -> Block:
    """All that comes out when `data` goes in by pieces of those sizes."""
    rate = SecondRate(IN_HZ, OUT_HZ, HIGH_HZ)
    out, first, k = [], 0, 0
    while first < data.shape[1]:
        n = min(sizes[k % len(sizes)], data.shape[1] - first)
        out.append(rate.push(block(data[:, first : first + n], first, START if first == 0 else None)))
        first, k = first + n, k + 1
    return Block(
        np.concatenate([b.data for b in out], axis=1),
        np.concatenate([b.times_s for b in out]),
        np.concatenate([b.settled for b in out]),
    )


def sine(freq_hz: float, n: int = 1500) -> Array:
    return np.sin(2 * np.pi * freq_hz * np.arange(n) / IN_HZ)[None]


def test_it_is_the_polyphase_resampling_of_scipy() -> None:
    taps = anti_alias(rate_ratio(IN_HZ, OUT_HZ), IN_HZ, HIGH_HZ)
    n_before = 200  # the first sample had always been there
    extended = np.concatenate([np.repeat(NOISE[:, :1], n_before, axis=1), NOISE], axis=1)
    expected = signal.upfirdn(taps, extended, up=2, down=5, axis=1)[:, n_before * 2 // 5 :]
    got = resampled(NOISE)
    assert got.data.shape == (3, 600)
    assert np.allclose(got.data, expected[:, :600], atol=1e-9)
    assert np.allclose(got.times_s, np.arange(600) / OUT_HZ, atol=1e-9)


@pytest.mark.parametrize("freq_hz", [2.0, 10.0, 30.0, 45.0])
def test_what_is_wanted_passes_later_by_the_stated_delay(freq_hz: float) -> None:
    got = resampled(sine(freq_hz)).data[0, 200:]
    times_s = np.arange(200, 600) / OUT_HZ
    amplitude = 2 * np.abs(np.mean(got * np.exp(-2j * np.pi * freq_hz * times_s)))
    assert amplitude == pytest.approx(1.0, abs=0.02)
    step_hz = 0.01
    phases = [np.angle(_gain(f)) for f in (freq_hz - step_hz, freq_hz + step_hz)]
    delay_s = -(phases[1] - phases[0]) / (2 * np.pi * 2 * step_hz)
    assert SecondRate(IN_HZ, OUT_HZ, HIGH_HZ).group_delay_s(np.array([freq_hz]))[0] == pytest.approx(delay_s, abs=1e-4)


def _gain(freq_hz: float) -> complex:
    """What becomes of a complex exponential, seen in the output."""
    at_s = np.arange(1500) / IN_HZ
    got = resampled(np.stack([np.cos(2 * np.pi * freq_hz * at_s), np.sin(2 * np.pi * freq_hz * at_s)])).data[:, 300:]
    turned = np.exp(-2j * np.pi * freq_hz * np.arange(300, 600) / OUT_HZ)
    return complex(np.mean((got[0] + 1j * got[1]) * turned))


@pytest.mark.parametrize("freq_hz", [57.0, 70.0, 95.0, 120.0])
def test_what_would_fold_back_is_gone(freq_hz: float) -> None:
    assert np.abs(resampled(sine(freq_hz)).data[0, 200:]).max() < 3e-4


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(1, 400), min_size=1, max_size=8))
def test_it_is_bit_identical_whatever_the_chunks(sizes: list[int]) -> None:
    data = NOISE.copy()
    data[1, 700:703] = np.nan
    whole, pieces = resampled(data), resampled(data, tuple(sizes))
    for name in ("data", "times_s", "settled"):
        assert np.array_equal(getattr(whole, name), getattr(pieces, name), equal_nan=name == "data")


def test_a_sample_without_a_number_spoils_what_it_reaches_and_no_more() -> None:
    data = NOISE.copy()
    data[1, 700] = np.inf
    got, clean = resampled(data).data, resampled(NOISE).data
    spoiled = np.flatnonzero(~np.isfinite(got).all(axis=0))
    assert spoiled[0] == 280 and np.array_equal(spoiled, np.arange(280, spoiled[-1] + 1))
    assert spoiled.size < OUT_HZ  # the filter reaches over half a second
    assert np.isnan(got[:, spoiled]).all()
    assert np.array_equal(got[:, : spoiled[0]], clean[:, : spoiled[0]])
    assert np.array_equal(got[:, spoiled[-1] + 1 :], clean[:, spoiled[-1] + 1 :])


def test_behind_a_boundary_everything_begins_anew() -> None:
    rate = SecondRate(IN_HZ, OUT_HZ, HIGH_HZ)
    rate.push(block(NOISE[:, :501], boundary=START))
    gap = Boundary(501, BoundaryKind.GAP, 2.0, 3.0, 250)
    first = rate.push(block(NOISE[:, 501:502], 501, gap))
    rest = rate.push(block(NOISE[:, 502:], 502))
    assert first.boundary == gap and rest.boundary is None
    fresh = resampled(NOISE[:, 501:])
    assert np.array_equal(np.concatenate([first.data, rest.data], axis=1), fresh.data)
    assert not first.settled.any()


@pytest.mark.parametrize("boundary", [START, None])
def test_it_counts_as_settling_until_its_filter_is_filled(boundary: Boundary | None) -> None:
    rate = SecondRate(IN_HZ, OUT_HZ, HIGH_HZ)
    settled = rate.push(block(NOISE, boundary=boundary)).settled
    n_taps = len(anti_alias(rate_ratio(IN_HZ, OUT_HZ), IN_HZ, HIGH_HZ))
    n_settling = int(np.flatnonzero(settled)[0])
    assert settled[n_settling:].all()
    assert 0 <= n_settling / OUT_HZ - n_taps / (2 * IN_HZ) < 2 / OUT_HZ


def test_an_unsettled_sample_stays_unsettled() -> None:
    n = NOISE.shape[1]
    unsettled = Block(NOISE, np.arange(n) / IN_HZ, np.arange(n) >= 1000, START)
    settled = SecondRate(IN_HZ, OUT_HZ, HIGH_HZ).push(unsettled).settled
    assert np.array_equal(settled, np.arange(600) >= 400)


def test_nothing_in_gives_nothing_out() -> None:
    out = SecondRate(IN_HZ, OUT_HZ, HIGH_HZ).push(block(np.empty((3, 0))))
    assert out.data.shape == (3, 0) and out.times_s.size == 0


def test_missing_frequencies_cannot_be_made_up() -> None:
    with pytest.raises(StreamMismatch, match="cannot be made up"):
        SecondRate(80.0, OUT_HZ, 30.0)
