from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QRect
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget

from app.mapping import NO_CONTROL, Mapped, PartMapped
from app.panels.dependency import BUSY, HOW, NO_PARTS, NOTHING, DependencyPanel
from app.panels.dependency_map import overlaid, shown
from app.panels.sight import Sight
from tests.app.reconstructions import sight

INDEX = np.linspace(-1, 1, 32)[None, :].repeat(32, axis=0)
BACK, SEAT = PartMapped("back", 0.6, 0.1, -0.2), PartMapped("seat", -0.4, 0.3, 0.0)
MAPPED = Mapped(
    3,
    np.full((32, 32, 3), 120, np.uint8),
    INDEX,
    spread=np.full((32, 32), 0.3),
    control=-INDEX,
    parts=(SEAT, BACK),
    notes=("over 3 seeds of the generator ± 0.30", "seen through pocket-vision-1 (pocket model)"),
    caveats=("It tells where, never how much.",),
)


@pytest.fixture
def panel(qtbot) -> DependencyPanel:
    shown = DependencyPanel()
    qtbot.addWidget(shown)
    shown.resize(394, 420)
    shown.show()
    return shown


def test_a_map_stands_beside_its_parts_its_notes_and_its_caveats(panel: DependencyPanel) -> None:
    panel.set_mapped(MAPPED)
    assert panel.maps.titles[0] == "Trial 4, its EEG"
    assert panel.bars.parts == (BACK, SEAT)
    assert "back  +0.60 ± 0.10; another trial's EEG -0.20" in panel.bars.toolTip()
    for text in (HOW, *MAPPED.notes, *MAPPED.caveats):
        assert text in panel.text.text()
    panel.grab()


def test_the_control_and_the_spread_over_seeds_stand_beside_the_map(panel: DependencyPanel) -> None:
    panel.set_mapped(MAPPED)
    own, control, spread = panel.maps.images
    assert own and control and spread and own != control
    assert panel.maps.most_spread == 0.5, "the scale ends at a round number"
    panel.set_mapped(replace(MAPPED, control=None, parts=()))
    assert panel.maps.images[1] is None and panel.bars.none == NO_PARTS
    beside = painted(panel.maps, QRect(131, 40, 100, 60))
    assert beside != painted(panel.maps, QRect(0, 40, 100, 60)), f"where it would be, {NO_CONTROL}"


def painted(widget: QWidget, box: QRect) -> QImage:
    return widget.grab(box).toImage()


def test_many_parts_are_shown_from_both_ends() -> None:
    parts = tuple(PartMapped(f"{n}", 1 - n / 10) for n in range(10))
    assert [part.name for part in shown(parts, 5)] == ["0", "1", "2", "8", "9"]
    assert shown(parts, 10) == parts
    assert [part.name for part in shown(parts, 0)] == ["0", "9"]


def test_the_pictures_side_and_the_turns_side_differ_in_colour(panel: DependencyPanel) -> None:
    painted = overlaid(MAPPED.picture, MAPPED.index).astype(int)
    assert painted[0, 0, 2] > painted[0, 0, 0] + 40 and painted[0, -1, 0] > painted[0, -1, 2] + 40
    assert np.ptp(painted[0, 16]) < 60


def test_it_is_made_of_the_newest_whole_trial_when_asked(panel: DependencyPanel, qtbot) -> None:
    panel.set_sight(Sight())
    assert not panel.ask.isEnabled() and panel.maps.why_not == NOTHING
    panel.set_sight(sight(whole=4))
    with qtbot.waitSignal(panel.wanted) as wanted:
        panel.ask.click()
    assert wanted.args == [4] and panel.maps.why_not == f"Trial 5: {BUSY}"
    panel.set_sight(sight(whole=5))
    assert not panel.ask.isEnabled()
    panel.set_mapped(Mapped(4, error="it needs 3 earlier trials, and there are 2"))
    assert "3 earlier trials" in panel.maps.why_not
    panel.grab()


def test_after_each_trial_while_it_is_shown(panel: DependencyPanel, qtbot) -> None:
    asked: list[int] = []
    panel.wanted.connect(asked.append)
    panel.after_each.setChecked(True)
    for trial in (4, 4, 5):
        panel.set_sight(sight(whole=trial))
        panel.set_mapped(Mapped(trial, error="no"))
    panel.hide()
    panel.set_sight(sight(whole=6))
    assert asked == [4, 5]
