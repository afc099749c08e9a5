import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from app.bridge import Bridge
from app.looking import drawn
from app.panels.frame import Frame, Phase
from pipeline.coupling.bands import CouplingBands
from pipeline.coupling.values import CouplingConfig
from pipeline.types import Channel, ClockOffset, EegChunk, Kind, StreamInfo
from pipeline.worker import State
from tests.app.scripted import NAMES, REQUEST, Bench


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def bridge(bench: Bench, qtbot, tmp_path: Path) -> Iterator[Bridge]:
    made = Bridge(bench.make_session, bench.start_recording, tmp_path)
    yield made
    bench.source.may_open.set()
    made.close()


def connected(bridge: Bridge, qtbot) -> None:
    with qtbot.waitSignal(bridge.connected, timeout=10_000):
        bridge.connect_to(REQUEST)


def frames_of(bridge: Bridge) -> list[Frame]:
    seen: list[Frame] = []
    bridge.ticked.connect(seen.append)
    return seen


def test_a_source_is_opened_beside_the_window_and_every_answer_arrives_in_the_main_thread(bridge, bench, qtbot) -> None:
    threads: list[threading.Thread] = []
    for signal in (bridge.phase_changed, bridge.connected, bridge.ticked, bridge.waiting, bridge.recording_changed):
        signal.connect(lambda *_: threads.append(threading.current_thread()))
    connected(bridge, qtbot)
    bench.source.feed(1.0)
    with qtbot.waitSignal(bridge.ticked):
        pass
    with qtbot.waitSignal(bridge.recording_changed):
        bridge.start_recording()
    assert bench.source.opened_in.startswith("afterimage-bridge")
    assert set(threads) == {threading.main_thread()}


def test_the_window_sees_every_sample_once_and_in_order(bridge, bench, qtbot) -> None:
    seen = frames_of(bridge)
    connected(bridge, qtbot)
    bench.source.feed(2.0)
    qtbot.waitUntil(lambda: sum(f.fresh.times_s.size for f in seen) >= 480, timeout=5_000)
    got = np.concatenate([f.fresh.data for f in seen], axis=1)
    np.testing.assert_array_equal(got, bench.source.sent[:, : got.shape[1]])
    history = bridge.history(1.0)
    assert history is not None
    np.testing.assert_array_equal(history.data, got[:, history.start :])


def test_markers_reach_the_window_with_their_labels(bridge, bench, qtbot) -> None:
    seen = frames_of(bridge)
    connected(bridge, qtbot)
    bench.source.feed(0.5)
    bench.source.mark("stim/face/01")
    qtbot.waitUntil(lambda: bool(seen and seen[-1].markers), timeout=5_000)
    assert [m.label for m in seen[-1].markers] == ["stim/face/01"]


def test_silence_makes_the_stream_stalled_then_lost_then_recovered(bridge, bench, qtbot) -> None:
    seen = frames_of(bridge)
    connected(bridge, qtbot)

    def state(wanted: str) -> None:
        qtbot.waitUntil(lambda: bool(seen) and seen[-1].view.state == wanted, timeout=5_000)

    bench.source.feed(1.0)
    # All of it, before the clock goes on: what is read later is younger.
    qtbot.waitUntil(lambda: bool(seen) and seen[-1].view.n_received == bench.source.sent.shape[1], timeout=5_000)
    state("connected")
    bench.clock.advance(1.0)
    state("stalled")
    bench.clock.advance(5.0)
    state("lost")
    assert seen[-1].silent_s >= 5.0
    bench.source.feed(0.02)
    qtbot.waitUntil(lambda: "recovered" in [e.kind for e in seen[-1].view.events], timeout=5_000)


def test_a_source_that_cannot_be_opened_is_said_and_closed(bridge, bench, qtbot) -> None:
    bench.source.refusal = "no signal agrees with lsl:name=amp"
    with qtbot.waitSignal(bridge.failed, timeout=10_000) as failed:
        bridge.connect_to(REQUEST)
    assert failed.args == ["no signal agrees with lsl:name=amp"]
    assert bridge.phase is Phase.IDLE
    assert bench.source.closed.is_set()


def test_what_is_waited_for_is_told_while_connecting(bridge, bench, qtbot) -> None:
    bench.source.may_open.clear()
    with qtbot.waitSignal(bridge.waiting, check_params_cb=lambda text: text == "waiting for amp", timeout=5_000):
        bridge.connect_to(REQUEST)
    assert bridge.phase is Phase.CONNECTING


def test_an_attempt_that_was_cancelled_is_closed_when_it_succeeds_after_all(bridge, bench, qtbot) -> None:
    bench.source.may_open.clear()
    arrived = []
    bridge.connected.connect(arrived.append)
    bridge.connect_to(REQUEST)
    bridge.disconnect_now()
    assert bridge.phase is Phase.IDLE
    bench.source.may_open.set()
    qtbot.waitUntil(bench.source.closed.is_set, timeout=10_000)
    assert arrived == []
    assert bridge.phase is Phase.IDLE


def test_disconnecting_stops_the_workers_and_closes_the_source(bridge, bench, qtbot) -> None:
    connected(bridge, qtbot)
    with qtbot.waitSignal(bridge.phase_changed, check_params_cb=lambda p: p is Phase.IDLE, timeout=10_000):
        bridge.disconnect_now()
    assert bench.source.closed.is_set()
    assert not any(t.name in ("afterimage-acquire", "afterimage-decode") for t in threading.enumerate())
    assert bridge.history(1.0) is None


def test_a_worker_that_died_is_seen_with_its_traceback_and_can_be_restarted(bridge, bench, qtbot) -> None:
    seen = frames_of(bridge)
    connected(bridge, qtbot)
    bench.source.feed(0.5)
    bench.source.fail()

    def acquire(state: State) -> None:
        qtbot.waitUntil(lambda: bool(seen) and seen[-1].view.workers[0].state is state, timeout=5_000)

    acquire(State.FAILED)
    assert "the amplifier said something odd" in seen[-1].view.workers[0].traceback
    bridge.restart_worker("acquire")
    acquire(State.RUNNING)
    assert seen[-1].view.workers[0].n_restarts == 1


def test_a_recording_gets_what_comes_after_its_start_and_ends_with_the_connection(
    bridge, bench, qtbot, tmp_path
) -> None:
    seen = frames_of(bridge)
    connected(bridge, qtbot)
    bench.source.feed(0.5)
    qtbot.waitUntil(lambda: sum(f.fresh.times_s.size for f in seen) > 0, timeout=5_000)
    assert bridge.can_record
    with qtbot.waitSignal(bridge.recording_changed, timeout=5_000):
        bridge.start_recording()
    (recording,) = bench.recordings
    before = len(recording.items)
    bench.source.feed(1.0)
    qtbot.waitUntil(lambda: len(recording.items) - before >= 50, timeout=5_000)
    assert all(isinstance(item, EegChunk | ClockOffset) for item in recording.items)
    qtbot.waitUntil(lambda: seen[-1].recording is not None, timeout=5_000)
    assert recording.status.path.parent == tmp_path
    assert recording.status.path.name.endswith("-amp.xdf")
    with qtbot.waitSignal(bridge.recording_changed, check_params_cb=lambda on: not on, timeout=10_000):
        bridge.disconnect_now()
    assert recording.status.final
    assert not bridge.recording


def test_a_replay_ends_and_is_not_recorded(bridge, bench, qtbot) -> None:
    bench.source.live = False
    seen = frames_of(bridge)
    connected(bridge, qtbot)
    bench.source.feed(0.5)
    bench.source.end()
    qtbot.waitUntil(lambda: bool(seen) and seen[-1].view.state == "ended", timeout=5_000)
    assert not bridge.can_record
    bridge.start_recording()
    assert bench.recordings == []


def test_potentials_are_drawn_under_their_ten_five_names_and_counters_are_not() -> None:
    channels = (
        Channel("Fc5.", Kind.EEG, "uV"),
        Channel("VEOG", Kind.EOG, "uV"),
        Channel("counter", Kind.MISC),
    )
    names, rows = drawn(StreamInfo("amp", "EEG", 3, 250.0, channels=channels))
    assert (names, rows) == (("FC5", "VEOG"), (0, 1))
    names, rows = drawn(StreamInfo("gyro", "GYRO", 1, 52.0, channels=(Channel("x", Kind.MISC),)))
    assert (names, rows) == (("x",), (0,))


def test_the_bridge_knows_the_names_of_the_electrodes(bridge, bench, qtbot) -> None:
    with qtbot.waitSignal(bridge.connected, timeout=10_000) as answered:
        bridge.connect_to(REQUEST)
    (stream,) = answered.args
    assert stream.eeg_names == NAMES
    assert set(stream.positions) == set(NAMES)
    assert stream.no_positions == ""


def test_the_coupling_is_seen_and_its_bands_are_changed_and_recorded(bridge, bench, qtbot) -> None:
    bench.coupling = CouplingConfig(n_surrogates=20)
    seen = frames_of(bridge)
    connected(bridge, qtbot)
    with qtbot.waitSignal(bridge.recording_changed, timeout=5_000):
        bridge.start_recording()
    bench.source.feed(4.0)
    qtbot.waitUntil(lambda: bool(seen) and seen[-1].coupling.map is not None, timeout=10_000)
    assert seen[-1].coupling.map.channels == NAMES
    wanted = CouplingBands((4.0, 8.0), (52.0, 90.0))
    bridge.set_coupling_bands(wanted)
    qtbot.waitUntil(lambda: seen[-1].coupling.config.bands == wanted, timeout=5_000)
    bench.source.feed(4.0)
    qtbot.waitUntil(lambda: seen[-1].coupling.map is not None and seen[-1].coupling.map.bands == wanted, timeout=10_000)
    assert seen[-1].coupling.config.n_surrogates == 20
    assert any("amplitude 52-90 Hz" in line for line in bench.recordings[0].lines)


def test_without_coupling_there_is_none_to_see_and_its_bands_change_nothing(bridge, bench, qtbot) -> None:
    bridge.set_coupling_bands(CouplingBands())
    seen = frames_of(bridge)
    connected(bridge, qtbot)
    bridge.set_coupling_bands(CouplingBands())
    with qtbot.waitSignal(bridge.ticked):
        pass
    assert seen[-1].coupling is None
    assert "coupling" not in [w.name for w in seen[-1].view.workers]
