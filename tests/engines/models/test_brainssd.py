import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from engines.errors import InputError
from engines.models.base import n_parameters, parameters_by_part, step, work
from engines.models.brainssd import FULL, VARIANTS, BrainSsd

SMALL = replace(
    FULL, n_channels=4, width=16, heads=2, feed_forward=32, cross_feed_forward=16, gate_width=16, token_width=4, dim=12
)


def network(config=SMALL):
    torch.manual_seed(0)
    return BrainSsd(config).eval()


def trials(net, batch=3, **given):
    random = np.random.default_rng(0)
    arrays = {
        t.name: random.standard_normal(t.shape(batch)).astype(np.float32)
        for t in net.spec().inputs
        if t.dtype == "float32"
    }
    if "dynamic" in arrays:
        arrays["n_dynamic"] = np.full(batch, 600)
    return arrays | given


def test_the_whole_network_keeps_the_published_budget_of_parameters():
    assert n_parameters(BrainSsd()) == pytest.approx(4.42e6, rel=0.05)


@pytest.mark.parametrize(
    ("without", "share", "of_arithmetic"), [("without hierarchy", 0.27, 0.16), ("without coupling", 0.07, 0.03)]
)
def test_hierarchy_and_coupling_cost_their_published_shares(without, share, of_arithmetic):
    full, less = BrainSsd(), BrainSsd(VARIANTS[without])
    assert (n_parameters(full) - n_parameters(less)) / n_parameters(full) == pytest.approx(share, abs=0.03)
    saved = work(full).multiply_adds - work(less).multiply_adds
    assert saved / work(full).multiply_adds == pytest.approx(of_arithmetic, abs=0.03)


def test_published_arithmetic_is_multiply_adds():
    assert work(BrainSsd()).multiply_adds == pytest.approx(0.36e9, rel=0.05)
    assert work(BrainSsd()).flops == 2 * work(BrainSsd()).multiply_adds


def test_a_level_counts_what_width_64_and_feed_forward_2048_come_to():
    per_level = 4 * (64 * 64 + 64) + 2 * 64 * 2048 + 2048 + 64 + 4 * 64
    per_cross = 4 * (64 * 64 + 64) + 2 * 64 * 256 + 256 + 64 + 4 * 64
    parts = parameters_by_part(BrainSsd())
    assert parts["static"] == parts["dynamic"] == 3 * per_level + 64 * 64 + 64
    assert parts["fusion"] == 3 * per_cross


VIEW = {
    "both": SMALL,
    "without coupling": replace(SMALL, pac=False),
    "concatenation": replace(SMALL, streams="concatenation", pac=False),
    "dynamic": replace(SMALL, streams="dynamic", pac=False),
    "within": replace(SMALL, coupling="within"),
    "pooled first": replace(SMALL, pyramid=False),
    "pre-norm": replace(SMALL, norm="pre"),
}


@pytest.mark.parametrize("view", VIEW)
@pytest.mark.parametrize("n", [0, 5, 120, 300, 599])
def test_what_has_not_been_recorded_yet_is_never_looked_at(view, n):
    net = network(VIEW[view])
    arrays = trials(net, n_dynamic=np.full(3, n))
    found = step(net, arrays)
    later = arrays["dynamic"].copy()
    later[..., n:] = np.nan
    for other in (later, np.where(np.isnan(later), np.float32(1e6), later)):
        again = step(net, arrays | {"dynamic": other})
        for name in found:
            assert np.array_equal(found[name], again[name]), name


@pytest.mark.parametrize("view", VIEW)
def test_more_of_the_turn_changes_the_answer_token_by_token(view):
    net = network(VIEW[view])

    def embedding(n):
        return step(net, trials(net, n_dynamic=np.full(3, n)))["embedding"]

    answers = [embedding(n) for n in (0, 12, 120, 600)]
    for earlier, later in itertools.pairwise(answers):
        assert np.abs(later - earlier).max() > 1e-4
    np.testing.assert_array_equal(embedding(12), embedding(23))


def test_the_static_path_alone_answers_and_tells_pictures_apart():
    net = network()
    arrays = trials(net, n_dynamic=np.zeros(3, np.int64), dynamic=np.zeros((3, 4, 600), np.float32))
    found = step(net, arrays)
    assert np.isfinite(found["embedding"]).all()
    assert np.abs(found["embedding"][0] - found["embedding"][1]).max() > 1e-2
    assert np.array_equal(found["coupling"], np.zeros_like(found["coupling"]))


def test_trials_of_different_progress_share_a_batch():
    net = network()
    progress = np.array([0, 250, 600])
    together = step(net, trials(net, n_dynamic=progress))
    for i, n in enumerate(progress):
        alone = step(net, trials(net, n_dynamic=np.full(3, n)))
        np.testing.assert_allclose(together["embedding"][i], alone["embedding"][i], atol=1e-6)


def test_levels_are_aggregated_by_weights_that_sum_to_one():
    net = network()
    np.testing.assert_allclose(net.aggregation.detach().numpy(), [1 / 3] * 3, rtol=1e-6)
    with torch.no_grad():
        net.level_weight.copy_(torch.tensor([0.0, 50.0, 0.0]))
    picked = net._aggregated([torch.full((1, 1, 1), v) for v in (1.0, 2.0, 3.0)])
    torch.testing.assert_close(picked, torch.full((1, 1, 1), 2.0))


@pytest.mark.parametrize("gated", ["scores", "weights"])
def test_gates_steer_the_attention(gated):
    net = network(replace(SMALL, gated=gated))
    arrays = trials(net)
    before = step(net, arrays)
    with torch.no_grad():
        net.gates.out.weight.zero_()
        net.gates.out.bias.fill_(-50.0)
    closed = step(net, arrays)
    assert closed["gates"].max() < 1e-20
    assert np.abs(closed["embedding"] - before["embedding"]).max() > 1e-4
    # A silenced head takes nothing from the turn; a flattened one takes its mean.
    other = step(net, arrays | {"dynamic": arrays["dynamic"][::-1].copy()})
    assert np.array_equal(other["embedding"], closed["embedding"]) == (gated == "weights")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"tokens": 40}, "static stream: expected a multiple of 40 tokens; got 250"),
        ({"levels": 0}, "one level or more"),
        ({"heads": 3}, "3 heads"),
        ({"streams": "static"}, "set pac=False"),
        ({"dynamic_samples": 50}, "100 samples or more; got 50"),
        ({"amplitude": "high-gamma"}, "100 Hz"),
    ],
)
def test_switches_that_contradict_are_refused(changed, message):
    with pytest.raises(InputError, match=message):
        replace(FULL, **changed)


def test_a_missing_input_is_named():
    with pytest.raises(InputError, match="expected the input 'n_dynamic'"):
        network()(static=torch.zeros(1, 4, 250), dynamic=torch.zeros(1, 4, 600))
