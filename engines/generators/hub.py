"""Where a model's folder is on this machine: where the user says, else in the hub's cache. The network is never asked.

The cache of huggingface_hub keeps a model in `models--<organisation>--<name>/snapshots/<revision>/`, and in `refs/main`
which revision is the newest that was fetched.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError

from engines.errors import InputError


def cache_folder() -> Path:
    """The user's hub cache, by the environment variables that huggingface_hub reads; it need not exist."""
    named = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE")
    if named:
        return Path(named).expanduser()
    home = os.environ.get("HF_HOME")
    if home:
        return Path(home).expanduser() / "hub"
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "huggingface" / "hub"


def model_folder(repository: str, needed: tuple[str, ...], configured: Path | None, how_to_get: str) -> Path:
    """The folder of `repository` ("organisation/name") that holds all of `needed`: files, folders, patterns.

    `configured` is the only place looked at where it is given; else the revision `main` in the cache, else any other
    whole one, the newest first.

    Raises:
        InputError: it is not there, or not whole; the message ends with `how_to_get`.
    """
    places = [configured] if configured is not None else snapshots(repository)
    if not places:
        raise InputError(f"{repository} is not on this machine (looked in {cache_folder()}); {how_to_get}")
    missing = {place: lacking(place, needed) for place in places}
    whole = [place for place, names in missing.items() if not names]
    if not whole:
        raise InputError(f"{places[0]}: expected {repository}, {', '.join(missing[places[0]])} missing; {how_to_get}")
    return whole[0]


def lacking(place: Path, needed: tuple[str, ...]) -> tuple[str, ...]:
    """Which of `needed` (files, folders, patterns) are not in the folder `place`."""
    return tuple(name for name in needed if not any(path.exists() for path in place.glob(name)))


def name_of(folder: Path) -> str:
    """What a model's folder is called: the repository's name in a cache, where the folder's own is a revision."""
    place = folder.absolute()
    if place.parent.name == "snapshots" and place.parents[1].name.startswith("models--"):
        return place.parents[1].name.split("--")[-1]
    return place.resolve().name


def cache_of(repository: str) -> Path:
    """Where the hub's cache keeps what it has of `repository`; it need not exist."""
    return cache_folder() / f"models--{repository.replace('/', '--')}"


def snapshots(repository: str) -> list[Path]:
    """Revisions of `repository` in the cache, `main` first, then the others from the newest."""
    home = cache_of(repository)
    found = sorted((home / "snapshots").glob("*"), key=lambda place: (-place.stat().st_mtime, place.name))
    main = home / "refs" / "main"
    named = main.read_text(encoding="utf-8").strip() if main.is_file() else ""
    return sorted(found, key=lambda place: place.name != named)


@contextmanager
def readable(folder: Path, how_to_get: str) -> Iterator[None]:
    """What transformers cannot read in `folder`, or does not fit its configuration, is an InputError."""
    try:
        yield
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        if isinstance(error, RuntimeError) and "ignore_mismatched_sizes" not in str(error):
            raise  # not enough memory, for one
        told = str(error).strip().split("\n", 1)[0]
        raise InputError(f"{folder}: cannot be read ({type(error).__name__}: {told}); {how_to_get}") from error
