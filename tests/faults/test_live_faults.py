"""Whole live sessions while their senders die, freeze, change, stutter and storm: nothing is lost, all is told."""

import numpy as np
import pytest

from pipeline.errors import StreamChanged
from pipeline.types import BoundaryKind
from pipeline.worker import State
from tests.faults.live import RATE_HZ, amplifier, assert_same_answers, live, recorded_stamps, replay, stimuli

pytestmark = pytest.mark.slow


def gaps(session):
    return [b for b in session.acquisition.aligner.boundaries if b.kind is BoundaryKind.GAP]


def test_a_sender_that_is_killed_and_restarted_is_told_and_the_session_goes_on_and_replays_the_same(tmp_path):
    with stimuli() as stim, amplifier() as amp:
        amp.run()
        with live(tmp_path / "a.xdf") as run:
            run.decide(stim, 2)
            stim.mark("up/cut")
            amp.kill()
            run.wait_for("lost")
            assert "stalled" in run.kinds and "nothing for" in run.text_of("lost")
            with amplifier(counter=100_000) as back:
                back.run()
                run.wait_for("recovered", 2)  # the sender is there, and its samples are
                run.wait(lambda: run.session.acquisition.aligner.n_lost)
                run.decide(stim, 3)
    assert [w.health.state for w in run.session.workers] == [State.STOPPED, State.STOPPED]
    lost = run.kinds.index("lost")
    assert "stalled" in run.kinds[:lost] and "recovered" in run.kinds[lost:]
    (gap,) = gaps(run.session)
    assert gap.n_lost == pytest.approx((gap.stop_s - gap.start_s) * RATE_HZ - 1, abs=2)
    assert gap.n_lost > 3 * RATE_HZ  # it was lost after 3 s of silence
    assert run.session.rejected["gap"] >= 1 and run.session.rejected["settling"] >= 1
    again = replay(run.path)
    assert_same_answers(run.session, again)
    assert again.acquisition.n_received == run.session.acquisition.n_received


def test_a_frozen_sender_is_told_and_nothing_is_lost_when_it_thaws(tmp_path):
    with stimuli() as stim, amplifier() as amp:
        amp.run()
        with live(tmp_path / "a.xdf") as run:
            run.decide(stim, 1)
            amp.freeze()
            run.wait_for("lost")
            amp.thaw()
            run.wait(lambda: "recovered" in run.kinds[run.kinds.index("lost") :])
            run.decide(stim, 2)
    assert run.session.acquisition.aligner.n_lost == 0
    assert_same_answers(run.session, replay(run.path))


def test_a_sender_that_comes_back_with_its_channels_reordered_ends_the_session_and_both_are_recorded(tmp_path):
    with stimuli() as stim, amplifier() as amp:
        amp.run()
        with live(tmp_path / "a.xdf") as run:
            run.decide(stim, 2)
            before = amp.hold()
            amp.reopen(labels="Cz,Fz,Pz,Oz")
            amp.run()
            run.wait(lambda: run.session.workers[0].health.state is State.FAILED)
            assert "number 0 was Fz, is Cz" in run.text_of("changed")
            assert run.session.state == "changed" and run.kinds.count("changed") == 1
            assert StreamChanged.__name__ in run.session.workers[0].health.reason
            run.wait(lambda: [s.n_samples > 100 for s in run.recorded.status.streams if s.name == "amp"] == [True] * 2)
            after = amp.hold()
            assert run.session.workers[1].health.state is State.RUNNING
    stamps_s = recorded_stamps(run.path)
    assert np.isin(before.stamps_s, stamps_s).sum() > 500
    assert np.isin(stamps_s, after.stamps_s).sum() > 100
    assert_same_answers(run.session, replay(run.path, {"id": "1"}))


def test_a_gap_inside_an_epoch_and_many_short_ones_are_counted_and_no_epoch_holds_one(tmp_path):
    with stimuli() as stim, amplifier() as amp:
        amp.run()
        with live(tmp_path / "a.xdf") as run:
            run.decide(stim, 1)
            stim.mark("up/hit")
            amp.skip(50)
            run.wait(lambda: run.session.acquisition.aligner.n_lost == 50)
            run.decide(stim, 1)
            for k in range(8):
                amp.skip(20)
                stim.mark("down/hit")
                n = run.session.acquisition.n_received
                run.wait(lambda n=n: run.session.acquisition.n_received > n + 150)
                assert run.session.acquisition.aligner.n_lost <= 50 + 20 * (k + 1)
            run.decide(stim, 1)
    assert [gap.n_lost for gap in gaps(run.session)] == [50, *[20] * 8]
    assert run.session.rejected["gap"] >= 1
    assert_same_answers(run.session, replay(run.path))


def test_nan_and_infinite_samples_cost_the_epochs_they_are_in_and_no_other(tmp_path):
    with stimuli() as stim, amplifier() as amp:
        amp.run()
        with live(tmp_path / "a.xdf") as run:
            run.decide(stim, 2)
            amp.spoil(100)
            while not run.session.rejected["non-finite"]:
                stim.mark("up/spoilt")
                amp.spoil(100)
                n = run.session.acquisition.n_received
                run.wait(lambda n=n: run.session.acquisition.n_received > n + 50)
            amp.spoil(0)
            run.decide(stim, 3)
    assert all(np.isfinite(d.probabilities).all() for d in run.session.decisions)
    assert_same_answers(run.session, replay(run.path))


def test_a_storm_of_markers_is_counted_to_the_last_and_holds_nothing_up(tmp_path):
    with stimuli() as stim, amplifier() as amp:
        amp.run()
        with live(tmp_path / "a.xdf") as run:
            run.decide(stim, 1)
            n_before = len(run.session.scorer.truth)
            stim.storm(5000, "up/m")
            run.wait(lambda: len(run.session.scorer.truth) >= n_before + 5000)
            run.decide(stim, 2)
    session = run.session
    assert sum(n for label, n in session.scorer.marker_counts.items() if label.startswith("up/m")) == 5000
    assert len(session.decisions) + sum(session.rejected.values()) == len(session.scorer.truth)
    assert len(session.recent_markers) <= 512 and len(session.loop.onsets) == 0
    assert_same_answers(session, replay(run.path))


def test_a_dead_marker_stream_is_told_and_its_return_is_used(tmp_path):
    with amplifier() as amp:
        amp.run()
        with stimuli() as stim, live(tmp_path / "a.xdf") as run:
            run.decide(stim, 1)
            stim.kill()
            run.wait_for("marker_stream_lost")
            n = run.session.acquisition.n_received
            run.wait(lambda: run.session.acquisition.n_received > n + 250)
            with stimuli() as back:
                run.wait_for("recovered")
                run.wait(back.wait_for_consumer)  # "recovered" may also be said of an amplifier that stalled
                run.decide(back, 2)
    assert run.session.acquisition.aligner.n_lost == 0
    assert_same_answers(run.session, replay(run.path))


def test_an_overrun_of_the_inlet_is_told_with_what_it_cost_and_the_recorder_lost_nothing(tmp_path):
    with stimuli() as stim, amplifier() as amp:
        amp.run()
        with live(tmp_path / "a.xdf") as run:
            run.decide(stim, 1)
            acquire = run.session.workers[0]
            assert acquire.stop()  # nobody reads, for longer than liblsl's buffer holds
            amp.hold()
            sent = amp.push(round(75 * RATE_HZ))
            link = run.session.acquisition._source._source._links[""]
            run.wait(lambda: link.pipe.full)
            n = sent.stop - sent.start
            run.wait(lambda: any(s.n_samples >= n for s in run.recorded.status.streams if s.name == "amp"))
            acquire.start()
            run.wait_for("overrun")
            event = next(e for e in run.session.events if e.kind == "overrun")
            assert event.n >= 14 * RATE_HZ and str(event.n) in event.text
            run.wait(lambda: run.session.acquisition.aligner.n_lost)
            assert run.session.acquisition.aligner.n_lost == event.n
    assert np.isin(sent.stamps_s, recorded_stamps(run.path)).all()
    assert_same_answers(run.session, replay(run.path))
