"""The coupling worker, cranked by hand over scripted items; in a thread where the test is about that."""

import json
import threading
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from pipeline.clock import FakeClock
from pipeline.coupling import CouplingBands, LiveEstimator
from pipeline.coupling.bands import Band
from pipeline.coupling.values import CouplingConfig
from pipeline.preprocess import ChainConfig
from pipeline.session import Session, Setup
from pipeline.types import Array, Channel, EegChunk, Item, Kind, Marker, MarkerChunk, StreamInfo
from pipeline.worker import State
from tests.pipeline import test_session
from tests.pipeline.coupling.signals import coupled
from tests.scripted import MARKERS, ScriptedSource

FS = 250.0
DEPTHS = (0.0, 1.0, 0.0, 0.0)
NAMES = ("Fz", "Cz", "Pz", "Oz")
INFO = StreamInfo("scripted", "EEG", 4, FS, channels=tuple(Channel(n, unit="microvolts") for n in NAMES))
CONFIG = CouplingConfig(n_surrogates=100)


def recording(seconds: float = 20.0) -> Array:
    return np.vstack([coupled(depth, seconds, FS, seed=i) for i, depth in enumerate(DEPTHS)])


def chunks(data: Array, size: int = 25, lost: tuple[int, int] = (0, 0)) -> list[Item]:
    """The samples in chunks; those from `lost[0]` to `lost[1]` never came."""
    n = data.shape[1]
    firsts = [f for f in range(0, n, size) if not lost[0] <= f < lost[1]]
    return [EegChunk(data[:, f : f + size], np.arange(f, min(n, f + size)) / FS) for f in firsts]


def opened(items: Sequence[Item], config: CouplingConfig = CONFIG, info: StreamInfo = INFO) -> Session:
    session = Session(
        ScriptedSource(info, items, {"m": MARKERS}), lambda _: Setup(None), clock=FakeClock(), coupling=config
    )
    session.open()
    return session


def cranked(items: Sequence[Item], config: CouplingConfig = CONFIG, info: StreamInfo = INFO) -> Session:
    session = opened(items, config, info)
    while session.crank():
        pass
    session.finish()
    session.close()
    return session


def test_a_map_names_the_channel_that_couples_four_times_a_second() -> None:
    session = cranked(chunks(recording()))
    loop = session.coupling
    found = loop.newest_map
    assert found.channels == NAMES and found.channels[found.strongest] == "Cz"
    assert found.number == loop.n_updates == pytest.approx((20 - 2.5) * 4, abs=2)
    assert loop.n_missed == 0 and loop.waiting == loop.off == ""
    assert found.at_s == pytest.approx(20 - 0.25, abs=0.3)
    assert found.n_surrogates == 100 and "Tort" in found.estimator
    assert np.nansum(found.histograms, axis=1) == pytest.approx(np.ones(4))
    assert found.excess[1] > 0.01 > np.abs(found.excess[[0, 2, 3]]).max()
    assert loop.newest_comodulogram.channel in NAMES
    assert session.ledger.summary_ms()["coupling"]["n"] == loop.n_updates


def test_what_it_publishes_cannot_be_written() -> None:
    found = cranked(chunks(recording(5.0))).coupling.newest_map
    with pytest.raises(ValueError, match="read-only"):
        found.mi[0] = 1.0


def test_channels_that_are_flat_or_broken_are_left_out_and_change_nothing_for_the_others() -> None:
    data = recording(5.0)
    whole = cranked(chunks(data)).coupling.newest_map
    data[0], data[2, -20] = 5.0, np.nan
    found = cranked(chunks(data)).coupling.newest_map
    assert found.usable.tolist() == [False, True, False, True]
    assert np.isnan(found.mi[[0, 2]]).all() and np.isnan(found.z[[0, 2]]).all()
    assert found.mi[[1, 3]] == pytest.approx(whole.mi[[1, 3]], abs=1e-6)


@pytest.mark.parametrize("label", ["Cz", "CZ."])
def test_channels_that_the_chain_calls_bad_are_left_out_whatever_the_stream_calls_them(label: str) -> None:
    info = replace(INFO, channels=tuple(replace(c, name=label) if c.name == "Cz" else c for c in INFO.channels))
    session = Session(
        ScriptedSource(info, chunks(recording(5.0))),
        lambda _: Setup(ChainConfig(bads=("Cz",), reference="none")),
        clock=FakeClock(),
        coupling=CONFIG,
    )
    session.open()
    while session.crank():
        pass
    session.close()
    assert session.coupling.newest_map.usable.tolist() == [True, False, True, True]


def test_channels_that_are_no_eeg_are_not_looked_at() -> None:
    kinds = (Kind.EEG, Kind.EEG, Kind.EOG, Kind.STIM)
    info = replace(INFO, channels=tuple(replace(c, kind=k) for c, k in zip(INFO.channels, kinds, strict=True)))
    assert cranked(chunks(recording(5.0)), info=info).coupling.newest_map.channels == ("Fz", "Cz")


def test_no_window_spans_a_gap_and_while_none_can_it_says_so() -> None:
    data = recording()
    session = opened(chunks(data, lost=(2500, 2750)))
    loop = session.coupling
    times_s, waits = set(), set()
    while session.crank():
        if loop.newest_map is not None:
            times_s.add(round(loop.newest_map.at_s, 3))
        waits.add(loop.waiting)
    session.close()
    assert session.acquisition.aligner.n_lost == 250
    margin_s, window_s = CONFIG.margin_s, CONFIG.window_s
    assert not [t for t in times_s if t + margin_s > 10.0 and t - window_s - margin_s < 11.0 - 1 / FS]
    assert max(times_s) > 19.0
    assert any("more of unbroken signal" in text for text in waits)


@pytest.mark.parametrize("size", [1, 7, 62])
def test_a_map_rests_on_its_window_and_not_on_how_the_samples_came(size: int) -> None:
    data = recording(4.0)
    session = opened(chunks(data, size))
    loop, maps = session.coupling, {}
    while session.crank():
        if loop.newest_map is not None:
            maps[loop.newest_map.number] = loop.newest_map
    session.close()
    n = round((CONFIG.window_s + 2 * CONFIG.margin_s) * FS)
    estimator = LiveEstimator(CONFIG.bands, FS, n, CONFIG.margin_s, CONFIG.n_surrogates)
    assert len(maps) >= 6
    for found in maps.values():
        stop = round((found.at_s + CONFIG.margin_s) * FS) + 1
        alone = estimator(data[:, stop - n : stop])
        assert found.mi.tolist() == alone.mi.tolist()
        assert found.z.tolist() == alone.significance.z.tolist()


def test_a_worker_that_comes_late_takes_the_newest_window_and_counts_what_it_missed() -> None:
    session = opened(chunks(recording()))
    while session.acquire_step(0.0):
        pass
    session.coupling.step(0.0)
    loop = session.coupling
    session.close()
    assert loop.n_updates == 1
    assert loop.n_missed == loop.newest_map.n_missed == pytest.approx((20 - 2.5) * 4, abs=1)
    assert loop.newest_map.at_s == pytest.approx(20 - 0.25, abs=0.1)


@pytest.mark.parametrize(
    ("info", "config", "why"),
    [
        (replace(INFO, sfreq_hz=80.0), CONFIG, "carry 36 Hz"),
        (replace(INFO, sfreq_hz=0.0), CONFIG, "no regular rate"),
        (replace(INFO, channels=tuple(replace(c, kind=Kind.MISC) for c in INFO.channels)), CONFIG, "no EEG channel"),
        (INFO, CouplingConfig(CouplingBands((4, 13), (30, 45))), "17 Hz wide"),
        (INFO, CouplingConfig(window_s=90.0), "longer than what is kept"),
        (INFO, CouplingConfig(window_s=0.2), "longer window"),
    ],
)
def test_where_nothing_can_be_said_it_is_off_and_says_why(info: StreamInfo, config: CouplingConfig, why: str) -> None:
    session = opened([], config, info)
    loop = session.coupling
    loop.offer(Marker("stim/a/0", 1.0))
    assert not loop.step(0.0)
    assert why in loop.off and loop.waiting == loop.off and loop.newest_map is None
    session.start()
    assert "coupling" not in [w.name for w in session.workers]
    session.stop()


def test_trials_are_reported_within_and_across_their_windows() -> None:
    data = recording(40.0)
    items: list[Item] = []
    for chunk in chunks(data):
        at_s = chunk.stamps_s[0]
        if at_s % 8 == 1.0:
            items.append(MarkerChunk("m", ("stim/cup/3",), (at_s,)))
        if at_s % 8 == 2.0:
            items.append(MarkerChunk("m", ("turn/cup/3",), (at_s,)))
        items.append(chunk)
    config = replace(CONFIG, dynamic_s=(-0.2, 2.8))
    trials = {}
    session = opened(items, config)
    while session.crank():
        if (trial := session.coupling.newest_trial) is not None:
            trials[trial.trial] = trial
    session.close()
    assert sorted(trials) == [0, 1, 2, 3, 4]
    assert trials[0].static is None and trials[0].n_shuffles == 0
    last = trials[4]
    assert last.onset_s == 33.0 and last.n_shuffles == 8
    assert last.static.shape == last.dynamic.shape == last.static_to_dynamic.shape == (4,)
    assert last.dynamic[1] > np.abs(last.static_to_dynamic).max()


def test_of_trials_in_a_rapid_series_one_a_second_is_measured_and_the_others_are_counted() -> None:
    items: list[Item] = []
    for chunk in chunks(recording(12.0)):
        items += [MarkerChunk("m", ("stim/cup/3",), (float(chunk.stamps_s[0]),)), chunk]
    session = opened(items)
    trials = {}
    while session.crank():
        if (trial := session.coupling.newest_trial) is not None:
            trials[trial.trial] = trial.onset_s
    session.close()
    spacings_s = np.diff(list(trials.values()))
    assert 8 <= len(trials) <= 12 and spacings_s.min() >= 0.9
    assert session.coupling._trials.n_left_out > 90


def test_decisions_are_the_same_with_and_without() -> None:
    """On the scripted decoder of the session's own tests, every answer bit for bit."""
    items = test_session.items([25], test_session.UP_DOWN)

    def answers(coupling: CouplingConfig | None) -> tuple[list[tuple[int, tuple[float, ...]]], Session]:
        session = Session(
            ScriptedSource(test_session.EEG, items, {"m": MARKERS}),
            lambda _: Setup(test_session.CHAIN, test_session.EPOCH, {"up": ["u*"], "down": ["d*"]}),
            decoder=test_session.SignOfOz(),
            clock=FakeClock(),
            coupling=coupling,
        )
        session.open()
        while session.crank():
            pass
        session.finish()
        session.close()
        return test_session.answers(session), session

    with_maps, session = answers(CouplingConfig(static=("u*",), dynamic=("d*",)))
    without, _ = answers(None)
    assert session.coupling.n_updates > 100
    assert with_maps == without and len(without) > 20


class Failing:
    """A list of bad channels that cannot be had, until it can."""

    def __init__(self) -> None:
        self.broken = True
        self.asked = threading.Event()

    def __call__(self) -> tuple[str, ...]:
        self.asked.set()
        if self.broken:
            raise ZeroDivisionError("by design")
        return ()


class Gated(ScriptedSource):
    """Hands over the second half of its items only when it is told to."""

    def __init__(self, items: Sequence[Item]) -> None:
        super().__init__(INFO, items)
        self.gate = threading.Event()
        self._half = len(items) // 2

    def read(self, timeout_s: float) -> Sequence[Item]:
        if len(self._items) <= self._half and not self.gate.wait(timeout_s):
            return []
        return super().read(timeout_s)


def test_a_worker_that_dies_is_visible_stops_nothing_and_can_be_restarted() -> None:
    source, failing = Gated(chunks(recording())), Failing()
    session = Session(source, lambda _: Setup(None), clock=FakeClock(), coupling=CONFIG)
    session.open()
    session.coupling._bads = failing
    session.start()
    (worker,) = (w for w in session.workers if w.name == "coupling")
    assert failing.asked.wait(10.0) and worker.join(10.0)
    assert worker.health.state is State.FAILED and "by design" in worker.health.traceback
    for _ in range(3000):  # more markers than wait for a dead reader
        session.coupling.offer(Marker("stim/a/0", 1.0))
    failing.broken = False
    assert session.restart_worker("coupling")
    source.gate.set()
    assert session.workers[0].join(10.0) and worker.join(10.0)
    session.stop()
    assert session.workers[0].health.state is State.STOPPED
    assert session.coupling.newest_map is not None
    assert session.acquisition.n_received == 5000


def test_in_its_thread_it_ends_with_the_source() -> None:
    session = opened(chunks(recording(5.0)))
    session.start()
    assert all(worker.join(20.0) for worker in session.workers)
    session.stop()
    assert [w.health.state for w in session.workers] == [State.STOPPED, State.STOPPED]
    assert session.coupling.newest_map is not None


def test_other_bands_are_measured_from_then_on_and_recorded_at_their_sample() -> None:
    lines: list[str] = []
    session = opened(chunks(recording()))
    session._on_log_line = lines.append
    while session.acquisition.ring.written < 2500:
        session.crank()
    wanted = CouplingConfig(bands=CouplingBands((4.0, 8.0), (52.0, 90.0)))
    before = session.coupling.newest_map
    session.set_coupling(wanted)
    assert session.coupling.newest_map is before  # between steps, not within one
    while session.crank():
        pass
    session.close()
    assert session.coupling.newest_map.bands == wanted.bands
    assert session.coupling.n_missed == 0
    (line,) = [json.loads(text) for text in lines if "coupling" in text]
    assert line == {"kind": "coupling", "text": "phase 4-8 Hz, amplitude 52-90 Hz", "sample": 2500}


class Endless(ScriptedSource):
    """Plays the same second for ever, as fast as it is read."""

    def __init__(self) -> None:
        super().__init__(INFO, ())
        self._second = recording(1.0)
        self._n = 0

    def read(self, timeout_s: float) -> Sequence[Item]:
        self._n += 1
        return [EegChunk(self._second, self._n + np.arange(round(FS)) / FS)]


@pytest.mark.parametrize("first", [((4.0, 8.0), (80.0, 150.0)), ((4.0, 8.0), (30.0, 45.0))])
def test_the_worker_runs_whenever_the_bands_are_possible(first: tuple[Band, Band]) -> None:
    config = CouplingConfig(CouplingBands(*first), n_surrogates=10)
    session = Session(Endless(), lambda _: Setup(None), clock=FakeClock(), coupling=config)
    session.open()
    session.start()
    try:
        for amplitude in ((80.0, 150.0), (52.0, 90.0)):
            config = replace(config, bands=CouplingBands((4.0, 8.0), amplitude))
            session.set_coupling(config)
            deadline_s = time.monotonic() + 20.0
            while not _follows(session, config):
                assert time.monotonic() < deadline_s
                threading.Event().wait(0.005)
    finally:
        session.stop()
    assert {worker.health.state for worker in session.workers} == {State.STOPPED}


def _follows(session: Session, config: CouplingConfig) -> bool:
    loop = session.coupling
    return loop.config is config and bool(loop.off or loop.newest_map)
