"""A dependency map from end to end: a session's own answers, the panel, all between them; generators are pretended."""

from collections.abc import Iterator

import pytest

from app.apart import LEAST_OTHERS, remembering
from app.config import Config
from app.headless import setup_for
from app.looking import Look, stream_of
from app.mapping import Mapped, Question, mapped
from app.panels.dependency import NO_PARTS
from app.panels.frame import Known, Request
from app.pictures import Pictures
from app.seeing import Seeing
from app.showing import Showing
from calibration.decoding.subject import AnytimeSubject
from engines.generators.config import GeneratorsConfig
from pipeline.session import Session
from tests.app.reconstructions import FakeWorker
from tests.app.test_depending import Brightness
from tests.app.turning import INFO, items
from tests.app.visible_subject import visible
from tests.scripted import MARKERS, ScriptedSource

PATIENCE_MS = 100_000


class InHere:
    """The process that compares, without a process: it sees how bright a picture is."""

    def __init__(self, who: str, child: object, config: GeneratorsConfig) -> None:
        self.alive = False

    def start(self) -> None:
        self.alive = True

    def send(self, question: Question) -> None:
        self.asked = question

    def receive(self) -> Mapped:
        return mapped(self.asked, Brightness())

    def kill(self) -> None:
        self.alive = False

    def stop(self) -> None:
        assert not self.alive


class Room:
    """A window's panels over a session that has decoded `n_trials`."""

    def __init__(self, n_trials: int) -> None:
        known = visible(INFO, "made up")
        subject = AnytimeSubject(known.manifest.model_copy(update={"stimuli": "/elsewhere"}), known.decoder, {})
        self.seeing = Seeing(lambda subject, on_made: FakeWorker(on_made), GeneratorsConfig(), on=True)
        memory = self.seeing.begin(subject, lambda: subject)
        self.seeing.settled()
        self.session = Session(
            ScriptedSource(INFO, items(n_trials), {"m": MARKERS}),
            setup_for(Config(), {}, subject),
            decoder=remembering(subject, memory),
            on_decision=self.seeing.decided,
        )
        self.session.open()
        self.look = Look(self.session, stream_of(self.session, Request("file", "file"), Known(True, True, "")))
        while self.session.crank():
            pass
        self.session.finish()
        self.session.close()
        self.pictures = Pictures()
        self.showing = Showing(self.seeing, self.pictures, self.pictures)
        self.showing.set_frame(self.look.frame())

    def close(self) -> None:
        self.showing.close()
        self.pictures.close()
        self.seeing.close()


@pytest.fixture
def room(request: pytest.FixtureRequest, qtbot, monkeypatch) -> Iterator[Room]:
    monkeypatch.setattr("app.mapping.Child", InHere)
    made = Room(request.param)
    for widget in (made.showing.panels, made.showing.dependency):
        qtbot.addWidget(widget)
    yield made
    made.close()


@pytest.mark.parametrize("room", [LEAST_OTHERS + 1], indirect=True)
def test_the_newest_whole_trial_of_a_session_becomes_a_map_with_its_control_and_its_spread(room: Room, qtbot) -> None:
    panel, newest = room.showing.dependency, room.session.decisions[-1]
    assert (newest.trial, newest.stage) == (LEAST_OTHERS, "fused")
    assert panel.ask.isEnabled()
    asked = room.seeing.asked(newest.trial)
    assert asked is not None and (asked.stimuli, asked.key) == ("/elsewhere", "house/08")
    with qtbot.waitSignal(room.showing.depending.mapped, timeout=PATIENCE_MS):
        panel.ask.click()
    assert panel.maps.titles[0] == f"Trial {LEAST_OTHERS + 1}, its EEG"
    assert len(panel.maps.images) == 3 and all(panel.maps.images), "own EEG, another trial's, and over seeds"
    assert panel.bars.none == NO_PARTS
    for words in ("over 3 seeds of the generator ±", "with another trial's EEG", "streams of 3 other trials"):
        assert words in panel.text.text()
    assert panel.tag.text() == "simulated · pocket model"
    room.showing.set_frame(room.look.frame())
    assert all(panel.maps.images), "it stays until another is asked for"


@pytest.mark.parametrize("room", [LEAST_OTHERS], indirect=True)
def test_with_too_few_trials_before_it_the_panel_says_so(room: Room, qtbot) -> None:
    panel = room.showing.dependency
    with qtbot.waitSignal(room.showing.depending.mapped, timeout=PATIENCE_MS):
        panel.ask.click()
    assert panel.maps.images == () and f"needs {LEAST_OTHERS} other trials, and there are 2" in panel.maps.why_not
