import math

import numpy as np
import pytest
import torch
from torch import nn

from engines.errors import InputError
from engines.models.layers import Attention, Level, sinusoids

WIDTH, HEADS = 8, 2


@pytest.fixture
def tokens():
    random = torch.Generator().manual_seed(0)
    return torch.randn(3, 5, WIDTH, generator=random), torch.randn(3, 7, WIDTH, generator=random)


def attention(gated="scores"):
    torch.manual_seed(0)
    return Attention(WIDTH, HEADS, gated).eval()


def test_attention_is_the_one_of_torch(tokens):
    x, memory = tokens
    ours, theirs = attention(), nn.MultiheadAttention(WIDTH, HEADS, batch_first=True).eval()
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([ours.query.weight, ours.key.weight, ours.value.weight]))
        theirs.in_proj_bias.copy_(torch.cat([ours.query.bias, ours.key.bias, ours.value.bias]))
        theirs.out_proj.load_state_dict(ours.out.state_dict())
        counts = torch.arange(7) < torch.tensor([[7], [3], [1]])
        expected, weights = theirs(x, memory, memory, key_padding_mask=~counts, average_attn_weights=False)
        torch.testing.assert_close(ours(x, memory, counts), expected)
        torch.testing.assert_close(ours.weights(x, memory, counts), weights)


@pytest.mark.parametrize("norm", ["post", "pre"])
def test_a_level_is_the_one_of_torch(tokens, norm):
    x, _ = tokens
    torch.manual_seed(0)
    ours = Level(WIDTH, HEADS, 16, norm=norm).eval()
    theirs = nn.TransformerEncoderLayer(
        WIDTH, HEADS, 16, dropout=0.0, activation="relu", batch_first=True, norm_first=norm == "pre"
    )
    a = ours.attention
    with torch.no_grad():
        theirs.self_attn.in_proj_weight.copy_(torch.cat([a.query.weight, a.key.weight, a.value.weight]))
        theirs.self_attn.in_proj_bias.copy_(torch.cat([a.query.bias, a.key.bias, a.value.bias]))
        theirs.self_attn.out_proj.load_state_dict(a.out.state_dict())
        theirs.linear1.load_state_dict(ours.feed_forward[0].state_dict())
        theirs.linear2.load_state_dict(ours.feed_forward[3].state_dict())
    torch.testing.assert_close(ours(x), theirs(x))


def test_what_does_not_count_changes_nothing(tokens):
    x, memory = tokens
    level = Level(WIDTH, HEADS, 16).eval()
    counts = (torch.arange(7) < 4).expand(3, 7)
    other = torch.where(counts[..., None], memory, 1e3)
    assert torch.equal(level(x, memory, counts), level(x, other, counts))
    torch.testing.assert_close(level(x, memory, counts), level(x, memory[:, :4]))


@pytest.mark.parametrize("gated", ["scores", "weights"])
def test_without_any_key_nothing_is_attended_and_gradients_stay_finite(tokens, gated):
    x, memory = tokens
    layer = attention(gated)
    memory.requires_grad_()
    out = layer(x, memory, torch.zeros(3, 7, dtype=torch.bool), torch.full((3, HEADS), 0.5))
    torch.testing.assert_close(out, layer.out.bias.expand_as(out))
    out.sum().backward()
    assert torch.equal(memory.grad, torch.zeros_like(memory))
    assert all(p.grad.isfinite().all() for p in layer.parameters())


def test_a_gate_on_scores_flattens_a_closed_head_and_a_gate_on_weights_silences_it(tokens):
    x, memory = tokens
    closed_first = torch.tensor([[0.0, 1.0]]).expand(3, HEADS)
    plain = attention().weights(x, memory)
    flat = attention("scores").weights(x, memory, gate=closed_first)
    silent = attention("weights").weights(x, memory, gate=closed_first)
    torch.testing.assert_close(flat[:, 0], torch.full((3, 5, 7), 1 / 7))
    assert torch.equal(silent[:, 0], torch.zeros(3, 5, 7))
    for gated in (flat, silent):
        torch.testing.assert_close(gated[:, 1], plain[:, 1])


@pytest.mark.parametrize("gated", ["scores", "weights"])
def test_an_open_gate_changes_nothing(tokens, gated):
    x, memory = tokens
    layer = attention(gated)
    assert torch.equal(layer(x, memory, gate=torch.ones(3, HEADS)), layer(x, memory))


def test_heads_that_do_not_share_the_width_are_refused():
    with pytest.raises(InputError, match="3 heads share evenly; got 8"):
        Attention(8, 3)


def test_positions_are_the_published_sines_and_cosines():
    n, width = 9, 6
    expected = np.zeros((n, width))
    for place in range(n):
        for i in range(0, width, 2):
            angle = place / 10_000 ** (i / width)
            expected[place, i], expected[place, i + 1] = math.sin(angle), math.cos(angle)
    np.testing.assert_allclose(sinusoids(n, width).numpy(), expected, atol=1e-7)
