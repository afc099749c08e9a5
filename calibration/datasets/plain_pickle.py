"""Pickles of data sets that were published as nothing else, read so that they can only become arrays and containers.

A pickle is a program. This reader lets it call nothing but numpy's own constructors of arrays (docs/decisions/
0107-published-pickles.md): no other name is looked up, so that nothing else can be run.
"""

import codecs
import pickle
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from calibration.sets.errors import SetUnusable

_NPY = b"\x93NUMPY"
# Where numpy 1 and numpy 2 keep what an array's pickle names, by protocol.
_ALLOWED = {
    (f"numpy.{core}.{module}", name)
    for core in ("core", "_core")
    for module, name in (("multiarray", "_reconstruct"), ("multiarray", "scalar"), ("numeric", "_frombuffer"))
} | {("numpy", "ndarray"), ("numpy", "dtype")}


def read_plain_pickle(path: Path) -> Any:
    """The arrays, numbers, texts, lists, tuples and dictionaries in `path`; also where `np.save` wrapped one of them.

    Raises:
        SetUnusable: missing, damaged, or it asks for anything else.
    """
    try:
        with path.open("rb") as file:
            _skip_npy_header(path, file)
            value = _Reader(file).load()
    except (
        ArithmeticError,
        AttributeError,
        EOFError,
        LookupError,
        MemoryError,
        OSError,
        TypeError,
        ValueError,
        pickle.UnpicklingError,
    ) as error:  # whatever a damaged pickle makes of numpy's constructors
        raise SetUnusable(f"{path} cannot be read: {error}") from error
    wrapped = isinstance(value, np.ndarray) and value.dtype.kind == "O" and value.shape == ()
    return value.item() if wrapped else value


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("_codecs", "encode"):  # bytes in protocols 0 to 2
            return _encode
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(
                f"it asks for {module}.{name}; expected numpy arrays and plain containers only"
            )
        return super().find_class(module, name)

    def persistent_load(self, pid: Any) -> Any:
        raise pickle.UnpicklingError("it refers to something outside itself; expected all in one file")


def _encode(text: str, encoding: str) -> bytes:
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"it encodes text as {encoding!a}; expected latin1")
    return codecs.encode(text, "latin1")


def _skip_npy_header(path: Path, file: BinaryIO) -> None:
    if file.read(len(_NPY)) != _NPY:
        file.seek(0)
        return
    file.seek(0)
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    if dtype.kind != "O" or shape != ():
        raise SetUnusable(f"{path} holds an array {dtype} {shape}; expected a dictionary")
