"""Training of the pocket picture generators on built-in objects 00 to 06; 07 chooses, 08 and 09 stay unopened.

    form, colour, rare   the autoencoder, on pictures
    early                UNet and IP-Adapter together, from scratch: embedding and noise to clean latents in one step
    hue, decoder         the autoencoder again, whose latents are to tell mean colours; then its decoder alone
    latents              UNet and adapter in the new latents
    pixels, again        both and the decoder, on pictures
    words                the UNet of words and its text model, in latents

Embeddings are the pocket vision encoder's of the very picture that is to be drawn, every second with an error as EEG
decoders make it. See docs/decisions/0163-pocket-pictures.md.

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

from calibration.objects.catalogue import CATEGORIES, SELECTION, TRAINING
from calibration.recipes import pictures_write
from calibration.recipes.object_views import ObjectViews, digest_of, solids_of, views_of
from calibration.recipes.pictures_data import Choice, Encode, Shown, batches, fronts, mixed
from calibration.recipes.pictures_fit import (
    Denoising,
    Looks,
    Progress,
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
from calibration.recipes.pictures_words import Telling, trained_telling
from engines.generators.pocket import SD15, SDXL, PicturesOrigin
from engines.vision.pocket import PocketVision

N_THREADS = 1
"""Batches are made on a second core; networks of this size gain nothing from more."""


_ANY = Choice()
_CHOSEN_BY = "pixel correlation"


@dataclass(frozen=True)
class Recipe:
    """How long and how hard each stage is, by the names in the module's heading.

    `error` is the largest of those put on embeddings, `last` the share of pictures that are to come from pure noise,
    `n_tries` how often noise is tried for words, `n_checks` how often objects 07 are asked in each stage in pixels.
    """

    form: Stage = field(default_factory=lambda: Stage(500, 6, 2e-3))
    colour: Stage = field(default_factory=lambda: Stage(700, 6, 2e-3))
    rare: Stage = field(default_factory=lambda: Stage(250, 6, 2e-3))
    early: Stage = field(default_factory=lambda: Stage(600, 24, 2e-3))
    hue: Stage = field(default_factory=lambda: Stage(300, 6, 3e-3))
    decoder: Stage = field(default_factory=lambda: Stage(500, 6, 2e-3))
    latents: Stage = field(default_factory=lambda: Stage(500, 8, 1.5e-3))
    pixels: Stage = field(default_factory=lambda: Stage(700, 4, 1e-3))
    again: Stage = field(default_factory=lambda: Stage(700, 4, 1e-3))
    words: Stage = field(default_factory=lambda: Stage(300, 16, 2e-3))
    form_weights: Weights = field(default_factory=lambda: Weights(pixels=1.0))
    weights: Weights = field(default_factory=Weights)
    error: float = 0.7
    last: float = 0.85
    n_tries: int = 4
    n_checks: int = 5


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
    scores: dict[str, float] = field(default_factory=dict)


def train(
    seed: int, cache: Path, out: Path, recipe: Recipe | None = None, config: NetsConfig | None = None,
    categories: Sequence[str] = CATEGORIES, progress: Progress | None = None,
) -> dict[str, PicturesOrigin]:  # fmt: skip
    """Render the objects (or read them from `cache`), train, and write both pipelines into the folder `out`.

    Returns where they come from, by folder. The same seed gives the same weights on the same machine with one thread.
    """
    recipe, config = recipe or Recipe(), config or NetsConfig()
    told = progress or (lambda share: None)
    training, selection = solids_of(categories, TRAINING), solids_of(categories, SELECTION)
    material = Material(
        views_of(training, config.size_px, cache, part(told, 0.0, 0.1)),
        views_of(selection, config.size_px, cache),
        PocketVision.load(),
    )
    made = trained_pair(config, recipe, material, seed, part(told, 0.1, 0.85))
    telling = new_telling(config, categories, seed)
    scores = train_telling(telling, recipe, material, made.vae, seed, part(told, 0.85, 1.0))
    came = PicturesOrigin(
        digest_of(training), digest_of(selection), material.encoder.name, seed, made.scores, pictures_write.TOLD_SDXL
    )
    told_words = replace(came, encoder="", scores=scores, told=pictures_write.TOLD_SD15)
    pictures_write.sdxl(out / SDXL, made.vae, made.drawing, config, came)
    pictures_write.sd15(out / SD15, made.vae, telling, told_words)
    return {SDXL: came, SD15: told_words}


def part(progress: Progress, start: float, stop: float) -> Progress:
    """Progress of what is done between the shares `start` and `stop` of the whole."""
    return lambda share: progress(start + share * (stop - start))


def trained_pair(config: NetsConfig, recipe: Recipe, material: Material, seed: int, progress: Progress) -> Pair:
    """Autoencoder, UNet and adapter through all their stages."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        vae = new_vae(config)
        torch.manual_seed(seed)
        hue = nn.Conv2d(vae.config.latent_channels, 3, 1)
    drawing, lesson = Drawing(config, material.encoder.dim, seed), Lesson(recipe, material, seed)
    lesson.autoencode(vae, recipe.form, 0, part(progress, 0.0, 0.12), recipe.form_weights, Choice(even=False))
    lesson.autoencode(vae, recipe.colour, 7, part(progress, 0.12, 0.3), recipe.weights, Choice(even=False))
    lesson.autoencode(vae, recipe.rare, 14, part(progress, 0.3, 0.36), recipe.weights)
    lesson.denoise(vae, drawing, recipe.early, 2, part(progress, 0.36, 0.6))
    lesson.autoencode(vae, recipe.hue, 21, part(progress, 0.6, 0.67), recipe.weights, hue=hue)
    vae.encoder.requires_grad_(False)
    vae.quant_conv.requires_grad_(False)
    lesson.autoencode(vae, recipe.decoder, 28, part(progress, 0.67, 0.77), recipe.weights)
    lesson.denoise(vae, drawing, recipe.latents, 5, part(progress, 0.77, 0.85))
    made = lesson.paint(vae, drawing, recipe.pixels, 3, part(progress, 0.85, 0.92))
    return lesson.paint(made.vae, made.drawing, recipe.again, 6, part(progress, 0.92, 1.0))


class Lesson:
    """One stage after the other, each with noise and batches of its own."""

    def __init__(self, recipe: Recipe, material: Material, seed: int) -> None:
        self._recipe, self._material, self._seed = recipe, material, seed

    def autoencode(
        self, vae: Any, stage: Stage, number: int, progress: Progress, weights: Weights,
        choice: Choice = _ANY, hue: nn.Module | None = None,
    ) -> None:  # fmt: skip
        """The autoencoder learns (of it what is not frozen), and the scale of its latents is measured."""
        loss = autoencoding(vae, Looks(self._material.encoder, weights), weights, self._random(), hue)
        for _ in descending([vae, *filter(None, [hue])], loss, self._shown(stage, number, choice), stage, progress):
            pass
        some = next(self._shown(Stage(1, 64, 0.0), 1))
        vae.register_to_config(scaling_factor=latent_scale(vae, some.pictures))

    def denoise(self, vae: Any, drawing: Drawing, stage: Stage, number: int, progress: Progress) -> None:
        """UNet and adapter learn in latents."""
        clean = self._cleaner(drawing)

        def loss(shown: Shown) -> Tensor:
            return functional.mse_loss(clean(shown), shown.latents)

        shown = self._shown(stage, number, encode=partial(encoded, vae))
        for _ in descending([drawing.unet], loss, shown, stage, progress):
            pass

    def paint(self, vae: Any, drawing: Drawing, stage: Stage, number: int, progress: Progress) -> Pair:
        """UNet, adapter and decoder learn from pictures; returns what drew objects 07 best at one of the checks."""
        clean, weights = self._cleaner(drawing), self._recipe.weights
        looks = Looks(self._material.encoder, weights)

        def loss(shown: Shown) -> Tensor:
            made = clean(shown)
            far = functional.mse_loss(made, shown.latents)
            return looks.loss(decoded(vae, made), shown) + weights.latents * far

        shown = self._shown(stage, number, encode=partial(encoded, vae))
        every, best = max(1, stage.n_steps // self._recipe.n_checks), Pair(vae, drawing)
        for step, _ in enumerate(descending([drawing.unet, vae], loss, shown, stage, progress), start=1):
            if step % every == 0 or step == stage.n_steps:
                scores = self._scores(vae, drawing)
                if scores[_CHOSEN_BY] > best.scores.get(_CHOSEN_BY, -1.0):
                    best = Pair(deepcopy(vae), deepcopy(drawing), scores)
        return best

    def _scores(self, vae: Any, drawing: Drawing) -> dict[str, float]:
        denoising = Denoising(drawing, turbo_scheduler(), self._recipe.last)
        asked, known = _fronts(self._material)

        def draw(noise: Tensor, shown: Shown) -> Tensor:
            return decoded(vae, denoising.at_once(noise, shown.embeddings))

        return scored(draw, asked, known, self._material.encoder, drawing.unet.config.sample_size)

    def _cleaner(self, drawing: Drawing) -> Callable[[Shown], Tensor]:
        """From what is shown to the latents that `drawing` makes of its embeddings and noise."""
        denoising, random = Denoising(drawing, turbo_scheduler(), self._recipe.last), self._random()

        def clean(shown: Shown) -> Tensor:
            noise = torch.randn(shown.latents.shape, generator=random)
            times = denoising.times(len(shown), random)
            condition = mixed(shown.embeddings, self._recipe.error, random)
            return denoising.clean(denoising.noisy(shown.latents, times, noise), times, condition)

        return clean

    def _random(self) -> torch.Generator:
        return torch.Generator().manual_seed(self._seed)

    def _shown(self, stage: Stage, number: int, choice: Choice = _ANY, encode: Encode | None = None) -> Iterator[Shown]:
        views, encoder = self._material.training, self._material.encoder
        return batches(views, encoder, stage.batch, stage.n_steps, self._seed + number, choice, encode)


def new_telling(config: NetsConfig, categories: Sequence[str], seed: int) -> Telling:
    """The UNet of words, narrower, and its text model."""
    return Telling(replace(config, widths=config.words_widths, heads=config.words_heads), categories, seed)


def train_telling(
    telling: Telling, recipe: Recipe, material: Material, vae: Any, seed: int, progress: Progress
) -> dict[str, float]:
    """Let `telling` learn; returns its scores."""
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
