"""The list of a stimulus set: what it is called, its licence, and every file with its SHA-256.

`stimuli.toml` in the set's folder (docs/decisions/0105-manifest-as-toml.md). A set with a manifest is what it was when
the manifest was written, or it is refused.
"""

import hashlib
import tomllib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

import tomli_w
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from calibration.sets.errors import SetUnusable
from calibration.sets.paths import checked_name, checked_path, inside
from calibration.stimuli import Item

FILE_NAME = "stimuli.toml"


def _relative(text: str) -> str:
    try:
        return checked_path(text)
    except SetUnusable as error:  # pydantic collects only errors of its own kind
        raise ValueError(str(error)) from error


def _name(text: str) -> str:
    try:
        return checked_name(text)
    except SetUnusable as error:
        raise ValueError(str(error)) from error


_Name = Annotated[str, AfterValidator(_name)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FileEntry(_Entry):
    """One file: its path relative to the manifest, and its SHA-256."""

    path: Annotated[str, AfterValidator(_relative)]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class ItemEntry(_Entry):
    """One thing that can be shown, and the files that show it; at least one."""

    category: _Name
    object: _Name
    picture: FileEntry | None = None
    video: FileEntry | None = None
    mesh: FileEntry | None = None

    @property
    def item(self) -> Item:
        """As the rest of the application knows it."""
        return Item(self.category, self.object)

    @property
    def files(self) -> list[FileEntry]:
        """Those it has."""
        return [entry for entry in (self.picture, self.video, self.mesh) if entry is not None]


class Manifest(_Entry):
    """A whole set. `parts` are files that meshes need beside themselves: buffers, materials, textures."""

    format: Literal[1] = 1
    name: _Name
    licence: Annotated[str, Field(min_length=1)]
    items: tuple[ItemEntry, ...] = Field(min_length=1)
    parts: tuple[FileEntry, ...] = ()

    @property
    def files(self) -> list[FileEntry]:
        """Every file of the set."""
        return [*(entry for item in self.items for entry in item.files), *self.parts]


def read_manifest(folder: Path) -> Manifest:
    """The manifest of `folder`, every file of it there, inside the folder and unchanged.

    Raises:
        SetUnusable: no TOML, an unknown or wrong field, two items or files alike, an item without a file, a path that
            leads out, a missing or changed file.
    """
    path = folder / FILE_NAME
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise SetUnusable(f"{path} cannot be read: {error}") from error
    try:
        manifest = Manifest.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise SetUnusable(f"{path}: {where}: {first['msg']}; `afterimage stimuli index` writes a right one") from error
    _check_once(path, manifest)
    for entry in manifest.files:
        _check_file(folder, entry)
    return manifest


def write_manifest(folder: Path, manifest: Manifest) -> Path:
    """Write `manifest` into `folder`, in place of one that is there.

    Raises:
        OSError: the folder cannot be written.
    """
    path = folder / FILE_NAME
    path.write_text(tomli_w.dumps(manifest.model_dump(exclude_none=True, mode="json")), encoding="utf-8")
    return path


def file_entry(folder: Path, relative: str) -> FileEntry:
    """The file `relative` of `folder` as it is now.

    Raises:
        SetUnusable: it leads out of the folder or cannot be read.
    """
    return FileEntry(path=checked_path(relative), sha256=_digest(inside(folder, relative)))


def _check_once(path: Path, manifest: Manifest) -> None:
    _refuse_twice(path, "item", (entry.item.key for entry in manifest.items))
    _refuse_twice(path, "file", (entry.path for entry in manifest.files))
    for entry in manifest.items:
        if not entry.files:
            raise SetUnusable(f"{path}: item {entry.item.key} has no file; expected a picture, video or mesh")


def _refuse_twice(path: Path, what: str, names: Iterable[str]) -> None:
    name, times = Counter(names).most_common(1)[0]
    if times > 1:
        raise SetUnusable(f"{path}: {what} {name} stands there {times} times; expected once")


def _check_file(folder: Path, entry: FileEntry) -> None:
    path = inside(folder, entry.path)
    if not path.is_file():
        raise SetUnusable(f"{path} is in the manifest and not on disk; bring it back, or index the folder again")
    if _digest(path) != entry.sha256:
        raise SetUnusable(
            f"{path} has changed since the manifest was written; bring it back, or index the folder again"
        )


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise SetUnusable(f"{path} cannot be read: {error.strerror}") from error
