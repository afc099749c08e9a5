"""The dependency index: +1 where the turn was needed, -1 where the picture was, and silent where neither differs."""

from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from calibration.dominance import (
    EPS,
    LEAST_INLIERS,
    NO_SEGMENTS,
    NOT_AVERAGED,
    OWN_PARTS,
    SEGMENTS,
    aligned,
    areas_of,
    contrast,
    dependency,
    over_seeds,
)
from calibration.stimuli import Picture
from engines.errors import InputError
from engines.vision.base import Floats, Pictures
from engines.vision.features.trunk import pocket_trunk

SIZE = 64


class Colours:
    """The colour itself as the only layer."""

    name, pocket = "colours", True

    def layers(self, pictures: Pictures) -> Sequence[Floats]:
        return (pictures.transpose(0, 3, 1, 2).astype(np.float32),)


def halves(left: tuple[int, int, int], right: tuple[int, int, int]) -> Picture:
    picture = np.empty((SIZE, SIZE, 3), np.uint8)
    picture[:, : SIZE // 2], picture[:, SIZE // 2 :] = left, right
    return picture


RED, BLUE = (200, 0, 0), (0, 0, 200)
LEFT, RIGHT = np.s_[:, : SIZE // 2 - 2], np.s_[:, SIZE // 2 + 2 :]


def test_the_map_tells_which_stream_each_half_came_from() -> None:
    fused = halves(RED, RED)
    static = halves(RED, BLUE)  # without the turn the right half is wrong
    dynamic = halves(BLUE, RED)  # without the picture the left half is
    found = dependency(fused, static, dynamic, Colours())
    assert (found.map[RIGHT] > 0.99).all()
    assert (found.map[LEFT] < -0.99).all()
    swapped = dependency(fused, dynamic, static, Colours())
    assert np.allclose(swapped.map, -found.map)


def test_the_index_follows_its_formula() -> None:
    rng = np.random.default_rng(0)
    turn, picture = rng.random((2, 5, 7))
    n_turn = (turn - turn.min()) / (turn.max() - turn.min())
    n_picture = (picture - picture.min()) / (picture.max() - picture.min())
    assert np.allclose(contrast(turn, picture), (n_turn - n_picture) / (n_turn + n_picture + EPS))


def test_equal_reconstructions_depend_on_nothing() -> None:
    same = halves(RED, BLUE)
    found = dependency(same, same, same, Colours())
    assert (found.map == 0).all()
    assert (found.from_turn == 0).all()


def test_parts_are_averaged_by_name_and_outside_is_no_number() -> None:
    parts = np.full((SIZE // 2, SIZE // 2), -1)
    parts[8:24, 2:14], parts[8:24, 18:30] = 0, 1
    found = dependency(halves(RED, RED), halves(RED, BLUE), halves(BLUE, RED), Colours(), parts, ("leg", "seat"))
    assert found.by_part is not None
    told = dict(found.parts)
    assert told["seat"] > 0.9
    assert told["leg"] < -0.9
    assert np.isnan(found.by_part[0]).all()
    assert np.nanmax(found.by_part) == told["seat"]


class Halves:
    """The right half as the only segment, or none."""

    name = "halves"

    def __init__(self, n: int) -> None:
        self.n = n

    def segments(self, picture: Picture) -> NDArray[np.int64]:
        numbers = np.full(picture.shape[:2], -1)
        numbers[RIGHT] = self.n - 1
        return numbers


def test_a_map_is_averaged_over_the_objects_own_parts_before_any_segments() -> None:
    fused, parts = halves(RED, RED), np.zeros((SIZE, SIZE), np.int64)
    assert areas_of(parts, ("leg",), fused, Halves(1)).told == OWN_PARTS
    found = areas_of(None, (), fused, Halves(1))
    assert found.told == SEGMENTS.format("halves")
    over = dependency(fused, halves(RED, BLUE), halves(BLUE, RED), Colours(), found.numbers, found.names)
    assert over.parts[0][0] == "segment 1" and over.parts[0][1] > 0.9 and len(over.parts) == 1


def test_without_parts_and_segments_the_map_is_not_averaged_and_says_why() -> None:
    fused = halves(RED, RED)
    for segmenter, told in ((None, NOT_AVERAGED), (Halves(0), NO_SEGMENTS.format("halves"))):
        found = areas_of(None, (), fused, segmenter)
        assert (found.numbers, found.names, found.told) == (None, (), told)
        assert dependency(fused, fused, fused, Colours(), found.numbers, found.names).by_part is None


def test_a_turned_copy_is_laid_over_the_original() -> None:
    rng = np.random.default_rng(1)
    noise = cv2.resize(rng.integers(0, 255, (24, 24, 3)).astype(np.uint8), (256, 256), interpolation=cv2.INTER_NEAREST)
    turn = cv2.getRotationMatrix2D((128, 128), 6.0, 1.02)
    moved = np.asarray(cv2.warpAffine(noise, turn, (256, 256)), dtype=np.uint8)
    laid, n_inliers = aligned(moved, noise)
    inner = np.s_[48:-48, 48:-48]
    before, after = (np.abs(p[inner].astype(float) - noise[inner]).mean() for p in (moved, laid))
    assert n_inliers >= LEAST_INLIERS
    assert after < before / 3


def test_pictures_without_enough_points_in_common_stay_where_they_are() -> None:
    plain = halves(RED, BLUE)
    other = np.full_like(plain, 100)
    laid, n_inliers = aligned(other, plain)
    assert n_inliers < LEAST_INLIERS
    assert (laid == other).all()


def test_the_spread_over_seeds_is_that_of_the_maps() -> None:
    rng = np.random.default_rng(2)
    fused, static, dynamic = rng.integers(0, 255, (3, 3, SIZE, SIZE, 3)).astype(np.uint8)
    found = over_seeds(fused, static, dynamic, Colours())
    maps = np.stack([dependency(*three, Colours()).map for three in zip(fused, static, dynamic, strict=True)])
    assert found.spread is not None
    assert np.allclose(found.map, maps.mean(axis=0))
    assert np.allclose(found.spread, maps.std(axis=0, ddof=1))
    parts = np.full((SIZE, SIZE), -1)
    parts[LEFT] = 0
    told = over_seeds(fused, static, dynamic, Colours(), parts, ("left",))
    left = maps[:, *LEFT].mean(axis=(1, 2))
    assert np.allclose([dict(told.parts)["left"], dict(told.spread_by_part)["left"]], [left.mean(), left.std(ddof=1)])


def test_one_seed_has_no_spread() -> None:
    one = halves(RED, BLUE)[None]
    with pytest.raises(InputError, match="several pictures"):
        over_seeds(one, one, one, Colours())


def test_pictures_of_different_sizes_are_refused() -> None:
    with pytest.raises(InputError, match="one shape"):
        dependency(halves(RED, RED), halves(RED, RED)[:10], halves(RED, RED), Colours())


def test_the_pocket_encoder_tells_the_halves_apart() -> None:
    found = dependency(halves(RED, RED), halves(RED, BLUE), halves(BLUE, RED), pocket_trunk())
    assert found.pocket
    assert found.map[RIGHT].mean() > 0.3 > -0.3 > found.map[LEFT].mean()
