import pickle

import numpy as np
import pytest

from engines.errors import InputError
from pipeline.errors import FileUnreadable, StreamMissing
from pipeline.sources.base import SourceEnded
from pipeline.sources.xdf import XdfSource
from pipeline.types import ClockOffset, EegChunk, MarkerChunk, SourceEvent
from pipeline.xdf.file import XdfFile
from tests.pipeline.xdf import xdf_bytes as xb

START = b"XDF:" + xb.chunk(1, b"<info><version>1.0</version></info>")


@pytest.fixture
def write(tmp_path):
    def _write(*parts: bytes):
        path = tmp_path / "file.xdf"
        path.write_bytes(START + b"".join(parts))
        return path

    return _write


def play(source):
    source.open()
    items = []
    try:
        while True:
            items += source.read(0.0)
    except SourceEnded:
        source.close()
    return items


def only(items, kind):
    return [item for item in items if isinstance(item, kind)]


def second(stream, at, n_channels=2, rate=10):
    data = np.full((n_channels, rate), at, "<f4")
    return xb.numeric(stream, [at, *[None] * (rate - 1)], data)


def eeg(stream=1, name="amp", n_channels=2, kind="EEG"):
    return xb.header(stream, name, kind, n_channels, 10, "float32")


def marks(stream=2, name="marks", dtype="string"):
    return xb.header(stream, name, "Markers", 1, 0, dtype)


def test_any_block_length_hands_over_the_same_samples_offsets_and_markers(data):
    path = data / "xdf" / "usbamp16_MISwitch_run-002.xdf"
    with XdfFile(path) as file:
        stream = next(s for s in file.streams if s.info.type == "EEG")
        whole, stamps = file.load(stream)
    per_stream = []
    for block_s in (0.0, 1.0, 1e9):
        items = play(XdfSource(path, block_s=block_s))
        chunks = only(items, EegChunk)
        np.testing.assert_array_equal(np.hstack([c.data for c in chunks]), whole)
        np.testing.assert_array_equal(np.hstack([c.stamps_s for c in chunks]), stamps)
        order, n = {}, 0
        for item in items:
            if isinstance(item, EegChunk):
                n += len(item.stamps_s)
            elif isinstance(item, ClockOffset) and item.stream == "":
                order.setdefault("", []).append((item, n))
            else:
                order.setdefault(item.stream, []).append(item)
        per_stream.append(order)
    assert per_stream[0] == per_stream[1] == per_stream[2]


def test_markers_come_before_the_samples_they_lie_in_wherever_the_file_has_them(write):
    samples = [second(1, 100.0 + k) for k in range(20)]
    markers = [xb.strings(2, [100.25 + k], [f"m{k}"]) for k in range(20)]
    offsets = [xb.offset(1, 100.0, 5.0), xb.offset(2, 200.0, -5.0)]  # clocks ten seconds apart
    shifted = [xb.strings(2, [110.25 + k], [f"m{k}"]) for k in range(20)]
    for parts in ([*samples, *markers], [*markers, *samples], [*offsets, *shifted, *samples]):
        items = play(XdfSource(write(eeg(), marks(), *parts), block_s=0.0))
        order = [i for i in items if isinstance(i, EegChunk | MarkerChunk)]
        assert [type(i) for i in order] == [MarkerChunk, EegChunk] * 20


def test_the_first_clock_offset_comes_before_the_first_sample(write):
    parts = [
        eeg(),
        *[second(1, float(k)) for k in range(6)],
        xb.offset(1, 5.0, 0.5),
        second(1, 6.0),
        xb.offset(1, 6, 0.7),
    ]
    items = play(XdfSource(write(*parts)))
    assert items[0].text.endswith("was not closed")
    assert items[1] == ClockOffset("", 5.0, 0.5)
    assert items[-1] == ClockOffset("", 6.0, 0.7)


def test_without_a_selector_the_stream_of_type_eeg_is_played(write):
    parts = [eeg(1, "imu", 9, "ACC"), eeg(2, "cap", 2), second(1, 1.0, 9), second(2, 1.0)]
    source = XdfSource(write(*parts))
    play(source)
    assert source.info.name == "cap"


def test_without_any_eeg_the_widest_numeric_stream_is_played(write):
    parts = [eeg(1, "imu", 3, "ACC"), eeg(2, "cap", 8, "Signal"), second(1, 1.0, 3), second(2, 1.0, 8)]
    source = XdfSource(write(*parts))
    play(source)
    assert source.info.name == "cap"


def test_an_eeg_stream_without_samples_is_not_chosen(write):
    source = XdfSource(write(eeg(1, "empty"), eeg(2, "full"), second(2, 1.0)))
    play(source)
    assert source.info.name == "full"


def test_two_equal_streams_are_a_question_that_lists_them(write):
    path = write(eeg(1, "left"), eeg(2, "right"), second(1, 1.0), second(2, 1.0))
    with pytest.raises(InputError, match=r"(?s)left.*right"):
        XdfSource(path).open()


@pytest.mark.parametrize("selector", [{"name": "right"}, {"id": "2"}, {"type": "EEG", "name": "right"}])
def test_a_selector_chooses(write, selector):
    source = XdfSource(write(eeg(1, "left"), eeg(2, "right"), second(1, 1.0), second(2, 1.0)), selector)
    play(source)
    assert source.info.name == "right"


def test_a_selector_that_matches_nothing_lists_what_there_is(write):
    path = write(eeg(1, "left"), second(1, 1.0))
    with pytest.raises(StreamMissing, match="left"):
        XdfSource(path, {"name": "middle"}).open()
    with pytest.raises(StreamMissing, match="left"):
        XdfSource(path, markers=[{"name": "none"}]).open()
    with pytest.raises(InputError, match="color"):
        XdfSource(path, {"color": "red"}).open()


def test_a_file_without_regular_numbers_is_refused(write):
    with pytest.raises(FileUnreadable, match="marks"):
        XdfSource(write(marks(), xb.strings(2, [1.0], ["a"]))).open()


def test_integer_markers_become_labels(write):
    markers = xb.numeric(2, [1.5, 1.7], np.array([[7, 8]], "<i4"))
    items = play(XdfSource(write(eeg(), marks(dtype="int32"), second(1, 1.0), markers)))
    assert only(items, MarkerChunk) == [MarkerChunk("2", ("7", "8"), (1.5, 1.7))]


def test_marker_streams_can_be_chosen_or_left_out(write):
    parts = [
        eeg(),
        marks(2, "one"),
        marks(3, "two"),
        second(1, 1.0),
        xb.strings(2, [1.1], ["a"]),
        xb.strings(3, [1.2], ["b"]),
    ]
    path = write(*parts)
    for selectors, keys in ((None, ["2", "3"]), ([{"name": "two"}], ["3"]), ([], [])):
        source = XdfSource(path, markers=selectors)
        items = play(source)
        assert list(source.marker_streams) == keys
        assert [i.stream for i in only(items, MarkerChunk)] == keys


def test_the_log_of_a_live_session_is_no_marker_stream(write):
    log = [marks(3, "AfterimageEvents"), xb.strings(3, [1.2], ["{}"]), marks(4, "AfterimageDecisions")]
    source = XdfSource(write(eeg(), marks(), xb.strings(2, [1.1], ["a"]), second(1, 1.0), *log))
    items = play(source)
    assert list(source.marker_streams) == ["2"]
    assert [e.kind for e in only(items, SourceEvent) if e.kind != "damaged_file"] == []


def test_a_source_travels_to_another_process_before_it_is_opened(write):
    source = XdfSource(write(eeg(), second(1, 1.0)), {"name": "amp"}, block_s=0.5)
    assert len(play(pickle.loads(pickle.dumps(source)))) == len(play(source))


def test_a_marker_stream_that_holds_nothing_or_dies_is_told(write):
    samples = [second(1, float(k)) for k in range(100)]
    parts = [eeg(), marks(2, "dead"), marks(3, "empty"), xb.strings(2, [1.0, 2.0], ["a", "b"]), *samples]
    events = only(play(XdfSource(write(*parts))), SourceEvent)
    assert [e.stream for e in events if e.kind == "no_markers"] == ["3"]
    assert [e.stream for e in events if e.kind == "markers_silent"] == ["2"]
    assert "98 s before the end" in next(e.text for e in events if e.kind == "markers_silent")


def test_the_lost_marker_stream_of_a_real_session_is_told(data, tmp_path):
    from calibration.datasets.imports import import_file

    run = next((data / "eeg" / "muse_visual").glob("N170_subject10_*.csv.gz"))
    import_file("muse-csv", [run], tmp_path / "muse.xdf")
    events = only(play(XdfSource(tmp_path / "muse.xdf")), SourceEvent)
    assert [e.kind for e in events] == ["markers_silent"]


def test_a_truncated_real_recording_plays_and_says_so(data):
    items = play(XdfSource(data / "xdf" / "openbci16_truncated.xdf"))
    assert sum(len(c.stamps_s) for c in only(items, EegChunk)) == 2760
    texts = " ".join(e.text for e in only(items, SourceEvent))
    assert "ends inside a chunk" in texts
    assert "no footer" in texts


@pytest.mark.parametrize("name", ["chunk_length_lie", "out_of_order_clock_offsets", "out_of_order_sample_chunk"])
def test_malformed_files_are_refused_in_words(data, name):
    with pytest.raises(FileUnreadable, match="no regular numeric stream"):
        XdfSource(data / "xdf" / f"malformed_{name}.xdf").open()


def test_reading_an_ended_source_again_ends_again(write):
    source = XdfSource(write(eeg(), second(1, 1.0)))
    play(source)
    with pytest.raises(SourceEnded):
        source.read(0.0)
    source.close()
