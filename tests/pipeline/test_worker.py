import threading

import pytest

from pipeline.worker import State, Worker


def test_a_worker_runs_its_step_until_there_is_nothing_more_to_do() -> None:
    left = iter([True, True, False])
    worker = Worker("count", lambda: next(left))
    worker.start()
    assert worker.join(5.0)
    assert worker.health.state is State.STOPPED
    assert next(left, "all used") == "all used"


def test_a_worker_that_dies_keeps_its_traceback_and_can_be_started_again(caplog: pytest.LogCaptureFixture) -> None:
    broken = True
    ran = threading.Event()

    def step() -> bool:
        if broken:
            raise ZeroDivisionError("by design")
        ran.set()
        return False

    worker = Worker("fragile", step)
    worker.start()
    worker.join(5.0)
    assert worker.health.state is State.FAILED
    assert "by design" in worker.health.traceback
    broken = False
    worker.start()
    assert ran.wait(5.0)
    worker.join(5.0)
    assert (worker.health.state, worker.health.n_restarts) == (State.STOPPED, 1)


def test_stopping_ends_the_thread_between_two_steps() -> None:
    stepped = threading.Event()

    def step() -> bool:
        stepped.set()
        return True

    worker = Worker("endless", step)
    worker.start()
    assert stepped.wait(5.0)
    assert worker.stop()
    assert worker.health.state is State.STOPPED
