"""Which stream a trial's reconstruction hangs on, for the window: reconstructions, and their comparison.

It is made when it is asked for, in a thread beside the window; the decoder works there a second time, so that the one
of the session is never kept waiting.
"""

import logging
from concurrent.futures import ThreadPoolExecutor

from PySide6.QtCore import QObject, Signal

from app.apart import Asked, question
from app.mapping import Comparing, Mapped
from engines.errors import AfterimageError
from engines.generators.config import GeneratorsConfig

log = logging.getLogger(__name__)


class Depending(QObject):
    """Makes maps, one at a time; `mapped` carries a `Mapped`, also when there can be none.

    Thread: main only; a thread of its own, and a process that compares, end with `close`.
    """

    mapped = Signal(object)

    def __init__(self, config: GeneratorsConfig, parent: QObject | None = None) -> None:
        """`config` says where networks are looked for."""
        super().__init__(parent)
        self._jobs = ThreadPoolExecutor(1, thread_name_prefix="afterimage-depending")
        self._comparing = Comparing(config)  # of the thread of jobs, but for killing it

    def ask(self, asked: Asked) -> None:
        """Make the map of this trial; `mapped` answers."""
        self._jobs.submit(self._job, asked)

    def close(self) -> None:
        """End what is being made. Safe to call twice."""
        self._comparing.kill()
        self._jobs.shutdown(wait=True, cancel_futures=True)
        self._comparing.close()

    # In the thread of jobs.

    def _job(self, asked: Asked) -> None:
        trial = asked.decision.trial
        try:
            found = self._comparing.mapped(question(asked))
        except AfterimageError as error:
            found = Mapped(trial, error=str(error))
        except Exception as error:  # noqa: BLE001 - whatever broke becomes visible in the panel
            self._comparing.close()
            found = Mapped(trial, error=f"{type(error).__name__}: {error}")
        if found.error:
            log.error("no dependency map of trial %d: %s", trial + 1, found.error)
        self.mapped.emit(found)
