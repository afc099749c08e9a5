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
    mixed = np.random.default_rng(99).standard_normal((n_channels, 6)) @ sources + rng.standard_normal((n_channels, n))
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


def settled_run(data, boundaries=(), config=None, cuts=(), times_s=None):
    config = config or ChainConfig(interpolate_bads=False, reference="none")
    chain = Chain(config, stream())
    return chain, run(chain, data, cuts, boundaries, times_s=times_s)


def without(data, at, n_lost):
    """The data and times with `n_lost` samples missing from sample `at` on."""
    keep = np.r_[0:at, at + n_lost : data.shape[1]]
    return data[:, keep], keep / SFREQ_HZ


@pytest.mark.parametrize("rate_hz", [None, 100.0])
def test_a_short_gap_is_bridged_and_the_filters_go_on(rate_hz):
    config = ChainConfig(interpolate_bads=False, reference="none", rate_hz=rate_hz)
    t_s = np.arange(3000) / SFREQ_HZ
    data = np.tile(40 * np.sin(2 * np.pi * 1.0 * t_s) + 9000, (16, 1))  # slow: a straight line hardly errs
    holed, times_s = without(data, 1500, 20)
    chain, blocks = settled_run(holed, [gap(1500, 20)], config, times_s=times_s)
    ((place, boundary),) = places(blocks)
    assert boundary.n_lost == 20
    out, out_times_s, settled = together(blocks)
    assert settled[place:].all()
    assert chain.settling_left_s == 0.0
    full, full_times_s, _ = together(settled_run(data, config=config)[1])
    # The phase of the output rate is kept: every sample time is one of the unbroken run.
    where = np.searchsorted(full_times_s, out_times_s - 1e-6)
    np.testing.assert_allclose(full_times_s[where], out_times_s, atol=1e-9)
    np.testing.assert_allclose(out[:, place:], full[:, where[place:]], atol=1.0)
    assert out_times_s[place] >= times_s[1500]
    assert out_times_s[place - 1] <= times_s[1499]


def test_a_long_gap_restarts_and_settles_again():
    data = brain(3000)
    holed, times_s = without(data, 1500, 26)  # 0.104 s
    _, blocks = settled_run(holed, [gap(1500, 26)], times_s=times_s)
    ((place, _),) = places(blocks)
    out, _, settled = together(blocks)
    assert place == 1500
    assert settled[place - 1]
    assert not settled[place : place + 250].any()
    fresh, _, _ = together(settled_run(holed[:, 1500:])[1])
    np.testing.assert_array_equal(out[:, place:], fresh)


def test_a_clock_reset_restarts_even_without_lost_samples():
    data = brain(1500)
    reset = Boundary(700, BoundaryKind.RESET, 2.796, 2.8, jump_s=5.0)
    _, blocks = settled_run(data, [reset])
    fresh, _, _ = together(settled_run(data[:, 700:])[1])
    np.testing.assert_array_equal(together(blocks)[0][:, 700:], fresh)


def test_a_boundary_waits_for_the_first_sample_behind_it():
    chain = Chain(ChainConfig(rate_hz=100.0), stream())
    data, times_s = brain(100), np.arange(100) / SFREQ_HZ
    chain.process(data[:, :50], times_s[:50])
    bridged = gap(50, 2)
    empty = chain.process(data[:, 50:51], times_s[50:51] + 2 / SFREQ_HZ, bridged)
    while empty.times_s.size == 0:
        assert empty.boundary is None
        empty = chain.process(data[:, 51:52], times_s[51:52] + 2 / SFREQ_HZ)
    assert empty.boundary is bridged


def test_missing_numbers_are_marked_and_never_poison_the_filters():
    data = brain(3000)
    broken = data.copy()
    broken[2, 1000:1010] = np.nan
    broken[5, 1400] = np.inf
    out, _, _ = together(settled_run(broken)[1])
    clean, _, _ = together(settled_run(data)[1])
    hurt = np.isnan(out).all(axis=0)
    assert np.flatnonzero(hurt).tolist() == [*range(1000, 1010), 1400]
    assert np.isfinite(out[:, ~hurt]).all()
    np.testing.assert_array_equal(out[0, 1500:], clean[0, 1500:])
    assert np.abs(out[2, 2500:] - clean[2, 2500:]).max() < 0.1


def test_a_channel_without_numbers_for_long_stays_out_until_it_has_settled():
    config = ChainConfig(reference="none", interpolate_bads=False)
    data = brain(4000)
    data[4, :500] = np.nan
    chain, blocks = settled_run(data, config=config)
    out, _, _ = together(blocks)
    back = 500 + round(2 * chain.settling_s * SFREQ_HZ)
    assert np.isnan(out[:, :back]).all()
    assert np.isfinite(out[:, back:]).all()
    undisturbed = together(settled_run(brain(4000), config=config)[1])[0]
    assert np.abs(out[4, back:] - undisturbed[4, back:]).max() < 5.0  # stepped back by up to 20 mV


def test_a_dead_channel_is_interpolated_and_no_longer_blanks_the_others():
    data = brain(2000)
    data[6] = np.nan
    chain = Chain(ChainConfig(), stream())
    out, _, _ = together(run(chain, data))
    assert chain.bads == ("Cz",)
    assert np.isnan(out[:, :250]).all()
    assert np.isfinite(out[:, 250:]).all()


def test_a_channel_gone_flat_is_replaced_as_mne_would_from_the_next_block_on():
    data = brain(3000)
    data[6, 1250:] = 7.0
    chain = Chain(ChainConfig(reference="none"), stream())
    out, _, _ = together(run(chain, data, cuts=range(0, 3000, 11)))
    plain, _, _ = together(settled_run(data)[1])
    np.testing.assert_array_equal(out[:, :1500], plain[:, :1500])
    assert chain.bads == ("Cz",)
    raw = mne.io.RawArray(plain, mne.create_info(list(NAMES), SFREQ_HZ, "eeg"), verbose=False)
    raw.set_montage(mne.channels.make_standard_montage("colin27_1005"))
    raw.info["bads"] = ["Cz"]
    raw.interpolate_bads(origin=(0.0, 0.0, 0.04), verbose=False)
    np.testing.assert_allclose(out[:, 1500:], raw.get_data()[:, 1500:], atol=1e-6)


def test_without_positions_a_bad_channel_leaves_the_reference_and_the_reason_is_told():
    names = tuple(f"ch{i}" for i in range(16))
    data = brain(1000)
    chain = Chain(ChainConfig(bads=("ch3",)), stream(names))
    out, _, _ = together(run(chain, data))
    assert "ch3" in chain.notes[0]
    assert "positions are unknown" in chain.notes[0] or "with a position" in chain.notes[0]
    plain, _, _ = together(settled_run(data)[1])
    good = [i for i in range(16) if i != 3]
    np.testing.assert_allclose(out, plain - plain[good].mean(axis=0), atol=1e-9)


def test_bad_mastoids_do_not_spoil_the_reference():
    data = brain(1000)
    chain = Chain(ChainConfig(reference="mastoids", bads=("M2",)), stream())
    out, _, _ = together(run(chain, data))
    plain, _, _ = together(settled_run(data)[1])
    np.testing.assert_allclose(out, plain[:-2] - plain[14], atol=1e-9)
    both = Chain(ChainConfig(reference="mastoids", bads=("M1", "M2")), stream())
    assert "M1, M2" in both.notes[-1]


def test_a_single_channel_has_no_average_reference():
    data = brain(1000)[:1]
    chain = Chain(ChainConfig(), stream(("Cz",)))
    plain = Chain(ChainConfig(reference="none"), stream(("Cz",)))
    np.testing.assert_array_equal(together(run(chain, data))[0], together(run(plain, data))[0])
    assert "not re-referenced" in chain.notes[0]


def test_the_stated_delay_is_the_one_a_slow_wave_packet_shows():
    config = ChainConfig(interpolate_bads=False, reference="none", rate_hz=125.0)
    t_s = np.arange(2500) / SFREQ_HZ
    envelope = np.exp(-0.5 * ((t_s - 6.0) / 0.5) ** 2)
    chain = Chain(config, stream(("Cz",)))
    out, times_s, _ = together(run(chain, (50 * envelope * np.cos(2 * np.pi * 10 * t_s))[None]))
    power = np.abs(signal.hilbert(out[0])) ** 2
    shown_s = (times_s * power).sum() / power.sum() - 6.0
    assert shown_s == pytest.approx(chain.group_delay_s, abs=5e-4)
    assert chain.group_delay_at_s(np.array([10.0]))[0] == chain.group_delay_s


def test_blocks_are_read_only_and_own_their_samples():
    data, times_s = brain(100), np.arange(100) / SFREQ_HZ
    block = Chain(ChainConfig(low_hz=None, high_hz=None, mains_hz=None, reference="none"), stream()).process(
        data, times_s
    )
    before = block.data.copy()
    data[:] = 0
    times_s[:] = 0
    np.testing.assert_array_equal(block.data, before)
    assert block.times_s[-1] > 0
    with pytest.raises(ValueError, match="read-only"):
        block.data[0, 0] = 1.0


def test_no_samples_give_an_empty_block():
    block = Chain(ChainConfig(), stream()).process(np.empty((16, 0)), np.empty(0))
    assert block.data.shape == (16, 0)


def test_real_recordings_keep_most_of_their_electrodes(data):
    raw = mne.io.read_raw_edf(data / "eeg" / "eegmmidb64" / "S001R03.edf", verbose=False)
    chain = Chain(ChainConfig(mains_hz=60.0), stream(tuple(raw.ch_names), raw.info["sfreq"]))
    out, _, settled = together(run(chain, raw.get_data() * 1e6, sfreq_hz=raw.info["sfreq"]))
    assert len(chain.bads) <= 6
    assert 2.0 < np.median(out[:, settled].std(axis=1)) < 60.0
