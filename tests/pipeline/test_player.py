"""Recordings re-streamed over LSL from a process of their own."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest

from pipeline.errors import SourceFailed
from pipeline.player import Player
from pipeline.sources.base import Source, SourceEnded
from pipeline.sources.mne_file import MneSource
from pipeline.sources.xdf import XdfSource
from pipeline.types import EegChunk, Item, MarkerChunk, StreamInfo
from pipeline.xdf.writer import XdfWriter

RATE_HZ = 100.0
N = 150


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """1.5 s of two int16 channels on a clock 1000 s ahead of the recorder's, markers on the recorder's own."""
    path = tmp_path / "rec.xdf"
    writer = XdfWriter(path)
    signal_id = writer.add_stream(StreamInfo("amp", "EEG", 2, RATE_HZ, "int16", "amp-1"))
    marker_id = writer.add_stream(StreamInfo("stim", "Markers", 1, 0.0, "string", "stim-1"))
    number_id = writer.add_stream(StreamInfo("code", "Markers", 1, 0.0, "int32", "code-1"))
    writer.write_offset(signal_id, 6000.0, -1000.0)
    stamps_s = 6000.0 + np.arange(N) / RATE_HZ
    writer.write_samples(signal_id, stamps_s, np.arange(2 * N).reshape(2, N).astype("int16"))
    writer.write_samples(marker_id, np.array([5000.25, 5001.0]), ["face", "house"])
    writer.write_samples(number_id, np.array([5000.5]), np.array([[7]], dtype="int32"))
    writer.close()
    return path


def play(player: Player, idle_reads: int = 5) -> tuple[Source, list[Item]]:
    """Everything that comes until the player says it has finished, and what is still under way."""
    source = player.source()
    source.open()
    items: list[Item] = []
    left = idle_reads
    while left:
        came = source.read(0.1)
        items += came
        left -= player.finished() and not came
    source.close()
    return source, items


def joined(items: list[Item]) -> tuple[np.ndarray, np.ndarray]:
    chunks = [i for i in items if isinstance(i, EegChunk)]
    return np.concatenate([c.data for c in chunks], axis=1), np.concatenate([c.stamps_s for c in chunks])


def test_every_sample_and_marker_arrives_and_the_streams_keep_their_relations(recording: Path) -> None:
    with Player(XdfSource(recording)) as player:
        source, items = play(player)
    data, stamps_s = joined(items)
    np.testing.assert_array_equal(data, np.arange(2 * N).reshape(2, N))
    assert data.dtype == np.int16
    np.testing.assert_allclose(np.diff(stamps_s), 1 / RATE_HZ, atol=1e-9)
    markers = {
        source.marker_streams[i.stream].name: (i.labels, np.array(i.stamps_s) - stamps_s[0])
        for i in items
        if isinstance(i, MarkerChunk) and len(i.labels)
    }
    assert markers["code"][0] == ("7",)
    np.testing.assert_allclose(markers["code"][1], [0.5], atol=1e-6)
    came = [
        (label, stamp - stamps_s[0])
        for i in items
        if isinstance(i, MarkerChunk) and source.marker_streams[i.stream].name == "stim"
        for label, stamp in zip(i.labels, i.stamps_s, strict=True)
    ]
    assert [label for label, _ in came] == ["face", "house"]
    np.testing.assert_allclose([stamp for _, stamp in came], [0.25, 1.0], atol=1e-6)


def test_samples_leave_when_their_stamps_say(recording: Path) -> None:
    with Player(XdfSource(recording)) as player:
        _, items = play(player)
    late_s = [i.arrived_s - i.stamps_s[-1] for i in items if isinstance(i, EegChunk)]
    assert np.median(late_s) >= 0.0  # never before their time
    assert len(late_s) > 20  # and not as one block


def test_the_replayed_streams_have_an_identity_of_their_own(recording: Path) -> None:
    with Player(XdfSource(recording), speed=2.0) as player:
        source = player.source()
        source.open()
        infos = [source.info, *source.marker_streams.values()]
        source.close()
    assert infos[0].sfreq_hz == 2 * RATE_HZ
    assert all(info.source_id.endswith("-replayed") for info in infos)
    assert len({info.source_id for info in infos}) == 3


@pytest.mark.slow
def test_64_channels_of_an_edf_file_arrive_value_for_value(data: Path) -> None:
    path = data / "eeg" / "eegmmidb64" / "S001R03.edf"
    with Player(MneSource(path), speed=20.0) as player:
        _, items = play(player)
    file = MneSource(path)
    file.open()
    chunks = []
    try:
        while True:
            chunks += [i.data for i in file.read(0.0) if isinstance(i, EegChunk)]
    except SourceEnded:
        file.close()
    got, _ = joined(items)
    assert got.shape[0] == 64
    np.testing.assert_array_equal(got, np.concatenate(chunks, axis=1))
    assert sum(len(i.labels) for i in items if isinstance(i, MarkerChunk)) == 30


def test_a_file_that_cannot_be_played_is_told_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "bad.xdf").write_bytes(b"not an XDF file")
    with pytest.raises(SourceFailed, match="FileUnreadable"):
        Player(XdfSource(tmp_path / "bad.xdf")).start()


def test_a_killed_player_is_told(recording: Path) -> None:
    with Player(XdfSource(recording)) as player:
        assert player.pid is not None
        os.kill(player.pid, signal.SIGKILL)
        with pytest.raises(SourceFailed, match="killed"):
            player.finished(timeout_s=5.0)


def test_the_player_leaves_when_its_parent_dies(recording: Path) -> None:
    program = (
        "import os, sys\n"
        "from pipeline.player import Player\n"
        "from pipeline.sources.xdf import XdfSource\n"
        "if __name__ == '__main__':\n"
        f"    player = Player(XdfSource({str(recording)!r}))\n"
        "    player.start()\n"
        "    print(player.pid, flush=True)\n"
        "    os._exit(1)\n"
    )
    script = recording.with_name("parent.py")
    script.write_text(program)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    ended = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, env=environment, timeout=60)
    pid = int(ended.stdout)
    _gone, left = psutil.wait_procs([psutil.Process(pid)] if psutil.pid_exists(pid) else [], timeout=1.0)
    # without a process that reaps orphans, as in a container, a process that has left remains as a zombie
    assert all(process.status() == psutil.STATUS_ZOMBIE for process in left)
