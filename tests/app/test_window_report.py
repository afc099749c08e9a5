"""What the window leaves behind of a session, with pretended generators."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from app.album import Album
from app.bridge import Hooks
from app.commands import window
from app.commands.window import Makers
from app.config import Config
from app.panels.frame import Request
from app.sheet import drawn
from engines.errors import WorkError
from tests.app.reconstructions import FakeWorker, reconstruction
from tests.app.turning import INFO, items
from tests.app.visible_subject import visible
from tests.scripted import MARKERS, ScriptedSource

N_TRIALS = 3
REQUEST = Request("lsl:name=amp", "Amp 7", subject=Path("P07"))


class Failing(FakeWorker):
    """Makes the first trials, then nothing more."""

    def decided(self, decision) -> None:
        if decision.trial < N_TRIALS - 1:
            super().decided(decision)
        else:
            self.on_made(reconstruction(decision.trial, decision.stage, picture=None, mesh=None, error="no memory"))


@pytest.fixture
def makers(monkeypatch, tmp_path):
    monkeypatch.setattr(
        window, "open_source", lambda *_, **__: ScriptedSource(INFO, items(N_TRIALS), {"m": MARKERS}, True)
    )
    monkeypatch.setattr(window, "load_subject", lambda *_: visible(INFO, "made up"))
    monkeypatch.setattr(window, "reconstructing", lambda config, subject, on_made: Failing(on_made))
    monkeypatch.setattr(window, "drawn_beside", drawn)
    with Makers(Config(), None, lambda _: None, tmp_path, reconstruct=True) as made:
        yield made


def lived(makers: Makers) -> None:
    """A session from its beginning to its report."""
    session = makers.session(REQUEST, Hooks(lambda _: None, lambda _: None, lambda _: None, lambda _: None))
    makers.seeing.settled()
    session.open()
    while session.crank():
        pass
    session.finish()
    session.close()
    makers.report(session, REQUEST)


def test_the_report_of_a_session_tells_what_was_made_and_shows_it(makers: Makers, tmp_path) -> None:
    lived(makers)
    (folder,) = tmp_path.iterdir()
    assert folder.name.endswith("-Amp-7") and (folder / "config.toml").is_file()
    report = json.loads((folder / "report.json").read_text())
    told = report["reconstruction"]
    assert report["command"] == "window" and told["told"].startswith("simulated participant; pocket generators")
    assert (told["encoder"], told["seed"]) == ("made up", 3)
    assert [(t["trial"], t["shown"], t["stage"]) for t in told["trials"][:-1]] == [
        (0, "face/08", "fused"),
        (1, "house/08", "fused"),
    ]
    assert told["trials"][-1]["error"] == "no memory" and told["trials"][-1]["picture"] is None
    for trial in told["trials"][:-1]:
        assert (folder / trial["picture"]).is_file() and (folder / trial["mesh"]).is_file()
    page = (folder / "report.html").read_text()
    assert "What was seen" in page and "what was shown beside what was made" in page
    with Image.open(folder / "reconstructions.png") as sheet:
        assert sheet.width > 4 * 160


def test_without_reconstruction_there_is_nothing_to_tell(makers: Makers, tmp_path) -> None:
    makers.seeing.switch(False)
    lived(makers)
    (folder,) = tmp_path.iterdir()
    report = json.loads((folder / "report.json").read_text())
    assert "reconstruction" not in report and {d["stage"] for d in report["decisions"]} >= {"static", "fused"}
    assert not (folder / "reconstructions").exists()


def test_a_sheet_that_cannot_be_drawn_is_a_warning(makers: Makers, tmp_path, monkeypatch) -> None:
    def fails(wanted):
        raise WorkError("no graphics")

    monkeypatch.setattr(window, "drawn_beside", fails)
    lived(makers)
    report = json.loads(next(tmp_path.glob("*/report.json")).read_text())
    assert any("no contact sheet" in text and "no graphics" in text for text in report["warnings"])
    assert len(report["reconstruction"]["trials"]) == N_TRIALS


def test_switched_off_and_on_again_both_parts_are_told(makers: Makers) -> None:
    seeing = makers.seeing
    seeing.begin(visible(INFO, "made up"), album=Album(makers.out))
    for _ in range(2):
        seeing.settled()
        seeing._worker.status = replace(seeing._worker.status, made=5, restarts=1, reason="died")
        seeing.switch(False)
        seeing.settled()
        seeing.switch(True)
    account = seeing.end()
    assert account is not None and (account.status.made, account.status.restarts) == (10, 2)
    assert account.status.reason == "died"
