"""What runs in the generate process: models opened once, then wish after wish until its parent leaves.

Each part goes over the pipe as what is new in it, by the names of the fields: nothing is sent twice, and what was there
before stays the same object. A mesh that takes long is made in a thread of its own, while wishes go on.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields, replace
from multiprocessing.connection import Connection
from typing import Any, Protocol

from engines.errors import AfterimageError, WorkError
from pipeline.processes import answer, leave_with_parent, lower_priority
from pipeline.reconstruction import Mesh, Opened, Reconstruction, Shaped, Wish

WHO = "the process of generators"

log = logging.getLogger(__name__)


class Generate(Protocol):
    """What works in the process. Thread: one; `warm_up_beside` and `mesh` another one."""

    @property
    def opened(self) -> Opened:
        """Its generators."""
        ...

    def __call__(self, wish: Wish) -> Iterable[Reconstruction]:
        """The wish as far as it has come, part by part; the last one is complete. Whatever it raises, it goes on."""
        ...

    def warm_up_beside(self) -> None:
        """Where meshes are made beside the pictures: load what makes them. Whatever it raises, `mesh` tries again."""
        ...

    def mesh(self, made: Reconstruction) -> Mesh:
        """The mesh of an answer, where meshes are made beside the pictures. Whatever it raises, it goes on."""
        ...


def serve(pipe: Connection) -> None:
    """The process: receive how to open the generators, say which, then make wish after wish.

    What comes is a `Wish`, answered by its parts, or an answer whose mesh is still to be made, answered by a `Shaped`
    whenever it is there.
    """
    leave_with_parent()
    lower_priority()
    lock = threading.Lock()

    def say(value: object) -> None:
        with lock:
            pipe.send(value)

    def work() -> None:
        generate: Generate = pipe.recv()()
        say(generate.opened)
        meshes = _Beside(generate, say) if generate.opened.beside else None
        while True:
            asked = pipe.recv()
            if isinstance(asked, Wish):
                _carry_out(generate, asked, say)
            elif meshes is not None:
                meshes.put(asked)

    answer(pipe, WHO, work)


class _Beside:
    """Makes the meshes that take long. The thread ends with the process, wherever it is."""

    def __init__(self, generate: Generate, say: Callable[[object], None]) -> None:
        self._generate = generate
        self._say = say
        self._asked: queue.SimpleQueue[Reconstruction] = queue.SimpleQueue()
        threading.Thread(target=self._run, name="meshes", daemon=True).start()

    def put(self, made: Reconstruction) -> None:
        """Make the mesh of this answer, too."""
        self._asked.put(made)

    def _run(self) -> None:
        try:
            self._generate.warm_up_beside()
        except Exception as error:  # noqa: BLE001 - the first mesh tries again, and then it is told
            log.warning("what makes meshes is not loaded yet: %s", error)
        while True:
            shaped = self._shaped(self._asked.get())
            try:
                self._say(shaped)
            except OSError:  # the parent is gone, and this process is about to be
                return

    def _shaped(self, made: Reconstruction) -> Shaped:
        began_s = time.perf_counter()
        try:
            mesh = self._generate.mesh(made)
        except Exception as error:  # noqa: BLE001 - a mesh that fails ends no other; out of memory comes in many types
            return Shaped(error=f"mesh: {_told(error)}")
        return Shaped(mesh, 1e3 * (time.perf_counter() - began_s))


def _carry_out(generate: Generate, wish: Wish, say: Callable[[object], None]) -> None:
    before = Reconstruction(wish)
    for part in _parts(generate, wish):
        say(_news(before, part))
        before = part


def _news(before: Reconstruction, part: Reconstruction) -> dict[str, Any]:
    """What is new in it, by fields."""
    values = {field.name: getattr(part, field.name) for field in fields(part)}
    return {name: value for name, value in values.items() if value is not getattr(before, name)}


def _parts(generate: Generate, wish: Wish) -> Iterator[Reconstruction]:
    """The wish part by part, to its end or its error."""
    newest = Reconstruction(wish)
    try:
        for newest in generate(wish):
            yield newest
        if not newest.complete:
            raise WorkError(f"the generators stopped before trial {wish.trial} was complete")
    except Exception as error:  # noqa: BLE001 - a wish that fails ends no other; out of memory comes in many types
        yield replace(newest, complete=True, error=_told(error))


def _told(error: Exception) -> str:
    return str(error) if isinstance(error, AfterimageError) else f"{type(error).__name__}: {error}"
