"""The decoding chain as a whole: exact under any chunking, honest at starts, gaps and missing numbers."""

import json
from itertools import pairwise

import mne
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from engines.errors import InputError
from pipeline.errors import StreamMismatch
from pipeline.filters import design
from pipeline.preprocess import Chain, ChainConfig
from pipeline.types import Boundary, BoundaryKind, Channel, Kind, StreamInfo

SFREQ_HZ = 250.0
NAMES = ("Fp1", "Fp2", "F3", "Fz", "F4", "C3", "Cz", "C4", "P3", "Pz", "P4", "O1", "Oz", "O2", "M1", "M2")


def stream(names=NAMES, sfreq_hz=SFREQ_HZ, extra=(), unit="uV"):
    channels = tuple(Channel(n, Kind.EEG, unit) for n in names) + tuple(extra)
    return StreamInfo("test", "EEG", len(channels), sfreq_hz, channels=channels)


def brain(n, n_channels=16, seed=0):
    """Correlated noise with an offset per channel, microvolts."""
    rng = np.random.default_rng(seed)
    sources = signal.lfilter([1], [1, -0.97], rng.standard_normal((6, n)), axis=1)
    mixed = rng.standard_normal((n_channels, 6)) @ sources + rng.standard_normal((n_channels, n))
    return mixed + rng.uniform(-20_000, 20_000, (n_channels, 1))


def run(chain, data, cuts=(), boundaries=(), sfreq_hz=SFREQ_HZ, times_s=None):
    """Process `data` cut at `cuts` and at the boundaries; returns the blocks."""
    n = data.shape[1]
    times_s = np.arange(n) / sfreq_hz if times_s is None else times_s
    starts = {b.at: b for b in boundaries}
    edges = sorted({0, n, *starts, *(c for c in cuts if 0 < c < n)})
    return [chain.process(data[:, a:b], times_s[a:b], starts.get(a)) for a, b in pairwise(edges)]


def together(blocks):
    return (
        np.concatenate([b.data for b in blocks], axis=1),
        np.concatenate([b.times_s for b in blocks]),
        np.concatenate([b.settled for b in blocks]),
    )


def gap(at, n_lost, sfreq_hz=SFREQ_HZ):
    start_s = (at - 1) / sfreq_hz
    return Boundary(at, BoundaryKind.GAP, start_s, start_s + (n_lost + 1) / sfreq_hz, n_lost=n_lost)


def places(blocks):
    """Output sample at which each boundary stands."""
    found, n = [], 0
    for block in blocks:
        if block.boundary is not None:
            found.append((n, block.boundary))
        n += block.data.shape[1]
    return found


@settings(max_examples=25, deadline=None)
@given(
    cuts=st.lists(st.integers(1, 1499), max_size=40),
    rate_hz=st.sampled_from([None, 125.0, 100.0, 160.0]),
    gaps=st.lists(st.tuples(st.integers(1, 1499), st.sampled_from([0, 3, 25, 26, 400])), max_size=3),
    bad_numbers=st.lists(st.tuples(st.integers(0, 15), st.integers(0, 1499), st.integers(1, 60)), max_size=3),
    reset=st.none() | st.integers(1, 1499),
)
def test_output_is_bit_identical_for_any_chunking(cuts, rate_hz, gaps, bad_numbers, reset):
    data = brain(1500)
    data[3, 700:] = 0.0  # goes flat: bad from the next block on
    for row, start, length in bad_numbers:
        data[row, start : start + length] = np.nan
    boundaries = [gap(at, n_lost) for at, n_lost in gaps]
    if reset is not None:
        boundaries.append(Boundary(reset, BoundaryKind.RESET, reset / SFREQ_HZ, reset / SFREQ_HZ + 9.0, jump_s=9.0))
    config = ChainConfig(rate_hz=rate_hz, high_hz=40.0)
    whole = run(Chain(config, stream()), data, boundaries=boundaries)
    pieces = run(Chain(config, stream()), data, cuts=cuts, boundaries=boundaries)
    for a, b in zip(together(whole), together(pieces), strict=True):
        np.testing.assert_array_equal(a, b)
    assert places(whole) == places(pieces)


def test_the_filters_are_those_of_scipy_and_the_average_that_of_mne():
    data = brain(3000)
    names = NAMES[:-2]
    config = ChainConfig(interpolate_bads=False)
    ours, _, _ = together(run(Chain(config, stream(names)), data[:-2], cuts=range(7, 3000, 7)))
    sos = design(SFREQ_HZ, 0.5, 45.0, 2, 4, 50.0)
    raw = mne.io.RawArray(data[:-2], mne.create_info(list(names), SFREQ_HZ, "eeg"), verbose=False)
    start = signal.sosfilt_zi(sos)[:, None, :] * data[None, :-2, :1]
    raw._data[:] = signal.sosfilt(sos, data[:-2], axis=1, zi=start)[0]
    raw.set_eeg_reference("average", projection=False, verbose=False)
    np.testing.assert_allclose(ours, raw.get_data(), atol=1e-9)


def test_a_chain_configuration_survives_json():
    config = ChainConfig(low_hz=None, rate_hz=100.0, bads=("T7",), reference="Cz, Pz")
    assert ChainConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_only_eeg_comes_out_under_canonical_names():
    extra = (Channel("VEOG", Kind.EOG, "uV"), Channel("TRG", Kind.STIM), Channel("odd one", Kind.EEG, "uV"))
    chain = Chain(ChainConfig(), stream(("FP1", "T3"), extra=extra))
    assert chain.channels == ("Fp1", "T7", "odd one")


@pytest.mark.parametrize(
    ("reference", "out"),
    [
        ("average", NAMES),
        ("none", NAMES),
        ("mastoids", NAMES[:-2]),
        ("cz, Pz", [n for n in NAMES if n not in ("Cz", "Pz")]),
    ],
)
def test_channels_that_serve_as_reference_leave_the_output(reference, out):
    data = brain(600)
    chain = Chain(ChainConfig(reference=reference, interpolate_bads=False), stream())
    assert chain.channels == tuple(out)
    ours, _, _ = together(run(chain, data))
    plain, _, _ = together(run(Chain(ChainConfig(reference="none", interpolate_bads=False), stream()), data))
    raw = mne.io.RawArray(plain, mne.create_info(list(NAMES), SFREQ_HZ, "eeg"), verbose=False)
    theirs = {"average": "average", "none": [], "mastoids": ["M1", "M2"], "cz, Pz": ["Cz", "Pz"]}[reference]
    raw.set_eeg_reference(theirs, projection=False, verbose=False)
    np.testing.assert_allclose(ours, raw.get_data(picks=list(out)), atol=1e-9)


@pytest.mark.parametrize(
    ("config", "sfreq_hz", "says"),
    [
        (ChainConfig(), 80.0, "36 Hz"),
        (ChainConfig(rate_hz=90.0), 500.0, "0.45 x 90"),
        (ChainConfig(rate_hz=250.0), 160.0, "use a faster stream"),
        (ChainConfig(), 0.0, "no regular rate"),
        (ChainConfig(reference="Cz,T7"), 250.0, "the reference needs T7"),
        (ChainConfig(eog_regression=True), 250.0, "refit"),
    ],
)
def test_a_stream_that_cannot_be_processed_is_refused_with_the_reason(config, sfreq_hz, says):
    with pytest.raises(StreamMismatch, match=says):
        Chain(config, stream(sfreq_hz=sfreq_hz, extra=(Channel("VEOG", Kind.EOG, "uV"),)))


def test_a_band_up_to_exactly_0_45_of_the_rate_is_allowed():
    assert Chain(ChainConfig(rate_hz=100.0, high_hz=45.0), stream()).sfreq_hz == 100.0


@pytest.mark.parametrize(
    "wrong",
    [
        {"low_hz": 50.0},
        {"high_hz": -1.0},
        {"mains_hz": 55.0},
        {"low_order": 0},
        {"rate_hz": float("nan")},
        {"reference": " "},
        {"no_such_field": 1},
    ],
)
def test_a_wrong_configuration_is_refused(wrong):
    with pytest.raises(InputError):
        ChainConfig.from_dict(wrong)


def test_mastoids_that_do_not_exist_are_refused():
    with pytest.raises(StreamMismatch, match="M1, M2"):
        Chain(ChainConfig(reference="mastoids"), stream(NAMES[:-2]))


def test_a_10_millivolt_offset_makes_no_transient():
    quiet = np.random.default_rng(1).standard_normal((16, 2000))
    plain, _, _ = together(run(Chain(ChainConfig(reference="none", interpolate_bads=False), stream()), quiet))
    offset, _, _ = together(run(Chain(ChainConfig(reference="none", interpolate_bads=False), stream()), quiet + 10_000))
    assert np.abs(offset).max() < 50.0
    np.testing.assert_allclose(plain, offset, atol=1e-6)


def test_settling_is_announced_counted_down_and_true():
    config = ChainConfig(reference="none", interpolate_bads=False, rate_hz=125.0)
    chain = Chain(config, stream())
    data = np.full((16, 2500), 100.0)
    data[:, 0] = 0.0  # a first sample 100 microvolts off: the filters start wrong
    blocks = run(chain, data[:, :250])
    assert not blocks[0].settled.any()
    assert chain.settling_left_s == pytest.approx(chain.settling_s - 1.0)
    rest, _, settled = together(blocks + run(chain, data[:, 250:], times_s=np.arange(250, 2500) / SFREQ_HZ))
    first = int(np.argmax(settled))
    assert first / 125.0 == pytest.approx(chain.settling_s, abs=0.01)
    assert chain.settling_left_s == 0.0
    assert np.abs(rest[:, first:]).max() < 1.0 < np.abs(rest[:, : first // 2]).max()
