import subprocess
import sys

import numpy as np
import onnx
import pytest

from engines.errors import InputError, WorkError
from engines.runtime import ort
from engines.runtime.errors import BadModel
from engines.runtime.files import sha256
from engines.runtime.folder import Graph
from engines.runtime.ort import OnnxRuntime, session_options
from engines.runtime.seeded import seeded
from engines.runtime.types import Options
from tests.engines.runtime.small import RANGES


def test_one_thread_that_never_spins_is_the_default(exported):
    options = session_options(Options().threads)
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (1, 1)
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"
    assert "CPU, 1 thread" in str(OnnxRuntime(exported, Options()).describe())


def test_opening_and_calling_it_imports_no_torch(exported):
    code = (
        "import sys; from pathlib import Path; from engines.runtime.base import open_runtime;"
        f"runtime = open_runtime(Path({str(exported.folder)!r}), ['tensorrt', 'onnx']); runtime.warm_up(2);"
        "print(runtime.name, 'torch' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert told.stdout.split() == ["onnx", "False"]


def test_inputs_that_do_not_fit_are_refused(exported):
    runtime = OnnxRuntime(exported, Options())
    with pytest.raises(InputError, match="eeg"):
        runtime({"eeg": np.zeros((1, 4, 21), np.float32), "n": np.zeros(1, np.int64)})


def test_answers_do_not_change_when_the_runtime_is_called_again(exported):
    runtime = OnnxRuntime(exported, Options())
    first = runtime(seeded(exported.spec, 2, 0, RANGES))
    kept = {name: array.copy() for name, array in first.items()}
    runtime(seeded(exported.spec, 2, 1, RANGES))
    for name, array in first.items():
        np.testing.assert_array_equal(array, kept[name])


def with_graph(copied, model):
    path = copied.folder / "model.onnx"
    path.write_bytes(model if isinstance(model, bytes) else model.SerializeToString())
    return copied.with_graph("float32", Graph(sha256(path), ()))


def test_bytes_that_are_no_graph_are_told_as_such(copied):
    with pytest.raises(BadModel, match="cannot load"):
        OnnxRuntime(with_graph(copied, b"not a graph"), Options())


def test_a_graph_with_other_tensors_than_its_specification_is_refused(copied):
    model = onnx.load(copied.graph_path("float32"))
    del model.graph.output[1]
    with pytest.raises(BadModel, match="category"):
        OnnxRuntime(with_graph(copied, model), Options())


def test_a_provider_that_could_not_be_loaded_is_an_error_and_no_silent_cpu(exported, monkeypatch):
    monkeypatch.setattr(ort, "CUDA", "AzureExecutionProvider")  # listed here; stands behind the CPU after loading
    monkeypatch.setattr(ort.onnxruntime.InferenceSession, "get_providers", lambda _: ["CPUExecutionProvider"])
    with pytest.raises(WorkError, match="uses CPUExecutionProvider"):
        OnnxRuntime(exported, Options(), cuda=True)
