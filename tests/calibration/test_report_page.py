import re

import pytest

from calibration.report_page import SIMULATED, page, pocket, verdict
from calibration.report_run import MAX_DECISIONS

ROW = {
    "system": "lda",
    "scheme": "5 blocks held out in turn",
    "metric": "balanced accuracy",
    "mean": 0.48,
    "ci95": [0.39, 0.57],
    "chance": 0.25,
    "p_permutation": 0.005,
    "n": 120,
}
CALIBRATE = {"command": "calibrate", "classes": ["face", "house"], "n_epochs": {"face": 60}, "validation": [ROW]}
DECISION = {
    "trial": 0,
    "stage": "single",
    "onset_s": 10.0,
    "window_stop_s": 10.8,
    "decided_s": 10.81,
    "true": "face",
    "top": "house",
    "probabilities": {"face": 0.25, "house": 0.75},
}
REPLAY = {
    "command": "replay",
    "source": {
        "name": "amp",
        "n_channels": 64,
        "sfreq_nominal_hz": 250.0,
        "sfreq_effective_hz": 249.997,
        "unit": "microvolts",
    },
    "samples_received": 15000,
    "samples_lost": 25,
    "gaps": [{"start_s": 20.0, "stop_s": 20.104, "n_lost": 25}],
    "clock_resets": [{"at_s": 40.0, "jump_s": 3.0}],
    "markers": {"stim/face/00": 3, "<b>bold</b>": 1},
    "warnings": ["the rate is off & more"],
    "simulated": False,
    "versions": {"numpy": "2.4.6"},
    "epochs": {"accepted": 58, "rejected": {"gap": 2}},
    "latency_ms": {"filter": {"median": 1.0, "p95": 2.0, "p99": 3.0, "max": 4.0}},
    "decisions": [DECISION],
}


def text_of(html):
    return re.sub(r"\s+", " ", re.sub(r"<style>.*?</style>|<[^>]+>", " ", html, flags=re.DOTALL))


def test_the_verdict_says_what_was_decoded_with_interval_and_chance():
    said, colour = verdict(CALIBRATE)
    assert colour == "good" and said.startswith("Above chance. face or house: 48.0 % balanced accuracy over 120 trials")
    assert "39.0 % to 57.0 %; chance 25.0 %; p = 0.005" in said and "System lda" in said


@pytest.mark.parametrize("change", [{"ci95": [0.24, 0.57]}, {"p_permutation": 0.2}, {"ci95": [None, None]}])
def test_a_result_that_may_be_luck_is_not_called_above_chance(change):
    said, colour = verdict({**CALIBRATE, "validation": [{**ROW, **change}]})
    assert colour == "bad" and said.startswith("Not above chance beyond doubt.")


def test_the_first_validation_row_is_the_one_that_counts():
    worse = {**ROW, "mean": 0.9, "system": "baseline"}
    assert "48.0 %" in verdict({**CALIBRATE, "validation": [ROW, worse]})[0]


def test_without_labels_or_decoder_the_verdict_says_so():
    assert "cannot be scored" in verdict(REPLAY)[0]
    assert verdict({**REPLAY, "decisions": []}) == ("15,000 samples received, 25 lost. Nothing was decoded.", "")
    assert verdict({**REPLAY, "decisions": [], "samples_received": 0, "samples_lost": 0})[1] == "bad"


def test_the_verdict_stands_before_everything_else():
    html = page(REPLAY, None)
    assert html.index('class="card verdict') < html.index('class="tiles"') < html.index("<table>")


def test_only_a_simulated_run_carries_the_banner():
    assert SIMULATED in page({**REPLAY, "simulated": True}, None)
    assert SIMULATED not in page(REPLAY, None)


def test_text_from_outside_is_escaped():
    html = page(REPLAY, None)
    assert "&lt;b&gt;bold&lt;/b&gt;" in html and "<b>bold" not in html
    assert "the rate is off &amp; more" in html


def test_the_numbers_of_a_run_are_all_there():
    text = text_of(page(REPLAY, None))
    for said in (
        "64 channels",
        "249.997 Hz",
        "15,000",
        "25 samples lost in 1 gap",
        "58 epochs accepted; rejected: 2 gap",
    ):
        assert said in text
    assert "20 20.104 25" in text and "filter 1 2 3 4" in text and "numpy 2.4.6" in text
    assert "0 10 10.8 face house 75.0 %" in text and "stim/face/00 3" in text


def test_every_answer_shows_where_its_time_went():
    took = {"wait": 0.4, "filter": 1.2, "epoch": 0.1, "decode": 15.0}
    text = text_of(page({**REPLAY, "decisions": [{**DECISION, "took_ms": took}]}, None))
    assert "wait + filter + epoch + decode, ms" in text
    assert "75.0 % 0.4 + 1.2 + 0.1 + 15" in text


def test_a_wrong_answer_is_marked_and_an_unlabelled_one_is_not():
    assert '<td class="wrong">house</td>' in page(REPLAY, None)
    assert '<td class="right">face</td>' in page({**REPLAY, "decisions": [{**DECISION, "top": "face"}]}, None)
    assert '<td class="">house</td>' in page({**REPLAY, "decisions": [{**DECISION, "true": None}]}, None)


def test_the_confusion_of_a_scored_run_is_drawn():
    accuracy = {**ROW, "classes": ["face", "house"], "confusion": [[20, 10], [5, 25]]}
    text = text_of(page({**REPLAY, "accuracy": accuracy}, None))
    assert "shown ↓ decoded → face house face 20 10 house 5 25" in text


def test_long_lists_are_cut_and_say_so():
    many = {**REPLAY, "decisions": [DECISION] * (MAX_DECISIONS + 7), "markers": {f"m{i}": 1 for i in range(50)}}
    text = text_of(page(many, None))
    assert "7 more are in report.json" in text and "10 more labels are in report.json" in text


@pytest.mark.parametrize(
    "report",
    [
        {},
        {"command": "info"},
        {**REPLAY, "decisions": [], "samples_received": 0, "samples_lost": 0, "gaps": [], "clock_resets": []},
        {**REPLAY, "source": {**REPLAY["source"], "unit": None, "sfreq_effective_hz": None}},
        {**REPLAY, "source": {**REPLAY["source"], "sfreq_effective_hz": None, "sfreq_nominal_hz": 0.0}},
        {**REPLAY, "latency_ms": {"filter": {"median": None, "p95": None, "p99": None, "max": None}}},
        {**REPLAY, "accuracy": None},
        {**REPLAY, "streams": [{"id": 1, "name": "amp", "type": "EEG", "n_channels": 8, "sfreq_effective_hz": None}]},
    ],
)
def test_a_report_with_little_in_it_is_still_a_page(report):
    assert page(report, None).endswith("</html>\n")


def test_a_command_may_bring_its_own_verdict_and_tables_and_both_are_escaped():
    table = {"title": "Times <ms>", "head": ["runtime", "median"], "rows": [["onnx <1>", 2.5]], "n_text": 1}
    made = page({"command": "engines", "verdict": {"text": "a < b", "colour": "bad"}, "tables": [table]}, None)
    assert '<div class="card verdict bad">a &lt; b</div>' in made
    assert "<h2>Times &lt;ms&gt;</h2>" in made
    assert '<td class="text">onnx &lt;1&gt;</td><td>2.5</td>' in made


def test_what_a_title_adds_stands_below_it():
    tables = [
        {"title": title, "head": ["system", "top-1, %"], "rows": [["a", "5.7 (4.1 to 7.2) *"]], "n_text": 1}
        for title in ("Single trials (95 % interval; * p < 0.05)", "Shapes; objects 08 and 09; simulated")
    ]
    shown = page({"tables": tables}, None)
    assert '<h2>Single trials</h2><p class="muted">95 % interval; * p &lt; 0.05</p>' in shown
    assert '<h2>Shapes</h2><p class="muted">Objects 08 and 09; simulated</p>' in shown
    assert "<td>5.7 (4.1 to 7.2) *</td>" in shown


def test_in_a_table_of_many_columns_intervals_stand_below_their_numbers():
    row = ["a (b)", "5.7 (4.1 to 7.2) **", "-0.2 (-1.0 to 0.3), n = 5", "none", "1", "2"]
    shown = page({"tables": [{"title": "T", "head": ["system", *"abcde"], "rows": [row], "n_text": 1}]}, None)
    assert "<td>5.7 **<br><small>(4.1 to 7.2)</small></td>" in shown
    assert "<td>-0.2<br><small>(-1.0 to 0.3), n = 5</small></td>" in shown
    assert ">a (b)</td>" in shown, "words are no number"


def test_pocket_models_are_named_wherever_they_had_a_part():
    made = {"encoder": "pocket-vision-1", "generators": {"picture": "pocket pictures", "caption": "words"}}
    assert pocket({"size": "pocket", "reconstruction": made}) == (
        "a network of pocket size, embeddings of pocket-vision-1, picture by pocket pictures"
    )
    assert pocket({"size": "full", "data": "somewhere", "encoder": "openclip-vit-h-14"}) == ""
    assert "Small stand-ins for published models were at work: a network" in page({"size": "pocket"}, None)


def test_a_confusion_of_many_classes_is_for_those_who_open_it():
    classes = [f"class {n}" for n in range(30)]
    report = {"classes": classes, "confusion": [[int(i == j) for i in range(30)] for j in range(30)]}
    assert "<summary>30 classes</summary>" in page(report, None)
    assert '<td class="nought">0</td>' in page(report, None)
