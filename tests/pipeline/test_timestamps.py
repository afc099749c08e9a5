from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.timestamps import Aligner
from pipeline.types import BoundaryKind, ClockOffset


def chunked(n, size):
    return [(i, min(i + size, n)) for i in range(0, n, size)]


def play(stamps_s, sfreq_hz, cuts=None, offsets=()):
    """Push stamps chunk by chunk (each offset before the chunk that holds sample `before`) and collect what comes."""
    aligner = Aligner(sfreq_hz)
    waiting = sorted(offsets, key=lambda pair: pair[0])
    runs, held = [], 0
    for start, stop in cuts or chunked(len(stamps_s), 10):
        while waiting and waiting[0][0] <= start:
            aligner.offset(waiting.pop(0)[1])
        runs += aligner.push(np.arange(start, stop)[None, :], stamps_s[start:stop])
        held = max(held, aligner.n_received - sum(len(r.times_s) for r in runs))
    runs += aligner.finish()
    numbers = np.concatenate([r.data[0] for r in runs])
    assert np.array_equal(numbers, np.arange(len(stamps_s))), "every sample comes out once, in order"
    times_s = np.concatenate([r.times_s for r in runs])
    assert (np.diff(times_s) > 0).all(), "time increases"
    return aligner, times_s, held


def gaps(aligner):
    return [(b.at, b.n_lost) for b in aligner.boundaries if b.kind is BoundaryKind.GAP]


def resets(aligner):
    return [b for b in aligner.boundaries if b.kind is BoundaryKind.RESET]


def regular(n, sfreq_hz, start_s=100.0):
    return start_s + np.arange(n) / sfreq_hz


def without(true_s, *lost):
    """Leave out samples `start` to `stop` (exclusive) of the numbering before any loss."""
    keep = np.ones(len(true_s), bool)
    for start, stop in lost:
        keep[start:stop] = False
    return true_s[keep]


def pushed(true_s, size, rng, late_s):
    """Stamps of a sender that stamps whole chunks on arrival: the last sample's time plus a delay, for all of them."""
    stamps_s = np.empty_like(true_s)
    for start, stop in chunked(len(true_s), size):
        stamps_s[start:stop] = true_s[stop - 1] + late_s * rng.random()
    return stamps_s


class TestRegularStamps:
    def test_come_out_as_they_are_and_are_never_withheld(self):
        true_s = regular(5000, 250)
        aligner, times_s, held = play(true_s, 250)
        np.testing.assert_allclose(times_s, true_s, atol=1e-6)
        assert held == 0
        assert [b.kind for b in aligner.boundaries] == [BoundaryKind.START]
        assert aligner.n_lost == aligner.n_backward == aligner.n_unstamped == 0
        assert aligner.sfreq_effective_hz == pytest.approx(250, rel=1e-6)

    def test_the_first_run_of_all_carries_the_start(self):
        aligner = Aligner(250)
        (run,) = aligner.push(np.zeros((3, 10)), regular(10, 250))
        assert run.boundary is aligner.boundaries[0]
        assert (run.boundary.at, run.boundary.stop_s, run.boundary.n_lost) == (0, 100.0, 0)
        (run,) = aligner.push(np.zeros((3, 10)), regular(10, 250, 100.04))
        assert run.boundary is None

    def test_data_passes_through_in_its_own_type(self):
        aligner = Aligner(250)
        data = np.arange(20, dtype=np.int16).reshape(2, 10)
        (run,) = aligner.push(data, regular(10, 250))
        assert run.data.dtype == np.int16
        np.testing.assert_array_equal(run.data, data)

    @pytest.mark.parametrize("ppm", [-200, 200])
    def test_drift_is_tracked(self, ppm):
        true_s = 100 + np.arange(60 * 250) / 250 * (1 + ppm * 1e-6)
        rng = np.random.default_rng(1)
        aligner, times_s, _ = play(true_s + rng.normal(0, 1e-3, len(true_s)), 250)
        assert np.abs(times_s - true_s)[2500:].max() < 1e-3
        assert aligner.drift_ppm == pytest.approx(-ppm, abs=30)
        assert gaps(aligner) == []

    @pytest.mark.parametrize("true_hz", [90.0, 93.0, 97.0, 110.0])
    def test_a_wrong_nominal_rate_is_found_out_and_is_no_gap(self, true_hz):
        rng = np.random.default_rng(2)
        true_s = regular(3000, true_hz)
        aligner, times_s, _ = play(true_s + rng.exponential(5e-4, len(true_s)), 100)
        assert gaps(aligner) == []
        assert np.abs(times_s - true_s)[200:].max() * true_hz < 1.5
        assert np.abs(times_s - true_s)[500:].max() < 1e-3
        assert aligner.sfreq_effective_hz == pytest.approx(true_hz, rel=2e-3)
        assert f"{aligner.sfreq_effective_hz:.2f} Hz" in aligner.rate_warning

    def test_a_right_nominal_rate_raises_no_warning(self):
        assert play(regular(3000, 100.3), 100)[0].rate_warning is None


class TestLateChunks:
    @pytest.mark.parametrize(("size", "late_s"), [(8, 0.02), (25, 0.1), (50, 0.05)])
    def test_jitter_is_smoothed_and_is_no_gap(self, size, late_s):
        true_s = regular(30 * 250, 250)
        aligner, times_s, _ = play(pushed(true_s, size, np.random.default_rng(3), late_s), 250)
        assert gaps(aligner) == []
        error_s = (times_s - true_s)[5 * 250 :]
        assert np.ptp(error_s) < 0.25 * (size / 250 + late_s), "the constant part is the sender's latency"

    @pytest.mark.parametrize("stalled_s", [0.05, 0.2, 1.0, 4.0])
    def test_a_stall_whose_backlog_comes_at_once_is_no_gap_and_bends_no_time(self, stalled_s):
        true_s = regular(30 * 250, 250)
        stalled = (true_s > 110) & (true_s < 110 + stalled_s)
        stamps_s = np.where(stalled, 110 + stalled_s, true_s)
        aligner, times_s, held = play(stamps_s, 250)
        assert gaps(aligner) == []
        np.testing.assert_allclose(times_s, true_s, atol=2e-3)
        assert held <= (3.0 + 0.1) * 250

    def test_a_backlog_that_drains_slowly_is_no_gap(self):
        true_s = regular(30 * 250, 250)
        backlog_s = np.clip(0.4 - 0.15 * (true_s - 110), 0, None) * (true_s > 110)
        aligner, times_s, held = play(true_s + backlog_s, 250)
        assert gaps(aligner) == []
        np.testing.assert_allclose(times_s, true_s, atol=8e-3)
        assert held <= 2.3 * 250

    def test_stamps_that_go_backward_within_jitter_are_counted_and_absorbed(self):
        true_s = regular(5000, 125)
        stamps_s = true_s + np.where(np.arange(5000) // 5 % 3 == 0, 0.02, 0.0)
        aligner, times_s, _ = play(stamps_s, 125)
        assert aligner.n_backward == int((np.diff(stamps_s) < 0).sum()) > 300
        assert len(aligner.boundaries) == 1
        assert np.ptp((times_s - true_s)[1000:]) < 4e-3

    def test_a_first_chunk_that_came_late_is_absorbed(self):
        true_s = regular(2500, 250)
        stamps_s = true_s + 0.08 * (np.arange(2500) < 25)
        aligner, times_s, _ = play(stamps_s, 250)
        assert len(aligner.boundaries) == 1
        np.testing.assert_allclose(times_s[750:], true_s[750:], atol=6e-3)
        np.testing.assert_allclose(times_s[1500:], true_s[1500:], atol=1e-3)


class TestGaps:
    def test_200_ms_lost_are_50_samples_and_time_is_right_at_once_and_a_minute_later(self):
        true_s = regular(80 * 250, 250)
        stamps_s = without(true_s, (2500, 2550))
        aligner, times_s, held = play(stamps_s, 250)
        assert gaps(aligner) == [(2500, 50)]
        np.testing.assert_allclose(times_s, stamps_s, atol=1e-5)
        assert held <= 0.25 * 250 + 10
        gap = aligner.boundaries[1]
        assert gap.start_s == pytest.approx(true_s[2499], abs=1e-5)
        assert gap.stop_s == pytest.approx(true_s[2550], abs=1e-5)

    def test_200_ms_lost_in_jittery_chunks_are_50_samples(self):
        true_s = without(regular(40 * 250, 250), (2504, 2554))
        stamps_s = pushed(true_s, 8, np.random.default_rng(4), 0.004)
        aligner, times_s, _ = play(stamps_s, 250)
        ((_, n_lost),) = gaps(aligner)
        assert n_lost == pytest.approx(50, abs=1)
        late_s = np.median((times_s - true_s)[1000:2500])
        np.testing.assert_allclose(times_s[2600:], true_s[2600:] + late_s, atol=6e-3)

    @pytest.mark.parametrize("n", [1, 2, 3, 4])
    def test_a_few_lost_samples_never_bend_time_by_more_than_one_and_a_half(self, n):
        true_s = regular(20 * 250, 250)
        stamps_s = without(true_s, (2500, 2500 + n))
        aligner, times_s, _ = play(stamps_s, 250)
        assert np.abs(times_s - stamps_s).max() * 250 < 1.5
        assert gaps(aligner) == ([] if n == 1 else [(2500, n)])
        np.testing.assert_allclose(times_s[4000:], stamps_s[4000:], atol=1e-4)

    def test_many_short_gaps_are_all_found(self):
        lost = [(i, i + 10) for i in range(1000, 19000, 500)]
        stamps_s = without(regular(80 * 250, 250), *lost)
        aligner, times_s, _ = play(stamps_s, 250)
        assert [n for _, n in gaps(aligner)] == [10] * len(lost)
        np.testing.assert_allclose(times_s, stamps_s, atol=1e-5)

    @pytest.mark.parametrize("seconds_apart", [0.3, 0.2, 0.1])
    def test_two_gaps_close_together_are_sized_right(self, seconds_apart):
        apart = round(seconds_apart * 250)
        stamps_s = without(regular(5000, 250), (2500, 2550), (2550 + apart, 2575 + apart))
        aligner, times_s, _ = play(stamps_s, 250)
        assert sum(n for _, n in gaps(aligner)) == 75
        np.testing.assert_allclose(times_s[2800:], stamps_s[2800:], atol=1e-3)
        if seconds_apart > 0.15:
            assert gaps(aligner) == [(2500, 50), (2500 + apart, 25)]

    @pytest.mark.parametrize("at", [10, 60, 200])
    def test_a_gap_right_after_the_start_is_found(self, at):
        stamps_s = without(regular(5000, 250), (at, at + 50))
        aligner, times_s, _ = play(stamps_s, 250)
        assert gaps(aligner) == [(at, 50)]
        np.testing.assert_allclose(times_s, stamps_s, atol=1e-5)

    def test_a_gap_right_before_the_end_is_found(self):
        stamps_s = without(regular(2520, 250), (2500, 2510))
        aligner, times_s, _ = play(stamps_s, 250)
        assert gaps(aligner) == [(2500, 10)]
        np.testing.assert_allclose(times_s, stamps_s, atol=1e-5)

    def test_loss_and_backlog_together_count_only_what_is_lost(self):
        true_s = without(regular(30 * 250, 250), (2500, 2550))
        stalled = (np.arange(len(true_s)) >= 2500) & (true_s < true_s[2500] + 0.8)
        stamps_s = np.where(stalled, true_s[2500] + 0.8, true_s)
        aligner, times_s, _ = play(stamps_s, 250)
        assert gaps(aligner) == [(2500, 50)]
        np.testing.assert_allclose(times_s, true_s, atol=1e-4)

    def test_a_gap_smaller_than_the_jitter_is_not_claimed(self):
        true_s = without(regular(40 * 250, 250), (5000, 5010))
        stamps_s = pushed(true_s, 25, np.random.default_rng(5), 0.1)
        assert gaps(play(stamps_s, 250)[0]) == []

    def test_a_long_pause_is_one_gap_of_the_right_length(self):
        stamps_s = without(regular(200 * 250, 250), (5000, 5000 + 100 * 250))
        aligner, times_s, _ = play(stamps_s, 250)
        assert gaps(aligner) == [(5000, 25000)]
        np.testing.assert_allclose(times_s, stamps_s, atol=1e-3)


class TestNoStamps:
    def test_zero_nan_and_infinite_stamps_are_placed_by_count(self):
        true_s = regular(3000, 250)
        stamps_s = true_s.copy()
        stamps_s[[0, 700]], stamps_s[1000:1200], stamps_s[2000] = np.nan, 0.0, np.inf
        aligner, times_s, _ = play(stamps_s, 250)
        np.testing.assert_allclose(times_s, true_s, atol=1e-6)
        assert aligner.n_unstamped == 203
        assert len(aligner.boundaries) == 1

    def test_a_chunk_deduced_from_zero_at_the_start_is_no_reset(self):
        true_s = regular(3000, 250, 653_288.0)
        stamps_s = true_s.copy()
        stamps_s[:20] = np.arange(1, 21) / 250
        aligner, times_s, _ = play(stamps_s, 250)
        np.testing.assert_allclose(times_s, true_s, atol=1e-6)
        assert aligner.n_unstamped == 20
        assert len(aligner.boundaries) == 1

    @pytest.mark.parametrize("garbage_s", [0.5, 1e9, -3e5])
    def test_a_garbage_last_sample_is_placed_by_count(self, garbage_s):
        true_s = regular(3000, 250)
        stamps_s = np.append(true_s[:-1], garbage_s)
        aligner, times_s, _ = play(stamps_s, 250)
        np.testing.assert_allclose(times_s, true_s, atol=1e-6)
        assert len(aligner.boundaries) == 1

    def test_without_any_stamp_time_is_counted_from_zero(self):
        _, times_s, _ = play(np.full(300, np.nan), 100)
        np.testing.assert_allclose(times_s, np.arange(300) / 100, atol=1e-9)


class TestClockResets:
    def test_the_offsets_tell_that_no_sample_is_missing(self):
        true_s = regular(60 * 100, 100, 1000.0)
        before = true_s < 1030
        stamps_s = true_s + np.where(before, 5000.0, -900.0)
        offsets = [(i * 500, ClockOffset("", stamps_s[i * 500], -5000.0 if i < 6 else 900.0)) for i in range(12)]
        offsets[6] = (3200, ClockOffset("", stamps_s[3200], 900.0))
        aligner, times_s, _ = play(stamps_s, 100, offsets=offsets)
        (reset,) = resets(aligner)
        assert (reset.at, reset.n_lost) == (3000, 0)
        assert reset.jump_s == pytest.approx(-5900)
        assert gaps(aligner) == []
        np.testing.assert_allclose(times_s, true_s, atol=1e-4)

    def test_a_jump_forward_that_the_offsets_take_back_is_a_reset_and_no_gap(self):
        true_s = regular(60 * 100, 100, 1000.0)
        stamps_s = true_s + np.where(true_s < 1030, 0.0, 700.0)
        at = [0, 500, 1000, 1500, 2000, 2500, 3300, 3800, 4300]
        offsets = [(i, ClockOffset("", stamps_s[i], -700.0 * (i >= 3000))) for i in at]
        aligner, times_s, held = play(stamps_s, 100, offsets=offsets)
        (reset,) = resets(aligner)
        assert (reset.at, reset.n_lost, reset.jump_s) == (3000, 0, 700.0)
        assert gaps(aligner) == []
        np.testing.assert_allclose(times_s, true_s, atol=1e-4)
        assert held <= 320

    def test_a_restart_with_samples_missing_is_a_reset_that_says_how_many(self):
        true_s = without(regular(60 * 100, 100, 1000.0), (3000, 3400))
        after = np.arange(len(true_s)) >= 3000
        stamps_s = true_s - np.where(after, 990.0, 0.0)
        offsets = [(i, ClockOffset("", stamps_s[i], 990.0 * (i >= 3000))) for i in range(0, 5600, 400) if i != 3000]
        aligner, times_s, _ = play(stamps_s, 100, offsets=sorted([*offsets, (0, offsets[0][1])], key=lambda o: o[0]))
        (reset,) = resets(aligner)
        assert (reset.at, reset.n_lost) == (3000, 400)
        np.testing.assert_allclose(times_s, true_s, atol=1e-4)

    def test_without_offsets_a_backward_jump_loses_nothing(self):
        true_s = regular(3000, 100, 1000.0)
        stamps_s = true_s - np.where(np.arange(3000) < 1500, 0.0, 500.0)
        aligner, times_s, _ = play(stamps_s, 100)
        (reset,) = resets(aligner)
        assert reset.n_lost == 0
        assert reset.jump_s == pytest.approx(-500)
        np.testing.assert_allclose(times_s, true_s, atol=1e-4)

    def test_with_offsets_on_an_unchanged_clock_a_long_pause_stays_a_gap(self):
        true_s = without(regular(100 * 100, 100, 1000.0), (3000, 6000))
        offsets = [(i, ClockOffset("", true_s[i], -3.0)) for i in range(0, 7000, 500)]
        aligner, times_s, _ = play(true_s, 100, offsets=offsets)
        assert gaps(aligner) == [(3000, 3000)]
        np.testing.assert_allclose(times_s, true_s - 3.0, atol=1e-4)


class TestOffsets:
    def test_are_applied_from_one_second_after_their_collection_and_before_the_first_the_first(self):
        true_s = regular(3000, 100)
        offsets = [(0, ClockOffset("", 105.0, 7.0))]
        np.testing.assert_allclose(play(true_s, 100, offsets=offsets)[1], true_s + 7.0, atol=1e-6)

    def test_order_of_arrival_within_the_guard_changes_nothing(self):
        rng = np.random.default_rng(6)
        stamps_s = regular(6000, 100) + rng.exponential(2e-3, 6000)
        measured = [(i, ClockOffset("", stamps_s[i], 3.0 + 1e-3 * rng.random())) for i in range(0, 6000, 500)]
        at_once = play(stamps_s, 100, offsets=measured)[1]
        delayed = [(i + (80 if i else 0), offset) for i, offset in measured]
        np.testing.assert_array_equal(play(stamps_s, 100, offsets=delayed)[1], at_once)
        np.testing.assert_array_equal(play(stamps_s, 100, offsets=[(0, o) for _, o in measured])[1], at_once)

    @pytest.mark.parametrize("wild_s", [0.5, 2e5, -2e5])
    def test_one_wild_measurement_changes_nothing(self, wild_s):
        true_s = regular(6000, 100)
        values = [3.0] * 12
        values[6] += wild_s
        # LabRecorder notes the collection time as now minus value: a wild value has a wild collection time.
        offsets = [(i * 500, ClockOffset("", 100.0 + i * 5 + 3.0 - values[i], values[i])) for i in range(12)]
        aligner, times_s, _ = play(true_s, 100, offsets=offsets)
        np.testing.assert_allclose(times_s, true_s + 3.0, atol=1e-6)
        assert len(aligner.boundaries) == 1


def faulty_stamps(seed):
    """A stream with everything wrong with it: bursts, gaps, resets, missing stamps, jitter, offsets."""
    rng = np.random.default_rng(seed)
    n = 2000
    true_s = without(regular(n, 100, 500.0), *((i, i + int(rng.integers(1, 60))) for i in rng.integers(0, n - 60, 4)))
    size = int(rng.integers(1, 30))
    stamps_s = pushed(true_s, size, rng, float(rng.choice([0.0, 0.002, 0.05])))
    stamps_s += np.where(rng.random(len(true_s)) < 0.002, rng.exponential(0.3, len(true_s)), 0.0)
    stamps_s[rng.integers(0, len(true_s), 5)] = rng.choice([0.0, np.nan, np.inf, -1e5])
    if rng.random() < 0.5:
        stamps_s[len(true_s) // 2 :] += rng.choice([-400.0, 50.0])
    at = range(0, len(true_s), 450)
    offsets = [(i, ClockOffset("", float(stamps_s[i]), 10 + 1e-4 * rng.random())) for i in at]
    return stamps_s, offsets


def sorted_cuts(at):
    return list(pairwise(sorted(at)))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), data=st.data())
def test_the_result_is_bit_identical_however_the_samples_are_chunked(seed, data):
    stamps_s, offsets = faulty_stamps(seed)
    fixed = {0, len(stamps_s), *(i for i, _ in offsets)}
    cuts = fixed | data.draw(st.sets(st.integers(1, len(stamps_s) - 1), max_size=60))
    drawn = play(stamps_s, 100, sorted_cuts(cuts), offsets)
    finely = play(stamps_s, 100, sorted_cuts(fixed | set(range(0, len(stamps_s), 3))), offsets)
    np.testing.assert_array_equal(drawn[1], finely[1])
    assert drawn[0].boundaries == finely[0].boundaries
    assert drawn[0].sfreq_effective_hz == finely[0].sfreq_effective_hz
    assert drawn[0].n_backward == finely[0].n_backward
    assert drawn[0].jitter_s == finely[0].jitter_s


class TestIrregularStreams:
    def test_times_are_the_corrected_stamps_and_there_are_no_gaps(self):
        stamps_s = np.array([1.0, 1.5, 30.0, 31.0, np.nan])
        aligner = Aligner(0.0)
        aligner.offset(ClockOffset("", 0.5, 10.0))
        (run,) = aligner.push(np.zeros((2, 5)), stamps_s)
        np.testing.assert_array_equal(run.times_s, [11.0, 11.5, 40.0, 41.0, 41.0])
        assert [b.kind for b in aligner.boundaries] == [BoundaryKind.START]
        assert aligner.finish() == []


def test_shapes_and_rates_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="sampling rate"):
        Aligner(-1.0)
    with pytest.raises(ValueError, match="n stamps"):
        Aligner(100.0).push(np.zeros((2, 5)), np.zeros(4))
