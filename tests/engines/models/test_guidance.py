import pytest
import torch

from engines.models.brainssd import BrainSsdConfig
from engines.models.coupling import CouplingIndex
from engines.models.frames import CouplingConfig
from engines.models.guidance import ROWS, Gates, StreamCoupling


def coupling(kind="across"):
    config = BrainSsdConfig(n_channels=3, coupling=kind)
    return StreamCoupling(ROWS[kind], config.couplings(), 100.0, config.least_dynamic).double()


@pytest.fixture
def streams():
    random = torch.Generator().manual_seed(0)
    return tuple(torch.randn(4, 3, n, generator=random, dtype=torch.float64) + 2 for n in (250, 600))


def test_with_the_whole_turn_both_rows_are_the_directional_indices(streams):
    static, dynamic = streams
    there = CouplingIndex(CouplingConfig(250.0, 100.0, n_channels=3)).double()(static, dynamic)
    back = CouplingIndex(CouplingConfig(100.0, 250.0, n_channels=3)).double()(dynamic, static)
    torch.testing.assert_close(coupling()(static, dynamic, torch.full((4,), 600)), torch.stack([there, back], dim=1))


def test_the_control_measures_either_recording_alone(streams):
    static, dynamic = streams
    alone = [
        CouplingIndex(CouplingConfig(rate, rate, n_channels=3)).double()(x, x)
        for rate, x in ((250.0, static), (100.0, dynamic))
    ]
    torch.testing.assert_close(coupling("within")(static, dynamic, torch.full((4,), 600)), torch.stack(alone, dim=1))


@pytest.mark.parametrize("kind", ["across", "within"])
@pytest.mark.parametrize("n", [100, 131, 599])
def test_a_beginning_gives_what_the_recording_cut_off_there_would(streams, kind, n):
    static, dynamic = streams
    measure = coupling(kind)
    found = measure(static, dynamic, torch.full((4,), n))
    torch.testing.assert_close(found, measure(static, dynamic[..., :n], torch.full((4,), n)))
    dynamic[..., n:] = 1e6
    assert torch.equal(measure(static, dynamic, torch.full((4,), n)), found)


@pytest.mark.parametrize("n", [0, 1, 99])
def test_a_beginning_shorter_than_the_picture_counts_as_uncoupled_with_gradients_that_are_numbers(streams, n):
    static, dynamic = streams
    dynamic.requires_grad_()
    measure = coupling()
    found = measure(static, dynamic, torch.tensor([n, 600, n, 600]))
    assert torch.equal(found[::2], torch.zeros(2, 2, 3, dtype=torch.float64))
    assert (found[1::2] > 0).all()
    found.sum().backward()
    assert dynamic.grad.isfinite().all()
    assert torch.equal(dynamic.grad[0], torch.zeros_like(dynamic.grad[0]))
    assert all(p.grad.isfinite().all() for p in measure.parameters())


def test_within_the_static_recording_is_known_before_the_turn_begins(streams):
    found = coupling("within")(*streams, torch.zeros(4, dtype=torch.int64))
    assert (found[:, 0] > 0).all()
    assert torch.equal(found[:, 1], torch.zeros(4, 3, dtype=torch.float64))


def test_gates_are_one_factor_for_each_level_and_head():
    torch.manual_seed(0)
    gates = Gates(n_channels=3, hidden=8, levels=2, heads=4)
    values = gates(torch.rand(5, 2, 3) / 10)
    assert values.shape == (5, 2, 4)
    assert ((values > 0) & (values < 1)).all()
    assert len(values.unique()) == values.numel()


def test_gates_hear_coupling_of_the_size_it_has():
    torch.manual_seed(0)
    gates = Gates(n_channels=64, hidden=256, levels=3, heads=4)
    with torch.no_grad():
        floor, coupled = gates(torch.full((1, 2, 64), 0.003)), gates(torch.full((1, 2, 64), 0.05))
    assert float((coupled - floor).abs().max()) > 0.01


@pytest.mark.parametrize("n", [100, 328, 501, 600])
def test_a_flat_channel_counts_as_uncoupled_however_much_of_the_turn_is_there(streams, n):
    static, dynamic = (stream.float() for stream in streams)
    static[:, 1], dynamic[:, 1] = 0.0, -0.034189
    found = coupling().float()(static, dynamic, torch.full((4,), n))
    assert found.isfinite().all()
    torch.testing.assert_close(found[:, :, 1], torch.zeros(4, 2), atol=1e-5, rtol=0)
