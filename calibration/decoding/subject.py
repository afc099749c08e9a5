"""A calibrated participant whose decoder answers before the turn, as the object turns, and at its end.

    manifest.json         what it is, in words and numbers: categories, windows, temperatures, validation, hashes
    model/                the network as an ONNX graph that gave torch's numbers (`engines/runtime/folder.py`)
    gallery.safetensors   raw embeddings of the pictures it knows, their centre, the chain's arrays ("chain."), and
                          how decoded embeddings become as long as true ones ("restore.": `restore.py`)

Reading it imports no torch. What was decoded is compared with the gallery by direction, both seen from the mean
embedding of the training pictures.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator
from scipy.special import softmax

from calibration.decoding.restore import StagedRestore
from calibration.store import MANIFEST, BaseManifest, BaseSubject, Strict, checked_arrays, checked_manifest
from engines.errors import InputError
from engines.runtime.base import ALLOWED, choose, open_chosen
from engines.runtime.folder import MODELS, Exported
from engines.runtime.types import Choice, Description, Options, Runtime
from pipeline.anytime import Answer, Windows
from pipeline.encode import inputs
from pipeline.preprocess import ChainConfig
from pipeline.types import Array, Nearest

KIND = "afterimage-anytime-subject"
MODEL, GALLERY = "model", "gallery.safetensors"
GRAPH = f"{MODEL}/{MODELS['float32']}"
# What a model that was trained without a participant's stream leaves (calibration/decoding/models.py).
BARE_MODEL = "model.json"
N_NEAREST = 5

Positive = Annotated[float, Field(gt=0)]


class Known(Strict):
    """A picture of the gallery: `shown` tells what the decoder learned from it; `colour` counts from 0."""

    key: str
    shown: Literal["training", "selection", "validation", "never"]
    colour: int | None = None


class Temperatures(Strict):
    """By how much logits are divided after so many samples of the turn, so that confidence is as good as it says."""

    n_dynamic: Annotated[tuple[int, ...], Field(min_length=1)]
    category: tuple[Positive, ...]
    colour: tuple[Positive, ...]

    @model_validator(mode="after")
    def _goes_up(self) -> "Temperatures":
        if not len(self.n_dynamic) == len(self.category) == len(self.colour):
            raise ValueError("expected a temperature for each number of samples")
        if list(self.n_dynamic) != sorted(set(self.n_dynamic)):
            raise ValueError("expected numbers of samples that go up")
        return self

    def of(self, n_dynamic: int) -> tuple[float, float]:
        """Of category and colour; in between they are interpolated."""
        return (
            float(np.interp(n_dynamic, self.n_dynamic, self.category)),
            float(np.interp(n_dynamic, self.n_dynamic, self.colour)),
        )


class AnytimeManifest(BaseManifest):
    """Everything about an anytime subject but its arrays.

    A raw embedding is what the network gives, times `scale`, plus the centre that is stored with the gallery.
    `stimuli` is the set of its pictures as `calibration.open_set` takes it.
    """

    schema_version: Literal[1] = 1
    kind: Literal["afterimage-anytime-subject"] = "afterimage-anytime-subject"
    size: str
    categories: Annotated[tuple[str, ...], Field(min_length=2)]
    colours: tuple[str, ...]
    windows: dict[str, Any]
    encoder: str
    scale: Positive
    stimuli: str
    gallery: Annotated[tuple[Known, ...], Field(min_length=1)]
    temperatures: Temperatures
    training: dict[str, Any]


@dataclass(frozen=True, eq=False)
class Gallery:
    """Known pictures: `raw` (n, dim) embeddings by `keys`; `centre` (dim,) is where directions are seen from."""

    keys: tuple[str, ...]
    raw: NDArray[np.float32]
    centre: NDArray[np.float32]

    @cached_property
    def _directions(self) -> Array:
        return _unit(self.raw.astype(np.float64) - self.centre)

    def nearest(self, embedding: Array, n: int = N_NEAREST) -> tuple[Nearest, ...]:
        """The `n` pictures most like a raw `embedding` (dim,), the most alike first."""
        cosines = self._directions @ _unit(embedding - self.centre)
        order = np.argsort(-cosines, kind="stable")[:n]
        return tuple(Nearest(self.keys[i], float(cosines[i])) for i in order)


@dataclass(frozen=True, eq=False)
class AnytimeSubjectDecoder:
    """Implements `pipeline.anytime.AnytimeDecoder`. `choice` tells why this `runtime`. Thread: one at a time.

    `restore` lengthens the embedding that is answered, for generators; None in subjects of before. Nearest pictures are
    those of the embedding as it was decoded.
    """

    classes: tuple[str, ...]
    colours: tuple[str, ...]
    channels: tuple[str, ...]
    sfreq_hz: float
    chain: ChainConfig
    windows: Windows
    temperatures: Temperatures
    scale: float
    gallery: Gallery
    runtime: Runtime
    choice: Choice
    restore: StagedRestore | None = None

    def answer(self, static_uv: Array, dynamic_uv: Array | None) -> Answer:
        """See `AnytimeDecoder`."""
        batch = inputs(static_uv, dynamic_uv, self.windows.n_dynamic)
        found = self.runtime({tensor.name: batch[tensor.name] for tensor in self.runtime.spec.inputs})
        # In single precision, as `Scaling.back` in training.
        embedding = (found["embedding"][0] * np.float32(self.scale) + self.gallery.centre).astype(np.float64)
        n_dynamic = int(batch["n_dynamic"][0])
        category, colour = self.temperatures.of(n_dynamic)
        restore = None if self.restore is None else self.restore.of(n_dynamic)
        return Answer(
            probabilities=softmax(found["category"][0].astype(np.float64) / category),
            colour_probabilities=softmax(found["colour"][0].astype(np.float64) / colour),
            nearest=self.gallery.nearest(embedding),
            embedding=embedding if restore is None else restore.apply(embedding),
            certainty=1.0 if restore is None else restore.certainty,
        )

    def warm_up(self) -> None:
        """An answer to silence, so that the first one to a person comes as soon as all others."""
        n_channels, windows = len(self.channels), self.windows
        static_uv = np.zeros((n_channels, windows.static.n_samples(self.sfreq_hz)))
        self.answer(static_uv, np.zeros((n_channels, windows.n_dynamic)))


@dataclass(frozen=True, eq=False)
class AnytimeSubject(BaseSubject):
    """A calibrated participant whose decoder is an `AnytimeDecoder`."""

    manifest: AnytimeManifest
    decoder: AnytimeSubjectDecoder

    @property
    def trial_start(self) -> None:
        """Every picture is a trial."""
        return None

    @property
    def runtime(self) -> Description:
        """What runs the network."""
        return self.decoder.runtime.describe()

    def colour_of(self, label: str) -> int | None:
        """The colour of the object that a marker such as "stim/car/08" names; None where it is not known."""
        return self._colours.get(label.partition("/")[2])

    @cached_property
    def _colours(self) -> dict[str, int | None]:
        return {known.key: known.colour for known in self.manifest.gallery}


def load(
    folder: Path, values: Mapping[str, Any], runtimes: Sequence[str] = ALLOWED, threads: int = 1
) -> AnytimeSubject:
    """Read a subject whose manifest says `values`, and open its network in the first of `runtimes` that can run it.

    `threads` are those of the CPU.

    Raises:
        InputError: it was damaged or changed, or may not run live.
        BadModel: the network was.
        NoRuntime: none of `runtimes` can run it here.
    """
    manifest = checked_manifest(AnytimeManifest, values, folder)
    manifest.require_live(folder)
    stored = checked_arrays(folder, GALLERY, manifest)
    exported = Exported.read(folder / MODEL)
    if exported.graphs["float32"].sha256 != manifest.files.get(GRAPH):
        raise InputError(f"{folder / GRAPH} is not the network that {MANIFEST} describes; calibrate again")
    choice = choose(exported, runtimes)
    runtime = open_chosen(exported, choice, Options(threads=threads))
    decoder = AnytimeSubjectDecoder(
        classes=manifest.categories,
        colours=manifest.colours,
        channels=manifest.channels,
        sfreq_hz=manifest.sfreq_hz,
        chain=ChainConfig.from_dict(manifest.chain),
        windows=Windows.from_dict(manifest.windows),
        temperatures=manifest.temperatures,
        scale=manifest.scale,
        gallery=Gallery(tuple(known.key for known in manifest.gallery), stored["raw"], stored["centre"]),
        runtime=runtime,
        choice=choice,
        restore=StagedRestore.from_arrays(stored),
    )
    decoder.warm_up()
    frozen = {name.removeprefix("chain."): values for name, values in stored.items() if name.startswith("chain.")}
    return AnytimeSubject(manifest, decoder, frozen)


def refuse_bare_model(folder: Path) -> None:
    """Pass a folder that may be a subject.

    Raises:
        InputError: it is a trained model without a stream that it fits.
    """
    path = folder / BARE_MODEL
    if (folder / MANIFEST).exists() or not path.is_file():
        return
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path} is damaged ({error}); train again") from error
    reason = told.get("offline_reason") if isinstance(told, dict) else None
    raise InputError(
        f"{folder} may not decode live: {reason or 'it is a trained model that knows no stream'}; "
        "calibrate on recordings of the participant: afterimage calibrate FILE... --system brainssd"
    )


def _unit(vectors: Array) -> Array:
    """Vectors along the last axis divided by their lengths; zeros stay."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1.0), dtype=np.float64)
