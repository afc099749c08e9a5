import pytest

from app.bridge import Bridge
from app.looking import DRAWING, TO_WINDOW, TRIALS_SHOWN, Look, scores_of, stream_of
from app.panels.frame import Known
from tests.app.anytime import answer, trial
from tests.app.scripted import REQUEST, Bench
from tests.pipeline.trials_of_two import items, session_over


@pytest.fixture(scope="module")
def look() -> Look:
    """At a session that has come to its end: six pictures, each with its turn."""
    session = session_over(items([250]))
    session.open()
    made = Look(session, stream_of(session, REQUEST, Known(pocket=True, pictures="builtin")))
    while session.crank():
        made.frame()
    session.finish()
    return made


def test_the_window_learns_the_two_windows_of_a_trial_and_what_the_subject_is(look: Look) -> None:
    stream = look.stream
    assert stream.windows == look.session.windows
    assert stream.known.pictures == "builtin"
    assert stream.caution == "pocket model"


def test_delays_that_never_change_are_the_windows_and_what_the_filters_add(look: Look) -> None:
    delays = {delay.name: delay.ms for delay in look.stream.delays}
    chain = look.session.loop.chain
    assert delays["picture to the end of its window"] == 800.0
    assert delays["turn to the end of its window"] == pytest.approx(2300.0)
    assert delays["filters, at 10 Hz"] == pytest.approx(1e3 * chain.group_delay_s)
    assert 0 < delays["and to 40 Hz for the turn"] < 500


def test_every_answer_of_the_newest_trials_is_there_beside_what_was_true(look: Look) -> None:
    decisions = look.frame().decisions
    assert [scored.decision for scored in decisions] == look.session.decisions
    assert [scored.decision.stage for scored in decisions[:6]] == ["static", *["refined"] * 4, "fused"]
    assert {scored.true for scored in decisions} == {"up", "down"}


def test_figures_are_made_when_they_are_due_and_not_while_they_are_made(look: Look) -> None:
    assert look.due()
    assert not look.due()
    look.figure()
    assert not look.due()
    frame = look.frame()
    assert frame.scores["fused"].n == frame.scores["static"].n == 6
    assert {"static answer", "refined answer", "fused answer"} <= set(frame.latency.steps)
    assert frame.latency.seen[TO_WINDOW]["n"] == len(look.session.decisions)
    assert frame.latency_ms is not None


def test_scores_are_of_the_first_and_the_last_answer_and_of_known_labels() -> None:
    scored = [*trial(0), *trial(1, tops=("chair", "dog")), *trial(2, tops=("chair", "chair"))]
    decisions = [s.decision for s in scored]
    scores = scores_of(decisions, {0: "chair", 1: "chair", 2: "something else"})
    assert set(scores) == {"static", "fused"}
    assert (scores["static"].n, scores["static"].mean) == (2, 0.5)
    assert scores["fused"].chance == pytest.approx(1 / 3)
    assert scores_of(decisions, {}) == {}


def test_only_the_newest_trials_are_handed_on(look: Look) -> None:
    session = look.session
    other = Look(session, look.stream)
    kept = session.decisions
    session.decisions = [answer(n, 0) for n in range(TRIALS_SHOWN + 10)]
    try:
        trials = [scored.decision.trial for scored in other.frame().decisions]
    finally:
        session.decisions = kept
    assert trials == list(range(10, TRIALS_SHOWN + 10))


def test_drawing_is_timed_until_the_window_has_been_painted(qtbot, tmp_path) -> None:
    bench = Bench()
    bridge = Bridge(bench.make_session, bench.start_recording, tmp_path, known=lambda: Known(pictures="builtin"))
    seen = []
    bridge.ticked.connect(seen.append)
    with qtbot.waitSignal(bridge.connected, timeout=10_000) as connected:
        bridge.connect_to(REQUEST)
    assert connected.args[0].known.pictures == "builtin"
    bench.source.feed(1.0)
    qtbot.waitUntil(lambda: bool(seen) and seen[-1].latency is not None, timeout=10_000)
    qtbot.waitUntil(lambda: DRAWING in seen[-1].latency.seen, timeout=10_000)
    assert seen[-1].latency.seen[DRAWING]["median"] >= 0
    assert "filter" in seen[-1].latency.steps
    bridge.close()
