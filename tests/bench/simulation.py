"""How fast the simulated participant is computed."""

import tempfile
from pathlib import Path

from calibration.simulate import plan
from pipeline.simulation import Player
from tests.bench.measure import seconds_each, show
from tests.bench.rows import Row
from tests.bench.subject import simulation

BLOCK_S = 10.0


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for sfreq_hz in (250.0, 500.0, 1000.0):
            performance = plan(simulation(Path(folder), sfreq_hz, run=0))
            player = Player(performance.participant, snr=performance.snr, run=performance.run)
            n = round(0.02 * sfreq_hz)

            def play(player: Player = player, n: int = n) -> None:
                for _ in range(round(BLOCK_S / 0.02)):
                    player.next(n)

            times_real = BLOCK_S / seconds_each({"ours": play}, rounds=3)["ours"]
            show(Row("simulation", f"64 ch at {sfreq_hz:g} Hz in 20 ms chunks", times_real, "x real time"))


if __name__ == "__main__":
    main()
