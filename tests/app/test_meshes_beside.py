"""TRELLIS beside the pictures of a session: the generate process, TRELLIS' own under it, a fake package in there."""

import os
import queue
from types import SimpleNamespace

import numpy as np
import psutil
import pytest

from app.album import Album
from app.config import Config, ReconstructionSection
from app.reconstructing import Reconstructing
from app.reconstructions import Reconstructions
from app.terminal import Terminal
from calibration.simulate import SimulateConfig, plan
from pipeline.reconstruction import MeshComes, MeshCounts
from tests.app.pretend_engines import ENCODER, TROUBLE, OpensTrellis
from tests.app.test_reconstructing import embedded
from tests.app.visible_subject import visible
from tests.engines.generators import fake_trellis

PATIENCE_S = 100.0
WORKS, DIES, HAS_NO_MEMORY, HOLDS = 0, 1, 2, 5
SHOWN = SimulateConfig(seed=3, run=1, n_categories=2, repeats=1, protocol="eeg3d", objects=("08",))
# What an account asks of a session that knows no truth.
UNSCORED = {
    "scorer": SimpleNamespace(truth={}, labels={}),
    "acquisition": SimpleNamespace(info=SimpleNamespace(name="amp")),
}


@pytest.fixture(scope="module")
def subject():
    return visible(plan(SHOWN).infos[0], ENCODER)


@pytest.fixture
def weights(tmp_path):
    """Those of the fake, and the pipe that it waits for."""
    fake_trellis.install(tmp_path / "packages")
    made = fake_trellis.weights(tmp_path / "weights")
    os.mkfifo(made / "hold")
    return made


def decision(trial, kind, stage="fused"):
    made = embedded(trial, stage=stage)
    made.embedding[0] = TROUBLE + kind
    return made


class Session:
    """The answers of a session, one after another, and what was heard of them."""

    def __init__(self, subject, weights, out):
        self.album, self._heard = Album(out), queue.Queue()
        self.reconstructing = Reconstructing(
            ReconstructionSection(trellis=weights), subject, 3, self._made, opener=OpensTrellis
        )

    def _made(self, made):
        self.album.add(made)
        if made.complete:
            self._heard.put(made)

    def heard(self):
        return self._heard.get(timeout=PATIENCE_S)

    def answered(self, trial, kind):
        """The answer as it is first heard of, whole but for its mesh."""
        self.reconstructing.decided(decision(trial, kind))
        made = self.heard()
        assert made.wish.trial == trial and made.mesh_comes is MeshComes.LATER
        assert made.picture is not None and made.caption and made.mesh is None and not made.error
        return made

    def late(self, trial):
        """The same once more, with what came of its mesh."""
        made = self.heard()
        assert made.wish.trial == trial and made.mesh_comes is MeshComes.LATE
        return made

    @property
    def trellis(self):
        """TRELLIS' process."""
        below = psutil.Process(self.reconstructing.pid).children(recursive=True)
        return next(child for child in below if any("trellis_worker" in word for word in child.cmdline()))


def test_pictures_wait_for_no_mesh_and_what_becomes_of_meshes_is_told(subject, weights, tmp_path):
    session = Session(subject, weights, tmp_path)
    with session.reconstructing as reconstructing:
        assert reconstructing.opened(PATIENCE_S).beside
        session.answered(0, HOLDS)
        with (weights / "hold").open("w"):  # opens when TRELLIS is at work
            for trial in (1, 2, 3):
                session.answered(trial, WORKS)
        assert all(len(session.late(trial).mesh.faces) == 4 for trial in (0, 3))
        session.answered(4, HAS_NO_MEMORY)
        assert "CUDA out of memory" in session.late(4).error
        session.answered(5, DIES)
        assert "status 7" in session.late(5).error
        session.answered(6, WORKS)
        assert session.late(6).mesh is not None, "by another TRELLIS"
        assert reconstructing.idle(PATIENCE_S)
        status = reconstructing.status
    assert (status.made, status.dropped, status.failed, status.restarts) == (7, 0, 0, 0)
    assert status.meshes == MeshCounts(made=3, dropped=2, failed=2)
    session.album.write()
    rows = session.album.rows({}, {})
    assert [row["trial"] for row in rows if row["mesh"]] == [0, 3, 6] and all(row["picture"] for row in rows)
    assert [row["trial"] for row in rows if row["error"]] == [4, 5]


def test_nothing_is_left_of_a_trellis_that_was_at_work(subject, weights, tmp_path):
    session = Session(subject, weights, tmp_path)
    with session.reconstructing:
        session.answered(0, HOLDS)
        with (weights / "hold").open("w"):
            trellis = session.trellis
            session.reconstructing.close()
            _, alive = psutil.wait_procs([trellis], timeout=PATIENCE_S)
    assert not alive and session.reconstructing.status.meshes == MeshCounts(dropped=1)


def test_in_a_replay_the_last_answer_of_every_trial_has_its_mesh_and_the_report_counts_them(
    subject, weights, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr("app.reconstructing.OpenGenerators", OpensTrellis)
    section = ReconstructionSection(trellis=weights, mesh_formats=("ply", "npy"))
    replay = Reconstructions(Config(reconstruction=section), subject, 3, tmp_path, lossless=True)
    terminal, report = Terminal(quiet_stdout=True), {"warnings": []}
    try:
        replay.open(terminal)
        for trial, kind in enumerate((WORKS, HAS_NO_MEMORY, WORKS)):
            for stage in ("static", "refined"):  # broken off before it was fused
                replay.decided(decision(trial, kind, stage))
        replay.finish(terminal)
    finally:
        replay.reconstructing.close()
    replay.account.enter(report, None, SimpleNamespace(**UNSCORED), lambda wanted: None)
    replay.tell(terminal, tmp_path)
    told = report["reconstruction"]
    assert (told["made"], told["failed"]) == (2, 1) and told["meshes"] == {"made": 2, "dropped": 0, "failed": 1}
    assert [row["stage"] for row in told["trials"]] == ["refined"] * 3 and told["ms"]["mesh"]["n"] == 2
    first, failed, _ = told["trials"]
    assert first["mesh"].endswith(".ply") and np.load(tmp_path / first["mesh_files"][1]).shape == (8192, 6)
    assert failed["picture"] and failed["mesh"] is None and "CUDA out of memory" in failed["error"]
    assert report["warnings"][-1] == "meshes that could not be made: 1; `reconstruction` says why"
    said = capsys.readouterr().err
    assert "beside the pictures" in said and "2 made, 0 dropped, 1 failed" in said
