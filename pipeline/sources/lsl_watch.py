"""Watching LSL senders beside the pull path: their clocks every 5 s, and whether they are still the same.

liblsl reconnects by itself to a sender that comes back with the same source_id, silently, and without looking at its
rate or labels. A sender without a source_id, or with a new one each time (pylsl invents those), it never finds again.
Here every return is noticed, compared with what was, and where liblsl cannot reconnect this does
(docs/decisions/0040-lsl-recovery.md).
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pylsl

from pipeline.channels import Lossless
from pipeline.errors import StreamMissing
from pipeline.sources.lsl_find import Settled, agrees, clock_offset, differences, introduce, one_line, search
from pipeline.sources.lsl_inlet import MarkerInlet, NumericInlet
from pipeline.types import ClockOffset, SourceEvent, StreamInfo
from pipeline.worker import Health, Worker

MEASURE_EVERY_S = 5.0
TICK_S = 0.25
LOOK_S = 1.5  # three rounds of liblsl's questions to the network
ANSWER_S = 2.0


@dataclass
class Link:
    """One stream that is followed through its sender's deaths and returns.

    `key` is "" for the chosen stream, else the marker stream's key. Thread: `silent` and `lost` are set by the reader,
    everything else by the watch under its lock.
    """

    key: str
    selector: dict[str, str]
    wanted: Callable[[pylsl.StreamInfo], bool]
    found: pylsl.StreamInfo
    info: StreamInfo
    pipe: NumericInlet | MarkerInlet
    silent: bool = False
    lost: bool = False
    gone: bool = field(default=False, init=False)
    ambiguous: bool = field(default=False, init=False)

    @property
    def uid(self) -> str:
        """The sender's present incarnation."""
        return str(self.found.uid())

    def may_be(self, other: pylsl.StreamInfo) -> bool:
        """True for a stream that can be this one come back."""
        return self.wanted(other) and (self.same_identity(other) or agrees(other, self.selector))

    def same_identity(self, other: pylsl.StreamInfo) -> bool:
        """True when both name themselves alike, source_id included."""
        mine, its = (f.source_id() for f in (self.found, other))
        return bool(mine) and mine == its and self.found.name() == other.name() and self.found.type() == other.type()

    def found_by_liblsl(self, other: pylsl.StreamInfo) -> bool:
        """True when liblsl's own recovery query accepts `other` (it looks at all but the rate)."""
        return (
            not self.lost
            and self.same_identity(other)
            and self.found.channel_count() == other.channel_count()
            and self.found.channel_format() == other.channel_format()
        )


@dataclass(frozen=True)
class Replaced:
    """A new connection for a link, to be used by the reader from now on."""

    key: str
    pipe: NumericInlet | MarkerInlet


Note = ClockOffset | SourceEvent | Replaced


class Watch:
    """Follows links in a thread of its own; what it finds waits in `notes`.

    Thread: `look` from any; `notes` read by the source's reader.
    """

    def __init__(self, links: list[Link], measure_every_s: float = MEASURE_EVERY_S) -> None:
        self.notes: Lossless[Note] = Lossless()
        self._links = links
        self._every_s = measure_every_s
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._worker = Worker("lsl-watch", self._step)
        self._next_s = pylsl.local_clock() + measure_every_s

    @property
    def health(self) -> Health:
        """The state of the watching thread."""
        return self._worker.health

    def start(self) -> None:
        """Start watching."""
        self._worker.start()

    def stop(self) -> None:
        """End the thread, waiting at most as long as a few questions to a sender take, and let go of the inlets."""
        self._stop.set()
        self._worker.stop(timeout_s=3 * ANSWER_S + LOOK_S)
        self._links = []

    def _step(self) -> bool:
        if self._stop.wait(TICK_S):
            return False
        due = pylsl.local_clock() >= self._next_s
        for link in self._links:
            if due or link.silent or link.lost or link.gone:
                self.look(link)
        if due:
            self._measure()
            self._next_s += self._every_s
        return True

    def _measure(self) -> None:
        """Only senders that have just shown life: for a dead one liblsl answers from memory."""
        for link in self._links:
            if link.gone or link.silent or link.lost:
                continue
            offset = clock_offset(link.pipe.inlet, link.key, ANSWER_S)
            if offset is not None:
                self.notes.put(offset)

    def look(self, link: Link) -> None:
        """Ask the network whether the link's sender is there, gone, or come back as another. Blocks up to 2 s or so."""
        with self._lock:
            found = search(Settled(link.may_be, link.uid), LOOK_S, self._stop)
            candidates = [other for other in found if link.may_be(other)]
            same = [other for other in candidates if other.uid() == link.uid]
            kin = [other for other in candidates if link.same_identity(other)]
            choice = same or kin or candidates
            if self._stop.is_set():
                return
            if not choice:
                self._report_gone(link)
            elif len(choice) > 1:
                self._report_ambiguous(link, choice)
            elif choice == same and not link.lost:
                self._report_present(link)
            else:
                self._return(link, choice[0])

    def _report_gone(self, link: Link) -> None:
        if not link.gone:
            kind = "marker_stream_lost" if link.key else "stream_lost"
            self.notes.put(SourceEvent(kind, f"the sender does not answer: {one_line(link.found)}", link.key))
        link.gone = True

    def _report_ambiguous(self, link: Link, choice: list[pylsl.StreamInfo]) -> None:
        if not link.ambiguous:
            lines = "; ".join(map(one_line, choice))
            text = f"{len(choice)} senders claim to be the lost stream; stop all but one: {lines}"
            self.notes.put(SourceEvent("ambiguous", text, link.key))
        link.ambiguous = link.gone = True

    def _report_present(self, link: Link) -> None:
        if link.gone:
            self.notes.put(SourceEvent("recovered", "the sender answers again", link.key))
        link.gone = link.ambiguous = False

    def _return(self, link: Link, other: pylsl.StreamInfo) -> None:
        """Another incarnation is there: compare it, connect to it where liblsl will not, say so."""
        try:
            info, offset = introduce(other, ANSWER_S)
        except StreamMissing:
            return  # it was seen and does not answer yet: the next look asks again
        changes = [] if link.key else differences(link.info, info)
        if changes:
            self.notes.put(SourceEvent("changed", "; ".join(changes), link.key))
        elif not link.found_by_liblsl(other):
            try:
                pipe = _connected(other)
            except (pylsl.util.TimeoutError, pylsl.util.LostError):
                return  # gone again before it could be opened: the next look finds out
            self.notes.put(Replaced(link.key, pipe))
        if offset is not None:
            self.notes.put(replace(offset, stream=link.key))
        if not changes:
            self.notes.put(SourceEvent("recovered", f"the sender is back: {one_line(other)}", link.key))
        link.found, link.gone, link.ambiguous, link.lost = other, False, False, False


def connect(found: pylsl.StreamInfo) -> NumericInlet | MarkerInlet:
    """An inlet of the right kind, not yet open."""
    return NumericInlet(found) if found.nominal_srate() > 0 else MarkerInlet(found)


def _connected(found: pylsl.StreamInfo) -> NumericInlet | MarkerInlet:
    pipe = connect(found)
    pipe.inlet.open_stream(ANSWER_S)
    return pipe
