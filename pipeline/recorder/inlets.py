"""LSL streams as the recorder takes them: to the letter, raw stamps, and with fresh clock measurements only."""

import contextlib
import ctypes
import threading
from collections.abc import Iterator, Sequence
from xml.etree import ElementTree

import numpy as np
import pylsl
from numpy.typing import NDArray
from pylsl.lib import lib

from pipeline.errors import StreamMissing
from pipeline.sources.lsl_find import SETTLE_S, Selector, agrees, describe, one_line, search
from pipeline.stream_xml import info_xml, parse_info
from pipeline.types import Array, StreamInfo

# What a stalled disk may delay the recorder by before liblsl drops samples; for irregular streams x 100 samples.
BUFFER_S = 360
ROWS = 4096
OPEN_S = 5.0

_time_correction = lib.lsl_time_correction_ex
_time_correction.restype = ctypes.c_double


class RecordedInlet:
    """One LSL stream, opened, with liblsl's post-processing off and its recovery on.

    `info` is what the sender said of itself when it was opened, `header_xml` its own words. Thread: `pull` and
    `recovered` from one, `measure` from another, `close` when both have ended.
    """

    def __init__(self, found: pylsl.StreamInfo, timeout_s: float = OPEN_S) -> None:
        """Connect. Blocks until the sender has described itself and sends, at most twice `timeout_s`.

        Raises:
            StreamMissing: it did neither within `timeout_s`.
        """
        self.uid = str(found.uid())
        self.found = found
        self._inlet = pylsl.StreamInlet(found, max_buflen=BUFFER_S, recover=True, processing_flags=pylsl.proc_none)
        try:
            self.info, self.header_xml = _described(self._inlet, timeout_s)
            self._inlet.open_stream(timeout_s)
        except (pylsl.util.TimeoutError, pylsl.util.LostError) as error:
            raise StreamMissing(f"the stream does not answer: {one_line(found)}; restart its sender") from error
        self._measured_at_s = 0.0
        self.answers = True
        if self.info.dtype != "string":
            self._batch = np.empty((ROWS, self.info.n_channels), self.info.dtype)

    @property
    def full(self) -> bool:
        """True when liblsl's buffer has no room left, so that it may have dropped samples."""
        capacity = BUFFER_S * (self.info.sfreq_hz or 100.0)
        return bool(self._inlet.samples_available() >= int(capacity))

    def pull(self) -> Iterator[tuple[Array, NDArray[np.generic]]]:
        """Stamps (n,) and data (n_channels, n) of everything that waits; never blocks.

        Raises:
            pylsl.util.LostError: the sender is gone and has no source_id by which liblsl could find it again.
        """
        if self.info.dtype == "string":
            if came := list(iter(self._pull_text, None)):
                stamps, texts = zip(*came, strict=True)
                yield np.array(stamps), np.array(texts, dtype=object).T
            return
        while True:
            _, stamps = self._inlet.pull_chunk(0.0, ROWS, self._batch)
            if stamps:
                yield np.array(stamps), self._batch[: len(stamps)].T.copy()
            if len(stamps) < ROWS:
                return

    def _pull_text(self) -> tuple[float, list[str]] | None:
        """One sample of strings, any bytes in them: what is not UTF-8 travels as surrogates (PEP 383).

        pylsl 1.18.2 raises on such and loses them, and cuts strings at a zero byte.
        """
        n = self.info.n_channels
        texts, lengths, status = (ctypes.c_void_p * n)(), (ctypes.c_uint32 * n)(), ctypes.c_int()
        stamp_s = lib.lsl_pull_sample_buf(
            self._inlet.obj, texts, lengths, ctypes.c_int32(n), ctypes.c_double(0.0), ctypes.byref(status)
        )
        pylsl.util.handle_error(status)
        if not stamp_s:
            return None
        raw = [ctypes.string_at(text, length) for text, length in zip(texts, lengths, strict=True)]
        for text in texts:
            lib.lsl_destroy_string(text)
        return float(stamp_s), [text.decode("utf-8", "surrogateescape") for text in raw]

    def recovered(self) -> bool:
        """True once after liblsl has reconnected to another incarnation of the sender.

        liblsl notes that before the first new sample is taken in (inlet_connection.cpp, try_recover), provided that
        the clock has been measured since the time before.
        """
        return bool(self._inlet.was_clock_reset())

    @property
    def measured(self) -> bool:
        """True once the sender's clock has been measured."""
        return self._measured_at_s != 0.0

    def begin_measuring(self) -> None:
        """Let liblsl ask the sender for its clock, from now on, in the background."""
        with contextlib.suppress(pylsl.util.TimeoutError, pylsl.util.LostError):  # there is no answer yet
            self._inlet.time_correction(0.0)

    def measure(self, timeout_s: float) -> tuple[float, float] | None:
        """Sender time of a new clock measurement, and the offset to this machine's clock, both in seconds.

        None when it failed, and when liblsl answers with the one it gave before, as it does for a sender that is gone.
        """
        at_s, doubt_s, status = ctypes.c_double(), ctypes.c_double(), ctypes.c_int()
        value_s = _time_correction(
            self._inlet.obj, ctypes.byref(at_s), ctypes.byref(doubt_s), ctypes.c_double(timeout_s), ctypes.byref(status)
        )
        self.answers = status.value == 0 and at_s.value != self._measured_at_s
        if not self.answers:
            return None
        self._measured_at_s = at_s.value
        return at_s.value, float(value_s)

    def may_be(self, other: pylsl.StreamInfo) -> bool:
        """True for what can be another incarnation of this stream.

        Its source_id may be missing or another than before: pylsl invents one anew for every process.
        """
        named = self.found.name() == other.name() and self.found.type() == other.type()
        at_home = self.found.source_id() == other.source_id() or self.found.hostname() == other.hostname()
        return bool(named and at_home and other.uid() != self.uid)

    def liblsl_finds(self, other: pylsl.StreamInfo) -> bool:
        """True when liblsl reconnects to it by itself: it asks for the source_id, and looks at all but the rate."""
        asked = ("name", "type", "source_id", "channel_count", "channel_format")
        same = all(getattr(self.found, key)() == getattr(other, key)() for key in asked)
        return bool(same and self.info.source_id and other.uid() != self.uid)

    def close(self) -> None:
        """Let go of the sender. Blocks for half a second, in which liblsl's thread may be asleep."""
        del self._inlet


def described(found: pylsl.StreamInfo, timeout_s: float = OPEN_S) -> tuple[StreamInfo, str]:
    """What a stream says of itself now, parsed and in its own words.

    Raises:
        StreamMissing: it does not answer.
    """
    inlet = pylsl.StreamInlet(found, max_buflen=1, recover=False)
    try:
        return _described(inlet, timeout_s)
    except (pylsl.util.TimeoutError, pylsl.util.LostError) as error:
        raise StreamMissing(f"the stream does not answer: {one_line(found)}; restart its sender") from error


def _described(inlet: pylsl.StreamInlet, timeout_s: float) -> tuple[StreamInfo, str]:
    full = inlet.info(timeout_s)  # named, so that it lives until its text has been copied
    xml = lib.lsl_get_xml(full.obj).decode("utf-8", "replace")  # `as_xml` raises on a header that is not UTF-8
    info = parse_info(xml)
    try:
        ElementTree.fromstring(xml)
    except ElementTree.ParseError:
        return info, info_xml(info)  # as it is it would spoil the file: what could be read of it is written instead
    return info, xml


def find_all(selectors: Sequence[Selector], timeout_s: float, stop: threading.Event) -> list[pylsl.StreamInfo]:
    """Every stream that agrees with one of the selectors, once each. Blocks.

    Raises:
        StreamMissing: a selector found none within `timeout_s`; the message lists what was seen.
    """
    complete_s: float | None = None

    def missing(found: Sequence[pylsl.StreamInfo]) -> list[Selector]:
        return [selector for selector in selectors if not any(agrees(info, selector) for info in found)]

    def enough(found: list[pylsl.StreamInfo]) -> bool:
        nonlocal complete_s
        if missing(found):
            complete_s = None
        elif complete_s is None:
            complete_s = pylsl.local_clock()
        return complete_s is not None and pylsl.local_clock() - complete_s >= SETTLE_S

    found = search(enough, timeout_s, stop)
    if absent := missing(found):
        seen = "\n".join(f"  {one_line(info)}" for info in found) or "  nothing"
        raise StreamMissing(
            f"no stream agrees with {' nor '.join(map(describe, absent))}; seen on the network within "
            f"{timeout_s:g} s:\n{seen}\nstart the sender, or choose one of these; nothing is being recorded"
        )
    agreeing = {str(info.uid()): info for selector in selectors for info in found if agrees(info, selector)}
    return list(agreeing.values())
