"""Any source with markers read out of its own trigger channels."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl

from engines.errors import InputError
from pipeline.errors import StreamMissing
from pipeline.sources.base import Source, WrappedSource
from pipeline.trigger import Edge, TriggerConfig, TriggerReader
from pipeline.types import ClockOffset, EegChunk, Item, MarkerChunk, SourceEvent, StreamInfo

_EXAMPLE = "trigger:STI 014?mask=0xff&edge=rising&debounce_s=0.01"
_KEYS = ("mask", "edge", "debounce_s", "baseline")
# Events of a source after which the next sample does not follow the last one.
_LOSSES = {"recovered", "overrun", "package_loss"}


@dataclass(frozen=True)
class TriggerChannel:
    """A channel by its label, and how to read it."""

    label: str
    config: TriggerConfig

    @property
    def key(self) -> str:
        """Its key among the marker streams."""
        return f"trigger:{self.label}"


def trigger_channel(text: str) -> TriggerChannel:
    """`trigger:CHANNEL?mask=0xff&edge=rising&debounce_s=0.01&baseline=0`; everything after CHANNEL may be left out.

    Raises:
        InputError: the text is none of that; with an example.
    """
    label, _, query = text.removeprefix("trigger:").partition("?")
    if not label:
        raise InputError(f"no channel is named by {text!r}; write for example {_EXAMPLE}")
    try:
        given = dict(parse_qsl(query, strict_parsing=bool(query)))
        unknown = sorted(set(given) - set(_KEYS))
        if unknown:
            raise ValueError(f"unknown {', '.join(unknown)}")
        config = TriggerConfig(
            bits=int(given.get("mask", "-1"), 0),
            edge=Edge(given.get("edge", "rising")),
            debounce_s=_seconds(given.get("debounce_s", "0")),
            baseline=int(given.get("baseline", "0"), 0),
        )
    except ValueError as error:
        edges = ", ".join(Edge)
        raise InputError(
            f"{text!r} is no trigger channel ({error}); it takes {', '.join(_KEYS)}, edge being one of {edges}; "
            f"write for example {_EXAMPLE}"
        ) from error
    return TriggerChannel(label, config)


def _seconds(text: str) -> float:
    if not re.fullmatch(r"\d*\.?\d+", text):
        raise ValueError(f"debounce_s={text} is no number of seconds")
    return float(text)


class TriggeredSource(WrappedSource):
    """Wraps a source; each trigger channel becomes the marker stream "trigger:CHANNEL" and stays a channel.

    Its markers come just before the chunk that made them certain, with the raw stamps and the clock offsets of the
    signal.

    Thread: as every source, one thread only.
    """

    def __init__(self, source: Source, triggers: Sequence[TriggerChannel]) -> None:
        keys = [trigger.key for trigger in triggers]
        if len(set(keys)) != len(keys):
            raise InputError(f"a trigger channel is named twice in {', '.join(keys)}; name it once, with all its bits")
        super().__init__(source)
        self._triggers = tuple(triggers)
        self._readers: dict[str, tuple[int, TriggerReader]] = {}

    @property
    def marker_streams(self) -> dict[str, StreamInfo]:
        """The wrapped source's and the trigger channels."""
        triggers = {t.key: StreamInfo(t.key, "Markers", 1, 0.0, "string", stream_id=t.key) for t in self._triggers}
        return {**self._source.marker_streams, **triggers}

    def open(self) -> None:
        """Open the wrapped source and find the channels.

        Raises:
            StreamMissing: a channel is not there; the message lists those that are. Also from the wrapped source.
        """
        self._source.open()
        labels = [channel.name for channel in self.info.channels]
        for trigger in self._triggers:
            if trigger.label not in labels:
                self._source.close()
                raise StreamMissing(
                    f"{self.info.name} has no channel {trigger.label!r} to read triggers from; it has: "
                    f"{', '.join(labels)}"
                )
            row = labels.index(trigger.label)
            self._readers[trigger.key] = (row, TriggerReader(trigger.config, self.info.sfreq_hz))

    def read(self, timeout_s: float) -> Sequence[Item]:
        """The wrapped source's items with the trigger channels' markers among them.

        Raises:
            SourceEnded, SourceFailed: from the wrapped source.
        """
        return [item for came in self._source.read(timeout_s) for item in self._with_markers(came)]

    def _with_markers(self, item: Item) -> Iterator[Item]:
        if isinstance(item, EegChunk):
            for key, (row, reader) in self._readers.items():
                found = reader.push(item.data[row], item.stamps_s)
                if found:
                    labels, stamps_s = tuple(t.label for t in found), tuple(t.stamp_s for t in found)
                    yield MarkerChunk(key, labels, stamps_s, item.arrived_s)
        yield item
        if isinstance(item, ClockOffset) and item.stream == "":
            for key in self._readers:
                yield replace(item, stream=key)
        if isinstance(item, SourceEvent) and item.stream == "" and item.kind in _LOSSES:
            for _, reader in self._readers.values():
                reader.gap()
