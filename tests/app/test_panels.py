import threading
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt

from app.panels.connect_dialog import ConnectDialog
from app.panels.event_log import EventLog
from app.panels.frame import Samples
from app.panels.head import projected
from app.panels.head_map import QualityPanel, describe
from app.panels.scope_panel import ScopePanel
from app.panels.stream_finder import Listing, StreamFinder
from pipeline.montage import positions
from pipeline.quality import ChannelQuality, Quality
from pipeline.types import Boundary, BoundaryKind, Marker, SourceEvent
from tests.app.scripted import NAMES, RATE_HZ, info, stream
from tests.senders import Sender


@pytest.fixture
def scope(qtbot) -> ScopePanel:
    panel = ScopePanel()
    qtbot.addWidget(panel)
    panel.resize(1000, 600)
    panel.show()
    panel.set_stream(stream())
    return panel


def seconds(start_s: float, stop_s: float, first: int = 0) -> Samples:
    times_s = np.arange(start_s, stop_s, 1 / RATE_HZ)
    return Samples(first, np.random.default_rng(1).standard_normal((len(NAMES), times_s.size)) * 20, times_s)


def test_markers_are_drawn_where_they_happened_and_leave_when_swept_over(scope: ScopePanel) -> None:
    scope.scope.push(seconds(0, 5), ())
    scope.scope.set_markers([Marker("face", 2.0), Marker("house", 4.5)])
    assert scope.scope._marker_places() == [(2.0, "face", 0), (4.5, "house", 1)]
    scope.scope.push(seconds(5, 13, 1250), ())
    assert scope.scope._marker_places() == [(4.5, "house", 1)]
    scope.scope.set_markers([Marker("house", 4.5), Marker("car", 12.0)])
    assert scope.scope._marker_places() == [(4.5, "house", 1), (2.0, "car", 0)]
    scope.scope.redraw()


def test_a_gap_is_hatched_for_as_long_as_it_lasted_also_around_the_edge(scope: ScopePanel) -> None:
    gap = Boundary(2250, BoundaryKind.GAP, 8.996, 11.0, 500)
    scope.scope.push(seconds(0, 9), ())
    scope.scope.push(seconds(11, 12, 2250), (gap,))
    assert scope.scope._gap_places() == [pytest.approx((8.996, 10.0)), pytest.approx((0.0, 1.0))]
    scope.scope.redraw()


def test_controls_change_amplitude_and_time_and_have_keys(scope: ScopePanel) -> None:
    for action in scope.actions_list:
        assert not action.shortcut().isEmpty()
    scope.actions_list[0].trigger()
    scope.actions_list[3].trigger()
    assert scope.scope.scale_uv == 100
    assert scope.scope.span_s == 20.0
    assert (scope.scale.text(), scope.span.text()) == ("100 µV / row", "20 s")


def test_a_new_filter_asks_for_the_history_and_draws_it_again(scope: ScopePanel, qtbot) -> None:
    with qtbot.waitSignal(scope.scope.wants_history) as asked:
        scope.notch.click()
    assert asked.args == [10.0]
    assert scope.scope.filter.mains_hz == 50.0
    scope.scope.show_history(seconds(0, 10), ())
    assert scope.scope._sweep is not None
    assert scope.scope._sweep.newest_s == pytest.approx(9.996)


def test_a_stream_is_fitted_once_and_without_a_unit_counted_in_units(qtbot) -> None:
    panel = ScopePanel()
    qtbot.addWidget(panel)
    panel.set_stream(stream(info(unit=None), unit_known=False))
    huge = seconds(0, 2.5)
    panel.scope.push(Samples(0, huge.data * 1e3, huge.times_s), ())
    assert panel.scope.scale_uv > 10_000
    assert panel.scale.text().endswith("units / row")


def test_bad_channels_are_drawn_in_another_colour(scope: ScopePanel) -> None:
    scope.scope.set_bads(["Cz"])
    colours = [pen.color().name() for pen in scope.scope._traces._pens]
    odd = [name for name, colour in zip(NAMES, colours, strict=True) if colours.count(colour) == 1]
    assert odd == ["Cz"]


# The electrode map.


def quality(name: str, state: Quality, amplitude_uv: float = 8.0) -> ChannelQuality:
    return ChannelQuality(name, state, amplitude_uv, 0.2, 0.9, 0, 0.25)


def test_the_projection_keeps_left_right_front_and_back() -> None:
    at = {name: projected(place) for name, place in positions(["Fpz", "Oz", "T7", "T8", "Cz"]).items()}
    assert at["Fpz"][1] > 0.85 and at["Oz"][1] < -0.6
    assert at["T7"][0] < -0.85 and at["T8"][0] > 0.85
    assert np.hypot(*at["Cz"]) < 0.15


def test_the_map_shows_states_counts_them_and_tells_numbers(qtbot) -> None:
    panel = QualityPanel()
    qtbot.addWidget(panel)
    panel.resize(380, 420)
    panel.show()
    panel.set_electrodes(NAMES, positions(NAMES), "", "")
    panel.set_quality([quality("Cz", Quality.FLAT), quality("C3", Quality.NOISY), quality("C4", Quality.GOOD)])
    assert panel.head.state_of("Cz") is Quality.FLAT
    assert panel.head.state_of("Fp1") is Quality.UNKNOWN
    assert panel.legend._counts == {"dead": 1, "noisy": 1, "good": 1}
    centre = panel.head._to_px(*panel.head._places["Cz"])
    assert panel.head.electrode_at(centre) == "Cz"
    assert "8.0 µV" in describe(quality("Cz", Quality.FLAT))
    panel.grab()


def test_electrodes_without_a_place_are_listed_with_their_state_and_the_reason(qtbot) -> None:
    panel = QualityPanel()
    qtbot.addWidget(panel)
    panel.set_electrodes(("X1", "Cz"), positions(["Cz"]), "no position is known for 1 of 2 electrodes", "")
    panel.set_quality([quality("X1", Quality.RAILED), quality("Cz", Quality.GOOD)])
    assert "no position is known" in panel.note.text()
    assert "X1 (railed)" in panel.note.text()
    assert not panel.head.isHidden()
    panel.set_electrodes(("X1",), {}, "no position is known for 1 of 1 electrodes", "")
    assert panel.head.isHidden()


# The event log.


def test_events_are_added_once_also_when_the_older_ones_have_left_the_list(qtbot) -> None:
    log = EventLog()
    qtbot.addWidget(log)
    a, b, c = (SourceEvent("stalled", text) for text in "abc")
    log.set_events((a,))
    log.set_events((a, b))
    log.set_events((b, c))
    assert [line[-1] for line in log.lines()] == ["a", "b", "c"]


# Connecting.

AMP = Listing("amp", "EEG", 64, 1000.0, "lab", "amp-1", "u1", False)
TWIN = Listing("amp", "EEG", 64, 1000.0, "lab", "amp-1", "u2", False)
GYRO = Listing("gyro", "GYRO", 3, 52.0, "lab", "", "u3", False)
STIM = Listing("stim", "Markers", 1, 0.0, "lab", "stim-1", "u4", True)


def test_a_stream_is_chosen_by_what_survives_a_restart_and_twins_by_uid() -> None:
    assert AMP.selector((AMP, GYRO)) == "lsl:name=amp,type=EEG,source_id=amp-1,hostname=lab"
    assert AMP.selector((AMP, TWIN)) == "lsl:uid=u1"
    assert GYRO.selector((AMP, GYRO)) == "lsl:name=gyro,type=GYRO,hostname=lab"


def test_the_dialog_proposes_the_eeg_stream_with_all_markers_and_keeps_the_choice(qtbot, monkeypatch) -> None:
    monkeypatch.setattr("app.panels.stream_finder.StreamFinder.start", lambda self: None)
    dialog = ConnectDialog()
    qtbot.addWidget(dialog)
    assert dialog.request() is None
    dialog.lsl.show_found((GYRO, AMP, STIM))
    request = dialog.request()
    assert request is not None
    assert (request.source, request.title) == (AMP.selector(()), "amp")
    assert request.markers == (STIM.selector(()),)
    dialog.lsl.signals.selectRow(0)
    dialog.lsl.markers.item(0).setCheckState(Qt.CheckState.Unchecked)
    dialog.lsl.show_found((GYRO, AMP, STIM))
    again = dialog.request()
    assert again is not None
    assert (again.title, again.markers) == ("gyro", ())


def test_the_dialog_is_not_accepted_without_a_choice(qtbot) -> None:
    dialog = ConnectDialog(page="file")
    qtbot.addWidget(dialog)
    dialog.accept()
    assert dialog.result() == 0
    assert "Choose" in dialog.problem.text()
    dialog.file.path.setText("/data/rec.xdf")
    dialog.subject.setText("/data/subject")
    dialog.unit.setCurrentIndex(1)
    request = dialog.request()
    assert request is not None
    assert (request.source, request.title, request.unit) == ("/data/rec.xdf", "rec.xdf", "uV")
    assert request.subject == Path("/data/subject")


def test_a_board_is_asked_for_with_the_parameters_given(qtbot) -> None:
    dialog = ConnectDialog(page="board")
    qtbot.addWidget(dialog)
    dialog.board.board.setCurrentText("CYTON_BOARD")
    dialog.board.fields["serial_port"].setText("/dev/ttyUSB0")
    request = dialog.request()
    assert request is not None
    assert request.source == "brainflow:CYTON_BOARD?serial_port=/dev/ttyUSB0"
    assert dialog.board.board.findText("STREAMING_BOARD") == -1


def test_streams_on_the_network_are_found_beside_the_window_until_it_is_told_to_stop(qtbot) -> None:
    finder = StreamFinder()
    with (
        Sender(name="amp", source_id="amp-1", n_channels=4, rate_hz=250, dtype="float32"),
        Sender(name="stim", type="Markers", source_id="stim-1", n_channels=1, rate_hz=0, dtype="string"),
    ):
        # A sender of another test may still be seen for a moment.
        both = lambda listings: {"amp", "stim"} <= {listing.name for listing in listings}  # noqa: E731
        try:
            with qtbot.waitSignal(finder.found, check_params_cb=both, timeout=30_000) as got:
                finder.start()
        finally:
            finder.stop()
    by_name = {listing.name: listing for listing in got.args[0]}
    assert (by_name["amp"].n_channels, by_name["amp"].sfreq_hz, by_name["amp"].marker) == (4, 250.0, False)
    assert by_name["stim"].marker
    assert not any(thread.name == "afterimage-finder" for thread in threading.enumerate())
