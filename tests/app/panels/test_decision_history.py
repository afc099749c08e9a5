import pytest
from PySide6.QtCore import QEvent, QPoint
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QToolTip

from app.panels.decision_curve import Curve
from app.panels.decision_history import HistoryPanel
from app.panels.decision_timeline import LEFT_PX, STEP_PX
from app.panels.frame import Known, Score, Scored
from tests.app.anytime import CLASSES, WINDOWS, answer, trial
from tests.app.scripted import frame, stream

ANYTIME = stream(classes=CLASSES, windows=WINDOWS)
SCORES = {"static": Score(9, 0.4, 0.2, 0.6, 1 / 3), "fused": Score(8, 0.75, 0.5, 0.9, 1 / 3)}


@pytest.fixture
def panel(qtbot) -> HistoryPanel:
    made = HistoryPanel()
    qtbot.addWidget(made)
    made.resize(850, made.height())
    made.set_stream(ANYTIME)
    made.show()
    return made


def columns(panel: HistoryPanel) -> list[int]:
    return [column.trial for column in panel.timeline.columns()]


def test_it_is_there_only_for_decoders_that_see_the_turn(panel: HistoryPanel) -> None:
    assert panel.isVisible()
    panel.set_stream(stream(classes=("face", "house")))
    assert panel.isHidden()
    panel.set_stream(None)
    assert panel.isHidden()


def test_every_trial_is_a_column_from_its_first_answer_to_its_last(panel: HistoryPanel) -> None:
    panel.set_frame(frame(ANYTIME, decisions=(*trial(0), *trial(1)[:3])))
    first, second = panel.timeline.columns()
    assert (first.trial, len(first.answers)) == (0, 13)
    assert first.marks == {"static": False, "fused": True}
    assert [right for _, right in first.lines] == [False] * 6 + [True] * 5
    assert first.lines[0][0] == pytest.approx(0.5 / 5.8)
    assert second.marks == {"static": False} and len(second.lines) == 2
    panel.grab()


def test_only_the_newest_column_is_painted_again_while_its_trial_goes_on(panel: HistoryPanel, monkeypatch) -> None:
    timeline = panel.timeline
    timeline.set_scored((*trial(0)[:9], *trial(1)[:3]))
    asked: list[int] = []
    monkeypatch.setattr(timeline, "update", lambda area: asked.append(area.width()))
    timeline.set_scored((*trial(0)[:9], *trial(1)[:4]))
    timeline.set_scored((*trial(0)[:9], *trial(1)[:4], *trial(2)[:1]))
    timeline.set_scored((*trial(0), *trial(1)[:4], *trial(2)[:1]))
    assert asked == [STEP_PX, timeline.width(), timeline.width()]
    assert [len(column.lines) for column in timeline.columns()] == [11, 3, 0]


def test_the_newest_trials_that_fit_are_drawn_at_the_right(panel: HistoryPanel) -> None:
    panel.set_frame(frame(ANYTIME, decisions=tuple(Scored(answer(n, 0), "chair") for n in range(100))))
    room = (panel.timeline.width() - LEFT_PX) // STEP_PX
    assert columns(panel) == list(range(100 - room, 100))
    assert panel.timeline.column_at(panel.timeline.width() - 1).trial == 99
    assert panel.timeline.column_at(LEFT_PX - 1) is None
    panel.grab()


def test_resting_on_a_trial_tells_its_answers(panel: HistoryPanel, qtbot) -> None:
    panel.set_frame(frame(ANYTIME, decisions=trial(4)))
    timeline = panel.timeline
    at = QPoint(timeline.width() - 5, 20)
    timeline.event(QHelpEvent(QEvent.Type.ToolTip, at, timeline.mapToGlobal(at)))
    qtbot.waitUntil(QToolTip.isVisible)
    lines = QToolTip.text().split("<br>")
    assert lines[0] == "<b>Trial 5</b> · was chair"
    assert lines[1] == "✓ fused: chair 90%, red"
    assert "× refined 0.5 s: dog 44%, red" in lines
    assert lines[-1] == "× static: dog 40%, red"
    QToolTip.hideText()


def test_where_nobody_knows_what_was_true_nothing_is_right_or_wrong(panel: HistoryPanel) -> None:
    panel.set_frame(frame(ANYTIME, decisions=trial(0, true=None)))
    (column,) = panel.timeline.columns()
    assert {answer.right for answer in column.answers} == {None}
    assert panel.timeline.told(column).startswith("<b>Trial 1</b><br>·")
    assert "not known" in panel.figures.text()
    panel.grab()


def test_accuracy_of_the_picture_and_of_the_whole_turn_stand_side_by_side(panel: HistoryPanel) -> None:
    panel.set_frame(frame(ANYTIME, decisions=trial(0), scores=SCORES))
    fused, static = panel.figures.text().split("<br>")
    assert "fused" in fused and "75%" in fused and "50% to 90%" in fused and "n&nbsp;8" in fused
    assert "static" in static and "40%" in static
    panel.grab()


def test_another_stream_begins_empty(panel: HistoryPanel) -> None:
    panel.set_frame(frame(ANYTIME, decisions=trial(0), scores=SCORES))
    panel.set_stream(stream(classes=CLASSES, windows=WINDOWS, known=Known(simulated=True)))
    assert columns(panel) == []
    assert panel.figures.text() == ""
    assert panel.tag.isVisible() and panel.tag.text() == "simulated"


def test_the_axis_of_the_curve_leaves_room_to_see_many_classes(qtbot) -> None:
    curve = Curve()
    qtbot.addWidget(curve)
    curve.set_scores({"fused": Score(40, 0.12, 0.08, 0.2, 1 / 72)})
    assert curve.top == 0.25
    curve.set_scores({"fused": Score(41, 0.3, 0.2, 0.45, 1 / 72)})
    assert curve.top == 0.5
    curve.set_scores({"fused": Score(42, 0.6, 0.2, 0.8, 1 / 72)})
    assert curve.top == 1.0
