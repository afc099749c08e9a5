import numpy as np
import pytest
import trimesh
from scipy.spatial.distance import cdist

from calibration.metrics.shapes import (
    THRESHOLDS,
    aligned,
    chamfer,
    chamfer_l1,
    compared,
    f_score,
    in_unit_sphere,
    sampled,
)
from calibration.objects import shapes
from calibration.objects.build import build
from engines.errors import InputError

CLOUDS = np.random.default_rng(0).standard_normal((2, 60, 3))


def turned(points, degrees):
    angle = np.radians(degrees)
    return points @ np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]]).T


def test_chamfer_distances_are_those_of_all_pairs():
    a, b = CLOUDS[0], CLOUDS[1][:40]
    apart = cdist(a, b)
    there, back = apart.min(axis=1), apart.min(axis=0)
    assert chamfer(a, b) == pytest.approx(np.mean(there**2) + np.mean(back**2))
    assert chamfer_l1(a, b) == pytest.approx((there.mean() + back.mean()) / 2)
    assert chamfer(a, b) == pytest.approx(chamfer(b, a)) and chamfer(a, a) == 0


def test_f_score_is_counted_by_hand():
    truth = np.array([[0.0, 0, 0], [1, 0, 0], [2, 0, 0], [3, 0, 0]])
    made = np.array([[0.0, 0.04, 0], [9, 0, 0]])
    # One of two made points is near, one of four true ones: P 1/2, R 1/4.
    assert f_score(made, truth, 0.05) == pytest.approx(2 * 0.5 * 0.25 / 0.75)
    assert f_score(made, truth, 0.02) == 0.0
    assert f_score(truth, truth, 0.02) == 1.0


def test_all_measures_at_once_are_those_one_by_one():
    truth, made = in_unit_sphere(CLOUDS[0]), in_unit_sphere(CLOUDS[1])
    found = compared(truth, made)
    assert found.f_scores == tuple(f_score(made, truth, threshold) for threshold in THRESHOLDS)
    assert (found.chamfer, found.chamfer_l1) == (chamfer(made, truth), chamfer_l1(made, truth))


def test_points_are_even_over_the_surface_centred_within_the_unit_sphere_and_repeatable():
    box = trimesh.creation.box((4.0, 1.0, 1.0)).apply_translation((5, 5, 5))
    points = sampled(box, 20_000, seed=3)
    assert np.array_equal(points, sampled(box, 20_000, seed=3)) and not np.array_equal(points, sampled(box, 20_000))
    assert np.linalg.norm(points, axis=1).max() == pytest.approx(1) and np.abs(points.mean(axis=0)).max() < 1e-12
    at_ends = np.abs(points[:, 0]) > 0.98 * np.abs(points[:, 0]).max()
    # Two square ends beside four long sides, of which a fiftieth lies near the ends too.
    assert at_ends.mean() == pytest.approx(2 / 18 + 0.02 * 16 / 18, abs=0.01)


def test_size_and_place_do_not_count():
    chair = build("chair", 0).mesh()
    moved = chair.copy().apply_scale(7).apply_translation((1, 2, 3))
    assert chamfer(sampled(chair), sampled(moved)) == pytest.approx(0, abs=1e-12)


def test_two_samples_of_one_surface_are_near_and_of_two_objects_far():
    chair, teapot = build("chair", 0), build("umbrella", 0)
    same = compared(sampled(chair, seed=1), sampled(chair, seed=2))
    other = compared(sampled(chair, seed=1), sampled(teapot, seed=2))
    assert same.chamfer < 1e-3 < other.chamfer and same.f_scores[1] > 0.99 > other.f_scores[1]


def test_alignment_finds_a_turn_and_a_shift_without_mirroring():
    hook = shapes.joined(
        shapes.box((0.2, 0.2, 1.6), at=(0, 0, 0)), shapes.box((0.8, 0.2, 0.2), at=(0.4, 0, 0.7)),
        shapes.box((0.2, 0.5, 0.2), at=(0.7, 0.25, 0.7)),
    )  # fmt: skip
    truth, other = sampled(hook, 4096, seed=1), sampled(hook, 4096, seed=2)
    made = turned(other, 140) + np.array([0.05, -0.03, 0.02])
    assert chamfer(made, truth) > 0.05
    assert compared(truth, aligned(made, truth)).f_scores[1] > 0.99
    mirrored = other * [1, -1, 1]
    assert compared(truth, aligned(mirrored, truth)).f_scores[1] < 0.99


def test_alignment_never_makes_it_worse():
    chair, other = sampled(build("chair", 0), 2048), sampled(build("chair", 3), 2048)
    assert chamfer(aligned(other, chair), chair) <= chamfer(other, chair) + 1e-4


def test_what_has_no_surface_is_refused():
    point = trimesh.Trimesh(np.zeros((3, 3)), [[0, 1, 2]], process=False)
    with pytest.raises(InputError, match="without area"):
        sampled(point)
