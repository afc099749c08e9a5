"""Training: a recipe and trials in, a fitted decoder out.

AdamW under a one-cycle schedule. Every batch sees shortened turns, none at all, missing channels and noise, so that any
beginning of a trial decodes (`calibration/decoding/vary.py`). The step that is kept is the one that ranked the true
category best on the selection objects, which teach nothing. Test objects are never handed in, and of the embeddings
only those of training items are used: scaling and prototypes are theirs alone, and whitening the training trials'.

Everything random comes from two generators that are seeded here: on a CPU the same seed, data and number of threads
give the same weights, whether training was interrupted or not. On a GPU sums are not ordered, and weights differ in
their last digits.

Thread: one; `progress` is called from it.
"""

import copy
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from calibration.decoding.checkpoint import Call, Checkpoint
from calibration.decoding.fitted import Fitted, FittedNetwork, Scaling, prototypes_of
from calibration.decoding.steps import Progress, Step
from calibration.decoding.trials import Floats, Numbers, TrialSet
from calibration.decoding.vary import Variation, Varied, varied
from calibration.decoding.wiring import Wiring
from calibration.losses import LossConfig, Truth, WeightedLoss
from engines.errors import InputError, WorkError
from engines.models.base import Network
from engines.models.whitening import whitening_of


@dataclass(frozen=True)
class Budget:
    """How long and how hard a network is trained."""

    epochs: int = 10
    batch: int = 64
    learning_rate: float = 3e-3
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

    def fit(
        self,
        training: TrialSet,
        selection: TrialSet,
        seed: int,
        progress: Progress | None = None,
        checkpoint: Path | None = None,
    ) -> Fitted:
        """Train on one set, choose by another. `checkpoint` is a file to go on from, and to be able to go on from.

        Raises:
            InputError: sets that do not belong together, too few trials, or a checkpoint of another training.
            WorkError: training diverged.
        """
        ...


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
    checkpoint: Path | None = None,
) -> FittedNetwork:
    """Train `network` in place; the kept step is the best on `selection`.

    With a `checkpoint` every epoch ends there; where it holds one of this very training, that is gone on from, and
    `progress` told at once. It stays when training has ended: who has kept the result removes it.

    Raises:
        InputError: selection objects among the training objects, other channels or categories, fewer trials than a
            batch of two, or a checkpoint of another training.
        WorkError: the loss is no number any more.
    """
    require_apart(training, selection)
    with torch.random.fork_rng(devices=[torch.cuda.current_device()] if device == "cuda" else []):
        torch.manual_seed(seed)
        run = _Training(network, wiring, loss, budget, training, selection, seed, device)
        kept = Checkpoint(checkpoint, run.call)
        state = kept.read(device)
        if state is not None:
            run.restore(state)
            _tell(progress, run)
        while run.epoch < budget.epochs:
            run.one_epoch()
            kept.write(run.state)
            _tell(progress, run)
    return run.finished()


def _tell(progress: Progress | None, run: "_Training") -> None:
    if progress:
        progress(run.history[-1])


class _Training:
    """All that changes from epoch to epoch, and how."""

    def __init__(
        self,
        network: Network,
        wiring: Wiring,
        loss: LossConfig,
        budget: Budget,
        training: TrialSet,
        selection: TrialSet,
        seed: int,
        device: str,
    ) -> None:
        self.loss, self.budget, self.seed, self.device = loss, budget, seed, device
        self.training, self.selection = training, selection
        self.means = training.averaged()
        for stream, whitening in network.whitenings.items():
            whitening.set(whitening_of(getattr(training, stream)))
        scaling = Scaling.of(training.targets[np.unique(training.item)])
        self.scaled = scaling.forward(training.targets)
        self.fitted = FittedNetwork(
            network.to(device), wiring, scaling, *prototypes_of(self.scaled, training), training.channels
        )
        self.criterion = WeightedLoss(loss).to(device)
        self.optimiser = torch.optim.AdamW(
            [*network.parameters(), *self.criterion.parameters()],
            lr=budget.learning_rate,
            weight_decay=budget.weight_decay,
        )
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimiser,
            budget.learning_rate,
            total_steps=budget.epochs * n_batches(len(training), budget.batch),
            pct_start=budget.warm_up,
        )
        self.rng = np.random.default_rng(seed)
        self.best: dict[str, Tensor] = {}
        self.history: list[Step] = []

    @property
    def call(self) -> Call:
        """Everything that makes one training another."""
        network, wiring = self.fitted.network, self.fitted.wiring
        return {
            "network": f"{type(network).__name__} {network.config}",
            "wiring": f"{type(wiring).__name__} {vars(wiring)}",
            "loss": str(self.loss),
            "budget": str(asdict(self.budget)),
            "seed": str(self.seed),
            "training trials": self.training.digest(),
            "selection trials": self.selection.digest(),
            "device": self.device,
            "threads": str(torch.get_num_threads()),
            "torch": str(torch.__version__),
        }

    @property
    def epoch(self) -> int:
        """How many are done."""
        return len(self.history)

    def one_epoch(self) -> None:
        """Every trial once; then the score, and the weights where it is the best so far.

        Raises:
            WorkError: the loss is no number any more.
        """
        network = self.fitted.network
        network.train()
        self.criterion.train()
        losses = [self._step(rows) for rows in _batches(len(self.training), self.budget.batch, self.rng)]
        done, of, loss = self.epoch + 1, self.budget.epochs, float(np.mean(losses))
        if not np.isfinite(loss):
            raise WorkError(f"training diverged in epoch {done} of {of}: the loss is {loss}; lower the learning rate")
        score = selection_score(self.fitted, self.selection)
        if score > max((step.score for step in self.history), default=-np.inf):
            self.best = copy.deepcopy(network.state_dict())
        self.history.append(Step(done / of, done, of, loss, score))

    def _step(self, rows: Numbers) -> float:
        network, wiring, budget = self.fitted.network, self.fitted.wiring, self.budget
        batch = varied(self.training, self.means, rows, budget.variation, wiring.anytime, self.rng)
        answers = wiring.outputs(network, Varied(*(part.to(self.device) for part in batch)))
        total = self.criterion(answers, _truth(self.training, self.scaled, rows, self.device)).total
        self.optimiser.zero_grad()
        total.backward()
        nn.utils.clip_grad_norm_(network.parameters(), budget.clip)
        self.optimiser.step()
        self.schedule.step()
        return float(total.detach())

    def finished(self) -> FittedNetwork:
        """The best step."""
        self.fitted.network.load_state_dict(self.best)
        self.fitted.network.eval()
        self.fitted.history = tuple(self.history)
        self.fitted.score = max(step.score for step in self.history)
        return self.fitted

    def state(self) -> dict[str, Any]:
        """All of it, in plain values and tensors."""
        return {
            "network": self.fitted.network.state_dict(),
            "criterion": self.criterion.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "schedule": self.schedule.state_dict(),
            "best": self.best,
            "history": [vars(step) for step in self.history],
            "numpy": self.rng.bit_generator.state,
            "torch": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state() if self.device == "cuda" else None,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """The inverse of `state`."""
        self.fitted.network.load_state_dict(state["network"])
        self.criterion.load_state_dict(state["criterion"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.schedule.load_state_dict(state["schedule"])
        self.best, self.history = state["best"], [Step(**values) for values in state["history"]]
        self.rng.bit_generator.state = state["numpy"]
        torch.set_rng_state(state["torch"].cpu())
        if self.device == "cuda":
            torch.cuda.set_rng_state(state["cuda"].cpu())


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


def n_batches(n: int, size: int) -> int:
    """How many batches an epoch of n trials has."""
    return len(range(0, n, size)) - (0 < n % size < _least(n, size))


def _batches(n: int, size: int, rng: np.random.Generator) -> Iterator[Numbers]:
    """Every trial once, in batches of `size`; a last one of fewer than half of it is left out of this epoch."""
    order = rng.permutation(n)
    for first in range(0, n_batches(n, size) * size, size):
        yield order[first : first + size]


def _least(n: int, size: int) -> int:
    return min(n, max(2, size // 2))


def _truth(trials: TrialSet, scaled: Floats, rows: Numbers, device: str) -> Truth:
    columns: tuple[NDArray[Any], ...] = (
        scaled[trials.item[rows]], trials.item[rows], trials.category[rows], np.maximum(trials.colour[rows], 0)
    )  # fmt: skip
    return Truth(*(torch.from_numpy(column).to(device) for column in columns))


def require_apart(training: TrialSet, selection: TrialSet) -> None:
    """Refuse sets that may not be fitted on and chosen by.

    Raises:
        InputError: they share an object, differ in channels, categories or items, or hold too few trials.
    """
    for what in ("channels", "categories", "items"):
        if getattr(training, what) != getattr(selection, what):
            raise InputError(f"expected the same {what} in training and selection; got others; split one set of trials")
    shared = np.intersect1d(training.item, selection.item)
    if len(shared):
        raise InputError(
            f"expected selection objects that teach nothing; {len(shared)} are among the training objects too, "
            f"such as {training.items[shared[0]].key}; split by objects"
        )
    if len(training) < 2 or not len(selection):
        raise InputError(
            f"expected two training trials or more and one for selection; got {len(training)} and {len(selection)}"
        )
