"""Training: a recipe and trials in, a fitted decoder out.

AdamW under a one-cycle schedule. Every batch sees shortened turns, none at all, missing channels and noise, so that any
beginning of a trial decodes (`calibration/decoding/vary.py`). The step that is kept is the one that ranked the true
category best on the selection objects, which teach nothing. Test objects are never handed in.

Everything random comes from one generator: the same seed, data and number of threads give the same weights.

Thread: one; `progress` is called from it.
"""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from calibration.decoding.trials import Floats, Numbers, TrialSet
from calibration.decoding.vary import Variation, Varied, shortened, varied
from calibration.losses import Answers, LossConfig, Truth, WeightedLoss
from engines.errors import InputError
from engines.models.base import Network

# How many trials are predicted in one call.
_AT_ONCE = 64
_SCALE = 10.0  # of cosines to prototypes, where a system has no classifier of its own


@dataclass(frozen=True)
class Budget:
    """How long and how hard a network is trained."""

    epochs: int = 30
    batch: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    warm_up: float = 0.15
    clip: float = 1.0
    variation: Variation = field(default_factory=Variation)


class Recipe(Protocol):
    """How a system is made from trials."""

    @property
    def name(self) -> str:
        """What tables call it."""
        ...

    def fit(self, training: TrialSet, selection: TrialSet, seed: int, progress: "Progress | None" = None) -> "Fitted":
        """Train on one set, choose by another.

        Raises:
            InputError: sets that do not belong together, or too few trials.
        """
        ...


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a decoder says of n trials: `embedding` (n, dim) raw, logits of `category` (n, K) and `colour` (n, 6).

    `centre` (dim,) is the mean embedding of the training pictures: directions are compared from there.
    """

    embedding: Floats
    category: Floats
    colour: Floats
    centre: Floats


@dataclass(frozen=True)
class Step:
    """Where training stands: `share` done, `epoch` of `epochs`, mean training `loss`, selection `score`."""

    share: float
    epoch: int
    epochs: int
    loss: float
    score: float


Progress = Callable[[Step], None]


class Fitted(Protocol):
    """A trained decoder. Thread: one at a time."""

    def predict(self, trials: TrialSet, n_dynamic: int | None = None) -> Predictions:
        """Answers to whole trials; to their first `n_dynamic` samples of the turn (0: the picture alone).

        Raises:
            InputError: other channels than it was trained on.
        """
        ...


class Wiring(Protocol):
    """What a network's inputs and outputs mean; one for each kind of network."""

    anytime: bool

    def outputs(self, network: Network, batch: Varied) -> Answers:
        """One step. Of what the network does not answer there are no columns: (batch, 0)."""
        ...


@dataclass(frozen=True, eq=False)
class Scaling:
    """Between raw embeddings and what a network is trained towards: `centre` (dim,), one `scale` for all features."""

    centre: Floats
    scale: float

    @classmethod
    def of(cls, targets: Floats) -> "Scaling":
        """From the training items' embeddings (n_items, dim)."""
        centre = targets.mean(axis=0)
        return cls(centre.astype(np.float32), float((targets - centre).std()) or 1.0)

    def forward(self, raw: Floats) -> Floats:
        """Raw to centred, of deviation 1."""
        return np.asarray((raw - self.centre) / self.scale, dtype=np.float32)

    def back(self, scaled: Floats) -> Floats:
        """The inverse."""
        return np.asarray(scaled * self.scale + self.centre, dtype=np.float32)


@dataclass(eq=False)
class FittedNetwork:
    """A trained network with what its numbers mean.

    `prototypes` (K, dim) and `colour_prototypes` (6, dim) are mean scaled embeddings of the training items, for
    networks that give embeddings alone.
    """

    network: Network
    wiring: Wiring
    scaling: Scaling
    prototypes: Floats
    colour_prototypes: Floats
    channels: tuple[str, ...]
    score: float = float("nan")
    history: tuple[Step, ...] = ()

    def predict(self, trials: TrialSet, n_dynamic: int | None = None) -> Predictions:
        """See `Fitted`."""
        if trials.channels != self.channels:
            raise InputError(f"expected the channels {', '.join(self.channels)}; got {', '.join(trials.channels)}")
        self.network.eval()
        n_samples = trials.dynamic.shape[2] if n_dynamic is None else n_dynamic
        parts: list[Answers] = []
        device = next(self.network.parameters()).device
        with torch.inference_mode():
            for start in range(0, len(trials), _AT_ONCE):
                rows = slice(start, start + _AT_ONCE)
                dynamic, counts = shortened(trials.dynamic[rows], n_samples)
                batch = Varied(*(torch.from_numpy(a).to(device) for a in (trials.static[rows], dynamic, counts)))
                parts.append(self.wiring.outputs(self.network, batch))
        embedding, category, colour = (torch.cat(some).float().cpu().numpy() for some in zip(*parts, strict=True))
        if not category.shape[1]:
            category = towards(embedding, self.prototypes)
        if not colour.shape[1]:
            colour = towards(embedding, self.colour_prototypes)
        return Predictions(self.scaling.back(embedding), category, colour, self.scaling.centre)


def prototypes_of(scaled: Floats, trials: TrialSet) -> tuple[Floats, Floats]:
    """Mean scaled embedding of the items shown in `trials`, by category (K, dim) and by colour (6, dim)."""
    shown = np.unique(trials.item, return_index=True)[1]
    by = {}
    for name, labels, n in (("category", trials.category, len(trials.categories)), ("colour", trials.colour, 6)):
        by[name] = np.stack([
            _mean(scaled[trials.item[shown][labels[shown] == k]], scaled.shape[1]) for k in range(n)
        ])  # fmt: skip
    return by["category"], by["colour"]


def _mean(rows: Floats, dim: int) -> Floats:
    return rows.mean(axis=0) if len(rows) else np.zeros(dim, np.float32)


def towards(embedding: Floats, prototypes: Floats) -> Floats:
    """Scaled cosines, (n, K)."""
    length = np.linalg.norm(prototypes, axis=1) * np.linalg.norm(embedding, axis=1)[:, None]
    return np.asarray(_SCALE * embedding @ prototypes.T / np.maximum(length, 1e-9), dtype=np.float32)


def fit_network(
    network: Network,
    wiring: Wiring,
    loss: LossConfig,
    budget: Budget,
    training: TrialSet,
    selection: TrialSet,
    seed: int,
    progress: Progress | None = None,
    device: str = "cpu",
) -> FittedNetwork:
    """Train `network` in place; the kept step is the best on `selection`.

    Raises:
        InputError: selection objects among the training objects, other channels, or fewer trials than a batch of two.
    """
    _require_apart(training, selection)
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    scaling = Scaling.of(training.targets[np.unique(training.item)])
    scaled = scaling.forward(training.targets)
    fitted = FittedNetwork(network.to(device), wiring, scaling, *prototypes_of(scaled, training), training.channels)
    criterion = WeightedLoss(loss).to(device)
    n_steps = budget.epochs * len(list(_batches(len(training), budget.batch, np.random.default_rng(0))))
    optimiser = torch.optim.AdamW(
        [*network.parameters(), *criterion.parameters()], lr=budget.learning_rate, weight_decay=budget.weight_decay
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, budget.learning_rate, total_steps=n_steps, pct_start=budget.warm_up
    )
    means = training.averaged()
    best: tuple[float, dict[str, Tensor]] = (-np.inf, {})
    history: list[Step] = []
    for epoch in range(budget.epochs):
        network.train()
        criterion.train()
        losses = []
        for rows in _batches(len(training), budget.batch, rng):
            batch = varied(training, means, rows, budget.variation, wiring.anytime, rng)
            batch = Varied(*(part.to(device) for part in batch))
            truth = _truth(training, scaled, rows, device)
            found = criterion(wiring.outputs(network, batch), truth)
            optimiser.zero_grad()
            found.total.backward()
            nn.utils.clip_grad_norm_(network.parameters(), budget.clip)
            optimiser.step()
            schedule.step()
            losses.append(float(found.total.detach()))
        score = selection_score(fitted, selection)
        if score > best[0]:
            best = (score, copy.deepcopy(network.state_dict()))
        history.append(Step((epoch + 1) / budget.epochs, epoch + 1, budget.epochs, float(np.mean(losses)), score))
        if progress:
            progress(history[-1])
    network.load_state_dict(best[1])
    network.eval()
    fitted.score, fitted.history = best[0], tuple(history)
    return fitted


def selection_score(fitted: Fitted, selection: TrialSet) -> float:
    """Mean reciprocal rank of the true category, over trials, for the whole turn and the picture alone."""
    whole = fitted.predict(selection)
    picture = fitted.predict(selection, 0)
    return float(np.mean([reciprocal_rank(p.category, selection.category) for p in (whole, picture)]))


def reciprocal_rank(logits: Floats, true: Numbers) -> float:
    """Mean of 1 / rank of the true class, ties counted half."""
    own = logits[np.arange(len(true)), true][:, None]
    rank = 1 + (logits > own).sum(axis=1) + ((logits == own).sum(axis=1) - 1) / 2
    return float(np.mean(1 / rank))


def _truth(trials: TrialSet, scaled: Floats, rows: Numbers, device: str) -> Truth:
    columns: tuple[NDArray[Any], ...] = (
        scaled[trials.item[rows]], trials.item[rows], trials.category[rows], np.maximum(trials.colour[rows], 0)
    )  # fmt: skip
    return Truth(*(torch.from_numpy(column).to(device) for column in columns))


def _batches(n: int, size: int, rng: np.random.Generator) -> Iterator[Numbers]:
    """Every trial once, in batches of `size`; a last one of fewer than half of it is left out of this epoch."""
    order = rng.permutation(n)
    for start in range(0, n, size):
        rows = order[start : start + size]
        if len(rows) >= min(n, max(2, size // 2)):
            yield rows


def _require_apart(training: TrialSet, selection: TrialSet) -> None:
    shared = set(np.unique(training.item)) & set(np.unique(selection.item))
    if shared:
        raise InputError(
            f"expected selection objects that teach nothing; {len(shared)} are among the training objects too, "
            f"such as {training.items[min(shared)].key}; split by objects"
        )
    if training.channels != selection.channels:
        raise InputError(
            "expected one set of channels in training and selection; got two; read both from one recording"
        )
    if len(training) < 2:
        raise InputError(f"expected two training trials or more; got {len(training)}")
