"""MNE-LSL and mne-realtime read from us, we read from MNE-LSL, every value equal.

Each neighbour runs in a process of its own (tests/neighbours/programs.py).
"""

import importlib.util
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pylsl
import pytest

from pipeline.outlets import CompatibilityOutlet
from pipeline.sources.lsl import LslSource
from pipeline.types import Channel, EegChunk, Kind, StreamInfo
from tests.neighbours.programs import LABELS, N_SAMPLES, TMIN_S

RATE_HZ = 250.0
ONSETS = (300, 617)
INFO = StreamInfo(
    "amp",
    "EEG",
    4,
    RATE_HZ,
    channels=(*(Channel(name, Kind.EEG, "uV") for name in ("Fz", "Cz", "Oz")), Channel("knob", Kind.MISC)),
)

pytestmark = pytest.mark.slow


def needs(package: str) -> pytest.MarkDecorator:
    missing = importlib.util.find_spec(package) is None
    return pytest.mark.skipif(missing, reason=f"{package} is not installed: pip install 'afterimage[neighbours]'")


@contextmanager
def neighbour(program: str, source_id: str, to: Path) -> Iterator[subprocess.Popen[str]]:
    """A running neighbour that has said "ready"."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.neighbours.programs", program, source_id, str(to)],
        cwd=Path(__file__).resolve().parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        heard: list[str] = []
        for line in process.stdout:
            heard.append(line)
            if line.strip() == "ready":
                break
        else:
            pytest.fail(f"{program} ended:\n{''.join(heard)}{process.stderr.read()[-3000:]}")
        yield process
    finally:
        process.kill()
        process.communicate()


def received(program: str, tmp_path: Path, publish: Callable[[CompatibilityOutlet], None]) -> dict[str, np.ndarray]:
    """What the neighbour got of what `publish` sends."""
    source_id, to = f"ours-{uuid.uuid4().hex[:8]}", tmp_path / "received.npz"
    outlet = CompatibilityOutlet(INFO, LABELS, source_id)
    with neighbour(program, source_id, to) as process:
        assert outlet._eeg.wait_for_consumers(10.0)
        publish(outlet)
        _, told = process.communicate(timeout=60)
        assert process.returncode == 0, told[-3000:]
    with np.load(to) as file:
        return dict(file)


@pytest.fixture(scope="module")
def data_uv() -> np.ndarray:
    return np.random.default_rng(0).normal(scale=20.0, size=(4, N_SAMPLES))


@pytest.fixture
def publish(data_uv: np.ndarray) -> Callable[[CompatibilityOutlet], None]:
    """Streams the data in real time, in chunks of 20, with one marker of each label, the second one late."""

    def run(outlet: CompatibilityOutlet) -> None:
        times_s = pylsl.local_clock() + np.arange(N_SAMPLES) / RATE_HZ
        for start in range(0, N_SAMPLES, 20):
            stop = start + 20
            while (left_s := times_s[stop - 1] - pylsl.local_clock()) > 0:
                time.sleep(left_s)
            if start == 280:
                outlet.mark(LABELS[0], times_s[ONSETS[0]])
            outlet.push(data_uv[:, start:stop], times_s[start:stop])
            if start == 620:
                outlet.mark(LABELS[1], times_s[ONSETS[1]] - 0.001)
        outlet.flush()

    return run


def expected_epochs(data_uv: np.ndarray, n: int) -> np.ndarray:
    first = round(TMIN_S * RATE_HZ)
    return np.array([data_uv[:3, onset + first : onset + first + n] * 1e-6 for onset in ONSETS])


def stim(n: int) -> np.ndarray:
    codes = np.zeros(n)
    for code, onset in enumerate(ONSETS, start=1):
        codes[onset : onset + 2] = code  # 10 ms at 250 Hz
    return codes


@needs("mne_realtime")
def test_mne_realtime_reads_our_samples_in_volts_and_our_events(
    tmp_path: Path, data_uv: np.ndarray, publish: Callable[[CompatibilityOutlet], None]
) -> None:
    got = received("mne_realtime_client", tmp_path, publish)
    np.testing.assert_array_equal(got["data"][:3], data_uv[:3] * 1e-6)
    np.testing.assert_array_equal(got["data"][3], data_uv[3])
    np.testing.assert_array_equal(got["data"][4], stim(N_SAMPLES))
    assert list(got["names"]) == ["Fz", "Cz", "Oz", "knob", "STI 014"]
    assert list(got["types"]) == ["eeg", "eeg", "eeg", "misc", "stim"]
    assert got["rate"] == RATE_HZ


@needs("mne_realtime")
def test_mne_realtime_cuts_epochs_at_our_events(
    tmp_path: Path, data_uv: np.ndarray, publish: Callable[[CompatibilityOutlet], None]
) -> None:
    got = received("mne_realtime_epochs", tmp_path, publish)
    np.testing.assert_array_equal(got["codes"], [1, 2])
    np.testing.assert_allclose(got["data"], expected_epochs(data_uv, got["data"].shape[2]), rtol=1e-12)


@needs("mne_lsl")
def test_mne_lsl_reads_our_samples_and_stamps(
    tmp_path: Path, data_uv: np.ndarray, publish: Callable[[CompatibilityOutlet], None]
) -> None:
    got = received("mne_lsl_stream", tmp_path, publish)
    np.testing.assert_array_equal(got["data"][:3], data_uv[:3] * 1e-6)
    np.testing.assert_array_equal(got["data"][4], stim(N_SAMPLES))
    assert list(got["types"]) == ["eeg", "eeg", "eeg", "misc", "stim"]
    np.testing.assert_allclose(np.diff(got["stamps_s"]), 1 / RATE_HZ, atol=1e-9)


@needs("mne_lsl")
@pytest.mark.parametrize("events", ["one_hot", "stim"])
def test_mne_lsl_cuts_epochs_at_our_events(
    tmp_path: Path, data_uv: np.ndarray, publish: Callable[[CompatibilityOutlet], None], events: str
) -> None:
    got = received(f"mne_lsl_epochs_{events}", tmp_path, publish)
    epochs = got["data"]  # (epochs, channels, samples)
    np.testing.assert_array_equal(epochs, expected_epochs(data_uv, epochs.shape[2]))


@needs("mne_lsl")
def test_we_read_what_mne_lsl_plays(tmp_path: Path) -> None:
    source_id = f"theirs-{uuid.uuid4().hex[:8]}"
    with neighbour("mne_lsl_player", source_id, tmp_path / "played.npz"):
        with np.load(tmp_path / "played.npz") as file:
            played = file["data"]
        source = LslSource({"source_id": source_id})
        source.open()
        chunks: list[EegChunk] = []
        while sum(c.data.shape[1] for c in chunks) < 500:
            chunks += [i for i in source.read(1.0) if isinstance(i, EegChunk)]
        source.close()
    got = np.concatenate([c.data for c in chunks], axis=1)
    start = int(np.flatnonzero((played == got[:, :1]).all(axis=0))[0])
    np.testing.assert_array_equal(got, np.take(played, range(start, start + got.shape[1]), axis=1, mode="wrap"))
    assert [c.name for c in source.info.channels] == ["Fz", "Cz", "Oz"]
