from itertools import combinations

import numpy as np
import pytest
from shapely import unary_union
from shapely.geometry import Polygon

from calibration.protocols.tangrams import PIECES, figures

DIAGONAL = 2**0.5
SIDES = {
    "large1": [2, 2, 2 * DIAGONAL],
    "large2": [2, 2, 2 * DIAGONAL],
    "medium": [DIAGONAL, DIAGONAL, 2],
    "small1": [1, 1, DIAGONAL],
    "small2": [1, 1, DIAGONAL],
    "square": [1, 1, 1, 1],
    "slant": [1, 1, DIAGONAL, DIAGONAL],
}


@pytest.mark.parametrize("figure", figures().values(), ids=lambda f: f.name)
def test_a_figure_is_laid_of_the_seven_pieces_in_one_piece_without_overlap(figure):
    assert tuple(sorted(figure.pieces)) == tuple(sorted(PIECES))
    pieces = {name: Polygon(corners) for name, corners in figure.pieces.items()}
    for name, corners in figure.pieces.items():
        edges = np.linalg.norm(np.diff([*corners, corners[0]], axis=0), axis=1)
        np.testing.assert_allclose(sorted(edges), SIDES[name])
    assert sum(p.area for p in pieces.values()) == pytest.approx(8)
    assert all(a.intersection(b).area < 1e-9 for a, b in combinations(pieces.values(), 2))
    assert unary_union([p.buffer(1e-6) for p in pieces.values()]).geom_type == "Polygon"
    assert len(set(figure.readings)) == len(figure.readings)


def test_polygons_fill_the_square_from_minus_one_to_one():
    for figure in figures().values():
        corners = np.concatenate(figure.polygons())
        assert np.abs(corners).max() == pytest.approx(1)
        np.testing.assert_allclose(corners.min(axis=0), -corners.max(axis=0))
