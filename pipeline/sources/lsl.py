"""A live LSL stream and its marker streams as a source.

Raw stamps (no post-processing in liblsl: it bends time across gaps), the sender's units, one copy per sample. Clock
offsets and the senders' comings and goings are watched beside the pull path (`lsl_watch`).
"""

import math
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pylsl

from engines.errors import AfterimageError, InputError
from pipeline.errors import SourceFailed, StreamChanged, StreamMissing
from pipeline.sources.lsl_find import (
    SETTLE_S,
    Selector,
    agrees,
    checked_selector,
    choose,
    describe,
    introduce,
    is_marker,
    is_signal,
    one_line,
    search,
)
from pipeline.sources.lsl_inlet import MarkerInlet, NumericInlet
from pipeline.sources.lsl_watch import ANSWER_S, Link, Replaced, Watch, connect
from pipeline.types import Array, EegChunk, Item, MarkerChunk, SourceEvent, StreamInfo
from pipeline.worker import State

# While the signal pauses, markers are looked for this often.
SLICE_S = 0.05
# liblsl waits 0.5 s before it reconnects (data_receiver.cpp): data after a shorter silence are the old sender's.
TRUSTED_SILENCE_S = 0.4
# A new sender's stamps do not join the old one's as if nothing had been.
TRUSTED_STEP_S = 0.25
# The watch is asked to look for the sender after this long without a sample.
SILENT_S = 1.0


class LslSource:
    """One signal and any number of marker streams from the network.

    A selector has one or more of `name`, `type`, `source_id`, `uid` (or `id`) and `hostname`; each must choose exactly
    one stream. `on_wait` is told, about once a second while `open` waits, what is missing. Items besides samples and
    markers: `ClockOffset`s (the first of each stream before its first sample; a failed measurement is never handed on)
    and `SourceEvent`s: "stream_lost", "recovered", "changed", "overrun" (n samples lost), "marker_stream_lost",
    "ambiguous", "duplicate_identity", "no_clock_offset", "unverified".

    Thread: whoever opened it, one thread only.
    """

    live = True

    def __init__(
        self,
        selector: Selector,
        marker_selectors: Sequence[Selector] = (),
        *,
        timeout_s: float = 10.0,
        on_wait: Callable[[str], None] | None = None,
    ) -> None:
        self._selector = checked_selector(selector)
        self._marker_selectors = [checked_selector(one) for one in marker_selectors]
        self._timeout_s = timeout_s
        self._on_wait = on_wait
        self._links: dict[str, Link] = {}
        self._infos: dict[str, StreamInfo] = {}
        self._watch = Watch([])
        self._pending: list[Item] = []
        self._refusal: StreamChanged | None = None
        self._last_arrival_s = self._last_stamp_s = math.nan
        self._was_full = False

    @property
    def info(self) -> StreamInfo:
        """The chosen stream; known after `open`."""
        return self._infos[""]

    @property
    def marker_streams(self) -> dict[str, StreamInfo]:
        """Marker streams by the uid they had at `open`; the key stays when their sender restarts."""
        return {key: info for key, info in self._infos.items() if key}

    def open(self) -> None:
        """Find the streams, connect, measure their clocks and wait for the first sample. Blocks up to `timeout_s`.

        Raises:
            StreamMissing: a stream is absent, does not answer, or the signal sends nothing.
            InputError: a selector chooses several streams.
        """
        try:
            self._open(pylsl.local_clock() + self._timeout_s)
        except AfterimageError:
            self.close()
            raise

    def _open(self, deadline_s: float) -> None:
        found = self._find(deadline_s)
        chosen = [choose(found, selector, wanted) for selector, wanted in self._wishes()]
        patience_s = max(ANSWER_S, deadline_s - pylsl.local_clock())
        with ThreadPoolExecutor(len(chosen)) as pool:  # each answer takes a clock measurement of 0.5 s
            introduced = list(pool.map(lambda one: introduce(one, patience_s), chosen))
        for (selector, wanted), one, (info, offset) in zip(self._wishes(), chosen, introduced, strict=True):
            key = "" if wanted is is_signal else str(one.uid())
            if key in self._links:
                raise InputError(f"the marker stream {one_line(one)} is chosen twice; name it once in --markers")
            self._infos[key] = info
            self._links[key] = Link(key, dict(selector), wanted, one, info, self._connected(one, patience_s))
            self._pending.append(
                SourceEvent("no_clock_offset", f"clock not measured: {one_line(one)}", key)
                if offset is None
                else replace(offset, stream=key)
            )
            self._warn_of_twins(key, one, found)
        self._watch = Watch(list(self._links.values()))
        self._wait_for_first_sample(deadline_s)
        self._watch.start()

    def _wishes(self) -> list[tuple[Selector, Callable[[pylsl.StreamInfo], bool]]]:
        return [(self._selector, is_signal), *((selector, is_marker) for selector in self._marker_selectors)]

    def _find(self, deadline_s: float) -> list[pylsl.StreamInfo]:
        """All streams on the network, as soon as every wish has an answer and its rivals had time to show."""
        told_s = complete_s = math.inf
        settle_s = 0.0 if all("uid" in selector for selector, _ in self._wishes()) else SETTLE_S

        def missing(seen: list[pylsl.StreamInfo]) -> list[str]:
            return [describe(s) for s, wanted in self._wishes() if not any(wanted(i) and agrees(i, s) for i in seen)]

        def enough(seen: list[pylsl.StreamInfo]) -> bool:
            nonlocal complete_s
            complete_s = math.inf if missing(seen) else min(complete_s, pylsl.local_clock())
            return bool(pylsl.local_clock() - complete_s >= settle_s)

        def tell(seen: list[pylsl.StreamInfo]) -> None:
            nonlocal told_s
            told_s = min(told_s, pylsl.local_clock() + 1.0)
            if self._on_wait is not None and missing(seen) and pylsl.local_clock() >= told_s:
                told_s = math.inf
                self._on_wait(f"waiting for {', '.join(missing(seen))}; streams seen: {len(seen)}")

        return search(enough, deadline_s - pylsl.local_clock(), threading.Event(), tell)

    def _connected(self, found: pylsl.StreamInfo, timeout_s: float) -> NumericInlet | MarkerInlet:
        pipe = connect(found)
        try:
            pipe.inlet.open_stream(timeout_s)
        except (pylsl.util.TimeoutError, pylsl.util.LostError) as error:
            raise StreamMissing(f"the stream could not be opened: {one_line(found)}; restart its sender") from error
        return pipe

    def _warn_of_twins(self, key: str, chosen: pylsl.StreamInfo, found: Sequence[pylsl.StreamInfo]) -> None:
        twins = [i for i in found if i.source_id() == chosen.source_id() != "" and i.uid() != chosen.uid()]
        if twins:
            text = f"shares its source_id with {'; '.join(map(one_line, twins))}: a lost sender may not be found again"
            self._pending.append(SourceEvent("duplicate_identity", text, key))

    def _wait_for_first_sample(self, deadline_s: float) -> None:
        self._last_arrival_s = pylsl.local_clock()
        while not (chunks := self._pull(SLICE_S)):
            if pylsl.local_clock() >= deadline_s:
                raise StreamMissing(
                    f"the stream is there but sent no sample within {self._timeout_s:g} s: "
                    f"{one_line(self._links[''].found)}; start its acquisition"
                )
            if self._on_wait is not None and pylsl.local_clock() - self._last_arrival_s > SILENT_S:
                self._last_arrival_s = pylsl.local_clock()
                self._on_wait(f"{describe(self._selector)} is there and sends nothing yet")
        self._pending += chunks

    def read(self, timeout_s: float) -> Sequence[Item]:
        """What came, at once when something waits, else within `timeout_s`.

        Raises:
            StreamChanged: the stream came back with another rate or other channels.
            SourceFailed: the watching thread died.
        """
        if self._refusal is not None:
            raise self._refusal
        if self._watch.health.state is State.FAILED:
            raise SourceFailed(f"the watch over the LSL senders died:\n{self._watch.health.traceback}")
        deadline_s = pylsl.local_clock() + timeout_s
        items, self._pending = self._pending, []
        while True:
            left_s = 0.0 if items else min(SLICE_S, deadline_s - pylsl.local_clock())
            chunks = self._pull(max(0.0, left_s))
            items += self._take_notes()  # before the samples they speak of
            items += self._poll_markers()
            if self._refusal is None:
                items += chunks
            if items or pylsl.local_clock() >= deadline_s:
                return items

    def _pull(self, timeout_s: float) -> list[Item]:
        link = self._links[""]
        pipe = link.pipe
        assert isinstance(pipe, NumericInlet)
        # While a backlog is still under way liblsl drops between two pulls too, and inside what one pull returns.
        was_full, self._was_full = self._was_full, pipe.full
        was_full |= self._was_full
        try:
            pulled = None if link.lost else pipe.pull(timeout_s)
        except pylsl.util.LostError:
            pulled, link.lost = None, True
        if link.lost:
            self._watch.notes.wait(timeout_s)
        now_s = pylsl.local_clock()
        if pulled is None:
            link.silent = now_s - self._last_arrival_s > SILENT_S
            return []
        data, stamps_s = pulled
        items: list[Item] = []
        step_s = float(stamps_s[0]) - self._last_stamp_s - 1.0 / link.info.sfreq_hz
        n_lost = missing(np.r_[self._last_stamp_s, stamps_s], link.info.sfreq_hz) if was_full else 0
        if n_lost:
            text = f"nobody read for too long and liblsl's buffer overflowed: {n_lost} samples lost"
            items.append(SourceEvent("overrun", text, n=n_lost, at_s=self._last_stamp_s))
        elif now_s - self._last_arrival_s > TRUSTED_SILENCE_S and abs(step_s) > TRUSTED_STEP_S:
            self._watch.look(link)
            if link.gone:
                items.append(SourceEvent("unverified", "data came back, but their sender does not answer"))
        link.silent = False
        self._last_arrival_s, self._last_stamp_s = now_s, float(stamps_s[-1])
        return [*items, EegChunk(data, stamps_s, now_s)]

    def _take_notes(self) -> list[Item]:
        items: list[Item] = []
        for note in self._watch.notes.take_all():
            if isinstance(note, Replaced):
                items += self._markers_of(self._links[note.key])  # the last ones of the old connection
                self._links[note.key].pipe = note.pipe
                continue
            items.append(note)
            if isinstance(note, SourceEvent) and note.kind == "changed":
                self._refusal = StreamChanged(
                    f"the stream {self.info.name} came back changed: {note.text}; restart with the sender as it was, "
                    "or begin a new session with it as it is"
                )
        return items

    def _poll_markers(self) -> list[Item]:
        return [item for link in self._links.values() for item in self._markers_of(link)]

    def _markers_of(self, link: Link) -> list[Item]:
        if not isinstance(link.pipe, MarkerInlet) or link.lost:
            return []
        try:
            came = list(link.pipe.poll())
        except pylsl.util.LostError:
            link.lost = True
            return []
        if not came:
            return []
        labels, stamps_s = zip(*came, strict=True)
        return [MarkerChunk(link.key, labels, stamps_s, pylsl.local_clock())]

    def close(self) -> None:
        """Let go of every stream. Safe to call twice."""
        self._watch.stop()
        self._links = {}


def missing(stamps_s: Array, sfreq_hz: float) -> int:
    """How many samples the steps of these stamps leave out."""
    steps = np.round((np.diff(stamps_s) - 1.0 / sfreq_hz) * sfreq_hz)
    return int(steps[steps > 0].sum())
