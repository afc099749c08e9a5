import pytest

from app.looking import DRAWING, TO_WINDOW
from app.panels.frame import Delay, Latency
from app.panels.latency import LatencyPanel, in_ms
from tests.app.anytime import CLASSES, WINDOWS
from tests.app.scripted import frame, stream

OF = stream(classes=CLASSES, windows=WINDOWS, delays=(Delay("filters, at 10 Hz", 31.2, "later"),))


def taking(median: float) -> dict[str, float]:
    return {"median": median, "p95": 2 * median, "p99": 3 * median, "max": 4 * median, "n": 10}


SEEN = {TO_WINDOW: taking(16.0), DRAWING: taking(10.0)}


@pytest.fixture
def panel(qtbot) -> LatencyPanel:
    made = LatencyPanel()
    qtbot.addWidget(made)
    made.resize(390, 400)
    made.set_stream(OF)
    made.show()
    return made


def rows(panel: LatencyPanel) -> dict[str, tuple[float, ...]]:
    return {line.text: line.numbers for line in panel.table.lines()}


def test_before_the_first_figures_it_says_what_it_waits_for(panel: LatencyPanel) -> None:
    panel.set_frame(frame(OF))
    assert "Waiting" in panel.title.text()
    assert rows(panel) == {}


def test_every_stage_has_its_row_and_the_filters_theirs(panel: LatencyPanel) -> None:
    stages = {"static answer": taking(11.0), "refined answer": taking(12.0), "fused answer": taking(13.0)}
    steps = {"filter": taking(0.5), "decode": taking(9.0), "window to answer": taking(12.0), **stages}
    panel.set_frame(frame(OF, latency=Latency(steps, SEEN)))
    found = rows(panel)
    assert found["static, the picture"] == (11.0, 22.0, 33.0, 44.0)
    assert found["refined, as it turns"][0] == 12.0
    assert found["fused, the whole turn"][0] == 13.0
    assert found["decoding it"][0] == 9.0
    assert found["filters, at 10 Hz"] == (31.2,)
    assert "the window" not in found
    panel.grab()


def test_the_bar_is_the_way_of_an_answer_from_the_last_sample_to_the_screen(panel: LatencyPanel) -> None:
    steps = {"decode": taking(9.0), "fused answer": taking(13.0)}
    panel.set_frame(frame(OF, latency=Latency(steps, SEEN)))
    assert panel.way.parts() == {"filter": 4.0, "decode": 9.0, "look": 16.0, "draw": 10.0}
    assert "39.0 ms" in panel.title.text()


def test_every_stage_has_its_own_steps_and_none_stands_for_all(panel: LatencyPanel) -> None:
    medians = {"static": (11.0, 1.0, 0.5, 0.1, 9.4), "fused": (26.0, 2.0, 3.0, 1.0, 20.0)}
    steps = {"filter": taking(0.6), "epoch": taking(0.7), "decode": taking(12.0), "window to answer": taking(13.0)}
    for stage, values in medians.items():
        names = ("answer", "wait", "filter", "epoch", "decode")
        steps |= {f"{stage} {name}": taking(value) for name, value in zip(names, values, strict=True)}
    panel.set_frame(frame(OF, latency=Latency(steps | {"coupling": taking(30.0)}, SEEN)))
    shown = [(line.text.strip(), line.numbers[0]) for line in panel.table.lines() if line.numbers]
    of_a_stage = ["waiting", "filtering a piece", "cutting a window", "decoding it"]
    assert shown[:10] == [
        *zip(["static, the picture", *of_a_stage], medians["static"], strict=True),
        *zip(["fused, the whole turn", *of_a_stage], medians["fused"], strict=True),
    ]
    assert [text for text, _ in shown[10:]] == [
        "answer to this window", "drawing this window", "coupling", "filters, at 10 Hz",
    ]  # fmt: skip
    assert panel.way.parts() == {"filter": 6.0, "decode": 20.0, "look": 16.0, "draw": 10.0}
    assert panel.table.toolTip().count("The decoder's own time") == 1


def test_a_single_window_has_one_row(panel: LatencyPanel) -> None:
    panel.set_frame(frame(OF, latency=Latency({"window to answer": taking(2.0)}, SEEN)))
    assert rows(panel)["the window"] == (2.0, 4.0, 6.0, 8.0)


def test_without_answers_the_steps_alone_are_shown(panel: LatencyPanel) -> None:
    panel.set_stream(stream())
    panel.set_frame(frame(stream(), latency=Latency({"filter": taking(0.5), "coupling": taking(30.0)}, SEEN)))
    assert not panel.way.isVisible()
    assert "Nothing is decoded" in panel.title.text()
    assert list(rows(panel)) == [
        "Steps, ms",
        "filtering a piece",
        "answer to this window",
        "drawing this window",
        "Beside it",
        "coupling",
    ]


@pytest.mark.parametrize(("value", "text"), [(0.154, "0.15"), (9.26, "9.3"), (123.4, "123")])
def test_milliseconds_have_as_many_digits_as_say_something(value: float, text: str) -> None:
    assert in_ms(value) == text


def test_answers_that_were_left_out_are_counted(panel: LatencyPanel) -> None:
    panel.set_frame(frame(OF, latency=Latency({"fused answer": taking(13.0)}, SEEN)))
    assert panel.skipped.isHidden()
    panel.set_frame(frame(OF, latency=Latency({"fused answer": taking(900.0)}, SEEN, n_skipped=3)))
    assert panel.skipped.isVisible() and panel.skipped.text().startswith("3 refined answers left out")
