"""The subject store: one folder holds everything a decoder needs to answer again exactly as it was validated.

A linear decoder of one window is this; `load` reads the folders of anytime decoders as well
(`calibration/decoding/subject.py`).

    manifest.json         what it is, in words and numbers, with the SHA-256 of the other file
    weights.safetensors   the model's arrays ("model.") and the chain's fitted arrays ("chain.")
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field
from safetensors.numpy import save as save_arrays

from calibration.decoding import subject as anytime
from calibration.decoding.subject import AnytimeSubject
from calibration.store import (
    MANIFEST,
    BaseManifest,
    BaseSubject,
    checked_arrays,
    checked_manifest,
    manifest_values,
    replace_file,
    write_manifest,
)
from calibration.store import (
    digest_of as digest_of,
)
from engines.models.linear import LinearModel, from_parts, to_parts
from engines.runtime.base import ALLOWED
from pipeline.epochs import EpochConfig
from pipeline.preprocess import ChainConfig
from pipeline.types import Array

WEIGHTS = "weights.safetensors"


class Manifest(BaseManifest):
    """Everything about a subject but its arrays."""

    schema_version: Literal[1] = 1
    kind: Literal["afterimage-subject"] = "afterimage-subject"
    stage: str = "single"
    classes: Annotated[tuple[str, ...], Field(min_length=2)]
    trial_start: str | None = None
    epoch: dict[str, Any]
    model: dict[str, Any]
    n_epochs: dict[str, int]


@dataclass(frozen=True)
class SubjectDecoder:
    """Implements `pipeline.decode.Decoder`. Thread: any."""

    classes: tuple[str, ...]
    channels: tuple[str, ...]
    sfreq_hz: float
    chain: ChainConfig
    epoch: EpochConfig
    stage: str
    model: LinearModel

    def probabilities(self, epoch_uv: Array) -> Array:
        """(n_channels, n_samples) in microvolts to (n_classes,), summing to 1."""
        return self.model.probabilities(epoch_uv)


@dataclass(frozen=True)
class Subject(BaseSubject):
    """A calibrated participant whose decoder looks at one window."""

    manifest: Manifest
    decoder: SubjectDecoder
    frozen: Mapping[str, Array] = field(default_factory=dict)

    @property
    def trial_start(self) -> str | None:
        """Glob on the markers that begin a trial of several windows; None where every onset is a trial."""
        return self.manifest.trial_start


AnySubject = Subject | AnytimeSubject


def save(subject: Subject, folder: Path) -> None:
    """Write a subject; one that is already there is replaced only once the new one is written.

    Raises:
        InputError: the folder holds other things under the same names.
    """
    if (folder / MANIFEST).exists():
        manifest_values(folder)  # never overwrite what is no subject of ours
    folder.mkdir(parents=True, exist_ok=True)
    _, arrays = to_parts(subject.decoder.model)
    stored = {f"model.{k}": v for k, v in arrays.items()} | {f"chain.{k}": v for k, v in subject.frozen.items()}
    weights = save_arrays({k: np.ascontiguousarray(v) for k, v in stored.items()})
    manifest = subject.manifest.model_copy(update={"files": {WEIGHTS: hashlib.sha256(weights).hexdigest()}})
    replace_file(folder / WEIGHTS, weights)
    write_manifest(folder, manifest)


def load(folder: Path, runtimes: Sequence[str] = ALLOWED, threads: int = 1) -> AnySubject:
    """Read a subject back, of whatever kind; `runtimes` may run a network, in order, on `threads` of the CPU.

    Raises:
        InputError: no subject there, another version's, one that was damaged or changed, or one that may not run live.
        NoRuntime: none of `runtimes` can run its network here.
    """
    anytime.refuse_bare_model(folder)
    values = manifest_values(folder)
    if values.get("kind") == anytime.KIND:
        return anytime.load(folder, values, runtimes, threads)
    manifest = checked_manifest(Manifest, values, folder)
    manifest.require_live(folder)
    stored = checked_arrays(folder, WEIGHTS, manifest)
    model = from_parts(manifest.model, _under("model.", stored))
    decoder = SubjectDecoder(
        classes=manifest.classes,
        channels=manifest.channels,
        sfreq_hz=manifest.sfreq_hz,
        chain=ChainConfig.from_dict(manifest.chain),
        epoch=EpochConfig.from_dict(manifest.epoch),
        stage=manifest.stage,
        model=model,
    )
    return Subject(manifest, decoder, _under("chain.", stored))


def _under(prefix: str, arrays: Mapping[str, Array]) -> dict[str, Array]:
    return {key.removeprefix(prefix): value for key, value in arrays.items() if key.startswith(prefix)}
