"""What runs in the generate process: models opened once, then wish after wish until its parent leaves."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Protocol

from engines.errors import AfterimageError, WorkError
from pipeline.processes import answer, leave_with_parent, lower_priority
from pipeline.reconstruction import Opened, Reconstruction, Wish

WHO = "the process of generators"


class Generate(Protocol):
    """What works in the process."""

    @property
    def opened(self) -> Opened:
        """Its generators."""
        ...

    def __call__(self, wish: Wish) -> Iterable[Reconstruction]:
        """The wish as far as it has come, part by part; the last one is complete. Whatever it raises, it goes on."""
        ...


def serve(pipe: Connection) -> None:
    """The process: receive how to open the generators, say which, then make wish after wish."""
    leave_with_parent()
    lower_priority()

    def work() -> None:
        generate: Generate = pipe.recv()()
        pipe.send(generate.opened)
        while True:
            for part in _parts(generate, pipe.recv()):
                pipe.send(part)

    answer(pipe, WHO, work)


def _parts(generate: Generate, wish: Wish) -> Iterator[Reconstruction]:
    """The wish part by part, to its end or its error."""
    newest = Reconstruction(wish)
    try:
        for newest in generate(wish):
            yield newest
        if not newest.complete:
            raise WorkError(f"the generators stopped before trial {wish.trial} was complete")
    except AfterimageError as error:
        yield replace(newest, complete=True, error=str(error))
    except Exception as error:  # noqa: BLE001 - a wish that fails ends no other; out of memory comes in many types
        yield replace(newest, complete=True, error=f"{type(error).__name__}: {error}")
