"""Training of the pocket picture generators on built-in objects 00 to 06; 07 chooses, 08 and 09 stay unopened.

    1  the autoencoder, on pictures
    2  UNet and IP-Adapter together, from scratch, in latents: embedding and noise to the clean latents in one step
    3  the same and the autoencoder's decoder, in pixels
    4  the UNet of words and its text model, in latents

Embeddings are the pocket vision encoder's of the very picture that is to be drawn, every second with an error as EEG
decoders make it. See docs/decisions/0163-pocket-pictures.md.

Thread: one at a time (rendering holds a graphics context).
"""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from calibration.objects.catalogue import CATEGORIES, SELECTION, TRAINING
from calibration.recipes import pictures_write
from calibration.recipes.object_views import ObjectViews, digest_of, solids_of, views_of
from calibration.recipes.pictures_data import Encode, Shown, batches, fronts, mixed
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


@dataclass(frozen=True)
class Recipe:
    """How long and how hard: of the autoencoder, which learns form, where features weigh more, then colour; of the
    UNet and its adapter in latents, then in pixels; and of what takes words.

    `error` is the largest of those put on embeddings, `last` the share of pictures that are to come from pure noise,
    `n_tries` how often noise is tried for words, `n_checks` how often objects 07 are asked in the stage in pixels.
    """

    form: Stage = field(default_factory=lambda: Stage(500, 6, 2e-3))
    colour: Stage = field(default_factory=lambda: Stage(700, 6, 2e-3))
    latents: Stage = field(default_factory=lambda: Stage(700, 24, 2e-3))
    pixels: Stage = field(default_factory=lambda: Stage(900, 8, 8e-4))
    words: Stage = field(default_factory=lambda: Stage(500, 24, 2e-3))
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
class Trained:
    """An autoencoder, the UNet with its adapter, and what the pair scores on the selection objects."""

    vae: Any
    drawing: Drawing
    scores: dict[str, float]


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
    vae = trained_vae(config, recipe, material, seed, part(told, 0.1, 0.3))
    made = trained_drawing(config, recipe, material, vae, seed, part(told, 0.3, 0.8))
    telling = new_telling(config, categories, seed)
    scores = train_telling(telling, recipe, material, made.vae, seed, part(told, 0.8, 1.0))
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


def trained_vae(config: NetsConfig, recipe: Recipe, material: Material, seed: int, progress: Progress) -> Any:
    """An autoencoder whose configuration tells the scale of its latents."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        vae = new_vae(config)
    stages = ((recipe.form, recipe.form_weights), (recipe.colour, recipe.weights))
    for k, (stage, weights) in enumerate(stages):
        random = torch.Generator().manual_seed(seed)
        loss = autoencoding(vae, Looks(material.encoder, weights), weights, random)
        shown = _shown(material, stage, seed + 7 * k)
        for _ in descending([vae], loss, shown, stage, part(progress, k / 2, (k + 1) / 2)):
            pass
    some = next(_shown(material, Stage(1, 64, 0.0), seed + 1))
    vae.register_to_config(scaling_factor=latent_scale(vae, some.pictures))
    return vae.requires_grad_(False)


def trained_drawing(
    config: NetsConfig, recipe: Recipe, material: Material, vae: Any, seed: int, progress: Progress
) -> Trained:
    """The UNet and its adapter; in the last stage the decoder of `vae` (which is changed) learns with them."""
    drawing = Drawing(config, material.encoder.dim, seed)
    denoising = Denoising(drawing, turbo_scheduler(), recipe.last)
    random = torch.Generator().manual_seed(seed)
    looks = Looks(material.encoder, recipe.weights)

    def cleaned(shown: Shown) -> Tensor:
        noise = torch.randn(shown.latents.shape, generator=random)
        times = denoising.times(len(shown), random)
        condition = mixed(shown.embeddings, recipe.error, random)
        return denoising.clean(denoising.noisy(shown.latents, times, noise), times, condition)

    def in_latents(shown: Shown) -> Tensor:
        return functional.mse_loss(cleaned(shown), shown.latents)

    def in_pixels(shown: Shown) -> Tensor:
        made = cleaned(shown)
        far = functional.mse_loss(made, shown.latents)
        return looks.loss(decoded(vae, made), shown) + recipe.weights.latents * far

    encode = partial(encoded, vae)
    shown = _shown(material, recipe.latents, seed + 2, encode)
    for _ in descending([drawing.unet], in_latents, shown, recipe.latents, part(progress, 0.0, 0.4)):
        pass
    vae.decoder.requires_grad_(True)
    vae.post_quant_conv.requires_grad_(True)
    shown = _shown(material, recipe.pixels, seed + 3, encode)
    steps = descending([drawing.unet, vae], in_pixels, shown, recipe.pixels, part(progress, 0.4, 1.0))
    return _best(steps, recipe, material, vae, drawing, denoising)


def new_telling(config: NetsConfig, categories: Sequence[str], seed: int) -> Telling:
    """The UNet of words, narrower, and its text model."""
    return Telling(replace(config, widths=config.words_widths, heads=config.words_heads), categories, seed)


def train_telling(
    telling: Telling, recipe: Recipe, material: Material, vae: Any, seed: int, progress: Progress
) -> dict[str, float]:
    """Let `telling` learn; returns its scores."""
    shown = batches(
        material.training, material.encoder, recipe.words.batch, recipe.words.n_steps, seed + 4,
        still=True, encode=partial(encoded, vae),
    )  # fmt: skip
    trained_telling(telling, shown, recipe.words, recipe.last, recipe.n_tries, seed, progress)
    denoising = Denoising(telling, sd15_scheduler(), recipe.last)
    asked, known = _fronts(material)

    def draw(noise: Tensor, shown: Shown) -> Tensor:
        return decoded(vae, denoising.at_once(noise, telling.tokens(shown)))

    return scored(draw, asked, known, material.encoder, telling.unet.config.sample_size)


def _best(
    steps: Iterator[float], recipe: Recipe, material: Material, vae: Any, drawing: Drawing, denoising: Denoising
) -> Trained:
    """Take all steps; what drew objects 07 best at one of the checks."""
    asked, known = _fronts(material)
    every, best = max(1, recipe.pixels.n_steps // recipe.n_checks), None

    def draw(noise: Tensor, shown: Shown) -> Tensor:
        return decoded(vae, denoising.at_once(noise, shown.embeddings))

    for step, _ in enumerate(steps, start=1):
        if step % every == 0 or step == recipe.pixels.n_steps:
            scores = scored(draw, asked, known, material.encoder, drawing.unet.config.sample_size)
            if best is None or scores[_CHOSEN_BY] > best.scores[_CHOSEN_BY]:
                best = Trained(deepcopy(vae), deepcopy(drawing), scores)
    if best is None:
        raise AssertionError("the last step is a check")
    return best


_CHOSEN_BY = "pixel correlation"


def _fronts(material: Material) -> tuple[Shown, Shown]:
    """The selection objects, and those of training, as their own pictures show them."""
    return fronts(material.selection, material.encoder), fronts(material.training, material.encoder)


def _shown(material: Material, stage: Stage, seed: int, encode: Encode | None = None) -> Iterator[Shown]:
    return batches(material.training, material.encoder, stage.batch, stage.n_steps, seed, encode=encode)
