"""Whether TensorRT has what `engines.runtime.trt` calls, by the same names: asked of the lists of NVIDIA's bindings of
TensorRT 10 and 11, and of the bindings themselves where they can be imported."""

import inspect
import re
from types import ModuleType

import pytest

from engines.runtime.trt import NAMES
from tests.engines.runtime import fake_tensorrt
from tests.engines.runtime.tensorrt_names import VERSIONS, kept, listed

# Constructed by us.
MADE = ("Builder.__init__", "OnnxParser.__init__", "Runtime.__init__")
HERE = "those installed"


def bindings() -> ModuleType:
    try:
        import tensorrt
    except (ImportError, OSError) as error:
        pytest.skip(f"TensorRT's Python bindings cannot be imported here: {error}")
    return tensorrt


@pytest.fixture(params=[*VERSIONS, HERE])
def names(request: pytest.FixtureRequest) -> dict[str, list[str]]:
    """{name: ways to call it} of some bindings."""
    return listed(bindings()) if request.param == HERE else kept(request.param)


def arguments(call: str) -> list[str]:
    """Of "(self: tensorrt.Builder, flags: int = 0) -> tensorrt.INetworkDefinition": self and flags."""
    return re.findall(r"[(,] ?(\w+): ", call)


def test_the_bindings_have_every_name_that_is_used(names):
    assert [name for name in NAMES if name not in names] == []


def test_the_bindings_take_the_arguments_that_are_given(names):
    """The stand-in, to which all of our calls were made, takes the first arguments of the real ones, named alike."""
    compared = 0
    for name in (*NAMES, *MADE):
        owner, _, member = name.partition(".")
        ours = vars(getattr(fake_tensorrt, owner)).get(member) if member else None
        if inspect.isfunction(ours):
            given = list(inspect.signature(ours).parameters)
            assert any(arguments(call)[: len(given)] == given for call in names[name]), (name, given, names[name])
            compared += 1
    assert compared == 27


def test_their_log_has_the_severities_that_are_translated(names):
    from engines.runtime.trt import _LEVELS

    prefix = "ILogger.Severity."
    members = {name.removeprefix(prefix) for name in names if name.startswith(prefix)}
    assert {member for member in members if member.isupper()} == set(_LEVELS)


def test_precision_flags_of_tensorrt_10_are_gone_in_11_and_none_is_used():
    ten, eleven = (kept(version) for version in VERSIONS)
    gone = set(ten) - set(eleven)
    assert {"BuilderFlag.FP16", "BuilderFlag.INT8", "NetworkDefinitionCreationFlag.EXPLICIT_BATCH"} <= gone
    assert not gone & set(NAMES)


def test_their_log_accepts_a_subclass():
    from engines.runtime.trt import _logger_of

    trt = bindings()
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
