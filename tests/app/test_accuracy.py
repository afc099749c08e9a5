import numpy as np
import pytest

from app.accuracy import accuracy_fields
from app.summary import run_fields
from calibration.stats import balanced_accuracy
from pipeline.session import Session, Setup
from tests.pipeline.trials_of_two import CHAIN, PATTERNS, PICTURES_S, STEPS, WINDOWS, Shows, items, marks, run
from tests.scripted import EEG, MARKERS, ScriptedSource


@pytest.fixture(scope="module")
def session() -> Session:
    """Trial 4 has no turn."""
    without = [mark for k, mark in enumerate(marks()) if k != 9]
    session = Session(
        ScriptedSource(EEG, items([100], without), {"m": MARKERS}),
        lambda _: Setup(CHAIN, WINDOWS.static, PATTERNS, colour_of=lambda label: 0 if "/up/" in label else None),
        decoder=Shows(),
    )
    session.open()
    while session.crank():
        pass
    session.finish()
    session.close()
    return session


def test_every_trial_counts_once_by_its_last_answer(session: Session) -> None:
    accuracy = accuracy_fields(session)
    assert accuracy is not None and accuracy["n"] == len(PICTURES_S)
    last = {d.trial: d.top for d in session.decisions}
    true, answered = (
        np.array([("up", "down").index(names[trial]) for trial in last]) for names in (session.scorer.truth, last)
    )
    assert accuracy["mean"] == balanced_accuracy(true, answered, 2)
    assert np.sum(accuracy["confusion"]) == len(PICTURES_S)


def test_accuracy_is_told_by_how_much_of_the_turn_was_seen(session: Session) -> None:
    accuracy = accuracy_fields(session)
    assert accuracy is not None
    rows = accuracy["by_stage"]
    stages = ["static", *["refined"] * (len(STEPS) - 1), "fused"]
    assert [(r["stage"], r["n_dynamic"]) for r in rows] == list(zip(stages, (0, *STEPS), strict=True))
    assert [r["seen_s"] for r in rows] == [0.0, 0.5, 1.0, 1.5, 2.0, 2.3]
    assert [r["n"] for r in rows] == [6, 5, 5, 5, 5, 5]
    assert all(r["chance"] == 0.5 and r["ci95"][0] <= r["mean"] <= r["ci95"][1] for r in rows)


def test_colours_are_scored_where_they_are_known(session: Session) -> None:
    accuracy = accuracy_fields(session)
    assert accuracy is not None
    colour = accuracy["colour"]
    last = {d.trial: d.top_colour for d in session.decisions}
    ups = [trial for trial, name in session.scorer.truth.items() if name == "up"]
    assert colour["n"] == len(ups) == 3 and colour["classes"] == ["red", "blue"]
    assert colour["mean"] == np.mean([last[trial] == "red" for trial in ups])


def test_a_report_tells_what_became_of_the_turns_and_what_the_filters_delay(session: Session) -> None:
    report = run_fields(session)
    assert report["turns"] == {"whole": 5, "lost": {}, "none": 1, "skipped": 0}
    assert set(report["group_delay_ms"]) == {"chain", "second rate"}
    assert all(delay_ms > 0 for delay_ms in report["group_delay_ms"].values())
    assert [t["title"] for t in report["tables"]] == ["Accuracy as the object turns", "Colour"]
    assert {"static answer", "refined answer", "fused answer", "window to answer"} <= set(report["latency_ms"])
    first = report["decisions"][0]
    assert (first["trial"], first["stage"], first["true"], first["n_dynamic"]) == (0, "static", "up", 0)
    assert list(first["took_ms"]) == ["wait", "filter", "epoch", "decode"]
    assert {f"fused {step}" for step in first["took_ms"]} <= set(report["latency_ms"])
    assert set(first["colour_probabilities"]) == {"red", "blue"} and first["nearest"][0]["key"] == "up/00"


def test_answers_that_nobody_can_judge_are_not_judged() -> None:
    assert accuracy_fields(run(items([100], []))) is None
