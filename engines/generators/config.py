"""Which generators may run, in order, and where their weights and those of measures are. Picklable: it goes along."""

from dataclasses import dataclass
from pathlib import Path

PICTURES = ("sdxl-turbo", "pocket")
SHAPES = ("trellis", "pocket")
CAPTIONS = ("git", "blip2", "words")


@dataclass(frozen=True)
class GeneratorsConfig:
    """Allowed generators of each kind, the first that is here and takes the decoder's embeddings is used; () for none.

    `sdxl_turbo`, `tiny_vae`, `git`, `blip2`, `sam` are folders in Hugging Face's layout, `adapter` an IP-Adapter file,
    `trellis` a folder of weights, all None to look in the user's hub cache; `trellis_python` the interpreter that has
    TRELLIS installed, None when there is none. `caption_route` "picture", or "embedding" with the file `caption_map`
    (`engines.generators.feature_map`). `steps` 1 to 4 of the picture generator; `device` "auto", "cpu", "cuda".

    `alexnet` to `swag` are files of the networks that measures look through, `clip` and `sbert` folders; None where
    torch.hub and the hub keep what they fetched.
    """

    pictures: tuple[str, ...] = PICTURES
    shapes: tuple[str, ...] = SHAPES
    captions: tuple[str, ...] = CAPTIONS
    sdxl_turbo: Path | None = None
    adapter: Path | None = None
    tiny_vae: Path | None = None
    trellis_python: Path | None = None
    trellis: Path | None = None
    git: Path | None = None
    blip2: Path | None = None
    sam: Path | None = None
    alexnet: Path | None = None
    vgg19: Path | None = None
    lpips: Path | None = None
    inception: Path | None = None
    efficientnet_b1: Path | None = None
    swav: Path | None = None
    swag: Path | None = None
    clip: Path | None = None
    sbert: Path | None = None
    caption_route: str = "picture"
    caption_map: Path | None = None
    steps: int = 1
    device: str = "auto"
    threads: int = 1
