"""Live sessions while their recorder, their disk or they themselves die: nothing recorded is lost, all is told."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest

from tests.faults.live import PAUSE, amplifier, assert_same_answers, live, recorded_stamps, replay, stimuli
from tests.recordings import load

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def senders():
    """An amplifier that streams, and stimuli."""
    with amplifier() as amp, stimuli() as stim:
        amp.run()
        yield amp, stim


def test_a_disk_that_fills_up_is_told_once_and_the_session_goes_on(tmp_path, senders):
    _amp, stim = senders
    with live(tmp_path / "a.xdf") as run:
        run.decide(stim, 1)
        limit = run.recorded.status.bytes_written + 40_000
        psutil.Process(run.recorder_pid).rlimit(psutil.RLIMIT_FSIZE, (limit, limit))
        run.wait_for("recording_failed")
        assert "Free some space" in run.text_of("recording_failed")
        n_until_then = len(run.session.decisions)
        run.decide(stim, 3)
    assert run.kinds.count("recording_failed") == 1
    assert run.path.stat().st_size <= limit
    again = replay(run.path)
    assert len(again.decisions) >= 1
    answers = {round(d.onset_s, 6): d.probabilities for d in again.decisions}
    common = [d for d in run.session.decisions[:n_until_then] if round(d.onset_s, 6) in answers]
    assert len(common) >= 1
    for decision in common:
        np.testing.assert_allclose(answers[round(decision.onset_s, 6)], decision.probabilities, atol=1e-6)


@pytest.mark.parametrize(("number", "told"), [(signal.SIGKILL, "died (exit status -9)"), (signal.SIGTERM, "finished")])
def test_a_recorder_that_is_killed_or_told_to_end_is_told_once_and_the_session_goes_on(tmp_path, senders, number, told):
    _amp, stim = senders
    with live(tmp_path / "a.xdf") as run:
        run.decide(stim, 1)
        os.kill(run.recorder_pid, number)
        run.wait_for("recording_failed")
        assert told in run.text_of("recording_failed")
        run.decide(stim, 2)
    assert run.kinds.count("recording_failed") == 1
    assert recorded_stamps(run.path).size > 0
    assert replay(run.path).acquisition.n_received > 0


def test_an_application_that_is_killed_leaves_a_whole_recording_that_answers_as_it_did(tmp_path, senders):
    amp, stim = senders
    application = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.live", str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        path, pid = json.loads(application.stdout.readline())
        recorder = psutil.Process(pid)
        for _ in range(40):  # the first ones fall into the settling of the filters
            stim.mark("up/1")
            PAUSE.wait(0.1)
        published = [json.loads(application.stdout.readline()) for _ in range(6)]
        application.kill()
        published += [json.loads(line) for line in application.stdout.read().splitlines()]
        _gone, alive = psutil.wait_procs([recorder], timeout=30.0)
        assert not alive
    finally:
        application.kill()
        application.wait()
        application.stdout.close()
    sent = amp.hold()
    assert all("footer" in stream for stream in load(Path(path)))
    stamps_s = recorded_stamps(Path(path))
    first = int(np.flatnonzero(sent.stamps_s == stamps_s[0])[0])
    np.testing.assert_array_equal(stamps_s, sent.stamps_s[first : first + stamps_s.size])
    again = {d.trial: d for d in replay(Path(path)).decisions}
    for answer in published:
        assert list(answer["probabilities"].values()) == pytest.approx(again[answer["trial"]].probabilities, abs=1e-6)


def test_a_sender_that_dies_while_the_session_ends_leaves_a_whole_recording(tmp_path, senders):
    amp, stim = senders
    with live(tmp_path / "a.xdf") as run:
        run.decide(stim, 2)
        amp.kill()
    assert all("footer" in stream for stream in load(run.path))
    assert_same_answers(run.session, replay(run.path))
