import numpy as np
import pytest

from app.mapping import Mapped
from app.panels.dependency import HOW, NOTHING, DependencyPanel, overlaid
from app.panels.sight import Sight
from tests.app.reconstructions import made, sight

MAPPED = Mapped(
    3,
    np.full((32, 32, 3), 120, np.uint8),
    np.linspace(-1, 1, 32)[None, :].repeat(32, axis=0),
    (("seat", -0.4), ("back", 0.6)),
    ("seen through pocket-vision-1 (pocket model)", "one seed"),
    ("It tells where, never how much.",),
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
    assert panel.trial.line == "trial 4"
    assert panel.bars.parts == (("back", 0.6), ("seat", -0.4))
    for text in (HOW, *MAPPED.notes, *MAPPED.caveats):
        assert text in panel.text.text()
    assert panel.map.image is not None
    panel.grab()


def test_the_pictures_side_and_the_turns_side_differ_in_colour(panel: DependencyPanel) -> None:
    painted = overlaid(MAPPED.picture, MAPPED.index).astype(int)
    assert painted[0, 0, 2] > painted[0, 0, 0] + 40 and painted[0, -1, 0] > painted[0, -1, 2] + 40
    assert np.ptp(painted[0, 16]) < 60


def test_it_is_made_of_the_newest_whole_trial_when_asked(panel: DependencyPanel, qtbot) -> None:
    panel.set_sight(Sight())
    assert not panel.ask.isEnabled() and panel.map.why_not == NOTHING
    panel.set_sight(sight(made(4, "fused"), made(5, "refined")))
    with qtbot.waitSignal(panel.wanted) as wanted:
        panel.ask.click()
    assert wanted.args == [4]
    panel.set_sight(sight(made(4, "fused"), made(5, "fused")))
    assert not panel.ask.isEnabled()
    panel.set_mapped(Mapped(4, error="it needs 3 earlier trials, and there are 2"))
    assert "3 earlier trials" in panel.map.why_not
    panel.grab()


def test_after_each_trial_while_it_is_shown(panel: DependencyPanel, qtbot) -> None:
    asked: list[int] = []
    panel.wanted.connect(asked.append)
    panel.after_each.setChecked(True)
    for trial in (4, 4, 5):
        panel.set_sight(sight(made(trial, "fused")))
        panel.set_mapped(Mapped(trial, error="no"))
    panel.hide()
    panel.set_sight(sight(made(6, "fused")))
    assert asked == [4, 5]
