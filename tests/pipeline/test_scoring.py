import pytest

from engines.errors import InputError
from pipeline.scoring import MAX_LABELS, Events, Scorer
from pipeline.types import Decision, Marker


def test_patterns_choose_onsets_and_classes() -> None:
    events = Events({"face": ["stim/face/*"], "house": ["stim/house/*", "h?"]})
    assert events.class_of("stim/face/3") == "face"
    assert events.class_of("h1") == "house"
    assert events.class_of("block/start") is None


def test_without_patterns_every_label_is_its_own_class() -> None:
    assert Events().class_of("anything") == "anything"


def test_a_label_of_two_classes_is_refused() -> None:
    with pytest.raises(InputError, match="make them exclusive"):
        Events({"a": ["x*"], "b": ["*1"]}).class_of("x1")


def test_the_decoder_is_handed_a_number_and_a_time_only() -> None:
    scorer = Scorer(Events({"a": ["a"], "b": ["b"]}))
    onsets = [scorer.take(Marker(label, t)) for t, label in enumerate("axb")]
    assert onsets[1] is None
    assert [(o.trial, o.time_s) for o in onsets if o] == [(0, 0), (1, 2)]
    assert scorer.truth == {0: "a", 1: "b"}
    assert scorer.marker_counts == {"a": 1, "x": 1, "b": 1}


def test_free_text_labels_cannot_fill_the_memory() -> None:
    scorer = Scorer(Events({"a": ["never"]}))
    for i in range(MAX_LABELS + 50):
        scorer.take(Marker(f"label {i}", float(i)))
    assert len(scorer.marker_counts) == MAX_LABELS + 1
    assert scorer.marker_counts["(other labels)"] == 50


def decision(trial: int, p: float) -> Decision:
    return Decision(trial, "single", 0, 0, 0, ("a", "b"), (p, 1 - p))


def test_an_answer_stands_beside_its_truth() -> None:
    scorer = Scorer(Events({"a": ["a"], "b": ["b"]}))
    for t, label in enumerate("aab"):
        scorer.take(Marker(label, float(t)))
    assert scorer.scored([decision(0, 0.9), decision(1, 0.2), decision(2, 0.3)]) == [("a", "a"), ("a", "b"), ("b", "b")]


def test_a_trial_of_several_windows_counts_once_by_their_mean_log_probability() -> None:
    scorer = Scorer(Events({"a": ["a"], "b": ["b"]}, trial_start="go*"))
    for t, label in enumerate(["go 1", "a", "a", "a", "go 2", "b", "b", "a"]):
        scorer.take(Marker(label, float(t)))
    decisions = [
        decision(0, 0.9),
        decision(1, 0.4),
        decision(2, 0.4),
        decision(3, 0.2),
        decision(4, 0.3),
        decision(5, 0.99),
    ]
    assert scorer.scored(decisions) == [("a", "a"), ("b", "b")]
