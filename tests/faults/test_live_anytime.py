"""A live session of pictures that turn, over LSL and with a recorder, and the replay of its recording."""

import json
from pathlib import Path

import pytest

from pipeline.session import Session
from tests.faults.live import PAUSE, Live, TurnOfOz, amplifier, live, replay, stimuli
from tests.recordings import load
from tests.senders import Sender

pytestmark = pytest.mark.slow

STAGES = ["static", "refined", "refined", "refined", "fused"]


def stages(session: Session) -> dict[int, list[str]]:
    """What was answered of each trial, in order."""
    found: dict[int, list[str]] = {}
    for decision in session.decisions:
        found.setdefault(decision.trial, []).append(decision.stage)
    return found


def show(run: Live, stim: Sender) -> None:
    """Three pictures; the second does not turn."""
    run.wait(lambda: run.session.view().n_received and run.session.view().settling_left_s == 0.0)
    PAUSE.wait(0.5)  # the window begins before the marker
    for n_turns, label in ((1, "up/1"), (1, "down/1"), (2, "up/2")):
        n_accepted = run.session.n_accepted + 1
        stim.mark(label)
        PAUSE.wait(0.2)
        if label != "down/1":
            stim.mark(f"turn/{label}")
        run.wait(lambda n=n_accepted, m=n_turns: (run.session.n_accepted, run.session.n_turns) == (n, m))


def test_a_replay_of_trials_that_turned_gives_the_answers_of_the_live_session(tmp_path: Path) -> None:
    decoder = TurnOfOz()
    with stimuli() as stim, amplifier() as amp:
        amp.run()
        with live(tmp_path / "session.xdf", decoder) as run:
            show(run, stim)
    session, again = run.session, replay(run.path, decoder=decoder)
    assert stages(again) == {0: STAGES, 1: ["static"], 2: STAGES}
    found, found_again = (
        {(d.trial, d.stage, d.n_dynamic): (d.probabilities, d.colour_probabilities) for d in s.decisions}
        for s in (session, again)
    )
    assert found.items() <= found_again.items()
    # On a machine that stood still for a moment some may have been left out.
    assert session.loop is not None and session.loop.n_skipped == len(found_again) - len(found)
    (kept,) = (s for s in load(run.path) if "ecisions" in s["info"]["name"][0])
    said = [json.loads(row[0]) for row in kept["time_series"]]
    assert [(d["trial"], d["stage"], d["n_dynamic"]) for d in said] == [
        (d.trial, d.stage, d.n_dynamic) for d in session.decisions
    ]
    assert all(d["nearest"][0]["key"] == "up/1" and d["colour"] in ("red", "blue") for d in said)
