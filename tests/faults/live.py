"""A whole live session: real senders, a real recorder, a decoder; and the replay of its recording.

As a program, `python -m tests.faults.live FOLDER` runs such a session over the senders "amp" and "stim" until it is
killed, and prints the path of its recording, the recorder's process and then every decision, one JSON value a line.
"""

import json
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pylsl

from app.headless import as_lived
from pipeline.acquire import Acquisition
from pipeline.anytime import Answer, Windows
from pipeline.clock import LslClock
from pipeline.epochs import EpochConfig
from pipeline.outlets import decision_json
from pipeline.preprocess import ChainConfig
from pipeline.recorder.recorded import Recorded
from pipeline.session import Session, Setup
from pipeline.sources.lsl import LslSource
from pipeline.sources.xdf import XdfSource
from pipeline.types import Array, Decision, Nearest
from tests.recordings import load
from tests.senders import Sender

LABELS = ("Fz", "Cz", "Pz", "Oz")
RATE_HZ = 250.0
CHAIN = ChainConfig(low_hz=1.0, high_hz=30.0, mains_hz=None, interpolate_bads=False)
EPOCH = EpochConfig(-0.1, 0.3, None)
PATTERNS = {"up": ("up*",), "down": ("down*",)}
PATIENCE_S = 60.0
PAUSE = threading.Event()


def amplifier(**script: object) -> Sender:
    """A sender of four channels of what looks like noise."""
    common = {"name": "amp", "source_id": "amp-1", "rate_hz": RATE_HZ, "labels": ",".join(LABELS), "signal": "noise"}
    return Sender(**{**common, **script})


def stimuli(**script: object) -> Sender:
    """A sender of markers."""
    common = {"name": "stim", "type": "Markers", "source_id": "stim-1", "n_channels": 1, "rate_hz": 0.0}
    return Sender(**{**common, "dtype": "string", "labels": "", "unit": "", **script})


class SlopeOfOz:
    """Answers by the sign of what Oz does after the onset, finely enough that no two epochs agree."""

    classes = ("up", "down")
    channels = LABELS
    sfreq_hz = RATE_HZ
    chain = CHAIN
    epoch = EPOCH
    stage = "single"

    def probabilities(self, epoch_uv: Array) -> Array:
        p = 1 / (1 + np.exp(-epoch_uv[3] @ np.linspace(0.0, 0.1, epoch_uv.shape[1])))
        return np.array([p, 1 - p])


def setup(_acquisition: Acquisition) -> Setup:
    return Setup(CHAIN, EPOCH, PATTERNS)


class TurnOfOz:
    """Answers pictures and turns by the sign of what Oz does, finely enough that no two answers agree."""

    classes = ("up", "down")
    colours = ("red", "blue")
    channels = LABELS
    sfreq_hz = RATE_HZ
    chain = CHAIN
    windows = Windows(EPOCH, EpochConfig(-0.1, 1.0, None), every_s=0.3)

    def answer(self, static_uv: Array, dynamic_uv: Array | None) -> Answer:
        epoch_uv = static_uv if dynamic_uv is None else dynamic_uv
        p, q = (1 / (1 + np.exp(-uv[3] @ np.linspace(0.0, 0.1, uv.shape[1]))) for uv in (epoch_uv, static_uv))
        return Answer(np.array([p, 1 - p]), np.array([q, 1 - q]), (Nearest("up/1", float(p)),), epoch_uv[3])


AnyDecoder = SlopeOfOz | TurnOfOz


class Live:
    """A session under way."""

    def __init__(
        self,
        path: Path,
        on_decision: Callable[[Decision], None] = lambda _: None,
        decoder: AnyDecoder | None = None,
    ) -> None:
        source = LslSource({"source_id": "amp-1"}, [{"source_id": "stim-1"}], timeout_s=PATIENCE_S)
        self.recorded = Recorded(source, path, LslClock(), over_lsl=True)
        self.session = Session(
            self.recorded,
            setup,
            decoder=decoder or SlopeOfOz(),
            on_decision=lambda d: (self.recorded.decision(d), on_decision(d)),
            on_log_line=self.recorded.log_line,
        )

    @property
    def kinds(self) -> list[str]:
        """What happened, in order."""
        return [event.kind for event in list(self.session.events)]

    def text_of(self, kind: str) -> str:
        """What was said about it first."""
        return next(event.text for event in list(self.session.events) if event.kind == kind)

    @property
    def recorder_pid(self) -> int:
        """The recorder's process."""
        return self.recorded._recorder.pid

    @property
    def path(self) -> Path:
        """The recording."""
        return self.recorded.status.path

    def wait(self, holds: Callable[[], object]) -> None:
        """Until something holds."""
        until_s = pylsl.local_clock() + PATIENCE_S
        while not holds():
            assert pylsl.local_clock() < until_s, f"it never came to that; {self.kinds}, {self.session.view()}"
            PAUSE.wait(0.02)

    def wait_for(self, kind: str, n: int = 1) -> None:
        """Until something has been told `n` times."""
        self.wait(lambda: self.kinds.count(kind) >= n)

    def decide(self, stim: Sender, n: int) -> None:
        """Show stimuli until `n` more have been answered."""
        aim = len(self.session.decisions) + n
        until_s = pylsl.local_clock() + PATIENCE_S
        while len(self.session.decisions) < aim:
            assert pylsl.local_clock() < until_s, f"nothing is decided any more; {self.kinds}, {self.session.view()}"
            for label in ("up/1", "pause", "down/1"):
                stim.mark(label)
            PAUSE.wait(0.2)


@contextmanager
def live(path: Path, decoder: AnyDecoder | None = None) -> Iterator[Live]:
    """A session that runs, and is stopped at the end."""
    running = Live(path, decoder=decoder)
    try:
        running.session.open()
        running.session.start()
        yield running
    finally:
        if running.session.workers:
            running.session.stop()
        running.session.close()


def replay(path: Path, stream: dict[str, str] | None = None, decoder: AnyDecoder | None = None) -> Session:
    """The recording through the same pipeline, as the live session saw it."""
    again = Session(as_lived(XdfSource(path, stream), path), setup, decoder=decoder or SlopeOfOz())
    again.open()
    while again.crank():
        pass
    again.finish()
    again.close()
    return again


def assert_same_answers(first: Session, again: Session) -> None:
    """Every answer of the one is an answer of the other."""
    assert [d.trial for d in first.decisions] == [d.trial for d in again.decisions]
    assert first.rejected == again.rejected
    for attribute in ("onset_s", "probabilities"):
        one, other = (np.array([getattr(d, attribute) for d in s.decisions]) for s in (first, again))
        np.testing.assert_allclose(one, other, atol=1e-6)
    assert first.acquisition.aligner.n_lost == again.acquisition.aligner.n_lost
    assert first.scorer.marker_counts == again.scorer.marker_counts


def recorded_stamps(path: Path) -> Array:
    """All stamps of the amplifier's streams in the recording, as pyxdf has them."""
    streams = [s for s in load(path) if s["info"]["name"][0] == "amp"]
    return np.concatenate([s["time_stamps"] for s in streams])


def main(folder: Path) -> None:
    """Run until killed."""

    def say(value: object) -> None:
        sys.stdout.write(json.dumps(value) + "\n")
        sys.stdout.flush()

    running = Live(folder / "session.xdf", lambda d: say(json.loads(decision_json(d))))
    running.session.open()
    say([str(running.path), running.recorder_pid])
    running.session.start()
    PAUSE.wait()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
