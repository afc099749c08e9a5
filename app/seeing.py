"""Between a session's answers and the panels that show them as pictures and meshes.

The process that generates is started and ended in a thread beside the window: neither a session nor the window waits
for it. The window looks at what has come, as it looks at the session (docs/decisions/0080-window-reads.md).
"""

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol

from app.account import Account, together
from app.album import Album
from app.apart import Asked, Maker, Memory, Whole
from app.panels.frame import Scored, Stream
from app.panels.sight import Made, Sight
from calibration.decoding.subject import AnytimeSubject
from calibration.subjects import AnySubject
from engines.errors import AfterimageError
from engines.generators.config import GeneratorsConfig
from pipeline.reconstruction import GeneratingStatus, MeshComes, Reconstruction
from pipeline.types import Decision

log = logging.getLogger(__name__)

KEPT = 24
# At the end of a session, what its last answer may take.
LAST_S = 5.0
OFF = "Reconstruction is off. Session › Reconstruct switches it on."
NO_SUBJECT = "Nothing is decoded, so there is nothing to reconstruct: connect with a calibrated subject."
NO_EMBEDDING = (
    "The decoder of this subject answers with classes alone. Pictures and meshes are made from a decoded embedding, "
    "which decoders of turning objects give (afterimage calibrate --system brainssd)."
)


class Worker(Maker, Protocol):
    """What generates, as `app.reconstructing.Reconstructing`. Thread: any."""

    encoder: str
    seed: int

    @property
    def status(self) -> GeneratingStatus:
        """How it stands now."""
        ...

    def no_more(self) -> None:
        """No answer comes after those so far."""
        ...

    def idle(self, timeout_s: float) -> bool:
        """Wait until everything wished for has come to its end; False when it had not within `timeout_s`."""
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


@dataclass(eq=False)
class _Run:
    """What belongs to one session. `ended` are the last states of workers that it has had before the one of now."""

    subject: AnytimeSubject | None = None
    why_not: str = NO_SUBJECT
    reread: Reread | None = None
    album: Album | None = None
    memory: Memory = field(default_factory=Memory)
    refused: str = ""
    lost: str = ""
    newest: dict[int, Reconstruction] = field(default_factory=dict)
    whole: dict[int, tuple[Decision, Whole]] = field(default_factory=dict)
    ended: list[Worker] = field(default_factory=list)

    def put_away(self) -> None:
        """Its worker has ended: what was made is in files from now on."""
        try:
            if self.album is not None:
                self.album.close()
        except OSError as error:  # a full disk ends no session
            log.error("reconstructions are missing: %s", error)
            self.lost = str(error)

    def account(self) -> Account | None:
        """What its report says; None where it had no worker. Everything is made by now."""
        if self.subject is None or self.album is None or not self.ended:
            return None
        status, last = together([worker.status for worker in self.ended]), self.ended[-1]
        lost = (f"reconstructions are missing from the report: {self.lost}",) if self.lost else ()
        told = self.subject.manifest
        return Account(self.album, status, last.encoder, last.seed, told.simulated, told.stimuli, lost)


class Seeing:
    """What is made visible of one session at a time; `on` as long as the user wants it. `config` tells by what.

    Thread: `begin`, `end` and `decided` from any, what is made comes from another; the rest main only.
    """

    def __init__(self, start: StartWorker, config: GeneratorsConfig, on: bool = False) -> None:
        self.on = on
        self.config = config
        self._start = start
        self._jobs = ThreadPoolExecutor(1, thread_name_prefix="afterimage-seeing")
        self._lock = threading.Lock()  # guards everything below
        self._run = _Run()
        self._worker: Worker | None = None
        self._working_for: _Run | None = None
        # Both of the main thread alone.
        self._made: dict[int, Made] = {}
        self._true_keys: dict[int, str] = {}

    def begin(self, subject: AnySubject | None, reread: Reread | None = None, album: Album | None = None) -> Memory:
        """A session with this subject begins, and what was made before is forgotten.

        `reread` opens the subject once more; what is made goes into the `album`. What is answered is where its decoder
        is to remember (`Remembering`).
        """
        visible = subject if isinstance(subject, AnytimeSubject) else None
        why_not = NO_SUBJECT if subject is None else "" if visible else NO_EMBEDDING
        run = _Run(visible, why_not, reread, album)
        with self._lock:
            self._run = run
        self._jobs.submit(self._settle)
        return run.memory

    def end(self) -> Account | None:
        """The session has ended: what is to be said of it. Waits for what is made of its last answer."""
        with self._lock:
            run, worker = self._run, self._worker
        if worker is not None:
            worker.no_more()
            if not worker.idle(LAST_S):
                log.warning("the last answers are not reconstructed: it took longer than %g s", LAST_S)
        self.begin(None)
        self.settled()
        return run.account()

    def settled(self) -> None:
        """Wait until there is a worker exactly when there should be one."""
        self._jobs.submit(lambda: None).result()

    def switch(self, on: bool) -> None:
        """Reconstruct from now on, or no longer."""
        self.on = on
        with self._lock:
            self._run.refused = ""
        self._jobs.submit(self._settle)

    def decided(self, decision: Decision) -> None:
        """An answer of the session, in the thread that decodes; never waits for what is made of it."""
        if decision.embedding is None:
            return
        with self._lock:
            run, worker = self._run, self._worker
            whole = run.memory.of(decision)
            if whole is not None:
                run.whole[decision.trial] = decision, whole
                for old in sorted(run.whole)[:-KEPT]:
                    del run.whole[old]
        if worker is not None:
            worker.decided(decision)

    def sight(self, decisions: Sequence[Scored], stream: Stream) -> Sight:
        """What there is to see now, beside what was true."""
        with self._lock:
            run, worker = self._run, self._worker
            newest, whole = dict(run.newest), max(run.whole, default=None) if worker else None
            why_not = run.why_not or ("" if self.on else OFF) or run.refused
        truths = {scored.decision.trial: scored for scored in decisions}
        self._true_keys = {trial: scored.true_key or "" for trial, scored in truths.items()}
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
            whole,
        )

    def asked(self, trial: int) -> Asked | None:
        """What a dependency map of this trial is made from; None where nothing is reconstructed, or no longer known."""
        with self._lock:
            worker, subject, reread = self._worker, self._run.subject, self._run.reread
            decision, whole = self._run.whole.get(trial, (None, None))
        if worker is None or subject is None or reread is None or decision is None or whole is None:
            return None
        return Asked(decision, whole, worker, reread, subject.manifest.stimuli, self._true_keys.get(trial, ""))

    def close(self) -> None:
        """End what generates, and wait for it."""
        self.end()
        self._jobs.shutdown(wait=True)

    # In the thread of jobs.

    def _settle(self) -> None:
        """Let there be a worker exactly when there should be one, and for this session."""
        with self._lock:
            run, worker, working_for = self._run, self._worker, self._working_for
            wanted = self.on and run.subject is not None
            stale = worker is not None and not (wanted and working_for is run)
            if stale:
                self._worker = None
        if stale and worker is not None and working_for is not None:
            worker.close()
            working_for.ended.append(worker)
            working_for.put_away()
        if run.subject is not None and wanted and (stale or worker is None):
            self._begin_work(run, run.subject)

    def _begin_work(self, run: _Run, subject: AnytimeSubject) -> None:
        try:
            worker = self._start(subject, lambda made: self._came(run, made))
        except AfterimageError as error:
            with self._lock:
                run.refused = str(error)
            return
        with self._lock:
            self._worker, self._working_for = worker, run

    # In the thread that hears of what was made.

    def _came(self, run: _Run, made: Reconstruction) -> None:
        if run.album is not None and not run.lost:
            try:
                run.album.add(made)
            except OSError as error:  # a full disk ends no session
                log.error("reconstructions are no longer kept: %s", error)
                run.lost = str(error)
        with self._lock:
            known = run.newest.get(made.wish.trial)
            if made.mesh_comes is MeshComes.LATE and (known is None or known.wish is not made.wish):
                return  # that answer is shown no more
            run.newest[made.wish.trial] = made
            for old in sorted(run.newest)[:-KEPT]:
                del run.newest[old]


def _beside(made: Reconstruction, truth: Scored | None, before: Made | None) -> Made:
    """The reconstruction with its truth; as it was where nothing is new, so that nothing is drawn again."""
    true, key = (truth.true or "", truth.true_key or "") if truth else ("", "")
    if before is not None and before.reconstruction is made and (before.true, before.true_key) == (true, key):
        return before
    return Made(made, true, key)
