"""How fast the simulated participant is computed: at rest, and while pictures and turns come without a pause."""

import tempfile
from itertools import cycle
from pathlib import Path

from calibration.simulate import plan
from pipeline.simulation import Player, Shown
from pipeline.sources.simulated import Performance
from tests.bench.measure import seconds_each, show
from tests.bench.rows import Row
from tests.bench.subject import simulation

BLOCK_S = 10.0
EVERY_S = 2.0


def resting(performance: Performance, chunk_s: float) -> float:
    """Times real time."""
    player = Player(performance.participant, snr=performance.snr, run=performance.run)
    n = round(chunk_s * performance.participant.sfreq_hz)

    def play() -> None:
        for _ in range(round(BLOCK_S / chunk_s)):
            player.next(n)

    return BLOCK_S / seconds_each({"ours": play}, rounds=3)["ours"]


def shown(performance: Performance, chunk_s: float) -> float:
    """Times real time, something turning all the while."""
    player = Player(performance.participant, snr=performance.snr, run=performance.run)
    sfreq_hz = performance.participant.sfreq_hz
    n, every = round(chunk_s * sfreq_hz), round(EVERY_S / chunk_s)
    labels = cycle(label for label in performance.participant.evoked.responses if label.startswith(("stim/", "turn/")))

    def play() -> None:
        for k in range(round(BLOCK_S / chunk_s)):
            if k % every == 0:
                player.show(Shown(next(labels), player.at / sfreq_hz))
            player.next(n)

    return BLOCK_S / seconds_each({"ours": play}, rounds=3)["ours"]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for sfreq_hz in (250.0, 500.0, 1000.0):
            performance = plan(simulation(Path(folder), sfreq_hz, run=0))
            for what, times in (("at rest", resting), ("shown pictures", shown)):
                for chunk_s in (0.02, 1.0):
                    name = f"64 ch at {sfreq_hz:g} Hz, {what}, {1000 * chunk_s:g} ms chunks"
                    goal = "ours >= 30" if sfreq_hz == 250.0 else ""
                    show(Row("simulation", name, times(performance, chunk_s), "x real time", goal=goal))


if __name__ == "__main__":
    main()
