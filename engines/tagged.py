"""Weights of our own in one safetensors file that says what it is."""

from pathlib import Path

from safetensors import SafetensorError, safe_open
from torch import Tensor

from engines.errors import InputError


def read_tagged(path: Path, form: str, what: str, command: str) -> tuple[dict[str, str], dict[str, Tensor]]:
    """What the file says of itself, and its tensors in single precision; `form` is its format, `command` makes another.

    Raises:
        InputError: there is no such file, or it is of another format.
    """
    try:
        with safe_open(path, framework="pt") as file:
            told = file.metadata() or {}
            state = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118 - no mapping
    except (FileNotFoundError, SafetensorError) as error:
        raise InputError(f"{path}: expected weights of {what} ({error}); make them with `{command}`") from error
    if told.get("format") != form:
        raise InputError(
            f"{path}: expected format {form!r}, got {told.get('format')!r}; make the weights anew with `{command}`"
        )
    return told, state
