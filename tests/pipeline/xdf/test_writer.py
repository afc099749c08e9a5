import multiprocessing
import os
import resource
import signal
import struct
from pathlib import Path

import numpy as np
import pytest
import pyxdf

from pipeline.errors import RecordingFailed
from pipeline.types import Channel, StreamInfo
from pipeline.xdf.writer import BOUNDARY_UUID, XdfWriter


def eeg(dtype: str = "float32", n_channels: int = 3) -> StreamInfo:
    channels = tuple(Channel(f"C{k}", unit="microvolts") for k in range(n_channels))
    return StreamInfo("amp", "EEG", n_channels, 250.0, dtype, "serial-1", channels=channels)


MARKERS = StreamInfo("triggers", "Markers", 1, 0.0, "string", "stim-1")


def load(path: Path) -> list[dict]:
    streams, _header = pyxdf.load_xdf(path, synchronize_clocks=False, dejitter_timestamps=False)
    return streams


def arbitrary_bits(dtype: str, n_channels: int, n: int) -> np.ndarray:
    raw = np.random.default_rng(1).integers(0, 256, n_channels * n * np.dtype(dtype).itemsize, dtype=np.uint8)
    return raw.view(dtype).reshape(n_channels, n)


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64", "float32", "float64"])
def test_numbers_come_back_bit_for_bit_through_pyxdf(tmp_path, dtype):
    data = arbitrary_bits(dtype, 3, 700)
    stamps_s = np.random.default_rng(2).normal(5e4, 10.0, 700)
    with XdfWriter(tmp_path / "a.xdf") as writer:
        stream = writer.add_stream(eeg(dtype))
        for start, stop in ((0, 1), (1, 20), (20, 20), (20, 700)):
            writer.write_samples(stream, stamps_s[start:stop], data[:, start:stop])
    (loaded,) = load(tmp_path / "a.xdf")
    assert loaded["time_series"].dtype == np.dtype(dtype)
    assert loaded["time_series"].T.tobytes() == np.ascontiguousarray(data).tobytes()
    assert loaded["time_stamps"].tobytes() == stamps_s.tobytes()


def test_strings_of_every_length_and_alphabet_come_back(tmp_path):
    labels = ["", "left", "naïve café µV 脳波 🧠", "x" * 255, "y" * 256, "z" * 70_000, "line\nbreak <&>"]
    with XdfWriter(tmp_path / "a.xdf") as writer:
        stream = writer.add_stream(MARKERS)
        writer.write_samples(stream, np.arange(7.0), labels)
    (loaded,) = load(tmp_path / "a.xdf")
    assert [row[0] for row in loaded["time_series"]] == labels


def test_strings_of_several_channels_come_back_per_sample(tmp_path):
    words = np.array([["a", "b", "c"], ["1", "2", "3"]], dtype=object)
    with XdfWriter(tmp_path / "a.xdf") as writer:
        stream = writer.add_stream(StreamInfo("pairs", "Markers", 2, 0.0, "string"))
        writer.write_samples(stream, [1.0, 2.0, 3.0], words)
    (loaded,) = load(tmp_path / "a.xdf")
    assert loaded["time_series"] == [["a", "1"], ["b", "2"], ["c", "3"]]


def test_text_that_is_not_utf8_is_stored_as_it_came(tmp_path):
    sent = "Öl".encode("latin-1")
    with XdfWriter(tmp_path / "a.xdf") as writer:
        writer.write_samples(writer.add_stream(MARKERS), [1.0], [sent.decode("utf-8", "surrogateescape")])
    assert struct.pack("<BB", 1, 2) + sent in (tmp_path / "a.xdf").read_bytes()


def test_two_streams_of_one_name_stay_apart(tmp_path):
    with XdfWriter(tmp_path / "a.xdf") as writer:
        first, second = writer.add_stream(eeg()), writer.add_stream(eeg())
        writer.write_samples(second, [2.0], np.full((3, 1), 2, np.float32))
        writer.write_samples(first, [1.0], np.full((3, 1), 1, np.float32))
    loaded = {s["info"]["stream_id"]: s["time_series"][0, 0] for s in load(tmp_path / "a.xdf")}
    assert loaded == {first: 1.0, second: 2.0}


def test_footers_tell_the_first_and_last_stamp_the_count_and_the_offsets(tmp_path):
    with XdfWriter(tmp_path / "a.xdf") as writer:
        stream, silent = writer.add_stream(eeg()), writer.add_stream(MARKERS)
        writer.write_samples(stream, [0.1, 0.2], np.zeros((3, 2), np.float32))
        writer.write_offset(stream, 0.15, -0.012345678901234567)
        writer.write_samples(stream, [0.3], np.zeros((3, 1), np.float32))
        assert (writer.n_samples(stream), writer.n_samples(silent)) == (3, 0)
    loaded, empty = load(tmp_path / "a.xdf")
    footer = loaded["footer"]["info"]
    assert [float(footer[key][0]) for key in ("first_timestamp", "last_timestamp")] == [0.1, 0.3]
    assert footer["sample_count"] == ["3"] and empty["footer"]["info"]["sample_count"] == ["0"]
    (offset,) = footer["clock_offsets"][0]["offset"]
    assert (float(offset["time"][0]), float(offset["value"][0])) == (0.15, -0.012345678901234567)
    assert (loaded["clock_times"], loaded["clock_values"]) == ([0.15], [-0.012345678901234567])


def test_the_senders_own_header_is_kept_to_the_letter(tmp_path):
    xml = (
        '<?xml version="1.0"?>\n<info><name>amp</name><type>EEG</type><channel_count>1</channel_count>'
        "<nominal_srate>1</nominal_srate><channel_format>int16</channel_format>"
        "<desc><cap>green &amp; µ</cap></desc></info>"
    )
    with XdfWriter(tmp_path / "a.xdf") as writer:
        writer.add_stream(eeg("int16", 1), xml)
    assert xml.encode() in (tmp_path / "a.xdf").read_bytes()


def test_a_header_that_would_spoil_the_file_is_refused_and_nothing_is_written(tmp_path):
    with XdfWriter(tmp_path / "a.xdf") as writer:
        before = writer.size
        with pytest.raises(ValueError, match="well-formed"):
            writer.add_stream(eeg(), "<info><name>a & b</name></info>")
        assert writer.size == before


def test_samples_that_do_not_fit_their_header_are_refused_and_nothing_is_written(tmp_path):
    with XdfWriter(tmp_path / "a.xdf") as writer:
        stream = writer.add_stream(eeg())
        before = writer.size
        with pytest.raises(ValueError, match="declared float32, came float64"):
            writer.write_samples(stream, [1.0], np.zeros((3, 1)))
        with pytest.raises(ValueError, match="expected data"):
            writer.write_samples(stream, [1.0, 2.0], np.zeros((3, 1), np.float32))
        assert writer.size == before


def test_an_existing_file_is_never_touched(tmp_path):
    path = tmp_path / "a.xdf"
    path.write_bytes(b"precious")
    with pytest.raises(RecordingFailed, match="never overwritten"):
        XdfWriter(path)
    assert path.read_bytes() == b"precious"


def test_reading_goes_on_at_the_boundary_after_damage(tmp_path):
    path = tmp_path / "a.xdf"
    with XdfWriter(path) as writer:
        stream = writer.add_stream(eeg())
        writer.write_samples(stream, [1.0], np.full((3, 1), 1, np.float32))
        damaged_from = writer.size
        writer.write_samples(stream, [2.0], np.full((3, 1), 2, np.float32))
        writer.write_boundary()
        writer.write_samples(stream, [3.0], np.full((3, 1), 3, np.float32))
    raw = bytearray(path.read_bytes())
    raw[damaged_from] = 77  # no valid size of a length
    path.write_bytes(raw)
    (loaded,) = load(path)
    assert loaded["time_stamps"].tolist() == [1.0, 3.0]
    assert BOUNDARY_UUID in raw


def test_all_that_was_written_is_in_the_file_before_it_is_closed(tmp_path):
    writer = XdfWriter(tmp_path / "a.xdf")
    stream = writer.add_stream(eeg())
    writer.write_samples(stream, [1.0, 2.0], np.zeros((3, 2), np.float32))
    (loaded,) = load(tmp_path / "a.xdf")
    assert loaded["time_stamps"].tolist() == [1.0, 2.0]
    assert (tmp_path / "a.xdf").stat().st_size == writer.size
    writer.close()
    writer.close()
    assert writer.closed


def write_until_full(path: Path, limit: int, answer) -> None:
    """In a process of its own: a file-size limit behaves like a full disk (EFBIG for ENOSPC)."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    writer = XdfWriter(path)
    stream = writer.add_stream(eeg())
    messages = []
    for k in range(1000):
        try:
            writer.write_samples(stream, np.arange(100.0) + 100 * k, np.full((3, 100), k, np.float32))
        except RecordingFailed as error:
            messages.append(str(error))
            if len(messages) == 2:
                break
    try:
        writer.close()
    except RecordingFailed as error:
        messages.append(str(error))
    answer.send((messages, writer.n_samples(stream), writer.size, writer.closed))


def test_a_full_disk_is_told_and_leaves_every_whole_chunk_readable(tmp_path):
    path = tmp_path / "a.xdf"
    ours, theirs = multiprocessing.Pipe()
    child = multiprocessing.get_context("spawn").Process(target=write_until_full, args=(path, 50_000, theirs))
    child.start()
    theirs.close()
    messages, n_saved, size, closed = ours.recv()
    child.join()
    ours.close()
    assert len(messages) == 3 and closed
    assert all(os.strerror(27) in m and "Free some space" in m and f"{n_saved} of 'amp'" in m for m in messages)
    assert path.stat().st_size == size <= 50_000
    (loaded,) = load(path)
    np.testing.assert_array_equal(loaded["time_stamps"], np.arange(float(n_saved)))
    np.testing.assert_array_equal(loaded["time_series"][:, 0], np.arange(n_saved) // 100)
    assert n_saved >= 2000  # 21 bytes a sample
    assert loaded["footer"]["info"]["sample_count"] == [str(n_saved)]
