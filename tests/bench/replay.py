"""Replaying a recording through the whole live pipeline with a decoder: speed and memory, each run a fresh process.

As a program, `python -m tests.bench.replay FILE SUBJECT` replays once and answers.
"""

import sys
import tempfile
import threading
import time
from pathlib import Path

from app.config import Config
from app.headless import crank_through, setup_for
from calibration.subjects import load
from pipeline.session import Session
from pipeline.sources.select import open_source
from tests.bench.measure import in_turn, medians, show
from tests.bench.programs import asked_once, peak_mb, say
from tests.bench.rows import Row
from tests.bench.subject import calibrated, record, simulation

MINUTES = 10.0
ROUNDS = 2


def program(recording: str, subject_folder: str) -> None:
    subject = load(Path(subject_folder))
    session = Session(
        open_source(recording), setup_for(Config(), {}, subject), decoder=subject.decoder, frozen=subject.frozen
    )
    session.open()
    began = time.perf_counter()
    crank_through(session, None, threading.Event(), lambda share, text: None)
    took_s = time.perf_counter() - began
    say(
        {
            "s": took_s,
            "peak_mb": peak_mb(),
            "data_s": session.acquisition.n_received / session.acquisition.info.sfreq_hz,
            "decisions": len(session.decisions),
        }
    )


def replayed(sfreq_hz: float) -> dict[str, float]:
    """Medians over runs of one recording."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        calibrated(record(simulation(folder, sfreq_hz, run=0), folder / "before.xdf"), folder / "subject")
        long = record(simulation(folder, sfreq_hz, run=1, minutes=MINUTES), folder / "long.xdf")
        runs = in_turn({"ours": lambda: asked_once("tests.bench.replay", long, folder / "subject")}, ROUNDS)
        return medians(runs["ours"])


def main() -> None:
    for sfreq_hz, speed_goal in ((500.0, "ours >= 100"), (1000.0, "")):
        found = replayed(sfreq_hz)
        what = f"{MINUTES:g} min of 64 ch at {sfreq_hz:g} Hz, {found['decisions']:.0f} answers"
        show(Row("replay", what, found["data_s"] / found["s"], "x real time", goal=speed_goal))
        show(Row("replay", f"peak memory, {what}", found["peak_mb"], "MB", goal="ours <= 300"))


if __name__ == "__main__":
    program(*sys.argv[1:]) if sys.argv[1:] else main()
