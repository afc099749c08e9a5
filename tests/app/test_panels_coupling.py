"""The coupling panel on maps made by hand: what it draws, tells, offers and refuses."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt

from app.panels.band_choice import AMPLITUDES_HZ, PHASES_HZ, BandChoice
from app.panels.coupling import CouplingPanel
from app.panels.coupling_live import N_SMOOTHED, Recent
from app.panels.coupling_plots import ComodulogramPlot
from app.panels.frame import Coupling, Frame
from app.panels.ramp import DIVERGING, SEQUENTIAL, round_above
from app.panels.topography import GRID, interpolation
from pipeline.coupling import CAVEAT, CouplingBands
from pipeline.coupling.comodulogram import Comodulogram, Grid
from pipeline.coupling.values import CouplingConfig, CouplingMap, TrialCoupling
from pipeline.montage import positions
from pipeline.types import Array
from pipeline.worker import Health, State
from tests.app.scripted import NAMES, frame, info, stream, view

CONFIG = CouplingConfig()
PHASES_RAD = np.linspace(-np.pi, np.pi, 18, endpoint=False) + np.pi / 18
Z = np.array([0.5, -1.0, 0.0, 2.0, 4.0, 1.0, 0.2, np.nan])


def made(number: int = 1, z: Array = Z, **changes: object) -> CouplingMap:
    """A map of the eight electrodes of `NAMES`; the last one is left out, and Cz peaks at a quarter of the wave."""
    usable = np.isfinite(z)
    histograms = np.tile(1 + 0.5 * np.cos(PHASES_RAD - np.pi / 2), (z.size, 1))
    histograms = np.where(usable[:, None], histograms / histograms.sum(axis=1, keepdims=True), np.nan)
    values: dict[str, object] = {
        "n_missed": 0,
        "at_s": 100.0,
        "window_s": 2.0,
        "bands": CONFIG.bands,
        "channels": NAMES,
        "usable": usable,
        "mi": z / 100,
        "z": z,
        "p": np.where(z > 3, 0.005, 0.4),
        "p_family": np.where(z > 3, 0.02, 0.9),
        "excess": z / 200,
        "histograms": histograms,
        "n_surrogates": 200,
        "estimator": "by hand",
    }
    return CouplingMap(number, **{**values, **changes})  # type: ignore[arg-type]


def comodulogram_of(name: str, sfreq_hz: float = 250.0) -> Comodulogram:
    grid = Grid.up_to(sfreq_hz, 50.0)
    why = grid.why_not(sfreq_hz)
    mi = np.array([[np.nan if text else 0.001 * (i + j) for j, text in enumerate(row)] for i, row in enumerate(why)])
    return Comodulogram(name, grid, mi, why)


def seen(**changes: object) -> Frame:
    return frame(
        stream(positions=positions(NAMES)),
        coupling=Coupling(CONFIG, **changes),  # type: ignore[arg-type]
    )


@pytest.fixture
def panel(qtbot) -> CouplingPanel:
    made = CouplingPanel()
    qtbot.addWidget(made)
    made.resize(394, 360)
    made.show()
    made.set_stream(stream(positions=positions(NAMES)))
    return made


# The newest seconds.


def test_it_shows_where_coupling_is_strong_from_0_upwards_and_hollow_what_is_left_out(panel: CouplingPanel) -> None:
    panel.set_frame(seen(map=made()))
    assert panel.veil.isHidden()
    head = panel.live.head
    assert head.range_ == (0.0, 5.0)
    shares = head.shares()
    assert shares["Cz"] == pytest.approx(0.8)
    assert "O2" not in shares and len(shares) == 7
    assert head._marked == {"Cz"}
    panel.grab()


def test_the_strongest_channel_has_its_histogram_until_another_one_is_clicked(panel: CouplingPanel, qtbot) -> None:
    panel.set_frame(seen(map=made()))
    live = panel.live
    assert "Cz" in live.channel.text() and "strongest" in live.channel.text()
    assert PHASES_RAD[live.histogram.preferred] == pytest.approx(np.pi / 2, abs=np.pi / 18)
    qtbot.mouseClick(live.head, Qt.MouseButton.LeftButton, pos=live.head._to_px(*live.head._places["C4"]).toPoint())
    assert "C4" in live.channel.text() and "chosen" in live.channel.text()
    panel.set_frame(seen(map=made(2)))
    assert live.shown_channel == "C4"
    gone = np.where(np.array(NAMES) == "C4", np.nan, Z)
    panel.set_frame(seen(map=made(3, gone)))
    assert live.shown_channel == "Cz"
    qtbot.mouseClick(live.head, Qt.MouseButton.LeftButton, pos=live.head._to_px(0.7, 0.7).toPoint())
    panel.set_frame(seen(map=made(4)))
    assert live.shown_channel == "Cz"


def test_resting_on_an_electrode_tells_its_numbers(panel: CouplingPanel) -> None:
    panel.set_frame(seen(map=made()))
    text = panel.live._told(NAMES.index("Cz"))
    for part in ("Cz", "0.0400", "z 4.0", "p 0.005", "all channels 0.020", "+90°"):
        assert part in text
    assert "left out" in panel.live._told(NAMES.index("O2"))


def test_z_is_the_mean_of_the_last_updates_of_the_same_bands() -> None:
    recent = Recent()
    for number in range(1, 21):
        recent.add(made(number, np.full(8, float(number))))
    assert len(recent) == N_SMOOTHED
    np.testing.assert_allclose(recent.score(), np.mean(np.arange(20 - N_SMOOTHED, 20) + 1))
    recent.add(made(21, bands=CouplingBands((8.0, 13.0), (52.0, 90.0))))
    assert len(recent) == 1
    recent.add(made(1, bands=CouplingBands((8.0, 13.0), (52.0, 90.0))))
    assert len(recent) == 1


def test_a_channel_that_comes_back_is_averaged_over_the_updates_that_have_it() -> None:
    recent = Recent()
    recent.add(made(1))
    recent.add(made(2, np.where(np.isnan(Z), 3.0, Z)))
    np.testing.assert_allclose(recent.score(), np.where(np.isnan(Z), 3.0, Z))
    np.testing.assert_allclose(recent.histograms().sum(axis=1), 1.0)
    recent.add(made(3))
    np.testing.assert_array_equal(np.isnan(recent.score()), np.isnan(Z))


def test_without_surrogates_the_index_itself_is_drawn(panel: CouplingPanel) -> None:
    nothing = np.full(8, np.nan)
    panel.set_frame(seen(map=made(z=Z, p=nothing, p_family=nothing, n_surrogates=0, mi=np.abs(Z) / 100)))
    assert panel.live.head.range_ == (0.0, 0.05)
    assert "MI 0.0400" in panel.live.channel.text()
    assert "p " not in panel.live._told(4)


def test_the_scale_does_not_flicker_between_two_steps(panel: CouplingPanel) -> None:
    ends = []
    for number, top in enumerate((4.9, 5.1, 4.9, 5.1, 4.9), start=1):
        panel.live._recent._maps.clear()
        panel.live._recent.add(made(number, np.full(8, top)))
        panel.set_frame(seen(map=made(number + 100, np.full(8, top))))
        ends.append(panel.live.head.range_[1])
    assert ends[1:] == [10.0] * 4


def test_only_what_is_new_is_drawn(panel: CouplingPanel, monkeypatch) -> None:
    drawn = []
    monkeypatch.setattr(panel.live.head, "set_values", lambda *a, **k: drawn.append(a))
    newest = made()
    for _ in range(5):
        panel.set_frame(seen(map=newest))
    assert len(drawn) == 1


def test_how_it_was_made_and_the_caveat_stand_below(panel: CouplingPanel) -> None:
    panel.set_frame(seen(map=made(), n_missed=7))
    for part in ("2 s", "200 surrogates", f"mean of {N_SMOOTHED}", "7 missed"):
        assert part in panel.made.text()
    assert "Muscle" in panel.caveat.text()
    assert CAVEAT in panel.caveat.toolTip()
    assert "by hand" in panel.made.toolTip()


def test_electrodes_without_any_place_are_said_to_have_none(panel: CouplingPanel) -> None:
    panel.set_stream(stream(no_positions="no position is known for 8 of 8 electrodes"))
    panel.set_frame(seen(map=made()))
    assert panel.live.head.isHidden()
    assert "no position" in panel.live.no_places.text()
    assert "Cz" in panel.live.channel.text()
    assert "8 not placed" in panel.made.text()


def test_the_comodulogram_says_what_a_cell_holds_or_why_it_is_greyed(panel: CouplingPanel, qtbot) -> None:
    panel.set_frame(seen(map=made(), comodulogram=comodulogram_of("Cz")))
    assert "Cz" in panel.live.other.text()
    plot = panel.live.comodulogram
    assert isinstance(plot, ComodulogramPlot)
    box = plot._box
    low_left = QPointF(box.left() + 2, box.bottom() - 2)
    assert "phase 1–3 Hz, amplitude 10–30 Hz" in plot.text_at(low_left)
    assert "modulation index 0.0000" in plot.text_at(low_left)
    shown = plot._shown
    i, j = np.argwhere(np.isnan(shown.mi))[0]
    cell = QPointF(
        box.left() + (i + 0.5) * box.width() / shown.mi.shape[0],
        box.bottom() - (j + 0.5) * box.height() / shown.mi.shape[1],
    )
    assert shown.why_not[i][j] in plot.text_at(cell)
    assert plot.text_at(QPointF(0, 0)) == ""
    plot.grab()


def test_channels_go_by_the_names_of_the_window_not_by_the_labels_of_the_stream(panel: CouplingPanel) -> None:
    labels = tuple(f"EEG {name}-Ref" for name in NAMES)
    panel.set_frame(seen(map=made(channels=labels), comodulogram=comodulogram_of("EEG Cz-Ref")))
    assert "<b" in panel.live.other.text() and "EEG" not in panel.live.other.text() + panel.live.channel.text()


# Nothing, and why.


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"off": "a band ends at 45 Hz; samples at 80 Hz carry 36 Hz"}, "A band ends at 45 Hz; samples at 80 Hz"),
        ({"off": "stream 'amp' has no EEG channel: no coupling"}, "no EEG channel"),
        ({"waiting": "1.3 s more of unbroken signal are needed"}, "1.3 s more"),
        ({"waiting": "every channel is bad or flat", "map": made()}, "Every channel is bad or flat."),
        ({}, "Waiting for the first 2.5 s"),
    ],
)
def test_where_there_is_nothing_it_says_why_over_what_it_greys(panel: CouplingPanel, changes, text: str) -> None:
    panel.set_frame(seen(**changes))
    assert not panel.veil.isHidden()
    assert text in panel.veil.text()
    panel.set_frame(seen(map=made(7)))
    assert panel.veil.isHidden()


def test_a_stream_that_stalls_a_dead_worker_and_an_unwanted_one_are_told_apart(panel: CouplingPanel) -> None:
    shown = seen(map=made())
    panel.set_frame(replace(shown, view=view(state="stalled")))
    assert "No samples" in panel.veil.text()
    panel.set_frame(replace(shown, view=view(workers=(Health("coupling", State.FAILED, "Traceback"),))))
    assert "died" in panel.veil.text()
    panel.set_frame(replace(shown, coupling=None))
    assert "run = false" in panel.veil.text()


def test_another_stream_begins_empty(panel: CouplingPanel) -> None:
    panel.set_frame(seen(map=made()))
    panel.set_stream(stream(positions=positions(NAMES)))
    assert panel.live.head.shares() == {}
    assert panel.made.text() == ""
    panel.set_frame(seen())
    assert "Waiting" in panel.veil.text()


# The last trial.


def test_the_last_trial_has_four_heads_on_one_scale_both_ways(panel: CouplingPanel) -> None:
    panel.last_trial.click()
    panel.set_frame(seen(map=made()))
    assert "first whole trial" in panel.veil.text()
    rising = np.linspace(-0.004, 0.004, 8)
    trial = TrialCoupling(4, 90.0, NAMES, rising, rising / 2, None, -rising, 20)
    panel.set_frame(seen(map=made(), trial=trial))
    assert panel.veil.isHidden()
    assert "Trial 5" in panel.trial.title.text()
    assert "model statistic, minus trial shuffles" in panel.trial.title.text()
    assert {head.range_ for head in panel.trial.heads.values()} == {(-0.005, 0.005)}
    assert panel.trial.heads["static_to_dynamic"].shares() == {}
    assert panel.trial.heads["dynamic_to_static"].shares()["Fp1"] == pytest.approx(0.9)
    assert "-0.00400" in panel.trial._told("static", 0)
    assert "left out" in panel.trial._told("static_to_dynamic", 0)
    assert "20 trial shuffles" in panel.made.text()


def test_one_loose_electrode_does_not_take_the_whole_scale(panel: CouplingPanel) -> None:
    values = np.r_[np.full(7, 0.001), 0.6]
    trial = TrialCoupling(0, 90.0, NAMES, values, *(np.full(8, 0.001) for _ in range(3)), 20)
    panel.set_frame(seen(map=made(), trial=trial))
    assert panel.trial.heads["static"].range_[1] < 0.01


@pytest.mark.parametrize(("height", "n_columns"), [(300, 4), (500, 2)])
def test_the_heads_stand_in_one_row_where_it_is_low(panel: CouplingPanel, qtbot, height: int, n_columns: int) -> None:
    panel.last_trial.click()
    panel.resize(394, height)
    qtbot.waitUntil(lambda: panel.trial._n_columns == n_columns)
    boxes = [head.geometry() for head in panel.trial.heads.values()]
    assert not any(a.intersects(b) for i, a in enumerate(boxes) for b in boxes[i + 1 :])
    panel.grab()


# The bands.


def entries(box) -> dict[str, bool]:
    return {box.itemText(i): box.model().item(i).isEnabled() for i in range(box.count())}


def test_bands_that_say_nothing_at_this_rate_are_greyed_with_the_reason(qtbot) -> None:
    bands = BandChoice()
    qtbot.addWidget(bands)
    bands.set_bands(CouplingBands(), 250.0)
    assert entries(bands.phase) == {"2–4 Hz": True, "4–8 Hz": True, "8–13 Hz": False}
    assert entries(bands.amplitude)["40–80 Hz"] and not entries(bands.amplitude)["80–150 Hz"]
    assert "112.5 Hz" in bands.why_not(bands.amplitude, AMPLITUDES_HZ.index((80.0, 150.0)))
    assert "21 Hz wide" in bands.why_not(bands.phase, PHASES_HZ.index((8.0, 13.0)))
    bands.set_bands(CouplingBands(amplitude_hz=(40.0, 80.0)), 250.0)
    assert entries(bands.phase)["8–13 Hz"]


def test_every_pair_that_is_possible_can_be_reached_by_choosing_one_after_the_other() -> None:
    for sfreq_hz in (100.0, 250.0, 500.0, 1000.0):
        possible = {
            (slow, fast) for slow in PHASES_HZ for fast in AMPLITUDES_HZ
            if not CouplingBands(slow, fast).why_not(sfreq_hz)
        }  # fmt: skip
        reached = {((4.0, 8.0), (30.0, 45.0))}
        for _ in possible:
            reached |= {pair for pair in possible if any(pair[0] == r[0] or pair[1] == r[1] for r in reached)}
        assert reached == possible


def test_choosing_a_band_asks_for_it_and_bands_of_the_configuration_are_offered_too(
    panel: CouplingPanel, qtbot
) -> None:
    own = replace(CONFIG, bands=CouplingBands((5.0, 7.0), (52.0, 70.0), None))
    panel.set_frame(frame(stream(positions=positions(NAMES)), coupling=Coupling(own)))
    assert panel.bands.phase.currentText() == "5–7 Hz"
    with qtbot.waitSignal(panel.bands_chosen) as asked:
        panel.bands.phase.setCurrentIndex(panel.bands.phase.findText("4–8 Hz"))
        panel.bands.phase.activated.emit(panel.bands.phase.currentIndex())
    assert asked.args == [CouplingBands((4.0, 8.0), (52.0, 70.0), None)]


# Colours and places.


def test_the_field_passes_through_the_electrodes_values_and_keeps_left_and_right() -> None:
    places = np.random.default_rng(0).uniform(-0.8, 0.8, (40, 2))
    weights = interpolation(places)
    assert weights.shape == (GRID * GRID, 40)
    field = (weights @ places[:, 0]).reshape(GRID, GRID)
    across = (np.arange(GRID) + 0.5) / GRID * 2 - 1
    np.testing.assert_allclose(field, np.tile(across, (GRID, 1)), atol=0.05)
    front = (weights @ places[:, 1]).reshape(GRID, GRID)
    np.testing.assert_allclose(front[:, 0], -across, atol=0.05)


def test_ramps_rise_in_lightness_and_the_signed_one_is_dark_at_0() -> None:
    luminance = SEQUENTIAL.rgb(np.linspace(0, 1, 50)) @ [0.2126, 0.7152, 0.0722]
    assert np.all(np.diff(luminance) > 0)
    low, zero, high = (DIVERGING.colour(share) for share in (0.0, 0.5, 1.0))
    assert zero.lightness() < min(low.lightness(), high.lightness())
    assert low.blue() > low.red() and high.red() > high.blue()
    np.testing.assert_array_equal(SEQUENTIAL.rgb(np.array([-3.0, 9.0])), SEQUENTIAL.rgb(np.array([0.0, 1.0])))


@pytest.mark.parametrize(("value", "end"), [(0.00031, 0.0005), (0.5, 0.5), (1.0, 1.0), (3.2, 5.0), (7.0, 10.0)])
def test_scales_end_at_round_numbers(value: float, end: float) -> None:
    assert round_above(value) == pytest.approx(end)


def test_many_electrodes_have_a_field_between_them_and_few_have_not(qtbot) -> None:
    names = (*NAMES, "F7", "F3", "Fz", "F4", "F8", "T7", "T8", "P7", "P3", "P4", "P8")
    many = stream(info(names), positions=positions(names))
    panel = CouplingPanel()
    qtbot.addWidget(panel)
    panel.resize(394, 360)
    panel.show()
    panel.set_stream(many)
    z = np.arange(19.0) / 4
    panel.set_frame(frame(many, coupling=Coupling(CONFIG, map=made(z=z, channels=names))))
    panel.grab()
    assert panel.live.head._weights_of == names
    panel.set_frame(frame(many, coupling=Coupling(CONFIG, map=made(2, np.where(z > 1, z, np.nan), channels=names))))
    panel.grab()
    assert len(panel.live.head.shares()) == 14
