import numpy as np
import pytest

from app.panels.decision import DecisionPanel
from app.panels.frame import Frame, Known, Samples, Score, Scored, Stream
from pipeline.types import Decision, Marker
from tests.app.anytime import CLASSES, WINDOWS, answer, trial
from tests.app.scripted import NAMES, frame, info, stream, view


@pytest.fixture
def panel(qtbot) -> DecisionPanel:
    made = DecisionPanel()
    qtbot.addWidget(made)
    made.resize(396, 360)
    made.show()
    return made


SINGLE = stream(classes=("face", "house"))
ANYTIME = stream(classes=CLASSES, windows=WINDOWS)


def single(number: int, *probabilities: float) -> Decision:
    return Decision(number, "single", 0.0, 0.8, 0.9, ("face", "house"), probabilities)


def seen(of: Stream, *scored: Scored, at_s: float | None = None, **changes: object) -> Frame:
    """A frame with these decisions; the newest sample is of `at_s`."""
    if at_s is not None:
        changes["fresh"] = Samples(0, np.zeros((len(NAMES), 1)), np.array([at_s]))
    return frame(of, changes.pop("seen", None), decisions=scored, **changes)


# One window.


def test_without_a_subject_the_panel_says_so(panel: DecisionPanel) -> None:
    panel.set_stream(stream())
    assert "No Subject Loaded" in panel.empty.text()
    panel.set_frame(frame(stream(), view(settling_left_s=3.0)))
    assert "No Subject Loaded" in panel.empty.text()
    assert panel.tag.isHidden()


def test_where_decoding_is_off_it_says_why(panel: DecisionPanel) -> None:
    panel.set_stream(stream(off="stream 'amp' has 10 Hz, too slow to filter"))
    assert "Decoding Is Off" in panel.empty.text()
    assert "too slow to filter" in panel.empty.text()


def test_decisions_show_answer_truth_trials_and_accuracy_with_chance(panel: DecisionPanel) -> None:
    of = stream(info(simulated=True), classes=("face", "house"))
    panel.set_stream(of)
    panel.set_frame(frame(of, view(settling_left_s=3.0)))
    assert "Waiting for the Filters" in panel.empty.text()
    scored = (
        Scored(single(0, 0.7, 0.3), "face"),
        Scored(single(1, 0.7, 0.3), "house"),
        Scored(single(2, 0.1, 0.9), None),
    )
    panel.set_frame(seen(of, *scored, scores={"single": Score(2, 0.5, 0.1, 0.9, 0.5)}))
    assert panel.answer.line == "house"
    assert panel.beside.line == "trial 3"
    assert panel.trials.marks() == "✓×·"
    assert [(row.name, row.now, row.before) for row in panel.bars.rows()] == [("face", 0.1, None), ("house", 0.9, None)]
    assert "50%" in panel.figures.text() and "10% to 90%" in panel.figures.text()
    assert panel.tag.text() == "simulated"
    panel.grab()


def test_of_many_classes_the_most_probable_are_drawn(panel: DecisionPanel) -> None:
    classes = tuple(f"c{i}" for i in range(20))
    of = stream(classes=classes)
    panel.set_stream(of)
    shares = tuple(i / 190 for i in range(20))
    panel.set_frame(seen(of, Scored(Decision(0, "single", 0, 1, 1, classes, shares), None)))
    assert [row.name for row in panel.bars.rows()] == [f"c{i}" for i in range(19, 11, -1)]
    assert "not known" in panel.figures.text()


def test_a_single_window_has_its_trials_here_and_no_turn(panel: DecisionPanel) -> None:
    panel.set_stream(SINGLE)
    panel.set_frame(seen(SINGLE, Scored(single(0, 0.7, 0.3), "face")))
    assert panel.trials.isVisible() and panel.curve.isVisible()
    assert not panel.track.isVisible() and not panel.nearest.isVisible() and not panel.stage.isVisible()
    assert panel.beside.isVisible()


# The picture, then its turn.


def test_before_the_first_trial_it_says_when_answers_come(panel: DecisionPanel) -> None:
    panel.set_stream(ANYTIME)
    panel.set_frame(frame(ANYTIME, view(settling_left_s=3.0)))
    assert "Waiting for the Filters" in panel.empty.text()
    panel.set_frame(frame(ANYTIME))
    assert "0.8 s after a picture" in panel.empty.text() and "5.8 s" in panel.empty.text()


def test_bars_sharpen_over_the_outline_of_what_the_picture_alone_had_said(panel: DecisionPanel) -> None:
    panel.set_stream(ANYTIME)
    whole = trial(0)
    panel.set_frame(seen(ANYTIME, whole[0]))
    assert {row.before for row in panel.bars.rows()} == {None}
    panel.set_frame(seen(ANYTIME, *whole))
    rows = {row.name: (row.now, row.before) for row in panel.bars.rows()}
    assert rows["chair"] == pytest.approx((0.9, 0.3))
    assert rows["dog"] == pytest.approx((0.05, 0.4))
    panel.grab()


def test_the_outline_is_of_the_same_trial(panel: DecisionPanel) -> None:
    panel.set_stream(ANYTIME)
    late = Scored(answer(1, 70), "chair")
    panel.set_frame(seen(ANYTIME, *trial(0), late))
    assert {row.before for row in panel.bars.rows()} == {None}


def test_it_tells_the_stage_the_seconds_of_turn_and_how_sure_it_is(panel: DecisionPanel) -> None:
    panel.set_stream(ANYTIME)
    panel.set_frame(seen(ANYTIME, Scored(answer(0, 270, share=0.75), "chair")))
    assert panel.stage.line == "refined · 2.5 of 5.8 s of turn"
    assert panel.sure.text() == "75%"
    assert panel.beside.line == "trial 1  ✓ right"
    panel.set_frame(seen(ANYTIME, *trial(0)))
    assert panel.stage.line == "fused · all 5.8 s of turn"
    assert panel.track.shares == (1.0, 1.0)


def test_the_track_goes_on_as_the_object_turns_before_the_next_answer(panel: DecisionPanel) -> None:
    panel.set_stream(ANYTIME)
    turn = Marker("turn/chair/03", 101.0)
    refined = Scored(answer(0, 120), "chair")
    panel.set_frame(seen(ANYTIME, refined, at_s=103.9, markers=(turn,)))
    assert panel.track.shares == pytest.approx((1.0 / 5.8, 2.9 / 5.8))
    panel.grab()


def test_a_picture_without_a_turn_is_said_to_be_one_once_none_can_come(panel: DecisionPanel) -> None:
    panel.set_stream(ANYTIME)
    static = Scored(answer(0, 0), "chair")
    of_another = Marker("turn/dog/01", 95.0)
    panel.set_frame(seen(ANYTIME, static, at_s=101.0, markers=(of_another,)))
    assert panel.stage.line == "static · no turn yet"
    panel.set_frame(seen(ANYTIME, static, at_s=110.5, markers=(of_another,)))
    assert panel.stage.line == "static · it did not turn"
    panel.set_frame(seen(ANYTIME, static, at_s=101.2, markers=(Marker("turn/chair/03", 101.0),)))
    assert panel.stage.line == "static · the picture alone"


def test_colours_are_ranked_and_compared_with_the_one_that_was_shown(panel: DecisionPanel) -> None:
    panel.set_stream(ANYTIME)
    panel.set_frame(seen(ANYTIME, Scored(answer(0, 0), None, "blue")))
    assert panel.colour.ranked() == [("red", 0.7), ("green", 0.2), ("blue", 0.1)]
    assert "was blue" in panel.colour.toolTip()
    panel.grab()


def test_what_comes_from_a_simulated_participant_or_a_pocket_model_says_so(panel: DecisionPanel) -> None:
    panel.set_stream(stream(classes=CLASSES, windows=WINDOWS, known=Known(simulated=True, pocket=True)))
    assert panel.tag.isVisible()
    assert panel.tag.text() == "simulated · pocket model"


def test_long_names_are_shortened_and_told_whole_in_the_tool_tip(panel: DecisionPanel) -> None:
    classes = tuple(f"{i} of a category with a very long and unwieldy name" for i in range(72))
    of = stream(classes=classes, windows=WINDOWS)
    panel.set_stream(of)
    panel.set_frame(seen(of, Scored(answer(0, 0, classes[5], 0.3, classes), classes[7])))
    panel.grab()
    assert panel.width() == 396
    assert panel.answer.text().endswith("…") and panel.answer.toolTip() == classes[5]
    assert panel.beside.line.endswith(classes[7])
    assert len(panel.bars.rows()) == 5


def test_what_has_not_changed_is_not_drawn_again(panel: DecisionPanel, monkeypatch) -> None:
    panel.set_stream(ANYTIME)
    same = seen(ANYTIME, *trial(0))
    panel.set_frame(same)
    monkeypatch.setattr(panel.bars, "set_decision", lambda *_: pytest.fail("drawn again"))
    panel.set_frame(same)
