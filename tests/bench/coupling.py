"""Phase-amplitude coupling of 64 channels beside tensorpac and pactools: the work of one update of the live map.

Every side gets the same 2 s of noise and gives the index of 4-13 Hz with 30-80 Hz (100 Hz at 1 kHz), filters included.
The full map's surrogates are timed by a share of them on both sides, which is said in the row. tensorpac's surrogates
swap blocks, ours and pactools' are circular shifts. pactools runs in a process of its own, since it cannot be imported
once torch is loaded; it takes one channel at a time. All of it is arithmetic on one thread, so the time is that of the
processor: on a machine that does something else besides, long calls would be interrupted more often than short ones.
"""

import sys
import time
import warnings
from collections.abc import Callable, Mapping

import numpy as np

from pipeline.coupling import CouplingBands, LiveEstimator
from pipeline.types import Array
from tests.bench.measure import ROUNDS, seconds_each, show
from tests.bench.programs import Program
from tests.bench.rows import Row

N_CHANNELS, WINDOW_S, N_SURROGATES = 64, 2.0, 200
PHASE_HZ = (4.0, 13.0)
# (rate, amplitude band, goals of ours over tensorpac's: local, full, with surrogates both; over pactools': local).
CASES = (
    (250.0, (30.0, 80.0), ("ratio <= 0.05", "ratio <= 0.0556", "ratio <= 0.0333", "ratio <= 0.05"), "ratio <= 0.0125"),
    (1000.0, (30.0, 100.0), ("ratio <= 0.0286", "ratio <= 0.04", "ratio <= 0.0333", "ratio <= 0.05"), "ratio <= 0.04"),
)
# The full map's surrogates and pactools' channels take minutes: this share is timed.
SHARE = 10


def noise(sfreq_hz: float) -> Array:
    return np.random.default_rng(0).normal(0.0, 20.0, (N_CHANNELS, round(WINDOW_S * sfreq_hz)))


def cpu_s(calls: Mapping[str, Callable[[], object]], number: int = 1, rounds: int = ROUNDS) -> dict[str, float]:
    return seconds_each(calls, number, rounds, time.process_time)


def ours(sfreq_hz: float, amplitude_hz: tuple[float, float], n_surrogates: int) -> LiveEstimator:
    bands = CouplingBands(PHASE_HZ, amplitude_hz, None)
    return LiveEstimator(bands, sfreq_hz, round(WINDOW_S * sfreq_hz), n_surrogates=n_surrogates)


def tensorpac_local(
    sfreq_hz: float, amplitude_hz: tuple[float, float], data: Array, n_surrogates: int
) -> Callable[[], object]:
    """All channels in one call."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from tensorpac import Pac
    surrogates = 2 if n_surrogates else 0
    pac = Pac(idpac=(2, surrogates, 0), f_pha=PHASE_HZ, f_amp=amplitude_hz, n_bins=18, verbose=False)

    def call() -> object:
        return pac.filterfit(sfreq_hz, data, n_perm=n_surrogates or 1, n_jobs=1, random_state=0, verbose=False)

    return call


def tensorpac_full(
    sfreq_hz: float, amplitude_hz: tuple[float, float], data: Array, n_surrogates: int
) -> Callable[[], object]:
    """Filtered once; every channel's phase with every channel's amplitude."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from tensorpac import Pac
    pac = Pac(idpac=(2, 2 if n_surrogates else 0, 0), f_pha=PHASE_HZ, f_amp=amplitude_hz, n_bins=18, verbose=False)

    def call() -> object:
        phase = pac.filter(sfreq_hz, data, ftype="phase", n_jobs=1)[0]
        amplitude = pac.filter(sfreq_hz, data, ftype="amplitude", n_jobs=1)[0]
        options = {"n_perm": n_surrogates or 1, "n_jobs": 1, "random_state": 0, "verbose": False}
        return pac.fit(phase[:, None], amplitude[:, None], **options)

    return call


def main() -> None:
    with Program("tests.bench.coupling_pactools") as pactools:
        for sfreq_hz, amplitude_hz, goals, pactools_goal in CASES:
            _local(sfreq_hz, amplitude_hz, goals[0], goals[2], pactools, pactools_goal)
            _full(sfreq_hz, amplitude_hz, goals[1], goals[3])
            _update(sfreq_hz)


def _local(
    sfreq_hz: float,
    amplitude_hz: tuple[float, float],
    goal: str,
    goal_surrogates: str,
    pactools: Program,
    pactools_goal: str,
) -> None:
    data = noise(sfreq_hz)
    for n_surrogates, against_tensorpac, against_pactools in (
        (0, goal, pactools_goal),
        (N_SURROGATES, goal_surrogates, ""),
    ):
        estimator = ours(sfreq_hz, amplitude_hz, n_surrogates)

        def one_by_one(n: int = n_surrogates) -> object:
            n_channels = N_CHANNELS // SHARE if n else N_CHANNELS
            return pactools.ask(do="local", sfreq_hz=sfreq_hz, band=amplitude_hz, n_channels=n_channels, n_surrogates=n)

        calls = {
            "ours": lambda e=estimator: e(data),
            "tensorpac": tensorpac_local(sfreq_hz, amplitude_hz, data, n_surrogates),
        }
        ms = {name: s * 1e3 for name, s in cpu_s(calls, 5).items()}
        theirs_ms = one_by_one()
        what = f"local map, 64 ch x 2 s at {sfreq_hz:g} Hz" + (f", {n_surrogates} surrogates" if n_surrogates else "")
        show(Row("coupling", what, ms["ours"], "ms", ms["tensorpac"], "tensorpac", against_tensorpac))
        note = f"peer: {N_CHANNELS // SHARE} channels timed" if n_surrogates else ""
        show(Row("coupling", what, ms["ours"], "ms", theirs_ms, "pactools", against_pactools, note))


def _full(sfreq_hz: float, amplitude_hz: tuple[float, float], goal: str, goal_surrogates: str) -> None:
    data = noise(sfreq_hz)
    plain = ours(sfreq_hz, amplitude_hz, 0)
    calls = {"ours": lambda: plain.full(data), "tensorpac": tensorpac_full(sfreq_hz, amplitude_hz, data, 0)}
    ms = {name: s * 1e3 for name, s in cpu_s(calls, 5).items()}
    what = f"64 x 64 map, 2 s at {sfreq_hz:g} Hz"
    show(Row("coupling", what, ms["ours"], "ms", ms["tensorpac"], "tensorpac", goal))
    whole, share = ours(sfreq_hz, amplitude_hz, N_SURROGATES), N_SURROGATES // SHARE
    with_surrogates = {
        "ours": lambda: whole.full(data),
        "tensorpac": tensorpac_full(sfreq_hz, amplitude_hz, data, share),
    }
    s = cpu_s(with_surrogates, rounds=3)
    theirs_ms = ms["tensorpac"] + SHARE * (s["tensorpac"] * 1e3 - ms["tensorpac"])
    row = Row(
        *("coupling", f"{what}, {N_SURROGATES} surrogates", s["ours"] * 1e3, "ms", theirs_ms, "tensorpac"),
        goal=goal_surrogates,
        note=f"peer: {share} surrogates timed",
    )
    show(row)


def _update(sfreq_hz: float) -> None:
    """One update as the worker makes it: 2 s and margins on both sides, the default bands."""
    n = round(2.5 * sfreq_hz)
    data = np.random.default_rng(0).normal(0.0, 20.0, (N_CHANNELS, n))
    estimator = LiveEstimator(CouplingBands(), sfreq_hz, n, n_surrogates=N_SURROGATES)
    ms = cpu_s({"ours": lambda: estimator(data)}, 10)["ours"] * 1e3
    what = f"update of the live map, 64 ch at {sfreq_hz:g} Hz, {N_SURROGATES} surrogates"
    show(Row("coupling", what, ms, "ms", goal="ours <= 10"))
    show(Row("coupling", f"{what}, four times a second", ms * 0.4, "% of a core", goal="ours <= 4"))


if __name__ == "__main__":
    sys.exit(main())
