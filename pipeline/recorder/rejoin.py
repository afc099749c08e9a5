"""After a sender came back: the session begins again with the first sample that the recording has too.

The session and the recorder have inlets of their own, and each reconnects when it does. What the session had before
the recorder would be decoded and not be on the disk, and a replay could not give the same answers
(docs/decisions/0095-both-or-none.md).
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from pipeline.clock import Clock
from pipeline.lived import RUN_BREAK_S, usable
from pipeline.types import EegChunk, Item, SourceEvent

# A recorder that lives and receives nothing for so long will not; the session goes on without it.
PATIENCE_S = 10.0
RETURNS = ("recovered", "unverified")


class Rejoin:
    """Holds samples back from the return of their sender until the recorder has said where it joined.

    Markers, offsets and events pass at once. Args: `recorded_from_s` answers with which raw stamp the recorder's newest
    run began, NaN when it has none; `recording` whether there is a recording at all. Thread: acquire only.
    """

    def __init__(self, clock: Clock, recorded_from_s: Callable[[], float], recording: Callable[[], bool]) -> None:
        self._clock = clock
        self._recorded_from_s = recorded_from_s
        self._recording = recording
        self._known_from_s = float("nan")
        self._last_stamp_s = float("nan")
        self._returned = False
        self._held: list[EegChunk] | None = None
        self._until_s = 0.0

    def take(self, items: Sequence[Item]) -> list[Item]:
        """What can be handed on now."""
        passed: list[Item] = []
        for item in items:
            if isinstance(item, EegChunk):
                passed += self._chunk(item)
                continue
            if isinstance(item, SourceEvent) and item.kind in RETURNS and not item.stream:
                self._returned = True
            passed.append(item)
        return [*passed, *self._released()]

    def _chunk(self, chunk: EegChunk) -> list[Item]:
        stamps_s = chunk.stamps_s[usable(chunk.stamps_s)]
        if self._held is None and self._returned and stamps_s.size:
            self._returned = False
            # A frozen sender that thaws goes on where it was, over the same connections.
            if abs(stamps_s[0] - self._last_stamp_s) > RUN_BREAK_S:
                self._held, self._until_s = [], self._clock.now_s() + PATIENCE_S
        if stamps_s.size:
            self._last_stamp_s = float(stamps_s[-1])
        if self._held is not None:
            self._held.append(chunk)
            return []
        self._known_from_s = self._recorded_from_s()
        return [chunk]

    def _released(self) -> list[Item]:
        if self._held is None:
            return []
        from_s = self._recorded_from_s()
        if from_s != self._known_from_s and np.isfinite(from_s):
            return self._common(from_s)
        if self._recording() and self._clock.now_s() < self._until_s:
            return []
        released: list[Item] = [*self._held]
        self._held = None
        if self._recording():
            released.insert(0, SourceEvent("not_recorded", "the sender is back and the recorder does not receive it"))
        return released

    def _common(self, from_s: float) -> list[Item]:
        """The held samples from `from_s` on; while that has not come, none."""
        held, self._held = self._held or [], []
        for k, chunk in enumerate(held):
            at = np.flatnonzero(chunk.stamps_s >= from_s)
            if at.size:
                self._held, self._known_from_s = None, from_s
                common = replace(chunk, data=chunk.data[:, at[0] :], stamps_s=chunk.stamps_s[at[0] :])
                return [common, *held[k + 1 :]]
        return []
