"""Whether TensorRT has what `engines.runtime.trt` calls: asked of NVIDIA's bindings where they can be imported."""

from functools import reduce
from types import ModuleType

import pytest

from engines.runtime.trt import NAMES
from tests.engines.runtime import fake_tensorrt


def bindings() -> ModuleType:
    try:
        import tensorrt
    except (ImportError, OSError) as error:
        pytest.skip(f"TensorRT's Python bindings cannot be imported here: {error}")
    return tensorrt


def test_the_bindings_have_every_name_that_is_used():
    trt = bindings()
    missing = []
    for name in NAMES:
        try:
            reduce(getattr, name.split("."), trt)
        except AttributeError:
            missing.append(name)
    assert not missing, f"TensorRT {trt.__version__} lacks {missing}"


@pytest.mark.parametrize(
    ("name", "signature"),
    [
        ("Builder.create_network", "flags: "),
        ("IOptimizationProfile.set_shape", "input: str, min: tensorrt."),
        ("IBuilderConfig.set_timing_cache", "ignore_mismatch: bool) -> bool"),
        ("IExecutionContext.set_tensor_address", "name: str, memory: "),
        ("IExecutionContext.execute_async_v3", "stream_handle: "),
        ("ParserError.node_operator", "-> str"),
    ],
)
def test_the_bindings_take_the_arguments_that_are_given(name, signature):
    assert signature in reduce(getattr, name.split("."), bindings()).__doc__


def test_their_log_accepts_a_subclass_with_the_severities_that_are_translated():
    from engines.runtime.trt import _LEVELS, _logger_of

    trt = bindings()
    assert set(trt.ILogger.Severity.__members__) == set(_LEVELS)
    logger = _logger_of(trt)
    logger.log(trt.ILogger.Severity.ERROR, "an error")
    assert logger.last == "an error"


def test_the_stand_in_offers_what_is_used_and_nothing_else():
    offered = set()
    for name, thing in vars(fake_tensorrt).items():
        if isinstance(thing, type) and thing.__module__ == fake_tensorrt.__name__ and name[0] != "_":
            members = [m for m in vars(thing) if m[0] != "_"] + (["num_io_tensors"] if name == "ICudaEngine" else [])
            offered |= {f"{name}.{m}" for m in members + (["num_errors"] if name == "OnnxParser" else [])}
    used = {name for name in NAMES if "." in name}
    only_here = {n for n in offered - used if not n.startswith(("FakeDevice", "INetworkDefinition"))}
    assert only_here == set()
    assert used - offered == set()
