import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest

from app.panels.frame import Scored
from app.seeing import KEPT, NO_EMBEDDING, NO_SUBJECT, OFF, Seeing
from calibration.decoding.subject import AnytimeSubject
from engines.errors import InputError
from engines.generators.config import GeneratorsConfig
from pipeline.reconstruction import MeshComes
from tests.app.anytime import answer
from tests.app.reconstructions import TETRAHEDRON, FakeWorker, reconstruction
from tests.app.scripted import info, stream

STREAM = stream(info(simulated=True))


class Bench:
    """A `Seeing` whose workers are known; `subject` decodes embeddings, `plain` does not."""

    def __init__(self) -> None:
        self.workers: list[FakeWorker] = []
        self.refusal = ""
        self.seeing = Seeing(self.start, GeneratorsConfig(), on=True)
        self.subject = object.__new__(AnytimeSubject)

    def start(self, subject: AnytimeSubject, on_made: Callable) -> FakeWorker:
        assert threading.current_thread().name.startswith("afterimage-seeing")
        if self.refusal:
            raise InputError(self.refusal)
        self.workers.append(FakeWorker(on_made))
        return self.workers[-1]

    def begun(self) -> FakeWorker:
        self.seeing.begin(self.subject)
        self.settle()
        return self.workers[-1]

    def settle(self) -> None:
        self.seeing.settled()

    def sight(self, *truth: Scored):
        return self.seeing.sight(truth, STREAM)


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.seeing.close()


def decided(trial: int, n_dynamic: int = 0):
    return replace(answer(trial, n_dynamic), embedding=np.zeros(4))


def test_answers_become_reconstructions_beside_their_truth(bench: Bench) -> None:
    worker = bench.begun()
    decision = decided(3)
    bench.seeing.decided(decision)
    assert worker.decisions == [decision]
    sight = bench.sight(Scored(decision, "chair", "red", "chair/08"))
    assert [(made.trial, made.true, made.true_key) for made in sight.made] == [(3, "chair", "chair/08")]
    assert sight.caution == "simulated · pocket model" and sight.why_not == ""
    again = bench.sight(Scored(decision, "chair", "red", "chair/08"))
    assert again.newest is sight.newest


def test_a_mesh_that_comes_late_joins_the_answer_it_was_made_of_and_no_other(bench: Bench) -> None:
    worker = bench.begun()
    first, second = (reconstruction(trial, mesh=None, mesh_comes=MeshComes.LATER) for trial in range(2))
    newer = reconstruction(1, "fused", mesh=None, mesh_comes=MeshComes.LATER)
    for made in (first, second, newer):
        worker.on_made(made)
    for old in (first, second):
        worker.on_made(replace(old, mesh=TETRAHEDRON, mesh_comes=MeshComes.LATE))
    assert [(made.trial, made.reconstruction.mesh is not None) for made in bench.sight().made] == [
        (0, True),
        (1, False),
    ]
    assert bench.sight().newest.reconstruction is newer
    bench.seeing.end()
    assert worker.ended


def test_only_the_newest_trials_are_kept(bench: Bench) -> None:
    worker = bench.begun()
    for trial in range(KEPT + 5):
        worker.on_made(reconstruction(trial))
    assert [made.trial for made in bench.sight().made] == list(range(5, KEPT + 5))


def test_a_new_session_forgets_the_old_one_and_its_worker(bench: Bench) -> None:
    old = bench.begun()
    bench.begun()
    assert old.closed and len(bench.workers) == 2
    old.on_made(reconstruction(0))
    assert bench.sight().made == ()


def test_it_can_be_switched_off_and_on(bench: Bench) -> None:
    worker = bench.begun()
    bench.seeing.switch(False)
    bench.settle()
    assert worker.closed and bench.sight().why_not == OFF and bench.sight().status is None
    bench.seeing.decided(decided(0))
    assert worker.decisions == []
    bench.seeing.switch(True)
    bench.settle()
    assert len(bench.workers) == 2 and bench.sight().status is not None


def test_why_there_is_nothing_is_said(bench: Bench) -> None:
    assert bench.sight().why_not == NO_SUBJECT
    bench.seeing.begin(object())  # a subject of single windows
    assert bench.sight().why_not == NO_EMBEDDING
    bench.refusal = "no generator is here; install one"
    bench.seeing.begin(bench.subject)
    bench.settle()
    assert bench.sight().why_not == bench.refusal


def test_the_end_of_a_session_ends_its_worker(bench: Bench) -> None:
    worker = bench.begun()
    bench.seeing.end()
    bench.settle()
    assert worker.closed
