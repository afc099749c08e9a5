"""Drawn shapes, whose looks are known."""

import numpy as np
import pytest

from calibration.descriptors import (
    COLOUR,
    MOVING,
    MOVING_HZ,
    N_MOVING,
    PARTS,
    STILL,
    Described,
    Scale,
    at_moving_rate,
    describe_still,
    describe_turn,
)
from engines.errors import InputError

ROWS, COLUMNS = np.mgrid[:192, :192]
GREY = 200


def drawn(inside, colour=(40, 40, 40)):
    picture = np.full((192, 192, 3), GREY, np.uint8)
    picture[inside] = colour
    return picture


def box(width, height, across=96, down=96):
    return (np.abs(COLUMNS - across) < width / 2) & (np.abs(ROWS - down) < height / 2)


def disc(radius):
    return np.hypot(ROWS - 96, COLUMNS - 96) < radius


def of(picture, name, **kwargs):
    return describe_still(picture, **kwargs)[STILL.index(name)]


def test_every_descriptor_has_a_name_and_a_finite_value():
    for inside in (disc(50), box(10, 150), np.zeros((192, 192), bool), np.ones((192, 192), bool), box(3, 3)):
        described = describe_still(drawn(inside), inside, np.where(inside, 0, -1))
        assert described.shape == (len(STILL),) and np.isfinite(described).all()
    assert len(set(STILL)) == len(STILL) and len(set(MOVING)) == len(MOVING)


def test_a_bar_is_elongated_and_a_disc_is_not():
    assert of(drawn(disc(60)), "elongation") < 0.05 < 0.6 < of(drawn(box(30, 120)), "elongation")
    assert of(drawn(box(30, 120)), "tilt") < 0 < of(drawn(box(120, 30)), "tilt")


def test_a_disc_is_solid_compact_and_symmetric_and_a_ring_segment_is_less():
    bent = disc(70) & ~disc(45) & (COLUMNS > 80)
    for name in ("solidity", "compactness", "left-right symmetry"):
        assert of(drawn(disc(60)), name) > of(drawn(bent), name) + 0.1
    assert of(drawn(disc(60)), "solidity") > 0.95


def test_a_square_has_the_fourth_harmonic_and_a_bar_the_second():
    square = [of(drawn(box(90, 90)), f"outline harmonic {k}") for k in range(1, 7)]
    bar = [of(drawn(box(30, 150)), f"outline harmonic {k}") for k in range(1, 7)]
    assert np.argmax(square) == 3 and np.argmax(bar) == 1


@pytest.mark.parametrize("cycles, band", [(3, "2-4"), (6, "4-8"), (12, "8-16"), (24, "16-32")])
@pytest.mark.parametrize("deg", [0, 45, 90, 135])
def test_a_grating_speaks_in_its_own_band_and_orientation(cycles, band, deg):
    # Bars along `deg`, counted anticlockwise from the horizontal; rows run downwards.
    across = COLUMNS * np.sin(np.radians(deg)) + ROWS * np.cos(np.radians(deg))
    wave = 128 + 80 * np.sin(2 * np.pi * cycles * across / 192)
    described = describe_still(np.repeat(wave[..., None], 3, axis=2).astype(np.uint8), np.ones((192, 192), bool))
    names = [n for n in STILL if "cycles" in n]
    energies = [described[STILL.index(n)] for n in names]
    assert names[int(np.argmax(energies))] == f"{band} cycles at {deg}°"


def test_colour_is_opponent_and_of_the_object_only():
    red, blue, grey = (drawn(disc(40), colour) for colour in ((200, 40, 40), (40, 40, 200), (90, 90, 90)))
    assert of(red, "red-green") > 0.5 and abs(of(blue, "red-green")) < 0.05
    assert of(blue, "blue-yellow") > 0.5 and abs(of(grey, "blue-yellow")) < 0.01
    assert of(grey, "saturation") < 0.02 < 0.7 < of(red, "saturation")


def test_turning_the_colours_of_a_shape_leaves_its_silhouette_alone():
    a, b = (describe_still(drawn(box(40, 90), c), box(40, 90)) for c in ((250, 30, 30), (30, 30, 220)))
    shape = slice(STILL.index("area"), STILL.index("parts"))
    np.testing.assert_array_equal(a[shape], b[shape])
    assert any(a[STILL.index(n)] != b[STILL.index(n)] for n in COLOUR)


def test_parts_are_counted_weighed_and_placed():
    left, right = box(40, 40, across=50), box(20, 20, across=140)
    both = left | right
    parts = np.where(left, 0, np.where(right, 3, -1))
    described = {n: of(drawn(both), n, mask=both, parts=parts) for n in PARTS}
    assert described["parts"] == pytest.approx(np.log(2))
    assert described["largest part"] == pytest.approx(0.8, abs=0.02)
    assert described["second part"] == pytest.approx(0.2, abs=0.02)
    assert described["parts across"] == pytest.approx(90 / 192 / 2, abs=0.01) and described["parts up"] < 0.01


def test_without_part_map_the_descriptors_of_parts_are_zero():
    assert not any(of(drawn(disc(50)), n) for n in PARTS)


def test_without_mask_the_object_is_what_differs_from_the_border():
    shape = slice(STILL.index("area"), STILL.index("parts"))
    given, found = describe_still(drawn(disc(50)), disc(50)), describe_still(drawn(disc(50)))
    np.testing.assert_allclose(given[shape], found[shape], atol=0.05)


def test_any_size_of_picture_gives_nearly_the_same():
    large, small = drawn(disc(60)), drawn(disc(60))[::2, ::2]
    shape = slice(STILL.index("area"), STILL.index("parts"))
    np.testing.assert_allclose(describe_still(large)[shape], describe_still(small)[shape], atol=0.05)


def test_a_turn_follows_what_moves():
    places = 96 + 30 * np.sin(2 * np.pi * np.arange(20) / 20)
    frames = np.stack([drawn(box(40, 60, across=p)) for p in places])
    described = describe_turn(frames)
    across = described[:, MOVING.index("centroid across")]
    assert described.shape == (20, len(MOVING))
    np.testing.assert_allclose(across, (places - 96) / 192, atol=0.01)
    change = described[:, MOVING.index("change")]
    speed = np.abs(np.diff(places, prepend=places[0] - (places[1] - places[0])))
    assert np.corrcoef(change, np.sqrt(speed))[0, 1] > 0.9
    assert np.ptp(described[:, MOVING.index("area")]) < 0.01


def test_what_stands_still_does_not_change():
    still = describe_turn(np.stack([drawn(disc(40))] * 3))
    assert not still[:, MOVING.index("change")].any() and np.array_equal(still[0], still[2])


def test_frames_of_a_film_are_taken_at_the_rate_of_the_descriptors():
    np.testing.assert_array_equal(at_moving_rate(180, 30.0), 3 * np.arange(N_MOVING))
    assert len(at_moving_rate(30, 30.0)) == MOVING_HZ and at_moving_rate(25, 25.0).max() < 25


def test_z_scores_come_from_the_set_and_constants_do_not_divide_by_zero(tmp_path):
    rng = np.random.default_rng(0)
    still, moving = 3 + 2 * rng.standard_normal((50, len(STILL))), rng.standard_normal((50, 4, len(MOVING)))
    still[:, 3] = 7.0
    scale = Scale.of(still, moving)
    z = scale.still(still)
    np.testing.assert_allclose(np.delete(z, 3, axis=1).mean(axis=0), 0, atol=0.05)
    assert not z[:, 3].any() and np.abs(scale.still(still * 1e6)).max() <= 4


def test_a_described_set_is_read_as_it_was_written(tmp_path):
    rng = np.random.default_rng(0)
    still, moving = rng.standard_normal((3, len(STILL))), rng.standard_normal((3, 5, len(MOVING)))
    described = Described.of(("a/00", "a/01", "b/00"), still, moving)
    described.save(tmp_path / "d.npz")
    again = Described.load(tmp_path / "d.npz")
    assert again.keys == described.keys
    np.testing.assert_allclose(again.still, described.still, atol=2e-3)
    np.testing.assert_allclose(again.moving, described.moving, atol=2e-3)
    np.testing.assert_array_equal(again.scale.still_sd, described.scale.still_sd)


def test_what_is_no_picture_is_refused():
    with pytest.raises(InputError, match="uint8"):
        describe_still(np.zeros((4, 4, 3)))
    with pytest.raises(InputError, match="mask"):
        describe_still(drawn(disc(4)), np.zeros((3, 3), bool))
    with pytest.raises(InputError, match="two frames"):
        describe_turn(np.stack([drawn(disc(4))]))
