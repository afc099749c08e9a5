import base64
import re

import numpy as np
import pytest

from calibration.report_figures import ReportFigures, evoked_image, telling_channels, timeline_image, topography_image
from calibration.report_page import page
from pipeline.evoked import Evoked
from pipeline.quality import ChannelQuality, Quality

NAMES = ("Fp1", "Fp2", "F3", "F4", "C3", "Cz", "C4", "P7", "P3", "Pz", "P4", "P8", "O1", "Oz", "O2")


def figures(**changes):
    rng = np.random.default_rng(0)
    evoked = tuple(Evoked(label, 30, rng.standard_normal((len(NAMES), 250))) for label in ("face", "house"))
    return ReportFigures(
        **{"channels": NAMES, "evoked": evoked, "sfreq_hz": 250.0, "tmin_s": -0.2, "group_delay_s": 0.012, **changes}
    )


def payload(image):
    return base64.b64decode(re.search(r"base64,([^\"]+)", image)[1])


def test_the_chains_delay_is_taken_off_the_times():
    assert figures().times_s[0] == pytest.approx(-0.212)
    assert figures().times_s[50] == pytest.approx(-0.012)


def test_the_page_says_that_plots_are_corrected_and_by_how_much():
    html = page({}, figures())
    assert "Drawn 12 ms earlier than measured" in html and html.count("<img") == 2


def test_mean_responses_are_drawn_as_a_picture_that_names_the_classes():
    svg = payload(evoked_image(figures())).decode()
    assert svg.startswith("<?xml") and len(svg) > 10_000


def test_channels_that_tell_classes_apart_are_chosen_among_the_posterior_ones():
    means = np.zeros((2, len(NAMES), 250))
    means[0, NAMES.index("P8"), 100] = 5.0
    means[0, NAMES.index("O1"), 100] = 4.0
    means[0, NAMES.index("Pz"), 100] = 3.0
    means[0, NAMES.index("Fp1"), 100] = 100.0  # a blink
    evoked = tuple(Evoked(str(i), 30, m) for i, m in enumerate(means))
    assert [NAMES[i] for i in telling_channels(figures(evoked=evoked))] == ["Pz", "P8", "O1"]


def test_channels_without_places_are_chosen_among_all():
    names = tuple(f"x{i}" for i in range(15))
    assert len(telling_channels(figures(channels=names))) == 3
    assert len(telling_channels(figures(channels=("a", "b"), evoked=(Evoked("y", 1, np.ones((2, 250))),)))) == 2


def test_maps_are_drawn_where_places_are_known():
    image, why = topography_image(figures())
    assert payload(image).startswith(b"\x89PNG") and why == ""


def test_without_places_the_page_says_why_there_are_no_maps():
    image, why = topography_image(figures(channels=tuple(f"x{i}" for i in range(15))))
    assert image == "" and "8 electrodes" in why and "no position is known for 15 of 15" in why


def test_places_given_by_the_user_count():
    rng = np.random.default_rng(1)
    names = tuple(f"x{i}" for i in range(15))
    places = {n: tuple(0.09 * v / np.linalg.norm(v)) for n, v in zip(names, rng.standard_normal((15, 3)), strict=True)}
    image, why = topography_image(figures(channels=names, positions_m=places))
    assert image and why == ""


def test_an_epoch_too_short_for_maps_says_so():
    evoked = (Evoked("face", 3, np.ones((len(NAMES), 60))),)
    image, why = topography_image(figures(evoked=evoked))
    assert image == "" and "before the first map" in why


def test_more_classes_than_colours_are_cut():
    evoked = tuple(Evoked(f"c{i}", 3, np.full((len(NAMES), 250), float(i))) for i in range(12))
    assert evoked_image(figures(evoked=evoked))


def test_a_time_line_is_drawn_with_and_without_gaps():
    gap, reset = {"start_s": 1.0, "stop_s": 1.1, "n_lost": 5}, {"at_s": 2.0, "jump_s": 3.0}
    assert timeline_image(60.0, [gap], [reset], [3.0]) != timeline_image(60.0, [], [], [])


def test_bad_channels_are_listed_first():
    good = ChannelQuality("Cz", Quality.GOOD, 8.0, 0.1, 0.9, 0, 0.0)
    bad = ChannelQuality("Oz", Quality.FLAT, 0.0, float("nan"), float("nan"), 0, 0.8)
    html = page({}, ReportFigures(quality=(good, bad)))
    assert html.index("Oz") < html.index("Cz") and "flat" in html and "80.0 %" in html
