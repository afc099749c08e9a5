"""The pocket shape decoder: from an embedding to a signed distance and a colour anywhere in the unit cube, to a mesh.

    embedding -> [standardised, linear] -> three planes of 6 x 6 -> transposed convolutions -> three of 48 x 48
    point -> the planes' features where it falls on them -> three small layers -> distance
    the same features and a short word on the embedding's colours -> three small layers -> red, green, blue
    points of a grid -> marching cubes (Lorensen & Cline 1987) -> vertices -> their colours

Planes: Chan et al. 2022 (EG3D, arXiv:2112.07945). Distances: Park et al. 2019 (DeepSDF, arXiv:1901.05103). Trained by
`calibration/recipes/pocket_shape.py` on built-in objects only, in their own frame: z up, front towards -y.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from skimage.measure import marching_cubes
from torch import Tensor, nn
from torch.nn import functional

from engines.errors import InputError, WorkError
from engines.generators.base import Seen, Surface
from engines.tagged import read_tagged
from engines.vision.base import Floats

SHIPPED = Path(__file__).with_name("data") / "pocket-shape.safetensors"
FORMAT = "afterimage pocket shape 1"

_AXES = ((0, 1), (0, 2), (1, 2))  # what each plane sees of x, y, z
_BATCH = 16_384
_REACH = 1.06  # of the grid, so that what ends at 1 is closed


@dataclass(frozen=True)
class ShapeConfig:
    """Size of the network. `channels` of the planes, each twice as wide as the one before, from `side` on.

    `colours` is the length of what is said of colours; `grid` points along each axis are looked at for a mesh.
    """

    dim: int = 1024
    hidden: int = 256
    side: int = 6
    channels: tuple[int, ...] = (48, 48, 32, 24)
    features: int = 64
    colours: int = 64
    grid: int = 48


class ShapeNet(nn.Module):
    """Raw embeddings and points to signed distances, below 0 inside, and colours."""

    centre: Tensor
    spread: Tensor

    def __init__(self, config: ShapeConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("centre", torch.zeros(config.dim))
        self.register_buffer("spread", torch.ones(config.dim))
        first = config.channels[0]
        self.latent = nn.Sequential(nn.Linear(config.dim, config.hidden), nn.LayerNorm(config.hidden), nn.SiLU())
        self.start = nn.Linear(config.hidden, len(_AXES) * first * config.side**2)
        layers: list[nn.Module] = []
        for before, after in zip(config.channels[:-1], config.channels[1:], strict=True):
            layers += [nn.GroupNorm(4, before), nn.SiLU(), nn.ConvTranspose2d(before, after, 4, 2, 1)]
        self.grow = nn.Sequential(*layers)
        seen = len(_AXES) * (config.channels[-1] + 1)
        self.distance = _layers(seen, config.features, 1)
        self.paint = nn.Sequential(nn.Linear(config.dim, config.colours), nn.LayerNorm(config.colours), nn.SiLU())
        self.colour = _layers(seen + config.colours, config.features, 3)

    def forward(self, embeddings: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
        """Distances (n, m) and colours (n, m, 3) of raw embeddings at `points` (n, m, 3), from -1 to 1.

        Colours learn on features that serve the distances, and do not change them.
        """
        seen = self.seen(self.planes(embeddings), points)
        return self.distances(seen), self.colours(self.paints(embeddings), seen.detach())

    def planes(self, embeddings: Tensor) -> Tensor:
        """(n, 3, channel, side, side) of raw embeddings (n, dim)."""
        n, config = len(embeddings), self.config
        latent = self.latent(self._standardised(embeddings))
        start = self.start(latent).reshape(n * len(_AXES), config.channels[0], config.side, config.side)
        grown: Tensor = self.grow(start)
        return grown.reshape(n, len(_AXES), *grown.shape[1:])

    def paints(self, embeddings: Tensor) -> Tensor:
        """What raw embeddings (n, dim) say of colours, (n, colours)."""
        told: Tensor = self.paint(self._standardised(embeddings))
        return told

    def seen(self, planes: Tensor, points: Tensor) -> Tensor:
        """(n, m, 3 + 3 channel): where `points` (n, m, 3) are, and what the planes hold there."""
        seen = [points]
        for k, axes in enumerate(_AXES):
            where = points[..., axes][:, :, None]  # (n, m, 1, 2)
            found = functional.grid_sample(planes[:, k], where, align_corners=False, padding_mode="border")
            seen.append(found[..., 0].transpose(1, 2))  # (n, m, channel)
        return torch.cat(seen, dim=-1)

    def distances(self, seen: Tensor) -> Tensor:
        """(n, m)."""
        answer: Tensor = self.distance(seen)
        return answer[..., 0]

    def colours(self, paints: Tensor, seen: Tensor) -> Tensor:
        """(n, m, 3) from 0 to 1."""
        answer: Tensor = self.colour(torch.cat([seen, paints[:, None].expand(-1, seen.shape[1], -1)], dim=-1))
        return answer.sigmoid()

    def _standardised(self, embeddings: Tensor) -> Tensor:
        return (embeddings - self.centre) / self.spread


@dataclass(frozen=True)
class ShapeOrigin:
    """Where weights come from: `trained_on` and `selected_on` are SHA-256 over the objects' digests."""

    trained_on: str
    selected_on: str
    seed: int
    scores: Mapping[str, float]


class PocketShape:
    """A trained pocket shape decoder.

    `level` is the distance at which the surface is drawn: a little outside, where uncertain thin parts still are.

    Thread: any, one at a time.
    """

    name = "pocket-shape-1"
    pocket = True
    encoder = "pocket-vision-1"

    def __init__(self, net: ShapeNet, level: float, origin: ShapeOrigin) -> None:
        self.config = net.config
        self.level = level
        self.origin = origin
        self.net = net.eval().requires_grad_(False)
        self._grid, self._within = _grid_of(net.config.grid)

    def warm_up(self) -> None:
        """Ask once."""
        self.field(np.zeros(self.config.dim, dtype=np.float32))

    def surface(self, seen: Seen) -> Surface:
        """The mesh of `seen.embedding`, raw.

        Raises:
            InputError: an embedding of another length.
            WorkError: there is no surface: the embedding is like none of an object.
        """
        if seen.embedding.shape != (self.config.dim,):
            raise InputError(
                f"{self.name} takes one raw embedding of {self.encoder}, ({self.config.dim},); "
                f"{seen.embedding.shape} came"
            )
        embeddings = torch.from_numpy(seen.embedding)[None]
        with torch.inference_mode():
            planes, paints = self.net.planes(embeddings), self.net.paints(embeddings)
            return self._meshed(planes, paints)

    def field(self, embedding: Floats) -> Floats:
        """(grid, grid, grid) signed distances over x, y, z of a raw embedding (dim,)."""
        with torch.inference_mode():
            return self._field(self.net.planes(torch.from_numpy(embedding)[None]))

    def _field(self, planes: Tensor) -> Floats:
        n, seen = self.config.grid, self.net.seen
        distances = np.full(n**3, 1.0, dtype=np.float32)
        parts = [self.net.distances(seen(planes, some[None]))[0] for some in torch.split(self._grid, _BATCH)]
        distances[self._within] = torch.cat(parts).numpy()
        return distances.reshape(n, n, n)

    def _meshed(self, planes: Tensor, paints: Tensor) -> Surface:
        distances = self._field(planes)
        if not distances.min() < self.level:
            raise WorkError(
                f"{self.name} found no surface: its nearest distance is {distances.min():.3f}, drawn is at "
                f"{self.level:.3f}; the embedding is like none of an object"
            )
        corners, faces, _, _ = marching_cubes(distances, self.level, gradient_direction="descent")
        vertices = (_REACH * (corners * (2 / (self.config.grid - 1)) - 1)).astype(np.float32)
        colours = self.net.colours(paints, self.net.seen(planes, torch.from_numpy(vertices)[None]))[0].numpy()
        # Between two points of the grid a vertex may lie a little outside of the sphere.
        vertices /= max(1.0, float(np.linalg.norm(vertices, axis=1).max()))
        return Surface(vertices, faces.astype(np.int32), np.round(255 * colours).astype(np.uint8))

    def save(self, path: Path) -> None:
        """Write weights in half precision, and what is known of them."""
        state = {name: value.half().contiguous() for name, value in self.net.state_dict().items()}
        told = {
            "format": FORMAT, "config": json.dumps(asdict(self.config)), "level": repr(self.level),
            "origin": json.dumps(asdict(self.origin)),
        }  # fmt: skip
        save_file(state, path, metadata=told)

    @classmethod
    def load(cls, path: Path = SHIPPED) -> Self:
        """Read what `save` wrote.

        Raises:
            InputError: there is no such file, or it is of another format.
        """
        told, state = read_tagged(path, FORMAT, "the pocket shape decoder", "afterimage train pocket-shape")
        net = ShapeNet(_config_from(json.loads(told["config"])))
        if {name: v.shape for name, v in net.state_dict().items()} != {name: v.shape for name, v in state.items()}:
            raise InputError(f"{path}: its tensors are not those of its own configuration; train the weights anew")
        net.load_state_dict(state)
        return cls(net, float(told["level"]), ShapeOrigin(**json.loads(told["origin"])))


def _layers(before: int, within: int, after: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(before, within), nn.SiLU(), nn.Linear(within, within), nn.SiLU(), nn.Linear(within, after)
    )


def _config_from(values: dict[str, Any]) -> ShapeConfig:
    return ShapeConfig(**{**values, "channels": tuple(values["channels"])})


def _grid_of(n: int) -> tuple[Tensor, NDArray[np.int64]]:
    """The points (m, 3) of an n x n x n grid that lie about the unit sphere, and where they are among all of it."""
    axis = np.linspace(-_REACH, _REACH, n, dtype=np.float32)
    points = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    within = np.flatnonzero(np.linalg.norm(points, axis=1) < _REACH)
    return torch.from_numpy(points[within]), within
