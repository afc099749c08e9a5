import pytest

from engines.errors import InputError
from pipeline.scoring import MAX_LABELS, Events, Scorer, by_progress
from pipeline.types import Decision, Marker, Onset


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


def turning(*markers: tuple[float, str]) -> list[Onset | None]:
    """What a scorer of pictures that turn makes of those markers."""
    scorer = Scorer(Events({"a": ["stim/a/*"], "b": ["stim/b/*"]}, turn="turn/*"))
    return [scorer.take(Marker(label, time_s)) for time_s, label in markers]


def test_a_picture_and_its_turn_are_one_trial() -> None:
    assert turning((0, "stim/a/0"), (1, "turn/a/0"), (7, "blank"), (8, "stim/b/3"), (9, "turn/b/3")) == [
        Onset(0, 0, "static"),
        Onset(0, 1, "dynamic"),
        None,
        Onset(1, 8, "static"),
        Onset(1, 9, "dynamic"),
    ]


def test_a_turn_says_nothing_of_what_turns() -> None:
    assert turning((0, "stim/a/0"), (1, "turn/b/7"))[1] == Onset(0, 1, "dynamic")


def test_a_turn_belongs_to_the_newest_picture_and_a_picture_has_one() -> None:
    onsets = turning((0, "stim/a/0"), (1, "stim/b/0"), (2, "turn/b/0"), (3, "turn/b/0"))
    assert [o and (o.trial, o.part) for o in onsets] == [(0, "static"), (1, "static"), (1, "dynamic"), None]


def test_a_turn_long_after_a_picture_or_before_it_belongs_to_none() -> None:
    assert turning((0, "turn/a/0"))[-1] is None
    assert turning((0, "stim/a/0"), (10, "turn/a/0"))[-1] == Onset(0, 10, "dynamic")
    assert turning((0, "stim/a/0"), (10.001, "turn/a/0"))[-1] is None
    assert turning((5, "stim/a/0"), (4.9, "turn/a/0"))[-1] is None
    assert turning((5, "stim/a/0"), (float("nan"), "turn/a/0"))[-1] is None


def test_of_several_answers_to_a_trial_the_last_one_counts() -> None:
    scorer = Scorer(Events({"a": ["a"], "b": ["b"]}))
    for t, label in enumerate("ab"):
        scorer.take(Marker(label, float(t)))
    # By their mean log probability both trials would be "a".
    decisions = [decision(0, 0.1), decision(1, 0.99), decision(0, 0.6), decision(1, 0.4)]
    assert scorer.scored(decisions) == [("a", "a"), ("b", "b")]


def coloured(trial: int, p: float) -> Decision:
    return Decision(trial, "fused", 0, 0, 0, ("a", "b"), (0.5, 0.5), ("red", "blue"), (p, 1 - p))


def test_colours_are_scored_where_they_are_known_and_decoded() -> None:
    scorer = Scorer(Events(colour_of={"one": 0, "two": 1, "three": 0}.get))
    for t, label in enumerate(["one", "two", "other", "three"]):
        scorer.take(Marker(label, float(t)))
    assert scorer.colour_truth == {0: 0, 1: 1, 3: 0}
    decisions = [coloured(0, 0.1), coloured(0, 0.9), coloured(1, 0.9), coloured(2, 0.9), decision(3, 0.9)]
    assert scorer.scored_colours(decisions) == [("red", "red"), ("blue", "red")]


def test_decisions_are_told_apart_by_what_of_the_turn_they_had_seen() -> None:
    seen = [("static", 0), ("refined", 70), ("refined", 120), ("static", 0), ("fused", 600)]
    decisions = [Decision(k, stage, 0, 0, 0, (), (), n_dynamic=n) for k, (stage, n) in enumerate(seen)]
    found = by_progress(decisions)
    assert list(found) == [("static", 0), ("refined", 70), ("refined", 120), ("fused", 600)]
    assert [d.trial for d in found["static", 0]] == [0, 3]
