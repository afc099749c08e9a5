"""The pocket shape decoder: from an embedding to how sure a point is within the object, and its colour, to a mesh.

    embedding -> [as far from the mean as it is certain, standardised, linear] -> three planes of 6 x 6
        -> transposed convolutions -> three of 48 x 48
    point -> the planes' features where it falls on them -> three small layers -> the logit of a share
    the same features and a short word on the embedding's colours -> three small layers -> red, green, blue
    points of a grid -> marching cubes (Lorensen & Cline 1987) -> vertices -> their colours

The share is of all objects that the embedding may stand for: how many have the point within them (Mescheder et al.
2019, CVPR). Of a certain embedding its logit goes with the signed distance, `soft` being one, and one level of it is
drawn. Of an uncertain one no level looks like any object: there the level is halftoned (`Drawing`), and the shape falls
apart into grains, the closer together the more objects are there.

Planes: Chan et al. 2022 (EG3D, arXiv:2112.07945). Trained by `calibration/recipes/pocket_shape.py` on built-in objects
only, in their own frame: z up, front towards -y. docs/decisions/0183-how-sure-an-embedding-is.md.
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

from engines.errors import InputError
from engines.generators.base import NoSurface, Seen, Surface
from engines.tagged import read_tagged
from engines.vision.base import Floats

SHIPPED = Path(__file__).with_name("data") / "pocket-shape.safetensors"
FORMAT = "afterimage pocket shape 2"

_AXES = ((0, 1), (0, 2), (1, 2))  # what each plane sees of x, y, z
_BATCH = 16_384
_REACH = 1.06  # of the grid, so that what ends at 1 is closed
_PERIOD = 0.16  # of the grains
_NEVER = 0.999
_NOWHERE = -50.0  # the logit beyond the sphere: no object is there


@dataclass(frozen=True)
class ShapeConfig:
    """Size of the network. `channels` of the planes, each twice as wide as the one before, from `side` on.

    `colours` is the length of what is said of colours; `grid` points along each axis are looked at for a mesh; within
    `soft` of its surface an object is blurred in training.
    """

    dim: int = 1024
    hidden: int = 256
    side: int = 6
    channels: tuple[int, ...] = (48, 48, 32, 24)
    features: int = 64
    colours: int = 64
    grid: int = 48
    soft: float = 0.02


class ShapeNet(nn.Module):
    """Raw embeddings, their certainty and points to logits of shares, above 0 where most objects are, and colours.

    In files `distance` is what gives the negative logit, as it was called when it gave distances.
    """

    centre: Tensor
    spread: Tensor

    def __init__(self, config: ShapeConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("centre", torch.zeros(config.dim))
        self.register_buffer("spread", torch.ones(config.dim))
        first = config.channels[0]
        self.latent = nn.Sequential(nn.Linear(config.dim + 1, config.hidden), nn.LayerNorm(config.hidden), nn.SiLU())
        self.start = nn.Linear(config.hidden, len(_AXES) * first * config.side**2)
        layers: list[nn.Module] = []
        for before, after in zip(config.channels[:-1], config.channels[1:], strict=True):
            layers += [nn.GroupNorm(4, before), nn.SiLU(), nn.ConvTranspose2d(before, after, 4, 2, 1)]
        self.grow = nn.Sequential(*layers)
        seen = len(_AXES) * (config.channels[-1] + 1)
        self.distance = _layers(seen, config.features, 1)
        self.paint = nn.Sequential(nn.Linear(config.dim + 1, config.colours), nn.LayerNorm(config.colours), nn.SiLU())
        self.colour = _layers(seen + config.colours, config.features, 3)

    def forward(self, embeddings: Tensor, certainty: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (n, m) and colours (n, m, 3) of raw embeddings at `points` (n, m, 3), from -1 to 1.

        Colours learn on features that serve the logits, and do not change them.
        """
        told = self.told(embeddings, certainty)
        seen = self.seen(self.planes(told), points)
        return self.logits(seen), self.colours(self.paints(told), seen.detach())

    def told(self, embeddings: Tensor, certainty: Tensor) -> Tensor:
        """(n, dim + 1): how far raw embeddings (n, dim) of `certainty` (n, 1) are to be believed, and how certain."""
        return torch.cat([certainty * (embeddings - self.centre) / self.spread, 4 * certainty - 2], dim=1)

    def planes(self, told: Tensor) -> Tensor:
        """(n, 3, channel, side, side) of what is `told` (n, dim + 1)."""
        n, config = len(told), self.config
        latent = self.latent(told)
        start = self.start(latent).reshape(n * len(_AXES), config.channels[0], config.side, config.side)
        grown: Tensor = self.grow(start)
        return grown.reshape(n, len(_AXES), *grown.shape[1:])

    def paints(self, told: Tensor) -> Tensor:
        """What is `told` (n, dim + 1) of colours, (n, colours)."""
        paints: Tensor = self.paint(told)
        return paints

    def seen(self, planes: Tensor, points: Tensor) -> Tensor:
        """(n, m, 3 + 3 channel): where `points` (n, m, 3) are, and what the planes hold there."""
        seen = [points]
        for k, axes in enumerate(_AXES):
            where = points[..., axes][:, :, None]  # (n, m, 1, 2)
            found = functional.grid_sample(planes[:, k], where, align_corners=False, padding_mode="border")
            seen.append(found[..., 0].transpose(1, 2))  # (n, m, channel)
        return torch.cat(seen, dim=-1)

    def logits(self, seen: Tensor) -> Tensor:
        """(n, m) of the share of objects that have the point within them."""
        answer: Tensor = self.distance(seen)
        return -answer[..., 0]

    def colours(self, paints: Tensor, seen: Tensor) -> Tensor:
        """(n, m, 3) from 0 to 1."""
        answer: Tensor = self.colour(torch.cat([seen, paints[:, None].expand(-1, seen.shape[1], -1)], dim=-1))
        return answer.sigmoid()


@dataclass(frozen=True)
class ShapeOrigin:
    """Where weights come from: `trained_on` and `selected_on` are SHA-256 over the objects' digests."""

    trained_on: str
    selected_on: str
    seed: int
    scores: Mapping[str, float]


@dataclass(frozen=True)
class Drawing:
    """The share of objects at which the surface is drawn: `sure` of a certain embedding, `low` to `high` of a guess.

    From `low` to `high` it goes up and down in space, with the sheets of a gyroid (Schoen 1970); where it would be
    above 1, nothing is drawn however many objects are there. In between certain and guessed it is mixed, by the share
    of the deviation that is not known, sqrt(1 - certainty^2).
    """

    sure: float
    low: float
    high: float


class PocketShape:
    """A trained pocket shape decoder. Thread: any, one at a time."""

    name = "pocket-shape-2"
    pocket = True
    slow = False
    encoder = "pocket-vision-1"

    def __init__(self, net: ShapeNet, drawing: Drawing, origin: ShapeOrigin) -> None:
        self.config = net.config
        self.drawing = drawing
        self.origin = origin
        self.net = net.eval().requires_grad_(False)
        self._grid, self._within = _grid_of(net.config.grid)
        self._grains = _grains_of(net.config.grid)

    def warm_up(self) -> None:
        """Ask once."""
        self.field(np.zeros(self.config.dim, dtype=np.float32))

    def surface(self, seen: Seen) -> Surface:
        """The mesh of `seen.embedding`, raw.

        Raises:
            InputError: an embedding of another length.
            NoSurface: the embedding is like none of an object.
        """
        if seen.embedding.shape != (self.config.dim,):
            raise InputError(
                f"{self.name} takes one raw embedding of {self.encoder}, ({self.config.dim},); "
                f"{seen.embedding.shape} came"
            )
        with torch.inference_mode():
            told = self._told(seen.embedding, seen.certainty)
            return self._meshed(self.net.planes(told), self.net.paints(told), seen.certainty)

    def field(self, embedding: Floats, certainty: float = 1.0) -> Floats:
        """(grid, grid, grid) logits of shares over x, y, z of a raw embedding (dim,)."""
        with torch.inference_mode():
            return self._field(self.net.planes(self._told(embedding, certainty)))

    def levels(self, certainty: float) -> Floats:
        """(grid, grid, grid) logits of the shares at which the surface is drawn."""
        drawing = self.drawing
        guessed = np.minimum(drawing.low + (drawing.high - drawing.low) * self._grains, _NEVER)
        shares = drawing.sure + np.sqrt(1 - certainty**2) * (guessed - drawing.sure)
        return np.asarray(np.log(shares / (1 - shares)), dtype=np.float32)

    def _told(self, embedding: Floats, certainty: float) -> Tensor:
        return self.net.told(torch.from_numpy(embedding)[None], torch.tensor([[certainty]], dtype=torch.float32))

    def _field(self, planes: Tensor) -> Floats:
        n, seen = self.config.grid, self.net.seen
        logits = np.full(n**3, _NOWHERE, dtype=np.float32)
        parts = [self.net.logits(seen(planes, some[None]))[0] for some in torch.split(self._grid, _BATCH)]
        logits[self._within] = torch.cat(parts).numpy()
        return logits.reshape(n, n, n)

    def _meshed(self, planes: Tensor, paints: Tensor, certainty: float) -> Surface:
        outside = self.levels(certainty) - self._field(planes)
        if not outside.min() < 0:
            raise NoSurface(
                f"{self.name} found no surface: at no point are as many objects as it is drawn at (the logit of their "
                f"share is {outside.min():.2f} too low); the embedding is like none of an object"
            )
        corners, faces, _, _ = marching_cubes(outside, 0.0, gradient_direction="descent")
        vertices = (_REACH * (corners * (2 / (self.config.grid - 1)) - 1)).astype(np.float32)
        colours = self.net.colours(paints, self.net.seen(planes, torch.from_numpy(vertices)[None]))[0].numpy()
        # Between two points of the grid a vertex may lie a little outside of the sphere.
        vertices /= max(1.0, float(np.linalg.norm(vertices, axis=1).max()))
        return Surface(vertices, faces.astype(np.int32), np.round(255 * colours).astype(np.uint8))

    def save(self, path: Path) -> None:
        """Write weights in half precision, and what is known of them."""
        state = {name: value.half().contiguous() for name, value in self.net.state_dict().items()}
        told = {
            "format": FORMAT, "config": json.dumps(asdict(self.config)),
            "drawing": json.dumps(asdict(self.drawing)), "origin": json.dumps(asdict(self.origin)),
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
        return cls(net, Drawing(**json.loads(told["drawing"])), ShapeOrigin(**json.loads(told["origin"])))


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


def _grains_of(n: int) -> Floats:
    """(n, n, n) from 0 to 1, each value as often as any other: how far the threshold is on its way up."""
    axis = np.linspace(-_REACH, _REACH, n) * (2 * np.pi / _PERIOD)
    x, y, z = np.meshgrid(axis, axis, axis, indexing="ij", sparse=True)
    gyroid = np.sin(x) * np.cos(y) + np.sin(y) * np.cos(z) + np.sin(z) * np.cos(x)
    ranks = np.argsort(np.argsort(gyroid, axis=None, kind="stable"), kind="stable")
    return np.asarray(ranks.reshape(n, n, n) / (n**3 - 1), dtype=np.float32)
