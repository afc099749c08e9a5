"""What is decoded made visible: the generate process beside a session, the same for `live`, `replay` and the window.

    with Reconstructing(config.reconstruction, subject, seed, on_made) as reconstructing:
        session = Session(..., on_decision=reconstructing.decided)     # live: newest wins
        reconstructing.make(decision)                                    # replay: waits, drops nothing

Every answer that has an embedding is wished for: static, refined and fused. The seed of a trial comes of the session's
seed and the trial's number alone, so that of equal embeddings live and replay make equal pictures, and from stage to
stage of a trial only what was decoded changes its picture.
"""

from collections.abc import Callable
from types import TracebackType
from typing import Self

import numpy as np

from app.config import ReconstructionSection
from app.making import OpenGenerators
from calibration.decoding.subject import AnytimeSubject
from calibration.subjects import AnySubject
from engines.errors import InputError
from engines.generators.config import GeneratorsConfig
from engines.generators.gate import Gate
from pipeline.generate_process import Generate
from pipeline.generating import Generating
from pipeline.reconstruction import GeneratingStatus, Opened, Reconstruction, Wish
from pipeline.types import Decision

Opener = Callable[[GeneratorsConfig, str], Callable[[], Generate]]


class Reconstructing:
    """The generate process for the answers of one subject; `on_made` hears of every part, in a thread of its own.

    `opener` makes what the process is given to open its generators, for tests with generators of their own.

    Thread: `decided`, `make`, `picture` and `status` from any; the rest from one.
    """

    def __init__(
        self,
        section: ReconstructionSection,
        subject: AnySubject | None,
        seed: int,
        on_made: Callable[[Reconstruction], None] = lambda _: None,
        opener: Opener | None = None,
    ) -> None:
        """Prepare it; nothing runs before `start`.

        Raises:
            InputError: the subject's decoder gives no embedding.
        """
        anytime = with_embeddings(subject)
        self.encoder = anytime.manifest.encoder
        self.simulated = anytime.simulated
        self.seed = seed
        gate = Gate(section.skip_cosine, anytime.decoder.gallery.centre)
        opener = opener or OpenGenerators
        self._generating = Generating(opener(section.generators(), self.encoder), on_made, gate)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Start the process; it loads its generators by itself. `status` says when it is ready, or why it is not."""
        self._generating.start()

    def opened(self, timeout_s: float) -> Opened | None:
        """What it works with; None when it is not ready within `timeout_s`.

        Raises:
            NoGenerator: none of a kind is here and takes the subject's embeddings.
            WorkError: one that is here cannot be loaded.
        """
        return self._generating.opened(timeout_s)

    def decided(self, decision: Decision) -> None:
        """Wish for this answer unless a newer one comes before its turn. Never waits: a session may call it."""
        self._generating.put(self._wish(decision))

    def make(self, decision: Decision) -> Reconstruction:
        """What becomes of this answer. Waits for it."""
        return self._generating.make(self._wish(decision))

    def picture(self, decision: Decision, nth: int = 0) -> Reconstruction:
        """Its picture alone from the `nth` seed of its trial, the first of them that of what is shown. Waits for it.

        It is neither told to `on_made` nor counted.
        """
        return self._generating.make(Wish.of(decision, seed_of(self.seed, decision.trial, nth), aside=True))

    def no_more(self) -> None:
        """No answer comes after those so far: a mesh that takes long is made of the newest one, too."""
        self._generating.no_more()

    def idle(self, timeout_s: float) -> bool:
        """Wait until everything wished for has come to its end; False when it had not within `timeout_s`."""
        return self._generating.idle(timeout_s)

    @property
    def status(self) -> GeneratingStatus:
        """How it stands now."""
        return self._generating.status

    @property
    def pid(self) -> int | None:
        """The process; None between two."""
        return self._generating.pid

    def close(self) -> None:
        """End the process now. Safe to call twice."""
        self._generating.close()

    def _wish(self, decision: Decision) -> Wish:
        return Wish.of(decision, seed_of(self.seed, decision.trial))


def with_embeddings(subject: AnySubject | None) -> AnytimeSubject:
    """The subject, if its answers can be reconstructed.

    Raises:
        InputError: they cannot; the message says why.
    """
    if subject is None:
        raise InputError("--reconstruct makes visible what was decoded: name who decodes it, with --subject DIR")
    if not isinstance(subject, AnytimeSubject):
        raise InputError(
            "this subject's decoder knows classes and gives no embedding, so there is nothing to reconstruct from; "
            "calibrate with --system brainssd"
        )
    return subject


def seed_of(seed: int, trial: int, nth: int = 0) -> int:
    """The generators' `nth` seed for a trial of a session: 32 bits, told by the three numbers alone."""
    return int(np.random.SeedSequence((seed % 2**32, trial)).generate_state(nth + 1)[nth])
