import json
from dataclasses import replace
from html import escape
from pathlib import Path

import numpy as np
import pytest

from calibration.comparing.cells import Comparison, cell_of
from calibration.comparing.plan import Plan
from calibration.comparing.run import Record, Run
from calibration.comparing.table import origin_line, report_of
from calibration.decoding.controls import CONTROLS, TRAINED
from calibration.decoding.evaluate import AVERAGED, SINGLE, Evaluation, Row
from calibration.decoding.scores import mean_interval
from calibration.report import to_json, write_report

TOP1, TOP5 = "72-way top-1", "72-way top-5"
MEANS = {"brainssd": (0.05, 0.07, 0.09), "ridge": (0.03, 0.04, 0.05), "brainssd@published": (0.06, 0.08, 0.10)}


def row(mean, trials=SINGLE, seen_s=None, control="", metric=TOP1, null=(0.01, 0.014, 0.02)):
    return Row(trials, seen_s, control, metric, mean, (mean - 0.01, mean + 0.01), 1 / 72, 0.01, 576, null)


def record(system, participant, seed, mean):
    rows = [
        row(mean + 0.001 * (seed - 0.5), trials, metric=metric)
        for trials in (SINGLE, AVERAGED)
        for metric in (TOP1, TOP5)
    ]
    rows += [row(mean / 2, seen_s=0.0, null=()), row(mean, control="shuffled EEG")]
    bins = {"confidence": [0.1], "accuracy": [0.1], "count": [576], "ece": 0.02}
    told = {view: {"as trained": bins, "with temperature": bins} for view in ("picture alone", "whole turn")}
    about = {
        "fit_s": 60.0, "fit_cpu_s": 50.0, "budget": {"epochs": 30} if system != "ridge" else {}, "n_parameters": 1000,
        "n_trials": {"training": 1008, "selection": 144, "test": 576}, "classes": ["airplane", "apple"],
        "encoder": "pocket-vision-1", "simulated": True, "offline_reason": "",
    }  # fmt: skip
    return Record(Run(system, participant, seed), "d", "pocket", about, Evaluation(tuple(rows), told))


def planned(systems=("brainssd", "ridge"), participants=("sub09", "sub10", "sub11"), seeds=(0, 1)):
    return Plan(Path("data"), "EEG-3D layout, SNR 1", participants, systems, seeds, ("d",) * len(participants), Path())


def from_seeds(*rows):
    return dict(enumerate(rows))


def records_of(plan):
    return {
        order.run: record(
            order.run.system, order.run.participant, order.run.seed,
            MEANS[order.run.system][plan.participants.index(order.run.participant)],
        )
        for order in plan.orders
    }  # fmt: skip


@pytest.fixture
def report():
    plan = planned()
    return report_of(plan, records_of(plan), {}, "quiet machine")


def table(report, title):
    return next(one for one in report["tables"] if one["title"].startswith(title))


def test_seeds_are_averaged_inside_participants_who_are_the_units():
    taken = {"a": from_seeds(row(0.1), row(0.3)), "b": from_seeds(row(0.4)), "c": from_seeds(row(0.6), row(0.6))}
    cell = cell_of(taken)
    assert cell.by_participant == {"a": pytest.approx(0.2), "b": 0.4, "c": pytest.approx(0.6)}
    assert cell.mean == pytest.approx(0.4)
    assert cell.ci95 == pytest.approx(mean_interval([0.2, 0.4, 0.6]), abs=1e-9) or cell.ci95[0] == 0.0
    assert cell.n == 3 * 576


def test_permutations_are_averaged_like_the_scores():
    rng = np.random.default_rng(0)
    nulls = {one: [tuple(rng.normal(0.014, 0.005, 999)) for _ in range(2)] for one in "abc"}
    taken = {one: from_seeds(*(row(0.02, null=null) for null in nulls[one])) for one in nulls}
    null = np.mean([np.mean(some, axis=0) for some in nulls.values()], axis=0)
    assert cell_of(taken).p == pytest.approx((1 + np.sum(null >= 0.02)) / 1000)
    alone = cell_of({"a": {0: taken["a"][0]}})
    assert cell_of(taken).p < alone.p  # what is little for one participant is much for three


def test_one_participant_keeps_the_interval_over_objects():
    assert cell_of({"a": from_seeds(row(0.1), row(0.3))}).ci95 == pytest.approx((0.19, 0.21))


def test_a_score_without_permutations_has_no_p():
    assert cell_of({"a": from_seeds(row(0.1, null=()))}).p is None


def test_how_far_starts_lie_apart_is_told_within_participants():
    taken = {"a": from_seeds(row(0.1), row(0.3)), "b": from_seeds(row(0.5), row(0.5))}
    cell = cell_of(taken)
    assert cell.sd_starts == pytest.approx(np.sqrt((0.1**2 + 0.1**2) / 2))
    assert cell.by_seed == pytest.approx({0: 0.3, 1: 0.4})
    assert cell.ci95_both == (0.0, 1.0)  # two participants know little
    one_start = cell_of({"a": from_seeds(row(0.1)), "b": from_seeds(row(0.2))})
    assert (one_start.sd_starts, one_start.ci95_both) == (None, None)
    missing = cell_of({"a": from_seeds(row(0.1), row(0.3)), "b": from_seeds(row(0.2))})
    assert missing.sd_starts == pytest.approx(np.std([0.1, 0.3], ddof=1)) and missing.ci95_both is None


def test_the_report_and_a_table_tell_how_far_starts_lie_apart(report):
    first = report["validation"][0]
    assert first["sd_between_starts"] == pytest.approx(np.std([0, 0.001], ddof=1))
    assert first["by_seed"] == pytest.approx({"0": 0.0695, "1": 0.0705})
    low, high = first["ci95_participants_and_starts"]
    assert low <= first["ci95"][0] and high >= first["ci95"][1]
    shown = table(report, "What hangs on the participant, and what on the start")
    assert shown["rows"][0][:4] == ["brainssd", "2", "2.0", "0.1"]
    alone = report_of(planned(seeds=(0,)), records_of(planned(seeds=(0,))), {})
    assert not any(one["title"].startswith("What hangs") for one in alone["tables"])


def test_runs_of_before_that_did_not_count_their_arithmetic_are_told_without(report):
    cost = table(report, "Cost of a run")
    assert cost["rows"][0][:6] == ["brainssd", "1,000", "–", "–", "–", "–"]


def test_differences_are_within_participants():
    plan = planned()
    comparison = Comparison(plan, records_of(plan), {})
    mean, interval, n = comparison.difference("ridge", "brainssd", (SINGLE, None, "", TOP1))
    apart = np.subtract(MEANS["ridge"], MEANS["brainssd"])
    assert (mean, n) == (pytest.approx(apart.mean()), 3)
    assert interval == pytest.approx(mean_interval(list(apart)))


def test_the_report_has_the_fields_that_programs_rely_on(report):
    first = report["validation"][0]
    assert {"system", "scheme", "metric", "mean", "ci95", "chance", "p_permutation", "n"} <= set(first)
    assert (first["system"], first["metric"], first["n"]) == ("brainssd", TOP1, 3 * 576)
    assert "single trials" in first["scheme"] and "step chosen on objects 07" in first["scheme"]
    systems = list(dict.fromkeys(one["system"] for one in report["validation"]))
    assert systems == ["brainssd", "ridge"]
    assert report["classes"] == ["airplane", "apple"] and report["n_epochs"] == 3 * 576
    assert report["simulated"] is True
    json.loads(to_json(report))


def test_the_table_says_where_the_data_are_from(report):
    line = origin_line(report["data"])
    for said in ("SNR 1", "sub09, sub10, sub11", "seeds 0, 1", "pocket size", "pocket-vision-1", "quiet machine"):
        assert said in line
    assert planned().digest[:12] in line


def test_a_run_that_is_not_there_is_said_and_its_system_na():
    plan = planned(("brainssd", "ridge"))
    records = {run: one for run, one in records_of(plan).items() if run.system == "brainssd" and run.seed == 0}
    failed = Run("ridge", "sub09", 0)
    report = report_of(plan, records, {failed: "out of memory"})
    shown = table(report, "Single trials")
    assert shown["rows"][0][1] == "3 of 6" and shown["rows"][1][:3] == ["ridge", "0 of 6", "n/a"]
    assert any("9 of 12 runs are not done" in text for text in report["warnings"])
    assert any(text == f"{failed} failed: out of memory" for text in report["warnings"])


def test_nothing_done_yet_is_a_report_too():
    report = report_of(planned(), {}, {})
    assert report["validation"] == [] and "12 of 12 runs" in report["warnings"][0]


def test_what_is_above_chance_is_starred_and_chance_stands_below(report):
    shown = table(report, "Single trials")
    assert shown["rows"][0][2].startswith("7.0 (")
    assert shown["rows"][-1][0] == "chance" and shown["rows"][-1][2] == "1.4"


def test_the_turn_is_followed_from_the_picture_on(report):
    shown = table(report, f"As the turn unfolds: {TOP1}")
    assert shown["head"] == ["s of the turn seen", "0", "whole"]
    assert shown["rows"][0] == ["brainssd", "3.5", "7.0"]


def test_every_control_that_was_taken_is_shown_and_explained(report):
    assert table(report, "Controls")["rows"][0][:2] == ["brainssd", "shuffled EEG"]
    meanings = {name for name, _ in table(report, "What the controls mean")["rows"]}
    assert {control.name for control in CONTROLS} <= meanings


def test_a_control_that_was_trained_is_among_the_controls():
    plan = planned(("brainssd", "brainssd@eyes"))
    records = records_of(planned(("brainssd",)))
    records |= {replace(run, system="brainssd@eyes"): one for run, one in records.items()}
    report = report_of(plan, records, {})
    assert ["brainssd", "trained @eyes"] in [line[:2] for line in table(report, "Controls")["rows"]]
    assert ["trained @eyes", TRAINED["eyes"].meaning] in table(report, "What the controls mean")["rows"]


def test_the_leak_of_published_tables_is_shown_beside_what_is_left_without_it():
    plan = planned(("brainssd", "ridge", "brainssd@published"))
    report = report_of(plan, records_of(plan), {})
    lines = table(report, "The published protocol")["rows"]
    assert lines[0][:2] == [TOP1, "brainssd"] and lines[0][2].startswith("7.0") and lines[0][3].startswith("8.0")
    assert lines[0][4] == "Neuro-3D 5.91"
    assert lines[1][3] == "not run (--as-published)"
    assert {line[0]: line[4] for line in lines}[TOP5] == "Neuro-3D 16.30, 16.25 †; BrainSSD 21.76 †"
    assert "is no top-1" in table(report, "The published protocol")["title"]
    assert any("too good" in text for text in report["warnings"])
    leaky = next(one for one in report["validation"] if one["system"] == "brainssd@published")
    assert "TEST objects" in leaky["scheme"]


def heading(title: str) -> str:
    return title.partition("; ")[0].partition(" (")[0]


def test_the_page_holds_every_table(report, tmp_path):
    page = write_report(tmp_path, {"command": "compare", **report}).read_text()
    assert "Simulated participant" in page
    for one in report["tables"]:
        assert f"<h2>{escape(heading(one['title']))}</h2>" in page
