"""Looks for LSL streams beside the window, as long as somebody wants to choose one."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import pylsl
from PySide6.QtCore import QObject, Signal

from pipeline.sources.lsl_find import is_marker, is_signal, search

FOR_EVER_S = 1e9


@dataclass(frozen=True)
class Listing:
    """An LSL stream as it announces itself."""

    name: str
    type: str
    n_channels: int
    sfreq_hz: float
    host: str
    source_id: str
    uid: str
    marker: bool

    def selector(self, others: Sequence["Listing"]) -> str:
        """What finds this stream again, also after its sender has restarted; its uid where it has a twin."""
        keys = {"name": self.name, "type": self.type, "source_id": self.source_id, "hostname": self.host}
        twins = [o for o in others if o != self and (o.name, o.type, o.source_id, o.host) == tuple(keys.values())]
        if twins:
            return f"lsl:uid={self.uid}"
        return "lsl:" + ",".join(f"{key}={value}" for key, value in keys.items() if value)


class StreamFinder(QObject):
    """`found` tells the list anew whenever it changes.

    Thread: main; it looks in a thread of its own, which `stop` ends.
    """

    found = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._last: tuple[Listing, ...] | None = None

    def start(self) -> None:
        """Look, from the beginning."""
        self.stop()
        self._stop = threading.Event()
        self._last = None
        self._thread = threading.Thread(target=self._look, args=(self._stop,), name="afterimage-finder", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the search. Safe to call twice."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _look(self, stop: threading.Event) -> None:
        search(lambda _: stop.is_set(), FOR_EVER_S, stop, self._tell)

    def _tell(self, seen: list[pylsl.StreamInfo]) -> None:
        listings = tuple(_listing(one) for one in seen if is_signal(one) or is_marker(one))
        if listings != self._last:
            self._last = listings
            self.found.emit(listings)


def _listing(found: pylsl.StreamInfo) -> Listing:
    return Listing(
        name=found.name(),
        type=found.type(),
        n_channels=found.channel_count(),
        sfreq_hz=found.nominal_srate(),
        host=found.hostname(),
        source_id=found.source_id(),
        uid=str(found.uid()),
        marker=is_marker(found),
    )
