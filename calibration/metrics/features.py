"""The extractors that published measures look through: those whose weights are here, and why others are not.

    found = extractors(FeaturesConfig())
    for extractor in found.here:
        for level, truth in extractor.features(pictures).items(): ...     # "AlexNet 2" -> (n, d)

The pocket encoder is always here; what it says is marked `pocket`, and is compared with no published number.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Protocol, Self

from engines.errors import InputError
from engines.generators.config import GeneratorsConfig
from engines.generators.hub import model_folder
from engines.vision.base import Floats, Pictures
from engines.vision.features.clip import FILES, HOW_TO_GET, REPOSITORY, ClipPictures
from engines.vision.features.lpips import Lpips
from engines.vision.features.pocket import PocketFeatures
from engines.vision.features.pooled import efficientnet_b1, inception, swav
from engines.vision.features.trunk import Trunk, alexnet, pocket_trunk, vgg19

IDENTIFIED_BY = ("AlexNet 2", "AlexNet 5", "Inception", "CLIP", "pocket early", "pocket late", "pocket")
"""Levels whose measure is two-way identification."""

DISTANCE_BY = ("EfficientNet-B1", "SwAV", "pocket")
"""Levels whose measure is the mean of 1 - Pearson's correlation."""


@dataclass(frozen=True)
class FeaturesConfig:
    """Files of weights, `clip` a folder; None looks where torch.hub and Hugging Face keep what they fetched."""

    alexnet: Path | None = None
    vgg19: Path | None = None
    lpips: Path | None = None
    inception: Path | None = None
    efficientnet_b1: Path | None = None
    swav: Path | None = None
    swag: Path | None = None
    clip: Path | None = None

    @classmethod
    def of(cls, config: GeneratorsConfig) -> Self:
        """What the configuration says of them."""
        return cls(**{each.name: getattr(config, each.name) for each in fields(cls)})


class Extractor(Protocol):
    """A network looked into at one place or several. Thread: any, one at a time."""

    @property
    def name(self) -> str:
        """What reports call it."""
        ...

    @property
    def pocket(self) -> bool:
        """Whether it is the small stand-in."""
        ...

    def features(self, pictures: Pictures) -> Mapping[str, Floats]:
        """(n, height, width, 3) to (n, d) for each place by name."""
        ...


@dataclass(frozen=True, eq=False)
class Found:
    """`here` in the order of published tables, the pocket encoder last; `absent` by name, and what to do about it."""

    here: tuple[Extractor, ...]
    absent: Mapping[str, str]


def extractors(config: FeaturesConfig) -> Found:
    """Open every network whose weights are here.

    Raises:
        InputError: a configured file is missing or something else.
    """
    openers: dict[str, tuple[Callable[[Path | None], Extractor], Path | None]] = {
        "AlexNet": (alexnet, config.alexnet),
        "Inception": (inception, config.inception),
        "CLIP": (_clip, config.clip),
        "EfficientNet-B1": (efficientnet_b1, config.efficientnet_b1),
        "SwAV": (swav, config.swav),
    }
    here: list[Extractor] = []
    absent: dict[str, str] = {}
    for name, (opened, configured) in openers.items():
        try:
            here.append(opened(configured))
        except InputError as error:
            if configured is not None:
                raise
            absent[name] = str(error)
    return Found((*here, PocketFeatures()), absent)


def perceptual(config: FeaturesConfig) -> Lpips:
    """LPIPS with AlexNet.

    Raises:
        InputError: its weights are not here.
    """
    return Lpips.load(config.alexnet, config.lpips)


def layers(config: FeaturesConfig) -> Trunk:
    """What the dominance analysis looks through: VGG-19 where its weights are here, else the pocket encoder.

    Which it was stands in its `name` and `pocket`. A configured file that is not VGG-19 is an error.

    Raises:
        InputError: the configured file is missing or something else.
    """
    try:
        return vgg19(config.vgg19)
    except InputError:
        if config.vgg19 is not None:
            raise
        return pocket_trunk()


def _clip(configured: Path | None) -> Extractor:
    return ClipPictures.load(model_folder(REPOSITORY, FILES, configured, HOW_TO_GET))
