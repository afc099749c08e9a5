"""The participant's process, over real LSL on this machine."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest

from pipeline.clock import FakeClock
from pipeline.errors import SourceFailed
from pipeline.simulation import Player, Shown
from pipeline.sources.simulated import Performance, SimulatedParticipant, SimulatedSource, perform
from pipeline.types import ClockOffset, EegChunk, MarkerChunk
from tests.pipeline.simulated.people import noisy

SHOWN = (Shown("block/start", 0.1), Shown("stim/face/00", 0.1), Shown("stim/face/00", 0.505), Shown("end", 1.0))


class Heard:
    """Outlets that keep what is sent."""

    def __init__(self):
        self.eeg, self.last_s, self.markers = [], [], []

    def send_eeg(self, data_uv, last_s):
        self.eeg.append(data_uv)
        self.last_s.append(last_s)

    def send_marker(self, label, at_s):
        self.markers.append((label, at_s))


def test_live_sends_the_samples_that_a_file_would_hold():
    heard, clock = Heard(), FakeClock(100.0)
    perform(Performance(noisy(), SHOWN, 1.0, stop_s=2.0), heard, clock, lambda: False)
    player = Player(noisy())
    for shown in SHOWN:
        player.show(shown)
    assert np.array_equal(np.hstack(heard.eeg), player.next(500))


def test_markers_are_stamped_at_their_onset_and_samples_at_theirs():
    heard = Heard()
    perform(Performance(noisy(), SHOWN, 1.0, stop_s=2.0), heard, FakeClock(100.0), lambda: False)
    assert heard.markers == [(s.label, 100.0 + s.at_s) for s in SHOWN]
    np.testing.assert_allclose(heard.last_s, 100.0 + (5 * np.arange(1, 101) - 1) / 250, atol=1e-9)


def test_it_stops_when_told():
    heard = Heard()
    perform(Performance(noisy(), SHOWN), heard, FakeClock(), lambda: len(heard.eeg) >= 7)
    assert len(heard.eeg) == 7


def read_until(source, enough):
    items = []
    while not enough(items):
        items += source.read(1.0)
    return items


def joined(items):
    chunks = [i for i in items if isinstance(i, EegChunk)]
    return np.hstack([c.data for c in chunks]), np.concatenate([c.stamps_s for c in chunks])


def test_the_source_hands_over_the_participants_signal_and_markers():
    performance = Performance(noisy(), tuple(Shown(s.label, s.at_s + 3.0) for s in SHOWN))
    source = SimulatedSource(performance)
    source.open()
    try:
        assert source.live and source.info.simulated and source.info.n_channels == 3
        assert source.info.unit == "microvolts" and len(source.marker_streams) == 1
        items = read_until(
            source, lambda items: sum(len(i.labels) for i in items if isinstance(i, MarkerChunk)) >= len(SHOWN)
        )
    finally:
        source.close()
    data, stamps_s = joined(items)
    expected = Player(noisy())
    for shown in performance.shown:
        expected.show(shown)
    everything = expected.next(250 * 30)
    # An inlet may have missed the first samples: find where it came in.
    start = next(k for k in range(250 * 20) if np.array_equal(everything[:, k], data[:, 0]))
    assert np.array_equal(data, everything[:, start : start + data.shape[1]])
    labels = [label for i in items if isinstance(i, MarkerChunk) for label in i.labels]
    marked_s = np.array([s for i in items if isinstance(i, MarkerChunk) for s in i.stamps_s])
    assert labels == [s.label for s in SHOWN]
    began_s = stamps_s[0] - start / 250
    np.testing.assert_allclose(marked_s - began_s, [s.at_s for s in performance.shown], atol=1e-3)
    assert any(isinstance(i, ClockOffset) for i in items)


def test_closing_twice_and_closing_what_was_never_opened_are_harmless():
    source = SimulatedSource(Performance(noisy(), ()))
    source.close()
    source.open()
    source.close()
    source.close()


def test_a_participant_that_cannot_play_says_why():
    broken = Performance(noisy(background_uv=np.zeros((3, 4, 5))), ())
    participant = SimulatedParticipant(broken)
    participant.start()
    try:
        assert participant.join(20)
        with pytest.raises(SourceFailed, match=r"simulated participant died(.|\n)*einsum"):
            participant.check()
    finally:
        participant.stop()


def test_a_performance_that_is_over_ends_in_order():
    participant = SimulatedParticipant(Performance(noisy(), (), stop_s=0.1))
    participant.start()
    assert participant.join(20)
    participant.check()
    participant.stop()


def test_a_killed_participant_is_noticed():
    participant = SimulatedParticipant(Performance(noisy(), ()))
    participant.start()
    try:
        participant.check()
        psutil.Process(participant.pid).kill()
        assert participant.join(10)
        with pytest.raises(SourceFailed, match="killed"):
            participant.check()
    finally:
        participant.stop()


PARENT = """
import sys
from pipeline.sources.simulated import Performance, SimulatedParticipant
from tests.pipeline.simulated.people import noisy

if __name__ == "__main__":
    participant = SimulatedParticipant(Performance(noisy(), ()))
    participant.start()
    print(participant.pid, flush=True)
    sys.stdin.read()
"""


def test_it_leaves_when_its_parent_is_killed(tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    parent = subprocess.Popen(
        [sys.executable, str(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[3])},
    )
    try:
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
        _gone, alive = psutil.wait_procs([child], timeout=5)
        assert not alive
    finally:
        parent.kill()
        parent.communicate()
