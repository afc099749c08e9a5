import json

import pytest

from tests.bench.measure import in_turn, medians
from tests.bench.rows import Row, markdown, table

FASTER = Row("ingest", "CPU", 0.5, "%", 16.0, "peer", "ratio <= 0.05")
ALONE = Row("replay", "speed", 95.0, "x real time", goal="ours >= 100", note="4 channels")


def test_the_ratio_is_ours_over_the_peers():
    assert FASTER.ratio == 0.5 / 16.0
    assert ALONE.ratio is None


@pytest.mark.parametrize(
    ("goal", "met"),
    [
        ("ratio <= 0.03125", True),
        ("ratio <= 0.0285", True),  # within the margin
        ("ratio <= 0.028", False),
        ("ours <= 0.5", True),
        ("ours >= 0.55", True),
        ("ours >= 0.56", False),
        ("", None),
    ],
)
def test_a_goal_is_met_give_or_take_a_tenth(goal: str, met: bool | None):
    assert Row("b", "w", 0.5, "s", 16.0, "peer", goal).met is met


def test_a_row_is_one_line_of_json_that_reads_back():
    line = FASTER.to_json()
    assert "\n" not in line
    assert json.loads(line)["ratio"] == 0.03125
    assert json.loads(line)["met"] is True
    assert Row.from_json(line) == FASTER


def test_the_table_holds_every_row_and_says_what_is_missed():
    lines = table([FASTER, ALONE, Row("b", "w", 2.0, "s", 1.0, "p", "ratio <= 1")]).splitlines()
    assert len(lines) == 4
    assert "ingest: CPU, %" in lines[1] and "0.0312" in lines[1] and "ratio <= 0.05" in lines[1]
    assert "95" in lines[2] and "4 channels" in lines[2]
    assert lines[3].endswith("NO")


def test_markdown_has_as_many_cells_in_every_line():
    lines = markdown([FASTER, ALONE]).splitlines()
    assert len(lines) == 4
    assert {line.count("|") for line in lines} == {lines[0].count("|")}


def test_rounds_go_in_turn_and_the_first_is_thrown_away():
    called: list[str] = []

    def call(name: str) -> int:
        called.append(name)
        return len(called)

    assert in_turn({"a": lambda: call("a"), "b": lambda: call("b")}, rounds=2) == {"a": [3, 5], "b": [4, 6]}
    assert called == ["a", "b"] * 3


def test_medians_are_taken_figure_by_figure():
    assert medians([{"x": 1.0, "y": 9.0}, {"x": 3.0, "y": 8.0}, {"x": 2.0, "y": 1.0}]) == {"x": 2.0, "y": 8.0}
