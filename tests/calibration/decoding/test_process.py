"""Real processes. Nothing is timed but that they leave, with room for a busy machine."""

import os
import signal
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
import torch

from calibration.decoding.process import Finished, Standing, TrainingProcess
from calibration.decoding.steps import Step
from engines.errors import InputError, WorkError
from tests.calibration.decoding.trained import fit, sets

PATIENCE_S = 100.0


@dataclass(frozen=True)
class Train:
    """Trains the small network; with `waits_at` it stays in that epoch until it is ended."""

    checkpoint: Path
    waits_at: int = 0

    def __call__(self, progress):
        def told(step):
            progress(step)
            if step.epoch == self.waits_at:
                signal.pause()

        fitted = fit(*sets(n_repeats=1), progress=told, checkpoint=self.checkpoint)
        return {name: value.tolist() for name, value in fitted.network.state_dict().items()}


@dataclass(frozen=True)
class Fail:
    error: Exception

    def __call__(self, progress):
        raise self.error


@dataclass(frozen=True)
class Tell:
    def __call__(self, progress):
        progress(Step(0.5, 1, 2, 1.0, 0.1))
        return {"nice": os.nice(0), "threads": torch.get_num_threads(), "pid": os.getpid()}


def news(training):
    """The next thing it says."""
    said = training.poll(PATIENCE_S)
    assert said is not None, "it said nothing"
    return said


def result(training):
    while not isinstance(said := news(training), Finished):
        pass
    return said.result


def test_an_order_is_carried_out_elsewhere_behind_everybody_else_on_few_threads():
    with TrainingProcess(Tell(), threads=1) as training:
        assert news(training) == Standing(Step(0.5, 1, 2, 1.0, 0.1), None)
        told = result(training)
    assert told["pid"] != os.getpid() and told["threads"] == 1
    assert told["nice"] == min(os.nice(0) + 10, 19)


def test_errors_of_the_order_arrive_as_they_are():
    with TrainingProcess(Fail(InputError("not like this"))) as training, pytest.raises(InputError, match="not like"):
        result(training)


def test_a_crash_is_told_with_its_traceback():
    with TrainingProcess(Fail(ZeroDivisionError("by nought"))) as training, pytest.raises(WorkError) as raised:
        result(training)
    assert "ZeroDivisionError: by nought" in str(raised.value)


@pytest.mark.slow
def test_a_killed_training_is_told_and_goes_on_from_its_checkpoint_to_the_same_weights(tmp_path):
    order = Train(tmp_path / "checkpoint.pt", waits_at=2)
    with TrainingProcess(order, threads=torch.get_num_threads()) as training:
        while not (isinstance(said := news(training), Standing) and said.step.epoch == 2):
            pass
        os.kill(training.pid, signal.SIGKILL)
        with pytest.raises(WorkError, match="killed before it could say why"):
            result(training)
    with TrainingProcess(Train(order.checkpoint), threads=torch.get_num_threads()) as training:
        first = news(training)
        assert first.step.epoch == 2 and first.seconds_left is None
        weights = result(training)
    whole = fit(*sets(n_repeats=1)).network.state_dict()
    assert all(torch.equal(torch.tensor(weights[name], dtype=value.dtype), value) for name, value in whole.items())


def test_a_stopped_training_leaves_at_once_and_keeps_its_checkpoint(tmp_path):
    order = Train(tmp_path / "checkpoint.pt", waits_at=1)
    with TrainingProcess(order) as training:
        assert news(training).step.epoch == 1
        process = psutil.Process(training.pid)
        training.stop()
        assert not process.is_running()
    assert order.checkpoint.is_file() and training.pid is None


PARENT = """
    import signal, sys
    from pathlib import Path
    from calibration.decoding.process import TrainingProcess
    from tests.calibration.decoding.test_process import Train

    if __name__ == "__main__":
        training = TrainingProcess(Train(Path(sys.argv[1]), waits_at=1))
        training.start()
        while training.poll(100.0) is None:
            pass
        print(training.pid, flush=True)
        signal.pause()
"""


@pytest.mark.slow
def test_a_training_leaves_when_its_parent_dies(tmp_path):
    program = tmp_path / "parent.py"
    program.write_text(textwrap.dedent(PARENT))
    root = Path(__file__).parents[3]
    environment = os.environ | {"PYTHONPATH": str(root)}
    command = [sys.executable, str(program), str(tmp_path / "checkpoint.pt")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    psutil.wait_procs([child], timeout=PATIENCE_S)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
