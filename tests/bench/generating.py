"""What generating costs the session: acquisition and answers with the generate process busy, and with it idle.

As `tests.bench.anytime`, in one run: in every second trial the process makes pictures, meshes and captions without a
pause, in the others it has nothing to do. Acquisition is measured from a sample's own stamp to the ring, answers from
there on.
"""

import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np

from app.making import OpenGenerators
from calibration.simulate import plan
from calibration.subjects import load
from engines.generators.config import GeneratorsConfig
from pipeline.coupling.values import CouplingConfig
from pipeline.generating import Generating
from pipeline.reconstruction import Reconstruction, Wish
from pipeline.session import Session
from pipeline.types import Decision
from tests.bench.decisions import answered
from tests.bench.measure import show
from tests.bench.networks import DIM, simulation
from tests.bench.programs import asked_once
from tests.bench.rows import Row

SFREQ_HZ = 500.0
MINUTES = 4.0
ENCODER = "pocket-vision-1"
POCKET = GeneratorsConfig(pictures=("pocket",), shapes=("pocket",), captions=("words",))
LOADING_S = 120.0
GOAL = "ratio <= 1.2"


class Busy:
    """Keeps the process at work through every second trial, and notes how long answers took in which."""

    def __init__(self) -> None:
        self.generating = Generating(OpenGenerators(POCKET, ENCODER), self.made)
        self.on = False
        self.n_made = 0
        self.arrived_s: dict[bool, list[float]] = defaultdict(list)
        self.answered_s: dict[bool, list[float]] = defaultdict(list)
        self._embedding = np.random.default_rng(0).standard_normal(DIM)

    def made(self, part: Reconstruction) -> None:
        if part.complete:
            if part.error:
                raise RuntimeError(part.error)
            self.n_made += 1
            if self.on:
                self.generating.put(part.wish)

    def decided(self, session: Session, decision: Decision) -> None:
        written_s = session.acquisition.when_written_s(decision.window_stop_s)
        if written_s is not None:
            self.arrived_s[self.on].append(written_s - decision.window_stop_s)
            self.answered_s[self.on].append(decision.decided_s - written_s)
        # From the last answer of a trial on, so that the next one has its own state from its first sample.
        if decision.stage == "fused":
            self.on = decision.trial % 2 == 0
            if self.on:
                self.generating.put(Wish(decision.trial, decision.stage, 0.0, self._embedding, 0, "chair", "red"))


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        asked_once("tests.bench.networks", "pocket", folder / "subject", SFREQ_HZ)
        performance = plan(simulation(SFREQ_HZ, run=1, minutes=MINUTES))
        subject = load(folder / "subject", ["onnx"])
        busy = Busy()
        with busy.generating as generating:
            generating.opened(LOADING_S)
            answered(subject, performance, folder / "session.xdf", CouplingConfig(), busy.decided)
            status = generating.status
        if status.restarts or status.failed:
            raise RuntimeError(f"generating failed: {status.reason}")
        report(busy)


def report(busy: Busy) -> None:
    """Both, with the process busy beside idle."""
    note = f"{len(busy.answered_s[True])} and {len(busy.answered_s[False])} answers, {busy.n_made} made; pocket, 64 ch"
    for what, found in (("sample sent to ring", busy.arrived_s), ("window in ring to answer", busy.answered_s)):
        for percentile in (50, 99):
            ours, idle = (float(np.percentile(found[on], percentile)) * 1e3 for on in (True, False))
            goal = GOAL if percentile == 99 else ""
            row = Row("generating", f"{what} p{percentile}, while generating", ours, "ms", idle, "idle", goal, note)
            show(row)


if __name__ == "__main__":
    main()
