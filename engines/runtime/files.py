"""Files that are there whole or not at all. Thread: any; processes that write one name must agree on a lock."""

import hashlib
import os
import uuid
from pathlib import Path

_BLOCK = 1 << 20


def sha256(path: Path) -> str:
    """Hexadecimal hash of a file's bytes."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            found.update(block)
    return found.hexdigest()


def write_whole(path: Path, content: bytes) -> None:
    """Replace `path` at once: a crash before the end leaves what was there, and at most a file named .NAME.*.tmp."""
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        with beside.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def remove_left_overs(path: Path) -> None:
    """Remove what writers of `path` that crashed left behind; call it with the lock held."""
    for left in path.parent.glob(f".{path.name}.*.tmp"):
        left.unlink(missing_ok=True)
