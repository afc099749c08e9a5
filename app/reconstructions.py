"""`--reconstruct` of `live` and `replay`: what is made while or after a session runs, and what the report says of it.

Live the newest answer wins and the rest is counted; a replay makes the last answer of each trial once it has all of
them, and drops none.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.account import Account
from app.album import Album
from app.config import Config
from app.headless import stop_on_signals
from app.reconstructing import Reconstructing, with_embeddings
from app.terminal import Terminal
from calibration.decoding.subject import AnytimeSubject
from calibration.subjects import AnySubject
from pipeline.reconstruction import GeneratingState
from pipeline.types import Decision

LOOK_S = 0.2
# After a live session has ended, what its last answer may take.
LAST_S = 60.0


class Reconstructions:
    """The generate process of one headless session, and what it has made. Thread: main; `decided` from the session's.

    `lossless`: nothing is made while the session runs, and afterwards the last answer of every trial.
    """

    def __init__(self, config: Config, subject: AnytimeSubject, seed: int, out: Path, lossless: bool) -> None:
        self.album = Album(out, config.reconstruction.mesh_formats, apart=not lossless)
        self.reconstructing = Reconstructing(config.reconstruction, subject, seed, self.album.add)
        self._stimuli = subject.manifest.stimuli
        self._lossless = lossless
        self._last: dict[int, Decision] = {}
        self._left_out = 0
        self._lost = ""

    def open(self, terminal: Terminal) -> None:
        """Start the process and wait until its generators are loaded; say which, and why not others.

        Raises:
            NoGenerator: none of a kind is here and takes the subject's embeddings.
            WorkError: one that is here cannot be loaded.
        """
        self.reconstructing.start()
        with terminal.progress("opening generators") as progress:
            progress.update(None)
            while (opened := self.reconstructing.opened(LOOK_S)) is None:
                pass
        terminal.say(f"generators: {', '.join(f'{kind} by {name}' for kind, name in opened.generators)}")
        if opened.beside:
            terminal.say("meshes take long: they are made beside the pictures, of each trial's last answer")
        for name, why in opened.passed_over:
            terminal.say(f"not made by {name}: {why}")

    def decided(self, decision: Decision) -> None:
        """An answer of the session. Never waits."""
        if self._lossless:
            self._last[decision.trial] = decision
        else:
            self.reconstructing.decided(decision)

    def finish(self, terminal: Terminal) -> None:
        """The session has ended: make what is still to be made, and let go of the process."""
        with stop_on_signals() as stop, terminal.progress("reconstructing") as progress:
            for number, decision in enumerate(self._last.values()):
                if stop.is_set():
                    self._left_out = len(self._last) - number
                    break
                self.reconstructing.make(decision)
                progress.update((number + 1) / len(self._last), f"{number + 1} of {len(self._last)} trials")
            self._wait(stop)
        self.reconstructing.close()
        try:
            self.album.close()
        except OSError as error:
            self._lost = f"reconstructions are missing from the report: {error}"

    def _wait(self, stop: threading.Event) -> None:
        self.reconstructing.no_more()
        for _ in range(round(LAST_S / LOOK_S)):
            if self.reconstructing.idle(LOOK_S) or stop.is_set():
                return

    @property
    def status(self) -> int:
        """The exit status: 1 where the process died, if only once."""
        now = self.reconstructing.status
        return int(now.state is GeneratingState.DEAD or now.restarts > 0)

    @property
    def account(self) -> Account:
        """What the report says of it."""
        left = f"{self._left_out} trials were not reconstructed: it was interrupted" if self._left_out else ""
        return Account(
            self.album,
            self.reconstructing.status,
            self.reconstructing.encoder,
            self.reconstructing.seed,
            self.reconstructing.simulated,
            self._stimuli,
            tuple(filter(None, (left, self._lost))),
        )

    def tell(self, terminal: Terminal, out: Path) -> None:
        """The verdict in a line."""
        now = self.reconstructing.status
        told = f" ({'; '.join(marks)})" if (marks := self.account.marks) else ""
        terminal.say(
            f"reconstructed {len(self.album)} trials{told}: {now.made} made, {now.dropped} dropped, "
            f"{now.skipped} skipped, {now.failed} failed; {out / 'reconstructions'}"
        )
        if now.opened.beside:
            meshes = now.meshes
            terminal.say(f"meshes beside: {meshes.made} made, {meshes.dropped} dropped, {meshes.failed} failed")


@contextmanager
def opened(
    subject: AnySubject | None, config: Config, seed: int, out: Path, terminal: Terminal, lossless: bool
) -> Iterator[Reconstructions]:
    """Ready before the session begins; the process is gone when the block ends.

    Raises:
        InputError: the subject's decoder gives no embedding, or no allowed generator takes it.
        WorkError: a generator that is here cannot be loaded.
    """
    made = Reconstructions(config, with_embeddings(subject), seed, out, lossless)
    try:
        made.open(terminal)
        yield made
    finally:
        made.reconstructing.close()
        made.album.close()
