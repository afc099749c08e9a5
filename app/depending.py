"""Which stream a trial's reconstruction hangs on, for the window: reconstructions, and their comparison.

From both streams and from either alone, from a few seeds of the generator; and, as a control, from either stream of the
trial before, whose EEG knows nothing of this one.

It is made when it is asked for, in a thread beside the window; the decoder works there a second time, so that the one
of the session is never kept waiting.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Protocol

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.mapping import WHO, Alone, Mapped, Question, child
from calibration.decoding.subject import AnytimeSubject, AnytimeSubjectDecoder
from calibration.subjects import AnySubject
from engines.errors import AfterimageError, WorkError
from engines.generators.config import GeneratorsConfig
from pipeline.anytime import Answer, AnytimeDecoder
from pipeline.decode import Decoder
from pipeline.processes import Child
from pipeline.reconstruction import Picture, Reconstruction
from pipeline.types import Array, Decision

log = logging.getLogger(__name__)

# The stream that was left out is played by that of so many earlier trials, at least so many.
N_OTHERS, LEAST_OTHERS = 8, 3
N_WHOLE = 4
N_SEEDS = 3


@dataclass(frozen=True, eq=False)
class Whole:
    """A trial whose turn is over: its answer, its windows, and the pictures' windows of `others` before it.

    `before` holds both windows of the last one before it whose turn was whole; None for the first.
    """

    embedding: Array
    static_uv: Array
    dynamic_uv: Array
    others: tuple[Array, ...]
    before: tuple[Array, Array] | None = None


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
                last = self._whole[-1] if self._whole else None
                before = (last.static_uv, last.dynamic_uv) if last else None
                others = _without(static_uv, self._statics)[-N_OTHERS:]
                self._whole.append(Whole(embedding, static_uv, dynamic_uv, others, before))

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

    def picture(self, decision: Decision, nth: int = 0) -> Reconstruction:
        """The answer's picture from the `nth` seed of its trial, made aside. Waits for it."""
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

    def __init__(self, config: GeneratorsConfig, parent: QObject | None = None) -> None:
        """`config` says where networks are looked for."""
        super().__init__(parent)
        self._config = config
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
            self._child = Child(WHO, child, self._config)
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
    """The reconstructions of the trial that are to be compared.

    Raises:
        WorkError: too few trials came before it, or a picture could not be made.
    """
    whole = asked.whole
    if len(whole.others) < LEAST_OTHERS:
        raise WorkError(f"the map needs {LEAST_OTHERS} earlier trials, and there are {len(whole.others)}")
    subject = asked.reread()
    if not isinstance(subject, AnytimeSubject):
        raise WorkError("the subject that answered is no longer there")
    decoder = subject.decoder
    return Question(
        asked.decision.trial,
        _pictures(asked, whole.embedding),
        _alone(asked, decoder, whole.static_uv, whole.dynamic_uv),
        _alone(asked, decoder, *whole.before) if whole.before else None,
        stimuli=asked.stimuli,
        key=asked.key,
        n_others=len(whole.others),
    )


def _alone(asked: Asked, decoder: AnytimeSubjectDecoder, static_uv: Array, dynamic_uv: Array) -> Alone:
    """What becomes of either stream of a trial alone; to leave the picture's out, others' stand in its place."""
    others = _without(static_uv, asked.whole.others)
    turns = np.stack([decoder.answer(other, dynamic_uv).embedding for other in others])
    static = decoder.answer(static_uv, None).embedding
    return Alone(
        _pictures(asked, static),
        _pictures(asked, averaged(turns, np.asarray(decoder.gallery.centre, dtype=np.float64))),
    )


def averaged(embeddings: Array, centre: Array) -> Array:
    """The mean of embeddings (n, dim), as far from `centre` as they are on average: generators know such lengths."""
    away = embeddings - centre
    mean = away.mean(axis=0)
    length = float(np.linalg.norm(away, axis=1).mean())
    return np.asarray(centre + mean * (length / max(float(np.linalg.norm(mean)), 1e-12)))


def _without(window_uv: Array, windows_uv: Iterable[Array]) -> tuple[Array, ...]:
    return tuple(one for one in windows_uv if not np.array_equal(one, window_uv))


def _pictures(asked: Asked, embedding: Array) -> Picture:
    """(seed, height, width, 3)."""
    decision = replace(asked.decision, embedding=embedding)
    made = [asked.maker.picture(decision, nth) for nth in range(N_SEEDS)]
    if missing := [one for one in made if one.picture is None]:
        raise WorkError(missing[0].error or "no generator makes pictures here")
    return np.stack([one.picture for one in made if one.picture is not None])
