"""The session over scripted items: no network, no file, no thread unless the test is about threads."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.clock import FakeClock
from pipeline.epochs import EpochConfig
from pipeline.errors import UnitUnknown
from pipeline.preprocess import ChainConfig
from pipeline.session import Session, Setup
from pipeline.types import Array, Channel, EegChunk, Item, MarkerChunk, SourceEvent
from pipeline.worker import State
from tests.scripted import EEG, FS, MARKERS, ScriptedSource, chunk

CHAIN = ChainConfig(high_hz=30.0, mains_hz=None)
EPOCH = EpochConfig(-0.1, 0.5, None)
ONSETS_S = tuple(np.arange(20.0, 60.0, 1.37))


class SignOfOz:
    """Answers "up" when Oz is above zero on average; sees channels in an order of its own."""

    classes = ("up", "down")
    channels = ("Oz", "Fz", "Cz", "Pz")
    sfreq_hz = FS
    chain = CHAIN
    epoch = EPOCH
    stage = "single"

    def probabilities(self, epoch_uv: Array) -> Array:
        p = 1 / (1 + np.exp(-epoch_uv[0].mean()))
        return np.array([p, 1 - p])


def signal(seconds: float = 65.0) -> Array:
    return np.random.default_rng(3).standard_normal((len(EEG.channels), round(seconds * FS))) * 20


def items(sizes: Sequence[int], labels: Sequence[str], data: Array | None = None) -> list[Item]:
    """The same samples and markers in chunks of the given sizes, each marker before the chunk that holds it."""
    data = signal() if data is None else data
    waiting = list(zip(ONSETS_S, labels, strict=True))
    made: list[Item] = []
    first = k = 0
    while first < data.shape[1]:
        n = min(sizes[k % len(sizes)], data.shape[1] - first)
        stop_s = (first + n) / FS
        while waiting and waiting[0][0] < stop_s:
            at_s, label = waiting.pop(0)
            made.append(MarkerChunk("m", (label,), (at_s,)))
        made.append(EegChunk(data[:, first : first + n], np.arange(first, first + n) / FS))
        first, k = first + n, k + 1
    return made


def run(things: Sequence[Item], decoder: SignOfOz | None = None, info=EEG) -> Session:
    session = Session(
        ScriptedSource(info, things, {"m": MARKERS}),
        lambda _: Setup(CHAIN, EPOCH, {"up": ["u*"], "down": ["d*"]}),
        decoder=decoder or SignOfOz(),
        clock=FakeClock(),
    )
    session.open()
    while session.crank():
        pass
    session.finish()
    session.close()
    return session


def answers(session: Session) -> list[tuple[int, tuple[float, ...]]]:
    return [(d.trial, d.probabilities) for d in session.decisions]


UP_DOWN = tuple("ud"[i % 2] for i in range(len(ONSETS_S)))


def test_every_onset_becomes_a_decision_or_a_reason() -> None:
    session = run(items([25], UP_DOWN))
    assert session.n_accepted == len(session.decisions) > 20
    assert session.n_accepted + sum(session.rejected.values()) == len(ONSETS_S)
    assert {e.label for e in session.evoked} == {"up", "down"}


@settings(deadline=None, max_examples=15)
@given(st.lists(st.integers(1, 700), min_size=1, max_size=8))
def test_answers_are_bit_identical_whatever_the_chunks(sizes: list[int]) -> None:
    assert answers(run(items(sizes, UP_DOWN))) == answers(run(items([6500], UP_DOWN)))


def test_permuted_labels_change_no_answer() -> None:
    permuted = tuple(np.random.default_rng(0).permutation(UP_DOWN))
    assert permuted != UP_DOWN
    one, other = run(items([25], UP_DOWN)), run(items([25], permuted))
    assert answers(one) == answers(other)
    assert one.scorer.truth != other.scorer.truth


def test_a_stream_with_its_channels_in_another_order_gives_the_same_answers() -> None:
    order = [2, 0, 3, 1]
    info = replace(EEG, channels=tuple(EEG.channels[i] for i in order))
    straight, crossed = run(items([25], UP_DOWN)), run(items([25], UP_DOWN, signal()[order]), info=info)
    for (trial, p), (other, q) in zip(answers(straight), answers(crossed), strict=True):
        assert trial == other
        assert p == pytest.approx(q, abs=1e-9)


def test_no_decision_is_made_across_a_gap() -> None:
    things = items([100], UP_DOWN)
    lost = [i for i in things if not (isinstance(i, EegChunk) and 30.0 <= i.stamps_s[0] < 31.0)]
    session = run(lost)
    assert session.acquisition.aligner.n_lost == 100
    assert session.rejected["gap"] >= 1
    assert session.rejected["settling"] >= 1


def test_decoding_refuses_a_stream_without_a_unit() -> None:
    info = replace(EEG, channels=tuple(Channel(c.name) for c in EEG.channels))
    with pytest.raises(UnitUnknown, match="--unit"):
        run(items([25], UP_DOWN), info=info)


def test_events_of_the_source_are_kept_and_counted() -> None:
    session = run([SourceEvent("recovered", "back after 3 s"), *items([25], UP_DOWN)])
    assert session.event_counts["recovered"] == 1
    assert session.events[0].text == "back after 3 s"


def test_a_decoder_that_dies_is_visible_and_can_be_restarted_while_acquisition_goes_on() -> None:
    class Fragile(SignOfOz):
        broken = True

        def probabilities(self, epoch_uv: Array) -> Array:
            if self.broken:
                raise ZeroDivisionError("by design")
            return super().probabilities(epoch_uv)

    decoder = Fragile()
    session = Session(
        ScriptedSource(EEG, items([25], UP_DOWN), {"m": MARKERS}),
        lambda _: Setup(CHAIN, EPOCH, {"up": ["u*"], "down": ["d*"]}),
        decoder=decoder,
        clock=FakeClock(),
    )
    session.open()
    session.start()
    acquire, decode = session.workers
    assert acquire.join(20.0)
    assert decode.join(20.0)
    assert decode.health.state is State.FAILED
    assert "by design" in decode.health.traceback
    assert acquire.health.state is State.STOPPED
    decoder.broken = False
    session.restart_worker("decode")
    assert decode.join(20.0)
    session.stop()
    assert session.rejected["decoder failed"] == 1
    assert len(session.decisions) + sum(session.rejected.values()) == len(ONSETS_S)


class Endless(ScriptedSource):
    """Sends what it has and is silent then, as a headset whose sender has died."""

    def read(self, timeout_s: float) -> Sequence[Item]:
        return super().read(timeout_s) if self._items else []


def test_what_was_withheld_or_asked_for_when_a_session_stops_still_counts() -> None:
    lines: list[str] = []
    source = Endless(EEG, [chunk(0, 3000), chunk(3100, 10)], live=True)
    session = Session(source, lambda _: Setup(CHAIN, EPOCH), clock=FakeClock(), on_log_line=lines.append)
    session.open()
    session.start()
    while session.acquisition.n_received < 3010:
        assert session.workers[0].health.state is State.RUNNING
    assert session.acquisition.ring.written == 3000
    session.workers[0].stop()
    session.annotate("last words")
    session.stop()
    assert session.acquisition.ring.written == 3010
    assert session.acquisition.aligner.n_lost == 100
    assert any("last words" in line for line in lines)
    assert '"received_to"' in lines[-1]


def test_a_decoder_that_never_works_costs_its_trials_and_the_session_still_ends() -> None:
    class Broken(SignOfOz):
        def probabilities(self, epoch_uv: Array) -> Array:
            raise ZeroDivisionError("by design")

    source = ScriptedSource(EEG, items([25], UP_DOWN), {"m": MARKERS})
    session = Session(source, lambda _: Setup(CHAIN, EPOCH), decoder=Broken(), clock=FakeClock())
    session.open()
    session.start()
    assert session.workers[0].join(20.0)
    session.stop()
    assert session.workers[1].health.state is State.FAILED
    assert session.event_counts["worker_failed"] == session.workers[1].health.n_restarts > 1
    assert session.decisions == []
