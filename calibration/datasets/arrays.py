"""Arrays of data sets: opened, not read, and checked before anything relies on their shape."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calibration.sets.errors import SetUnusable

AnyArray = NDArray[Any]


def open_array(path: Path, shape: Sequence[int | None], kinds: str = "f") -> AnyArray:
    """The array in `path`, mapped into memory and read-only; None in `shape` is any length. Pickles are never opened.

    `kinds` are numpy's letters for kinds of numbers: f floating (float32 or float64), U text.

    Raises:
        SetUnusable: missing, cut off, a pickle, an archive, or another shape or kind.
    """
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise SetUnusable(f"{path} cannot be read as a plain array: {error}") from error
    if not isinstance(array, np.ndarray):
        raise SetUnusable(f"{path} is an archive; expected one array")
    fits = len(array.shape) == len(shape) and all(w in (None, n) for n, w in zip(array.shape, shape, strict=True))
    if not fits or array.dtype.kind not in kinds or array.dtype == np.float16:
        wanted = ", ".join("any" if n is None else str(n) for n in shape)
        numbers = {"f": "float32 or float64", "U": "text"}[kinds]
        raise SetUnusable(
            f"{path}: expected {numbers} ({wanted}), came {array.dtype} {array.shape}; is it the right file?"
        )
    return array
