"""No bytes may end in a traceback: 200 damaged files through the index and the source, to their ends."""

import numpy as np
import pytest

from engines.errors import AfterimageError
from pipeline.sources.base import SourceEnded
from pipeline.sources.xdf import XdfSource
from pipeline.types import EegChunk, MarkerChunk
from pipeline.xdf.file import XdfFile
from pipeline.xdf.salvage import salvage
from tests.pipeline.xdf import xdf_bytes as xb


def flip_bits(data, rng):
    out = bytearray(data)
    for at in rng.integers(0, len(out), rng.integers(1, 30)):
        out[at] ^= 1 << rng.integers(0, 8)
    return bytes(out)


def truncate(data, rng):
    return data[: rng.integers(0, len(data))]


def splice(data, rng):
    a, b, c = sorted(rng.integers(0, len(data), 3))
    return data[:b] + data[a:c] + rng.bytes(int(rng.integers(0, 200))) + data[c:]


def lie_about_lengths(data, rng):
    out = bytearray(data)
    starts = [k for k in range(len(out) - 8) if out[k] in (1, 4) and out[k + (2 if out[k] == 1 else 5) + 1] == 0]
    for k in rng.choice(starts, min(6, len(starts)), replace=False):
        out[k + 1 : k + 1 + out[k]] = rng.bytes(int(out[k]))
    return bytes(out)


def poison_text(data, rng):
    out = bytearray(data)
    for _ in range(3):
        at = out.find(b"<", int(rng.integers(0, 1200)))
        out[at : at + 2] = rng.bytes(2)
    return bytes(out)


MUTATIONS = [flip_bits, truncate, splice, lie_about_lengths, poison_text]


def play(path):
    """Counts of what came, None when the file was refused in our own words."""
    source = XdfSource(path)
    try:
        source.open()
    except AfterimageError as error:
        assert str(error)
        return None
    n_samples = n_markers = 0
    try:
        while True:
            for item in source.read(0.0):
                if isinstance(item, EegChunk):
                    assert item.data.shape == (source.info.n_channels, len(item.stamps_s))
                    n_samples += len(item.stamps_s)
                elif isinstance(item, MarkerChunk):
                    assert len(item.labels) == len(item.stamps_s) > 0
                    n_markers += len(item.labels)
    except SourceEnded:
        source.close()
    return n_samples, n_markers


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda m: m.__name__)
def test_no_damage_ends_in_a_traceback(tmp_path, mutation):
    whole = xb.session(n_seconds=12, rate=50)
    told = 0
    for seed in range(40):
        rng = np.random.default_rng([MUTATIONS.index(mutation), seed])
        path = tmp_path / f"{seed}.xdf"
        path.write_bytes(mutation(whole, rng))
        try:
            with XdfFile(path) as file:
                for stream in file.streams:
                    load = file.load_strings if stream.info.dtype == "string" else file.load
                    load(stream)
                told += bool(file.warnings)
        except AfterimageError:
            told += 1
        play(path)
    assert told >= 20  # flipped bits in the values themselves cannot be seen


def test_damage_in_one_place_costs_what_lies_there_and_no_more(tmp_path):
    whole = xb.session(n_seconds=30, rate=50)
    for seed in range(20):
        rng = np.random.default_rng([9, seed])
        out = bytearray(whole)
        at = int(rng.integers(2000, len(out) - 2000))
        out[at : at + 40] = rng.bytes(40)
        path = tmp_path / f"{seed}.xdf"
        path.write_bytes(bytes(out))
        counts = play(path)
        assert counts is not None
        assert counts[0] >= (30 - 7) * 50  # a boundary every 5 s, and a chunk at either side
        assert counts[0] <= 30 * 50


def test_what_a_damaged_file_still_holds_can_be_salvaged(tmp_path):
    whole = xb.session(n_seconds=12, rate=50)
    for seed in range(20):
        rng = np.random.default_rng([8, seed])
        path, copy = tmp_path / f"{seed}.xdf", tmp_path / f"{seed}-copy.xdf"
        path.write_bytes(MUTATIONS[seed % len(MUTATIONS)](whole, rng))
        counts = play(path)
        if counts is None:
            continue
        salvage(path, copy)
        assert play(copy) == counts
        with XdfFile(copy) as file:
            assert file.warnings == []
