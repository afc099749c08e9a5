from calibration.report_comparison import COLOURS, systems_image
from calibration.report_page import page


def line(mean):
    return {"seen_s": [0.0, 2.5, 5.8], "mean": [mean] * 3, "low": [mean - 0.01] * 3, "high": [mean + 0.01] * 3}


def unfolding(n):
    systems = {f"system {i}": line(0.05 + 0.01 * i) for i in range(n)}
    return [{"metric": f"72-way top-{k}", "chance": k / 72, "systems": systems} for k in (1, 5)]


def test_more_systems_than_colours_can_be_drawn():
    assert systems_image(unfolding(len(COLOURS) + 2)).startswith("<img")


def test_systems_without_the_same_times_are_drawn_together():
    some = unfolding(2)
    some[0]["systems"]["system 1"] = {key: values[-1:] for key, values in line(0.1).items()}
    assert systems_image(some).startswith("<img")


def test_the_page_of_a_comparison_shows_it_and_other_pages_do_not():
    told = "Accuracy of each system over the seconds"
    assert told in page({"command": "compare", "unfolding": unfolding(2)}, None)
    assert told not in page({"command": "replay"}, None)
