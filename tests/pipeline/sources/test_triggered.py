"""Markers out of a source's own trigger channel."""

from collections.abc import Sequence

import numpy as np
import pytest

from engines.errors import InputError
from pipeline.errors import StreamMissing
from pipeline.sources.triggered import TriggerChannel, TriggeredSource, trigger_channel
from pipeline.trigger import Edge, TriggerConfig
from pipeline.types import Channel, ClockOffset, EegChunk, Item, Kind, MarkerChunk, SourceEvent, StreamInfo


class Script:
    """A source that says what it is told to."""

    live = False

    def __init__(self, *batches: Sequence[Item]) -> None:
        self.info = StreamInfo("amp", "EEG", 2, 100.0, channels=(Channel("Cz"), Channel("STI 014", Kind.STIM)))
        self.marker_streams: dict[str, StreamInfo] = {}
        self._batches = list(batches)
        self.is_open = False

    def open(self) -> None:
        self.is_open = True

    def read(self, timeout_s: float) -> Sequence[Item]:
        return self._batches.pop(0)

    def close(self) -> None:
        self.is_open = False


def chunk(values: Sequence[float], start: int = 0) -> EegChunk:
    data = np.array([np.zeros(len(values)), values])
    return EegChunk(data, 50.0 + np.arange(start, start + len(values)) / 100.0, 51.0)


def opened(*batches: Sequence[Item], text: str = "trigger:STI 014") -> TriggeredSource:
    source = TriggeredSource(Script(*batches), [trigger_channel(text)])
    source.open()
    return source


def test_a_value_becomes_a_marker_before_its_chunk_and_the_channel_stays() -> None:
    sent = chunk([0, 0, 5, 5, 0])
    source = opened([sent])
    assert source.read(0.0) == [MarkerChunk("trigger:STI 014", ("5",), (50.02,), 51.0), sent]
    assert set(source.marker_streams) == {"trigger:STI 014"}
    assert source.marker_streams["trigger:STI 014"].is_marker


def test_the_signals_clock_offsets_are_the_triggers_too() -> None:
    offset = ClockOffset("", 50.0, 0.25)
    source = opened([offset, ClockOffset("other", 1.0, 2.0)])
    assert source.read(0.0) == [
        offset,
        ClockOffset("trigger:STI 014", 50.0, 0.25),
        ClockOffset("other", 1.0, 2.0),
    ]


@pytest.mark.parametrize("kind", ["recovered", "overrun", "package_loss"])
def test_what_stands_after_a_loss_is_a_state_and_no_marker(kind: str) -> None:
    source = opened([chunk([0, 0])], [SourceEvent(kind, ""), chunk([7, 7, 0, 3], 50)])
    items = [*source.read(0.0), *source.read(0.0)]
    assert [i.labels for i in items if isinstance(i, MarkerChunk)] == [("3",)]


def test_a_channel_that_is_not_there_is_told_with_those_that_are() -> None:
    wrapped = Script()
    with pytest.raises(StreamMissing, match="Cz, STI 014"):
        TriggeredSource(wrapped, [trigger_channel("trigger:Status")]).open()
    assert not wrapped.is_open


def test_every_part_of_the_text_is_read() -> None:
    meant = TriggerConfig(bits=0xFF, edge=Edge.BOTH, debounce_s=0.01, baseline=1)
    text = "trigger:STI 014?mask=0xff&edge=both&debounce_s=0.01&baseline=1"
    assert trigger_channel(text) == TriggerChannel("STI 014", meant)
    assert trigger_channel("trigger:Status") == TriggerChannel("Status", TriggerConfig())


@pytest.mark.parametrize(
    "query", ["mask=red", "edge=sideways", "debounce_s=-1", "debounce_s=nan", "colour=red", "mask"]
)
def test_a_text_that_means_nothing_is_refused_with_an_example(query: str) -> None:
    with pytest.raises(InputError, match="write for example trigger:"):
        trigger_channel(f"trigger:STI 014?{query}")


def test_a_channel_named_twice_is_refused() -> None:
    with pytest.raises(InputError, match="twice"):
        TriggeredSource(Script(), [trigger_channel("trigger:STI 014"), trigger_channel("trigger:STI 014?mask=1")])
