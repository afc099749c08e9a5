"""Engines that TensorRT built, kept so that they are built once.

An engine fits one graph, one range of shapes, one precision, one kind of GPU, one driver and one TensorRT; all of them
are its key, and the key's hash is the file's name. The file begins with the key and the hash of the engine behind it:

    a line that says what the file is; a line of JSON, {"key": {...}, "sha256": "..."}; the engine

A file that is cut short, altered, or of another key is refused, told in the log, and built again. One process builds,
the others wait for it (a file lock, which a process that dies gives up). Files appear whole or not at all.

An engine is code for the GPU: the folder is readable by its user alone. Thread: any.
"""

import hashlib
import json
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

from filelock import FileLock
from platformdirs import user_cache_path

from engines.runtime.errors import EngineFailed
from engines.runtime.files import remove_left_overs, write_whole

MAGIC = b"AFTERIMAGE ENGINE 1\n"
Loaded = TypeVar("Loaded")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class EngineKey:
    """What an engine was built from and for; it fits nothing else.

    `shapes` are the smallest, usual and largest shape of each input; `gpu` is its name with its compute capability.
    """

    onnx_sha256: str
    shapes: str
    precision: str
    gpu: str
    driver: str
    tensorrt: str

    @property
    def digest(self) -> str:
        """Hexadecimal hash of all of it."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


class Refused(Exception):
    """A file that is no whole engine of the key asked for; it is built again, so nobody else sees this."""


def default_folder() -> Path:
    """The user's own cache folder for engines."""
    return user_cache_path("afterimage") / "engines"


class EngineCache:
    """A folder of engines."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or default_folder()

    def path(self, key: EngineKey) -> Path:
        """Where the engine of `key` is, or would be."""
        return self.folder / f"{key.digest[:32]}.engine"

    def timing_path(self, key: EngineKey) -> Path:
        """Where measured timings of kernels are kept: for every graph on one GPU, driver and TensorRT."""
        machine = hashlib.sha256(f"{key.gpu}|{key.driver}|{key.tensorrt}".encode()).hexdigest()
        return self.folder / f"{machine[:32]}.timings"

    def get_or_build(
        self, key: EngineKey, build: Callable[[], bytes], load: Callable[[bytes], Loaded | None]
    ) -> Loaded:
        """The loaded engine of `key`; built, kept and loaded where no usable one is there.

        Args:
            key: what it must fit.
            build: returns the engine's bytes; called by one process at a time.
            load: turns bytes into what runs, or returns None where the runtime does not take them.

        Raises:
            EngineFailed: not even a freshly built engine loads; or whatever `build` raises.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.path(key)
        with FileLock(path.with_suffix(".lock")):
            remove_left_overs(path)
            kept = self._kept(path, key, load)
            if kept is not None:
                return kept
            content = build()
            loaded = load(content)
            if loaded is None:
                raise EngineFailed(
                    f"TensorRT {key.tensorrt} does not load the engine it just built for {key.gpu}; "
                    "check with nvidia-smi that driver and CUDA fit this TensorRT"
                )
            write_whole(path, _packed(key, content))
            return loaded

    def remove(self, key: EngineKey) -> None:
        """Keep the engine of `key` no longer, if there is one."""
        path = self.path(key)
        with FileLock(path.with_suffix(".lock")):
            path.unlink(missing_ok=True)

    def _kept(self, path: Path, key: EngineKey, load: Callable[[bytes], Loaded | None]) -> Loaded | None:
        if not path.exists():
            return None
        try:
            loaded = load(_unpacked(path.read_bytes(), key))
            if loaded is None:
                raise Refused("the runtime does not take it")
        except Refused as refused:
            log.warning("engine %s refused (%s); building it again", path, refused)
            path.unlink()
            return None
        return loaded


def _packed(key: EngineKey, content: bytes) -> bytes:
    head = json.dumps({"key": asdict(key), "sha256": hashlib.sha256(content).hexdigest()})
    return MAGIC + head.encode() + b"\n" + content


def _unpacked(packed: bytes, key: EngineKey) -> bytes:
    if not packed.startswith(MAGIC):
        raise Refused("it is no engine of ours")
    head, _, content = packed[len(MAGIC) :].partition(b"\n")
    try:
        told = json.loads(head)
        foreign = told["key"] != asdict(key)
        whole = told["sha256"] == hashlib.sha256(content).hexdigest()
    except (ValueError, KeyError, TypeError) as error:
        raise Refused("its head is damaged") from error
    if foreign:
        raise Refused("it was built for something else")
    if not whole:
        raise Refused("its bytes were cut short or altered")
    return content
