"""How the pocket picture generators learn: autoencoder, then denoiser in latents, then denoiser and decoder in pixels.

    pixels =   mean |difference|, the object weighing more than the ground
             + difference of the pocket vision encoder's features, each of length 1 (LPIPS: Zhang et al. 2018,
               arXiv:1801.03924)
             + 1 - cosine of its embeddings

One step from pure noise is what is asked of the denoiser, so most of its training is at the last time; the rest at the
other times that up to four steps visit. Thread: one at a time.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from calibration.recipes.pictures_data import Shown
from calibration.recipes.progress import Progress
from engines.vision.pocket import PocketVision

T = TypeVar("T")

LAST = 999
_OTHER_TIMES = (249, 499, 749)


@dataclass(frozen=True)
class Weights:
    """Of the terms of the loss."""

    pixels: float = 4.0
    object: float = 4.0
    features: float = 0.5
    embedding: float = 0.2
    latents: float = 0.2
    divergence: float = 1e-5
    hue: float = 30.0


@dataclass(frozen=True)
class Stage:
    """`n_steps` of `batch` pictures, the learning rate rising to `learning_rate` and falling to none."""

    n_steps: int
    batch: int
    learning_rate: float


class Looks:
    """Compares pictures, (n, 3, size, size) from -1 to 1, as the module's heading says."""

    def __init__(self, encoder: PocketVision, weights: Weights) -> None:
        self._net, self._weights = encoder.net, weights
        pixels = encoder.config.pixels
        self._size, self._mean, self._std = pixels.crop_px, pixels.mean[0], pixels.std[0]

    def loss(self, made: Tensor, shown: Shown) -> Tensor:
        """(), smaller the more `made` looks like what was shown."""
        weight = 1 + self._weights.object * shown.cover
        pixels = ((made - shown.pictures).abs() * weight).sum() / (3 * weight.sum())
        features, embedding = self._features(made)
        with torch.no_grad():
            true_features, true_embedding = self._features(shown.pictures)
        alike = sum(
            (functional.normalize(a, dim=1) - functional.normalize(b, dim=1)).square().sum(dim=1).mean()
            for a, b in zip(features, true_features, strict=True)
        )
        apart = 1 - functional.cosine_similarity(embedding, true_embedding).mean()
        return (
            self._weights.pixels * pixels
            + self._weights.features * alike / len(features)
            + self._weights.embedding * apart
        )

    def _features(self, pictures: Tensor) -> tuple[list[Tensor], Tensor]:
        """After the stem and each stage of the encoder, and its embedding."""
        seen = functional.interpolate(pictures, size=(self._size, self._size), mode="bilinear", antialias=True)
        seen = ((seen + 1) / 2 - self._mean) / self._std
        features = []
        for number, layer in enumerate(self._net.trunk):
            seen = layer(seen)
            if number % 2 == 0:
                features.append(seen)
        joined = torch.cat([seen.mean(dim=(2, 3)), self._net.cells(seen).flatten(1)], dim=1)
        return features, self._net.head(joined)


def descending(
    networks: Iterable[nn.Module], losses: Callable[[T], Tensor], shown: Iterator[T], stage: Stage,
    progress: Progress,
) -> Iterator[float]:  # fmt: skip
    """Take a step for each batch; yields each loss after its step."""
    parameters = [p for network in networks for p in network.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(parameters, lr=stage.learning_rate, betas=(0.9, 0.98), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, stage.learning_rate, total_steps=stage.n_steps + 1, pct_start=0.1
    )
    for step, batch in enumerate(shown, start=1):
        loss = losses(batch)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        schedule.step()
        progress(step / stage.n_steps)
        yield float(loss.detach())


def autoencoding(
    vae: Any, looks: Looks, weights: Weights, random: torch.Generator, hue: nn.Module | None = None
) -> Callable[[Shown], Tensor]:
    """The autoencoder's loss; with `hue`, latents are to tell their cell's mean colour and cover through it as well."""

    def loss(shown: Shown) -> Tensor:
        with halved():
            posterior = vae.encode(shown.pictures).latent_dist
            latents = posterior.mean + posterior.std * torch.randn(posterior.mean.shape, generator=random)
            made = vae.decode(latents).sample
        total: Tensor = looks.loss(made.float(), shown) + weights.divergence * posterior.kl().float().mean()
        if hue is not None:
            layers = torch.cat([shown.pictures, shown.cover], dim=1)
            cells = functional.adaptive_avg_pool2d(layers, latents.shape[-2:])
            total = total + weights.hue * functional.mse_loss(hue(latents.float()), cells)
        return total

    return loss


@torch.no_grad()
def latent_scale(vae: Any, pictures: Tensor) -> float:
    """What latents are multiplied by to vary by 1."""
    return float(vae.config.scaling_factor / encoded(vae, pictures).std())


@torch.no_grad()
def encoded(vae: Any, pictures: Tensor) -> Tensor:
    """(n, 4, side, side) scaled latents of pictures (n, 3, size, size) from -1 to 1."""
    with halved():
        mean: Tensor = vae.encode(pictures).latent_dist.mean
    return mean.float() * float(vae.config.scaling_factor)


def decoded(vae: Any, latents: Tensor) -> Tensor:
    """(n, 3, size, size) pictures of scaled latents."""
    with halved():
        made: Tensor = vae.decode(latents / vae.config.scaling_factor).sample
    return made.float()


class Denoising:
    """From noisy to clean latents in one step, as the folder's scheduler takes it.

    `predict` (latents, times, condition) is the UNet; `signal` (1000,) is the share of signal at each time, none at
    the last: there the pipelines start with noise alone.
    """

    def __init__(self, predict: Callable[[Tensor, Tensor, Any], Tensor], scheduler: Any, last: float) -> None:
        self._predict, self._last = predict, last
        self._signal: Tensor = scheduler.alphas_cumprod.sqrt()

    def times(self, n: int, random: torch.Generator) -> Tensor:
        """(n,) the last for a share `last` of all, others that four steps visit."""
        others = torch.tensor(_OTHER_TIMES)[torch.randint(len(_OTHER_TIMES), (n,), generator=random)]
        return torch.where(torch.rand(n, generator=random) < self._last, torch.tensor(LAST), others)

    def noisy(self, clean: Tensor, times: Tensor, noise: Tensor) -> Tensor:
        """What the UNet is given."""
        signal = self._signal[times].reshape(-1, 1, 1, 1)
        kept = torch.where(times.reshape(-1, 1, 1, 1) == LAST, 0.0, signal)
        mixture: Tensor = kept * clean + (1 - signal**2).sqrt() * noise
        return mixture

    def clean(self, noisy: Tensor, times: Tensor, condition: Any) -> Tensor:
        """Clean latents by v-prediction (Salimans & Ho 2022, arXiv:2202.00512, appendix D)."""
        signal = self._signal[times].reshape(-1, 1, 1, 1)
        found: Tensor = signal * noisy - (1 - signal**2).sqrt() * self._predict(noisy, times, condition)
        return found

    def at_once(self, noise: Tensor, condition: Any) -> Tensor:
        """Clean latents from noise (n, 4, side, side) alone."""
        times = torch.full((len(noise),), LAST)
        return self.clean(self.noisy(noise, times, noise), times, condition)


def halved() -> torch.autocast:
    """Half the time of single precision on processors that multiply in it; the weights stay single."""
    return torch.autocast("cpu", torch.bfloat16)
