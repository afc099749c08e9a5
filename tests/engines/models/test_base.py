import pytest
import torch
from torch import nn

from engines.models.base import multiply_adds, n_parameters, parameters_by_part
from engines.models.layers import Level


def test_a_linear_layer_counts_one_multiply_add_for_each_weight_and_row():
    assert multiply_adds(nn.Linear(30, 20), torch.zeros(7, 30)) == 7 * 30 * 20


def test_a_convolution_counts_its_taps_at_every_place():
    layer = nn.Conv1d(3, 5, kernel_size=4, stride=2)
    assert multiply_adds(layer, torch.zeros(1, 3, 20)) == 9 * 5 * 3 * 4


def test_a_transformer_level_counts_its_four_projections_two_products_and_two_layers():
    tokens, width, inner = 11, 8, 32
    expected = tokens * 4 * width**2 + 2 * tokens**2 * width + tokens * 2 * width * inner
    assert multiply_adds(Level(width, 2, inner), torch.zeros(1, tokens, width)) == expected


def test_counting_leaves_the_module_in_its_mode():
    layer = nn.Dropout()
    layer.train()
    multiply_adds(layer, torch.zeros(1))
    assert layer.training


def test_parameters_are_told_by_part_and_shared_ones_count_once():
    net = nn.Module()
    net.first = nn.Linear(3, 4)
    net.second = net.first
    net.scale = nn.Parameter(torch.zeros(()))
    assert parameters_by_part(net) == {"own": 1, "first": 16}
    assert n_parameters(net) == 17


def test_buffers_are_no_parameters():
    assert n_parameters(nn.BatchNorm1d(4)) == pytest.approx(8)
