"""The generators that work here: of each kind the first allowed one that is on this machine and takes the embeddings.

Nothing falls back in silence: why each was passed over is kept, for whoever shows which one works. One that is here and
then fails is an error. Each is imported only when its turn comes: diffusers and transformers take seconds.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from engines.errors import InputError
from engines.generators.base import Captioner, Generator, PictureGenerator, ShapeGenerator
from engines.generators.config import CAPTIONS, PICTURES, SHAPES, GeneratorsConfig
from engines.generators.words import Words
from engines.weights import part, require_here

log = logging.getLogger(__name__)

G = TypeVar("G", bound=Generator)
Open = Callable[[GeneratorsConfig, str], G]

ALLOW = "say in [reconstruction] of the configuration which may be used and where their weights are"


class NoGenerator(InputError):
    """None of the allowed generators of a kind works here; the message says why, and what to do."""


@dataclass(frozen=True)
class Generators:
    """What was opened, None for kinds that the configuration leaves out; `passed_over` {"picture sdxl-turbo": why}."""

    picture: PictureGenerator | None = None
    shape: ShapeGenerator | None = None
    caption: Captioner | None = None
    passed_over: Mapping[str, str] = field(default_factory=dict)


def open_generators(config: GeneratorsConfig, encoder: str) -> Generators:
    """Open one generator of each kind that `config` allows, for embeddings of `encoder`.

    Raises:
        NoGenerator: none of a kind is here and takes those embeddings, or no kind is allowed.
        InputError: a name that is none of ours.
        WorkError: one that is here could not be loaded.
    """
    if not (config.pictures or config.shapes or config.captions):
        raise NoGenerator(f"no generator is allowed; {ALLOW}")
    passed_over: dict[str, str] = {}
    picture = _first("picture", config.pictures, _PICTURES, config, encoder, passed_over)
    shape = _first("mesh", config.shapes, _SHAPES, config, encoder, passed_over)
    caption = _first("caption", config.captions, _CAPTIONS, config, encoder, passed_over)
    return Generators(picture, shape, caption, passed_over)


def _first(
    kind: str,
    allowed: tuple[str, ...],
    known: Mapping[str, Open[G]],
    config: GeneratorsConfig,
    encoder: str,
    passed_over: dict[str, str],
) -> G | None:
    if unknown := [name for name in allowed if name not in known]:
        raise InputError(f"expected generators of a {kind} among {', '.join(known)}; got {', '.join(unknown)}")
    mine: dict[str, str] = {}
    for name in allowed:
        try:
            generator = known[name](config, encoder)
            _require_takes(generator.encoder, encoder)
        except InputError as why:
            mine[name] = str(why)
            continue
        passed_over |= {f"{kind} {other}": why for other, why in mine.items()}
        log.info("%s by %s", kind, generator.name)
        return generator
    if not mine:
        return None
    told = "; ".join(f"{name}: {why}" for name, why in mine.items())
    raise NoGenerator(f"none of the allowed generators of a {kind} works here ({told}); {ALLOW}")


def _require_takes(taken: str | None, encoder: str) -> None:
    if taken not in (None, encoder):
        raise InputError(f"it takes embeddings of {taken}, and the subject gives those of {encoder}")


def _require_pictures(config: GeneratorsConfig) -> None:
    if not config.pictures:
        raise InputError("it takes reconstructed pictures, and no picture generator is allowed")


def _sdxl_turbo(config: GeneratorsConfig, encoder: str) -> PictureGenerator:
    from engines.generators.published import open_sdxl_turbo, published_files

    _require_takes(published_files(config).encoder, encoder)  # before 7 GB are read
    return open_sdxl_turbo(config)


def _pocket_pictures(config: GeneratorsConfig, encoder: str) -> PictureGenerator:
    from engines.generators.pocket import pocket_pictures
    from engines.generators.published import device_of

    return pocket_pictures(device_of(config.device), adapter=config.adapter)


def _trellis(config: GeneratorsConfig, encoder: str) -> ShapeGenerator:
    from engines.generators.trellis import Trellis

    _require_pictures(config)
    return Trellis.find(config)


def _pocket_shape(config: GeneratorsConfig, encoder: str) -> ShapeGenerator:
    from engines.generators.shape import PocketShape

    return PocketShape.load()


def _captioner(name: str) -> Open[Captioner]:
    def open_(config: GeneratorsConfig, encoder: str) -> Captioner:
        if name == "words":
            return Words()
        if config.caption_route == "picture":
            _require_pictures(config)
        require_here(part(name), config)
        from engines.generators.caption import open_captioner
        from engines.generators.published import device_of

        return open_captioner(name, config, device_of(config.device))

    return open_


_PICTURES: Mapping[str, Open[PictureGenerator]] = dict(zip(PICTURES, (_sdxl_turbo, _pocket_pictures), strict=True))
_SHAPES: Mapping[str, Open[ShapeGenerator]] = dict(zip(SHAPES, (_trellis, _pocket_shape), strict=True))
_CAPTIONS: Mapping[str, Open[Captioner]] = {name: _captioner(name) for name in CAPTIONS}
