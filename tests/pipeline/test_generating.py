"""Real processes with pretended generators. Nothing is timed but that they leave, with room for a busy machine."""

import os
import queue
import signal
import subprocess
import sys
import textwrap
import threading
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from engines.errors import InputError, WorkError
from engines.generators.gate import Gate
from pipeline.clock import FakeClock
from pipeline.generating import MAX_CRASHES, Generating
from pipeline.reconstruction import GeneratingState, MeshComes, MeshCounts, Reconstruction
from tests.pipeline.pretend_generators import OPENED, Opens, wish

PATIENCE_S = 100.0


class Heard:
    """Everything that was made, and which thread told."""

    def __init__(self):
        self.parts: queue.Queue[Reconstruction] = queue.Queue()
        self.threads: set[str] = set()

    def __call__(self, part):
        self.threads.add(threading.current_thread().name)
        self.parts.put(part)

    def next(self):
        return self.parts.get(timeout=PATIENCE_S)

    def next_complete(self, late=False):
        """The next whole answer, or the next whose mesh has come late; those before it are forgotten."""
        while not (part := self.next()).complete or (part.mesh_comes is MeshComes.LATE) != late:
            pass
        return part


@contextmanager
def generating(opens=None, gate=None, heard=None):
    with Generating(opens or Opens(), heard or (lambda _: None), gate, FakeClock(7.0)) as made:
        yield made
    assert made.pid is None
    assert made.status.waiting == 0
    assert adds_up(made)


def adds_up(made):
    s = made.status
    return s.put == s.made + s.dropped + s.skipped + s.failed + s.waiting


@pytest.fixture
def pipe(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


def test_the_picture_comes_first_then_everything_from_a_process_behind_all_others():
    heard = Heard()
    with generating(heard=heard) as made:
        assert made.status.state is GeneratingState.STARTING
        assert made.opened(PATIENCE_S) == OPENED
        assert made.status.state is GeneratingState.READY
        made.put(wish(3))
        picture, whole = heard.next(), heard.next()
    assert (picture.complete, picture.mesh, whole.complete) == (False, None, True)
    assert picture.wish.trial == whole.wish.trial == 3 and whole.made_s == 7.0
    assert whole.caption != str(os.getpid()) and dict(whole.ms)["picture"] == min(os.nice(0) + 10, 19)
    assert heard.threads == {"afterimage-generate"}
    assert not any(a.flags.writeable for a in (whole.picture, whole.mesh.vertices, whole.mesh.faces))
    assert made.status.made == 1 and made.status.state is GeneratingState.CLOSED


def test_the_newest_wish_wins_and_no_wish_waits_for_the_process(pipe):
    heard = Heard()
    with generating(heard=heard) as made:
        made.put(wish(0, "hold", str(pipe)))
        with pipe.open("w"):  # opens when the process waits at the other end
            for trial in range(1, 50):
                made.put(wish(trial))
            assert made.status.state is GeneratingState.WORKING
            assert (made.status.dropped, made.status.waiting) == (48, 2) and adds_up(made)
        assert [heard.next_complete().wish.trial for _ in range(2)] == [0, 49]
        assert made.idle(PATIENCE_S)
        assert made.status.made == 2


def test_what_barely_moved_within_a_trial_is_skipped():
    heard = Heard()
    with generating(gate=Gate(0.9999), heard=heard) as made:
        made.put(wish(1, stage="static"))
        assert heard.next_complete().wish.stage == "static"
        assert made.idle(PATIENCE_S)
        made.put(wish(1, stage="refined"))
        assert made.idle(PATIENCE_S) and made.status.skipped == 1
        made.put(wish(1, "table", stage="fused"))
        assert heard.next_complete().wish.category == "table", "it says something else"
        assert made.idle(PATIENCE_S)
        made.put(wish(2, "table"))
        assert heard.next_complete().wish.trial == 2
        assert made.make(wish(2, "table")).complete, "who waits for it gets it"


def test_what_is_made_aside_is_told_to_who_waits_alone_and_is_not_counted():
    heard = Heard()
    with generating(heard=heard) as made:
        assert made.make(replace(wish(1), aside=True)).complete
        assert (made.status.put, made.status.made) == (0, 0)
        made.put(wish(2))
        assert heard.next_complete().wish.trial == 2, "nobody heard of the first"
    assert made.status.put == made.status.made == 1


def test_pictures_go_on_while_a_mesh_takes_long_and_the_newest_of_those_that_wait_wins(pipe):
    heard = Heard()
    with generating(Opens(beside=True), heard=heard) as made:
        made.put(wish(0, "mesh hold", str(pipe), "fused"))
        first = heard.next_complete()
        assert first.mesh is None and first.mesh_comes is MeshComes.LATER
        with pipe.open("w"):  # opens when the mesh is being made
            for trial in range(1, 4):
                made.put(wish(trial, stage="fused"))
                assert heard.next_complete().wish.trial == trial
            assert made.make(replace(wish(9), aside=True)).complete, "and by now the last of them is counted"
            assert not made.idle(0.0) and made.status.made == 4
            assert made.status.meshes == MeshCounts(dropped=2, waiting=2)
        late = [heard.next_complete(late=True) for _ in range(2)]
        assert made.idle(PATIENCE_S)
    assert late[0].wish is first.wish and late[0].picture is first.picture and not late[0].mesh.faces.flags.writeable
    assert late[1].wish.trial == 3 and [kind for kind, _ in late[1].ms] == ["picture", "mesh"]
    assert made.status.meshes == MeshCounts(made=2, dropped=2)


def test_of_a_trial_the_last_answer_alone_gets_a_mesh_that_takes_long():
    heard = Heard()
    with generating(Opens(beside=True), Gate(0.9999), heard) as made:
        for trial, stage, category in ((1, "static", "cup"), (1, "refined", "chair"), (1, "fused", "chair")):
            made.put(wish(trial, category, stage=stage))
            assert made.idle(PATIENCE_S)
        assert made.status.skipped == 1, "fused says what refined did"
        assert heard.next_complete(late=True).wish.stage == "refined"
        made.put(wish(2, stage="refined"))
        assert made.idle(PATIENCE_S)
        made.put(wish(3, stage="static"))  # the second trial was broken off
        late = heard.next_complete(late=True)
        assert (late.wish.trial, late.wish.stage) == (2, "refined")
        assert made.idle(PATIENCE_S)
        made.no_more()
        assert heard.next_complete(late=True).wish.trial == 3
        assert made.idle(PATIENCE_S) and made.status.meshes == MeshCounts(made=3)


def test_a_mesh_that_fails_is_told_and_takes_nothing_along():
    heard = Heard()
    with generating(Opens(beside=True), heard=heard) as made:
        made.put(wish(1, "mesh memory", stage="fused"))
        late = heard.next_complete(late=True)
        assert late.error == "mesh: MemoryError: no room for a mesh" and late.picture is not None
        made.put(wish(2, "mesh die", stage="fused"))
        late = heard.next_complete(late=True)
        assert late.wish.trial == 2 and late.error.startswith("mesh: ") and "killed" in late.error
        made.put(wish(3, stage="fused"))
        assert heard.next_complete(late=True).mesh is not None
        assert made.idle(PATIENCE_S)
    assert (made.status.made, made.status.failed, made.status.restarts) == (3, 0, 1)
    assert made.status.meshes == MeshCounts(made=1, failed=2)


def test_who_waits_for_an_answer_gets_it_with_its_mesh_and_none_is_dropped():
    heard = Heard()
    with generating(Opens(beside=True), heard=heard) as made:
        whole = [made.make(wish(trial, stage="refined")) for trial in range(3)]
        assert all(one.mesh is not None and one.mesh_comes is MeshComes.WITH for one in whole)
        assert [heard.next_complete().wish.trial for _ in range(3)] == [0, 1, 2]
        failed = made.make(wish(4, "mesh memory"))
        assert "no room" in failed.error and failed.picture is not None
        assert "killed" in made.make(wish(5, "mesh die")).error
    assert (made.status.made, made.status.failed, made.status.restarts) == (3, 2, 2)
    assert (made.status.meshes.made, made.status.meshes.dropped) == (3, 0)


def test_closing_drops_a_mesh_that_is_being_made_and_one_that_waits(pipe):
    heard = Heard()
    with generating(Opens(beside=True), heard=heard) as made:
        made.put(wish(0, "mesh hold", str(pipe), "fused"))
        with pipe.open("w"):
            made.put(wish(1, stage="fused"))
            assert [heard.next_complete().wish.trial for _ in range(2)] == [0, 1]
            process = psutil.Process(made.pid)
            made.close()
            assert not process.is_running()
    assert made.status.meshes == MeshCounts(dropped=2) and made.status.made == 2


def test_a_failure_is_told_with_what_came_before_it_and_the_process_goes_on():
    errors = {
        "memory": "MemoryError: no room",
        "refuse": "it found no surface",
        "bug": "ZeroDivisionError: by nought",
        "stop": "stopped before trial 1 was complete",
    }
    with generating() as made:
        for category, error in errors.items():
            failed = made.make(wish(1, category))
            assert failed.complete and error in failed.error and failed.picture is not None
        assert made.make(wish(2)).caption == str(made.pid)
        assert (made.status.failed, made.status.made, made.status.restarts) == (4, 1, 0)


def test_a_killed_process_is_started_again_and_its_last_words_are_kept():
    heard = Heard()
    with generating(heard=heard) as made:
        made.put(wish(1, "die"))
        failed = heard.next_complete()
        assert failed.wish.trial == 1 and "killed" in failed.error
        made.put(wish(2))
        assert heard.next_complete().wish.trial == 2
        assert made.idle(PATIENCE_S)
        status = made.status
    assert (status.failed, status.made, status.restarts) == (1, 1, 1)
    assert "exit status -9" in status.reason and status.state is GeneratingState.READY


def test_a_process_killed_while_nothing_is_wished_is_noticed():
    with generating() as made:
        made.opened(PATIENCE_S)
        os.kill(made.pid, signal.SIGKILL)
        assert made.make(wish(1)).complete
        assert made.status.restarts == 1


def test_what_somebody_waits_for_is_tried_again_on_a_new_process(tmp_path):
    with generating() as made:
        assert not made.make(wish(1, "die once", str(tmp_path / "died"))).error
        assert (made.status.made, made.status.failed, made.status.restarts) == (1, 0, 1)
        assert "killed" in made.make(wish(2, "die")).error
        assert (made.status.made, made.status.failed, made.status.restarts) == (1, 1, 3)
        assert not made.make(wish(3)).error


def test_it_gives_up_after_some_crashes_in_a_row_and_says_so():
    with generating(Opens(dies=True)) as made:
        with pytest.raises(WorkError, match=f"given up after {MAX_CRASHES} crashes in a row.*exit status -9"):
            made.opened(PATIENCE_S)
        assert made.status.state is GeneratingState.DEAD and "given up" in made.status.reason
        made.put(wish(1))
        assert "given up" in made.make(wish(2)).error
    assert made.status.failed == 2 and made.status.state is GeneratingState.DEAD


def test_a_refusal_is_final_and_comes_as_it_was_raised():
    with generating(Opens(refuses=True)) as made:
        with pytest.raises(InputError, match="install one"):
            made.opened(PATIENCE_S)
        assert made.status.restarts == 0 and "install one" in made.make(wish(1)).error


def test_closing_ends_a_process_that_is_at_work_and_drops_what_waits(pipe):
    with generating() as made:
        made.put(wish(0, "hold", str(pipe)))
        with pipe.open("w"):
            made.put(wish(1))
            process = psutil.Process(made.pid)
            made.close()
            assert not process.is_running()
    assert made.status.dropped == 2
    with pytest.raises(WorkError, match="closed"):
        made.make(wish(2))


def test_a_listener_that_fails_is_visible():
    def fails(_):
        raise ZeroDivisionError("in the listener")

    with generating(heard=fails) as made:
        assert "in the listener" in made.make(wish(1)).error
        assert made.status.state is GeneratingState.DEAD and made.status.failed == 1


PARENT = """
    import signal
    from pipeline.generating import Generating
    from tests.pipeline.pretend_generators import Opens

    if __name__ == "__main__":
        with Generating(Opens()) as made:
            made.opened(100.0)
            print(made.pid, flush=True)
            signal.pause()
"""


def test_it_leaves_when_its_parent_dies(tmp_path):
    program = tmp_path / "parent.py"
    program.write_text(textwrap.dedent(PARENT))
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen([sys.executable, str(program)], stdout=subprocess.PIPE, text=True, env=environment) as parent:
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    psutil.wait_procs([child], timeout=PATIENCE_S)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
