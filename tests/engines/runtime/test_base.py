import logging
import subprocess
import sys

import pytest

from engines.errors import InputError
from engines.runtime import base
from engines.runtime.base import choose, open_runtime, why_not
from engines.runtime.eager import Eager
from engines.runtime.errors import Disagreement, NoRuntime
from engines.runtime.half import add_half
from engines.runtime.types import Options
from tests.engines.runtime import fake_tensorrt
from tests.engines.runtime.small import Small


def test_the_door_itself_imports_no_back_end():
    code = (
        "import sys, engines.runtime.base;"
        "print([name for name in ('torch', 'onnx', 'onnxruntime', 'tensorrt') if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert told.stdout.strip() == "[]"


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


def test_an_engine_with_the_networks_numbers_is_opened_and_kept(exported, tensorrt):
    assert open_runtime(exported.folder, ["tensorrt"]).name == "tensorrt"
    assert len(list(tensorrt.glob("*.engine"))) == 1


@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_an_engine_with_other_numbers_is_refused_as_it_is_opened_and_not_kept(copied, tensorrt, precision):
    exported = add_half(copied)
    fake_tensorrt.faults.add("numbers" if precision == "float32" else "half numbers")
    with pytest.raises(Disagreement, match=r"against eager torch .* allow another runtime .*engines check") as refused:
        open_runtime(exported.folder, ["tensorrt", "onnx"], Options(precision=precision))
    told = "(0.01 of the largest)" if precision == "float32" else "(0.1 of the largest)"
    assert told in str(refused.value)
    assert list(tensorrt.glob("*.engine")) == []


def test_a_kept_engine_whose_numbers_changed_is_refused_and_built_again_the_next_time(exported, tensorrt):
    open_runtime(exported.folder, ["tensorrt"])
    fake_tensorrt.faults.add("numbers")
    with pytest.raises(Disagreement):
        open_runtime(exported.folder, ["tensorrt"])
    fake_tensorrt.faults.clear()
    open_runtime(exported.folder, ["tensorrt"])
    assert fake_tensorrt.calls.count("build_serialized_network") == 2


def test_engines_for_small_batches_are_compared_too(exported, tensorrt):
    fake_tensorrt.faults.add("numbers")
    with pytest.raises(Disagreement):
        open_runtime(exported.folder, ["tensorrt"], Options(most=1))


def test_a_network_for_torch_is_compared_with_what_it_was_exported_with(exported, monkeypatch):
    def opens(model, options):
        return Eager(Small(seed=1), options)

    monkeypatch.setitem(base._BACKENDS, "torch", base._Backend(True, lambda: None, opens))
    with pytest.raises(Disagreement, match="embedding"):
        open_runtime(exported, ["torch"])


@pytest.mark.parametrize("wrong", [{"precision": "int8"}, {"threads": 0}, {"most": 0}])
def test_options_that_no_runtime_takes_are_refused(wrong):
    with pytest.raises(InputError, match="expected"):
        Options(**wrong)
