"""Fine-tuning an IP-Adapter to embeddings that were decoded from EEG; the UNet behind it stays as it is.

    loss = (what the UNet answers - what the scheduler asks of it)^2    at a time and with noise drawn for each pair

Learned are the projection of the embedding to tokens with its norm, and the keys and values of these tokens; one
embedding in twenty is left out (BrainSSD's second stage, after Ye et al. 2023, arXiv:2308.06721). Selection pairs meet
the same times and noise after every epoch, and the epoch that they do best in is kept; the adapter as it came is one of
them. On a GPU, where the UNet is in half precision, what is learned is in single until it is kept, and what its blocks
computed is computed again for the gradients (Chen et al. 2016, arXiv:1604.06174): sixteen pictures of SDXL-Turbo's size
would not fit otherwise; that has never run. Everything random comes from one generator: on a processor the same seed,
pairs and number of threads give the same adapter, whether training was interrupted or not.

Thread: one; `progress` is called from it.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import DDPMScheduler
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch import Tensor
from torch.nn import functional

from calibration.decoding.checkpoint import Call, Checkpoint
from calibration.decoding.steps import Progress, Step
from engines.errors import InputError, WorkError
from engines.generators import ip_adapter
from engines.generators.ip_adapter import Weights
from engines.generators.sdxl_turbo import SdxlTurbo
from engines.vision.base import Floats, Pictures

_SELECTION_SEED = 7  # of the times and the noise that selection pairs meet after every epoch
_ENCODED_AT_ONCE = 16
_COMPUTED_AGAIN = ("cuda",)  # devices whose memory is too small for all that a UNet's blocks compute


@dataclass(frozen=True, eq=False)
class Pairs:
    """Decoded embeddings `embeddings` (n, dim) raw, and `item` (n,), which of `pictures` (m, h, w, 3) was seen.

    Raises:
        InputError: columns of different lengths, or no pair.
    """

    embeddings: Floats
    item: NDArray[np.int64]
    pictures: Pictures
    encoder: str

    def __post_init__(self) -> None:
        """Refuse what does not belong together."""
        if not 0 < len(self.embeddings) == len(self.item):
            raise InputError(f"expected pairs, got {len(self.embeddings)} embeddings for {len(self.item)} items")

    def __len__(self) -> int:
        return len(self.item)

    def digest(self) -> str:
        """SHA-256 over everything that could change what is learned from them."""
        found = hashlib.sha256(repr((self.encoder, self.embeddings.shape, self.pictures.shape)).encode())
        for column in (self.embeddings, self.item, self.pictures):
            found.update(np.ascontiguousarray(column).data)
        return found.hexdigest()


@dataclass(frozen=True)
class AdapterBudget:
    """How long and how hard; `drop` is the share of embeddings that are left out."""

    epochs: int = 50
    batch: int = 16
    learning_rate: float = 1e-4
    weight_decay: float = 1e-2
    drop: float = 0.05


@dataclass(frozen=True, eq=False)
class Tuned:
    """The adapter that was kept, and how it came: `losses` of the selection pairs, before and after every epoch."""

    weights: Weights
    kept_epoch: int
    losses: tuple[float, ...]
    history: tuple[Step, ...]


def tune(
    generator: SdxlTurbo, training: Pairs, selection: Pairs, budget: AdapterBudget, seed: int,
    progress: Progress | None = None, checkpoint: Path | None = None,
) -> Tuned:  # fmt: skip
    """Fine-tune the adapter in `generator`, which draws by what was kept afterwards, in the precision it had before.

    `Step.score` is the share of the selection loss that is gone since the beginning. With a `checkpoint` every epoch
    ends there; where it holds one of this very training, that is gone on from. It stays when training has ended.

    Raises:
        InputError: embeddings of a length that the adapter does not take, or a checkpoint of another training.
        WorkError: training diverged.
    """
    run = _Tuning(generator, training, selection, budget, seed)
    kept = Checkpoint(checkpoint, run.call)
    state = kept.read(str(generator.device))
    if state is not None:
        run.restore(state)
        _tell(progress, run)
    while len(run.history) < budget.epochs:
        run.one_epoch()
        kept.write(run.state)
        _tell(progress, run)
    return run.finished()


def fitted_pictures(pictures: list[Pictures], size_px: int) -> Pictures:
    """(h, w, 3) of any sizes to (n, size_px, size_px, 3): the largest square in the middle, resized."""
    return np.stack([
        np.asarray(ImageOps.fit(Image.fromarray(picture), (size_px, size_px), Image.Resampling.BICUBIC))
        for picture in pictures
    ])  # fmt: skip


def target_of(schedule: Any, clean: Tensor, noise: Tensor, times: Tensor) -> Tensor:
    """What a UNet shall answer at `times` (n,), by what `schedule` takes its answers for; latents (n, c, h, w)."""
    kind = schedule.config.prediction_type
    if kind == "epsilon":
        return noise
    target: Tensor = clean if kind == "sample" else schedule.get_velocity(clean, noise, times)
    return target


def _tell(progress: Progress | None, run: "_Tuning") -> None:
    if progress and run.history:
        progress(run.history[-1])


class _Tuning:
    """All that changes from epoch to epoch, and how."""

    def __init__(
        self, generator: SdxlTurbo, training: Pairs, selection: Pairs, budget: AdapterBudget, seed: int
    ) -> None:
        for pairs in (training, selection):
            if pairs.embeddings.shape[1] != generator.dim:
                raise InputError(
                    f"the adapter of {generator.name} takes embeddings of length {generator.dim}, got "
                    f"{pairs.embeddings.shape[1]}; decode into {generator.encoder}, or bring an adapter for these"
                )
        self.generator, self.budget, self.seed = generator, budget, seed
        self.training, self.selection = training, selection
        self.latents = {id(pairs): _latents(generator, pairs.pictures) for pairs in (training, selection)}
        self.schedule: Any = DDPMScheduler.from_config(generator.pipeline.scheduler.config)
        self.parameters = ip_adapter.parameters(generator.pipeline.unet)
        self._begin()
        self.optimiser = torch.optim.AdamW(
            self.parameters.values(), lr=budget.learning_rate, weight_decay=budget.weight_decay
        )
        self.scaler = torch.amp.GradScaler(generator.device.type, enabled=generator.dtype == torch.float16)
        self.random = torch.Generator().manual_seed(seed)
        self.start = {name: value.detach().cpu().clone() for name, value in self.parameters.items()}
        self.best = self._now()
        self.losses = [self._selection_loss()]
        self.history: list[Step] = []

    @property
    def call(self) -> Call:
        """Everything that makes one training another."""
        began = hashlib.sha256()
        for name, value in sorted(self.start.items()):
            began.update(name.encode() + value.numpy().tobytes())
        return {
            "generator": self.generator.name,
            "adapter": began.hexdigest(),
            "budget": str(asdict(self.budget)),
            "seed": str(self.seed),
            "training pairs": self.training.digest(),
            "selection pairs": self.selection.digest(),
            "device": str(self.generator.device),
            "precision": str(self.generator.dtype),
            "threads": str(torch.get_num_threads()),
            "torch": str(torch.__version__),
        }

    def one_epoch(self) -> None:
        """Every pair once; then the selection loss, and the adapter where it is the best so far.

        Raises:
            WorkError: the loss is no number any more.
        """
        losses = [self._step(rows) for rows in self._batches()]
        done, of, loss = len(self.history) + 1, self.budget.epochs, float(np.mean(losses))
        selection = self._selection_loss()
        if not np.isfinite([loss, selection]).all():
            raise WorkError(f"training diverged in epoch {done} of {of}: the loss is {loss}; lower the learning rate")
        if selection < min(self.losses):
            self.best = self._now()
        self.losses.append(selection)
        self.history.append(Step(done / of, done, of, loss, 1 - selection / self.losses[0]))

    def finished(self) -> Tuned:
        """The best epoch, in the generator too."""
        unet = self.generator.pipeline.unet
        for name, parameter in self.parameters.items():
            parameter.grad = None
            parameter.requires_grad_(False)
            parameter.data = self.best[name].to(parameter.device, self.generator.dtype)
        unet.disable_gradient_checkpointing()
        self.generator.forget_recorded()
        return Tuned(ip_adapter.taken_from(unet), int(np.argmin(self.losses)), tuple(self.losses), tuple(self.history))

    def _begin(self) -> None:
        """What is learned in single precision, whatever the UNet is in."""
        for parameter in self.parameters.values():
            parameter.data = parameter.data.float()
            parameter.requires_grad_(True)
        if self.generator.device.type in _COMPUTED_AGAIN:
            self.generator.pipeline.unet.enable_gradient_checkpointing()
        self.generator.forget_recorded()

    def state(self) -> dict[str, Any]:
        """All of it, in plain values and tensors."""
        return {
            "adapter": self._now(),
            "optimiser": self.optimiser.state_dict(),
            "scaler": self.scaler.state_dict(),
            "best": self.best,
            "losses": self.losses,
            "history": [vars(step) for step in self.history],
            "random": self.random.get_state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """The inverse of `state`."""
        with torch.no_grad():
            for name, parameter in self.parameters.items():
                parameter.copy_(state["adapter"][name])
        self.optimiser.load_state_dict(state["optimiser"])
        self.scaler.load_state_dict(state["scaler"])
        self.best, self.losses = state["best"], state["losses"]
        self.history = [Step(**values) for values in state["history"]]
        self.random.set_state(state["random"].cpu())

    def _step(self, rows: Tensor) -> float:
        loss = self._loss(self.training, rows, self.random, self.budget.drop)
        self.optimiser.zero_grad()
        self.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        self.scaler.step(self.optimiser)
        self.scaler.update()
        return float(loss.detach())

    def _selection_loss(self) -> float:
        random = torch.Generator().manual_seed(_SELECTION_SEED)
        n, total = len(self.selection), 0.0
        with torch.no_grad():
            for rows in torch.split(torch.arange(n), self.budget.batch):
                total += float(self._loss(self.selection, rows, random, drop=0.0)) * len(rows)
        return total / n

    def _loss(self, pairs: Pairs, rows: Tensor, random: torch.Generator, drop: float) -> Tensor:
        device, dtype = self.generator.device, self.generator.dtype
        clean = self.latents[id(pairs)][pairs.item[rows.numpy()]]  # (n, channels, h, w)
        times = torch.randint(self.schedule.config.num_train_timesteps, (len(rows),), generator=random)
        noise = torch.randn(clean.shape, generator=random)
        kept = torch.rand(len(rows), 1, generator=random) >= drop
        embeddings = torch.from_numpy(pairs.embeddings[rows.numpy()]) * kept
        noisy, wanted = self.schedule.add_noise(clean, noise, times), target_of(self.schedule, clean, noise, times)
        # In the UNet's own precision, since torch mixes no two halves; the adapter's own numbers stay single.
        with torch.autocast(device.type, dtype, enabled=dtype != torch.float32):
            told = self.generator.predicted(noisy.to(device, dtype), times.to(device), embeddings.to(device, dtype))
        return functional.mse_loss(told.float(), wanted.to(device))

    def _batches(self) -> Iterator[Tensor]:
        yield from torch.split(torch.randperm(len(self.training), generator=self.random), self.budget.batch)

    def _now(self) -> dict[str, Tensor]:
        return {name: value.detach().cpu().clone() for name, value in self.parameters.items()}


def _latents(generator: SdxlTurbo, pictures: Pictures) -> Tensor:
    """(m, channels, h, w) float32 on the processor, as the UNet of `generator` knows pictures: scaled modes."""
    vae, size = generator.pipeline.vae, generator.size_px
    if pictures.shape[1:] != (size, size, 3):
        raise InputError(f"expected pictures (m, {size}, {size}, 3), got {pictures.shape}; see `fitted_pictures`")
    parts = []
    with torch.no_grad():
        for some in torch.split(torch.from_numpy(pictures), _ENCODED_AT_ONCE):
            pixels = some.permute(0, 3, 1, 2).to(generator.device, vae.dtype) / 127.5 - 1
            parts.append(vae.encode(pixels).latent_dist.mode().float().cpu() * vae.config.scaling_factor)
    return torch.cat(parts)
