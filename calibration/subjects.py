"""The subject store: one folder holds everything a decoder needs to answer again exactly as it was validated.

    manifest.json         what it is, in words and numbers, with the SHA-256 of the other file
    weights.safetensors   the model's arrays ("model.") and the chain's fitted arrays ("chain.")

Nothing in it is code and nothing is unpickled.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

from engines.errors import InputError
from engines.models.linear import LinearModel, from_parts, to_parts
from pipeline.epochs import EpochConfig
from pipeline.errors import StreamMismatch, listed
from pipeline.montage import canonical_names
from pipeline.preprocess import Chain, ChainConfig
from pipeline.types import Array, Kind, StreamInfo
from pipeline.units import microvolts_per

MANIFEST = "manifest.json"
WEIGHTS = "weights.safetensors"
SCHEMA = 1

Share = Annotated[float, Field(ge=0, le=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StreamRecord(_Strict):
    """The stream a subject was calibrated on. `channels` are the names of its EEG channels, 10-05 where known."""

    name: str
    sfreq_hz: Annotated[float, Field(gt=0)]
    unit: str
    channels: tuple[str, ...]


class ValidationRow(_Strict):
    """A row of the report's `validation`."""

    system: str
    scheme: str
    metric: str
    mean: Share
    ci95: tuple[Share, Share]
    chance: Share
    p_permutation: Share | None
    n: Annotated[int, Field(ge=1)]


class Manifest(_Strict):
    """Everything about a subject but its arrays.

    `recordings` maps the names of the calibration files to their SHA-256.
    """

    schema_version: Literal[1] = 1
    kind: Literal["afterimage-subject"] = "afterimage-subject"
    created: str = Field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    participant: str = ""
    simulated: bool
    system: str
    stage: str = "single"
    classes: Annotated[tuple[str, ...], Field(min_length=2)]
    patterns: dict[str, tuple[str, ...]]
    trial_start: str | None = None
    recordings: dict[str, str] = Field(default_factory=dict)
    channels: Annotated[tuple[str, ...], Field(min_length=1)]
    sfreq_hz: Annotated[float, Field(gt=0)]
    stream: StreamRecord
    chain: dict[str, Any]
    epoch: dict[str, Any]
    model: dict[str, Any]
    n_epochs: dict[str, int]
    validation: tuple[ValidationRow, ...]
    confusion: tuple[tuple[int, ...], ...]
    warnings: tuple[str, ...] = ()
    versions: dict[str, str] = Field(default_factory=dict)
    files: dict[str, str] = Field(default_factory=dict)


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
class Subject:
    """A calibrated participant: a decoder, the chain's fitted arrays, and what is known of both."""

    manifest: Manifest
    decoder: SubjectDecoder
    frozen: Mapping[str, Array] = field(default_factory=dict)

    @property
    def patterns(self) -> Mapping[str, Sequence[str]]:
        """Globs on marker labels by class, as in calibration."""
        return self.manifest.patterns

    @property
    def trial_start(self) -> str | None:
        """Glob on the markers that begin a trial of several windows; None where every onset is a trial."""
        return self.manifest.trial_start

    def was_calibrated_on(self, path: Path) -> bool:
        """True when this file was among those the subject was calibrated on."""
        return bool(self.manifest.recordings) and digest_of(path) in self.manifest.recordings.values()

    @property
    def simulated(self) -> bool:
        """True when the calibration data came from the simulated participant."""
        return self.manifest.simulated

    def check(self, info: StreamInfo) -> None:
        """Raise unless the stream can feed this decoder; channels may come in another order.

        Raises:
            StreamMismatch: the message tells everything that differs.
        """
        wrong = [*self._rate(info), *self._unit(info), *self._channels(info)]
        if not wrong:
            Chain(self.decoder.chain, info, self.frozen)
            return
        raise StreamMismatch(
            f"stream {info.name!r} does not fit the subject calibrated on {self.manifest.stream.name!r}: "
            f"{'; '.join(wrong)}. Send the stream as in calibration, or calibrate on this one"
        )

    def _rate(self, info: StreamInfo) -> list[str]:
        expected_hz = self.manifest.stream.sfreq_hz
        return [] if info.sfreq_hz == expected_hz else [f"rate {info.sfreq_hz:g} Hz, expected {expected_hz:g} Hz"]

    def _unit(self, info: StreamInfo) -> list[str]:
        if microvolts_per(info.unit) is not None:
            return []
        return [f"unit {info.unit!r}, expected {self.manifest.stream.unit!r} or another unit of voltage (--unit)"]

    def _channels(self, info: StreamInfo) -> list[str]:
        expected = self.manifest.stream.channels
        got = eeg_names(info)
        wrong = []
        if missing := [name for name in expected if name not in got]:
            wrong.append(f"channels missing: {listed(missing)}")
        surplus = [name for name in got if name not in expected]
        # Further channels change the average; under any other reference they are not looked at.
        if surplus and self.decoder.chain.reference == "average":
            wrong.append(f"channels that were not there: {listed(surplus)}")
        return wrong


def digest_of(path: Path) -> str:
    """SHA-256 of a file.

    Raises:
        InputError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error


def eeg_names(info: StreamInfo) -> tuple[str, ...]:
    """Names of the EEG channels as the chain calls them: 10-05 where known, else the label."""
    labels = [c.name for c in info.channels if c.kind is Kind.EEG]
    return tuple(name or label for name, label in zip(canonical_names(labels), labels, strict=True))


def save(subject: Subject, folder: Path) -> None:
    """Write a subject; one that is already there is replaced only once the new one is written.

    Raises:
        InputError: the folder holds other things under the same names.
    """
    manifest_path = folder / MANIFEST
    if manifest_path.exists():
        _read_manifest(manifest_path)  # never overwrite what is no subject of ours
    folder.mkdir(parents=True, exist_ok=True)
    _, arrays = to_parts(subject.decoder.model)
    stored = {f"model.{k}": v for k, v in arrays.items()} | {f"chain.{k}": v for k, v in subject.frozen.items()}
    weights = save_arrays({k: np.ascontiguousarray(v) for k, v in stored.items()})
    manifest = subject.manifest.model_copy(update={"files": {WEIGHTS: hashlib.sha256(weights).hexdigest()}})
    _replace(folder / WEIGHTS, weights)
    _replace(manifest_path, (json.dumps(manifest.model_dump(mode="json"), indent=2) + "\n").encode())


def load(folder: Path) -> Subject:
    """Read a subject back.

    Raises:
        InputError: no subject there, another version's, or one that was damaged or changed.
    """
    manifest = _read_manifest(folder / MANIFEST)
    stored = _read_weights(folder, manifest)
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


def _read_manifest(path: Path) -> Manifest:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(
            f"{path.parent} holds no subject ({path.name} is missing); make one with: "
            f"afterimage calibrate FILE... --out {path.parent}"
        ) from None
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise InputError(f"{path} is damaged ({error}); calibrate again or restore it") from error
    version = values.get("schema_version") if isinstance(values, dict) else None
    if version != SCHEMA:
        raise InputError(f"{path} was expected to be a subject of version {SCHEMA}; got {version!r}; calibrate again")
    try:
        return Manifest.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(p) for p in first["loc"])
        raise InputError(f"{path} is damaged: {where}: {first['msg']}; calibrate again or restore it") from error


def _read_weights(folder: Path, manifest: Manifest) -> dict[str, Array]:
    path = folder / WEIGHTS
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}; restore it or calibrate again") from error
    if hashlib.sha256(content).hexdigest() != manifest.files.get(WEIGHTS):
        raise InputError(
            f"{path} is not the file that {MANIFEST} describes: it was damaged or changed; calibrate again"
        )
    try:
        arrays: dict[str, Array] = load_arrays(content)
    except SafetensorError as error:
        raise InputError(f"{path} is no safetensors file ({error}); calibrate again") from error
    return arrays


def _under(prefix: str, arrays: Mapping[str, Array]) -> dict[str, Array]:
    return {key.removeprefix(prefix): value for key, value in arrays.items() if key.startswith(prefix)}


def _replace(path: Path, content: bytes) -> None:
    """Write beside, then rename: a crash leaves the old file or the new one."""
    beside = path.with_name(path.name + ".new")
    beside.write_bytes(content)
    beside.replace(path)
