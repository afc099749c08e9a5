"""`live --share-eeg`: the session's EEG for MNE's programs, with its trials as numbers."""

from engines.errors import InputError
from pipeline.session import Session
from pipeline.sharing import Sharing


class Shared:
    """The session's EEG for other programs, once somebody asked for it."""

    def __init__(self) -> None:
        self._sharing: Sharing | None = None

    def __enter__(self) -> "Shared":
        return self

    def __exit__(self, *exc: object) -> None:
        if self._sharing is not None:
            self._sharing.stop()

    def begin(self, session: Session) -> None:
        """Start sending.

        Raises:
            InputError: the session knows no classes to number.
        """
        classes = session.decoder.classes if session.decoder else tuple(session.setup.patterns)
        if not classes:
            raise InputError(
                "--share-eeg numbers the trials by class: give --subject, or --event CLASS=PATTERN for each"
            )
        self._sharing = Sharing(session.acquisition, classes)
        self._sharing.start()

    def mark(self, name: str, time_s: float) -> None:
        """A trial of class `name` began."""
        if self._sharing is not None:
            self._sharing.mark(name, time_s)
