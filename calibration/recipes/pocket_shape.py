"""Training of the pocket shape decoder on built-in objects 00 to 06; 07 chooses the step, 08 and 09 stay unopened.

    loss =   cross entropy of the share of objects around a point, against whether this one is around it (blurred);
             points close to this one's surface weigh the less the less certain it is
           + 2 (colour - colour of the nearest part)^2 near the surface (with the absolute error, all stay brown)

Asked are points near the surface and all about. Embeddings are those of the pocket vision encoder: of the object as its
picture shows it and turned a little to both sides, in its own and in other paints; they are disturbed as decoded ones
are, from a little to so much that nothing is left, and the network is told how much. The answer is always the object in
its own frame. See docs/decisions/0166-pocket-shape.md and 0183-how-sure-an-embedding-is.md.
"""

import copy
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from calibration.metrics.shapes import f_score, sampled
from calibration.objects.catalogue import CATEGORIES, SELECTION, TRAINING
from calibration.objects.distance import nearest_part, signed_distance
from calibration.objects.render import BACKGROUND
from calibration.objects.solid import Solid, scatter
from calibration.recipes.augment import repainted
from calibration.recipes.disturbed import Pool, disturbed
from calibration.recipes.object_views import ObjectViews, digest_of, solids_of, views_of
from calibration.recipes.progress import Progress, part
from engines.errors import WorkError
from engines.generators.base import Seen, Surface
from engines.generators.shape import Drawing, PocketShape, ShapeConfig, ShapeNet, ShapeOrigin
from engines.vision.base import Floats, PictureEncoder
from engines.vision.pocket import PocketVision
from pipeline.types import Array

N_ASKED = 16_384
ANGLES = (0, 1, -1)
"""Of the views: the picture itself, and turned to both sides."""
SURE, LOW, HIGH = (0.6, 0.5, 0.4), (0.15, 0.2, 0.25, 0.3), (0.8, 1.0, 1.25, 1.5, 2.0)
"""Shares of objects at which the surface may be drawn: a certain one, and from where to where of a guess."""
TOLERANCE, OF_GUESSES = 0.05, 0.1
"""At which pictures are compared, and a guess, as the floor of mean points is (`calibration.decoding.reconstruct`)."""
CHECKED = (1.0, 0.5, 0.15)
"""Certainties at which a training is judged."""

_SCATTER = (0.03, 0.1)
_CUBE, _AREA = 2.1**3, 2.0
_NEAR = 0.05
_N_CHECKED = 2048
_N_COMPARED = 2048


@dataclass(frozen=True)
class Recipe:
    """How long and how hard. `least` is the least correlation that a disturbed embedding keeps with the true one."""

    n_steps: int = 1600
    n_objects: int = 32
    n_points: int = 1024
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    least: float = 0.02
    colour_weight: float = 2.0
    n_checks: int = 8


@dataclass(frozen=True, eq=False)
class Shapes:
    """What is known of objects.

    `embeddings` (object, angle, paint, dim) raw; `points` (object, n, 3), `distances` and `parts` (object, n) of them;
    `paints` (object, paint, part, 3) colours of parts.
    """

    embeddings: Floats
    points: NDArray[np.float16]
    distances: NDArray[np.float16]
    parts: NDArray[np.uint8]
    paints: Floats


def train(
    seed: int, cache: Path, recipe: Recipe | None = None, categories: Sequence[str] = CATEGORIES,
    progress: Progress | None = None, snapshot: Path | None = None,
) -> PocketShape:  # fmt: skip
    """Render and measure the training and selection objects (or read them from `cache`), and train on them.

    About half an hour on two cores. Each better network is written to `snapshot` as soon as it is found.

    Thread: one at a time (it holds a graphics context).
    """
    encoder = PocketVision.load()
    training, selection = solids_of(categories, TRAINING), solids_of(categories, SELECTION)
    known = shapes_of(training, encoder, cache, part(progress, 0.0, 0.4))
    asked = shapes_of(selection, encoder, cache, part(progress, 0.4, 0.45))
    origin = ShapeOrigin(digest_of(training), digest_of(selection), seed, {})
    fitting = Fitting(ShapeConfig(), known, recipe or Recipe(), seed)

    def keep(net: ShapeNet) -> None:
        if snapshot:
            PocketShape(copy.deepcopy(net), Drawing(SURE[0], LOW[0], HIGH[0]), origin).save(snapshot)

    net = fitting.run(asked, part(progress, 0.45, 1.0), keep)
    return drawn(net, asked, selection, origin)


def shapes_of(
    solids: Sequence[Solid], encoder: PictureEncoder, cache: Path, progress: Progress | None = None
) -> Shapes:
    """Everything that is learned from `solids`; views and distances are kept in the folder `cache`."""
    size_px = 96
    views = views_of(solids, size_px, cache, part(progress, 0.0, 0.5))
    measured = []
    for i, solid in enumerate(solids):
        measured.append(_measured(solid, cache))
        if progress:
            progress(0.5 + 0.5 * (i + 1) / len(solids))
    points, distances, parts = (np.stack(column) for column in zip(*measured, strict=True))
    return Shapes(_embedded(views, encoder), points, distances, parts, _painted(solids, views))


def _measured(solid: Solid, cache: Path) -> tuple[NDArray[np.float16], NDArray[np.float16], NDArray[np.uint8]]:
    key = hashlib.sha256(repr((solid.digest, N_ASKED, _SCATTER)).encode()).hexdigest()[:16]
    path = cache / f"{solid.category}-{solid.name}-distances-{key}.npz"
    if not path.exists():
        points = _points_about(solid)
        distances, parts = (measure(solid, points.astype(np.float64)) for measure in (signed_distance, nearest_part))
        unfinished = path.with_suffix(".part.npz")
        np.savez(unfinished, points=points, distances=distances.astype(np.float16), parts=parts.astype(np.uint8))
        unfinished.replace(path)
    with np.load(path) as stored:
        return stored["points"], stored["distances"], stored["parts"]


def _points_about(solid: Solid) -> NDArray[np.float16]:
    """Half close to the surface, a quarter about it, a quarter anywhere."""
    rng = np.random.default_rng(solid.number)
    near, about = N_ASKED // 2, N_ASKED // 4
    surface = scatter(solid.vertices, solid.faces, near + about, rng)[0]
    surface[:near] += _SCATTER[0] * rng.standard_normal((near, 3))
    surface[near:] += _SCATTER[1] * rng.standard_normal((about, 3))
    anywhere = rng.uniform(-1.05, 1.05, (N_ASKED - near - about, 3))
    mixed: NDArray[np.float16] = rng.permutation(np.concatenate([surface, anywhere])).astype(np.float16)
    return mixed


def _embedded(views: ObjectViews, encoder: PictureEncoder) -> Floats:
    """(object, angle, paint, dim)."""
    n_objects, n_paints = views.gains.shape[:2]
    raw = np.empty((n_objects, len(ANGLES), n_paints, encoder.dim), dtype=np.float32)
    for i in range(n_objects):
        for a, angle in enumerate(ANGLES):
            pictures = torch.from_numpy(views.pictures[i, angle])[None].expand(n_paints, -1, -1, -1)
            parts = torch.from_numpy(views.parts[i, angle])[None].expand(n_paints, -1, -1)
            layers = repainted(pictures, parts, torch.from_numpy(views.gains[i]))
            seen = 255 * layers[:, :3] + BACKGROUND * (1 - layers[:, 3:])
            raw[i, a] = encoder.embed(seen.round().byte().permute(0, 2, 3, 1).numpy())
    return raw


def _painted(solids: Sequence[Solid], views: ObjectViews) -> Floats:
    """(object, paint, part, 3)."""
    paints = np.zeros((*views.gains.shape[:2], views.gains.shape[2] - 1, 3), dtype=np.float32)
    for row, gains, solid in zip(paints, views.gains, solids, strict=True):
        own = np.array([part.colour for part in solid.parts])
        row[:, : len(own)] = np.clip(gains[:, 1 : 1 + len(own)] * own, 0, 1)
    return paints


class Fitting:
    """One training. The same seed gives the same weights on the same machine with the same number of threads."""

    def __init__(self, config: ShapeConfig, known: Shapes, recipe: Recipe, seed: int) -> None:
        self._known, self._recipe = known, recipe
        self._rng, self._random = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.net = ShapeNet(config)
        raw = known.embeddings.reshape(-1, known.embeddings.shape[-1])
        self._pool = Pool.of(torch.from_numpy(raw))
        self.net.centre.copy_(self._pool.centre)
        self.net.spread.copy_(self._pool.spread)
        self._optimiser = torch.optim.AdamW(
            self.net.parameters(), recipe.learning_rate, weight_decay=recipe.weight_decay
        )
        self._schedule = torch.optim.lr_scheduler.OneCycleLR(
            self._optimiser, recipe.learning_rate, total_steps=recipe.n_steps, pct_start=0.1
        )

    def run(
        self, asked: Shapes, progress: Progress | None = None, snapshot: Callable[[ShapeNet], None] | None = None
    ) -> ShapeNet:
        """Train; returns the network of the check whose loss on `asked` was lowest. Each better one is a snapshot."""
        recipe, lowest, best = self._recipe, np.inf, dict[str, Tensor]()
        checks = set(np.linspace(0, recipe.n_steps, recipe.n_checks + 1, dtype=int)[1:].tolist())
        for step in range(1, recipe.n_steps + 1):
            self.step()
            if step in checks and (loss := self.loss_on(asked)) < lowest:
                lowest, best = loss, {name: value.clone() for name, value in self.net.state_dict().items()}
                if snapshot:
                    snapshot(self.net)
            if progress:
                progress(step / recipe.n_steps)
        self.net.load_state_dict(best)
        return self.net

    def step(self) -> float:
        """Learn from one batch; returns its loss."""
        loss = _loss(self.net.train(), *self._batch(), self._recipe)
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimiser.step()
        self._schedule.step()
        return float(loss.detach())

    def loss_on(self, asked: Shapes) -> float:
        """Of other objects' pictures, as certain as `CHECKED`; always the same points and disturbances."""
        rng, random = np.random.default_rng(0), torch.Generator().manual_seed(0)
        n = len(asked.embeddings)
        raw = torch.from_numpy(asked.embeddings[:, 0, 0])
        batch = _batch(asked, np.arange(n), np.zeros(n, dtype=int), _N_CHECKED, rng)
        losses = []
        for share in CHECKED:
            certainty = torch.full((n, 1), share)
            seen = disturbed(raw, self._pool, certainty, random)
            with torch.inference_mode():
                losses.append(float(_loss(self.net.eval(), seen, certainty, batch, self._recipe)))
        return sum(losses) / len(losses)

    def _batch(self) -> tuple[Tensor, Tensor, "Batch"]:
        known, n, rng = self._known, self._recipe.n_objects, self._rng
        n_objects, n_angles, n_paints = known.embeddings.shape[:3]
        rows, angles, paints = (rng.integers(most, size=n) for most in (n_objects, n_angles, n_paints))
        raw = torch.from_numpy(known.embeddings[rows, angles, paints])
        least = self._recipe.least
        certainty = least + (1 - least) * torch.rand(n, 1, generator=self._random)
        return (
            disturbed(raw, self._pool, certainty, self._random),
            certainty,
            _batch(known, rows, paints, self._recipe.n_points, rng),
        )


@dataclass(frozen=True, eq=False)
class Batch:
    """`points` (n, m, 3), `distances` (n, m), `colours` (n, m, 3)."""

    points: Tensor
    distances: Tensor
    colours: Tensor


def _batch(
    shapes: Shapes, rows: NDArray[np.int64], paints: NDArray[np.int64], n_points: int, rng: np.random.Generator
) -> Batch:
    at = (rows[:, None], rng.integers(shapes.points.shape[1], size=(len(rows), n_points)))
    points, distances = (torch.from_numpy(values[at]).float() for values in (shapes.points, shapes.distances))
    return Batch(points, distances, torch.from_numpy(shapes.paints[rows[:, None], paints[:, None], shapes.parts[at]]))


def _loss(net: ShapeNet, embeddings: Tensor, certainty: Tensor, batch: Batch, recipe: Recipe) -> Tensor:
    # Less time than in single precision on processors that multiply in it; the weights stay single.
    with torch.autocast("cpu", torch.bfloat16):
        answers: tuple[Tensor, Tensor] = net(embeddings, certainty, batch.points)
    logits, colours = (answer.float() for answer in answers)
    weights = _seldom(batch.distances) ** (1 - certainty)
    around = functional.binary_cross_entropy_with_logits(
        logits, torch.sigmoid(-batch.distances / net.config.soft), weights / weights.mean(dim=1, keepdim=True)
    )
    off = (colours - batch.colours).square()[batch.distances.abs() < _NEAR]
    return around + recipe.colour_weight * off.mean()


def _seldom(distances: Tensor) -> Tensor:
    """How seldom a point so far from a surface is asked for, 1 far from it, for objects of surface `_AREA`.

    Points are asked near an object's own surface. To a network that does not know which object it is, this would tell
    that surfaces are near wherever it is asked.
    """
    shares = (1 / 2, 1 / 4)
    anywhere = (1 - sum(shares)) / _CUBE
    often = torch.ones_like(distances)
    for share, width in zip(shares, _SCATTER, strict=True):
        height = share / (_AREA * width * (2 * np.pi) ** 0.5)
        often = often + height / anywhere * torch.exp(-((distances / width) ** 2) / 2)
    return 1 / often


def drawn(net: ShapeNet, asked: Shapes, solids: Sequence[Solid], origin: ShapeOrigin) -> PocketShape:
    """`net` drawing as pictures of `solids`, and a guess at them, come out best, with its scores."""
    clouds = [sampled(solid, _N_COMPARED) for solid in solids]
    raw, nothing = asked.embeddings[:, 0, 0], net.centre.numpy()

    def of_pictures(drawing: Drawing) -> dict[str, float]:
        return scored(PocketShape(net, drawing, origin), raw, clouds)

    def of_a_guess(drawing: Drawing) -> float:
        surface = _surface(PocketShape(net, drawing, origin), Seen(nothing, certainty=0.0))
        return 0.0 if surface is None else float(np.mean([_f_score(surface, cloud, OF_GUESSES) for cloud in clouds]))

    sure = max(SURE, key=lambda share: of_pictures(Drawing(share, share, share))["f_score"])
    drawing = max((Drawing(sure, low, high) for low, high in product(LOW, HIGH)), key=of_a_guess)
    scores = of_pictures(drawing) | {"f_score_of_a_guess": of_a_guess(drawing)}
    return PocketShape(net, drawing, replace(origin, scores=scores))


def scored(shape: PocketShape, raw: Floats, clouds: Sequence[Array]) -> dict[str, float]:
    """Means over `clouds`: F-score at `TOLERANCE`, 0 where no surface was found, and the share where one was."""
    surfaces = [_surface(shape, Seen(one)) for one in raw]
    f_scores = [_f_score(s, cloud, TOLERANCE) for s, cloud in zip(surfaces, clouds, strict=True) if s is not None]
    return {"f_score": sum(f_scores) / len(clouds), "found": len(f_scores) / len(clouds)}


def _surface(shape: PocketShape, seen: Seen) -> Surface | None:
    try:
        return shape.surface(seen)
    except WorkError:
        return None


def _f_score(surface: Surface, cloud: Array, tolerance: float) -> float:
    return f_score(sampled(surface, _N_COMPARED), cloud, tolerance)
