"""A simulated recording with fast trials, and a subject calibrated on it, as the user's commands make them.

As a program, `python -m tests.bench.subject FOLDER RATE_HZ` leaves the subject in the folder: where memory is measured,
calibration's must not be counted.
"""

import sys
import tempfile
from functools import partial
from pathlib import Path

from calibration.calibrate import calibrate
from calibration.simulate import SimulateConfig, to_file
from calibration.subjects import Subject, save
from pipeline.sources.select import open_source
from tests.bench.programs import say

SEED = 3
CATEGORIES = ("face", "house", "car", "chair")
# Twice as many answers a minute as with pictures of a second.
PROTOCOL = """\
kind = "pictures"
lead_in_s = 8.0
picture_s = 0.5
blank_s = [0.1, 0.2]
repeats = 40
block_trials = 100
break_s = 0.0
n_categories = 4
n_objects = 5
categories = ["face", "house", "car", "chair"]
"""
PATTERNS = {name: (f"stim/{name}/*",) for name in CATEGORIES}


def simulation(folder: Path, sfreq_hz: float, run: int, minutes: float | None = None) -> SimulateConfig:
    """One run of the participant; None plays the protocol to its end, 112 s."""
    protocol = folder / "fast.toml"
    if not protocol.exists():
        protocol.write_text(PROTOCOL)
    repeats = None if minutes is None else round(minutes * 60 / 0.65 / len(CATEGORIES)) + 1
    return SimulateConfig(
        seed=SEED, run=run, sfreq_hz=sfreq_hz, minutes=minutes, repeats=repeats, protocol=str(protocol)
    )


def record(config: SimulateConfig, path: Path) -> Path:
    """Write a run to a file."""
    to_file(config, path, lambda _: None)
    return path


def calibrated(recording: Path, folder: Path) -> Subject:
    """The linear baseline, fitted and stored; how well it decodes is not measured here."""
    opened = partial(open_source, str(recording))
    subject = calibrate([opened], PATTERNS, system="lda", n_permutations=0).subject
    save(subject, folder)
    return subject


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        recording = record(simulation(folder, float(sys.argv[2]), run=0), folder / "calibration.xdf")
        calibrated(recording, Path(sys.argv[1]))
    say("calibrated")


if __name__ == "__main__":
    main()
