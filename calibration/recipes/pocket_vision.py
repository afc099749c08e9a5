"""Training of the pocket vision encoder on built-in objects 00 to 06; 07 chooses the step, 08 and 09 stay unopened.

    loss =   category of the direction     (cosine classifier: retrieval by cosine is what it is for)
           + 0.5 main colour               (linear)
           + 0.25 two views of one object among views of others, one of them of its own category (InfoNCE)
           + the picture itself, 24 px     (linear: what generators need to find in the embedding again)

Each object comes in its own and in other colours, so that shape alone tells the category. See
docs/decisions/0111-pocket-vision.md.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from calibration.objects.catalogue import CATEGORIES, SELECTION, TRAINING
from calibration.objects.colours import LABELS
from calibration.recipes.augment import TARGET_PX, Augmentation, augmented
from calibration.recipes.object_views import ObjectViews, digest_of, solids_of, views_of
from calibration.recipes.progress import Progress, part
from engines.vision.base import Embeddings, Normalised, normalised
from engines.vision.pocket import PocketConfig, PocketNet, PocketOrigin, PocketVision

Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Recipe:
    """How long and how hard. A batch holds two views of two objects of each of `n_categories` categories."""

    n_steps: int = 2400
    n_categories: int = 32
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    temperature: float = 0.1
    scale: float = 16.0
    colour_weight: float = 0.5
    object_weight: float = 0.25
    picture_weight: float = 1.0
    n_checks: int = 10
    augmentation: Augmentation = field(default_factory=Augmentation)


class Heads(nn.Module):
    """What asks the embedding questions during training, and is thrown away after it."""

    def __init__(self, dim: int, n_categories: int) -> None:
        super().__init__()
        self.category = nn.Linear(dim, n_categories, bias=False)
        self.colour = nn.Linear(dim, len(LABELS))
        self.picture = nn.Linear(dim, 4 * TARGET_PX**2)


@dataclass(frozen=True, eq=False)
class Batch:
    """Rows i and n + i are two views of one object in one paint."""

    pixels: Tensor
    clean: Tensor
    categories: Tensor
    colours: Tensor


def train(
    seed: int, cache: Path, recipe: Recipe | None = None, categories: Sequence[str] = CATEGORIES,
    progress: Progress | None = None,
) -> PocketVision:  # fmt: skip
    """Render the training and selection objects (or read them from `cache`), and train on them.

    About a quarter of an hour on two cores. The file's `trained_on` and `selected_on` are `digest_of` the objects.

    Thread: one at a time (it holds a graphics context).
    """
    config, recipe = PocketConfig(), recipe or Recipe()
    training, selection = solids_of(categories, TRAINING), solids_of(categories, SELECTION)
    views = views_of(training, config.size_px, cache, part(progress, 0.0, 0.2))
    asked = views_of(selection, config.size_px, cache)
    net, scores = fitted(config, views, asked, recipe, seed, part(progress, 0.2, 1.0))
    return PocketVision(config, net, PocketOrigin(digest_of(training), digest_of(selection), seed, scores))


def fitted(
    config: PocketConfig, views: ObjectViews, selection: ObjectViews, recipe: Recipe, seed: int,
    progress: Progress | None = None,
) -> tuple[PocketNet, dict[str, float]]:  # fmt: skip
    """Train on `views`; returns the network of the check that scored best on `selection`, and its scores there.

    The same seed gives the same weights on the same machine with the same number of threads.
    """
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net, heads = PocketNet(config), Heads(config.dim, int(views.categories.max()) + 1)
    net = net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    parameters = [*net.parameters(), *heads.parameters()]
    optimiser = torch.optim.AdamW(parameters, lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, recipe.learning_rate, total_steps=recipe.n_steps, pct_start=0.1
    )
    best: tuple[float, dict[str, Tensor], dict[str, float]] = (-1.0, {}, {})
    checks = set(np.linspace(0, recipe.n_steps, recipe.n_checks + 1, dtype=int)[1:].tolist())
    for step, batch in enumerate(_batches(views, config, recipe, seed), start=1):
        loss = _loss(net.train(), heads, batch, recipe)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        if step in checks:
            scores = scored(net, config, views, selection)
            if sum(scores.values()) > best[0]:
                state = {name: value.clone() for name, value in net.state_dict().items()}
                best = (sum(scores.values()), state, scores)
        if progress:
            progress(step / recipe.n_steps)
    net.load_state_dict(best[1])
    return net.eval(), best[2]


def _batches(views: ObjectViews, config: PocketConfig, recipe: Recipe, seed: int) -> Iterator[Batch]:
    """Each is made while the one before is learned from."""
    rng, random = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    with ThreadPoolExecutor(1, thread_name_prefix="batches") as ahead:
        coming = ahead.submit(_batch, views, config, recipe, rng, random)
        for left in reversed(range(recipe.n_steps)):
            batch = coming.result()
            if left:
                coming = ahead.submit(_batch, views, config, recipe, rng, random)
            yield batch


def _batch(
    views: ObjectViews, config: PocketConfig, recipe: Recipe, rng: np.random.Generator, random: torch.Generator
) -> Batch:
    objects = np.concatenate([
        rng.choice(np.flatnonzero(views.categories == category), 2, replace=False)
        for category in rng.permutation(int(views.categories.max()) + 1)[: recipe.n_categories]
    ])  # fmt: skip
    n_angles, n_paints = views.pictures.shape[1], views.gains.shape[1]
    objects, paints = np.tile(objects, 2), np.tile(rng.integers(n_paints, size=len(objects)), 2)
    angles = rng.integers(n_angles, size=len(objects))
    seen = augmented(
        torch.from_numpy(views.pictures[objects, angles]),
        torch.from_numpy(views.parts[objects, angles]),
        torch.from_numpy(views.gains[objects, paints]),
        recipe.augmentation,
        random,
    )
    pixels = (seen.pictures - config.pixels.mean[0]) / config.pixels.std[0]
    categories, colours = views.categories[objects], views.colours[objects, paints]
    return Batch(
        pixels.contiguous(memory_format=torch.channels_last), seen.clean,
        torch.from_numpy(categories), torch.from_numpy(colours),
    )  # fmt: skip


def _loss(net: PocketNet, heads: Heads, batch: Batch, recipe: Recipe) -> Tensor:
    # Half the time of single precision on processors that multiply in it; the weights stay single.
    with torch.autocast("cpu", torch.bfloat16):
        raw = net(batch.pixels)  # (n, dim)
    raw = raw.float()
    unit = functional.normalize(raw, dim=1)
    towards = functional.normalize(heads.category.weight, dim=1)
    category = functional.cross_entropy(recipe.scale * unit @ towards.T, batch.categories, label_smoothing=0.05)
    colour = functional.cross_entropy(heads.colour(raw), batch.colours)
    picture = functional.mse_loss(heads.picture(raw), batch.clean.flatten(1)) / batch.clean.var(dim=0).mean()
    return (
        category
        + recipe.colour_weight * colour
        + recipe.object_weight * _same_object(unit, recipe.temperature)
        + recipe.picture_weight * picture
    )


def _same_object(unit: Tensor, temperature: float) -> Tensor:
    """InfoNCE (van den Oord et al. 2018, arXiv:1807.03748): row i belongs to row i + n / 2, all others are others."""
    n = len(unit)
    alike = (unit @ unit.T / temperature).masked_fill(torch.eye(n, dtype=torch.bool), -torch.inf)
    return functional.cross_entropy(alike, (torch.arange(n) + n // 2) % n)


def scored(net: PocketNet, config: PocketConfig, known: ObjectViews, asked: ObjectViews) -> dict[str, float]:
    """Category retrieval from the picture (`front`) and from every second angle (`turned`), each of 1."""
    means = class_means(_embedded(net, config, known.fronts), known.categories)
    every = asked.pictures[:, ::2]
    fronts = _embedded(net, config, asked.fronts)
    turned = _embedded(net, config, every.reshape(-1, *every.shape[2:]))
    return {
        "front": retrieval(means, fronts, asked.categories),
        "turned": retrieval(means, turned, np.repeat(asked.categories, every.shape[1])),
    }


def _embedded(net: PocketNet, config: PocketConfig, pictures: NDArray[np.uint8]) -> Normalised:
    net.eval()
    with torch.inference_mode():
        parts = [
            net(config.pixels.prepared(some)).numpy() for some in np.split(pictures, range(256, len(pictures), 256))
        ]
    return Embeddings("in training", np.concatenate(parts)).normalised()


def class_means(known: Normalised, categories: Labels) -> Normalised:
    """(category, dim) the mean direction of each category's embeddings."""
    means = [known.unit[categories == category].mean(axis=0) for category in np.unique(categories)]
    return Normalised(known.encoder, normalised(np.array(means)))


def retrieval(means: Normalised, asked: Normalised, categories: Labels) -> float:
    """Share of embeddings whose nearest mean is that of their own category."""
    return float(np.mean(asked.cosines(means).argmax(axis=1) == categories))


def togetherness(views: Normalised, objects: Labels, rivals: Labels | None = None) -> float:
    """How often two views of one object are closer than one of them and a view of another object; 0.5 is chance.

    `objects` (n,) tells which object each view shows; with `rivals` (n,) only others with the same rival number count.
    """
    cosines = views.cosines(views)
    shares = []
    for i in range(len(objects)):
        same = np.flatnonzero((objects == objects[i]) & (np.arange(len(objects)) != i))
        others = objects != objects[i] if rivals is None else (objects != objects[i]) & (rivals == rivals[i])
        shares.append(np.mean(cosines[i, same][:, None] > cosines[i, others][None, :]))
    return float(np.mean(shares))
