from calibration.report_page import page

STAGES = [
    {"stage": "static", "n_dynamic": 0, "seen_s": 0.0, "mean": 0.4, "ci95": [0.3, 0.5], "chance": 0.25, "n": 40},
    {"stage": "fused", "n_dynamic": 600, "seen_s": 5.8, "mean": 0.6, "ci95": [0.5, 0.7], "chance": 0.25, "n": 40},
]
BINS = {"confidence": [0.3, 0.6], "accuracy": [0.2, 0.7], "count": [20, 20], "ece": 0.1}


def test_a_calibration_draws_the_turn_and_its_reliability():
    made = page({"command": "calibrate", "by_stage": STAGES, "reliability": {"whole turn": BINS}}, None)
    assert "As the object turns" in made
    assert 'alt="Balanced accuracy over the seconds of the turn that were seen"' in made
    assert 'alt="Share of right answers over their confidence"' in made


def test_a_session_draws_the_turn_of_its_own_answers():
    made = page(
        {"command": "replay", "accuracy": {"by_stage": STAGES, **STAGES[1], "metric": "balanced accuracy"}}, None
    )
    assert "As the object turns" in made and "Share of right answers" not in made


def test_a_report_of_single_windows_draws_neither():
    assert "As the object turns" not in page({"command": "calibrate"}, None)
