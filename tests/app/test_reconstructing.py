"""`--reconstruct` with pretended generators in a real process: refusals, replay and live."""

import json
from dataclasses import replace

import numpy as np
import pytest

from app.cli import main
from app.config import Config, ReconstructionSection
from app.reconstructing import Reconstructing, seed_of, with_embeddings
from app.reconstructions import Reconstructions
from app.terminal import Terminal
from calibration.simulate import SimulateConfig, plan, to_file
from engines.errors import InputError
from pipeline.reconstruction import Wish
from pipeline.types import Nearest
from tests.app.anytime import answer
from tests.app.pretend_engines import ENCODER, OpensPretended
from tests.app.visible_subject import visible

PATIENCE_S = 100.0
TRIALS = 2
SHOWN = SimulateConfig(seed=3, run=1, n_categories=2, repeats=1, protocol="eeg3d", objects=("08",))


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """A recording of two pictures that turn."""
    path = tmp_path_factory.mktemp("shown") / "shown.xdf"
    to_file(SHOWN, path, lambda share: None)
    return path


@pytest.fixture(scope="module")
def subject():
    return visible(plan(SHOWN).infos[0], ENCODER)


@pytest.fixture
def pretended(monkeypatch, subject):
    """The subject of every command, and generators that draw at once."""
    monkeypatch.setattr("app.reconstructing.OpenGenerators", OpensPretended)
    monkeypatch.setattr("app.commands.run.load_subject", lambda *_: subject)


def embedded(trial, seed=0, stage="static"):
    decision = answer(trial, 0)
    return replace(decision, stage=stage, embedding=np.random.default_rng((trial, seed)).standard_normal(8))


def test_a_trials_seed_is_told_by_the_sessions_seed_and_its_number_alone():
    assert seed_of(3, 12) == seed_of(3, 12)
    assert len({seed_of(seed, trial) for seed in range(-3, 3) for trial in range(50)}) == 300
    assert seed_of(3, 12, 0) == seed_of(3, 12) != seed_of(3, 12, 1)


def test_a_wish_holds_what_was_decoded_and_no_label():
    decision = replace(embedded(4, stage="fused"), certainty=0.3)
    wish = Wish.of(decision, 7)
    assert wish.certainty == 0.3 and not wish.aside
    assert (wish.trial, wish.stage, wish.seed, wish.category, wish.colour) == (4, "fused", 7, "chair", "red")
    assert wish.nearest[0] == decision.nearest[0].key == Nearest("chair/03", 0.8).key
    with pytest.raises(ValueError, match="without an embedding"):
        Wish.of(answer(4, 0), 7)


def test_a_decoder_of_classes_is_refused_with_the_reason():
    with pytest.raises(InputError, match=r"gives no embedding.*--system brainssd"):
        with_embeddings(object())


def test_without_a_subject_there_is_nothing_to_reconstruct(shown, tmp_path, capsys):
    assert main(["replay", str(shown), "--reconstruct", "--out", str(tmp_path / "out")]) == 2
    assert "--subject" in capsys.readouterr().err and not (tmp_path / "out").exists()


def test_embeddings_that_no_generator_takes_are_refused_before_anything_is_received(
    shown, pretended, monkeypatch, tmp_path, capsys
):
    other = visible(plan(SHOWN).infos[0], "another")
    monkeypatch.setattr("app.commands.run.load_subject", lambda *_: other)
    call = ["live", "--source", str(shown), "--subject", "P3", "--reconstruct", "--out", str(tmp_path / "out")]
    assert main(call) == 2
    assert "none takes embeddings of another; install one" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_replay_makes_the_last_answer_of_every_trial_and_the_same_again(shown, pretended, tmp_path, capsys):
    reports = []
    for name in ("first", "again"):
        out = tmp_path / name
        assert main(["replay", str(shown), "--subject", "P3", "--reconstruct", "--out", str(out)]) == 0
        reports.append(json.loads((out / "report.json").read_text()))
    said = capsys.readouterr()
    assert "simulated participant; pocket generators: noise" in said.out + said.err
    told = reports[0]["reconstruction"]
    assert told["generators"] == {"picture": "noise", "mesh": "tetrahedra", "caption": "told"}
    assert [told[count] for count in ("made", "dropped", "skipped", "failed", "restarts")] == [TRIALS, 0, 0, 0, 0]
    last = {d["trial"]: d["stage"] for d in reports[0]["decisions"]}
    assert {t["trial"]: t["stage"] for t in told["trials"]} == last and len(last) == TRIALS
    assert {t["shown"] for t in told["trials"]} == {"face/08", "house/08"}
    assert told["told"] == "simulated participant; pocket generators: noise" and told["encoder"] == ENCODER
    for trial in told["trials"]:
        assert len({(tmp_path / name / trial["picture"]).read_bytes() for name in ("first", "again")}) == 1
        assert (tmp_path / "first" / trial["mesh"]).is_file()
    page = (tmp_path / "first" / "report.html").read_text()
    assert "What was seen" in page and "pocket generators: noise" in page and "it is not here" in page
    assert (tmp_path / "first" / "reconstructions.png").is_file()


def test_a_live_session_counts_what_it_wished_for_and_waits_for_the_last(subject, pretended, tmp_path):
    live = Reconstructions(Config(), subject, 3, tmp_path, lossless=False)
    terminal = Terminal(quiet_stdout=True)
    try:
        live.open(terminal)
        for trial in range(20):
            live.decided(embedded(trial))
        live.finish(terminal)
    finally:
        live.reconstructing.close()
    status = live.reconstructing.status
    assert status.put == 20 == status.made + status.dropped and status.waiting == 0
    assert live.album.rows({}, {})[-1]["trial"] == 19 and live.status == 0


def test_live_and_replay_make_the_same_of_the_same(subject):
    with Reconstructing(ReconstructionSection(), subject, 3, opener=OpensPretended) as once:
        live, again = once.make(embedded(5)), once.make(embedded(5))
        other_trial = once.make(replace(embedded(5), trial=6))
        aside = [once.picture(embedded(5), nth) for nth in range(2)]
    assert (aside[0].picture == live.picture).all() and (aside[1].picture != live.picture).any()
    assert aside[0].mesh is None and once.status.made == 3
    assert (live.picture == again.picture).all() and (live.picture != other_trial.picture).any()


def test_within_a_trial_what_is_seen_the_same_is_skipped(subject):
    with Reconstructing(ReconstructionSection(), subject, 3, opener=OpensPretended) as once:
        first = embedded(5)
        centre = subject.decoder.gallery.centre
        once.decided(first)
        assert once.idle(PATIENCE_S)
        once.decided(replace(first, stage="refined", embedding=centre + 1.5 * (first.embedding - centre)))
        assert once.idle(PATIENCE_S)
        once.decided(replace(first, stage="fused", embedding=centre - (first.embedding - centre)))
        assert once.idle(PATIENCE_S)
        assert (once.status.made, once.status.skipped) == (2, 1)
