"""Live LSL sources against real senders, most of them processes that can be killed and frozen."""

import ctypes
import threading
import uuid
from collections.abc import Callable, Iterator

import numpy as np
import pylsl
import pytest

from engines.errors import InputError
from pipeline.errors import StreamChanged, StreamMissing
from pipeline.sources.lsl import LslSource
from pipeline.types import ClockOffset, EegChunk, Item, MarkerChunk, SourceEvent
from tests.senders import Sender

LABELS = "Fz,Cz,Pz,Oz"


@pytest.fixture
def name() -> str:
    """A stream name of its own for every test, however many run at once."""
    return f"amp-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def opened() -> Iterator[Callable[..., LslSource]]:
    """Opens sources and closes them after the test."""
    sources: list[LslSource] = []

    def open_one(*selectors: object, **options: object) -> LslSource:
        source = LslSource(*selectors, **options)
        sources.append(source)
        source.open()
        return source

    yield open_one
    for source in sources:
        source.close()


def amplifier(name: str, **script: object) -> Sender:
    return Sender(**{"name": name, "source_id": f"{name}-id", "labels": LABELS, "rate_hz": 250.0, **script})


def read_until(source: LslSource, enough: Callable[[list[Item]], bool], timeout_s: float = 20.0) -> list[Item]:
    items: list[Item] = []
    deadline_s = pylsl.local_clock() + timeout_s
    while not enough(items):
        assert pylsl.local_clock() < deadline_s, f"only this came: {[i for i in items if not isinstance(i, EegChunk)]}"
        items += source.read(0.1)
    return items


def samples(items: list[Item]) -> np.ndarray:
    return np.concatenate([i.data for i in items if isinstance(i, EegChunk)], axis=1)


def n_samples(items: list[Item]) -> int:
    return sum(i.data.shape[1] for i in items if isinstance(i, EegChunk))


def events(items: list[Item]) -> list[str]:
    return [i.kind for i in items if isinstance(i, SourceEvent)]


def has(kind: str) -> Callable[[list[Item]], bool]:
    return lambda items: kind in events(items)


def local_amplifier(
    name: str, n_channels: int = 4, rate_hz: float = 250.0, fmt: int = pylsl.cf_float32
) -> pylsl.StreamOutlet:
    return pylsl.StreamOutlet(pylsl.StreamInfo(name, "EEG", n_channels, rate_hz, fmt, f"{name}-id"))


def open_local(source: LslSource, outlet: pylsl.StreamOutlet) -> None:
    """Open a source on an outlet of this process: the first sample leaves when the source listens."""

    def first() -> None:
        outlet.wait_for_consumers(10.0)
        outlet.push_sample([0] * outlet.channel_count)

    thread = threading.Thread(target=first)
    thread.start()
    source.open()
    thread.join()


def test_hands_on_every_sample_with_its_raw_stamp(name: str, opened: Callable[..., LslSource]) -> None:
    with amplifier(name) as amp:
        amp.run()
        source = opened({"name": name})
        items = read_until(source, lambda items: n_samples(items) > 100)
        sent = amp.hold()
        items += read_until(source, lambda more: n_samples(items) + n_samples(more) >= sent.stop - samples(items)[0, 0])
    data = samples(items)
    stamps_s = np.concatenate([i.stamps_s for i in items if isinstance(i, EegChunk)])
    first = int(data[0, 0])
    np.testing.assert_array_equal(data, sent.values[:, first - sent.start :])
    np.testing.assert_array_equal(stamps_s, sent.stamps_s[first - sent.start :])


def test_describes_the_stream_as_its_sender_does(name: str, opened: Callable[..., LslSource]) -> None:
    with amplifier(name) as amp:
        amp.run()
        info = opened({"source_id": f"{name}-id", "type": "EEG"}).info
    assert (info.name, info.sfreq_hz, info.n_channels, info.dtype) == (name, 250.0, 4, "float32")
    assert [c.name for c in info.channels] == LABELS.split(",")
    assert info.unit == "microvolts"


def test_the_first_clock_offset_comes_before_the_first_sample(name: str, opened: Callable[..., LslSource]) -> None:
    with amplifier(name) as amp:
        amp.run()
        items = read_until(opened({"name": name}), lambda items: n_samples(items) > 0)
    assert isinstance(items[0], ClockOffset)
    assert items[0].stream == ""
    assert abs(items[0].value_s) < 0.05  # one machine, one clock
    assert items[0].at_s < pylsl.local_clock()


def test_chunks_stay_what_they_were_when_more_come(name: str, opened: Callable[..., LslSource]) -> None:
    with amplifier(name) as amp:
        amp.run()
        source = opened({"name": name})
        first = read_until(source, lambda items: n_samples(items) > 0)
        before = samples(first).copy()
        read_until(source, lambda items: n_samples(items) > 300)
        np.testing.assert_array_equal(samples(first), before)


def test_says_what_it_looked_for_and_what_it_saw_when_the_stream_is_missing(name: str) -> None:
    told: list[str] = []
    with amplifier(name), pytest.raises(StreamMissing, match=name) as raised:
        LslSource({"name": "not there"}, timeout_s=2.0, on_wait=told.append).open()
    assert "lsl:name=not there" in str(raised.value)
    assert told
    assert "not there" in told[0]


def test_a_silent_stream_blocks_the_start(name: str) -> None:
    with amplifier(name), pytest.raises(StreamMissing, match="sent no sample"):
        LslSource({"name": name}, timeout_s=3.0).open()


def test_a_stream_that_appears_late_is_waited_for(name: str, opened: Callable[..., LslSource]) -> None:
    senders: list[Sender] = []

    def start(_text: str) -> None:
        if not senders:
            senders.append(amplifier(name))
            senders[0].run()

    try:
        assert opened({"name": name}, timeout_s=15.0, on_wait=start).info.name == name
    finally:
        senders[0].kill()


def test_a_missing_marker_stream_blocks_the_start(name: str) -> None:
    with amplifier(name) as amp:
        amp.run()
        with pytest.raises(StreamMissing, match="marker stream"):
            LslSource({"name": name}, [{"name": "no such markers"}], timeout_s=2.0).open()


def test_several_matches_are_listed(name: str) -> None:
    with amplifier(name), amplifier(name, source_id="another"), pytest.raises(InputError, match="2 streams") as raised:
        LslSource({"name": name}, timeout_s=5.0).open()
    assert "another" in str(raised.value)
    assert f"{name}-id" in str(raised.value)


def test_two_senders_with_one_identity_are_told(name: str) -> None:
    with amplifier(name), amplifier(name), pytest.raises(InputError, match="share one identity"):
        LslSource({"source_id": f"{name}-id"}, timeout_s=5.0).open()


def test_a_twin_of_the_chosen_stream_is_told(name: str, opened: Callable[..., LslSource]) -> None:
    with amplifier(name, rate_hz=100.0) as amp, amplifier(name):
        amp.run()
        uid = next(i.uid() for i in pylsl.resolve_byprop("name", name, 2, 5.0) if i.nominal_srate() == 100.0)
        assert has("duplicate_identity")(list(opened({"id": uid}).read(1.0)))


def test_an_empty_or_unknown_selector_is_refused() -> None:
    with pytest.raises(InputError, match="write for example lsl:"):
        LslSource({})
    with pytest.raises(InputError, match="colour"):
        LslSource({"colour": "red"})


def test_markers_of_both_kinds_arrive_with_their_stamps(name: str, opened: Callable[..., LslSource]) -> None:
    script = {"type": "Markers", "n_channels": 1, "rate_hz": 0.0, "labels": "", "unit": ""}
    with (
        amplifier(name) as amp,
        amplifier(f"{name}-text", dtype="string", **script) as text,
        amplifier(f"{name}-number", dtype="int32", **script) as number,
    ):
        amp.run()
        source = opened({"name": name}, [{"name": f"{name}-text"}, {"name": f"{name}-number"}])
        stamp_s = text.mark("Gesicht/größe 1")
        number.mark("7", 12.5)
        items = read_until(source, lambda items: sum(isinstance(i, MarkerChunk) for i in items) == 2)
    keys = {info.name: key for key, info in source.marker_streams.items()}
    came = {i.stream: (i.labels, i.stamps_s) for i in items if isinstance(i, MarkerChunk)}
    assert came == {
        keys[f"{name}-text"]: (("Gesicht/größe 1",), (stamp_s,)),
        keys[f"{name}-number"]: (("7",), (12.5,)),
    }
    assert {i.stream for i in items if isinstance(i, ClockOffset)} == {"", *keys.values()}


def test_a_storm_of_markers_loses_none(name: str) -> None:
    outlet = local_amplifier(name)
    markers = pylsl.StreamOutlet(pylsl.StreamInfo(f"{name}-m", "Markers", 1, 0, pylsl.cf_string, f"{name}-m"))
    source = LslSource({"name": name}, [{"name": f"{name}-m"}])
    open_local(source, outlet)
    for k in range(20_000):
        markers.push_sample([f"m{k}"], float(k + 1))
    labels: list[str] = []
    stamps_s: list[float] = []
    for item in read_until(
        source, lambda items: sum(len(i.labels) for i in items if isinstance(i, MarkerChunk)) >= 20_000
    ):
        if isinstance(item, MarkerChunk):
            labels += item.labels
            stamps_s += item.stamps_s
    source.close()
    assert labels == [f"m{k}" for k in range(20_000)]
    assert stamps_s == [float(k + 1) for k in range(20_000)]


def test_a_label_that_is_not_utf8_is_read_as_latin1(name: str) -> None:
    outlet = local_amplifier(name)
    markers = pylsl.StreamOutlet(pylsl.StreamInfo(f"{name}-m", "Markers", 1, 0, pylsl.cf_string, f"{name}-m"))
    source = LslSource({"name": name}, [{"name": f"{name}-m"}])
    open_local(source, outlet)
    sample = (markers.value_type * 1)("gr\xfcn".encode("latin-1"))
    pylsl.util.handle_error(markers.do_push_sample(markers.obj, sample, ctypes.c_double(1.0), ctypes.c_int(1)))
    items = read_until(source, lambda items: any(isinstance(i, MarkerChunk) for i in items))
    source.close()
    assert next(i for i in items if isinstance(i, MarkerChunk)).labels == ("grün",)


@pytest.mark.parametrize("fmt", [pylsl.cf_double64, pylsl.cf_int16, pylsl.cf_int32, pylsl.cf_int8, pylsl.cf_int64])
def test_every_number_type_arrives_unchanged(name: str, fmt: int) -> None:
    outlet = local_amplifier(name, n_channels=2, fmt=fmt)
    source = LslSource({"name": name})
    open_local(source, outlet)
    sent = np.arange(60).reshape(30, 2)
    outlet.push_chunk(sent.tolist())
    items = read_until(source, lambda items: n_samples(items) >= 31)
    source.close()
    assert samples(items).dtype.name == source.info.dtype
    np.testing.assert_array_equal(samples(items)[:, 1:], sent.T)


def test_what_is_not_a_number_passes_through(name: str) -> None:
    outlet = local_amplifier(name)
    source = LslSource({"name": name})
    open_local(source, outlet)
    outlet.push_sample([np.nan, np.inf, -np.inf, 1.0])
    items = read_until(source, lambda items: n_samples(items) >= 2)
    source.close()
    np.testing.assert_array_equal(samples(items)[:, 1], [np.nan, np.inf, -np.inf, 1.0])


def test_an_overflow_of_the_inlet_is_counted(name: str) -> None:
    outlet = local_amplifier(name, n_channels=1, rate_hz=100.0)
    source = LslSource({"name": name})
    open_local(source, outlet)
    first = source.read(1.0)
    start_s = next(i for i in first if isinstance(i, EegChunk)).stamps_s[-1]
    stamps_s = [start_s + (k + 1) / 100.0 for k in range(8_000)]
    outlet.push_chunk([[float(k)] for k in range(8_000)], stamps_s)
    pipe = source._links[""].pipe
    while not pipe.full or outlet.have_consumers() is False:
        pass
    last = lambda items: n_samples(items) and samples(items)[0, -1] == 7_999.0  # noqa: E731
    items = read_until(source, last)
    source.close()
    lost = sum(i.n for i in items if isinstance(i, SourceEvent) and i.kind == "overrun")
    assert lost > 0
    assert lost + n_samples(items) == 8_000


@pytest.mark.slow
def test_a_sender_that_restarts_is_recovered_and_its_clock_measured_anew(
    name: str, opened: Callable[..., LslSource]
) -> None:
    with amplifier(name) as amp:
        amp.run()
        source = opened({"name": name})
        read_until(source, lambda items: n_samples(items) > 50)
    with amplifier(name, counter=100_000) as amp:
        amp.run()
        items = read_until(source, lambda items: n_samples(items) and samples(items)[0, -1] >= 100_000)
    back = next(k for k, i in enumerate(items) if isinstance(i, EegChunk) and i.data[0, 0] >= 100_000)
    assert "recovered" in events(items[:back])
    assert any(isinstance(i, ClockOffset) for i in items[:back])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"rate_hz": 500.0}, "250.0 before, 500.0 now"),
        ({"labels": "Cz,Fz,Pz,Oz"}, "number 0 was Fz, is Cz"),
        ({"n_channels": 5, "labels": "Fz,Cz,Pz,Oz,O1"}, "number of channels: 4 before, 5 now"),
    ],
)
def test_a_sender_that_comes_back_changed_is_refused(
    name: str, opened: Callable[..., LslSource], change: dict[str, object], told: str
) -> None:
    with amplifier(name) as amp:
        amp.run()
        source = opened({"name": name})
        read_until(source, lambda items: n_samples(items) > 50)
        amp.hold()
        amp.reopen(**change)
        amp.run()
        items = read_until(source, has("changed"))
        with pytest.raises(StreamChanged, match=told):
            source.read(0.1)
    assert told in next(i.text for i in items if isinstance(i, SourceEvent) and i.kind == "changed")
    assert samples(items).shape[0] == 4 if n_samples(items) else True


@pytest.mark.slow
def test_a_sender_without_identity_is_found_again_by_its_name(name: str, opened: Callable[..., LslSource]) -> None:
    with amplifier(name, source_id="first-run") as amp:
        amp.run()
        source = opened({"name": name})
    with amplifier(name, source_id="second-run", counter=100_000) as amp:
        amp.run()
        items = read_until(source, lambda items: n_samples(items) and samples(items)[0, -1] >= 100_000)
    assert "recovered" in events(items)


@pytest.mark.slow
def test_a_frozen_sender_is_told_and_loses_nothing_when_it_thaws(name: str, opened: Callable[..., LslSource]) -> None:
    with amplifier(name) as amp:
        amp.run()
        source = opened({"name": name})
        before = read_until(source, lambda items: n_samples(items) > 50)
        amp.freeze()
        frozen = read_until(source, has("stream_lost"))
        amp.thaw()
        after = read_until(source, lambda items: n_samples(items) > 500)
    counted = samples([*before, *frozen, *after])[0]
    np.testing.assert_array_equal(np.diff(counted), 1.0)
    assert "changed" not in events(after)


@pytest.mark.slow
def test_a_dead_marker_stream_is_told_and_its_return_too(name: str, opened: Callable[..., LslSource]) -> None:
    script = {
        "type": "Markers",
        "n_channels": 1,
        "rate_hz": 0.0,
        "labels": "",
        "unit": "",
        "dtype": "string",
    }
    with amplifier(name) as amp:
        amp.run()
        with amplifier(f"{name}-m", **script):
            source = opened({"name": name}, [{"name": f"{name}-m"}])
        (key,) = source.marker_streams
        lost = read_until(source, has("marker_stream_lost"))
        assert next(i.stream for i in lost if isinstance(i, SourceEvent)) == key
        with amplifier(f"{name}-m", **script) as markers:
            read_until(source, has("recovered"))
            markers.wait_for_consumer()
            markers.mark("back")
            items = read_until(source, lambda items: any(isinstance(i, MarkerChunk) for i in items))
    assert next(i for i in items if isinstance(i, MarkerChunk)).stream == key
    assert n_samples(items) > 0


def test_closing_twice_is_safe_and_leaves_the_description(name: str, opened: Callable[..., LslSource]) -> None:
    with amplifier(name) as amp:
        amp.run()
        source = opened({"name": name})
        source.close()
        source.close()
        assert source.info.name == name
