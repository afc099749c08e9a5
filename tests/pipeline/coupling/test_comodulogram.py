from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat

from engines.errors import InputError
from pipeline.coupling import modulation_index
from pipeline.coupling.comodulogram import Grid, Piece, comodulogram
from tests.pipeline.coupling.signals import coupled

GRID = Grid((4.0, 6.0, 10.0), (25.0, 37.0, 45.0, 120.0), amplitude_width_hz=16.0)


def test_its_cells_are_the_index_of_their_bands() -> None:
    data = coupled(1.0, 20.0, 250.0)
    found = comodulogram([Piece(data)], 250.0, GRID)
    alone = modulation_index(data, data, 250.0, (5, 7), (29, 45))
    assert found.mi[1, 1] == pytest.approx(alone[0], abs=1e-9)
    assert found.peak_hz == (6.0, 37.0)


def test_forbidden_cells_are_greyed_and_say_why() -> None:
    found = comodulogram([Piece(coupled(1.0, 20.0, 250.0))], 250.0, GRID)
    greyed = np.isnan(found.mi)
    assert greyed.tolist() == [[bool(text) for text in row] for row in found.why_not]
    assert greyed.tolist() == [[False, False, False, True], [False, False, True, True], [True] * 4]
    assert "the mains leave" in found.why_not[1][2]
    assert "20 Hz wide" in found.why_not[2][0]
    assert "carry 112.5 Hz" in found.why_not[0][3]


def test_pieces_are_pooled_and_their_margins_cut() -> None:
    data = coupled(1.0, 40.0, 250.0)
    whole = comodulogram([Piece(data)], 250.0, GRID).mi
    pieces = [Piece(data[:, :5500], (0, 500)), Piece(data[:, 4500:], (500, 0))]
    assert comodulogram(pieces, 250.0, GRID).mi[1, 1] == pytest.approx(whole[1, 1], rel=0.01)


def test_where_every_cell_is_greyed_there_is_no_peak() -> None:
    found = comodulogram([Piece(coupled(1.0, 5.0, 250.0))], 250.0, Grid((20.0,), (50.0,)))
    assert np.isnan(found.mi).all() and found.peak_hz is None


def test_the_grid_ends_where_the_rate_does() -> None:
    grid = Grid.up_to(250.0, 50.0)
    assert grid is not None and max(grid.amplitude_hz) == 100.0
    assert Grid.up_to(50.0, 50.0) is None
    with pytest.raises(InputError):
        Grid((1.0,), (40.0,))


@pytest.mark.slow
def test_the_comodulogram_of_the_case_study_peaks_where_it_is_documented(data: Path) -> None:
    lfp = loadmat(data / "pac" / "casestudies_LFP-1.mat")["LFP"].reshape(1, -1)
    grid = Grid(tuple(np.arange(3.0, 11.0)), tuple(np.arange(40.0, 151.0, 10.0)), mains_hz=None)
    assert comodulogram([Piece(lfp)], 1000.0, grid).peak_hz == (6.0, 100.0)
