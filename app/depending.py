"""Which stream a trial's reconstruction hangs on, for the window: three reconstructions, and their comparison.

It is made when it is asked for, in a thread beside the window; the decoder works there a second time, so that the one
of the session is never kept waiting.
"""

import logging
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Protocol

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.mapping import WHO, Mapped, Question, child
from calibration.decoding.subject import AnytimeSubject, AnytimeSubjectDecoder
from calibration.subjects import AnySubject
from engines.errors import AfterimageError, WorkError
from pipeline.anytime import Answer, AnytimeDecoder
from pipeline.decode import Decoder
from pipeline.processes import Child
from pipeline.reconstruction import Picture, Reconstruction
from pipeline.types import Array, Decision

log = logging.getLogger(__name__)

# The stream that was left out is played by that of so many earlier trials, at least so many.
N_OTHERS, LEAST_OTHERS = 8, 3
N_WHOLE = 4
STAGES = {"static": "picture alone", "dynamic": "turn alone", "fused": "both streams"}


@dataclass(frozen=True, eq=False)
class Whole:
    """A trial whose turn is over: its answer, its windows, and the pictures' windows of `others` before it."""

    embedding: Array
    static_uv: Array
    dynamic_uv: Array
    others: tuple[Array, ...]


class Memory:
    """The windows of the newest trials. Thread: any."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._statics: deque[Array] = deque(maxlen=N_OTHERS + 1)
        self._whole: deque[Whole] = deque(maxlen=N_WHOLE)

    def keep(self, static_uv: Array, dynamic_uv: Array | None, whole: bool, embedding: Array) -> None:
        """The windows of an answer, the last one of its trial when it is `whole`."""
        with self._lock:
            if dynamic_uv is None:
                self._statics.append(static_uv)
            elif whole:
                others = tuple(one for one in self._statics if not np.array_equal(one, static_uv))
                self._whole.append(Whole(embedding, static_uv, dynamic_uv, others[-N_OTHERS:]))

    def of(self, decision: Decision) -> Whole | None:
        """The trial that ended with this answer; None when it was too long ago."""
        with self._lock:
            return next((whole for whole in self._whole if whole.embedding is decision.embedding), None)


@dataclass(frozen=True, eq=False)
class Remembering(AnytimeSubjectDecoder):
    """The same decoder, which remembers what it was given last. Thread: one at a time."""

    memory: Memory = field(default_factory=Memory)

    def answer(self, static_uv: Array, dynamic_uv: Array | None) -> Answer:
        """See `AnytimeDecoder`."""
        found = super().answer(static_uv, dynamic_uv)
        whole = dynamic_uv is not None and dynamic_uv.shape[1] == self.windows.n_dynamic
        self.memory.keep(static_uv, dynamic_uv, whole, found.embedding)
        return found


def remembering(subject: AnySubject | None, memory: Memory) -> Decoder | AnytimeDecoder | None:
    """The subject's decoder, one of turning objects with a memory."""
    if isinstance(subject, AnytimeSubject):
        return Remembering(**vars(subject.decoder), memory=memory)
    return subject.decoder if subject is not None else None


class Maker(Protocol):
    """What generates, as `app.reconstructing.Reconstructing`. Thread: any."""

    def make(self, decision: Decision) -> Reconstruction:
        """What becomes of this answer. Waits for it."""
        ...


@dataclass(frozen=True, eq=False)
class Asked:
    """The last answer to a trial with its windows, who generates, and what was shown: its key in the set `stimuli`.

    `reread` opens the subject once more.
    """

    decision: Decision
    whole: Whole
    maker: Maker
    reread: Callable[[], AnySubject | None]
    stimuli: str = ""
    key: str = ""


class Depending(QObject):
    """Makes maps, one at a time; `mapped` carries a `Mapped`, also when there can be none.

    Thread: main only; a thread of its own, and a process that compares, end with `close`.
    """

    mapped = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = ThreadPoolExecutor(1, thread_name_prefix="afterimage-depending")
        self._child: Child | None = None  # of the thread of jobs, but for killing it

    def ask(self, asked: Asked) -> None:
        """Make the map of this trial; `mapped` answers."""
        self._jobs.submit(self._job, asked)

    def close(self) -> None:
        """End what is being made. Safe to call twice."""
        if self._child is not None:
            self._child.kill()
        self._jobs.shutdown(wait=True, cancel_futures=True)
        self._let_go()

    # In the thread of jobs.

    def _job(self, asked: Asked) -> None:
        trial = asked.decision.trial
        try:
            found = self._compared(_question(asked))
        except AfterimageError as error:
            self._let_go()
            found = Mapped(trial, error=str(error))
        except Exception as error:  # noqa: BLE001 - whatever broke becomes visible in the panel
            self._let_go()
            found = Mapped(trial, error=f"{type(error).__name__}: {error}")
        if found.error:
            log.error("no dependency map of trial %d: %s", trial + 1, found.error)
        self.mapped.emit(found)

    def _compared(self, question: Question) -> Mapped:
        if self._child is None:
            self._child = Child(WHO, child)
            self._child.start()
        self._child.send(question)
        found = self._child.receive()
        assert isinstance(found, Mapped)
        return found

    def _let_go(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.stop()
            self._child = None


def _question(asked: Asked) -> Question:
    """Three reconstructions of the trial.

    Raises:
        WorkError: too few trials came before it, or a picture could not be made.
    """
    whole = asked.whole
    if len(whole.others) < LEAST_OTHERS:
        raise WorkError(f"it needs {LEAST_OTHERS} earlier trials, and there are {len(whole.others)}")
    subject = asked.reread()
    if not isinstance(subject, AnytimeSubject):
        raise WorkError("the subject that answered is no longer there")
    decoder = subject.decoder
    turns = [decoder.answer(other, whole.dynamic_uv).embedding for other in whole.others]
    embeddings = {
        "fused": whole.embedding,
        "static": decoder.answer(whole.static_uv, None).embedding,
        "dynamic": np.mean(turns, axis=0),
    }
    pictures = {name: _picture(asked, name, embedding) for name, embedding in embeddings.items()}
    return Question(asked.decision.trial, **pictures, stimuli=asked.stimuli, key=asked.key, n_others=len(whole.others))


def _picture(asked: Asked, name: str, embedding: Array) -> Picture:
    made = asked.maker.make(replace(asked.decision, stage=STAGES[name], embedding=embedding))
    if made.picture is None:
        raise WorkError(made.error or "no generator makes pictures here")
    return made.picture
