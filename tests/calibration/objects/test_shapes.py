import numpy as np
import pytest
import trimesh

from calibration.objects import shapes

CORNERS = [(0, 0), (2, 0), (2, 1), (1, 0.5), (0, 1)]
LOOP = [(1, 0, 0), (0, 1, 0.3), (-1, 0, 0), (0, -1, -0.3)]
BEND = [(0, 0, 0), (1, 0, 0), (1, 1, 0), (1, 1, 1)]

EVERY_SHAPE = {
    "box": shapes.box((1, 2, 3)),
    "ball": shapes.ball(0.5),
    "ellipsoid": shapes.ball((1, 2, 0.5), turned=(20, 30, 40)),
    "rod": shapes.rod(0.2, 1),
    "cone": shapes.rod(0.2, 1, top=0),
    "upturned cone": shapes.rod(0, 1, top=0.3),
    "hoop": shapes.hoop(1, 0.2, turned=(90, 0, 0)),
    "lathe": shapes.lathe([(0, 0), (1, 0), (1, 2), (0.9, 2), (0.9, 0.1), (0, 0.1)]),
    "lathe downwards": shapes.lathe([(0, 2), (1, 1), (0, 0)]),
    "lathe with open ends": shapes.lathe([(1, 0), (0.5, 1), (0.7, 2)]),
    "turned ring": shapes.lathe([(1, 0), (2, 0), (2, 1), (1, 0)]),
    "slab": shapes.slab(CORNERS, 0.2),
    "slab clockwise": shapes.slab(CORNERS[::-1], 0.2),
    "tube": shapes.tube(BEND, 0.1),
    "tapering tube": shapes.tube(BEND, [0.2, 0.1, 0.1, 0.02]),
    "straight tube": shapes.tube([(0, 0, 0), (0, 0, 1)], 0.1),
    "closed tube": shapes.tube(LOOP, 0.1, closed=True),
    "mirrored": shapes.mirrored(shapes.slab(CORNERS, 0.2)),
    "joined": shapes.joined(shapes.box((1, 1, 1)), shapes.ball(0.3, at=(3, 0, 0))),
}


@pytest.mark.parametrize("name", EVERY_SHAPE)
def test_every_shape_is_closed_and_faces_outwards(name):
    mesh = EVERY_SHAPE[name]
    welded = trimesh.Trimesh(mesh.vertices, mesh.faces, process=True)
    assert welded.is_watertight and welded.is_winding_consistent
    assert mesh.volume > 0
    assert np.isfinite(mesh.vertices).all()


def test_volumes_are_those_of_geometry():
    sides = 24 / 2 * np.sin(2 * np.pi / 24)  # area of a 24-gon of radius 1
    assert shapes.box((1, 2, 3)).volume == pytest.approx(6)
    assert shapes.ball((1, 2, 0.5)).volume == pytest.approx(4 / 3 * np.pi, rel=0.06)
    assert shapes.rod(0.5, 2).volume == pytest.approx(sides * 0.25 * 2)
    assert shapes.rod(0.5, 2, top=0).volume == pytest.approx(sides * 0.25 * 2 / 3)
    assert shapes.hoop(1, 0.2).volume == pytest.approx(2 * np.pi**2 * 0.04, rel=0.06)
    assert shapes.slab(CORNERS, 0.2).volume == pytest.approx(0.2 * 1.5)
    assert shapes.tube([(0, 0, 0), (0, 0, 3)], 0.1).volume == pytest.approx(np.pi * 0.03, rel=0.05)


def test_a_shape_is_turned_about_x_then_y_then_z_and_then_moved():
    mesh = shapes.rod(0.1, 2, at=(5, 0, 0), turned=(90, 0, 90))
    # Up (z) falls to -y about x, which z turns to +x.
    np.testing.assert_allclose(mesh.bounds, [[4, -0.1, -0.1], [6, 0.1, 0.1]], atol=1e-9)


def test_a_rod_stands_on_its_first_radius():
    mesh = shapes.rod(1, 2, top=0.25)
    reach = np.hypot(mesh.vertices[:, 0], mesh.vertices[:, 1])
    assert reach[mesh.vertices[:, 2] < 0].max() == pytest.approx(1)
    assert reach[mesh.vertices[:, 2] > 0].max() == pytest.approx(0.25)


def test_a_tube_passes_through_its_points_with_its_radii():
    mesh = shapes.tube(BEND, [0.3, 0.1, 0.1, 0.02])
    for point, radius in zip(BEND, [0.3, 0.1, 0.1, 0.02], strict=True):
        distance = np.linalg.norm(mesh.vertices - point, axis=1)
        assert np.sort(distance)[6] == pytest.approx(radius, abs=1e-6)


def test_a_mirrored_shape_lies_on_the_other_side():
    mesh = shapes.mirrored(shapes.box((1, 1, 1), at=(3, 2, 1)))
    np.testing.assert_allclose(mesh.bounds.mean(axis=0), [-3, 2, 1])
    mesh = shapes.mirrored(shapes.box((1, 1, 1), at=(3, 2, 1)), axis=1)
    np.testing.assert_allclose(mesh.bounds.mean(axis=0), [3, -2, 1])


def test_shapes_are_of_moderate_fineness():
    assert 300 <= len(shapes.ball(1).faces) <= 600
    assert len(shapes.rod(1, 1).faces) < 120
    assert len(shapes.hoop(1, 0.2).faces) < 900
