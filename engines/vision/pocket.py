"""The pocket vision encoder: a small network that embeds pictures of objects, so that a fresh machine has one.

    96 px picture -> stem -> four stages of two 3 x 3 convolutions (halving, keeping) -> 3 x 3 cells
                  -> [mean over cells | every cell through few channels] -> linear -> 1024-d embedding

The mean tells what it is, the cells where its parts are; the length 1024 is OpenCLIP ViT-H-14's, so that both fit the
same decoders and generators. Trained by `calibration/recipes/pocket_vision.py` on built-in objects only.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from engines.errors import InputError
from engines.tagged import read_tagged
from engines.vision.base import Floats, Pictures
from engines.vision.pixels import Pixels

SHIPPED = Path(__file__).with_name("pocket.safetensors")
FORMAT = "afterimage pocket vision 1"

_BATCH = 64


@dataclass(frozen=True)
class PocketConfig:
    """Size of the network. `channels` of the stem and of each stage; `cell_channels` of what each cell tells."""

    size_px: int = 96
    channels: tuple[int, ...] = (16, 32, 64, 128, 256)
    cell_channels: int = 48
    dim: int = 1024

    @property
    def pixels(self) -> Pixels:
        """How its pictures are prepared."""
        return Pixels(self.size_px, self.size_px, (0.46, 0.46, 0.46), (0.22, 0.22, 0.22))


class PocketNet(nn.Module):
    """Prepared pictures (n, 3, size_px, size_px) to raw embeddings (n, dim)."""

    def __init__(self, config: PocketConfig) -> None:
        super().__init__()
        stages = [_layer(3, config.channels[0], stride=2)]
        for before, after in zip(config.channels[:-1], config.channels[1:], strict=True):
            stages += [_layer(before, after, stride=2), _layer(after, after, stride=1)]
        self.trunk = nn.Sequential(*stages)
        last = config.channels[-1]
        self.cells = _layer(last, config.cell_channels, stride=1, size=1)
        side = -(-config.size_px // 2 ** len(config.channels))
        self.head = nn.Linear(last + config.cell_channels * side**2, config.dim)

    def forward(self, pixels: Tensor) -> Tensor:
        """One step."""
        seen = self.trunk(pixels)  # (n, channel, side, side)
        whole, cells = seen.mean(dim=(2, 3)), self.cells(seen).flatten(1)
        embedding: Tensor = self.head(torch.cat([whole, cells], dim=1))
        return embedding


@dataclass(frozen=True)
class PocketOrigin:
    """Where weights come from: `trained_on` and `selected_on` are SHA-256 over the objects' digests."""

    trained_on: str
    selected_on: str
    seed: int
    scores: Mapping[str, float]


class PocketVision:
    """A trained pocket encoder.

    Thread: any, one at a time.
    """

    name = "pocket-vision-1"

    def __init__(self, config: PocketConfig, net: PocketNet, origin: PocketOrigin) -> None:
        self.config = config
        self.origin = origin
        self.net = net.eval().requires_grad_(False)

    @property
    def dim(self) -> int:
        """Length of an embedding."""
        return self.config.dim

    def embed(self, pictures: Pictures) -> Floats:
        """(n, height, width, 3) to (n, dim), raw.

        Raises:
            InputError: not (n, height, width, 3) uint8.
        """
        batches = np.split(pictures, range(_BATCH, len(pictures), _BATCH))
        with torch.inference_mode():
            return np.concatenate([self.net(self.config.pixels.prepared(batch)).numpy() for batch in batches])

    def save(self, path: Path) -> None:
        """Write weights in half precision (statistics of normalisation in single), and what is known of them."""
        state = {
            name: value.contiguous() if "norm" in name else value.half().contiguous()
            for name, value in self.net.state_dict().items()
            if not name.endswith("num_batches_tracked")
        }
        told = {"format": FORMAT, "config": json.dumps(asdict(self.config)), "origin": json.dumps(asdict(self.origin))}
        save_file(state, path, metadata=told)

    @classmethod
    def load(cls, path: Path = SHIPPED) -> Self:
        """Read what `save` wrote.

        Raises:
            InputError: there is no such file, or it is of another format.
        """
        told, state = read_tagged(path, FORMAT, "the pocket vision encoder", "afterimage train pocket-vision")
        config = _config_from(json.loads(told["config"]))
        net = PocketNet(config)
        wanted = {name: value for name, value in net.state_dict().items() if not name.endswith("num_batches_tracked")}
        if {name: v.shape for name, v in wanted.items()} != {name: v.shape for name, v in state.items()}:
            raise InputError(f"{path}: its tensors are not those of its own configuration; train the weights anew")
        net.load_state_dict(state, strict=False)
        return cls(config, net, PocketOrigin(**json.loads(told["origin"])))


def _config_from(values: dict[str, Any]) -> PocketConfig:
    return PocketConfig(**{**values, "channels": tuple(values["channels"])})


def _layer(before: int, after: int, stride: int, size: int = 3) -> nn.Sequential:
    layer = nn.Sequential()
    layer.add_module("conv", nn.Conv2d(before, after, size, stride, size // 2, bias=False))
    layer.add_module("norm", nn.BatchNorm2d(after))
    layer.add_module("relu", nn.ReLU(inplace=True))
    return layer
