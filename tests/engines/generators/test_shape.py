import numpy as np
import pytest
import torch
import trimesh
from safetensors.torch import save_file

from engines.errors import InputError, WorkError
from engines.generators.base import Seen
from engines.generators.shape import PocketShape, ShapeConfig, ShapeNet, ShapeOrigin

TINY = ShapeConfig(dim=8, hidden=8, side=2, channels=(4, 4), features=16, colours=4, grid=24)
ORIGIN = ShapeOrigin("a" * 64, "b" * 64, 3, {"f_score": 0.5})
RADIUS = 0.6


class Ball(ShapeNet):
    """Answers with a ball about `at`, red to the right and blue to the left; the planes are what they are."""

    at = (0.0, 0.0, 0.0)

    def distances(self, seen):
        return torch.linalg.norm(seen[..., :3] - torch.tensor(self.at), dim=-1) - RADIUS

    def colours(self, paints, seen):
        right = (seen[..., :1] > 0).float()
        return torch.cat([right, torch.zeros_like(right), 1 - right], dim=-1)


def embedding(value=0.0):
    return np.full(TINY.dim, value, dtype=np.float32)


@pytest.fixture
def untrained():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return PocketShape(ShapeNet(TINY), 0.01, ORIGIN)


@pytest.mark.parametrize("level", [0.0, 0.05])
def test_the_surface_lies_where_the_distance_is_the_level(level):
    surface = PocketShape(Ball(TINY), level, ORIGIN).surface(Seen(embedding()))
    assert (surface.vertices.dtype, surface.faces.dtype, surface.colours.dtype) == (np.float32, np.int32, np.uint8)
    np.testing.assert_allclose(np.linalg.norm(surface.vertices, axis=1), RADIUS + level, atol=0.01)
    mesh = trimesh.Trimesh(surface.vertices, surface.faces)
    assert mesh.is_watertight
    assert mesh.volume == pytest.approx(4 / 3 * np.pi * (RADIUS + level) ** 3, rel=0.03)  # faces look outwards


def test_vertices_have_the_colours_of_where_they_are():
    surface = PocketShape(Ball(TINY), 0.0, ORIGIN).surface(Seen(embedding()))
    right = surface.vertices[:, 0] > 1e-6
    assert (surface.colours[right] == [255, 0, 0]).all() and (surface.colours[~right] == [0, 0, 255]).all()


def test_what_would_leave_the_unit_sphere_is_closed_and_within_it():
    net = Ball(TINY)
    net.at = (0.6, 0.0, 0.0)
    surface = PocketShape(net, 0.0, ORIGIN).surface(Seen(embedding()))
    assert np.linalg.norm(surface.vertices, axis=1).max() <= 1 + 1e-6
    assert trimesh.Trimesh(surface.vertices, surface.faces).is_watertight


def test_no_surface_is_an_error():
    with pytest.raises(WorkError, match="no surface"):
        PocketShape(Ball(TINY), -RADIUS, ORIGIN).surface(Seen(embedding()))


def test_an_embedding_of_another_length_is_refused(untrained):
    with pytest.raises(InputError, match=r"\(8,\).*\(4,\) came"):
        untrained.surface(Seen(np.zeros(4, dtype=np.float32)))


def test_saved_weights_are_read_with_what_is_known_of_them(untrained, tmp_path):
    untrained.save(tmp_path / "shape.safetensors")
    again = PocketShape.load(tmp_path / "shape.safetensors")
    assert (again.config, again.level, again.origin) == (TINY, 0.01, ORIGIN)
    # Weights are stored in half precision.
    np.testing.assert_allclose(again.field(embedding(1.0)), untrained.field(embedding(1.0)), atol=3e-3)


def test_a_missing_or_foreign_file_says_how_to_make_it(tmp_path):
    with pytest.raises(InputError, match="afterimage train pocket-shape"):
        PocketShape.load(tmp_path / "none.safetensors")
    save_file({"a": torch.zeros(1)}, tmp_path / "other", metadata={"format": "something"})
    with pytest.raises(InputError, match="'something'"):
        PocketShape.load(tmp_path / "other")


def test_weights_of_another_network_are_refused(untrained, tmp_path):
    larger = ShapeNet(ShapeConfig(dim=8, hidden=9, side=2, channels=(4, 4), features=16, colours=4, grid=24))
    larger.config = TINY
    PocketShape(larger, 0.0, ORIGIN).save(tmp_path / "other")
    with pytest.raises(InputError, match="not those of its own configuration"):
        PocketShape.load(tmp_path / "other")


def test_colours_do_not_learn_at_the_cost_of_the_shape():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = ShapeNet(TINY)
    _, colours = net(torch.zeros(2, 8), torch.zeros(2, 5, 3))
    colours.sum().backward()
    assert all(p.grad is None for name, p in net.named_parameters() if not name.startswith(("paint", "colour")))


def test_the_full_network_fits_into_five_megabytes_of_half_precision():
    assert sum(p.numel() for p in ShapeNet(ShapeConfig()).parameters()) < 2.5e6
