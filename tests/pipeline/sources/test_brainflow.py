"""BrainFlow's synthetic and playback boards; its streaming board never runs here."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from brainflow.data_filter import DataFilter
from hypothesis import given
from hypothesis import strategies as st
from pylsl import local_clock

from engines.errors import InputError
from pipeline.errors import SourceFailed, StreamMissing
from pipeline.sources.brainflow import MARKERS, BrainFlowSource, PackageCounter, board_id, input_params, rows_of
from pipeline.sources.brainflow_package import BoardIds, BoardShim
from pipeline.types import ClockOffset, EegChunk, Item, Kind, MarkerChunk, SourceEvent


def read_until(source: BrainFlowSource, enough: Callable[[list[Item]], bool], timeout_s: float = 10.0) -> list[Item]:
    items: list[Item] = []
    deadline_s = local_clock() + timeout_s
    while not enough(items):
        assert local_clock() < deadline_s, f"only {len(items)} items came"
        items += source.read(0.1)
    return items


def n_samples(items: list[Item]) -> int:
    return sum(i.data.shape[1] for i in items if isinstance(i, EegChunk))


def test_a_synthetic_board_sends_microvolts_on_the_lsl_clock() -> None:
    source = BrainFlowSource("SYNTHETIC_BOARD")
    source.open()
    try:
        items = read_until(source, lambda items: n_samples(items) > 100)
    finally:
        source.close()
    first = items[0]
    assert isinstance(first, ClockOffset)  # before the first sample
    chunks = [i for i in items if isinstance(i, EegChunk)]
    assert source.info.unit == "microvolts"
    assert source.info.simulated
    assert source.info.n_channels == chunks[0].data.shape[0]
    assert [c.name for c in source.info.channels if c.kind is Kind.EEG][:3] == ["Fz", "C3", "Cz"]
    lsl_s = np.concatenate([c.stamps_s for c in chunks]) + first.value_s
    assert np.all(np.diff(lsl_s) >= 0)
    assert lsl_s[-1] <= chunks[-1].arrived_s < lsl_s[-1] + 1.0


def test_a_marker_lands_on_a_sample_of_the_same_clock() -> None:
    source = BrainFlowSource("-1")
    source.open()
    try:
        read_until(source, lambda items: n_samples(items) > 10)
        source.insert_marker(7)
        items = read_until(source, lambda items: any(isinstance(i, MarkerChunk) for i in items))
        with pytest.raises(InputError, match="means no marker"):
            source.insert_marker(0)
    finally:
        source.close()
    marker = next(i for i in items if isinstance(i, MarkerChunk))
    assert (marker.stream, marker.labels) == (MARKERS, ("7",))
    assert set(source.marker_streams) == {MARKERS}
    assert marker.stamps_s[0] in np.concatenate([i.stamps_s for i in items if isinstance(i, EegChunk)])


def test_a_recording_of_a_board_plays_back_its_samples(tmp_path: Path) -> None:
    rows = BoardShim.get_num_rows(BoardIds.SYNTHETIC_BOARD)
    recorded = np.zeros((rows, 500))
    recorded[0] = np.arange(500) % 256
    recorded[1:17] = np.arange(16)[:, None] + np.arange(500) / 1000
    recorded[BoardShim.get_timestamp_channel(BoardIds.SYNTHETIC_BOARD)] = 1.6e9 + np.arange(500) / 250
    DataFilter.write_file(recorded, str(tmp_path / "rec.csv"), "w")
    source = BrainFlowSource(
        "PLAYBACK_FILE_BOARD", {"file": str(tmp_path / "rec.csv"), "master_board": "SYNTHETIC_BOARD"}
    )
    source.open()
    try:
        items = read_until(source, lambda items: n_samples(items) >= 100)
    finally:
        source.close()
    data = np.concatenate([i.data for i in items if isinstance(i, EegChunk)], axis=1)
    np.testing.assert_allclose(data[:16], recorded[1:17, : data.shape[1]], atol=1e-5)
    assert not source.info.simulated
    assert not [i for i in items if isinstance(i, SourceEvent)]


def test_a_board_that_is_not_there_is_told_with_what_to_check() -> None:
    with pytest.raises(InputError, match="serial_port"):
        BrainFlowSource("CYTON_BOARD").open()
    with pytest.raises(StreamMissing, match="port"):
        BrainFlowSource("CYTON_BOARD", {"serial_port": "/dev/no-such-port"}).open()


def test_unknown_boards_and_parameters_are_refused() -> None:
    with pytest.raises(InputError, match="SYNTHETIC_BOARD"):
        board_id("MY_BOARD")
    with pytest.raises(InputError, match="serial_port"):
        input_params({"serial_prot": "x"})
    with pytest.raises(InputError, match="whole number"):
        input_params({"ip_port": "five"})
    with pytest.raises(InputError, match="master_board"):
        BrainFlowSource("PLAYBACK_FILE_BOARD", {"file": "x.csv"}).open()


def test_parameters_reach_brainflow_with_their_types() -> None:
    params = input_params({"serial_port": "/dev/x", "ip_port": "6677", "master_board": "cyton_board"})
    assert (params.serial_port, params.ip_port, params.master_board) == ("/dev/x", 6677, BoardIds.CYTON_BOARD)


def test_a_board_that_is_closed_cannot_be_read() -> None:
    source = BrainFlowSource("SYNTHETIC_BOARD")
    source.close()
    with pytest.raises(SourceFailed, match="open it"):
        source.read(0.0)


def test_a_board_without_eeg_is_refused() -> None:
    with pytest.raises(InputError, match="no EEG"):
        rows_of({"name": "Armband", "emg_channels": [1, 2]})


def test_rows_shared_by_kinds_count_once_and_eeg_comes_first() -> None:
    rows, channels = rows_of(
        {"name": "Amp", "eog_channels": [3], "eeg_channels": [4, 5], "eeg_names": "Cz,Pz", "emg_channels": [4]}
    )
    assert rows == [4, 5, 3]
    assert [(c.name, c.kind, c.unit) for c in channels] == [
        ("Cz", Kind.EEG, "microvolts"),
        ("Pz", Kind.EEG, "microvolts"),
        ("eog 1", Kind.EOG, "microvolts"),
    ]


@given(
    period=st.sampled_from([101, 201, 256, 65_536]),
    step=st.sampled_from([1, 2]),
    repeats=st.sampled_from([1, 12]),
    cut=st.integers(1, 5_000),
)
def test_no_period_step_or_chunking_of_an_intact_counter_counts_as_loss(
    period: int, step: int, repeats: int, cut: int
) -> None:
    counts = np.repeat(np.arange(0, period - period % step, step, dtype=float), repeats)
    counts = np.tile(counts, math.ceil(5_000 / counts.size) + 2)[:6_000]
    counter = PackageCounter()
    assert counter.lost(counts[:cut]) + counter.lost(counts[cut:]) == 0


@pytest.mark.parametrize("repeats", [1, 12])
def test_lost_packages_are_counted_in_samples_across_the_wrap_too(repeats: int) -> None:
    counts = np.repeat(np.tile(np.arange(256.0), 4), repeats)
    kept = np.delete(counts, [*range(100 * repeats, 103 * repeats), *range(766 * repeats, 770 * repeats)])
    assert PackageCounter().lost(kept) == (3 + 4) * repeats
