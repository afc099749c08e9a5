"""Where a training stands, on disk, so that it can be gone on from after whatever ended it.

One file of torch's, read without unpickling anything but plain values and tensors. It is written beside and moved into
place: what is there is whole. It says which training it belongs to, and serves no other.
"""

import os
import pickle
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from engines.errors import InputError

NAME = "checkpoint.pt"
FORMAT = "afterimage checkpoint 1"

Call = Mapping[str, str]
"""What makes one training another, in words."""


class Checkpoint:
    """The checkpoint of the training `call` in the file `path`; None keeps nothing. Thread: one only."""

    def __init__(self, path: Path | None, call: Call) -> None:
        self._path = path
        self._call = dict(call)

    def read(self, device: str) -> dict[str, Any] | None:
        """The state that was written last, on `device`; None where nothing was.

        Raises:
            InputError: the file is no checkpoint, or that of another training.
        """
        if self._path is None or not self._path.exists():
            return None
        try:
            found = torch.load(self._path, map_location=device, weights_only=True)
        except (pickle.UnpicklingError, zipfile.BadZipFile, RuntimeError, EOFError, ValueError) as error:
            raise InputError(
                f"{self._path} is damaged, or no checkpoint ({type(error).__name__}); "
                "remove it to train from the beginning"
            ) from error
        if not isinstance(found, dict) or found.get("format") != FORMAT:
            raise InputError(f"{self._path} is no {FORMAT!r}; remove it to train from the beginning")
        self._require_same(found["call"])
        state: dict[str, Any] = found["state"]
        return state

    def write(self, state: Callable[[], dict[str, Any]]) -> None:
        """Replace what is there; `state` is asked only where something is kept.

        Raises:
            OSError: the file cannot be written.
        """
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        beside = self._path.with_name(self._path.name + ".new")
        with beside.open("wb") as file:
            torch.save({"format": FORMAT, "call": self._call, "state": state()}, file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._path)

    def _require_same(self, call: Call) -> None:
        other = [key for key in (*self._call, *(key for key in call if key not in self._call))
                 if call.get(key) != self._call.get(key)]  # fmt: skip
        if other:
            what = other[0]
            raise InputError(
                f"{self._path} belongs to another training, with another {', another '.join(other)} "
                f"({what}: {_short(call.get(what))} there, {_short(self._call.get(what))} here); "
                "choose another folder, or remove the file to begin anew"
            )


def _short(text: str | None) -> str:
    if text is None:
        return "none"
    return text if len(text) <= 80 else f"{text[:77]}..."
