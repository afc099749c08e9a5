"""One table of networks drives every test that all of them must pass."""

import importlib
import inspect
import pkgutil
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import onnxruntime
import pytest
import torch
import tqdm

import engines.models
from engines.errors import InputError
from engines.models.base import Network, n_parameters, step, work
from engines.models.brainssd import VARIANTS, BrainSsd, BrainSsdConfig
from engines.models.enigma import Enigma, EnigmaConfig
from engines.models.neuro3d import Neuro3d, Neuro3dConfig


class Row(NamedTuple):
    """`small` is the same graph with few features; `million` parameters and multiply-adds of the full size.

    Published are Neuro-3D's parameters and the whole of BrainSSD (`test_brainssd.py`); the rest is what ours
    count, held here so that documents stay true.

    `moot` ends the names of parameters that change nothing, by the published design: the bias of keys adds the same
    to all scores of a query, and a norm takes away what a bias right before it adds.
    """

    network: type[Network]
    full: object
    small: object
    million: float
    million_multiply_adds: float
    moot: tuple[str, ...] = ("attention.key.bias",)


def small_brainssd(config: BrainSsdConfig) -> BrainSsdConfig:
    return replace(
        config, n_channels=4, width=16, heads=2, feed_forward=32, cross_feed_forward=16, gate_width=16, token_width=2,
        tokens=10, static_samples=250, dynamic_samples=200, dim=12, categories=5, colours=3,
    )  # fmt: skip


def brainssd(name: str, million: float, million_multiply_adds: float) -> Row:
    return Row(BrainSsd, VARIANTS[name], small_brainssd(VARIANTS[name]), million, million_multiply_adds)


TABLE = {
    "brainssd": brainssd("brainssd", 4.497, 367.9),
    "without hierarchy": brainssd("without hierarchy", 3.256, 305.3),
    "without coupling": brainssd("without coupling", 4.208, 362.6),
    "static only": brainssd("static only", 3.211, 109.8),
    "dynamic only": brainssd("dynamic only", 3.211, 246.8),
    "concatenation": brainssd("concatenation", 4.066, 354.7),
    "coupling within": brainssd("coupling within", 4.497, 367.9),
    "gated weights": brainssd("gated weights", 4.497, 367.9),
    "alpha phase": brainssd("alpha phase", 4.497, 367.9),
    "theta-alpha phase": brainssd("theta-alpha phase", 4.497, 367.9),
    "pooled first": brainssd("pooled first", 4.497, 102.4),
    "neuro3d": Row(
        Neuro3d,
        Neuro3dConfig(),
        Neuro3dConfig(4, 50, 60, feed_forward=8, cross_feed_forward=8, points=20, features=6, dim=12, categories=5),
        3.707,
        504.4,
        moot=("attention.key.bias", "feature.bias"),
    ),
    "enigma": Row(
        Enigma,
        EnigmaConfig(),
        EnigmaConfig(n_channels=4, n_samples=60, subjects=3, filters=6, dim=12),
        1.972,
        13.47,
        moot=("trunk.0.filters.bias", "trunk.3.bias"),
    ),
}
every = pytest.mark.parametrize("name", TABLE)
# Each kind of graph once; the other variants are parts of these, or differ in numbers only.
GRAPHS = ("brainssd", "coupling within", "gated weights", "pooled first", "dynamic only", "concatenation", "neuro3d",
          "enigma")  # fmt: skip


def small(name: str) -> Network:
    torch.manual_seed(0)
    return TABLE[name].network(TABLE[name].small)


def inputs_of(network: Network, batch: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Noise; whole numbers of what they count, every one of them at least once in a large batch."""
    random = np.random.default_rng(seed)
    below = {"n_dynamic": 201, "subject": 3}
    found = {}
    for tensor in network.spec().inputs:
        if tensor.dtype == "float32":
            found[tensor.name] = random.standard_normal(tensor.shape(batch)).astype(np.float32)
        else:
            found[tensor.name] = np.arange(1, batch + 1, dtype=np.int64) * 67 % below[tensor.name]
    return found


def tensors(arrays):
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


def test_every_network_of_the_package_is_in_the_table():
    modules = [
        importlib.import_module(f"engines.models.{module.name}")
        for module in pkgutil.iter_modules(engines.models.__path__)
    ]
    found = {
        value
        for module in modules
        for value in vars(module).values()
        if inspect.isclass(value) and issubclass(value, Network) and not inspect.isabstract(value)
    }
    assert found == {row.network for row in TABLE.values()}
    assert set(VARIANTS) == {name for name, row in TABLE.items() if row.network is BrainSsd}


@every
def test_parameters_and_arithmetic_of_the_full_size_are_what_documents_say(name):
    row = TABLE[name]
    network = row.network(row.full)
    assert n_parameters(network) / 1e6 == pytest.approx(row.million, abs=0.001)
    assert work(network).multiply_adds / 1e6 == pytest.approx(row.million_multiply_adds, abs=0.1)


@pytest.mark.parametrize("name", ["brainssd", "neuro3d", "enigma"])
def test_arithmetic_is_counted_where_the_network_is(name):
    assert work(small(name).to("meta")) == work(small(name))


@every
def test_what_comes_out_is_what_the_specification_says(name):
    network = small(name).eval()
    spec = network.spec()
    for batch in (1, 3):
        arrays = inputs_of(network, batch)
        spec.require(arrays)
        outputs = step(network, arrays)
        spec.require_outputs(outputs)
        assert all(np.isfinite(values).all() for values in outputs.values())
    named = network(**tensors(arrays))
    assert named._fields == tuple(outputs)


@every
def test_an_input_that_does_not_fit_is_refused(name):
    network = small(name).eval()
    arrays = inputs_of(network, 2)
    first = next(iter(arrays))
    with pytest.raises(InputError, match=f"expected {first}: float32"):
        step(network, arrays | {first: arrays[first][..., 1:]})


@every
def test_gradients_reach_every_parameter(name):
    network = small(name).double().train()
    arrays = {key: x.astype(np.float64) if x.dtype == np.float32 else x for key, x in inputs_of(network, 6).items()}
    outputs = network(**tensors(arrays))
    random = torch.Generator().manual_seed(0)
    sum((out * torch.randn(out.shape, generator=random, dtype=out.dtype)).sum() for out in outputs).backward()
    largest = {key: float(p.grad.abs().max()) for key, p in network.named_parameters()}
    median = float(np.median(list(largest.values())))
    unreached = [key for key, value in largest.items() if value < 1e-9 * median]
    assert unreached == [key for key in largest if key.endswith(TABLE[name].moot)]
    assert all(p.grad.isfinite().all() for p in network.parameters())


@every
def test_a_trial_does_not_depend_on_its_batch(name):
    network = small(name).eval()
    arrays = inputs_of(network, 4)
    together = step(network, arrays)
    for trial in range(4):
        alone = step(network, {key: array[trial : trial + 1] for key, array in arrays.items()})
        for key in together:
            np.testing.assert_allclose(alone[key][0], together[key][trial], atol=2e-6, rtol=1e-5)


@every
def test_evaluation_is_deterministic_and_changes_nothing(name):
    network = small(name).eval()
    arrays = inputs_of(network, 3)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    first, second = step(network, arrays), step(network, arrays)
    assert all(np.array_equal(first[key], second[key]) for key in first)
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


@every
def test_the_same_seed_makes_the_same_network(name):
    first, second = small(name).state_dict(), small(name).state_dict()
    assert list(first) == list(second)
    assert all(torch.equal(first[key], second[key]) for key in first)


def exported(network: Network, path) -> onnxruntime.InferenceSession:
    spec = network.spec()
    example = tensors({tensor.name: tensor.zeros(2) for tensor in spec.inputs})
    batch = torch.export.Dim("batch", min=1, max=4096)
    program = torch.onnx.export(
        network,
        kwargs=example,
        dynamo=True,
        dynamic_shapes={tensor.name: {0: batch} for tensor in spec.inputs},
        input_names=[tensor.name for tensor in spec.inputs],
        output_names=[tensor.name for tensor in spec.outputs],
        verbose=False,
    )
    program.save(path)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


# torch.onnx warns of its own doings.
@pytest.mark.filterwarnings("ignore:.*LeafSpec.*:FutureWarning", "ignore:.*will not be used:UserWarning")
@pytest.mark.slow
@pytest.mark.parametrize("name", GRAPHS)
def test_the_exported_graph_gives_the_same_at_any_batch_size(name, tmp_path, monkeypatch):
    monkeypatch.setattr(tqdm.tqdm, "monitor_interval", 0)  # the exporter's progress bars would leave a thread
    network = small(name).eval()
    session = exported(network, tmp_path / "network.onnx")
    spec = network.spec()
    assert [node.name for node in session.get_inputs()] == [tensor.name for tensor in spec.inputs]
    for batch in (1, 3):
        arrays = inputs_of(network, batch)
        for tensor, came in zip(spec.outputs, session.run(None, arrays), strict=True):
            np.testing.assert_allclose(came, step(network, arrays)[tensor.name], atol=1e-5, rtol=0)
