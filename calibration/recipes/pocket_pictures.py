"""Training of the pocket picture generators on built-in objects 00 to 06; 07 chooses, 08 and 09 stay unopened.

    autoencoder   pictures to latents and back, the latents telling their cell's mean colour and cover
    latents       UNet and IP-Adapter together: embedding and noise to clean latents in one step, after a ridge's start
    pixels        both and the autoencoder's decoder, on pictures
    words         the UNet of words and its text model, in latents

Embeddings are the pocket vision encoder's of the very picture that is to be drawn, every second with an error as EEG
decoders make it. See docs/decisions/0163-pocket-pictures.md and 0203.

Thread: one at a time (rendering holds a graphics context).
"""

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from calibration.decoding.checkpoint import NAME, Checkpoint
from calibration.objects.catalogue import CATEGORIES, SELECTION, TRAINING
from calibration.recipes import pictures_write
from calibration.recipes.object_views import ObjectViews, digest_of, solids_of, views_of
from calibration.recipes.pictures_data import Choice, Encode, Kept, Shown, batches, fronts, mixed
from calibration.recipes.pictures_fit import (
    Denoising,
    Looks,
    Stage,
    Weights,
    autoencoding,
    decoded,
    descending,
    encoded,
    latent_scale,
)  # fmt: skip
from calibration.recipes.pictures_nets import Drawing, NetsConfig, new_vae, sd15_scheduler, turbo_scheduler
from calibration.recipes.pictures_score import scored
from calibration.recipes.pictures_start import ridge, tokens_of
from calibration.recipes.pictures_words import Telling, trained_telling
from calibration.recipes.progress import Progress, part
from engines.generators.pocket import SD15, SDXL, PicturesOrigin
from engines.vision.pocket import PocketVision

N_THREADS = 1
"""Batches are made on a second core; networks of this size gain nothing from more."""


_KEPT_AT_ONCE = 64
_CHOSEN_BY = "pixel correlation"


@dataclass(frozen=True)
class Recipe:
    """How long and how hard each stage is, by the names in the module's heading.

    `n_kept` is how many views have their latents kept; `error` is the largest of those put on embeddings, `last` the
    share of pictures that are to come from pure noise, `n_tries` how often noise is tried for words, `n_checks` how
    often objects 07 are asked in pixels.
    """

    autoencoder: Stage = field(default_factory=lambda: Stage(700, 8, 3e-3))
    latents: Stage = field(default_factory=lambda: Stage(1200, 32, 2e-3))
    pixels: Stage = field(default_factory=lambda: Stage(3600, 8, 6e-4))
    words: Stage = field(default_factory=lambda: Stage(300, 16, 2e-3))
    weights: Weights = field(default_factory=Weights)
    n_kept: int = 12288
    error: float = 0.8
    last: float = 0.9
    n_tries: int = 4
    n_checks: int = 6


@dataclass(frozen=True, eq=False)
class Material:
    """Views of the objects to train on and to choose by, and what embeds them."""

    training: ObjectViews
    selection: ObjectViews
    encoder: PocketVision


@dataclass(frozen=True, eq=False)
class Pair:
    """An autoencoder, the UNet with its adapter, and what the pair scores on the selection objects."""

    vae: Any
    drawing: Drawing
    scores: dict[str, float]


def train(
    seed: int, cache: Path, out: Path, recipe: Recipe | None = None, config: NetsConfig | None = None,
    categories: Sequence[str] = CATEGORIES, progress: Progress | None = None,
) -> dict[str, PicturesOrigin]:  # fmt: skip
    """Render the objects (or read them from `cache`), train, and write both pipelines into the folder `out`.

    Returns where they come from, by folder. The same seed gives the same weights on the same machine with one thread,
    interrupted or not: a checkpoint in `out` holds every stage that is done, and goes when all are.

    Raises:
        InputError: the checkpoint is that of another training, or none.
    """
    recipe, config = recipe or Recipe(), config or NetsConfig()
    told = progress or (lambda share: None)
    training, selection = solids_of(categories, TRAINING), solids_of(categories, SELECTION)
    trained_on, selected_on = digest_of(training), digest_of(selection)
    call = {"seed": str(seed), "recipe": repr((recipe, config)), "objects": f"{trained_on} {selected_on}"}
    course = Course(Checkpoint(out / NAME, call))
    material = Material(
        views_of(training, config.size_px, cache, part(told, 0.0, 0.05)),
        views_of(selection, config.size_px, cache),
        PocketVision.load(),
    )
    made = trained_pair(config, recipe, material, seed, part(told, 0.05, 0.88), course)
    telling = new_telling(config, categories, seed)
    scores = train_telling(telling, recipe, material, made.vae, seed, part(told, 0.88, 1.0), course)
    came = PicturesOrigin(trained_on, selected_on, material.encoder.name, seed, made.scores, pictures_write.TOLD_SDXL)
    told_words = replace(came, encoder="", scores=scores, told=pictures_write.TOLD_SD15)
    pictures_write.sdxl(out / SDXL, made.vae, made.drawing, config, came)
    pictures_write.sd15(out / SD15, made.vae, telling, told_words)
    (out / NAME).unlink(missing_ok=True)
    return {SDXL: came, SD15: told_words}


class Course:
    """Stages of training, one after the other; those that `checkpoint` holds are not gone through again."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._checkpoint = checkpoint
        self._done: dict[str, Any] = checkpoint.read("cpu") or {}

    def stage(self, name: str, networks: Sequence[Any], go: Callable[[], dict[str, float]]) -> dict[str, float]:
        """Let `networks` become what `go` makes of them; returns what it returned."""
        if name not in self._done:
            told = go()
            self._done[name] = {"told": told, "weights": [deepcopy(network.state_dict()) for network in networks]}
            self._checkpoint.write(lambda: self._done)
        for network, weights in zip(networks, self._done[name]["weights"], strict=True):
            network.load_state_dict(weights)
        found: dict[str, float] = self._done[name]["told"]
        return found


def told_of(shown: Iterator[Shown], n: int, progress: Progress) -> Iterator[Shown]:
    """The `n` of `shown`, telling how far they have come."""
    for i, batch in enumerate(shown, start=1):
        progress(i / n)
        yield batch


def trained_pair(
    config: NetsConfig, recipe: Recipe, material: Material, seed: int, progress: Progress, course: Course
) -> Pair:
    """Autoencoder, UNet and adapter through all their stages."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        vae = new_vae(config)
    drawing, lesson = Drawing(config, material.encoder.dim, seed), Lesson(recipe, material, seed)
    scale = course.stage("autoencoder", [vae], lambda: lesson.autoencode(vae, part(progress, 0.0, 0.25)))
    vae.register_to_config(scaling_factor=scale["scale"])
    vae.encoder.requires_grad_(False)
    vae.quant_conv.requires_grad_(False)
    course.stage("latents", [drawing.unet], lambda: lesson.denoise(vae, drawing, part(progress, 0.25, 0.65)))
    scores = course.stage("pixels", [vae, drawing.unet], lambda: lesson.paint(vae, drawing, part(progress, 0.65, 1.0)))
    return Pair(vae, drawing, scores)


class Lesson:
    """One stage after the other, each with noise and batches of its own."""

    def __init__(self, recipe: Recipe, material: Material, seed: int) -> None:
        self._recipe, self._material, self._seed = recipe, material, seed

    def autoencode(self, vae: Any, progress: Progress) -> dict[str, float]:
        """The autoencoder learns, its latents to tell mean colours and cover; returns their scale."""
        stage, weights = self._recipe.autoencoder, self._recipe.weights
        with torch.random.fork_rng():
            torch.manual_seed(self._seed)
            hue = nn.Conv2d(vae.config.latent_channels, 4, 1)
        loss = autoencoding(vae, Looks(self._material.encoder, weights), weights, self._random(), hue)
        for _ in descending([vae, hue], loss, self._shown(stage.batch, stage.n_steps, 0), stage, progress):
            pass
        some = next(self._shown(64, 1, 1))
        return {"scale": latent_scale(vae, some.pictures)}

    def denoise(self, vae: Any, drawing: Drawing, progress: Progress) -> dict[str, float]:
        """UNet and adapter learn in latents, beginning with what a ridge finds; returns nothing to tell."""
        kept, stage = self._kept(vae, part(progress, 0.0, 0.25)), self._recipe.latents
        drawing.start_from(tokens_of(ridge(*kept), drawing.width, self._seed))
        clean = self._cleaner(drawing)

        def loss(known: Kept) -> Tensor:
            return functional.mse_loss(clean(*known), known.latents)

        batches = kept.batches(stage.batch, stage.n_steps, self._seed)
        for _ in descending([drawing.unet], loss, batches, stage, part(progress, 0.25, 1.0)):
            pass
        return {}

    def paint(self, vae: Any, drawing: Drawing, progress: Progress) -> dict[str, float]:
        """UNet, adapter and decoder learn from pictures; left as they drew objects 07 best, whose scores come back."""
        clean, weights, stage = self._cleaner(drawing), self._recipe.weights, self._recipe.pixels
        looks = Looks(self._material.encoder, weights)

        def loss(shown: Shown) -> Tensor:
            made = clean(shown.embeddings, shown.latents)
            far = functional.mse_loss(made, shown.latents)
            return looks.loss(decoded(vae, made), shown) + weights.latents * far

        shown = self._shown(stage.batch, stage.n_steps, 3, encode=partial(encoded, vae))
        every, networks = max(1, stage.n_steps // self._recipe.n_checks), [drawing.unet, vae]
        best: dict[str, float] = {}
        for step, _ in enumerate(descending(networks, loss, shown, stage, progress), start=1):
            if step % every == 0 or step == stage.n_steps:
                scores = self._scores(vae, drawing)
                if scores[_CHOSEN_BY] > best.get(_CHOSEN_BY, -1.0):
                    best, weights_then = scores, [deepcopy(network.state_dict()) for network in networks]
        for network, weights_best in zip(networks, weights_then, strict=True):
            network.load_state_dict(weights_best)
        return best

    def _kept(self, vae: Any, progress: Progress) -> Kept:
        n = -(-self._recipe.n_kept // _KEPT_AT_ONCE)
        return Kept.of(told_of(self._shown(_KEPT_AT_ONCE, n, 2, encode=partial(encoded, vae)), n, progress))

    def _scores(self, vae: Any, drawing: Drawing) -> dict[str, float]:
        denoising = Denoising(drawing, turbo_scheduler(), self._recipe.last)
        asked, known = _fronts(self._material)

        def draw(noise: Tensor, shown: Shown) -> Tensor:
            return decoded(vae, denoising.at_once(noise, shown.embeddings))

        return scored(draw, asked, known, self._material.encoder, drawing.unet.config.sample_size)

    def _cleaner(self, drawing: Drawing) -> Callable[[Tensor, Tensor], Tensor]:
        """From embeddings and true latents to the latents that `drawing` makes of those embeddings and noise."""
        denoising, random = Denoising(drawing, turbo_scheduler(), self._recipe.last), self._random()

        def clean(embeddings: Tensor, latents: Tensor) -> Tensor:
            noise = torch.randn(latents.shape, generator=random)
            times = denoising.times(len(latents), random)
            condition = mixed(embeddings, self._recipe.error, random)
            return denoising.clean(denoising.noisy(latents, times, noise), times, condition)

        return clean

    def _random(self) -> torch.Generator:
        return torch.Generator().manual_seed(self._seed)

    def _shown(self, batch: int, n: int, number: int, encode: Encode | None = None) -> Iterator[Shown]:
        return batches(self._material.training, self._material.encoder, batch, n, self._seed + number, Choice(), encode)


def new_telling(config: NetsConfig, categories: Sequence[str], seed: int) -> Telling:
    """The UNet of words, narrower, and its text model."""
    return Telling(replace(config, widths=config.words_widths, heads=config.words_heads), categories, seed)


def train_telling(
    telling: Telling, recipe: Recipe, material: Material, vae: Any, seed: int, progress: Progress, course: Course
) -> dict[str, float]:
    """Let `telling` learn; returns its scores."""
    networks = [telling.unet, telling.text]
    return course.stage("words", networks, lambda: _told(telling, recipe, material, vae, seed, progress))


def _told(
    telling: Telling, recipe: Recipe, material: Material, vae: Any, seed: int, progress: Progress
) -> dict[str, float]:
    shown = batches(
        material.training, material.encoder, recipe.words.batch, recipe.words.n_steps, seed + 4,
        Choice(fronts=1.0, moved=False), partial(encoded, vae),
    )  # fmt: skip
    trained_telling(telling, shown, recipe.words, recipe.last, recipe.n_tries, seed, progress)
    denoising = Denoising(telling, sd15_scheduler(), recipe.last)
    asked, known = _fronts(material)

    def draw(noise: Tensor, shown: Shown) -> Tensor:
        return decoded(vae, denoising.at_once(noise, telling.tokens(shown)))

    scores = scored(draw, asked, known, material.encoder, telling.unet.config.sample_size)
    return {what: score for what, score in scores.items() if "error" not in what}  # words know no embeddings


def _fronts(material: Material) -> tuple[Shown, Shown]:
    """The selection objects, and those of training, as their own pictures show them."""
    return fronts(material.selection, material.encoder), fronts(material.training, material.encoder)
