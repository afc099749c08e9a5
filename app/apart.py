"""What a trial would have been from either stream alone: its windows, kept, and the reconstructions to be compared.

From both streams and from either alone, from a few seeds of the generator; and, as a control, from either stream of
another trial, whose EEG knows nothing of this one. The window asks so for its last trial (`app.depending`), a replay
for every trial of a recording (`app.session_dependency`).
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Protocol

import numpy as np

from app.mapping import Alone, Question
from calibration.decoding.subject import AnytimeSubject, AnytimeSubjectDecoder
from calibration.subjects import AnySubject
from engines.errors import WorkError
from pipeline.anytime import Answer, AnytimeDecoder
from pipeline.decode import Decoder
from pipeline.reconstruction import Picture, Reconstruction
from pipeline.types import Array, Decision

# The stream that was left out is played by that of so many other trials, at least so many.
N_OTHERS, LEAST_OTHERS = 8, 3
N_WHOLE = 4
N_SEEDS = 3


@dataclass(frozen=True, eq=False)
class Whole:
    """A trial whose turn is over: its answer, its windows, and the pictures' windows of `others`.

    `before` holds both windows of the last one before it whose turn was whole; None for the first.
    """

    embedding: Array
    static_uv: Array
    dynamic_uv: Array
    others: tuple[Array, ...]
    before: tuple[Array, Array] | None = None


class Memory:
    """The windows of the newest `n_whole` trials, None for all. Thread: any."""

    def __init__(self, n_whole: int | None = N_WHOLE) -> None:
        self._lock = Lock()
        self._statics: deque[Array] = deque(maxlen=N_OTHERS + 1)
        self._whole: deque[Whole] = deque(maxlen=n_whole)

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
            return next((whole for whole in reversed(self._whole) if whole.embedding is decision.embedding), None)


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


def question(asked: Asked) -> Question:
    """The reconstructions of the trial that are to be compared.

    Raises:
        WorkError: too few other trials, or a picture could not be made.
    """
    whole = asked.whole
    if len(whole.others) < LEAST_OTHERS:
        raise WorkError(f"the map needs {LEAST_OTHERS} other trials, and there are {len(whole.others)}")
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
