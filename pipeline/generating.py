"""The generate process: embeddings to pictures, meshes and captions, beside a session that waits for none of them.

    with Generating(open_, on_made, gate) as generating:    # open_() -> Generate, called once, in there
        generating.put(wish)                                  # newest wins, never waits: while a session decodes
        generating.make(wish)                                 # waits, drops nothing: a replay

The process is spawned at lowered priority, loads its models once, and leaves within a second of its parent's death. One
that dies is started again, which is counted and shown; after `MAX_CRASHES` in a row it is left dead. Each wish ends in
one count: put = made + dropped + skipped + failed + waiting; those `aside` are in none. A mesh that takes long is made
beside, of a trial's last answer, which then comes to `on_made` once more, with its mesh (`MeshComes.LATE`).
"""

import logging
import threading
import traceback
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from engines.errors import AfterimageError, WorkError
from pipeline.clock import Clock, LslClock
from pipeline.errors import ProcessDied
from pipeline.generate_orders import Gate, Order, frozen
from pipeline.generate_process import WHO, Generate, serve
from pipeline.late_meshes import LateMeshes
from pipeline.processes import Child
from pipeline.reconstruction import (
    GeneratingState,
    GeneratingStatus,
    MeshComes,
    Opened,
    Reconstruction,
    Shaped,
    Wish,
)

log = logging.getLogger(__name__)

MAX_CRASHES = 3
# How often a wish of `make` is tried when the process dies over it.
MAX_TRIES = 2
# While nothing is wished, how soon a death is noticed, or a mesh that was made beside.
LOOK_S = 0.1
# `close` kills the process; its thread has nothing left to wait for.
LEAVE_S = 10.0


class Generating:
    """The process, and the thread that talks with it: `on_made` is called there with each part as it comes.

    Thread: `put`, `make`, `no_more`, `status`, `opened`, `idle` from any; `start`, `close` from one.
    """

    def __init__(
        self,
        open_: Callable[[], Generate],
        on_made: Callable[[Reconstruction], None] = lambda _: None,
        gate: Gate | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._open = open_
        self._on_made = on_made
        self._gate = gate
        self._clock = clock or LslClock()
        self._changed = threading.Condition()  # guards everything below
        self._status = GeneratingStatus()
        self._refusal: AfterimageError | None = None
        self._newest: Order | None = None
        self._orders: deque[Order] = deque()
        self._working: Order | None = None
        self._meshes = LateMeshes()
        self._child: Child | None = None
        self._n_crashes = 0  # in a row
        self._thread = threading.Thread(target=self._run, name="afterimage-generate", daemon=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Start the process; it opens its generators by itself."""
        self._thread.start()

    def put(self, wish: Wish) -> None:
        """Wish for it unless a newer wish comes before its turn. Never waits for the process."""
        order = Order(wish)
        with self._changed:
            self._count(order, put=1)
            if self._has_ended:
                self._count(order, **{self._left: 1})
                return
            if self._newest is not None:
                self._count(self._newest, dropped=1)
            self._newest = order
            self._changed.notify_all()

    def make(self, wish: Wish) -> Reconstruction:
        """What became of a wish that is neither dropped nor skipped; `error` says what failed. Waits for it.

        Raises:
            WorkError: `close` came first.
        """
        future: Future[Reconstruction] = Future()
        order = Order(wish, future)
        with self._changed:
            self._count(order, put=1)
            if self._has_ended:
                self._count(order, **{self._left: 1})
                self._leave(order)
            else:
                self._orders.append(order)
                self._changed.notify_all()
        return future.result()

    @property
    def status(self) -> GeneratingStatus:
        """How it stands now."""
        with self._changed:
            left = [order for order in (*self._orders, self._newest, self._working) if order is not None]
            waiting = sum(not order.wish.aside for order in left)
            return replace(self._status, waiting=waiting, meshes=self._meshes.counts)

    @property
    def pid(self) -> int | None:
        """The process, None between two."""
        with self._changed:
            return None if self._child is None else self._child.pid

    def opened(self, timeout_s: float) -> Opened | None:
        """What it works with, as soon as it is ready; None when it was not within `timeout_s`.

        Raises:
            AfterimageError: what refused to open; WorkError when it died too often.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._status.state is not GeneratingState.STARTING, timeout_s)
            if self._refusal is not None:
                raise self._refusal
            return None if self._status.state is GeneratingState.STARTING else self._status.opened

    def no_more(self) -> None:
        """No wish comes after those so far: the newest answer is its trial's last, and its mesh is made, too."""
        with self._changed:
            self._meshes.no_more()
            self._changed.notify_all()

    def idle(self, timeout_s: float) -> bool:
        """Wait until every wish and every mesh has come to its end; False when some had not within `timeout_s`."""
        with self._changed:
            return self._changed.wait_for(
                lambda: not (self._newest or self._orders or self._working or self._meshes.busy), timeout_s
            )

    def close(self) -> None:
        """End the process now, wherever it is. What still waits is dropped. Safe to call twice."""
        with self._changed:
            self._become(GeneratingState.CLOSED)
            if self._child is not None:
                self._child.kill()
        if self._thread.is_alive():
            self._thread.join(LEAVE_S)

    # In the thread.

    def _run(self) -> None:
        try:
            while not self._has_ended:
                self._live()
        except Exception:  # noqa: BLE001 - whatever killed the worker becomes visible state
            self._give_up(WorkError(f"{WHO} is no longer heard:\n{traceback.format_exc()}"))
        self._let_go()

    def _live(self) -> None:
        """One life of the process."""
        child = Child(WHO, serve)
        try:
            self._begin(child)
            self._serve(child)
        except ProcessDied as error:
            self._crashed(error)
        except AfterimageError as error:
            # Before it was ready this is its refusal, and the next one would refuse as well.
            (self._give_up if self._status.state is GeneratingState.STARTING else self._crashed)(error)
        finally:
            with self._changed:
                self._child = None
            child.kill()
            child.stop()

    def _begin(self, child: Child) -> None:
        child.start()
        with self._changed:
            if self._has_ended:
                return
            self._child = child
        child.send(self._open)
        opened = child.receive()
        with self._changed:
            self._become(GeneratingState.READY)
            self._status = replace(self._status, opened=opened)

    def _serve(self, child: Child) -> None:
        while not self._has_ended:
            order = self._next()
            self._ask_for_mesh(child)
            if order is None:
                self._hear(child, 0.0)  # a mesh; and this tells whether it lives
            elif self._is_new(order):
                self._carry_out(child, order)
            else:
                self._end(order, skipped=1)

    def _next(self) -> Order | None:
        """What is to be done now; None when there was nothing for a while."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._newest or self._orders or self._meshes.ready or self._has_ended, LOOK_S
            )
            if self._has_ended:
                return None
            if self._orders:
                self._working = self._orders.popleft()
            else:
                self._working, self._newest = self._newest, None
            if self._working is not None:
                self._become(GeneratingState.WORKING)
                if not self._working.wish.aside:
                    self._meshes.turned_to(self._working.wish.trial)
            return self._working

    def _is_new(self, order: Order) -> bool:
        wish = order.wish
        if self._gate is None or order.future is not None:
            return True
        return self._gate.moved(wish.trial, wish.embedding, (wish.category, wish.colour))

    def _carry_out(self, child: Child, order: Order) -> None:
        order.n_tries += 1
        order.newest = Reconstruction(order.wish)
        child.send(order.wish)
        while not order.newest.complete:
            news = self._hear(child)
            if news is None:
                continue
            order.newest = frozen(replace(order.newest, **news, made_s=self._clock.now_s()))
            if not order.newest.complete:
                self._show(order)
        if order.future is not None and order.newest.mesh_comes is MeshComes.LATER:
            self._await_mesh(child, order)
        if order.newest.error:
            self._end(order, failed=1)
            return
        self._n_crashes = 0
        if self._gate is not None and order.future is None:
            wish = order.wish
            self._gate.made(wish.trial, wish.embedding, (wish.category, wish.colour))
        self._end(order, made=1)

    def _hear(self, child: Child, timeout_s: float | None = None) -> dict[str, Any] | None:
        """What is new of the wish under way; None when a mesh came instead, or nothing within `timeout_s`."""
        news: dict[str, Any] | Shaped | None = child.receive(timeout_s)
        if not isinstance(news, Shaped):
            return news
        self._shaped(news)
        return None

    def _shaped(self, shaped: Shaped) -> None:
        """What came of a mesh that was asked for."""
        asked, order = self._meshes.asked, self._working
        if asked is None:
            return
        whole = frozen(asked.with_mesh(shaped, self._clock.now_s()))
        if order is not None and order.wish is whole.wish:
            order.newest = replace(whole, mesh_comes=MeshComes.WITH)
        else:
            self._on_made(whole)
        with self._changed:
            self._meshes.came(shaped)
            self._changed.notify_all()

    def _ask_for_mesh(self, child: Child) -> None:
        """Let the process begin the next mesh. Between wishes only: then it reads, however full the pipe is."""
        with self._changed:
            made = self._meshes.ask() if self._meshes.ready else None
        if made is not None:
            child.send(made)

    def _await_mesh(self, child: Child, order: Order) -> None:
        """Who waits for an answer gets it with its mesh."""
        with self._changed:
            self._meshes.made(order.newest)
            self._meshes.ended(order.wish.trial)
        order.newest = replace(order.newest, complete=False)
        self._show(order)
        while not order.newest.complete:
            self._ask_for_mesh(child)
            self._hear(child)

    def _end(self, order: Order, **counted: int) -> None:
        """The order is done with: show it, count it, answer it."""
        if order.newest.complete:
            self._show(order)
        with self._changed:
            self._count(order, **counted)
            if order.future is None and order.newest.mesh_comes is MeshComes.LATER and not order.newest.error:
                self._meshes.made(order.newest)
            if order.wish.last:
                self._meshes.ended(order.wish.trial)
            self._working = None
            self._become(GeneratingState.READY)
        if order.future is not None:
            order.future.set_result(order.newest)

    def _show(self, order: Order) -> None:
        if not order.wish.aside:
            self._on_made(order.newest)

    def _crashed(self, error: AfterimageError) -> None:
        """It died. Begin anew, unless it does so again and again; what it died over is tried once more, or failed."""
        if self._has_ended:
            return
        log.error("%s", error)
        self._n_crashes += 1
        self._shaped(Shaped(error=f"mesh: {error}"))
        order = self._working
        if order is not None and order.future is not None and order.n_tries < MAX_TRIES:
            with self._changed:
                self._orders.appendleft(order)
                self._working = None
        elif order is not None:
            order.newest = replace(order.newest, complete=True, error=str(error), made_s=self._clock.now_s())
            self._end(order, failed=1)
        if self._n_crashes >= MAX_CRASHES:
            self._give_up(WorkError(f"given up after {MAX_CRASHES} crashes in a row; the last: {error}"))
            return
        with self._changed:
            self._status = replace(self._status, reason=str(error), restarts=self._status.restarts + 1)
            self._become(GeneratingState.STARTING)

    def _give_up(self, error: AfterimageError) -> None:
        with self._changed:
            self._refusal = error
            self._status = replace(self._status, reason=str(error))
            self._become(GeneratingState.DEAD)

    def _let_go(self) -> None:
        """Nothing more will be made: every wish that waits comes to its end."""
        with self._changed:
            left = [order for order in (self._working, *self._orders, self._newest) if order is not None]
            self._working = self._newest = None
            self._orders.clear()
            for order in left:
                self._count(order, **{self._left: 1})
            self._meshes.let_go(self._left)
            self._changed.notify_all()
        for order in left:
            self._leave(order)

    def _leave(self, order: Order) -> None:
        if order.future is None:
            return
        if self._status.state is GeneratingState.DEAD:
            order.future.set_result(replace(order.newest, complete=True, error=self._status.reason))
        else:
            order.future.set_exception(WorkError(f"{WHO} was closed"))

    # Under the lock.

    def _become(self, state: GeneratingState) -> None:
        if not self._has_ended:
            self._status = replace(self._status, state=state)
        self._changed.notify_all()

    @property
    def _has_ended(self) -> bool:
        return self._status.state in (GeneratingState.DEAD, GeneratingState.CLOSED)

    @property
    def _left(self) -> str:
        """How a wish counts that nobody will come to any more."""
        return "failed" if self._status.state is GeneratingState.DEAD else "dropped"

    def _count(self, order: Order, **more: int) -> None:
        if order.wish.aside:
            return
        now = self._status
        self._status = replace(now, **{name: getattr(now, name) + n for name, n in more.items()})
