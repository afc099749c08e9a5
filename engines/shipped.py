"""The list of weights that ship with Afterimage, with their hashes, in the format of sha256sum.

Whoever changes one of them writes the list anew: `python -m engines.shipped`.
"""

from functools import lru_cache
from pathlib import Path

from engines.runtime.files import sha256, write_whole

ROOT = Path(__file__).parent
DATA = ROOT / "generators" / "data"
LIST = DATA / "shipped.sha256"
_PLACES = (ROOT / "vision" / "pocket.safetensors", DATA)


@lru_cache(maxsize=1)
def hashes() -> dict[str, str]:
    """SHA-256 by path relative to `engines`; empty where the list is missing."""
    if not LIST.is_file():
        return {}
    rows = (line.split(maxsplit=1) for line in LIST.read_text(encoding="utf-8").splitlines())
    return {name.strip(): digest for digest, name in rows}


def below(name: str) -> list[Path]:
    """The file or folder `name`, relative to `engines`: all its files, those on the list that are not there too."""
    listed = [ROOT / one for one in hashes() if one == name or one.startswith(f"{name}/")]
    return sorted({*_files(ROOT / name), *listed})


def write_list() -> None:
    """Write the list of what is there now."""
    found = [path for place in _PLACES for path in _files(place) if path != LIST]
    lines = [f"{sha256(path)}  {path.relative_to(ROOT).as_posix()}\n" for path in found]
    write_whole(LIST, "".join(lines).encode())


def _files(place: Path) -> list[Path]:
    return [place] if place.is_file() else sorted(path for path in place.rglob("*") if path.is_file())


if __name__ == "__main__":
    write_list()
