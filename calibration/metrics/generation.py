"""Generation accuracy: whether a classifier calls the reconstruction what it calls the truth.

    label = argmax of the classifier on the truth; the reconstruction is right when that label beats 49 random others

Fu et al. 2023 (BrainVis, arXiv:2312.14871). The published classifier is torchvision's ViT-H/14 with SWAG weights
(engines/vision/features/swag.py). On a fresh machine `Centres` stand in: the nearest category centre of built-in
objects 00 to 06 in the pocket encoder's space. What they say is marked pocket. A classifier is anything with `logits`.

Numpy. Thread: any.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

from calibration.objects.catalogue import CATEGORIES, SELECTION, TRAINING
from calibration.objects.embeddings import builtin_embeddings
from calibration.objects.shipped import FOLDER, ITEMS
from calibration.stats import top_k_credit
from engines.errors import InputError
from engines.vision.base import Embeddings, Floats, PictureEncoder, Pictures, normalised

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]

N_WAY = 50
N_REPEATS = 50


class Classifier(Protocol):
    """Pictures to one value a class, higher is likelier."""

    @property
    def name(self) -> str:
        """What reports call it."""
        ...

    @property
    def pocket(self) -> bool:
        """Whether it is a small stand-in."""
        ...

    def logits(self, pictures: Pictures) -> Floats:
        """(n, height, width, 3) to (n, classes)."""
        ...


@dataclass(frozen=True, eq=False)
class Centres:
    """Cosines to category centres `directions` (categories, dim), each of length 1, over `temperature`.

    Thread: as the encoder.
    """

    encoder: PictureEncoder
    directions: Floats
    temperature: float = 1.0
    pocket: bool = True

    @property
    def name(self) -> str:
        """What reports call it."""
        return f"nearest category centre ({self.encoder.name})"

    @classmethod
    def of(cls, encoder: PictureEncoder, raw: Floats, category: Numbers) -> Self:
        """The mean direction of each category, numbered from 0, of raw embeddings (n, dim)."""
        unit = normalised(raw)
        centres = np.stack([unit[category == one].mean(axis=0) for one in range(int(category.max()) + 1)])
        return cls(encoder, normalised(centres))

    @classmethod
    def builtin(cls, encoder: PictureEncoder, folder: Path = FOLDER) -> Self:
        """Of the shipped embeddings of objects 00 to 06, the temperature from object 07.

        Raises:
            InputError: they were made by another encoder.
        """
        shipped = builtin_embeddings(folder)
        if shipped.encoder != encoder.name:
            raise InputError(
                f"expected the encoder of the shipped embeddings, {shipped.encoder}, got {encoder.name}; "
                "take the pocket encoder, or `Centres.of` with embeddings of your own"
            )
        category = np.array([CATEGORIES.index(item.category) for item in ITEMS], dtype=np.int64)
        number = np.array([int(item.object) for item in ITEMS])
        fitted, chosen = np.isin(number, TRAINING), np.isin(number, SELECTION)
        plain = cls.of(encoder, shipped.raw[fitted], category[fitted])
        cosines = plain.from_embeddings(Embeddings(encoder.name, shipped.raw[chosen]))
        return replace(plain, temperature=_temperature_of(cosines, category[chosen]))

    def logits(self, pictures: Pictures) -> Floats:
        """(n, height, width, 3) to (n, categories)."""
        return self.from_embeddings(Embeddings(self.encoder.name, self.encoder.embed(pictures)))

    def from_embeddings(self, embeddings: Embeddings) -> Floats:
        """(n, dim) to (n, categories)."""
        return np.asarray(normalised(embeddings.raw) @ self.directions.T / self.temperature, dtype=np.float32)


def generation_credit(truth_logits: Floats, made_logits: Floats, n_way: int = N_WAY, k: int = 1) -> Array:
    """(n,) the probability that what the classifier calls the truth is among its first `k` of `n_way` on what was made.

    The mean over all draws of the other classes, which `drawn_accuracies` comes near to with many repeats.

    Raises:
        InputError: shapes differ, or fewer classes than `n_way`.
    """
    label = _labels(truth_logits, made_logits)
    return np.asarray(top_k_credit(made_logits, k, n_way)[np.arange(len(label)), label])


def drawn_accuracies(
    truth_logits: Floats, made_logits: Floats, n_way: int = N_WAY, n_repeats: int = N_REPEATS, seed: int = 0
) -> Array:
    """(n_repeats,) top-1 accuracies as published: the other classes drawn anew for each item and repeat.

    Raises:
        InputError: shapes differ, or fewer classes than `n_way`.
    """
    label = _labels(truth_logits, made_logits)
    n, n_classes = made_logits.shape
    if n_way > n_classes:
        raise InputError(f"expected at least {n_way} classes, got {n_classes}; ask for fewer ways")
    rng = np.random.default_rng(seed)
    chances = rng.random((n_repeats, n, n_classes))
    chances[:, np.arange(n), label] = np.inf
    others = np.argsort(chances, axis=2)[:, :, : n_way - 1]
    best_other = np.take_along_axis(made_logits[None], others, axis=2).max(axis=2)
    hits = made_logits[np.arange(n), label] > best_other
    return np.asarray(hits.mean(axis=1))


def _temperature_of(cosines: Floats, category: Numbers) -> float:
    """The temperature of the softmax under which what was shown is likeliest (Guo et al. 2017, ICML).

    Not smoothed as `calibration.stats.temperature_of`: with one item of each of 72 classes its targets would be 0.5.
    """

    def surprise(log_temperature: float) -> float:
        logits = cosines.astype(np.float64) / np.exp(log_temperature)
        return float(np.mean(logsumexp(logits, axis=1) - logits[np.arange(len(category)), category]))

    return float(np.exp(minimize_scalar(surprise, bounds=(-8.0, 2.0)).x))


def _labels(truth_logits: Floats, made_logits: Floats) -> Numbers:
    if truth_logits.shape != made_logits.shape:
        raise InputError(f"expected values of pairs of pictures, got {truth_logits.shape} and {made_logits.shape}")
    return np.asarray(truth_logits.argmax(axis=1), dtype=np.int64)
