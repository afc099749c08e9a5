"""The command line in processes of its own: stopped, starved, orphaned, and left alone with changed senders."""

import json
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import psutil
import pylsl
import pytest

from tests.faults.live import PATIENCE_S, amplifier, recorded_stamps, stimuli
from tests.recordings import load

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
AMP = ("--source", "lsl:source_id=amp-1", "--markers", "lsl:source_id=stim-1")


class Command:
    """An `afterimage` command under way; its output goes to files."""

    def __init__(self, folder, *arguments):
        folder.mkdir(exist_ok=True)
        self.out, self.err = folder / "stdout", folder / "stderr"
        with self.out.open("w") as out, self.err.open("w") as err:
            command = [sys.executable, "-m", "app.cli", *map(str, arguments)]
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=err)

    @property
    def said(self):
        return self.err.read_text()

    def wait_until(self, holds):
        until_s = pylsl.local_clock() + PATIENCE_S
        while not holds():
            assert self.process.poll() is None, f"it has ended: {self.said}"
            assert pylsl.local_clock() < until_s, f"it never came to that: {self.said}"
            threading.Event().wait(0.05)

    def end(self, number=None):
        """Status, report (None without one) and what was said."""
        if number is not None:
            self.process.send_signal(number)
        status = self.process.wait(PATIENCE_S)
        assert "Traceback" not in self.said
        text = self.out.read_text()
        return status, json.loads(text) if text else None, self.said

    def children(self):
        return psutil.Process(self.process.pid).children(recursive=True)


@contextmanager
def command(folder, *arguments):
    running = Command(folder, *arguments)
    try:
        yield running
    finally:
        running.process.kill()
        running.process.wait()


@contextmanager
def live(tmp_path, *more):
    """`afterimage live` over an amplifier that streams and stimuli; and both senders."""
    with amplifier() as amp, stimuli() as stim:
        amp.run()
        arguments = ("live", *AMP, "--out", tmp_path / "out", "--json", *more)
        with command(tmp_path / "told", *arguments) as running:
            yield running, amp, stim


def decoding(running):
    return lambda: "connected, " in running.said


def test_a_signal_ends_a_live_session_with_footers_report_and_status_0(tmp_path):
    with live(tmp_path) as (running, _amp, stim):
        running.wait_until(decoding(running))
        stim.mark("up/1")
        status, report, _ = running.end(signal.SIGINT)
    assert status == 0
    assert report["samples_received"] > 0 and report["samples_lost"] == 0
    assert report["markers"] == {"up/1": 1}
    assert json.loads((tmp_path / "out" / "report.json").read_text()) == report
    assert (tmp_path / "out" / "report.html").is_file()
    assert all("footer" in stream for stream in load(tmp_path / "out" / "session.xdf"))


def test_seconds_end_a_live_session(tmp_path):
    with live(tmp_path, "--seconds", "2") as (running, _amp, _stim):
        status, report, _ = running.end()
    assert status == 0 and report["samples_received"] >= 2 * 250


def test_a_sender_that_comes_back_with_another_rate_is_told_reported_and_recorded_with_status_1(tmp_path):
    with live(tmp_path) as (running, amp, _stim):
        running.wait_until(decoding(running))
        before = amp.hold()
        amp.reopen(rate_hz=500.0)
        amp.run()
        status, report, said = running.end()
    assert status == 1
    assert "250.0 before, 500.0 now" in said
    assert any("250.0 before, 500.0 now" in text for text in report["warnings"])
    assert 0 < report["samples_received"] <= before.stop
    (first, *_) = [s for s in load(tmp_path / "out" / "session.xdf") if s["info"]["name"][0] == "amp"]
    assert set(first["time_stamps"]) <= set(before.stamps_s)


def test_a_recorder_that_is_killed_is_told_at_once_and_is_status_1_in_the_end(tmp_path):
    with live(tmp_path) as (running, _amp, _stim):
        running.wait_until(decoding(running))
        for child in running.children():
            if "spawn_main" in " ".join(child.cmdline()):
                child.kill()
        running.wait_until(lambda: "the recording has ended" in running.said)
        status, report, said = running.end(signal.SIGINT)
    assert status == 1
    assert any("died (exit status -9)" in text for text in report["warnings"])
    assert said.count("the recording has ended") == 1  # the report goes to standard output with --json
    assert recorded_stamps(tmp_path / "out" / "session.xdf").size > 0


def test_two_senders_with_one_identity_are_refused_in_one_line(tmp_path):
    with amplifier() as amp, amplifier() as twin:
        amp.run()
        twin.run()
        arguments = ("live", "--source", "lsl:source_id=amp-1", "--out", tmp_path / "out")
        with command(tmp_path / "told", *arguments) as running:
            status, _, said = running.end()
    assert status == 2
    complaint = said.splitlines()[-1]  # a slow machine shows progress before it
    assert complaint.startswith("afterimage: ") and "share one identity" in complaint


@pytest.mark.parametrize(
    "arguments",
    [("live", "--source", "sim"), ("replay", "FILE", "--over-lsl"), ("record", "--source", "sim", "--to", "REC")],
    ids=lambda arguments: " ".join(arguments),
)
def test_nothing_is_left_running_when_the_application_is_killed(tmp_path, data, arguments):
    places = {"FILE": data / "xdf" / "usbamp16_T1_run-002.xdf", "REC": tmp_path / "rec.xdf"}
    more = () if arguments[0] == "record" else ("--out", tmp_path / "out")
    told = {"live": "connected, ", "replay": "connected, ", "record": "recording rec.xdf recording"}[arguments[0]]
    with command(tmp_path / "told", *(places.get(a, a) for a in arguments), *more) as running:
        running.wait_until(lambda: told in running.said)
        children = running.children()
        assert len(children) >= 1
        running.process.kill()
        _gone, alive = psutil.wait_procs(children, timeout=PATIENCE_S)
    assert not alive
    for path in (*(tmp_path / "out").glob("*.xdf"), *tmp_path.glob("*.xdf")):
        assert all("footer" in stream for stream in load(path))


def test_a_signal_ends_a_recording_with_footers_and_status_0(tmp_path):
    path = tmp_path / "rec.xdf"
    with amplifier() as amp, stimuli():
        amp.run()
        with command(tmp_path / "told", "record", *AMP, "--to", path, "--json") as running:
            running.wait_until(lambda: path.exists() and path.stat().st_size > 10_000)
            status, report, _ = running.end(signal.SIGTERM)
    assert status == 0 and report["state"] == "finished"
    assert all("footer" in stream for stream in load(path))
    assert recorded_stamps(path).size == next(s["n_samples"] for s in report["streams"] if s["name"] == "amp")


def test_a_second_signal_ends_at_once(tmp_path):
    with amplifier() as amp:  # it sends nothing: the session waits for its first sample
        arguments = ("live", "--source", "lsl:source_id=amp-1", "--out", tmp_path / "out", "--debug")
        with command(tmp_path / "told", *arguments) as running:
            assert amp.wait_for_consumer(PATIENCE_S)
            running.process.send_signal(signal.SIGINT)
            running.wait_until(lambda: "finishing" in running.said)
            running.process.send_signal(signal.SIGINT)
            assert running.process.wait(PATIENCE_S) == 130
