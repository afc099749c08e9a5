import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.errors import InputError
from pipeline.epochs import EXPIRY_S, HISTORY_S, EpochBuilder, EpochConfig
from pipeline.types import Block, Boundary, BoundaryKind, Onset

FS = 100.0
CONFIG = EpochConfig(-0.2, 0.8, None)
START = Boundary(0, BoundaryKind.START, 0.0, 0.0)


def block(first: int, n: int, boundary: Boundary | None = None, settling: int = 0, shift_s: float = 0.0) -> Block:
    """Samples whose value is their number, at number / FS + shift."""
    numbers = np.arange(first, first + n, dtype=float)
    settled = np.arange(n) >= settling
    return Block(np.stack([numbers, -numbers]), numbers / FS + shift_s, settled, boundary)


def gap(at: int) -> Boundary:
    return Boundary(at, BoundaryKind.GAP, 0.0, 0.0, 50)


def builder(config: EpochConfig = CONFIG) -> EpochBuilder:
    return EpochBuilder(config, 2, FS)


def test_an_epoch_is_the_window_around_the_sample_nearest_to_its_onset() -> None:
    b = builder()
    b.onset(Onset(0, 5.0049))
    (epoch,) = b.push(block(0, 1000, START))
    assert epoch.rejected is None
    assert epoch.data.shape == (2, 100)
    assert epoch.data[0, epoch.onset_index] == 500
    assert epoch.window_stop_s == pytest.approx(5.79)


@given(st.lists(st.integers(1, 120), min_size=1, max_size=40), st.booleans())
def test_epochs_do_not_depend_on_chunks_or_on_when_the_marker_comes(sizes: list[int], late: bool) -> None:
    whole = builder()
    onsets = [Onset(i, t) for i, t in enumerate((1.0, 1.5, 3.333, 5.0, 7.001))]
    for onset in onsets:
        whole.onset(onset)
    expected = whole.push(block(0, 1000, START))
    pieces = builder()
    if not late:
        for onset in onsets:
            pieces.onset(onset)
    got, first = [], 0
    while first < 1000:
        n = min(sizes[first % len(sizes)], 1000 - first)
        got += pieces.push(block(first, n, START if first == 0 else None))
        first += n
    if late:
        for onset in onsets:
            pieces.onset(onset)
        got += pieces.finish()
    assert [e.trial for e in got] == [e.trial for e in expected]
    for one, other in zip(got, expected, strict=True):
        assert np.array_equal(one.data, other.data)


def test_no_epoch_touches_a_gap() -> None:
    b = builder()
    for trial, t in enumerate((1.0, 4.5, 5.1, 6.0)):
        b.onset(Onset(trial, t))
    done = b.push(block(0, 500, START)) + b.push(block(500, 500, gap(500), shift_s=0.5))
    assert [(e.trial, e.rejected) for e in done] == [(0, None), (1, "gap"), (2, "gap"), (3, None)]


def test_an_onset_inside_a_gap_is_rejected_as_gap() -> None:
    b = builder()
    b.onset(Onset(0, 5.25))
    done = b.push(block(0, 500, START)) + b.push(block(500, 500, gap(500), shift_s=0.5))
    assert [e.rejected for e in done] == ["gap"]


def test_nothing_is_cut_while_filters_settle() -> None:
    b = builder()
    b.onset(Onset(0, 1.0))
    b.onset(Onset(1, 3.2))
    assert [e.rejected for e in b.push(block(0, 1000, START, settling=300))] == ["settling", None]


def test_onsets_outside_the_data_are_told_apart() -> None:
    b = builder()
    b.onset(Onset(0, -3.0))
    b.onset(Onset(1, 0.1))
    b.onset(Onset(2, 9.5))
    done = b.push(block(0, 1000, START))
    assert [(e.trial, e.rejected) for e in done] == [(0, "before data"), (1, "before data")]
    assert [(e.trial, e.rejected) for e in b.finish()] == [(2, "end of data")]


def test_a_marker_that_comes_after_its_data_were_forgotten_is_too_late() -> None:
    b = builder()
    n = round((HISTORY_S + 10) * FS)
    b.push(block(0, n, START))
    b.onset(Onset(0, 2.0))
    assert [e.rejected for e in b.push(block(n, 1))] == ["too late"]


def test_an_onset_whose_data_never_come_expires(caplog: pytest.LogCaptureFixture) -> None:
    b = builder()
    b.onset(Onset(7, 1e6))
    done = b.push(block(0, round((EXPIRY_S + 5) * FS), START))
    assert [(e.trial, e.rejected) for e in done] == [(7, "expired")]
    assert "trial 7" in caplog.text


def test_the_baseline_is_subtracted_and_large_epochs_are_rejected() -> None:
    config = EpochConfig(-0.2, 0.8, (-0.2, 0.0), reject_uv=150.0)
    b = builder(config)
    b.onset(Onset(0, 2.0))
    spike = block(0, 1000, START)
    data = spike.data.copy()
    data[1, 700] = 400.0
    b.onset(Onset(1, 7.0))
    done = b.push(Block(data, spike.times_s, spike.settled, START))
    assert [e.rejected for e in done] == [None, "peak-to-peak"]
    assert done[0].data[:, :20].mean(axis=1) == pytest.approx([0.0, 0.0])


def test_an_epoch_with_a_non_finite_sample_is_rejected() -> None:
    b = builder()
    b.onset(Onset(0, 2.0))
    clean = block(0, 1000, START)
    data = clean.data.copy()
    data[0, 210] = np.nan
    assert [e.rejected for e in b.push(Block(data, clean.times_s, clean.settled, START))] == ["non-finite"]


def test_after_the_clock_ran_backward_an_onset_belongs_to_the_newer_segment() -> None:
    b = builder()
    b.push(block(0, 1000, START))
    b.push(block(1000, 1000, Boundary(1000, BoundaryKind.RESET, 10.0, 2.0, jump_s=-8.0), shift_s=-8.0))
    b.onset(Onset(0, 5.0))
    (epoch,) = b.push(block(2000, 1, shift_s=-8.0))
    assert epoch.data[0, epoch.onset_index] == 1300


def test_a_window_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(InputError, match="must end after it starts"):
        EpochConfig(0.8, -0.2)
    with pytest.raises(InputError, match="baseline"):
        EpochConfig(0.0, 0.8, (-0.2, 0.0))


STEPS = (30, 55, 80)


def growing(config: EpochConfig = CONFIG) -> EpochBuilder:
    return EpochBuilder(config, 2, FS, STEPS)


def wave(first: int, n: int, boundary: Boundary | None = None) -> Block:
    data = np.random.default_rng(1).standard_normal((2, 1000))[:, first : first + n] * 30
    return Block(data, (first + np.arange(n)) / FS, np.ones(n, dtype=np.bool_), boundary)


@given(st.lists(st.integers(1, 120), min_size=1, max_size=40))
def test_beginnings_of_a_window_are_bit_for_bit_those_of_the_whole_whatever_the_chunks(sizes: list[int]) -> None:
    alone, b = builder(EpochConfig()), growing(EpochConfig())
    alone.onset(Onset(0, 5.0))
    (whole,) = alone.push(wave(0, 1000, START))
    b.onset(Onset(0, 5.0, "dynamic"))
    got, first = [], 0
    while first < 1000:
        n = min(sizes[first % len(sizes)], 1000 - first)
        got += b.push(wave(first, n, START if first == 0 else None))
        first += n
    assert [(e.data.shape[1], e.beginning, e.part) for e in got] == [
        *((n, True, "dynamic") for n in STEPS),
        (100, False, "dynamic"),
    ]
    for epoch in got:
        n = epoch.data.shape[1]
        assert np.array_equal(epoch.data, whole.data[:, :n])
        assert epoch.window_stop_s == pytest.approx(4.8 + (n - 1) / FS)


def test_a_window_that_breaks_off_leaves_its_beginnings_and_the_reason() -> None:
    b = growing()
    b.onset(Onset(0, 4.6))  # its window begins at sample 440, the gap is 60 samples on
    done = b.push(block(0, 500, START)) + b.push(block(500, 500, gap(500), shift_s=0.5))
    assert [(e.data.shape[1], e.beginning, e.rejected) for e in done] == [
        (30, True, None),
        (55, True, None),
        (0, False, "gap"),
    ]
    assert b.n_waiting == 0


def test_of_a_window_that_is_not_wanted_any_more_nothing_comes() -> None:
    b = growing()
    b.onset(Onset(0, 5.0))
    b.onset(Onset(1, 5.0))
    assert [e.trial for e in b.push(block(0, 520, START))] == [0, 1]
    b.drop(0)
    assert {e.trial for e in b.push(block(520, 400))} == {1}


@pytest.mark.parametrize("steps", [(15, 50), (50, 50), (50, 100)])
def test_beginnings_that_hold_no_whole_baseline_or_do_not_ascend_are_refused(steps: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="must ascend from 20 to below 100"):
        EpochBuilder(EpochConfig(), 2, FS, steps)
