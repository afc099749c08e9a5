"""Not enough memory, on the processor or on a GPU, is an error of ours that says what to do."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from engines.errors import WorkError

WHAT_TO_DO = "end what else is using it, or choose a smaller generator"


@contextmanager
def memory_watched(name: str, what_to_do: str = WHAT_TO_DO) -> Iterator[None]:
    """Turn what torch and Python say of missing memory into a WorkError of `name`.

    Raises:
        WorkError: there was not enough memory.
    """
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise WorkError(_told(name, error, what_to_do)) from error
    except RuntimeError as error:
        if "allocate memory" not in str(error):  # how torch says it of the processor's
            raise
        raise WorkError(_told(name, error, what_to_do)) from error


def _told(name: str, error: BaseException, what_to_do: str) -> str:
    first = str(error).split("\n", 1)[0]
    return f"{name}: not enough memory ({first}); {what_to_do}"
