"""Over real LSL: a session runs, its recording begins later and ends earlier."""

import threading
import time
from pathlib import Path

import numpy as np
import pytest

from app.bridge import Hooks
from app.commands.window import Makers
from app.config import Config
from app.panels.frame import Request
from calibration.simulate import SimulateConfig, plan
from pipeline.lived import DECISIONS_STREAM, EVENTS_STREAM, AsLived, LivedLog
from pipeline.recorder.messages import RecorderState
from pipeline.sources.base import SourceEnded
from pipeline.sources.xdf import XdfSource
from pipeline.types import ClockOffset, EegChunk, Item
from pipeline.xdf.file import XdfFile
from tests.senders import Sender

REQUEST = Request("lsl:name=amp", "amp", markers=("name=stim",))


class Listener:
    """Stands for the bridge: hands items on to a recording as soon as there is one."""

    def __init__(self) -> None:
        self.recording = None
        self.offsets: list[ClockOffset] = []
        self.chunks: list[EegChunk] = []
        self.progress = threading.Event()
        self.hooks = Hooks(lambda text: None, self._item, self._line, lambda decision: None)

    def _item(self, item: Item) -> None:
        if isinstance(item, ClockOffset):
            self.offsets.append(item)
        if isinstance(item, EegChunk):
            self.chunks.append(item)
        if self.recording is not None:
            self.recording.item(item)

    def _line(self, line: str) -> None:
        if self.recording is not None:
            self.recording.log_line(line)


def until(condition, timeout_s: float = 20.0) -> None:
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s, "it did not happen in time"
        threading.Event().wait(0.02)


def samples(source) -> np.ndarray:
    source.open()
    found = []
    try:
        while True:
            found += [item.data for item in source.read(0.1) if isinstance(item, EegChunk)]
    except SourceEnded:
        return np.concatenate(found, axis=1)
    finally:
        source.close()


@pytest.mark.slow
def test_a_recording_begun_in_the_middle_replays_what_the_session_saw_since_then(tmp_path: Path) -> None:
    listener = Listener()
    with (
        Makers(Config(), None, lambda _: plan(SimulateConfig()), tmp_path) as makers,
        Sender(name="amp", source_id="amp-1", n_channels=4, rate_hz=250, dtype="float32") as amp,
        Sender(name="stim", type="Markers", source_id="stim-1", n_channels=1, rate_hz=0, dtype="string") as stim,
    ):
        amp.run()
        session = makers.session(REQUEST, listener.hooks)
        session.open()
        session.start()
        try:
            until(lambda: len(listener.chunks) > 20)
            recording = makers.recording(tmp_path / "a.xdf", REQUEST, session, listener.offsets)
            before = len(listener.chunks)
            listener.recording = recording
            stim.mark("face/01")
            until(lambda: session.scorer.marker_counts["face/01"] == 1 and len(listener.chunks) > before + 50)
            amp.hold()
            status = recording.stop()
        finally:
            session.stop()
    assert status.state is RecorderState.FINISHED
    with XdfFile(tmp_path / "a.xdf") as file:
        streams = {stream.info.name: stream for stream in file.streams}
        assert set(streams) == {"amp", "stim", EVENTS_STREAM, DECISIONS_STREAM}
        lived = LivedLog.parse(values[0] for values in file.load_strings(streams[EVENTS_STREAM]).values)
    assert lived is not None
    assert len(lived.runs) == 1
    assert len(lived.offsets) >= 2
    first_s, last_s = lived.runs[0]
    stamps = np.concatenate([chunk.stamps_s for chunk in listener.chunks])
    expected = np.concatenate([chunk.data for chunk in listener.chunks], axis=1)
    expected = expected[:, (stamps >= first_s) & (stamps <= last_s)]
    assert expected.shape[1] >= 250
    replayed = samples(AsLived(XdfSource(tmp_path / "a.xdf", {"name": "amp"}, None), lived))
    np.testing.assert_array_equal(replayed, expected)


@pytest.mark.slow
def test_a_recorder_that_dies_never_reaches_the_session(tmp_path: Path) -> None:
    listener = Listener()
    with (
        Makers(Config(), None, lambda _: plan(SimulateConfig()), tmp_path) as makers,
        Sender(name="amp", source_id="amp-1", n_channels=4, rate_hz=250, dtype="float32") as amp,
        Sender(name="stim", type="Markers", source_id="stim-1", n_channels=1, rate_hz=0, dtype="string"),
    ):
        amp.run()
        session = makers.session(REQUEST, listener.hooks)
        session.open()
        session.start()
        try:
            listener.recording = recording = makers.recording(tmp_path / "a.xdf", REQUEST, session, listener.offsets)
            recording._recorder._process.kill()
            until(lambda: recording.status.final)
            before = len(listener.chunks)
            until(lambda: len(listener.chunks) > before + 20)
            assert recording.stop().state is RecorderState.FAILED
            assert all(not w.traceback for w in session.view().workers)
        finally:
            session.stop()
