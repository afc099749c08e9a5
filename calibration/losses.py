"""What decoders of pictures are trained towards: the five terms of BrainSSD, and their weighted sum.

    global spectral calibration    ||cov(Z) - C||_F^2 / (4 d^2), C the momentum covariance of picture embeddings
    prototype alignment            MMD^2 between momentum prototypes of the categories, one set an EEG, one a picture
    contrastive                    symmetric cross-entropy over the batch, repeats of a picture all count as right
    mean squared error             to the raw embedding of the picture
    classification                 class-weighted cross-entropy of category and colour

Provenance. Published formula (third-party note): the covariance term and its factor, MMD^2 between momentum prototypes,
the sum. Read in public code of Neuro-3D: weights 9.9, 0.1, 0.1 of squared error, contrastive, classification; its
contrastive term multiplies by the raw parameter log(1/0.01) = 4.6, which is never exponentiated, and compares features
that are not normalised. Our reconstruction: momentum 0.99, the kernel (a mixture of Gaussians at 1/4, 1/2, 1, 2 and 4
times the median distance), unit prototypes, gradient through the current batch only, weight 1 for both momentum terms.

Embeddings are raw here, (batch, dim), of the decoder as of the picture; what needs directions normalises by itself.
Momentum terms hold state (buffers) that changes in training mode only. Thread: training only.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from engines.errors import InputError

KERNEL_WIDTHS = (0.25, 0.5, 1.0, 2.0, 4.0)

_HIGHEST_LOG_SCALE = math.log(100)  # as CLIP: Radford et al. 2021, arXiv:2103.00020, 2.5


@dataclass(frozen=True)
class LossWeights:
    """Factors of the terms; a term of factor 0 is neither computed nor kept up to date."""

    squared_error: float = 9.9
    contrastive: float = 0.1
    category: float = 0.1
    colour: float = 0.1
    spectral: float = 1.0
    prototypes: float = 1.0

    def __post_init__(self) -> None:
        """A factor below 0 would drive away."""
        if min(vars(self).values()) < 0:
            raise InputError(f"expected factors of 0 or more; got {self}")


@dataclass(frozen=True)
class LossConfig:
    """The weighted sum. `category_weights` and `colour_weights` are one per class, or None for equal ones.

    `exponentiated` False is the form found in published code: the parameter itself multiplies, not its exponential.
    `normalised` False compares raw embeddings in the contrastive term, as that code does.

    Raises:
        InputError: a momentum outside [0, 1).
    """

    dim: int = 1024
    categories: int = 72
    weights: LossWeights = LossWeights()
    momentum: float = 0.99
    log_scale: float = math.log(1 / 0.07)
    exponentiated: bool = True
    normalised: bool = True
    category_weights: tuple[float, ...] | None = None
    colour_weights: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        """A momentum of 1 would never learn anything."""
        if not 0 <= self.momentum < 1:
            raise InputError(f"expected a momentum from 0 to below 1; got {self.momentum:g}")


NEURO3D_FORM = LossConfig(log_scale=math.log(1 / 0.01), exponentiated=False, normalised=False)


class Answers(NamedTuple):
    """What a decoder says: raw `embedding` (batch, dim), logits of `category` and `colour` (batch, classes)."""

    embedding: Tensor
    category: Tensor
    colour: Tensor


class Truth(NamedTuple):
    """What was shown: raw `embedding` of the picture; which picture (`item`), `category`, `colour`, (batch,) int64."""

    embedding: Tensor
    item: Tensor
    category: Tensor
    colour: Tensor


class Losses(NamedTuple):
    """The weighted `total`, which has the gradient, and the unweighted `terms` by name, which have none."""

    total: Tensor
    terms: dict[str, float]


class WeightedLoss(nn.Module):
    """The sum of a `LossConfig`; its only parameter is the contrastive scale, to be trained along."""

    category_weights: Tensor | None
    colour_weights: Tensor | None

    def __init__(self, config: LossConfig) -> None:
        super().__init__()
        self.config = config
        self.log_scale = nn.Parameter(torch.tensor(config.log_scale))
        self.covariance = MomentumCovariance(config.dim, config.momentum)
        self.prototypes = PrototypeAlignment(config.categories, config.dim, config.momentum)
        self.register_buffer("category_weights", _weights(config.category_weights))
        self.register_buffer("colour_weights", _weights(config.colour_weights))

    def forward(self, answers: Answers, truth: Truth) -> Losses:
        """All terms of a batch of two trials or more.

        Raises:
            InputError: one trial, or embeddings of different shapes.
        """
        if answers.embedding.shape != truth.embedding.shape or len(truth.embedding) < 2:
            raise InputError(
                f"expected embeddings of one shape, two trials or more; "
                f"got {tuple(answers.embedding.shape)} and {tuple(truth.embedding.shape)}"
            )
        factors = vars(self.config.weights)
        terms = {name: getattr(self, f"_{name}")(answers, truth) for name, factor in factors.items() if factor}
        if not terms:
            raise InputError("expected one factor above 0 or more; got none")
        total = torch.stack([factors[name] * term for name, term in terms.items()]).sum()
        return Losses(total, {name: float(term.detach()) for name, term in terms.items()})

    def _squared_error(self, answers: Answers, truth: Truth) -> Tensor:
        return functional.mse_loss(answers.embedding, truth.embedding)

    def _contrastive(self, answers: Answers, truth: Truth) -> Tensor:
        c = self.config
        scale = self.log_scale.clamp(max=_HIGHEST_LOG_SCALE).exp() if c.exponentiated else self.log_scale
        return contrastive(answers.embedding, truth.embedding, scale, truth.item, c.normalised)

    def _category(self, answers: Answers, truth: Truth) -> Tensor:
        return functional.cross_entropy(answers.category, truth.category, self.category_weights)

    def _colour(self, answers: Answers, truth: Truth) -> Tensor:
        return functional.cross_entropy(answers.colour, truth.colour, self.colour_weights)

    def _spectral(self, answers: Answers, truth: Truth) -> Tensor:
        return spectral_calibration(answers.embedding, self.covariance(truth.embedding))

    def _prototypes(self, answers: Answers, truth: Truth) -> Tensor:
        loss: Tensor = self.prototypes(answers.embedding, truth.embedding, truth.category)
        return loss


def covariance(rows: Tensor) -> Tensor:
    """(n, dim) to (dim, dim): (Z'Z - (1'Z)'(1'Z) / n) / (n - 1)."""
    centred = rows - rows.mean(dim=0)
    return centred.T @ centred / (len(rows) - 1)


def spectral_calibration(embedding: Tensor, target: Tensor) -> Tensor:
    """||cov(embedding) - target||_F^2 / (4 d^2), `target` (dim, dim)."""
    return (covariance(embedding) - target).square().sum() / (4 * embedding.shape[1] ** 2)


def contrastive(
    embedding: Tensor, target: Tensor, scale: Tensor, item: Tensor | None = None, normalised: bool = True
) -> Tensor:
    """Symmetric cross-entropy between (batch, dim) answers and pictures, over scaled products.

    Rows of the same `item` (batch,) are all right, each with an equal share, in both directions (Khosla et al. 2020,
    arXiv:2004.11362, the outer form). None counts the own row alone. For repeats with the very same target both are
    equal, in value and gradient, for views of one item not: docs/decisions/0133-repeats-in-the-contrastive-term.md.
    """
    if normalised:
        embedding, target = functional.normalize(embedding, dim=1), functional.normalize(target, dim=1)
    logits = scale * embedding @ target.T
    if item is None:
        item = torch.arange(len(logits), device=logits.device)
    same = (item[:, None] == item[None]).to(logits.dtype)
    right = same / same.sum(dim=1, keepdim=True)
    return (functional.cross_entropy(logits, right) + functional.cross_entropy(logits.T, right)) / 2


class MomentumCovariance(nn.Module):
    """The covariance of picture embeddings, averaged over batches; the first batch is taken whole."""

    value: Tensor
    batches: Tensor

    def __init__(self, dim: int, momentum: float) -> None:
        super().__init__()
        self.momentum = momentum
        self.register_buffer("value", torch.zeros(dim, dim))
        self.register_buffer("batches", torch.tensor(0))

    @torch.no_grad()
    def forward(self, target: Tensor) -> Tensor:
        """(batch, dim) to (dim, dim), of this batch and those before; without gradient."""
        if self.training:
            kept = self.momentum if self.batches > 0 else 0.0
            self.value.mul_(kept).add_(covariance(target), alpha=1 - kept)
            self.batches.add_(1)
        return self.value


class PrototypeAlignment(nn.Module):
    """MMD^2 between the categories' prototypes of EEG and of pictures, among the categories seen so far.

    A prototype is the momentum mean of unit embeddings of its category, made unit again; gradient flows through what
    the current batch adds to it.
    """

    eeg: Tensor
    pictures: Tensor
    seen: Tensor

    def __init__(self, categories: int, dim: int, momentum: float) -> None:
        super().__init__()
        self.momentum = momentum
        self.register_buffer("eeg", torch.zeros(categories, dim))
        self.register_buffer("pictures", torch.zeros(categories, dim))
        self.register_buffer("seen", torch.zeros(categories, dtype=torch.bool))

    def forward(self, embedding: Tensor, target: Tensor, category: Tensor) -> Tensor:
        """Raw (batch, dim) of both and (batch,) categories to MMD^2.

        Raises:
            InputError: evaluated before a first batch was trained on.
        """
        eeg, pictures, seen = self.eeg, self.pictures, self.seen
        if self.training:
            eeg = self._moved(eeg, embedding, category)
            pictures = self._moved(pictures, target.detach(), category)
            seen = seen.index_fill(0, category, True)
            self.eeg, self.pictures, self.seen = eeg.detach(), pictures, seen
        if not seen.any():
            raise InputError("expected prototypes of one category or more; train on a batch before evaluating")
        return mmd(functional.normalize(eeg[seen], dim=1), functional.normalize(pictures[seen], dim=1))

    def _moved(self, prototypes: Tensor, rows: Tensor, category: Tensor) -> Tensor:
        """Prototypes (categories, dim) after a batch; a category's first batch is taken whole."""
        there = functional.one_hot(category, len(prototypes)).to(rows.dtype)  # (batch, categories)
        count = there.sum(dim=0)[:, None]
        mean = there.T @ functional.normalize(rows, dim=1) / count.clamp_min(1)
        kept = self.momentum * self.seen[:, None].to(rows.dtype)
        return torch.where(count > 0, kept * prototypes + (1 - kept) * mean, prototypes)


def mmd(first: Tensor, second: Tensor) -> Tensor:
    """Squared maximum mean discrepancy of (n, dim) and (m, dim), all pairs counted (Gretton et al. 2012, JMLR 13:723).

    The kernel is the mean of exp(-d^2 / 2 s^2) over s = `KERNEL_WIDTHS` x the (lower) median distance between different
    rows of both sets together, which has no gradient.
    """
    rows = torch.cat([first, second])
    products = rows @ rows.T
    lengths = products.diagonal()
    squared = (lengths[:, None] + lengths[None] - 2 * products).clamp_min(0)
    others = squared.detach()[~torch.eye(len(rows), dtype=torch.bool, device=rows.device)]
    median = others.median().clamp_min(torch.finfo(rows.dtype).tiny)  # of squares is the square of the median
    kernel = torch.stack([torch.exp(-squared / (2 * width**2 * median)) for width in KERNEL_WIDTHS]).mean(dim=0)
    n = len(first)
    return kernel[:n, :n].mean() + kernel[n:, n:].mean() - 2 * kernel[:n, n:].mean()


def _weights(values: tuple[float, ...] | None) -> Tensor | None:
    return None if values is None else torch.tensor(values)
