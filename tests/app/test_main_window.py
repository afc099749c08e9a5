import argparse
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QInputDialog, QMessageBox

from app.bridge import Bridge
from app.commands import window as command
from app.main_window import MainWindow, dressed_application
from app.panels.frame import Phase, Samples
from app.seeing import Seeing
from engines.errors import InputError
from engines.generators.config import GeneratorsConfig
from pipeline.coupling.bands import CouplingBands
from pipeline.coupling.values import CouplingConfig
from pipeline.recorder.messages import RecorderState, RecorderStatus
from pipeline.types import SourceEvent
from pipeline.worker import Health, State
from tests.app.anytime import CLASSES, WINDOWS, trial
from tests.app.reconstructions import FakeWorker
from tests.app.scripted import RATE_HZ, REQUEST, START_S, Bench, frame, info, stream, view


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def window(bench: Bench, qtbot, tmp_path: Path) -> Iterator[MainWindow]:
    dressed_application()
    bridge = Bridge(bench.make_session, bench.start_recording, tmp_path)
    seeing = Seeing(lambda subject, on_made: FakeWorker(on_made), GeneratorsConfig())
    made = MainWindow(bridge, seeing)
    made.show()
    yield made
    bench.source.may_open.set()
    bridge.close()
    made.showing.close()
    seeing.close()
    made.hide()
    made.deleteLater()


def running(window: MainWindow, **changes: object) -> None:
    """As if a stream had been connected."""
    window._on_phase(Phase.RUNNING)
    window._on_connected(stream(**changes) if "source" not in changes else stream(changes.pop("source"), **changes))


def test_it_starts_with_a_friendly_choice(window: MainWindow, qtbot) -> None:
    assert window.pages.currentWidget() is window.start
    assert window.status.state.text() == "○ Not Connected"
    assert window.header.record.isHidden()
    with qtbot.waitSignal(window.start.chosen) as chosen:
        window.start.chosen.disconnect(window.choose_source)
        window.start.cards[1].click()
    assert chosen.args == ["lsl"]


def test_while_connecting_it_says_what_is_looked_for_and_lets_go(window: MainWindow, bench: Bench, qtbot) -> None:
    bench.source.may_open.clear()
    window.connect_to(REQUEST)
    assert window.pages.currentWidget() is window.connecting
    assert "Connecting to amp" in window.connecting.title.text()
    assert "name amp" in window.connecting.text.text()
    qtbot.waitUntil(lambda: "waiting for amp" in window.connecting.text.text(), timeout=5_000)
    window.connecting.cancelled.emit()
    assert window.pages.currentWidget() is window.start


def test_a_failed_attempt_comes_back_to_the_start_with_the_reason(window: MainWindow, bench: Bench, qtbot) -> None:
    bench.source.refusal = "no signal agrees;\nseen on the network: <nothing>"
    window.connect_to(REQUEST)
    qtbot.waitUntil(lambda: not window.start.problem.isHidden(), timeout=10_000)
    assert window.pages.currentWidget() is window.start
    assert "&lt;nothing>" in window.start.problem.text()


def test_a_whole_session_from_connecting_to_the_start_page_again(window: MainWindow, bench: Bench, qtbot) -> None:
    window.connect_to(REQUEST)
    qtbot.waitUntil(lambda: window.controller.phase is Phase.RUNNING, timeout=10_000)
    bench.source.feed(3.0)
    bench.source.mark("stim/face/01")
    bench.source.feed(3.0)
    qtbot.waitUntil(lambda: "1 markers" in window.status.markers.text(), timeout=5_000)
    qtbot.waitUntil(lambda: "0 lost" in window.status.samples.text(), timeout=5_000)
    assert window.status.state.text() == "● Streaming"
    assert window.scope.scope._marker_places()[0][1] == "stim/face/01"
    assert window.header.title.text() == "amp"
    window.header.connect_clicked.emit()
    qtbot.waitUntil(lambda: window.pages.currentWidget() is window.start, timeout=10_000)
    assert bench.source.closed.is_set()


def test_changing_the_time_draws_the_history_again(window: MainWindow, bench: Bench, qtbot) -> None:
    window.connect_to(REQUEST)
    qtbot.waitUntil(lambda: window.controller.phase is Phase.RUNNING, timeout=10_000)
    bench.source.feed(4.0)
    scope = window.scope.scope
    qtbot.waitUntil(lambda: scope._sweep is not None and scope._sweep.newest_s > START_S + 3.5, timeout=5_000)
    newest_s = scope._sweep.newest_s
    scope.step_span(1)
    assert scope.span_s == 20.0
    assert scope._sweep.newest_s >= newest_s - 0.1
    assert scope._sweep.origin_s < START_S + 0.5


def test_the_keyboard_changes_amplitude_time_and_filters(window: MainWindow, qtbot) -> None:
    running(window)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    scope = window.scope.scope
    before = scope.scale_uv, scope.span_s, scope.filter.mains_hz
    for key in (Qt.Key.Key_Up, Qt.Key.Key_Right, Qt.Key.Key_N):
        qtbot.keyClick(window, key)
    assert before == (200.0, 10.0, None)
    assert (scope.scale_uv, scope.span_s, scope.filter.mains_hz) == (100.0, 20.0, 50.0)


def test_electrodes_coupling_latency_and_dependency_share_a_place_and_a_key(window: MainWindow, qtbot) -> None:
    running(window)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    assert window.tabs.pages.currentWidget() is window.quality
    qtbot.keyClick(window, Qt.Key.Key_P, Qt.KeyboardModifier.ControlModifier)
    assert window.tabs.pages.currentWidget() is window.coupling
    assert window.tabs.bar.tabText(window.tabs.bar.currentIndex()) == "Coupling"
    qtbot.keyClick(window, Qt.Key.Key_P, Qt.KeyboardModifier.ControlModifier)
    assert window.tabs.pages.currentWidget() is window.latency
    qtbot.keyClick(window, Qt.Key.Key_P, Qt.KeyboardModifier.ControlModifier)
    assert window.tabs.pages.currentWidget() is window.showing.dependency
    qtbot.keyClick(window, Qt.Key.Key_P, Qt.KeyboardModifier.ControlModifier)
    assert window.tabs.pages.currentWidget() is window.quality


def test_anytime_decoding_with_a_notice_fits_a_screen_of_1280_by_800(window: MainWindow) -> None:
    running(window, source=info(simulated=True), classes=CLASSES, windows=WINDOWS)
    of = stream(info(simulated=True), classes=CLASSES, windows=WINDOWS)
    for n in range(4):
        window._on_tick(frame(of, view(state="stalled"), decisions=trial(n), silent_s=2.0))
    assert window.history.isVisible() and window.decision.nearest.isVisible() and window.notices.isVisible()
    assert window.decision.stage.line.startswith("fused")
    least = window.minimumSizeHint()
    assert least.width() <= 1280 and least.height() <= 800


def test_bands_chosen_in_the_panel_reach_the_session(window: MainWindow, bench: Bench, qtbot) -> None:
    bench.coupling = CouplingConfig(n_surrogates=20)
    window.tabs.show_next()
    window.connect_to(REQUEST)
    qtbot.waitUntil(lambda: window.controller.phase is Phase.RUNNING, timeout=10_000)
    bench.source.feed(4.0)
    panel = window.coupling
    qtbot.waitUntil(lambda: panel.veil.isHidden() and "updates" in panel.made.text(), timeout=10_000)
    panel.bands_chosen.emit(CouplingBands((4.0, 8.0), (40.0, 80.0)))
    qtbot.waitUntil(lambda: panel.bands.amplitude.currentText() == "40–80 Hz", timeout=5_000)


@pytest.mark.parametrize("size", [(1280, 720), (1440, 900)])
def test_nothing_lies_over_another_and_the_window_is_no_larger_than_asked(window: MainWindow, qtbot, size) -> None:
    running(window, classes=("car", "chair", "face", "house"))
    window.tabs.show_next()
    window.resize(*size)
    qtbot.waitUntil(lambda: window.tabs.height() > 0 and window.scope.width() > 0)
    assert (window.width(), window.height()) == size
    column = window.tabs.parentWidget()
    assert not window.tabs.geometry().intersects(window.decision.geometry())
    assert column.rect().contains(window.tabs.geometry()) and column.rect().contains(window.decision.geometry())
    window.status.newest.set_event("an event that is far longer than the room that is left for it at the foot " * 3)
    window._on_tick(frame(seen=view(), latency_ms=(12.0, 34.0)))
    QApplication.processEvents()
    assert (window.width(), window.height()) == size
    panel = window.coupling
    assert panel.minimumSizeHint().width() <= panel.width()
    assert panel.minimumSizeHint().height() <= panel.height()


def test_whatever_is_simulated_says_so(window: MainWindow) -> None:
    running(window)
    assert window.banner.isHidden()
    running(window, source=info(simulated=True))
    assert not window.banner.isHidden()
    assert "SIMULATED" in window.banner.text()


def test_stalled_lost_and_recovered_are_seen_at_the_foot_and_above_the_scope(window: MainWindow) -> None:
    running(window)
    window._on_tick(frame(seen=view(state="stalled", n_lost=12), silent_s=0.8))
    assert window.status.state.text() == "▲ Stalled"
    assert [n.title for n in window.notices.shown] == ["Stalled"]
    window._on_tick(frame(seen=view(state="lost"), silent_s=8.0))
    assert window.status.state.text() == "■ Lost"
    assert not window.notices.isHidden()
    window.notices._rows[0].acted.emit("stream")
    assert not window.log.isHidden()
    window._on_tick(frame())
    assert window.notices.shown == []


def test_events_are_listed_with_times(window: MainWindow) -> None:
    running(window)
    window._on_tick(frame(seen=view(events=(SourceEvent("stalled", "amp has stalled."),))))
    assert window.log.lines()[0].endswith("\tstalled\t\tamp has stalled.")
    assert "amp has stalled" in window.status.newest.text()


def test_without_a_unit_the_user_can_declare_one(window: MainWindow, bench: Bench, qtbot, monkeypatch) -> None:
    window.connect_to(REQUEST)
    qtbot.waitUntil(lambda: window.controller.phase is Phase.RUNNING, timeout=10_000)
    off = stream(info(unit=None), unit_known=False, off="the unit is not known")
    window._on_connected(off)
    assert "not judged" in window.quality.note.text()
    assert "Decoding Is Off" in window.decision.empty.text()
    monkeypatch.setattr(QInputDialog, "getItem", lambda *_: ("Millivolts (mV)", True))
    window._on_notice("off")
    assert window.controller.request.unit == "mV"


def test_a_dead_worker_shows_its_traceback_and_can_be_restarted(window: MainWindow, monkeypatch) -> None:
    running(window)
    dead = Health("decode", State.FAILED, "Traceback\nValueError: odd")
    window._on_tick(frame(seen=view(workers=(dead,))))
    assert window.status.workers.text() == "decode died"
    shown, restarted = [], []
    monkeypatch.setattr(window.controller, "restart_worker", restarted.append)
    monkeypatch.setattr(QMessageBox, "exec", lambda box: shown.append(box.detailedText()))
    monkeypatch.setattr(QMessageBox, "clickedButton", lambda box: box.buttons()[0])
    window._on_notice("worker:decode")
    assert shown == ["Traceback\nValueError: odd"]
    assert restarted in ([], ["decode"])


def test_recording_shows_time_bytes_room_and_file(window: MainWindow) -> None:
    running(window)
    status = RecorderStatus(
        RecorderState.RECORDING, Path("/out/20260101-amp.xdf"), bytes_written=12_300_000, disk_left_s=4 * 3600.0
    )
    window._on_tick(frame(recording=status, recording_s=3725.0))
    assert window.header.recording.text() == "●  1:02:05  ·  12.3 MB"
    assert window.header.file.text() == "20260101-amp.xdf  ·  room for 4 h"
    assert window.header.record.text() == "■  Stop Recording"


def test_closing_while_recording_asks_first(window: MainWindow, bench: Bench, qtbot, monkeypatch) -> None:
    window.connect_to(REQUEST)
    qtbot.waitUntil(lambda: window.controller.phase is Phase.RUNNING, timeout=10_000)
    with qtbot.waitSignal(window.controller.recording_changed, timeout=5_000):
        window.toggle_recording()
    asked = []
    monkeypatch.setattr(QMessageBox, "exec", lambda box: asked.append(box.text()))
    monkeypatch.setattr(QMessageBox, "clickedButton", lambda box: None)
    assert not window.close()
    assert len(asked) == 1
    assert not bench.recordings[0].status.final
    window.end()
    assert len(asked) == 1
    assert bench.recordings[0].status.final
    assert bench.source.closed.is_set()


def test_a_replay_cannot_be_recorded_and_says_why(window: MainWindow) -> None:
    running(window, live=False)
    assert not window.header.record.isEnabled()
    assert "on the disk already" in window.header.record.toolTip()


def test_64_channels_at_1_khz_are_drawn_and_saved_as_a_picture(window: MainWindow, tmp_path: Path) -> None:
    names = tuple(f"E{i}" for i in range(64))
    running(window, source=info(names), no_positions="no position is known for 64 of 64 electrodes")
    data = np.random.default_rng(0).standard_normal((64, 2000)) * 20
    fresh = Samples(0, data, START_S + np.arange(2000) / RATE_HZ)
    window._on_tick(frame(stream(info(names)), view(bads=("E3",)), fresh=fresh))
    window.grab_to(tmp_path / "window.png")
    assert (tmp_path / "window.png").stat().st_size > 10_000
    assert "no position is known" in window.quality.note.text()


def test_the_command_opens_a_window_and_ends_with_it(qtbot, monkeypatch, tmp_path: Path) -> None:
    opened: list[MainWindow] = []

    def until_closed(_application: QApplication | None = None) -> int:
        opened.extend(w for w in QApplication.topLevelWidgets() if isinstance(w, MainWindow) and w.isVisible())
        opened[-1].end()
        return 0

    monkeypatch.setattr(QApplication, "exec", until_closed)
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    try:
        assert command.window(argparse.Namespace(out=tmp_path)) == 0
    finally:
        for number, handler in zip((signal.SIGINT, signal.SIGTERM), before, strict=True):
            signal.signal(number, handler)
    assert len(opened) == 1
    assert not opened[0].isVisible()


def test_without_a_display_the_command_says_what_to_use_instead(monkeypatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    with pytest.raises(InputError, match="afterimage live"):
        command.window(argparse.Namespace(headless=False))
    with pytest.raises(InputError, match="headless"):
        command.window(argparse.Namespace(headless=True))
