"""The one protocol of all sources: open, read items, close.

A source carries one chosen numeric stream and any number of marker streams. It hands on what came, as it came:
raw stamps, native units, file or arrival order. It never corrects a clock, fills a gap or drops a sample.
"""

from collections.abc import Sequence
from typing import Protocol

from pipeline.types import Item, StreamInfo


class SourceEnded(Exception):
    """A finite source has handed over its last item. Control flow, not an error."""


class Source(Protocol):
    """Thread: whoever opened it, one thread only."""

    @property
    def info(self) -> StreamInfo:
        """The chosen numeric stream; known after `open`."""
        ...

    @property
    def marker_streams(self) -> dict[str, StreamInfo]:
        """Marker streams by key (LSL uid, XDF stream id, "annotations", "trigger:NAME"); known after `open`."""
        ...

    @property
    def live(self) -> bool:
        """True when samples come at their own pace and cannot be asked for again."""
        ...

    def open(self) -> None:
        """Find the streams and start them.

        Raises:
            StreamMissing: a required stream is absent or silent; the message says what was looked for and seen.
            FileUnreadable: the file holds no usable numeric stream.
        """
        ...

    def read(self, timeout_s: float) -> Sequence[Item]:
        """The next items in their order; empty when `timeout_s` passed without any.

        Raises:
            SourceEnded: nothing will ever come again (the end of a file).
            SourceFailed: the source broke.
        """
        ...

    def close(self) -> None:
        """Release everything. Safe to call twice."""
        ...


class WrappedSource:
    """A source around another one: everything is the inner source's but what a subclass says otherwise.

    Thread: as every source, one thread only.
    """

    def __init__(self, source: Source) -> None:
        self._source = source

    @property
    def innermost(self) -> Source:
        """The source inside all wrappings."""
        return self._source.innermost if isinstance(self._source, WrappedSource) else self._source

    @property
    def info(self) -> StreamInfo:
        """The chosen numeric stream; known after `open`."""
        return self._source.info

    @property
    def marker_streams(self) -> dict[str, StreamInfo]:
        """Marker streams by key; known after `open`."""
        return self._source.marker_streams

    @property
    def live(self) -> bool:
        """True when samples come at their own pace."""
        return self._source.live

    def open(self) -> None:
        """Open the inner source; raises what it raises."""
        self._source.open()

    def read(self, timeout_s: float) -> Sequence[Item]:
        """The inner source's items; raises what it raises."""
        return self._source.read(timeout_s)

    def close(self) -> None:
        """Close the inner source. Safe to call twice."""
        self._source.close()
