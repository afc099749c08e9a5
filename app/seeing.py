"""Between a session's answers and the panels that show them as pictures and meshes.

The process that generates is started and ended in a thread beside the window: neither a session nor the window waits
for it. The window looks at what has come, as it looks at the session (docs/decisions/0080-window-reads.md).
"""

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from app.depending import Asked, Maker, Memory, Whole
from app.panels.frame import Scored, Stream
from app.panels.sight import Made, Sight
from calibration.decoding.subject import AnytimeSubject
from calibration.subjects import AnySubject
from engines.errors import AfterimageError
from pipeline.reconstruction import GeneratingStatus, Reconstruction
from pipeline.types import Decision

log = logging.getLogger(__name__)

KEPT = 24
# Answers that are shown; what is made for a comparison has other stages.
SHOWN = ("static", "refined", "fused")
OFF = "Reconstruction is off. Session › Reconstruct switches it on."
NO_SUBJECT = "Nothing is decoded, so there is nothing to reconstruct: connect with a calibrated subject."
NO_EMBEDDING = (
    "The decoder of this subject answers with classes alone. Pictures and meshes are made from a decoded embedding, "
    "which decoders of turning objects give (afterimage calibrate --system brainssd)."
)


class Worker(Maker, Protocol):
    """What generates, as `app.reconstructing.Reconstructing`. Thread: any."""

    @property
    def status(self) -> GeneratingStatus:
        """How it stands now."""
        ...

    def decided(self, decision: Decision) -> None:
        """An answer to make visible; never waits."""
        ...

    def close(self) -> None:
        """End it."""
        ...


# One that has started, for a subject; what it makes goes to the last argument.
StartWorker = Callable[[AnytimeSubject, Callable[[Reconstruction], None]], Worker]
Reread = Callable[[], AnySubject | None]


class Seeing:
    """What is made visible of one session at a time; `on` as long as the user wants it.

    Thread: `begin`, `end` and `decided` from any, what is made comes from another; the rest main only.
    """

    def __init__(self, start: StartWorker, on: bool = False) -> None:
        self.on = on
        self._start = start
        self._jobs = ThreadPoolExecutor(1, thread_name_prefix="afterimage-seeing")
        self._lock = threading.Lock()  # guards everything below
        self._session = self._working_for = 0  # counts sessions
        self._subject: AnytimeSubject | None = None
        self._reread: Reread | None = None
        self._memory = Memory()
        self._why_not, self._refused = NO_SUBJECT, ""
        self._worker: Worker | None = None
        self._newest: dict[int, Reconstruction] = {}
        self._whole: dict[int, tuple[Decision, Whole]] = {}
        self._made: dict[int, Made] = {}  # of the main thread alone

    def begin(self, subject: AnySubject | None, reread: Reread | None = None) -> Memory:
        """A session with this subject begins, and what was made before is forgotten.

        `reread` opens the subject once more. What is answered is where its decoder is to remember (`Remembering`).
        """
        with self._lock:
            self._session += 1
            self._subject = subject if isinstance(subject, AnytimeSubject) else None
            self._reread, self._memory = reread, Memory()
            self._why_not = NO_SUBJECT if subject is None else "" if self._subject else NO_EMBEDDING
            self._refused, self._newest, self._whole = "", {}, {}
            memory = self._memory
        self._jobs.submit(self._settle)
        return memory

    def end(self) -> None:
        """The session has ended."""
        self.begin(None)

    def switch(self, on: bool) -> None:
        """Reconstruct from now on, or no longer."""
        self.on = on
        with self._lock:
            self._refused = ""
        self._jobs.submit(self._settle)

    def decided(self, decision: Decision) -> None:
        """An answer of the session, in the thread that decodes; never waits for what is made of it."""
        if decision.embedding is None:
            return
        with self._lock:
            worker, whole = self._worker, self._memory.of(decision)
            if whole is not None:
                self._whole[decision.trial] = decision, whole
                for old in sorted(self._whole)[:-KEPT]:
                    del self._whole[old]
        if worker is not None:
            worker.decided(decision)

    def sight(self, decisions: Sequence[Scored], stream: Stream) -> Sight:
        """What there is to see now, beside what was true."""
        with self._lock:
            newest, worker = dict(self._newest), self._worker
            why_not = self._why_not or ("" if self.on else OFF) or self._refused
        truths = {scored.decision.trial: scored for scored in decisions}
        before, self._made = self._made, {}
        for trial in sorted(newest):
            self._made[trial] = _beside(newest[trial], truths.get(trial), before.get(trial))
        pocket = stream.known.pocket or any(made.pocket for made in newest.values())
        simulated = stream.info.simulated or stream.known.simulated
        return Sight(
            tuple(self._made.values()),
            worker.status if worker is not None else None,
            why_not,
            " · ".join(("simulated",) * simulated + ("pocket model",) * pocket),
        )

    def asked(self, trial: int) -> Asked | None:
        """What a dependency map of this trial is made from; None where nothing is reconstructed, or no longer known."""
        with self._lock:
            worker, subject, reread = self._worker, self._subject, self._reread
            decision, whole = self._whole.get(trial, (None, None))
        if worker is None or subject is None or reread is None or decision is None or whole is None:
            return None
        made = self._made.get(trial)
        key = made.true_key if made else ""
        return Asked(decision, whole, worker, reread, subject.manifest.stimuli, key)

    def close(self) -> None:
        """End what generates, and wait for it."""
        self.end()
        self._jobs.shutdown(wait=True)

    # In the thread of jobs.

    def _settle(self) -> None:
        """Let there be a worker exactly when there should be one, and for this session."""
        with self._lock:
            session, subject, worker = self._session, self._subject, self._worker
            wanted = self.on and subject is not None
            stale = worker is not None and not (wanted and self._working_for == session)
            if stale:
                self._worker = None
        if stale and worker is not None:
            worker.close()
        if subject is not None and wanted and (stale or worker is None):
            self._begin_work(session, subject)

    def _begin_work(self, session: int, subject: AnytimeSubject) -> None:
        try:
            worker = self._start(subject, lambda made: self._came(session, made))
        except AfterimageError as error:
            with self._lock:
                self._refused = str(error)
            return
        with self._lock:
            self._worker, self._working_for = worker, session

    # In the thread that hears of what was made.

    def _came(self, session: int, made: Reconstruction) -> None:
        with self._lock:
            if session != self._session or made.wish.stage not in SHOWN:
                return
            self._newest[made.wish.trial] = made
            for old in sorted(self._newest)[:-KEPT]:
                del self._newest[old]


def _beside(made: Reconstruction, truth: Scored | None, before: Made | None) -> Made:
    """The reconstruction with its truth; as it was where nothing is new, so that nothing is drawn again."""
    true, key = (truth.true or "", truth.true_key or "") if truth else ("", "")
    if before is not None and before.reconstruction is made and (before.true, before.true_key) == (true, key):
        return before
    return Made(made, true, key)
