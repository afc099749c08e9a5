"""What subjects of every kind have in common: fields of the manifest, checked files, the stream that fits.

Each kind is a folder with a `manifest.json` that names its kind and the SHA-256 of every other file
(`calibration/subjects.py`, `calibration/decoding/subject.py`). Nothing in it is code and nothing is unpickled.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Protocol, TypeVar

from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays

from engines.errors import InputError
from pipeline.errors import StreamMismatch, listed
from pipeline.montage import canonical_names
from pipeline.preprocess import Chain, ChainConfig
from pipeline.types import Array, Kind, StreamInfo
from pipeline.units import microvolts_per

MANIFEST = "manifest.json"
SCHEMA = 1

Share = Annotated[float, Field(ge=0, le=1)]


class Strict(BaseModel):
    """Every key is known, none is changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class StreamRecord(Strict):
    """The stream a subject was calibrated on. `channels` are the names of its EEG channels, 10-05 where known.

    `source_id` is what the sender called itself; "" where it did not, or before it was kept.
    """

    name: str
    sfreq_hz: Annotated[float, Field(gt=0)]
    unit: str
    channels: tuple[str, ...]
    source_id: str = ""

    @classmethod
    def of(cls, info: StreamInfo) -> "StreamRecord":
        """The record of a stream."""
        return cls(
            name=info.name,
            sfreq_hz=info.sfreq_hz,
            unit=info.unit or "",
            channels=eeg_names(info),
            source_id=info.source_id,
        )


class ValidationRow(Strict):
    """A row of the report's `validation`."""

    system: str
    scheme: str
    metric: str
    mean: Share
    ci95: tuple[Share, Share]
    chance: Share
    p_permutation: Share | None
    n: Annotated[int, Field(ge=1)]


class BaseManifest(Strict):
    """What every kind of subject says of itself.

    `recordings` maps the names of the calibration files to their SHA-256, `files` those of the folder to theirs.
    `offline_reason` says why it may not run live, "" where it may.
    """

    schema_version: int = SCHEMA
    kind: str = ""
    created: str = Field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    participant: str = ""
    simulated: bool
    system: str
    patterns: dict[str, tuple[str, ...]]
    recordings: dict[str, str] = Field(default_factory=dict)
    channels: Annotated[tuple[str, ...], Field(min_length=1)]
    sfreq_hz: Annotated[float, Field(gt=0)]
    stream: StreamRecord
    chain: dict[str, Any]
    validation: tuple[ValidationRow, ...]
    confusion: tuple[tuple[int, ...], ...]
    offline_reason: str = ""
    warnings: tuple[str, ...] = ()
    versions: dict[str, str] = Field(default_factory=dict)
    files: dict[str, str] = Field(default_factory=dict)

    def was_calibrated_on(self, path: Path) -> bool:
        """True when this file was among those the subject was calibrated on."""
        return bool(self.recordings) and digest_of(path) in self.recordings.values()

    def require_live(self, folder: Path) -> None:
        """Pass a subject that may decode live.

        Raises:
            InputError: it may not, and why.
        """
        if self.offline_reason:
            raise InputError(f"{folder} may not decode live: {self.offline_reason}")

    def require_fit(self, info: StreamInfo, chain: ChainConfig, frozen: Mapping[str, Array]) -> None:
        """Raise unless the stream can feed the decoder; channels may come in another order.

        Raises:
            StreamMismatch: the message tells everything that differs.
        """
        wrong = [*self._rate(info), *self._unit(info), *self._channels(info, chain)]
        if not wrong:
            Chain(chain, info, frozen)
            return
        raise StreamMismatch(
            f"stream {info.name!r} does not fit the subject calibrated on {self.stream.name!r}: "
            f"{'; '.join(wrong)}. Send the stream as in calibration, or calibrate on this one"
        )

    def _rate(self, info: StreamInfo) -> list[str]:
        expected_hz = self.stream.sfreq_hz
        return [] if info.sfreq_hz == expected_hz else [f"rate {info.sfreq_hz:g} Hz, expected {expected_hz:g} Hz"]

    def _unit(self, info: StreamInfo) -> list[str]:
        if microvolts_per(info.unit) is not None:
            return []
        return [f"unit {info.unit!r}, expected {self.stream.unit!r} or another unit of voltage (--unit)"]

    def _channels(self, info: StreamInfo, chain: ChainConfig) -> list[str]:
        expected, got = self.stream.channels, eeg_names(info)
        wrong = []
        if missing := [name for name in expected if name not in got]:
            wrong.append(f"channels missing: {listed(missing)}")
        surplus = [name for name in got if name not in expected]
        # Further channels change the average; under any other reference they are not looked at.
        if surplus and chain.reference == "average":
            wrong.append(f"channels that were not there: {listed(surplus)}")
        return wrong


class HasChain(Protocol):
    """What every decoder has."""

    @property
    def chain(self) -> ChainConfig:
        """The frozen decoding chain."""
        ...


@dataclass(frozen=True, eq=False)
class BaseSubject:
    """A calibrated participant of any kind: a decoder, the chain's fitted arrays, and what is known of both."""

    manifest: BaseManifest
    decoder: HasChain
    frozen: Mapping[str, Array]

    @property
    def patterns(self) -> Mapping[str, Sequence[str]]:
        """Globs on marker labels by class, as in calibration."""
        return self.manifest.patterns

    @property
    def simulated(self) -> bool:
        """True when the calibration data came from the simulated participant."""
        return self.manifest.simulated

    def was_calibrated_on(self, path: Path) -> bool:
        """True when this file was among those the subject was calibrated on."""
        return self.manifest.was_calibrated_on(path)

    def check(self, info: StreamInfo) -> None:
        """Raise unless the stream can feed this decoder; channels may come in another order.

        Raises:
            StreamMismatch: the message tells everything that differs.
        """
        self.manifest.require_fit(info, self.decoder.chain, self.frozen)


M = TypeVar("M", bound=BaseManifest)


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


def manifest_values(folder: Path) -> dict[str, Any]:
    """What the manifest of a folder says, of whatever kind.

    Raises:
        InputError: none there, or another version's.
    """
    path = folder / MANIFEST
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(
            f"{folder} holds no subject ({path.name} is missing); make one with: "
            f"afterimage calibrate FILE... --out {folder}"
        ) from None
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise InputError(f"{path} is damaged ({error}); calibrate again or restore it") from error
    version = values.get("schema_version") if isinstance(values, dict) else None
    if not isinstance(values, dict) or version != SCHEMA:
        raise InputError(f"{path} was expected to be a subject of version {SCHEMA}; got {version!r}; calibrate again")
    return values


def checked_manifest(kind: type[M], values: Mapping[str, Any], folder: Path) -> M:
    """`values` as a manifest of this kind.

    Raises:
        InputError: something is missing or of another form.
    """
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(p) for p in first["loc"])
        raise InputError(
            f"{folder / MANIFEST} is damaged: {where}: {first['msg']}; calibrate again or restore it"
        ) from error


def checked_arrays(folder: Path, name: str, manifest: BaseManifest) -> dict[str, NDArray[Any]]:
    """The arrays of a safetensors file that the manifest vouches for.

    Raises:
        InputError: it is missing, damaged or another.
    """
    path = folder / name
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}; restore it or calibrate again") from error
    if hashlib.sha256(content).hexdigest() != manifest.files.get(name):
        raise InputError(
            f"{path} is not the file that {MANIFEST} describes: it was damaged or changed; calibrate again"
        )
    try:
        arrays: dict[str, NDArray[Any]] = load_arrays(content)
    except SafetensorError as error:
        raise InputError(f"{path} is no safetensors file ({error}); calibrate again") from error
    return arrays


def replace_file(path: Path, content: bytes) -> None:
    """Write beside, then rename: a crash leaves the old file or the new one."""
    beside = path.with_name(path.name + ".new")
    beside.write_bytes(content)
    beside.replace(path)


def write_manifest(folder: Path, manifest: BaseManifest) -> None:
    """The last file of a subject to be written."""
    text = json.dumps(manifest.model_dump(mode="json"), indent=2) + "\n"
    replace_file(folder / MANIFEST, text.encode())
