import json
import logging
from pathlib import Path

import numpy as np
import pytest

from engines.errors import InputError
from engines.runtime import base
from engines.runtime.agreement import TOLERANCES, compare
from engines.runtime.cache import EngineCache
from engines.runtime.errors import EngineFailed
from engines.runtime.ort import OnnxRuntime
from engines.runtime.seeded import seeded
from engines.runtime.trt import TensorRt, engine_key
from engines.runtime.types import Options
from tests.engines.runtime import fake_tensorrt
from tests.engines.runtime.small import RANGES


@pytest.fixture(autouse=True)
def fresh():
    fake_tensorrt.calls.clear()
    fake_tensorrt.faults.clear()
    yield
    fake_tensorrt.faults.clear()


def opened(exported, cache: Path, most: int = 8) -> TensorRt:
    return TensorRt(exported, Options(most=most, cache=cache), fake_tensorrt, fake_tensorrt.FakeDevice())


def test_an_engine_is_built_strongly_typed_without_tf32_for_a_range_of_batches(exported, tmp_path):
    opened(exported, tmp_path)
    assert fake_tensorrt.calls == [
        "Runtime",
        "create_network 2",
        "parse",
        "clear_flag TF32",
        "set_shape eeg (1, 4, 20) (1, 4, 20) (8, 4, 20)",
        "set_shape n (1,) (1,) (8,)",
        "add_optimization_profile",
        "set_timing_cache False True",
        "build_serialized_network",
        "deserialize_cuda_engine",
    ]


def test_a_step_copies_sets_shapes_and_addresses_runs_and_waits(exported, tmp_path):
    runtime = opened(exported, tmp_path)
    fake_tensorrt.calls.clear()
    inputs = seeded(exported.spec, 3, 0, RANGES)
    outputs = runtime(inputs)
    assert fake_tensorrt.calls == [
        *("copy", "copy", "set_input_shape eeg (3, 4, 20)", "set_input_shape n (3,)"),
        *(f"set_tensor_address {name}" for name in ("eeg", "n", "embedding", "category")),
        *("execute_async_v3 77", "copy", "copy", "wait"),
    ]
    for found in compare(exported.spec, OnnxRuntime(exported, Options())(inputs), outputs):
        assert found.within(TOLERANCES["float32"])


def test_answers_are_the_callers_and_stay_when_it_is_called_again(exported, tmp_path):
    runtime = opened(exported, tmp_path)
    first = runtime(seeded(exported.spec, 2, 0, RANGES))["category"]
    kept = first.copy()
    runtime(seeded(exported.spec, 2, 1, RANGES))
    np.testing.assert_array_equal(first, kept)


def test_a_kept_engine_is_loaded_without_building(exported, tmp_path):
    opened(exported, tmp_path)
    fake_tensorrt.calls.clear()
    opened(exported, tmp_path)
    assert fake_tensorrt.calls == ["Runtime", "deserialize_cuda_engine"]


def test_another_range_of_batches_is_another_engine_that_uses_the_timings_of_the_first(exported, tmp_path):
    opened(exported, tmp_path)
    fake_tensorrt.calls.clear()
    opened(exported, tmp_path, most=4)
    assert "set_timing_cache True True" in fake_tensorrt.calls
    assert "build_serialized_network" in fake_tensorrt.calls


def test_timings_that_tensorrt_refuses_are_measured_anew(exported, tmp_path):
    opened(exported, tmp_path)
    (timings,) = tmp_path.glob("*.timings")
    timings.write_text(json.dumps({"version": "10.0"}))
    opened(exported, tmp_path, most=4)
    assert fake_tensorrt.calls[-4:-1] == [
        "set_timing_cache True False",
        "set_timing_cache False True",
        "build_serialized_network",
    ]
    assert json.loads(timings.read_text())["version"] == fake_tensorrt.__version__


def test_the_key_holds_graph_shapes_precision_gpu_driver_and_version(exported):
    key = engine_key(exported, Options(most=8), "11.4.0", fake_tensorrt.FakeDevice())
    assert key.onnx_sha256 == exported.graphs["float32"].sha256
    assert key.shapes == "eeg (1, 4, 20) (1, 4, 20) (8, 4, 20); n (1,) (1,) (8,)"
    assert (key.precision, key.gpu, key.driver, key.tensorrt) == ("float32", "Fake GPU, compute 0.0", "1.0", "11.4.0")


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("parse", r"Erfinv node_0: no importer \(0\); Erfinv node_1: no importer \(1\)"),
        ("profile", "does not take the shapes"),
        ("build", "Could not find any implementation"),
        ("context", "no execution context on Fake GPU"),
        ("dtype", "export the network again"),
    ],
)
def test_what_tensorrt_cannot_do_is_told_with_its_reasons(exported, tmp_path, fault, told):
    fake_tensorrt.faults.add(fault)
    with pytest.raises(EngineFailed, match=told):
        opened(exported, tmp_path)
    if fault in ("parse", "profile", "build"):
        assert not list(tmp_path.glob("*.engine"))


@pytest.mark.parametrize(("fault", "told"), [("shape", "set_input_shape for eeg"), ("execute", "did not run")])
def test_a_step_that_fails_is_an_error(exported, tmp_path, fault, told):
    runtime = opened(exported, tmp_path)
    fake_tensorrt.faults.add(fault)
    with pytest.raises(EngineFailed, match=told):
        runtime.warm_up()


def test_a_batch_beyond_the_engines_is_refused(exported, tmp_path):
    with pytest.raises(InputError, match="up to 8; got 9"):
        opened(exported, tmp_path)(seeded(exported.spec, 9, 0, RANGES))


def test_what_tensorrt_logs_goes_to_the_log(exported, tmp_path, caplog):
    fake_tensorrt.faults.add("build")
    with caplog.at_level(logging.WARNING), pytest.raises(EngineFailed):
        opened(exported, tmp_path)
    assert ("engines.runtime.trt", logging.ERROR, "Could not find any implementation for node foreign") in (
        caplog.record_tuples
    )


def test_it_is_opened_through_the_one_door_and_describes_itself(exported, tensorrt):
    runtime = base.open_runtime(exported.folder)
    assert str(runtime.describe()).startswith("tensorrt (TensorRT 11.4.0, Fake GPU, compute 0.0), float32, Small ")


def test_a_graph_that_changed_gets_an_engine_of_its_own(exported, copied, tmp_path):
    opened(exported, tmp_path)
    changed = copied.with_graph("float32", type(copied.graphs["float32"])("f" * 64, ()))
    device = fake_tensorrt.FakeDevice()
    keys = [engine_key(e, Options(most=8), "11.4.0", device) for e in (exported, changed)]
    assert [EngineCache(tmp_path).path(key).exists() for key in keys] == [True, False]
