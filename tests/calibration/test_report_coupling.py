import numpy as np
import pytest

from calibration.report_coupling import (
    CouplingFigures,
    comodulogram_image,
    coupling_verdict,
    head_image,
    histogram_image,
)
from pipeline.coupling.comodulogram import Grid, Piece, comodulogram
from tests.pipeline.coupling.signals import coupled

NAMES = ("F3", "Fz", "F4", "C3", "Cz", "C4", "Pz", "Oz")
REPORT = {
    "channels": NAMES,
    "phase_hz": [4.0, 8.0],
    "amplitude_hz": [30.0, 45.0],
    "p_family": [0.5, None, 0.01, 0.2, 0.005, 0.9, 0.6, 0.05],
    "n_surrogates": 200,
    "n_trials": 40,
    "seconds_used": 40.0,
}


def figures(channels: tuple[str, ...] = NAMES) -> CouplingFigures:
    score = np.linspace(-1, 4, len(channels))
    means = 1 + 0.5 * np.cos(np.linspace(-np.pi, np.pi, 18, endpoint=False) - 1)
    return CouplingFigures(channels, score, "z", np.linspace(0.9, 0.01, len(channels)), 3, means)


def test_the_verdict_names_the_channels_beyond_chance() -> None:
    said, colour = coupling_verdict(REPORT)
    assert colour == "good"
    assert said.startswith("Coupling beyond chance in 2 of 8 channels (Cz, F4). The phase of 4-8 Hz")
    assert "40 trials" in said and "family-wise" in said


@pytest.mark.parametrize(
    ("changed", "word", "colour"),
    [({"p_family": [0.06] * 8}, "No coupling beyond chance", "bad"), ({"n_surrogates": 0}, "nothing can be said", "")],
)
def test_the_verdict_claims_nothing_it_does_not_know(changed: dict, word: str, colour: str) -> None:
    said, found = coupling_verdict({**REPORT, **changed})
    assert word in said and found == colour


def test_the_head_is_drawn_from_known_places_only() -> None:
    image, why = head_image(figures())
    assert image.startswith("<img") and why == ""
    image, why = head_image(figures(("Fz", *(f"x{i}" for i in range(9)))))
    assert image == "" and "8 electrodes" in why and "x0" in why


def test_comodulogram_and_histogram_are_pictures_of_their_values() -> None:
    grid = Grid((6.0, 10.0), (25.0, 37.0), amplitude_width_hz=16.0)
    weak, strong = (comodulogram([Piece(coupled(d, 10.0, 250.0))], 250.0, grid, "Cz") for d in (0.0, 1.0))
    assert comodulogram_image(weak) != comodulogram_image(strong)
    assert "channel Cz" in comodulogram_image(strong)
    assert "channel C3" in histogram_image(figures())
