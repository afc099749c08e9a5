from collections import Counter

import numpy as np

from calibration.protocol import answered, load, steps, trials
from calibration.protocols.steps import Screen, timed


def run_of(name, **asked):
    chosen = load(name, **asked)
    return steps(chosen, trials(chosen, 0))


def test_questions_are_answered_rightly_as_often_as_the_accuracy_says():
    run = run_of("imagery-passive", repeats=200)
    asked = [(at_s, s) for at_s, s in timed(run) if s.screen is Screen.QUESTION]
    pressed = [s for s in answered(run, accuracy=0.8, seed=1) if s.label.startswith("response/")]
    right = [p.label == f"response/{s.correct}" for p, (_, s) in zip(pressed, asked, strict=True)]
    reactions = [p.at_s - at_s for p, (at_s, _) in zip(pressed, asked, strict=True)]
    assert abs(np.mean(right) - 0.8) < 4 * 0.4 / np.sqrt(len(right))
    assert min(reactions) >= 0.2 and max(reactions) < 2.5 and np.std(reactions) > 0.05


def test_targets_are_pressed_at_and_others_hardly_ever():
    run = run_of("oddball")
    assert Counter(s.label for s in answered(run, accuracy=1.0, seed=0))["response/space"] == 30
    assert 15 < Counter(s.label for s in answered(run, accuracy=0.75, seed=0))["response/space"] < 30


def test_a_tangram_has_a_reading_of_the_participants_own():
    run = run_of("tangrams", repeats=4)
    labels = [s.label for s in answered(run, accuracy=1.0, seed=3)]
    figures = [label.split("/")[1] for label in labels if label.startswith("stim/")]
    readings = [label.split("/")[1] for label in labels if label.startswith("reading/")]
    assert len({*zip(figures, readings, strict=True)}) == len({*figures}) == 8
    assert readings != [r.split("/")[1] for r in _readings(run, seed=4)]


def test_answers_stand_in_order_of_time_and_take_nothing_away():
    run = run_of("imagery-active", repeats=4)
    shown = answered(run, accuracy=0.9, seed=0)
    assert [s.at_s for s in shown] == sorted(s.at_s for s in shown)
    kept = [s.label for s in shown if not s.label.startswith("response/")]
    assert kept == [m for step in run for m in step.markers]


def _readings(run, seed):
    return [s.label for s in answered(run, accuracy=1.0, seed=seed) if s.label.startswith("reading/")]
