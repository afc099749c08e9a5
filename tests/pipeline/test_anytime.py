"""Anytime decoding, window by window and in the session: no network, no file, no thread unless the test is about it."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.errors import InputError
from pipeline.anytime import Answer, TrialWindows, Windows
from pipeline.clock import FakeClock
from pipeline.epochs import EpochBuilder, EpochConfig
from pipeline.errors import StreamMismatch
from pipeline.second_rate import SecondRate
from pipeline.session import Session, Setup
from pipeline.types import Array, Block, Boundary, BoundaryKind, Decision, EegChunk, Epoch, Item, Onset
from pipeline.worker import State
from tests.pipeline.trials_of_two import (
    CHAIN,
    N_DYNAMIC,
    PATTERNS,
    PICTURES_S,
    STEPS,
    TURN_AFTER_S,
    WINDOWS,
    Shows,
    items,
    marks,
    run,
    session_over,
    signal,
)
from tests.scripted import EEG, FS, MARKERS, ScriptedSource

START = Boundary(0, BoundaryKind.START, 0.0, 0.0)
N_PICTURES = len(PICTURES_S)
WHOLE_TRIAL = ["static", *["refined"] * (len(STEPS) - 1), "fused"]


def stages(session: Session, trial: int) -> list[str]:
    return [d.stage for d in session.decisions if d.trial == trial]


def said(session: Session) -> list[tuple[object, ...]]:
    """Everything of the answers but when they were given, trial by trial."""
    in_order = sorted(session.decisions, key=lambda d: d.trial)
    return [
        (d.trial, d.stage, d.n_dynamic, d.window_stop_s, d.probabilities, d.colour_probabilities, d.nearest)
        for d in in_order
    ]


def cut_out(things: Sequence[Item], start_s: float, stop_s: float) -> list[Item]:
    """Without the chunks that begin in that time."""
    return [i for i in things if not (isinstance(i, EegChunk) and start_s <= i.stamps_s[0] < stop_s)]


# The windows.


def test_the_windows_are_those_of_eeg_3d_and_answers_come_every_half_second() -> None:
    windows = Windows()
    assert windows.static.n_samples(250.0) == 250 and windows.n_dynamic == 600
    assert windows.steps == (70, 120, 170, 220, 270, 320, 370, 420, 470, 520, 570, 600)
    assert [windows.seen_s(n) for n in (0, 70, 600)] == [0.0, 0.5, 5.8]
    assert Windows.from_dict(windows.to_dict()) == windows


def test_a_window_that_closes_with_a_step_is_answered_once() -> None:
    assert Windows(dynamic=EpochConfig(-0.2, 1.0, None)).steps == (70, 120)


def test_windows_whose_answers_have_no_baseline_or_no_new_sample_are_refused() -> None:
    with pytest.raises(InputError, match="after the first answer"):
        Windows(dynamic=EpochConfig(-0.2, 5.8, (-0.2, 1.0)))
    with pytest.raises(InputError, match="closer than the samples"):
        Windows(every_s=0.001, dynamic=EpochConfig(-0.2, 5.8, None))


def block(data: Array, first: int = 0, boundary: Boundary | None = START) -> Block:
    n = data.shape[1]
    return Block(data, (first + np.arange(n)) / FS, np.ones(n, dtype=np.bool_), boundary)


def of_trial(onsets: Sequence[Onset], data: Array) -> list[Epoch]:
    cutter = TrialWindows(WINDOWS, len(data), FS, 15.0)
    for onset in onsets:
        cutter.onset(onset)
    return [*cutter.push(block(data)), *cutter.finish()]


def test_a_turn_carries_its_picture_and_every_beginning_is_the_first_part_of_the_whole() -> None:
    data = signal(20.0)
    epochs = of_trial([Onset(4, 10.0, "static"), Onset(4, 11.0, "dynamic")], data)
    picture, *turn = epochs
    assert picture.part == "static" and picture.data.shape == (4, 100)
    assert [e.data.shape[1] for e in turn] == list(STEPS)
    assert [e.beginning for e in turn] == [True] * 4 + [False]
    for epoch in turn:
        assert epoch.static == picture
        assert np.array_equal(epoch.data, turn[-1].data[:, : epoch.data.shape[1]])


def test_the_windows_are_those_of_two_separate_builders() -> None:
    data = signal(20.0)
    picture, *_, whole = of_trial([Onset(0, 10.0, "static"), Onset(0, 11.0, "dynamic")], data)
    alone = EpochBuilder(WINDOWS.static, 4, FS)
    alone.onset(Onset(0, 10.0))
    assert np.array_equal(alone.push(block(data))[0].data, picture.data)
    slow = SecondRate(FS, WINDOWS.dynamic_hz, 15.0).push(block(data))
    at = int(np.argmin(np.abs(slow.times_s - 11.0))) - 8
    window = slow.data[:, at : at + N_DYNAMIC]
    assert np.allclose(whole.data, window - window[:, :8].mean(axis=1, keepdims=True), atol=1e-12)


def test_a_turn_that_begins_with_its_picture_waits_for_it() -> None:
    epochs = of_trial([Onset(0, 10.0, "static"), Onset(0, 10.1, "dynamic")], signal(20.0))
    assert [(e.part, e.data.shape[1]) for e in epochs] == [("static", 100), *(("dynamic", n) for n in STEPS)]


def test_without_its_picture_nothing_of_a_turn_comes() -> None:
    data = signal(20.0)
    data[0, 1050] = np.nan  # in the window of the picture, long before that of the turn
    epochs = of_trial([Onset(0, 10.0, "static"), Onset(0, 12.0, "dynamic")], data)
    assert [(e.part, e.rejected) for e in epochs] == [("static", "non-finite")]


def test_what_is_remembered_of_trials_does_not_grow() -> None:
    cutter = TrialWindows(WINDOWS, 4, FS, 15.0)
    for k in range(50):
        cutter.onset(Onset(k, 10.0 + k, "static"))
    assert len(cutter._trials) == 1


# The session.


def test_a_trial_is_answered_from_its_picture_while_it_turns_and_when_it_has_turned() -> None:
    session = run(items([20]))
    assert all(stages(session, trial) == WHOLE_TRIAL for trial in range(N_PICTURES))
    for d in session.decisions:
        picture_s = PICTURES_S[d.trial]
        assert d.onset_s == picture_s
        seen_s = {"static": 0.8, "fused": TURN_AFTER_S + 2.3}.get(d.stage, TURN_AFTER_S + WINDOWS.seen_s(d.n_dynamic))
        # The last sample of a window stands one sample before its end, and the onset within half a sample of its own.
        assert d.window_stop_s - picture_s == pytest.approx(seen_s, abs=1.6 / WINDOWS.dynamic_hz)
    assert (session.n_accepted, session.n_turns) == (N_PICTURES, N_PICTURES)
    assert not session.rejected and not session.turns_lost
    assert {"static answer", "refined answer", "fused answer", "decode"} <= set(session.ledger.summary_ms())
    assert session.ledger.summary_ms()["refined answer"]["n"] == N_PICTURES * (len(STEPS) - 1)


class SlowerOnTurns(Shows):
    """Takes 5 ms for a picture, and 40 for any of a turn, on a clock that only it moves."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock

    def answer(self, static_uv: Array, dynamic_uv: Array | None) -> Answer:
        self._clock.advance(0.005 if dynamic_uv is None else 0.040)
        return super().answer(static_uv, dynamic_uv)


def test_every_answer_says_where_its_time_went_and_no_stage_counts_for_another() -> None:
    clock = FakeClock()
    session = run(items([4500]), SlowerOnTurns(clock), clock=clock)
    ledger = session.ledger.summary_ms()
    for stage, decode_ms in (("static", 5.0), ("refined", 40.0), ("fused", 40.0)):
        answers = [d for d in session.decisions if d.stage == stage]
        assert all(list(d.took_ms) == ["wait", "filter", "epoch", "decode"] for d in answers)
        assert all(d.took_ms["decode"] == pytest.approx(decode_ms) for d in answers)
        assert ledger[f"{stage} decode"]["n"] == len(answers)
        assert ledger[f"{stage} decode"]["max"] == pytest.approx(decode_ms)
        slowest_ms = max(sum(d.took_ms.values()) for d in answers)
        assert ledger[f"{stage} answer"]["max"] == pytest.approx(slowest_ms)
    # Many came in one piece: each waited for all before it.
    took = [d.took_ms for d in session.decisions]
    waited_ms = [t["wait"] for t in took[:10]]
    assert waited_ms == pytest.approx([sum(t["decode"] for t in took[:k]) for k in range(10)], abs=1e-6)


def test_an_answer_is_given_as_soon_as_its_window_is_complete() -> None:
    session = session_over(items([1]))
    session.open()
    newest_s = waited = 0.0
    n = 0
    while session.crank():
        for d in session.decisions[n:]:
            waited = max(waited, newest_s - d.window_stop_s)
        n = len(session.decisions)
        ring = session.acquisition.ring
        newest_s = float(ring.view(ring.written - 1, ring.written)[1][0]) if ring.written else 0.0
    session.close()
    # Two samples for the output of the slower rate that lies between them, and one round of the loop.
    assert n == N_PICTURES * len(WHOLE_TRIAL) and waited <= 3 / FS


def test_the_decoder_is_given_the_whole_picture_and_the_beginning_of_the_turn() -> None:
    shapes: list[tuple[tuple[int, ...], int]] = []

    class Counts(Shows):
        def answer(self, static_uv: Array, dynamic_uv: Array | None) -> Answer:
            shapes.append((static_uv.shape, 0 if dynamic_uv is None else dynamic_uv.shape[1]))
            assert np.allclose(static_uv[:, :20].mean(axis=1), 0, atol=1e-9)
            assert dynamic_uv is None or np.allclose(dynamic_uv[:, :8].mean(axis=1), 0, atol=1e-9)
            return super().answer(static_uv, dynamic_uv)

    run(items([25]), Counts())
    assert shapes == [((4, 100), n) for _ in PICTURES_S for n in (0, *STEPS)]


@settings(deadline=None, max_examples=6)
@given(st.lists(st.integers(1, 700), min_size=1, max_size=6))
def test_answers_are_bit_identical_whatever_the_chunks(sizes: list[int]) -> None:
    assert said(run(items(sizes))) == said(run(items([4500])))


def test_a_replay_gives_the_answers_of_the_live_session() -> None:
    live = session_over(items([7, 31, 2]))
    live.open()
    live.start()
    assert live.workers[0].join(20.0) and live.workers[1].join(20.0)
    live.stop()
    assert len(live.decisions) == N_PICTURES * len(WHOLE_TRIAL)
    assert said(live) == said(run(items([100])))


def test_permuted_categories_change_no_answer() -> None:
    one = run(items([25], marks()))
    other = run(items([25], marks(("down", "up", "up", "down", "down", "up"))))
    assert said(one) == said(other)
    assert len({p for _, _, _, _, p, _, _ in said(one)}) == len(one.decisions)  # and they do depend on the EEG
    assert one.scorer.truth != other.scorer.truth


def test_a_stream_with_its_channels_in_another_order_gives_the_same_answers() -> None:
    order = [2, 0, 3, 1]
    info = replace(EEG, channels=tuple(EEG.channels[i] for i in order))
    crossed = Session(
        ScriptedSource(info, items([25], data=signal()[order]), {"m": MARKERS}),
        lambda _: Setup(CHAIN, WINDOWS.static, PATTERNS),
        decoder=Shows(),
        clock=FakeClock(),
    )
    crossed.open()
    while crossed.crank():
        pass
    straight = run(items([25]))
    assert [d.probabilities for d in crossed.decisions] == [
        pytest.approx(d.probabilities, abs=1e-9) for d in straight.decisions
    ]


def test_a_gap_in_the_turn_leaves_what_was_answered_and_is_counted() -> None:
    session = run(cut_out(items([100]), 30.0, 31.0))  # trial 2 shows its picture at 28 s and turns from 29 to 31.3 s
    assert stages(session, 2) == ["static", "refined", "refined"]
    assert session.turns_lost == {"gap": 1}
    assert session.rejected == {"settling": 1}  # trial 3 comes before the filters have settled again
    assert (session.n_accepted, session.n_turns) == (N_PICTURES - 1, N_PICTURES - 2)


def test_a_turn_with_samples_that_are_no_numbers_leaves_what_was_answered() -> None:
    data = signal()
    data[:, 3000:3200] = np.nan
    session = run(items([25], data=data))
    assert stages(session, 2) == ["static", "refined", "refined"]
    assert session.turns_lost["non-finite"] == 1


def test_a_rejected_picture_rejects_the_trial() -> None:
    session = run(cut_out(items([20]), 28.2, 28.4))
    assert stages(session, 2) == []
    assert session.rejected == {"gap": 1} and not session.turns_lost
    assert session.n_accepted == N_PICTURES - 1


def test_a_picture_without_a_turn_gives_the_static_answer_only() -> None:
    without = [mark for k, mark in enumerate(marks()) if k != 5]  # the turn of trial 2
    session = run(items([25], without))
    assert stages(session, 2) == ["static"]
    assert stages(session, 3) == WHOLE_TRIAL
    assert (session.n_accepted, session.n_turns) == (N_PICTURES, N_PICTURES - 1)
    assert not session.turns_lost


def test_data_that_end_during_a_turn_leave_what_was_answered() -> None:
    session = run(items([25], data=signal(42.0)))  # trial 5 turns from 41 to 43.3 s
    assert stages(session, 5) == ["static", "refined", "refined"]
    assert session.turns_lost == {"end of data": 1}


def test_trials_that_overlap_keep_apart() -> None:
    # The second picture comes while the first object turns, and both turns run side by side for a while.
    overlapping = [
        *((20.0, "stim/up/00"), (21.0, "turn/up/00"), (22.0, "stim/down/00"), (22.5, "turn/down/00")),
        *((23.0, "stim/up/01"), (30.0, "turn/up/01")),
    ]
    together = run(items([25], overlapping))
    assert [stages(together, trial) for trial in range(3)] == [WHOLE_TRIAL] * 3
    for trial in range(3):
        alone = run(items([25], overlapping[2 * trial : 2 * trial + 2]))
        assert [s[1:] for s in said(alone)] == [s[1:] for s in said(together) if s[0] == trial]
    assert said(run(items([1], overlapping))) == said(together)


def test_only_the_newest_answer_keeps_its_embedding_and_listeners_get_them_all() -> None:
    heard: list[Decision] = []
    session = run(items([25]), on_decision=heard.append)
    assert all(d.embedding is None for d in session.decisions)
    assert session.decisions == heard
    sizes = [d.embedding.size for d in heard if d.embedding is not None]
    assert sizes == [400 + 4 * n for _ in PICTURES_S for n in (0, *STEPS)]
    newest = session.view().decision
    assert newest is not None and newest.embedding is not None


def test_a_decoder_that_fails_on_a_turn_leaves_its_picture_answered_and_loses_no_other_trial() -> None:
    class Fragile(Shows):
        n_failed = 0

        def answer(self, static_uv: Array, dynamic_uv: Array | None) -> Answer:
            if dynamic_uv is not None and dynamic_uv.shape[1] == STEPS[1] and not self.n_failed:
                self.n_failed += 1
                raise ZeroDivisionError("by design")
            return super().answer(static_uv, dynamic_uv)

    session = session_over(items([4500]), Fragile())
    session.open()
    session.start()
    acquire, decode = session.workers
    assert acquire.join(20.0) and decode.join(20.0)
    assert decode.health.state is State.FAILED
    session.restart_worker("decode")
    assert decode.join(20.0)
    session.stop()
    assert stages(session, 0) == ["static", "refined"]
    assert all(stages(session, trial) == WHOLE_TRIAL for trial in range(1, N_PICTURES))
    assert session.turns_lost == {"decoder failed": 1}
    assert (session.n_accepted, session.n_turns) == (N_PICTURES, N_PICTURES - 1)


class Slow(Shows):
    """Takes 1.2 s for an answer, in which two more get due."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock

    def answer(self, static_uv: Array, dynamic_uv: Array | None) -> Answer:
        self._clock.advance(1.2)
        return super().answer(static_uv, dynamic_uv)


class AsTimeGoes(ScriptedSource):
    """Sends each chunk once the clock has come to its end, or without waiting when the clock is late."""

    def __init__(self, clock: FakeClock, things: Sequence[Item], live: bool) -> None:
        super().__init__(EEG, things, {"m": MARKERS}, live=live)
        self._clock = clock

    def read(self, timeout_s: float) -> Sequence[Item]:
        found: list[Item] = []
        while not found or (self._items and self._items[0].stamps_s[-1] <= self._clock.now_s()):
            found += super().read(timeout_s)
            if isinstance(found[-1], EegChunk):
                self._clock.sleep_until_s(float(found[-1].stamps_s[-1]))
        return found


def overloaded(live: bool) -> Session:
    clock = FakeClock()
    session = Session(
        AsTimeGoes(clock, items([10]), live),
        lambda _: Setup(CHAIN, WINDOWS.static, PATTERNS),
        decoder=Slow(clock),
        clock=clock,
    )
    session.open()
    while session.crank():
        pass
    session.finish()
    session.close()
    return session


def test_a_slow_decoder_leaves_refined_answers_out_live_and_is_never_far_behind() -> None:
    session = overloaded(live=True)
    answered, everything = said(session), said(run(items([25])))
    assert set(answered) < set(everything)
    for trial in range(N_PICTURES):
        assert stages(session, trial)[0] == "static" and stages(session, trial)[-1] == "fused"
    assert session.loop is not None and session.loop.n_skipped == len(everything) - len(answered)
    # A round handles at most one answer of each stage; what comes meanwhile waits for the next one.
    assert max(d.decided_s - d.window_stop_s for d in session.decisions) < 2 * 3 * 1.2
    assert max(d.decided_s - d.window_stop_s for d in overloaded(live=False).decisions) > 10.0


def test_a_replay_leaves_no_answer_out_however_slow_the_decoder() -> None:
    session = overloaded(live=False)
    assert said(session) == said(run(items([25])))
    assert session.loop is not None and session.loop.n_skipped == 0


def test_a_burst_of_samples_alone_leaves_no_answer_out() -> None:
    assert said(run(items([4500]), live=True)) == said(run(items([25])))


def test_a_chain_of_another_rate_than_the_decoders_is_refused() -> None:
    class Faster(Shows):
        sfreq_hz = 250.0

    with pytest.raises(StreamMismatch, match="takes 250 Hz and its chain gives 100 Hz"):
        session_over([], Faster()).open()
