import logging
import struct
import subprocess
import sys

import numpy as np
import pytest
import pyxdf

from pipeline.errors import FileUnreadable
from pipeline.xdf.file import XdfFile
from tests.pipeline.xdf import xdf_bytes as xb

START = b"XDF:" + xb.chunk(1, b"<info><version>1.0</version></info>")
RNG_SEED = 3


@pytest.fixture
def write(tmp_path):
    def _write(data: bytes):
        path = tmp_path / "file.xdf"
        path.write_bytes(data)
        return path

    return _write


@pytest.fixture(autouse=True)
def quiet_pyxdf():
    logging.getLogger("pyxdf.pyxdf").setLevel(logging.CRITICAL)


def by_pyxdf(path):
    streams, _ = pyxdf.load_xdf(path, synchronize_clocks=False, dejitter_timestamps=False)
    return {str(s["info"]["stream_id"]): s for s in streams}


def assert_same_as_pyxdf(path):
    """Values, raw stamps bit for bit, and clock offsets of every stream."""
    expected = by_pyxdf(path)
    with XdfFile(path) as file:
        assert {s.key for s in file.streams} == set(expected)
        for stream in file.streams:
            theirs = expected[stream.key]
            if stream.info.dtype == "string":
                strings = file.load_strings(stream)
                assert [list(v) for v in strings.values] == theirs["time_series"]
                stamps = strings.stamps_s
            else:
                data, stamps = file.load(stream)
                assert data.shape == (stream.info.n_channels, len(theirs["time_stamps"]))
                np.testing.assert_array_equal(data.T, theirs["time_series"])
                assert not data.size or data.dtype == theirs["time_series"].dtype
            np.testing.assert_array_equal(stamps, theirs["time_stamps"])
            assert [(at, value) for _, at, value in file.offsets(stream)] == list(
                zip(theirs["clock_times"], theirs["clock_values"], strict=True)
            )


REAL = [
    *(f"usbamp16_MISwitch_run-00{k}" for k in (1, 2)),
    *(f"usbamp16_T1_run-00{k}" for k in ("1", "2", "1_old1")),
    "dsi7_ssvep",
    "openbci16_mi_2011001",
    "openbci16_mi_2111001",
    "openbci16_truncated",
    *(f"muse5_P0{k}" for k in ("01", "02", "03", "23", "31")),
    "ref_minimal",
    "ref_empty_streams",
    "ref_clock_resets",
]


@pytest.mark.parametrize("name", REAL)
def test_real_recordings_read_as_pyxdf_reads_them(data, name):
    assert_same_as_pyxdf(data / "xdf" / f"{name}.xdf")


def test_recordings_that_were_added_since_read_as_pyxdf_reads_them(data):
    for path in (data / "xdf").glob("*.xdf"):
        if path.stem not in REAL and not path.stem.startswith("malformed_"):
            assert_same_as_pyxdf(path)


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64", "float32", "double64"])
def test_every_number_format_is_read(write, dtype):
    kind = {"double64": "<f8", "float32": "<f4"}.get(dtype, f"<i{int(dtype[3:] or 8) // 8}" if "int" in dtype else "")
    values = (np.arange(12).reshape(3, 4) - 5).astype(kind)
    path = write(START + xb.header(1, "a", "EEG", 3, 10, dtype) + xb.numeric(1, [1.0, None, None, None], values))
    assert_same_as_pyxdf(path)


@pytest.mark.parametrize(
    "stamped",
    [
        [1] * 6,
        [1, 0, 0, 0, 0, 0],
        [0] * 6,
        [0, 1, 0, 0, 1, 1],
        [1, 0, 1, 0, 1, 0],
        [1, 1, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 1],
    ],
)
def test_missing_stamps_are_deduced_sample_by_sample_in_any_pattern(write, stamped):
    data = np.random.default_rng(RNG_SEED).normal(size=(2, 6)).astype("<f4")
    body = START + xb.header(1, "a", "EEG", 2, 300, "float32")
    for k in range(50):
        stamps = [10.0 + 0.0201 * k + 1e-7 * i if s else None for i, s in enumerate(stamped)]
        body += xb.numeric(1, stamps, data + k)
    assert_same_as_pyxdf(write(body))


def test_strings_keep_umlauts_and_survive_broken_encoding(write):
    raw = "Bild_\u00e4".encode() + b"\xff"
    body = xb.samples_body(2, [1.0], [xb.varint(len(raw)) + raw])
    path = write(START + xb.header(2, "m", "Markers", 1, 0, "string") + xb.chunk(3, body))
    with XdfFile(path) as file:
        assert file.load_strings(file.streams[0]).values == [("Bild_\u00e4\ufffd",)]


def test_reading_in_pieces_gives_what_loading_gives(write):
    path = write(xb.session())
    with XdfFile(path) as file:
        whole, stamps = file.load(file.streams[0])
        reader = file.reader(file.streams[0])
        pieces = [reader.read(n) for n in (1, 3, 2, 1, 13)]
    np.testing.assert_array_equal(np.hstack([p.data for p in pieces]), whole)
    np.testing.assert_array_equal(np.hstack([p.stamps_s for p in pieces]), stamps)


@pytest.mark.parametrize(
    ("content", "word"),
    [(b"", "no XDF"), (b"XD", "no XDF"), (b"EDF:....", "no XDF"), (b"\x1f\x8b\x08\x00", "gzip")],
)
def test_what_is_no_xdf_file_is_said_to_be_none(write, content, word):
    with pytest.raises(FileUnreadable, match=word):
        XdfFile(write(content))


def test_a_missing_file_is_said_to_be_missing(tmp_path):
    with pytest.raises(FileUnreadable, match="No such file"):
        XdfFile(tmp_path / "none.xdf")


def test_a_file_cut_inside_a_chunk_keeps_all_whole_chunks(write):
    whole = xb.session()
    with XdfFile(write(whole)) as file:
        n_all = file.streams[0].n_samples
        last = file.streams[0].positions[-1]
    path = write(whole[: last + 50])
    assert_same_as_pyxdf(path)
    with XdfFile(path) as file:
        assert file.truncated
        assert file.streams[0].n_samples == n_all - 100
        assert any("ends inside a chunk" in text for text in file.warnings)
        assert any("no footer" in text for text in file.warnings)


@pytest.mark.parametrize("lie", [-40, -1, 1, 37, 5000, 10**9])
def test_a_lying_chunk_length_costs_no_sample(write, lie):
    data = np.arange(40, dtype="<f4").reshape(2, 20)
    body = xb.samples_body(1, [1.0, *[None] * 19], [c.tobytes() for c in np.ascontiguousarray(data.T)])
    head = START + xb.header(1, "a", "EEG", 2, 100, "float32")
    lying = struct.pack("<BIH", 4, max(len(body) + 2 + lie, 7), 3) + body
    rest = b"".join(xb.numeric(1, [2.0 + k, *[None] * 19], data + k) for k in range(5)) + xb.boundary()
    path = write(head + lying + rest)
    assert_same_as_pyxdf(path)
    with XdfFile(path) as file:
        assert file.streams[0].n_samples == 120
        assert any("wrong length" in text for text in file.warnings)


def test_after_garbage_reading_goes_on_behind_the_next_boundary(write):
    data = np.ones((2, 20), "<f4")
    head = START + xb.header(1, "a", "EEG", 2, 100, "float32")
    before, after = xb.numeric(1, [1.0, *[None] * 19], data), xb.numeric(1, [9.0, *[None] * 19], 2 * data)
    path = write(head + before + b"\xde\xad\xbe\xef" * 99 + after + xb.boundary() + after + xb.footer(1, 60))
    with XdfFile(path) as file:
        values, stamps = file.load(file.streams[0])
        assert values.shape == (2, 40)
        assert stamps[20] == 9.0
        assert any("no chunk" in text for text in file.warnings)
        assert any("footer counts 60" in text for text in file.warnings)


def test_unknown_chunk_types_are_passed_over_and_told(write):
    path = write(START + xb.chunk(77, b"future") + xb.header(1, "a", "EEG", 1, 10, "int16") + xb.chunk(78, b"x"))
    with XdfFile(path) as file:
        assert len(file.streams) == 1
        assert sum("unknown type" in text for text in file.warnings) == 2


def test_a_sample_count_beyond_the_chunk_allocates_nothing(write):
    body = struct.pack("<IBQ", 1, 8, 2**62) + b"\0" * 64
    path = write(START + xb.header(1, "a", "EEG", 2, 100, "float32") + xb.chunk(3, body) + xb.footer(1, 0))
    with XdfFile(path) as file:
        assert file.streams[0].n_samples == 0
        assert any("does not hold the samples" in text for text in file.warnings)


def test_samples_before_their_header_are_put_in_front(write):
    early, late = np.full((1, 3), 1, "<i2"), np.full((1, 2), 2, "<i2")
    head = xb.header(5, "a", "EEG", 1, 10, "int16")
    path = write(START + xb.numeric(5, [1.0, None, None], early) + head + xb.numeric(5, [2.0, None], late))
    with XdfFile(path) as file:
        np.testing.assert_array_equal(file.load(file.streams[0])[0], [[1, 1, 1, 2, 2]])
        assert any("before its header" in text for text in file.warnings)


def test_samples_of_no_stream_are_told(write):
    with XdfFile(write(START + xb.numeric(9, [1.0], np.ones((1, 1), "<f4")))) as file:
        assert file.streams == ()
        assert any("no header" in text for text in file.warnings)


def test_a_second_stream_under_the_same_id_gets_a_key_of_its_own(write):
    one, two = np.ones((1, 2), "<i2"), np.ones((2, 3), "<f4")
    parts = [xb.header(1, "a", "EEG", 1, 10, "int16"), xb.numeric(1, [1.0, None], one)]
    parts += [xb.header(1, "b", "EEG", 2, 10, "float32"), xb.numeric(1, [5.0, None, None], two)]
    with XdfFile(write(START + b"".join(parts))) as file:
        assert [(s.key, s.n_samples) for s in file.streams] == [("1", 2), ("1.2", 3)]


def test_a_repeated_header_does_not_split_its_stream(write):
    head = xb.header(1, "a", "EEG", 1, 10, "int16")
    chunks = [xb.numeric(1, [float(k)], np.full((1, 1), k, "<i2")) for k in range(2)]
    with XdfFile(write(START + head + chunks[0] + head + chunks[1])) as file:
        assert [(s.key, s.n_samples) for s in file.streams] == [("1", 2)]
        assert any("second header" in text for text in file.warnings)


def test_a_damaged_header_is_read_field_by_field(write):
    head = xb.header(1, "amp", "EEG", 2, 250, "float32", "<channels><channel><label>Cz</label></channel></channels>")
    path = write(START + head.replace(b"</desc>", b"<</dsc>") + xb.numeric(1, [1.0], np.ones((2, 1), "<f4")))
    with XdfFile(path) as file:
        info = file.streams[0].info
        assert (info.name, info.n_channels, info.sfreq_hz, info.channels[0].name) == ("amp", 2, 250.0, "Cz")
        assert file.streams[0].n_samples == 1


def test_clock_offsets_that_are_no_numbers_are_not_handed_on(write):
    path = write(
        START + xb.header(1, "a", "EEG", 1, 10, "int16") + xb.offset(1, 1.0, float("nan")) + xb.offset(1, 2, 3)
    )
    with XdfFile(path) as file:
        assert list(file.offsets(file.streams[0])) == [(0, 2.0, 3.0)]


def test_the_file_is_never_written(write):
    path = write(xb.session()[:-300])
    path.chmod(0o444)
    before = (path.read_bytes(), path.stat().st_mtime_ns)
    with XdfFile(path) as file:
        file.load(file.streams[0])
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


MEMORY = """
import resource, sys
from pipeline.sources.base import SourceEnded
from pipeline.sources.xdf import XdfSource
from pipeline.xdf.file import XdfFile
path, how = sys.argv[1:]
import pipeline.montage; pipeline.montage.kind_of("x", None)  # loads the electrode names
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
if how == "load":
    with XdfFile(path) as file:
        data, stamps = file.load(file.streams[0])
        n = data.shape[1]
else:
    source = XdfSource(path)
    source.open()
    n = 0
    try:
        while True:
            n += sum(len(i.stamps_s) for i in source.read(0) if hasattr(i, "data"))
    except SourceEnded:
        source.close()
print(n, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
"""


@pytest.mark.slow
@pytest.mark.parametrize("one_chunk", [False, True])
def test_memory_stays_within_the_samples_asked_for(tmp_path, one_chunk):
    n_channels, n = 64, 600_000
    path = tmp_path / "long.xdf"
    block = np.random.default_rng(0).normal(size=(1000, n_channels)).astype("<f4")
    rows = np.zeros((1000, 1 + block.shape[1] * 4), np.uint8)
    rows[:, 1:] = block.view(np.uint8)
    with path.open("wb") as file:
        file.write(START + xb.header(1, "a", "EEG", n_channels, 1000, "float32"))
        if one_chunk:
            file.write(struct.pack("<BIHIBI", 4, 2 + 4 + 5 + n * rows.shape[1], 3, 1, 4, n))
        for _ in range(n // 1000):
            if not one_chunk:
                file.write(struct.pack("<BIHIBI", 4, 2 + 4 + 5 + rows.size, 3, 1, 4, 1000))
            file.write(rows.tobytes())
    payload = n * (n_channels * 4 + 8)

    def child(how):
        out = subprocess.run([sys.executable, "-c", MEMORY, str(path), how], capture_output=True, text=True, check=True)
        return [int(word) for word in out.stdout.split()]

    samples, grown = child("load")
    assert samples == n
    assert grown < 1.1 * payload + (8 << 20)
    samples, grown = child("play")
    assert samples == n
    assert grown < 64 << 20
