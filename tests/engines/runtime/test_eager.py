from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from engines.errors import InputError
from engines.models.base import step
from engines.runtime.eager import Eager, Graphed
from engines.runtime.seeded import seeded
from engines.runtime.types import Options
from tests.engines.runtime.small import RANGES, Small


@pytest.fixture(autouse=True)
def threads():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_eager_is_the_networks_step_in_evaluation():
    network = Small().train()
    runtime = Eager(network, Options())
    inputs = seeded(network.spec(), 3, 0, RANGES)
    np.testing.assert_array_equal(runtime(inputs)["embedding"], step(Small().eval(), inputs)["embedding"])
    assert not network.training


def test_eager_refuses_half_precision_and_inputs_that_do_not_fit():
    with pytest.raises(InputError, match="float16"):
        Eager(Small(), Options(precision="float16"))
    with pytest.raises(InputError, match="n"):
        Eager(Small(), Options())({"eeg": np.zeros((1, 4, 20), np.float32)})


def test_the_description_says_what_runs():
    assert str(Eager(Small(), Options()).describe()).startswith(f"torch (torch {torch.__version__}, CPU, 1 thread)")


def test_a_graph_is_captured_once_for_each_batch_size_after_calls_on_a_side_stream(monkeypatch):
    """With a stand-in for torch.cuda; no GPU ever ran this. A replay repeats the kernels of the captured call."""
    told, network, reference = [], Small(), Small().eval()
    stream = SimpleNamespace(wait_stream=lambda _: told.append("wait"))
    forward = network.forward

    def kernels(**inputs):
        told.append("call")
        outputs = forward(**inputs)
        kernels.last = (inputs, outputs)
        return outputs

    def replay():
        told.append("replay")
        inputs, outputs = kernels.last
        with torch.inference_mode():
            for old, new in zip(outputs, forward(**inputs), strict=True):
                old.copy_(new)

    monkeypatch.setattr(network, "forward", kernels)
    fake = SimpleNamespace(
        Stream=lambda: stream,
        current_stream=lambda: stream,
        stream=lambda _: nullcontext(),
        CUDAGraph=lambda: SimpleNamespace(replay=replay),
        graph=lambda _: nullcontext(told.append("capture")),
        get_device_name=lambda: "stand-in",
    )
    monkeypatch.setattr(torch, "cuda", fake)
    runtime = Graphed(network, Options(), device="cpu")
    for seed in (0, 1):
        inputs = seeded(network.spec(), 2, seed, RANGES)
        np.testing.assert_array_equal(runtime(inputs)["category"], step(reference, inputs)["category"])
    assert told == ["wait", "call", "call", "call", "wait", "capture", "call", "replay", "replay"]
    runtime.warm_up(3)
    assert told.count("capture") == 2
    assert runtime.describe().device == "stand-in"
