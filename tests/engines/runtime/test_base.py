import logging
import subprocess
import sys

import pytest

from engines.errors import InputError
from engines.runtime import base
from engines.runtime.base import choose, open_runtime, why_not
from engines.runtime.errors import NoRuntime
from engines.runtime.types import Options
from tests.engines.runtime.small import Small


def test_the_door_itself_imports_no_back_end():
    code = (
        "import sys, engines.runtime.base;"
        "print([name for name in ('torch', 'onnx', 'onnxruntime', 'tensorrt') if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert told.stdout.strip() == "[]"


@pytest.fixture
def no_tensorrt(monkeypatch):
    """As on a machine without it, whatever this one has."""
    monkeypatch.setitem(sys.modules, "tensorrt", None)


def test_the_first_allowed_runtime_that_can_run_is_taken_logged_and_described(exported, no_tensorrt, caplog):
    with caplog.at_level(logging.INFO, "engines.runtime.base"):
        runtime = open_runtime(exported.folder, ("tensorrt", "onnx", "torch"))
    assert runtime.name == runtime.describe().runtime == "onnx"
    (line,) = caplog.messages
    assert line.startswith("runtime onnx (not tensorrt: TensorRT is not installed")
    assert "CPU, 1 thread" in line


def test_a_network_in_memory_is_run_by_torch(no_tensorrt):
    runtime = open_runtime(Small())
    assert runtime.name == "torch"
    assert choose(Small()).passed_over.keys() == {"tensorrt", "onnx"}


def test_without_any_allowed_runtime_the_error_says_what_to_install(exported, no_tensorrt):
    with pytest.raises(NoRuntime, match=r'pip install -e "\.\[tensorrt\]" on a machine with an NVIDIA GPU'):
        open_runtime(exported.folder, ["tensorrt"])


def test_a_runtime_without_its_package_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert "pip install" in (why_not("onnx") or "")


def test_a_folder_holds_no_network_for_torch_and_a_network_is_no_folder(exported):
    with pytest.raises(NoRuntime, match="holds the graph alone"):
        choose(exported, ["torch"])
    with pytest.raises(NoRuntime, match="export the network first"):
        choose(Small(), ["onnx"])


@pytest.mark.parametrize("allowed", [["tensorflow"], []])
def test_unknown_names_are_refused(allowed):
    with pytest.raises(InputError, match="tensorrt, onnx-cuda, onnx, torch-cuda, torch"):
        choose(Small(), allowed)


def test_a_runtime_that_is_there_and_fails_is_an_error_and_no_fallback(exported, monkeypatch):
    def fails(model, options):
        raise RuntimeError("out of memory")

    broken = base._Backend(graphs=True, missing=lambda: None, open=fails)
    monkeypatch.setitem(base._BACKENDS, "tensorrt", broken)
    with pytest.raises(RuntimeError, match="out of memory"):
        open_runtime(exported.folder, ["tensorrt", "onnx"])


@pytest.mark.parametrize("wrong", [{"precision": "int8"}, {"threads": 0}, {"most": 0}])
def test_options_that_no_runtime_takes_are_refused(wrong):
    with pytest.raises(InputError, match="expected"):
        Options(**wrong)
