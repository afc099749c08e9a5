"""`replay --reconstruct --dependency`: maps of every trial of a session, with their control, in the report's folder."""

import numpy as np
import pytest
from PIL import Image

from app.apart import LEAST_OTHERS
from app.cli import main
from app.config import Config
from app.headless import setup_for
from app.mapping import Apart, Comparing, Mapped, Question
from app.session_dependency import CONTROL, OWN, SessionDependency, asked_for
from calibration.decoding.subject import AnytimeSubject
from calibration.dominance import CAVEATS
from engines.errors import InputError, WorkError
from engines.generators.config import GeneratorsConfig
from pipeline.session import Session
from tests.app.reconstructions import FakeWorker
from tests.app.test_showing import InHere
from tests.app.turning import INFO, items
from tests.app.visible_subject import visible
from tests.scripted import MARKERS, ScriptedSource

N_TRIALS = LEAST_OTHERS + 1


class AtOnce:
    """In the place of what compares: a map of nothing, with what was asked in its notes."""

    def __init__(self, config: GeneratorsConfig) -> None:
        self.config = config

    def mapped(self, asked: Question) -> Mapped:
        flat = np.zeros(asked.fused.shape[1:3])
        apart = Apart(0.2, 0.1, 0.3)
        return Mapped(asked.trial, asked.fused[0], flat, flat, flat, apart=apart, control_apart=apart)

    def close(self) -> None:
        """Nothing runs."""


def session_of(n_trials: int) -> tuple[SessionDependency, Session]:
    """One that has been decoded, remembered by what is to map it; its stimulus set is not here."""
    known = visible(INFO, "made up")
    subject = AnytimeSubject(known.manifest.model_copy(update={"stimuli": "/elsewhere"}), known.decoder, {})
    maps = SessionDependency(subject, GeneratorsConfig(), seed=3)
    decoding = maps.remembering
    source = ScriptedSource(INFO, items(n_trials), {"m": MARKERS})
    session = Session(source, setup_for(Config(), {}, decoding), decoder=decoding.decoder, on_decision=maps.decided)
    session.open()
    while session.crank():
        pass
    session.finish()
    session.close()
    return maps, session


@pytest.fixture(scope="module")
def decoded():
    return session_of(N_TRIALS)


@pytest.fixture
def maps(decoded, monkeypatch):
    """Of the session, not made yet."""
    monkeypatch.setattr("app.session_dependency.Comparing", AtOnce)
    made, session = decoded
    made.maps.clear()
    made.left_out = 0
    return made, session.scorer.labels


def told(maps, out):
    report = {"warnings": []}
    return report, maps.enter(report, None, out)


def test_every_trial_has_a_map_beside_its_control_and_the_session_a_mean(maps, monkeypatch, tmp_path):
    monkeypatch.setattr("app.session_dependency.Comparing", Comparing)
    monkeypatch.setattr("app.mapping.Child", InHere)  # sees how bright a picture is
    made, labels = maps
    made.make(FakeWorker(lambda _: None), labels)
    report, shown = told(made, tmp_path)
    fields = report["dependency"]
    assert fields["n"] == N_TRIALS and report["warnings"] == [] and fields["caveats"] == list(CAVEATS)
    assert {row["shown"] for row in fields["trials"]} == {"face/08", "house/08"}
    assert any("streams of 3 other trials" in note for note in fields["notes"])
    for row in fields["trials"]:
        assert (tmp_path / row["file"]).stat().st_size > 1000 and row[OWN] != row[CONTROL]
    with np.load(tmp_path / fields["files"]["maps"]) as arrays:
        assert arrays["trial"].tolist() == list(range(N_TRIALS))
        assert arrays["index"].shape == arrays["control"].shape == arrays["spread"].shape
        assert np.allclose(arrays["mean"], arrays["index"].mean(axis=0, dtype=float), atol=1e-3)
    lines = {line["measure"]: line for line in fields["over_trials"]}
    assert len(lines) == 3
    index = lines["index"]
    own = [row[OWN]["index"] - row[CONTROL]["index"] for row in fields["trials"]]
    assert index["difference"] == pytest.approx(np.mean(own))
    assert index["ci95"][0] < index["difference"] < index["ci95"][1]
    ((name, sheet),) = shown.sheets
    assert name == "dependency over the session"
    with Image.open(tmp_path / "dependency.png") as saved:
        assert saved.size == (sheet.shape[1], sheet.shape[0])
    assert "simulated participant" in report["tables"][0]["title"]


def test_others_and_the_control_are_other_trials_and_the_same_each_time(maps):
    made, _ = maps
    first, again = ([asked.whole for asked in made._asked(FakeWorker(lambda _: None))] for _ in range(2))
    assert len(first) == N_TRIALS
    for place, whole in enumerate(first):
        assert whole.before is not None and whole.before[1] is first[place - 1].dynamic_uv
        assert len(whole.others) == N_TRIALS - 1 and not any(other is whole.static_uv for other in whole.others)
        assert all(one is other for one, other in zip(whole.others, again[place].others, strict=True))


def test_a_trial_that_fails_takes_no_others_map_and_is_told(maps, tmp_path):
    made, labels = maps

    class Fragile(FakeWorker):
        def picture(self, decision, nth=0):
            if decision.trial == 1:
                raise WorkError("out of memory")
            return super().picture(decision, nth)

    made.make(Fragile(lambda _: None), labels)
    report, _ = told(made, tmp_path)
    assert report["dependency"]["not_mapped"] == {1: "out of memory"} and report["dependency"]["n"] == N_TRIALS - 1
    assert report["warnings"] == [f"1 of {N_TRIALS} trials have no dependency map: out of memory"]


def test_what_was_interrupted_is_told_and_writes_what_there_is(maps, tmp_path):
    made, labels = maps
    made.make(FakeWorker(lambda _: None), labels, stopped=lambda: len(made.maps) == 2)
    report, _ = told(made, tmp_path)
    assert report["dependency"]["n"] == 2
    assert report["warnings"] == [f"{N_TRIALS - 2} trials have no dependency map: it was interrupted"]


def test_of_too_few_trials_there_is_no_map_and_the_report_says_so(tmp_path):
    made, session = session_of(LEAST_OTHERS)
    made.make(FakeWorker(lambda _: None), session.scorer.labels)
    report, shown = told(made, tmp_path)
    assert report["dependency"]["n"] == 0 and shown.sheets == () and not list(tmp_path.iterdir())
    assert f"need {LEAST_OTHERS + 1} trials" in report["warnings"][0]


def test_without_reconstructions_there_is_nothing_to_compare(tmp_path, capsys):
    with pytest.raises(InputError, match="add --reconstruct"):
        asked_for(False, Config(), visible(INFO, "made up"), 0)
    file = tmp_path / "shown.xdf"
    file.touch()
    assert main(["replay", str(file), "--dependency", "--out", str(tmp_path / "out")]) == 2
    assert "--dependency compares reconstructions: add --reconstruct" in capsys.readouterr().err
    assert main(["replay", str(file), "--dependency", "--reconstruct", "--out", str(tmp_path / "out")]) == 2
    assert "--subject DIR" in capsys.readouterr().err
