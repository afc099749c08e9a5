"""Where pretrained parts are on this machine, and whether their bytes are what they should be. Nothing is fetched.

    found = find(part("git"), GeneratorsConfig())       # Found or Absent, with every place that was looked at
    checked = check(found)                              # one line a file

A file's right hash is known in four ways: from the list that ships with Afterimage; from the hub's cache, where a large
file is named by its SHA-256 and a small one by its git hash; from what `hf download --local-dir` writes beside a file;
and from its makers, who publish the first digits (`Part.sha256`). Otherwise it is unknown, and told so.
"""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engines import shipped
from engines.errors import InputError
from engines.generators import hub
from engines.generators.config import GeneratorsConfig
from engines.parts import PARTS, Part
from engines.runtime.files import sha256

_DOWNLOADS = Path(".cache", "huggingface", "download")
_SHA1, _SHA256 = 40, 64


@dataclass(frozen=True)
class Found:
    """A part that is here whole. `place` is a folder, or the one file; `looked` every place until then, it the last."""

    part: Part
    place: Path
    looked: tuple[Path, ...]


@dataclass(frozen=True)
class Absent:
    """A part that is not here. `looked` at these places, `missing` of it from the first that exists; what to do."""

    part: Part
    looked: tuple[Path, ...]
    missing: tuple[str, ...]
    remedy: str


@dataclass(frozen=True)
class Checked:
    """One file: right, damaged, or None where nobody says what its hash should be; `told` is what was compared."""

    path: Path
    right: bool | None
    told: str


@dataclass(frozen=True)
class Said:
    """What the SHA-256 of a file should be, or its first digits, and who says so; nothing was compared."""

    path: Path
    sha256: str
    told: str


def part(name: str) -> Part:
    """The part of that name.

    Raises:
        InputError: there is none.
    """
    known = {one.name: one for one in PARTS}
    if name not in known:
        raise InputError(f"expected a pretrained part ({', '.join(known)}), got {name!r}")
    return known[name]


def find(wanted: Part, config: GeneratorsConfig) -> Found | Absent:
    """Look for `wanted` where `config` says, there alone, else in its usual places in order. Opens no file."""
    looked: list[Path] = []
    missing: tuple[str, ...] = wanted.files
    for place in places(wanted, config):
        looked.append(place)
        lacking = _lacking(wanted, place)
        if not lacking:
            return Found(wanted, place, tuple(looked))
        if place.exists() and missing == wanted.files:
            missing = lacking
    return Absent(wanted, tuple(looked), missing, how_to_get(wanted))


def require_here(wanted: Part, config: GeneratorsConfig) -> Found:
    """What `find` finds.

    Raises:
        InputError: it is not here; the message says where it was looked for, and what to do.
    """
    found = find(wanted, config)
    if isinstance(found, Absent):
        looked = ", ".join(map(str, found.looked))
        raise InputError(
            f"{wanted.source} is not on this machine, {', '.join(found.missing)} missing (looked in {looked}); "
            f"{found.remedy}"
        )
    return found


def places(wanted: Part, config: GeneratorsConfig) -> list[Path]:
    """Where `wanted` is looked for, in order; of the hub's cache, its folder where no revision is there."""
    configured: Path | None = getattr(config, wanted.setting) if wanted.setting else None
    if configured is not None:
        return [configured]
    if wanted.kind == "hub":
        return hub.snapshots(wanted.source) or [hub.cache_of(wanted.source)]
    if wanted.kind == "torch":
        return [_torch_cache() / "checkpoints"]
    if wanted.kind == "u2net":
        return [_u2net_home()]
    return [shipped.ROOT] if wanted.kind == "shipped" else []


def how_to_get(wanted: Part) -> str:
    """What a user does to have it."""
    if wanted.kind == "unused":
        return wanted.note
    if wanted.kind == "shipped":
        return f"it comes with Afterimage: install it again, or make it anew with `{wanted.source}`"
    where = " on huggingface.co" if wanted.kind == "hub" else ""
    named = wanted.named_by or (f"[reconstruction] {wanted.setting}" if wanted.setting else "")
    terms = f"; {wanted.restriction}" if wanted.restriction else ""
    by_name = f", or name it by {named}" if named else ""
    note = f"; {wanted.note}" if wanted.note else ""
    what = f"get {', '.join(wanted.files)} of {wanted.source}{where} ({wanted.size}; licence {wanted.licence}{terms})"
    return f"{what}{by_name}{note}"


def size(found: Found) -> int:
    """Bytes of everything of it that is here."""
    return sum(path.stat().st_size for path in files(found) if path.is_file())


def files(found: Found) -> list[Path]:
    """Its files: all of a model's folder, of what ships also those that should be there, else those that are needed."""
    if found.place.is_file():
        return [found.place]
    if found.part.kind == "hub":
        whole = (path for path in found.place.rglob("*") if path.is_file())
        return sorted(path for path in whole if _DOWNLOADS.parts[0] not in path.relative_to(found.place).parts)
    if found.part.kind == "shipped":
        return sorted({path for name in found.part.files for path in shipped.below(name)})
    return [Path(os.path.normpath(found.place / name)) for name in found.part.files]


def check(found: Found) -> Iterator[Checked]:
    """Compare each of its files with its right hash, one at a time: gigabytes take minutes."""
    for path in files(found):
        yield _checked(found, path)


def said(found: Found) -> list[Said]:
    """What is known of its files' SHA-256; of small files of the hub, named by git's hash, nothing."""
    known = [(path, *_known_hash(found, path)) for path in files(found)]
    return [Said(path, digest, told) for path, digest, told in known if digest is not None and len(digest) != _SHA1]


def _checked(found: Found, path: Path) -> Checked:
    wanted, told = _known_hash(found, path)
    if wanted is None:
        return Checked(path, None, "its hash is not known")
    if not path.is_file():
        return Checked(path, False, "missing; install Afterimage again")
    got = git_hash(path) if len(wanted) == _SHA1 else sha256(path)[: len(wanted)]
    if got == wanted:
        return Checked(path, True, f"as in {told}")
    return Checked(path, False, f"expected {wanted} as in {told}, got {got}; fetch it again")


def _known_hash(found: Found, path: Path) -> tuple[str | None, str]:
    """The right hash, SHA-256 (or its beginning) or git's, and who says so."""
    if found.part.kind == "shipped":
        return shipped.hashes().get(path.relative_to(shipped.ROOT).as_posix()), "the list that ships"
    blob, place = path.resolve(), found.place
    if blob.parent.name == "blobs" and len(blob.name) in (_SHA1, _SHA256):
        return blob.name, "the hub's cache"
    if place.is_dir() and path.is_relative_to(place):
        beside = place / _DOWNLOADS / f"{path.relative_to(place).as_posix()}.metadata"
        if beside.is_file():
            return beside.read_text(encoding="utf-8").splitlines()[1].strip(), "the record of its download"
    first = found.place if found.place.is_file() else found.place / found.part.files[0]
    return (found.part.sha256, "what its makers publish") if found.part.sha256 and path == first else (None, "")


def git_hash(path: Path) -> str:
    """The hash by which git, and the hub's cache for small files, names a file."""
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _lacking(wanted: Part, place: Path) -> tuple[str, ...]:
    """Which of its files are not there; of one that was configured as a file, none."""
    return () if place.is_file() else hub.lacking(place, wanted.files)


def _u2net_home() -> Path:
    """Where rembg keeps what it fetched, by the variables that it reads."""
    usual = Path(os.environ.get("XDG_DATA_HOME") or "~", ".u2net")
    return Path(os.environ.get("U2NET_HOME") or usual).expanduser()


def _torch_cache() -> Path:
    """Where torch.hub keeps what it fetched, by the variables that it reads."""
    home = os.environ.get("TORCH_HOME")
    usual = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "torch"
    return (Path(home).expanduser() if home else usual) / "hub"
