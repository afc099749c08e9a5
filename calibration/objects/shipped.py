"""The files that ship with the built-in set, and the manifest that they are checked against.

`manifest.json` holds the SHA-256 of every other file and the digest of every object (`Solid.digest`).
"""

import hashlib
import json
from functools import cached_property
from pathlib import Path

from calibration.objects.build import build
from calibration.objects.catalogue import CATEGORIES, N_OBJECTS
from calibration.stimuli import Item
from engines.errors import WorkError

FOLDER = Path(__file__).parent / "data"
MANIFEST = "manifest.json"
DESCRIPTORS = "descriptors.npz"
EMBEDDINGS = "embeddings.safetensors"
FORMAT = 1

ITEMS = tuple(Item(category, f"{number:02d}") for category in CATEGORIES for number in range(N_OBJECTS))


class SetDamaged(WorkError):
    """A file of the built-in set is missing or not what the manifest says."""


def picture_file(category: str) -> str:
    """The file with the pictures of a category's objects, side by side."""
    return f"{category}.webp"


class Shipped:
    """The shipped files in `folder`, each checked against the manifest before it is read.

    Thread: any.
    """

    def __init__(self, folder: Path = FOLDER) -> None:
        self.folder = folder

    @cached_property
    def manifest(self) -> dict[str, dict[str, str]]:
        """`files`: name to SHA-256; `objects`: `category/object` to digest.

        Raises:
            SetDamaged: there is no manifest, or it is of another version.
        """
        text = self._bytes(MANIFEST).decode()
        try:
            manifest = json.loads(text)
        except json.JSONDecodeError as error:
            raise SetDamaged(f"{self.folder / MANIFEST} is no JSON ({error}): {_REMEDY}") from error
        if manifest.get("format") != FORMAT:
            raise SetDamaged(
                f"{self.folder / MANIFEST} has format {manifest.get('format')}, expected {FORMAT}: {_REMEDY}"
            )
        return {"files": manifest["files"], "objects": manifest["objects"]}

    def checked(self, name: str) -> Path:
        """Where the file `name` lies, which is as it was made.

        Raises:
            SetDamaged: the manifest does not list it, it is missing, or it has changed.
        """
        expected = self.manifest["files"].get(name)
        if expected is None:
            raise SetDamaged(f"The built-in set's manifest lists no {name}: {_REMEDY}")
        if (came := hashlib.sha256(self._bytes(name)).hexdigest()) != expected:
            raise SetDamaged(f"{name} has SHA-256 {came[:12]}..., the manifest says {expected[:12]}...: {_REMEDY}")
        return self.folder / name

    def _bytes(self, name: str) -> bytes:
        try:
            return (self.folder / name).read_bytes()
        except OSError as error:
            raise SetDamaged(f"{self.folder / name} cannot be read ({error.strerror}): {_REMEDY}") from error


_REMEDY = "install Afterimage again, or build the set with `python -m calibration.objects.make`"


def seal(folder: Path = FOLDER) -> None:
    """Write the manifest of what lies in `folder` now. Whoever adds or replaces a file there calls this."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.name != MANIFEST)
    manifest = {
        "format": FORMAT,
        "files": {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files},
        "objects": {item.key: build(item.category, int(item.object)).digest for item in ITEMS},
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
