import json

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from engines.errors import InputError
from engines.runtime.bench import bench, timed
from engines.runtime.check import check
from engines.runtime.errors import BadModel, NoRuntime
from engines.runtime.files import sha256
from engines.runtime.folder import Exported
from engines.runtime.half import add_half
from engines.runtime.types import Options
from tests.engines.runtime import fake_tensorrt


def tamper(folder, trust_again: bool) -> None:
    """Change the largest weight; with `trust_again` its hash too, as somebody would who means it."""
    path = folder / "model.onnx"
    model = onnx.load(path)
    weight = max((w for w in model.graph.initializer if w.data_type == 1), key=lambda w: len(w.raw_data))
    values = numpy_helper.to_array(weight).copy()
    values.flat[np.abs(values).argmax()] *= 1.2
    weight.CopyFrom(numpy_helper.from_array(values, weight.name))
    onnx.save(model, path)
    if trust_again:
        told = json.loads((folder / "spec.json").read_text())
        told["graphs"]["float32"]["sha256"] = sha256(path)
        (folder / "spec.json").write_text(json.dumps(told))


def test_runtimes_that_are_here_agree_and_the_others_say_what_to_install(exported, no_tensorrt):
    first, *others = check(exported)
    assert (first.runtime, first.precision, first.refused, first.absent) == ("onnx", "float32", "", "")
    assert [a.output for a in first.agreement] == ["embedding", "category"]
    absent = {c.runtime: c.absent for c in others}
    assert absent.keys() == {"tensorrt", "onnx-cuda", "torch-cuda", "torch"}
    assert "pip install" in absent["tensorrt"]
    assert "onnxruntime-gpu" in absent["onnx-cuda"]
    assert "holds the graph alone" in absent["torch"]


def test_a_tampered_weight_is_refused_by_its_hash(copied):
    tamper(copied.folder, trust_again=False)
    with pytest.raises(BadModel, match="was altered"):
        check(Exported.read(copied.folder))


def test_a_tampered_weight_is_refused_by_its_numbers_even_with_a_new_hash(copied):
    tamper(copied.folder, trust_again=True)
    first, *_ = check(Exported.read(copied.folder))
    assert "against eager torch" in first.refused
    assert "embedding:" in first.refused
    assert max(a.relative for a in first.agreement) > 1e-3


def test_an_engine_that_agrees_is_accepted_in_both_precisions(copied, tensorrt):
    found = check(add_half(copied))
    engines = [c for c in found if c.runtime == "tensorrt"]
    assert [(c.precision, c.refused, c.absent) for c in engines] == [("float32", "", ""), ("float16", "", "")]
    assert {(c.runtime, c.precision) for c in found if not c.absent} >= {("onnx", "float16"), ("onnx", "float32")}


def test_an_engine_that_disagrees_is_refused_with_the_numbers(exported, tensorrt):
    fake_tensorrt.faults.add("numbers")
    first, engine = check(exported)[:2]
    assert (first.refused, engine.runtime) == ("", "tensorrt")
    assert "against eager torch" in engine.refused
    assert "(0.01 of the largest), cosine 1.000000" in engine.refused


def test_an_engine_that_disagrees_for_several_trials_at_once_alone_is_refused(exported, tensorrt):
    fake_tensorrt.faults.add("batches")
    _first, engine, *_ = check(exported)
    assert "against ONNX Runtime in float32" in engine.refused
    assert "(0.01 of the largest), cosine 1.000000" in engine.refused


def test_an_engine_that_cannot_be_built_is_refused_with_the_reason(exported, tensorrt):
    fake_tensorrt.faults.add("build")
    refused = [c.refused for c in check(exported) if c.runtime == "tensorrt"]
    assert "Could not find any implementation" in refused[0]


def test_timings_are_taken_of_every_runtime_named(exported):
    (timing,) = bench(exported.folder, [("onnx", Options())], n=20, batch=2)
    assert (timing.runtime, timing.precision, timing.batch, timing.n) == ("onnx", "float32", 2, 20)
    assert 0 < timing.median_ms <= timing.p95_ms <= timing.p99_ms


def test_a_runtime_that_is_not_here_cannot_be_timed(exported, no_tensorrt):
    with pytest.raises(NoRuntime, match="TensorRT is not installed"):
        timed(exported.folder, "tensorrt", Options(), 1, 1)
    with pytest.raises(InputError, match="float16"):
        timed(exported.folder, "onnx", Options(precision="float16"), 1, 1)
