from dataclasses import replace

import numpy as np
import pytest
import torch
import trimesh
from safetensors.torch import save_file

from engines.errors import InputError
from engines.generators.base import NoSurface, Seen
from engines.generators.shape import Drawing, PocketShape, ShapeConfig, ShapeNet, ShapeOrigin

TINY = ShapeConfig(dim=8, hidden=8, side=2, channels=(4, 4), features=16, colours=4, grid=24)
ORIGIN = ShapeOrigin("a" * 64, "b" * 64, 3, {"f_score": 0.5})
RADIUS = 0.6
HALF = Drawing(0.5, 0.2, 0.8)


class Ball(ShapeNet):
    """Answers with a ball about `at`, red to the right and blue to the left; the planes are what they are."""

    at = (0.0, 0.0, 0.0)
    radius = RADIUS

    def logits(self, seen):
        return (self.radius - torch.linalg.norm(seen[..., :3] - torch.tensor(self.at), dim=-1)) / self.config.soft

    def colours(self, paints, seen):
        right = (seen[..., :1] > 0).float()
        return torch.cat([right, torch.zeros_like(right), 1 - right], dim=-1)


class Haze(Ball):
    """Half of all objects are around each point of a ball, none outside."""

    def logits(self, seen):
        return torch.where(super().logits(seen) > 0, 0.0, -50.0)


def embedding(value=0.0):
    return np.full(TINY.dim, value, dtype=np.float32)


@pytest.fixture
def untrained():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return PocketShape(ShapeNet(TINY), HALF, ORIGIN)


@pytest.mark.parametrize("share", [0.5, 0.1])
def test_the_surface_of_a_certain_embedding_lies_where_so_many_objects_are(share):
    level = TINY.soft * np.log((1 - share) / share)
    surface = PocketShape(Ball(TINY), Drawing(share, 0.2, 0.8), ORIGIN).surface(Seen(embedding()))
    assert (surface.vertices.dtype, surface.faces.dtype, surface.colours.dtype) == (np.float32, np.int32, np.uint8)
    np.testing.assert_allclose(np.linalg.norm(surface.vertices, axis=1), RADIUS + level, atol=0.01)
    mesh = trimesh.Trimesh(surface.vertices, surface.faces)
    assert mesh.is_watertight
    assert mesh.volume == pytest.approx(4 / 3 * np.pi * (RADIUS + level) ** 3, rel=0.03)  # faces look outwards


def test_between_a_certain_embedding_and_a_guess_the_threshold_is_mixed():
    shape = PocketShape(Ball(TINY), HALF, ORIGIN)
    certain, between, guessed = (1 / (1 + np.exp(-shape.levels(c))) for c in (1.0, 0.6, 0.0))
    np.testing.assert_allclose(certain, 0.5, atol=1e-6)
    np.testing.assert_allclose(np.quantile(guessed, [0.0, 0.25, 0.5, 1.0]), [0.2, 0.35, 0.5, 0.8], atol=1e-3)
    np.testing.assert_allclose(between, 0.2 * certain + 0.8 * guessed, atol=1e-5)


def test_what_may_be_or_not_falls_apart_into_grains_of_as_much_volume_as_it_is_probable():
    fine = replace(TINY, grid=64)
    shape = PocketShape(Haze(fine), Drawing(0.4, 0.2, 0.8), ORIGIN)
    whole, grains = (shape.surface(Seen(embedding(), certainty=c)) for c in (1.0, 0.0))
    whole, grains = (trimesh.Trimesh(some.vertices, some.faces) for some in (whole, grains))
    assert grains.is_watertight
    assert grains.volume == pytest.approx(0.5 * whole.volume, rel=0.1)
    assert grains.area > 2 * whole.area


def test_an_embedding_is_believed_as_far_as_it_is_certain(untrained):
    net = untrained.net
    net.centre[:], net.spread[:] = 3.0, 2.0
    told = net.told(torch.full((2, 8), 5.0), torch.tensor([[1.0], [0.25]]))
    assert told[:, :-1].tolist() == [[1.0] * 8, [0.25] * 8]
    assert told[:, -1].tolist() == [2.0, -1.0]
    assert (untrained.field(embedding(1.0), 0.0) == untrained.field(embedding(9.0), 0.0)).all()


def test_vertices_have_the_colours_of_where_they_are():
    surface = PocketShape(Ball(TINY), HALF, ORIGIN).surface(Seen(embedding()))
    right = surface.vertices[:, 0] > 1e-6
    assert (surface.colours[right] == [255, 0, 0]).all() and (surface.colours[~right] == [0, 0, 255]).all()


def test_what_would_leave_the_unit_sphere_is_closed_and_within_it():
    net = Ball(TINY)
    net.at = (0.6, 0.0, 0.0)
    surface = PocketShape(net, HALF, ORIGIN).surface(Seen(embedding()))
    assert np.linalg.norm(surface.vertices, axis=1).max() <= 1 + 1e-6
    assert trimesh.Trimesh(surface.vertices, surface.faces).is_watertight


def test_no_surface_is_an_error():
    net = Ball(TINY)
    net.radius = -0.1
    with pytest.raises(NoSurface, match="no surface"):
        PocketShape(net, HALF, ORIGIN).surface(Seen(embedding()))


def test_an_embedding_of_another_length_is_refused(untrained):
    with pytest.raises(InputError, match=r"\(8,\).*\(4,\) came"):
        untrained.surface(Seen(np.zeros(4, dtype=np.float32)))


def test_saved_weights_are_read_with_what_is_known_of_them(untrained, tmp_path):
    untrained.save(tmp_path / "shape.safetensors")
    again = PocketShape.load(tmp_path / "shape.safetensors")
    assert (again.config, again.drawing, again.origin) == (TINY, HALF, ORIGIN)
    # Weights are stored in half precision.
    np.testing.assert_allclose(again.field(embedding(1.0)), untrained.field(embedding(1.0)), atol=0.05)


def test_a_missing_or_foreign_file_says_how_to_make_it(tmp_path):
    with pytest.raises(InputError, match="afterimage train pocket-shape"):
        PocketShape.load(tmp_path / "none.safetensors")
    save_file({"a": torch.zeros(1)}, tmp_path / "other", metadata={"format": "something"})
    with pytest.raises(InputError, match="'something'"):
        PocketShape.load(tmp_path / "other")


def test_weights_of_another_network_are_refused(untrained, tmp_path):
    larger = ShapeNet(ShapeConfig(dim=8, hidden=9, side=2, channels=(4, 4), features=16, colours=4, grid=24))
    larger.config = TINY
    PocketShape(larger, HALF, ORIGIN).save(tmp_path / "other")
    with pytest.raises(InputError, match="not those of its own configuration"):
        PocketShape.load(tmp_path / "other")


def test_colours_do_not_learn_at_the_cost_of_the_shape():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = ShapeNet(TINY)
    _, colours = net(torch.zeros(2, 8), torch.ones(2, 1), torch.zeros(2, 5, 3))
    colours.sum().backward()
    assert all(p.grad is None for name, p in net.named_parameters() if not name.startswith(("paint", "colour")))


def test_the_full_network_fits_into_five_megabytes_of_half_precision():
    assert sum(p.numel() for p in ShapeNet(ShapeConfig()).parameters()) < 2.5e6
